"""Which of JAX's refusals are stated limits of a mode: told by what the installed JAX raises."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from verifier.programs.refusals import is_documented


@jax.custom_vjp
def reversible(x):
    return x


reversible.defvjp(lambda x: (x, None), lambda _, g: (g,))


def loop(x):
    return jax.lax.while_loop(lambda s: s < 3, lambda s: s * 2, x)


def callback(x):
    return jax.pure_callback(np.sin, jax.ShapeDtypeStruct((), np.float32), x)


@pytest.mark.parametrize(
    ("program", "documented"),
    [
        (jax.jacfwd(reversible), True),
        (jax.jit(jax.jacfwd(reversible)), True),
        (jax.grad(loop), True),
        (jax.jit(jax.grad(loop)), True),
        (jax.grad(callback), False),
        (jax.jacfwd(callback), False),
        (jax.grad(lambda x: jnp.stack([x, x])), False),
    ],
)
def test_what_jax_raises(program, documented):
    with pytest.raises(Exception) as raised:  # noqa: PT011 - each refusal has a type of its own
        program(0.7)
    assert is_documented(raised.value) is documented
