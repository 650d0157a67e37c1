"""What runs where, and that nothing is left out in silence."""

from __future__ import annotations

import pytest

from verifier.programs.components import Leaf, Signature, directions
from verifier.programs.plan import BATCHED, EAGER, POINTWISE, Plan, Program, Selection, plan

ORIGINS = ("declared", "declared", "special", "special", "uniform", "ordinal", "uniform")
DTYPES = ("float64", "float32", "bfloat16", "float16")
SCALAR = Signature((), (Leaf("x"),))


def planned(signature=SCALAR, *, orders=(1, 2), empty=(), **options) -> Plan:
    return plan(
        signature,
        orders=orders,
        origins={dtype: () if dtype in empty else ORIGINS for dtype in DTYPES},
        devices=("cpu:0", "cpu:1"),
        dependent=("cpu:1",),
        signs=directions(signature, seed=0, entry="e"),
        symbolic_orders=(0, 1, 2),
        selection=Selection(**options),
    )


def launches(found: Plan, dtype: str, device: str) -> dict:
    return {each.style: each for each in found.launches if (each.dtype, each.device) == (dtype, device)}


def names(launch) -> set:
    return {each.name for each in launch.programs}


def cells(found: Plan) -> list:
    run = [(p, each.dtype, each.device) for each in found.launches for p in each.programs]
    skipped = [
        (Program(*name.split("/"), skip.order), *target)
        for skip in found.skipped
        for name in skip.programs
        for target in (skip.targets or [(dtype, device) for dtype in DTYPES for device in ("cpu:0", "cpu:1")])
    ]
    return run + skipped


def test_the_reference_has_two_compiled_launches_and_everything_eager():
    found = launches(planned(), "float64", "cpu:0")
    assert set(found) == {EAGER, POINTWISE, BATCHED}
    assert {"grad/jit", "grad/remat", "jet/jit", "hessian/remat", "symbolic/jit"} <= names(found[POINTWISE])
    assert {"value/vmap", "rev-fwd/vmap", "symbolic/vmap"} <= names(found[BATCHED])
    assert {"linearize/eager", "fwd-fwd/eager"} <= names(found[EAGER])
    assert found[POINTWISE].points == found[BATCHED].points == tuple(range(7))
    assert found[EAGER].points == (0, 1, 2, 4)


def test_another_dtype_has_one_compiled_launch_and_the_eager_gradient():
    found = launches(planned(), "bfloat16", "cpu:0")
    assert set(found) == {EAGER, BATCHED}
    assert names(found[EAGER]) == {"grad/eager"}
    assert {"hessian/vmap", "symbolic/vmap", "jvp/vmap"} <= names(found[BATCHED])


def test_a_device_that_shares_its_processor_has_one_program_of_each_order():
    found = launches(planned(), "float64", "cpu:1")
    assert names(found[BATCHED]) == {"value/vmap", "grad/vmap", "hessian/vmap"}
    assert names(found[EAGER]) == {"grad/eager"}
    assert len(launches(planned(), "float32", "cpu:0")[BATCHED].programs) > 3


def test_a_vector_value_has_jacobians_in_place_of_gradients():
    found = planned(Signature((2,), (Leaf("x"),)))
    assert names(launches(found, "float32", "cpu:0")[EAGER]) == {"jacfwd/eager"}
    assert any("grad/jit" in skip.programs and "scalar value" in skip.reason for skip in found.skipped)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"full": True},
        {"devices": ("cpu:1",)},
        {"dtypes": ("float16", "float32")},
        {"programs": ("grad/jit", "jet", "vmap")},
        {"programs": ("grad/jit",), "devices": ("cpu:0",), "dtypes": ("float64",)},
    ],
    ids=str,
)
def test_every_cell_either_runs_or_is_skipped_for_one_reason(options):
    complete = planned(full=True)
    expected = sorted(cells(complete))
    assert sorted(cells(planned(**options))) == expected
    assert len(set(expected)) == len(expected)


def test_a_cell_that_vanished_is_caught():
    found = planned()
    clipped = Plan(signature=found.signature, signs=found.signs, launches=found.launches[:-1], skipped=found.skipped)
    assert sorted(cells(clipped)) != sorted(cells(planned(full=True)))


def test_the_first_selected_target_gets_the_matrix():
    assert POINTWISE in launches(planned(dtypes=("float32", "float16")), "float32", "cpu:0")
    found = planned(devices=("cpu:1",))
    assert POINTWISE in launches(found, "float64", "cpu:1")
    assert not launches(found, "float64", "cpu:0")


def test_full_runs_everything_everywhere_at_every_point():
    found = planned(full=True)
    reference = launches(found, "float64", "cpu:0")
    for dtype in DTYPES:
        for device in ("cpu:0", "cpu:1"):
            here = launches(found, dtype, device)
            assert {style: names(each) for style, each in here.items()} == {
                style: names(each) for style, each in reference.items()
            }
            assert here[EAGER].points == tuple(range(7))


def test_growing_programs_stop_at_order_four_unless_everything_is_asked_for():
    def high(**options) -> set:
        found = planned(orders=(1, 5), **options)
        return {p.name for each in found.launches for p in each.programs if p.order == 5}

    assert high() >= {"grad5/jit", "jet/vmap"}
    assert "jacfwd5/jit" not in high()
    assert "jacfwd5/jit" in high(full=True)


def test_forward_mode_in_very_many_directions_runs_compiled_at_the_reference_only():
    found = planned(Signature((), (Leaf("v", (300,)),)), orders=(1,))
    run = {(p.name, each.dtype) for each in found.launches for p in each.programs if p.transform == "jacfwd"}
    assert run == {("jacfwd/jit", "float64"), ("jacfwd/remat", "float64"), ("jacfwd/vmap", "float64")}


def test_too_many_components_are_a_reason():
    found = planned(Signature((), (Leaf("v", (300,)),)))
    assert any("90,000 components" in skip.reason for skip in found.skipped)
    assert "jet/jit" in {p.name for each in found.launches for p in each.programs if p.order == 2}


def test_a_dtype_without_points_is_skipped_with_a_reason():
    found = planned(empty=("float16",))
    assert not launches(found, "float16", "cpu:0")
    assert any("holds no float16" in skip.reason for skip in found.skipped)
