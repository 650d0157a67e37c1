"""Running plans: real numbers out, faults visible, failures as reasons."""

from __future__ import annotations

from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from verifier.execution import compiled, observe
from verifier.execution.points import Point
from verifier.programs.components import Leaf, Signature, component_names, contract, directions
from verifier.programs.plan import Program, Selection, plan

SCALAR = Signature((), (Leaf("x"),))
PAIR = Signature((2,), (Leaf("p.w", (2,)), Leaf("x"), Leaf("p.a")))


def line(values, signature=SCALAR):
    """Points of a scalar input, or the same value in every component."""
    return tuple(Point(origin="declared", values=tuple((x,) * leaf.size for leaf in signature.leaves)) for x in values)


def run(f, *, signature=SCALAR, at=(0.5, 2.0), orders=(1,), data=None, symbolic=None, dtypes=("float64",), **selection):
    points = {dtype: at if isinstance(at[0], Point) else line(at, signature) for dtype in dtypes}
    found = plan(
        signature,
        orders=orders,
        origins={dtype: [point.origin for point in each] for dtype, each in points.items()},
        devices=("cpu:0", "cpu:1"),
        dependent=("cpu:1",),
        signs=directions(signature, seed=0, entry="t"),
        symbolic_orders=tuple(symbolic or {}),
        selection=Selection(**{"devices": ("cpu:0",), **selection}),
    )
    results = observe.observe(found, f, points=points, data=data or {}, symbolic=symbolic)
    return {(each.program, each.order, each.dtype, each.device): each for each in results}


def test_every_program_of_the_matrix_computes_the_same_derivative():
    found = run(
        lambda x, data: data["c"] * x**3,
        orders=(1, 2),
        data={"c": 2},
        symbolic={1: lambda x, data: 3 * data["c"] * x**2},
    )
    truth = {0: [0.25, 16.0], 1: [1.5, 24.0], 2: [6.0, 24.0]}
    assert len(found) > 45
    for (program, order, _, _), each in found.items():
        assert each.reason is None, (program, each.reason)
        # jet scales by exp(lgamma(k + 1)) where a factorial is meant
        np.testing.assert_allclose(each.values[:, 0], truth[order], rtol=1e-14, err_msg=program)
    assert {"symbolic/jit", "symbolic/vmap", "grad2/remat"} <= {key[0] for key in found}


def pair(p, x, data):
    return jnp.stack([p["w"][0] * p["w"][1] ** 2 * x, p["a"] * data["c"][1] * x])


def test_a_nested_input_with_a_vector_value_keeps_the_catalogs_order():
    at = (Point(origin="declared", values=((2.0, 3.0), (5.0,), (7.0,))),)
    found = run(pair, signature=PAIR, at=at, data={"c": [0, 11]}, programs=("vmap", "jacrev/eager"))
    assert component_names(PAIR, 1)[:4] == (
        "value[0] d/dp.w[0]",
        "value[0] d/dp.w[1]",
        "value[0] d/dx",
        "value[0] d/dp.a",
    )
    jacobian = np.array([[45.0, 60.0, 18.0, 0.0], [0.0, 0.0, 77.0, 55.0]])
    signs = directions(PAIR, seed=0, entry="t")
    for (name, order, _, _), each in found.items():
        if order == 1:
            contraction = Program(*name.split("/"), order).contraction
            expected = contract(jacobian.reshape(-1), PAIR, 1, contraction, signs)
            np.testing.assert_allclose(each.values, [expected], rtol=1e-14, err_msg=name)  # jet: see above


def test_a_wrong_rule_shows_in_the_numbers():
    @jax.custom_jvp
    def square(x):
        return x * x

    square.defjvp(lambda primals, tangents: (primals[0] ** 2, -2 * primals[0] * tangents[0]))
    found = run(lambda x, data: square(x), programs=("grad", "jvp", "value"))
    for (program, order, _, _), each in found.items():
        sign = -1.0 if order else 1.0
        expected = [1.0, 4.0] if order else [0.25, 4.0]
        np.testing.assert_array_equal(each.values[:, 0], sign * np.array(expected), err_msg=program)


