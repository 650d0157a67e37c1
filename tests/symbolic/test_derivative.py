"""Derivatives of graphs: against `diff` of the whole, against JAX, forward against reverse; and linear in size."""

from __future__ import annotations

from itertools import pairwise

import jax
import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import verifier.symbolic.derivative
from verifier.symbolic.build import Definitions
from verifier.symbolic.derivative import derivative, directional, forward, reverse
from verifier.symbolic.display import whole_expression
from verifier.symbolic.evaluate import evaluate
from verifier.symbolic.expressions import expressions
from verifier.symbolic.formula import Apply, Name, parse
from verifier.symbolic.graph import Map, Take, ancestors, leaf, literals, longest_reduction, put
from verifier.symbolic.kernels import differentiate
from verifier.symbolic.lowering import lower, lower_graph
from verifier.symbolic.proof import cross_check

_smooth = st.sampled_from(["sin", "cos", "tanh", "exp", "atan", "sigmoid", "erf", "square"])
_leaf = st.sampled_from(["x", "y", "2", "0.3", "1/3"]).map(parse)


def _composed(inner):
    unary = st.builds(lambda f, a: Apply(f, (a,)), _smooth, inner)
    binary = st.builds(lambda f, a, b: Apply(f, (a, b)), st.sampled_from(["add", "sub", "mul"]), inner, inner)
    power = st.builds(lambda a, n: Apply("pow", (a, parse(n))), inner, st.sampled_from(["2", "3"]))
    return unary | binary | power


@settings(max_examples=60, deadline=None)
@given(
    first=st.recursive(_leaf, _composed, max_leaves=6),
    second=st.recursive(_leaf | st.just(Name("f")), _composed, max_leaves=6),
)
def test_the_chain_of_definitions_equals_diff_of_the_whole(first, second):
    definitions = Definitions((("x", ()), ("y", ())), (), (("f", first),), second)
    whole = whole_expression(definitions)
    found = expressions([derivative(definitions.nodes["value"], definitions.leaves, 1)])
    if whole is None or found is None:
        return
    place = {sympy.Symbol("x", real=True): sympy.Rational(3, 7), sympy.Symbol("y", real=True): sympy.Rational(-5, 8)}
    for symbol, composed in zip(place, found[0].ravel(), strict=True):
        expected = sympy.diff(whole, symbol).subs(place).evalf(40)
        assert abs(composed.subs(place).evalf(40) - expected) <= mpmath.mpf(10) ** -30 * (1 + abs(expected))


INPUTS = {"x": (), "v": (3,), "m": (2, 3)}
POINT = {"x": 0.7, "v": [0.3, -1.25, 2.0], "m": [[1.5, 0.25, -0.75], [2.0, -1.0, 0.5]]}
ARRAYS = [
    "sum(m @ v * x)",
    "mean((m*v - mean(m))**2)",
    "var(m, axis=0) @ v",
    "logsumexp(m*x) + norm(v)",
    "prod(v)*max(m) + min(v)",
    "sum(softmax(m)*transpose(transpose(m)), axis=1)",
    "m[1, ::-2]*x + v[:2]**2",
    "[x**2 + v[1], v[0]*m[0, 0]**3]",
    "outer(v, v) @ m[0]",
    "reshape(m, 3, 2) @ [x, 1]",
    "relu(v)*abs(m)**1.3 + where(v > x, v**3, x*v)",
    "sum(range(3)*v)/size(m) + max(x, 0.1)",
    "tanh(dot(v, transpose(m)))",
    "x*[[1, 2], [3, 4]] + exp(x)",
    "v[0]/v[1]*x**2 - sqrt(x)*log(x)",
]


