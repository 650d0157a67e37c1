"""Lowering to JAX: the very operations that the formula writes, in the dtype of the inputs."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from verifier.errors import FormulaError
from verifier.symbolic.derivative import derivative
from verifier.symbolic.formula import parse
from verifier.symbolic.lowering import arguments_of, as_function, leaves_of, lower, lower_graph


def primitives(function, *arguments):
    def inner(jaxpr):
        for equation in jaxpr.eqns:
            nested = [each for each in equation.params.values() if hasattr(each, "jaxpr")]
            yield from (name for each in nested for name in inner(each.jaxpr)) if nested else [equation.primitive.name]

    return list(inner(jax.make_jaxpr(function)(*arguments).jaxpr))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x**2", ["integer_pow"]),
        ("x**0.5", ["sqrt"]),
        ("w*x + (1 - w)*x", ["mul", "sub", "mul", "add"]),
        ("tanh(x)", ["tanh"]),
        ("max(0, x)", ["max"]),
        ("where(x < 1, x, w)", ["lt", "select_n"]),
    ],
)
def test_a_formula_runs_as_written(define, text, expected):
    function = as_function(define(text, {"w": (), "x": ()}))
    found = [name for name in primitives(function, 2.0, 3.0, {}) if name != "convert_element_type"]
    assert found == expected or (text == "x**0.5" and found in (["pow"], ["sqrt"]))


@pytest.mark.parametrize(("text", "slope"), [("max(0, x)", 0.5), ("relu(x)", 0.0), ("abs(x)", 1.0)])
def test_kinks_are_those_of_jax(define, text, slope):
    assert jax.grad(as_function(define(text, {"x": ()})))(0.0, {}) == slope


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32", "float64"])
@pytest.mark.parametrize(
    "text",
    ["0.1*x + [1, 2]*x", "sum(range(3))*x + pi", "mean(u)*x**3 + 1/3", "where(x > 0.5, 1, x)*2**0.5", "count(u > x)*x"],
)
def test_literals_leave_the_dtype_alone(define, text, dtype):
    definitions = define(text, {"x": ()}, data={"u": (2,)})
    x, data = jnp.asarray(0.75, dtype), {"u": jnp.asarray([1, 2], dtype)}
    assert as_function(definitions)(x, data).dtype == dtype
    node = derivative(definitions.nodes["value"], definitions.leaves, 1)
    assert lower_graph(node)({"x": x}, data).dtype == dtype


def test_nested_inputs_are_pytrees(define):
    definitions = define("params.w @ x + params.layer.b", {"params.w": (2,), "x": (2,), "params.layer.b": ()})
    leaves = {"params.w": jnp.array([1.0, 2.0]), "x": jnp.array([3.0, 4.0]), "params.layer.b": jnp.array(5.0)}
    arguments = arguments_of(definitions, leaves)
    assert [sorted(each) if isinstance(each, dict) else None for each in arguments] == [["layer", "w"], None]
    assert as_function(definitions)(*arguments, {}) == 16.0
    assert leaves_of(definitions, arguments).keys() == leaves.keys()
    assert jax.grad(as_function(definitions))(*arguments, {})["layer"]["b"] == 1.0


def test_definitions_run_in_order_and_once(define):
    definitions = define("b*b", {"x": ()}, lets={"a": "sin(x)", "b": "a + a"})
    assert primitives(as_function(definitions), 1.0, {}) == ["sin", "add", "mul"]


def test_any_formula_of_the_scope_runs(define):
    definitions = define("sum(v**2)", {"v": (3,)}, lets={"f": "v**3"})
    leaves = {"v": jnp.array([1.0, 2.0, 3.0])}
    np.testing.assert_array_equal(lower(definitions, parse("D(value, v)"))(leaves, {}), [2, 4, 6])
    np.testing.assert_array_equal(lower(definitions, parse("D(f, v, v)"))(leaves, {})[2, 2], [0, 0, 18])


@pytest.mark.parametrize("text", ["x + 10**400/3", "x + 1/0", "x + (0 - 8)**(1/3)", "x + 10**40"])
def test_constants_that_python_refuses_stay_numbers(define, text):
    assert as_function(define(text, {"x": ()}))(jnp.float32(1), {}).dtype == jnp.float32


def test_what_jax_lacks_is_said_before_anything_runs(define):
    with pytest.raises(FormulaError, match="besselj"):
        lower(define("x + besselj(2, x)", {"x": ()}))


def test_a_lowered_derivative_is_nan_on_a_kink(define):
    definitions = define("relu(x)", {"x": ()})
    slope = lower_graph(derivative(definitions.nodes["value"], definitions.leaves, 1))
    assert [float(slope({"x": jnp.float64(x)}, {})[0]) for x in (-1, 1)] == [0, 1]
    assert np.isnan(slope({"x": jnp.float64(0)}, {})[0])
