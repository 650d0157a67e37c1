"""The law of rounded runs: what XLA computes lies in them, in every dtype, eager and jitted; what is wrong does not."""

from __future__ import annotations

import random
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

from verifier.arithmetic.elements import Unknown
from verifier.arithmetic.floats import FORMATS, from_ordinal, ordinal, round_to
from verifier.arithmetic.rounded import explained
from verifier.arithmetic.rounding_table import CPU
from verifier.execution.dtypes import numpy_dtype, to_float64
from verifier.truth.rounding import rounded_run

ELEMENTWISE = """
    neg abs sqrt exp log log1p expm1 tanh sin cos logistic erf rsqrt floor sign square atan exp2 sinh lgamma
"""
UNARY = ELEMENTWISE.split()
BINARY = ["add", "sub", "mul", "div", "max", "min", "atan2", "pow"]
ARRAY = {
    "where": lambda a, b, c: jnp.where(a < b, c, a),
    "cube": lambda a, b, c: lax.integer_pow(a, 3),
    "inverse square": lambda a, b, c: lax.integer_pow(a, -2),
    "sum": lambda a, b, c: jnp.sum(a) * b,
    "cumsum": lambda a, b, c: jnp.cumsum(a),
    "dot": lambda a, b, c: jnp.dot(a, b) * c,
    "centred": lambda a, b, c: a - jnp.mean(a),
    "clip": lambda a, b, c: jnp.clip(a, -1, 1),
    "logsumexp": lambda a, b, c: jax.nn.logsumexp(a) + b,
    "softmax": lambda a, b, c: jax.nn.softmax(a),
}


def program(steps):
    """A straight-line program of two vectors: every step appends a value made of earlier ones; all are results."""

    def run(x, y):
        values = [x, y]
        for name, *places in steps:
            operands = [values[place % len(values)] for place in places]
            if name in ARRAY:
                values.append(ARRAY[name](*operands))
            else:
                values.append(getattr(lax, name)(*operands[: 1 if name in UNARY else 2]))
        return tuple(values[2:])

    return run


places = st.integers(0, 7)
steps = st.lists(
    st.tuples(st.sampled_from([*UNARY, *BINARY, *BINARY, *ARRAY]), places, places, places), min_size=1, max_size=5
)


def vector(form, seed: int) -> np.ndarray:
    """Four members of a format: anywhere, special, or of ordinary size."""
    rng = random.Random(seed)
    top = ordinal(form.largest, form)
    special = [0.0, -0.0, 1.0, form.largest, form.smallest_normal, form.smallest_subnormal]
    choices = (
        lambda: from_ordinal(rng.randint(-top, top), form),
        lambda: rng.choice(special),
        lambda: round_to(rng.uniform(-10, 10), form),
        lambda: round_to(rng.uniform(-1, 1), form),
    )
    return np.asarray([rng.choice(choices)() for _ in range(4)], np.float64).astype(numpy_dtype(form.name))


def unexplained(function, arguments, target=CPU, modes=(lambda f: f, jax.jit)):
    """Every value that XLA computes and the rounded run does not hold."""
    with jax.enable_x64(arguments[0].dtype == np.float64):
        possible = rounded_run(jax.make_jaxpr(function)(*arguments), arguments, target, strict=True)
        computed = [jax.tree.leaves(mode(function)(*map(jnp.asarray, arguments))) for mode in modes]
    return [
        (float(value), element)
        for results in computed
        for result, elements in zip(results, possible, strict=True)
        for value, element in zip(to_float64(result).flat, elements.flat, strict=True)
        if not explained(float(value), element)
    ]


@pytest.mark.parametrize("form", FORMATS.values(), ids=lambda form: form.name)
def test_what_is_computed_is_explained(form):
    @settings(max_examples=12, deadline=None, derandomize=True)
    @given(steps, st.integers(0, 10**6))
    def law(steps, seed):
        assert not unexplained(program(steps), [vector(form, seed), vector(form, seed + 1)])

    law()


@pytest.mark.parametrize("form", FORMATS.values(), ids=lambda form: form.name)
def test_what_a_gradient_computes_is_explained(form):
    def gradient(x, y):
        def value(x):
            return jnp.sum(jax.nn.gelu(x * y) + jnp.tanh(x) ** 2 + jax.nn.softplus(y - x)) + jax.nn.logsumexp(x)

        return jax.grad(value)(x)

    for seed in range(3):
        assert not unexplained(gradient, [vector(form, 10 * seed), vector(form, 10 * seed + 1)])