@pytest.mark.parametrize(("dtype", "other"), [("float64", "float32"), ("bfloat16", "float32"), ("float32", "float16")])
def test_a_program_that_ignores_its_dtype_is_told(dtype, other):
    found = run(lambda x, data: jnp.sin(x).astype(other), dtypes=(dtype,), programs=("value",), orders=())
    for each in found.values():
        assert each.values is None
        assert each.reason == f"the program returned {other} although its inputs are {dtype}"


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
def test_data_and_points_arrive_in_the_dtype(dtype):
    seen = []

    def f(x, data):
        seen.append((x.dtype, data["c"].dtype))
        return x + data["c"]

    found = run(f, dtypes=(dtype,), data={"c": Fraction(1, 3)}, programs=("value/jit", "value/eager"), orders=())
    assert {str(each) for pair in seen for each in pair} == {dtype}
    reference = np.asarray(1 / 3, np.float64).astype(jnp.dtype(dtype)) + np.asarray(0.5, jnp.dtype(dtype))
    assert {each.values[0, 0] for each in found.values()} == {float(reference)}


def test_x64_that_stays_off_is_told(monkeypatch):
    from contextlib import nullcontext

    monkeypatch.setattr(observe, "x64_for", lambda name: nullcontext())
    with jax.enable_x64(False):
        found = run(lambda x, data: x, programs=("value",), orders=())
    assert {each.reason for each in found.values()} == {"UsageError: JAX made float32 of a float64 input; turn x64 on"}


def test_a_program_that_fails_to_trace_is_a_reason_and_the_others_run():
    @jax.custom_vjp
    def reverse_only(x):
        return x * x

    reverse_only.defvjp(lambda x: (x * x, x), lambda x, ct: (2 * x * ct,))
    found = run(lambda x, data: reverse_only(x), at=(2.0,), programs=("grad", "jacfwd", "jvp"))
    for (program, *_), each in found.items():
        if program.startswith("grad"):
            assert each.values.tolist() == [[4.0]]
        else:
            assert each.values is None
            assert "forward-mode" in each.reason
            assert "0x" not in each.reason.replace("0x...", "")


def test_a_program_that_fails_to_run_does_not_take_the_others_along():
    def explode(x):
        raise RuntimeError("planted")

    def f(x, data):
        return x * x

    def symbolic(x, data):
        return jax.pure_callback(explode, jax.ShapeDtypeStruct((), x.dtype), x, vmap_method="sequential")

    found = run(f, at=(2.0,), symbolic={1: symbolic}, programs=("grad/jit", "symbolic/jit"))
    by_name = {key[0]: each for key, each in found.items()}
    assert by_name["grad/jit"].values.tolist() == [[4.0]]
    assert by_name["symbolic/jit"].values is None
    assert by_name["symbolic/jit"].reason


def test_wrong_shapes_are_told():
    found = run(lambda x, data: jnp.stack([x, x]), programs=("value/jit",), orders=())
    assert {each.reason for each in found.values()} == {
        "the program returned (2,) components at each point, expected (1,)"
    }


def test_devices_give_equal_bits():
    found = run(lambda x, data: jnp.tanh(x) ** 2, devices=("cpu:0", "cpu:1"), programs=("grad/vmap",))
    one, other = found[("grad/vmap", 1, "float64", "cpu:0")], found[("grad/vmap", 1, "float64", "cpu:1")]
    np.testing.assert_array_equal(one.values, other.values)


def test_points_are_split_where_memory_is_short(monkeypatch):
    options = {"at": (0.25, 0.5, 1.0, 2.0, 3.0), "programs": ("grad/vmap",)}
    whole = run(lambda x, data: x * x, **options)
    monkeypatch.setattr(compiled, "_temporary_bytes", lambda executable: 5 * compiled._MEMORY_LIMIT // 2)
    split = run(lambda x, data: x * x, **options)
    for key, each in whole.items():
        np.testing.assert_array_equal(each.values, split[key].values)
    assert list(compiled._chunks([0, 1, 2, 3, 4], 2)) == [([0, 1], 2), ([2, 3], 2), ([4, 4], 1)]


def test_a_program_too_large_to_compile_is_a_reason(monkeypatch):
    monkeypatch.setattr(observe, "_EQUATION_LIMIT", 10)
    found = run(lambda x, data: jnp.sin(x), orders=(5,), programs=("grad5/jit", "jet/jit"))
    by_name = {key[0]: each for key, each in found.items()}
    assert "equations at order 5" in by_name["grad5/jit"].reason
    assert by_name["jet/jit"].reason is None


def test_the_same_call_gives_the_same_bits():
    def again():
        return run(lambda x, data: jnp.exp(jnp.sin(x)), orders=(1,), programs=("jit",))

    first, second = again(), again()
    assert all(np.array_equal(first[key].values, second[key].values, equal_nan=True) for key in first)
