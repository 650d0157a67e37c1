"""A function taken apart into leaves, its programs by name, and jaxprs compared across dtypes."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from verifier.errors import UsageError
from verifier.programs.trace import (
    PROGRAMS,
    component_names,
    defaults,
    mixed,
    mixing,
    names_of,
    program_named,
    same_program,
    scale_of,
    scaled,
    subject,
    tensor,
    trace,
    transformed,
)


def _model(params, x, n):
    return {"a": jnp.sum(params["w"] * x) ** n, "b": params["b"] * x, "count": n}


ARGS = ({"w": np.float32([1, 2]), "b": np.float32(3), "steps": 4}, np.float32(0.5), 2)


def test_leaves_results_and_names():
    given = subject(_model, ARGS, 0, None)
    assert [leaf.name for leaf in given.leaves] == ["params['b']", "params['w']"]
    assert [result.name for result in given.results] == ["value['a']", "value['b']"]
    assert component_names(given, 1)[0].tolist() == [
        "value['a'] d/dparams['b']",
        "value['a'] d/dparams['w'][0]",
        "value['a'] d/dparams['w'][1]",
    ]


def test_what_is_not_a_float_stays():
    given = subject(_model, ARGS, (0, 1), "float16")
    assert {each.dtype.name for each in given.place} == {"float16"}
    values = given.function(*given.place)
    assert float(values[0]) == (0.5 * 3) ** 2


@pytest.mark.parametrize(("args", "argnums"), [((2,), 0), ((np.float32(1),), 3)])
def test_nothing_to_differentiate(args, argnums):
    with pytest.raises(UsageError):
        subject(lambda x: x, args, argnums, None)


@pytest.mark.parametrize("value", [1 + 2j, np.complex64(1 + 2j), jnp.ones(2, jnp.complex64), {"z": 1j, "n": 2}])
def test_a_complex_input_is_said_to_be_one(value):
    with pytest.raises(UsageError, match="complex numbers are not judged; make it a function of real and imaginary"):
        subject(lambda z: jnp.real(z["z"] if isinstance(z, dict) else z), (value,), 0, None)


def test_the_tensor_of_nested_transforms():
    given = subject(
        lambda v, y: jnp.stack([v[0] ** 2 * y, v[1] * y**2]), (np.float32([2, 3]), np.float32(5)), (0, 1), None
    )
    row = program_named("fwd-rev", 2)
    assert row is not None
    blocks = jax.tree.leaves(transformed(row, given)(*given.place))
    found = tensor([np.asarray(each) for each in blocks], given, 2).astype(float)
    np.testing.assert_array_equal(found[0], [[10, 0, 4], [0, 0, 0], [4, 0, 0]])
    np.testing.assert_array_equal(found[1], [[0, 0, 0], [0, 0, 10], [0, 10, 6]])


def test_default_programs():
    assert [row.name for row in defaults(1, scalar=True)] == ["grad", "jacfwd"]
    assert [row.name for row in defaults(1, scalar=False)] == ["jacfwd", "jacrev"]
    assert [row.name for row in defaults(2, scalar=True)] == ["rev-rev", "fwd-rev", "rev-fwd", "fwd-fwd"]
    assert program_named("grad3", 3) is not None
    assert program_named("grad3", 2) is None
    assert program_named("hessian", 1) is None


@pytest.mark.parametrize("order", [0, 1, 2, 3, 5])
def test_every_name_of_an_order_is_a_program_of_it(order):
    rows = [program_named(name, order) for name in names_of(order)]
    assert rows
    assert all(row is not None and row.order == order for row in rows)


def test_programs_that_hold_another_key_are_others():
    def drawn(seed, key=jax.random.key):
        held = key(seed)
        return trace(lambda x: x * jax.random.normal(held), (np.float32(1),))

    assert same_program(drawn(0), drawn(0))
    assert not same_program(drawn(0), drawn(1))
    assert not same_program(drawn(0), drawn(0, jax.random.PRNGKey))


def test_programs_that_differ_in_a_literal_only():
    at = {name: (np.asarray(0.5, name),) for name in ("float32", "float64")}
    with jax.enable_x64(True):
        half = [trace(lambda x: jnp.sin(0.5 * x), at[name]) for name in at]
        tenth = [trace(lambda x: jnp.sin(0.1 * x), at[name]) for name in at]
    assert same_program(*half)
    assert not same_program(*tenth)
    assert not same_program(half[0], tenth[0])


OF_ARRAYS = [each for each in PROGRAMS if each.order and "grad" not in each.transforms]


@pytest.mark.parametrize("row", OF_ARRAYS, ids=lambda row: row.name)
def test_a_mixed_subject_has_scaled_derivatives_of_each_result_and_of_all_together(row):
    given = subject(lambda x: (x**3 * 0.5, jnp.stack([x**4, x**5])), (np.float64(2.0),), 0, None)
    other = replace(given, function=mixed(given.function))
    plain, found = (
        np.concatenate([np.ravel(each) for each in jax.tree.leaves(transformed(row, seen)(*seen.place))])
        for seen in (given, other)
    )
    together = sum(float(mixing(place)) * each for place, each in enumerate(plain))
    assert found.tolist() == [float(scale_of(row.order)) * (each + together) for each in plain]


def other_seeds(given):
    return replace(given, function=scaled(given.function))


@pytest.mark.parametrize("row", [each for each in PROGRAMS if each.order], ids=lambda row: row.name)
def test_a_scaled_subject_has_scaled_derivatives_in_every_mode(row):
    given = subject(lambda x: x**3 * 0.5, (np.float64(2.0),), 0, None)
    plain, other = (transformed(row, each)(*each.place) for each in (given, other_seeds(given)))
    (a,), (b,) = jax.tree.leaves(plain), jax.tree.leaves(other)
    assert float(b) == float(a) * scale_of(row.order)
    assert other_seeds(given).function(*given.place) == [-1280.0 * 4.0]