CASES = {
    "sigmoid": (jax.grad(jax.nn.sigmoid), np.float64(40), 0.0),
    "tanh": (jax.grad(jnp.tanh), np.float32(9), 0.0),
    "tanh squared": (jax.grad(lambda x: jnp.tanh(x) ** 2), np.float32(10), 0.0),
    "relu": (jax.grad(jax.nn.relu), np.float32(0.5), 1.0),
}


@pytest.mark.parametrize("name", CASES)
def test_lossy_values_are_explained_and_faulty_ones_are_not(name):
    function, at, value = CASES[name]
    with jax.enable_x64(at.dtype == np.float64):
        assert float(function(at)) == value
        (found,) = rounded_run(jax.make_jaxpr(function)(at), [at], strict=True)
    assert explained(value, found[()])
    assert not explained(value + 1e-3, found[()])


def test_logsumexp_gradients_are_explained_and_faulty_ones_are_not():
    at = np.array([1000.0, 1001.0, -5.0])
    with jax.enable_x64(True):
        gradient = jax.grad(jax.scipy.special.logsumexp)
        found = rounded_run(jax.make_jaxpr(gradient)(at), [at], strict=True)[0]
        values = np.asarray(gradient(at))
    assert all(map(explained, values.tolist(), found))
    assert not any(map(explained, (values * 1.001 + 1e-12).tolist(), found))


def test_an_overflow_in_float16_is_explained():
    prices = np.array([1408, 1500, 1300, 1450, 1390, 1600, 1700, 1200, 1250, 1333], np.float16)
    assert not unexplained(lambda v: jnp.mean(v * v) - jnp.mean(v) ** 2, [prices])
    assert not unexplained(jax.grad(jnp.var), [prices])


def test_a_product_of_two_hundred_terms_is_explained_and_a_broken_one_is_not():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 200)).astype(np.float32), rng.normal(size=(200, 2)).astype(np.float32)
    assert not unexplained(lambda a, b: a @ b, [a, b])
    (found,) = rounded_run(jax.make_jaxpr(lambda a, b: a @ b)(a, b), [a, b])
    assert not explained(float(a[0] @ b[:, 0]) + 1e-2, found[0, 0])


def test_an_undecided_branch_takes_both():
    """x * x - x * x is rounding noise under fusion: both branches are possible, nothing else is."""
    x = np.float64(0.1)
    with jax.enable_x64(True):
        jaxpr = jax.make_jaxpr(lambda x: jnp.where(jnp.sin(x) ** 2 + jnp.cos(x) ** 2 <= 1, 2.0, 3.0))(x)
    (found,) = rounded_run(jaxpr, [x], strict=True)
    assert explained(2.0, found[()])
    assert explained(3.0, found[()])
    assert not explained(4.0, found[()])


ZEROS = {
    "of either sign": lambda x, y: jnp.arctan2(x - x, (x - x) * y),
    "that is a subnormal read as one": lambda x, y: jnp.arctan2(y * 1e-40, y * 1e-40),
}


@pytest.mark.parametrize("name", ZEROS)
def test_the_angle_of_a_zero_is_explained(name):
    assert not unexplained(ZEROS[name], [np.full(4, 3.0, np.float32), np.array([-2.0, 2.0, -0.5, 0.0], np.float32)])


def test_without_flushing_the_law_breaks():
    def function(x):
        return x / 2 * 2

    smallest = np.float32(FORMATS["float32"].smallest_normal)
    assert not unexplained(function, [smallest])
    if float(function(jnp.asarray(smallest))) == 0.0:
        assert unexplained(function, [smallest], replace(CPU, flushes=frozenset()))


def test_what_has_no_row_is_unknown_with_its_reason():
    matrix = np.eye(2, dtype=np.float32)
    (found,) = rounded_run(jax.make_jaxpr(jnp.linalg.cholesky)(matrix), [matrix])
    assert isinstance(found[0, 0], Unknown)
    assert "cholesky" in found[0, 0].reason
    assert explained(1e9, found[0, 0])


def test_a_narrower_format_rounds():
    x = np.float32(1 + 2.0**-20)
    jaxpr = jax.make_jaxpr(lambda x: lax.reduce_precision(x, exponent_bits=8, mantissa_bits=7))(x)
    (found,) = rounded_run(jaxpr, [x])
    assert explained(1.0, found[()])
    assert not explained(1.01, found[()])
