"""The block "reproduce with JAX alone": it runs as printed, and prints the number that the finding is about."""

from __future__ import annotations

import functools
import io
import math
import re
import textwrap
from contextlib import redirect_stdout

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.nn import sigmoid

import verifier

SCALE = 3.0
MATRIX = np.array([[1.0, 2.0], [0.5, -1.0]], dtype=np.float32)
HUGE = np.ones(100)


@jax.custom_jvp
def flipped(x):
    return SCALE * jnp.sin(x)


flipped.defjvp(lambda primals, tangents: (flipped(*primals), -SCALE * jnp.cos(primals[0]) * tangents[0]))


@jax.custom_vjp
def tripled(x):
    return x**2


def tripled_forward(x):
    return tripled(x), x


def tripled_backward(kept, cotangent):
    return (3 * kept * cotangent,)


tripled.defvjp(tripled_forward, tripled_backward)


@jax.custom_jvp
def named(x):
    return x**3


@named.defjvp
def _named_jvp(primals, tangents):
    return named(primals[0]), primals[0] * tangents[0]


def plain(x):
    return jnp.sum(MATRIX @ jnp.stack([flipped(x), sigmoid(x)])) + math.pi


def through_a_helper(x):
    return 2 * tripled(x)


def f(x):
    return named(x)


def calls_f(x):
    return f(x) + 1


@functools.partial(jax.jit, static_argnums=1)
def compiled(x, power):
    return named(x) ** power


def product(a, x):
    return sigmoid(a * x)


def model(params, x, power):
    return {"loss": sigmoid(params["w"][0] * x + params["b"][0]) ** power, "power": power}


def drawn(key, x):
    return jax.random.normal(key) * flipped(x)


def again(x):
    return 1.5 * flipped(x)


FIRST = again


def again(x):
    return flipped(x)


def local():
    factor = 1.5

    @jax.custom_jvp
    def halved(x):
        return factor * x**2

    def rule(primals, tangents):
        return halved(*primals), factor * primals[0] * tangents[0]

    halved.defjvp(rule)
    return lambda x: halved(x) + SCALE


@pytest.fixture(autouse=True)
def _width():
    """What a reproduction sets is set back."""
    before = jax.config.jax_enable_x64
    yield
    jax.config.update("jax_enable_x64", before)


def printed(code):
    """All numbers that the lines print, run by themselves."""
    out = io.StringIO()
    with redirect_stdout(out):
        exec(code, {"__name__": "reproduction"})
    return [float(each) for each in re.sub(r"Array\(|dtype=\w+|[][(),]", " ", out.getvalue()).split()]


def shows(result):
    """Whether the lines print the number of the worst finding."""
    worst = result.findings[0]
    said = f"{worst.component}: "
    assert said in result.reproduction
    assert result.reproduction.splitlines()[-1].startswith("print(")
    return any(
        math.isclose(each, worst.value, rel_tol=1e-6) or each != each != worst.value != worst.value
        for each in printed(result.reproduction)
    )


PARAMS = {"w": np.array([40.0, 1.0]), "b": (np.float64(2.0),)}
CASES = {
    "a global custom_jvp, data and an import": (plain, (0.3,), {"programs": "grad/eager"}),
    "a global custom_vjp": (through_a_helper, (np.float64(0.3),), {}),
    "the custom rule itself": (tripled, (0.3,), {}),
    "a rule by decorator, order 2": (f, (np.float64(0.3),), {"orders": (2,), "programs": "hessian/eager"}),
    "a helper that is called f": (calls_f, (np.float64(0.3),), {"programs": "grad/eager"}),
    "jit with a static argument": (compiled, (0.3, 2), {"programs": "grad/remat"}),
    "jit of a function": (jax.jit(f), (0.3,), {"programs": "grad/eager"}),
    "closures": (local(), (0.3,), {"programs": "grad/eager"}),
    "a function whose name is another's now": (FIRST, (0.3,), {"programs": "grad/eager"}),
    "a lambda": (lambda x: flipped(x) + 1, (0.3,), {"programs": "grad/eager"}),
    "argnums=(0, 1)": (product, (np.float64(2.0), np.float64(40.0)), {"argnums": (0, 1), "programs": "grad/eager"}),
    "argnums=1": (product, (np.float64(1.0), np.float64(40.0)), {"argnums": 1, "programs": "grad/eager"}),
    "argnums=1 and vmap": (product, (np.float64(1.0), np.float64(40.0)), {"argnums": 1, "programs": "grad/vmap"}),
    "a pytree": (model, (PARAMS, 1.0, 2), {"programs": "grad/eager"}),
    "a pytree in float32": (
        model,
        (PARAMS, 1.0, 2),
        {"programs": "jacrev/eager", "dtypes": "float32", "argnums": (1, 0)},
    ),
    "a key": (drawn, (jax.random.key(3), 0.3), {"argnums": 1, "programs": "grad/eager"}),
    "a function of JAX": (jax.nn.sigmoid, (np.float64(40.0),), {"programs": "grad/eager"}),
    "jet": (lambda x: jnp.sqrt(x * x), (0.0,), {"programs": "jet/eager"}),
    "a sampled point": (
        plain,
        (0.3,),
        {"programs": "grad/eager", "domain": (1, 2), "points": 1, "dtypes": "bfloat16"},
    ),
}


LONG = (
    "a global custom_vjp",
    "the custom rule itself",
    "jit of a function",
    "a lambda",
    "argnums=1 and vmap",
    "a pytree in float32",
    "a function of JAX",
    "a sampled point",
)


@pytest.mark.parametrize("name", [pytest.param(each, marks=[pytest.mark.slow] * (each in LONG)) for each in CASES])
def test_the_block_runs_as_printed_and_prints_the_number(name):
    fn, arguments, options = CASES[name]
    result = verifier.check(fn, *arguments, **options)
    assert "yours" not in result.reproduction
    assert shows(result), result.reproduction
    assert textwrap.indent(result.reproduction, "    ") in str(result)


def test_another_number_would_be_noticed():
    result = verifier.check(product, np.float64(1.0), np.float64(40.0), argnums=1, programs="grad/eager")
    swapped = result.reproduction.replace("product(a, x)", "product(x, a)").replace("40.0", "3.0")
    assert not any(math.isclose(each, result.findings[0].value, rel_tol=1e-6) for each in printed(swapped))


class Layer:
    """An object that no line can make."""

    def __call__(self, x):
        return flipped(x)


LAYER = Layer()


@pytest.mark.parametrize(
    ("fn", "arguments", "options", "said"),
    [
        (Layer(), (0.3,), {}, "f = ...  # Layer is yours"),
        (lambda x: LAYER.again * flipped(x), (0.3,), {}, "LAYER = Layer()"),
        (lambda v, x: jnp.sum(v) * flipped(x), (HUGE, 0.3), {"argnums": 1}, "# the argument 0 of f is yours"),
        (lambda x: HUGE[0] * flipped(x), (0.3,), {}, "HUGE = np.ones(100)"),
        (lambda v: jnp.sum(flipped(v)), (HUGE,), {}, "v = ...  # float64 of shape (100,), is yours"),
        (functools.partial(lambda y, x: flipped(x), 1), (0.3,), {}, "is yours"),
    ],
)
def test_what_cannot_be_written_out_is_said_to_be_the_readers_own(fn, arguments, options, said):
    LAYER.again = 1.0
    result = verifier.check(fn, *arguments, programs="grad/eager", **options)
    assert result.findings
    assert said in result.reproduction