@pytest.mark.parametrize("text", ARRAYS)
@pytest.mark.parametrize("order", [1, 2])
def test_array_derivatives_equal_those_of_jax(define, values, text, order):
    definitions = define(text, INPUTS)
    components = np.concatenate([np.ravel(each) for each in POINT.values()])

    def leaves(flat):
        return {"x": flat[0], "v": flat[1:4], "m": flat[4:].reshape(2, 3)}

    def function(flat):
        return lower(definitions)(leaves(flat), {})

    for _ in range(order):
        function = jax.jacfwd(function)
    node = derivative(definitions.nodes["value"], definitions.leaves, order)
    assert node.shape == definitions.nodes["value"].shape + (len(components),) * order
    found = np.array(values(node, POINT), dtype=float)
    expected, lowered = jax.jit(lambda flat: (function(flat), lower_graph(node)(leaves(flat), {})))(components)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(lowered, found, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("text", [f"sum({text})" for text in ARRAYS])
def test_forward_equals_reverse(define, values, text):
    definitions = define(text, INPUTS)
    node = definitions.nodes["value"]
    reverse_mode = reverse(node, definitions.leaves)
    for by, gradient in zip(definitions.leaves, reverse_mode, strict=True):
        count = int(np.prod(by.shape))
        (moved,) = forward([node], {by: leaf("basis", (count, *by.shape))})
        basis = np.eye(count).reshape(count, *by.shape)
        found = values(moved, {**POINT, "basis": basis})
        np.testing.assert_allclose(
            np.array(found, float), np.ravel(np.array(values(gradient, POINT), float)), rtol=1e-14, atol=1e-30
        )


def test_eight_orders_of_sine_are_one_small_kernel(define, values):
    definitions = define("sin(x)", {"x": ()})
    for order in range(9):
        node = derivative(definitions.nodes["value"], definitions.leaves, order)
        assert node.shape == (1,) * order
        assert len(ancestors([node])) <= 3
        assert sum(isinstance(each, Map) for each in ancestors([node])) == 1
        found = float(np.ravel(values(node, {"x": 0.75}))[0])
        assert found == pytest.approx(float(mpmath.diff(mpmath.sin, 0.75, order)), rel=1e-8)


def test_a_polynomial_ends(define):
    definitions = define("x**3 + v @ v", {"x": (), "v": (2,)})
    assert len(ancestors([derivative(definitions.nodes["value"], definitions.leaves, 4)])) == 2


def _chain(define, depth):
    lets = {f"y{place}": f"sin(y{place - 1})" if place else "sin(x)" for place in range(depth)}
    return define(f"y{depth - 1}", {"x": ()}, lets=lets)


@pytest.mark.parametrize("order", [1, 2])
def test_a_deep_chain_stays_linear(define, order):
    sizes = []
    for depth in (250, 500, 1000):
        definitions = _chain(define, depth)
        sizes.append(len(ancestors([derivative(definitions.nodes["value"], definitions.leaves, order)])))
    assert sizes[-1] <= 10 * order * 1000
    assert all(larger <= 2 * smaller + 10 for smaller, larger in pairwise(sizes))


def test_a_deep_chain_is_right(define, values):
    definitions = _chain(define, 1000)
    x, slope = mpmath.mpf("0.3"), mpmath.mpf(1)
    for _ in range(1000):
        x, slope = mpmath.sin(x), slope * mpmath.cos(x)
    found = values(derivative(definitions.nodes["value"], definitions.leaves, 1), {"x": 0.3})
    assert float(found[0]) == pytest.approx(float(slope), rel=1e-12)


NETWORK = {"w1": (1, 32), "b1": (32,), "w2": (32, 32), "b2": (32,), "w3": (32, 1), "b3": (1,)}


def test_a_network_is_never_scalarised(define):
    lets = {"h1": "max(0, u@w1 + b1)", "h2": "max(0, h1@w2 + b2)", "pred": "h2@w3 + b3"}
    definitions = define("mean((pred - y)**2)", NETWORK, lets=lets, data={"u": (200, 1), "y": (200, 1)})
    node = derivative(definitions.nodes["value"], definitions.leaves, 1)
    assert node.shape == (1153,)
    assert len(ancestors([node])) <= 60
    assert longest_reduction([node]) == 200

    draw = np.random.default_rng(0)
    arrays = {name: draw.normal(size=shape) for name, shape in definitions.inputs + definitions.data}
    leaves, data = ({name: arrays[name] for name in names} for names in (NETWORK, "uy"))
    gradient = jax.jit(lower_graph(node))(leaves, data)
    expected = jax.jit(jax.grad(lower(definitions)))(leaves, data)
    joined = np.concatenate([np.ravel(expected[name]) for name in NETWORK])
    np.testing.assert_allclose(gradient, joined, rtol=1e-9, atol=1e-12 * np.abs(joined).max())


def test_a_kink_stays_with_its_own_component(define, values):
    definitions = define("[abs(v[0]) + v[1], v[1]**2]", {"v": (2,)})
    node = derivative(definitions.nodes["value"], definitions.leaves, 1)
    assert values(node, {"v": [0, 3]}) == [["unknown", 1], [0, 6]]


@pytest.mark.parametrize(
    "text", ["relu(x)", "abs(x)", "max(x, 0*x)", "sign(x)", "floor(x)", "where(x > 0, x, 2*x)", "min([x, -x])"]
)
@pytest.mark.parametrize("order", [1, 2])
def test_ties_are_never_decided(define, values, text, order):
    definitions = define(text, {"x": ()})
    node = derivative(definitions.nodes["value"], definitions.leaves, order)
    assert np.ravel(values(node, {"x": 0})) == ["unknown"]
    assert all(each != "unknown" for x in (-1.5, 1.5) for each in np.ravel(values(node, {"x": x})))


def test_a_named_condition_is_a_tie_too(define, values):
    definitions = define("where(positive, x, 2*x)", {"x": ()}, lets={"positive": "x > 0"})
    assert values(derivative(definitions.nodes["value"], definitions.leaves, 1), {"x": 0}) == ["unknown"]


def test_directions_of_data_and_literals(define, values):
    definitions = define("sum(0.1*x*u) + pi + 2*x", {"x": ()}, data={"u": (2,)})
    value = definitions.nodes["value"]
    seeds = {node: f"moves{place}" for place, node in enumerate([*literals([value]), definitions.nodes["u"]])}
    assert [node.value for node in literals([value])] == [parse("0.1").value, "pi"]
    node = directional(value, seeds, 2)
    given = {"x": 3, "u": [1, 4], "moves0": [1, 0], "moves1": [0, 1], "moves2": [[0, 0], [1, 0]]}
    assert [float(each) for each in values(node, given)] == pytest.approx([15.0, 1.3])


def test_higher_orders_along_directions(define, values):
    """The derivative of a gradient along a direction is the Hessian times it."""
    definitions = define("sum(sin(m) @ v)**2", {"v": (3,), "m": (2, 3)})
    value = definitions.nodes["value"]
    gradient, hessian = (derivative(value, definitions.leaves, order) for order in (1, 2))
    along = directional(gradient, {definitions.leaves[0]: "dv", definitions.leaves[1]: "dm"}, 1)
    direction = np.arange(1.0, 10.0)
    given = {**POINT, "dv": [direction[:3]], "dm": [direction[3:].reshape(2, 3)]}
    expected = np.array(values(hessian, POINT), float) @ direction
    np.testing.assert_allclose(np.array(values(along, given), float)[0], expected, rtol=1e-13)


FAULTS = {
    "sign": lambda slope: -slope,
    "factor": lambda slope: slope * sympy.Rational(1_000_001, 1_000_000),
    "dropped term": lambda slope: slope.args[0] if slope.is_Add else sympy.S.Zero,
    "constant": lambda slope: slope + 1,
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("kernel", ["tanh", "square"])
def test_a_wrong_local_derivative_is_noticed(define, monkeypatch, fault, kernel):
    definitions = define(f"{kernel}(f) + x*y", {"x": (), "y": ()}, lets={"f": "sin(x)*y"})
    assert cross_check(definitions.nodes["value"], definitions.leaves) is True

    def planted(expression, symbol):
        right = differentiate(expression, symbol)
        outermost = expression.has(sympy.tanh) or expression.has(sympy.Pow)
        return fault(right) if outermost and right != 1 else right

    monkeypatch.setattr(verifier.symbolic.derivative, "differentiate", planted)
    assert cross_check(definitions.nodes["value"], definitions.leaves) is not True


def test_swapped_operands_are_noticed(define, monkeypatch):
    definitions = define("v[0]*v[1]**2", {"v": (2,)})

    def swapped(node, place, cotangent):
        return [put(cotangent, (1 - node.indices[0],), (2,))]

    monkeypatch.setitem(verifier.symbolic.derivative._PULL, Take, swapped)
    assert cross_check(definitions.nodes["value"], definitions.leaves) is False


def test_evaluation_shares_nothing_between_runs(define, digits):
    definitions = define("sin(x)", {"x": ()})
    node = derivative(definitions.nodes["value"], definitions.leaves, 1)
    runs = [evaluate([node], {"x": mpmath.mpf(1)}, digits)[0].tolist() for _ in range(2)]
    assert runs[0] == runs[1]
