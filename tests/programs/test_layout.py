"""Between leaves in catalog order and pytrees."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from verifier.programs.components import Leaf, Signature
from verifier.programs.layout import Layout

# Not alphabetical: JAX sorts the keys of dicts, the catalog does not.
SIGNATURE = Signature((), (Leaf("p.w", (2,)), Leaf("x"), Leaf("p.deep.b"), Leaf("p.a")))
LAYOUT = Layout(SIGNATURE)


def test_leaves_undoes_arguments():
    arguments = LAYOUT.arguments([10, 20, 30, 40])
    assert arguments == ({"w": 10, "deep": {"b": 30}, "a": 40}, 20)
    assert LAYOUT.leaves(arguments) == [10, 20, 30, 40]


def test_argnums_are_what_a_user_would_write():
    assert LAYOUT.argnums == (0, 1)
    assert Layout(Signature((), (Leaf("p.a"), Leaf("p.b")))).argnums == 0


def test_tensor_is_in_catalog_order_on_every_axis():
    def f(p, x):
        return p["w"][0] ** 2 * p["a"] + p["w"][1] * x * p["deep"]["b"]

    leaves = [jnp.array([2.0, 3.0]), jnp.float32(5.0), jnp.float32(7.0), jnp.float32(11.0)]
    tree = jax.jit(jax.hessian(f, argnums=LAYOUT.argnums))(*LAYOUT.arguments(leaves))
    hessian = np.asarray(LAYOUT.tensor(tree, 2)).reshape(5, 5)
    w0, w1, x, b, a = range(5)
    expected = np.zeros((5, 5))
    for i, j, value in [(w0, w0, 22.0), (w0, a, 4.0), (w1, x, 7.0), (w1, b, 5.0), (x, b, 3.0)]:
        expected[i, j] = expected[j, i] = value
    np.testing.assert_array_equal(hessian, expected)


def test_assembly_adds_no_arithmetic():
    leaves = [jnp.array([2.0, 3.0]), jnp.float32(5.0), jnp.float32(7.0), jnp.float32(11.0)]
    arguments = LAYOUT.arguments(leaves)
    tree = LAYOUT.arguments([LAYOUT.arguments(leaves)] * 4)
    blocks = jax.tree.map(lambda leaf: leaf, tree)
    used = {each.primitive.name for each in jax.make_jaxpr(LAYOUT.flat)(arguments).eqns}
    assert used <= {"reshape", "concatenate", "broadcast_in_dim"}
    assert len(jax.tree.leaves(blocks)) == 16
