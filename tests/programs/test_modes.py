"""Every transform of the table computes the derivative that its row says, in the order of `components`."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from verifier.programs import components, modes
from verifier.programs.components import Contraction, Leaf, Signature
from verifier.programs.layout import Layout

# f_i(v, x) = c_i * v0^2 * v1 * x + ..., whose derivatives of every order are small integers: exact in float32.
SIGNATURE = Signature((2,), (Leaf("v", (2,)), Leaf("x")))
SCALAR_VALUE = Signature((), (Leaf("v", (2,)), Leaf("x")))
POINT = (jnp.array([2.0, 3.0]), jnp.float32(5.0))


def pair(v, x, data):
    return jnp.stack([data["c"] * v[0] ** 2 * v[1] * x, v[0] * v[1] + x**3])


def single(v, x, data):
    return pair(v, x, data)[0] + pair(v, x, data)[1]


V0, V1, X = 2.0, 3.0, 5.0
JACOBIAN = np.array([[4 * V0 * V1 * X, 2 * V0**2 * X, 2 * V0**2 * V1], [V1, V0, 3 * X**2]])
HESSIAN = np.array(
    [
        [[4 * V1 * X, 4 * V0 * X, 4 * V0 * V1], [4 * V0 * X, 0, 2 * V0**2], [4 * V0 * V1, 2 * V0**2, 0]],
        [[0, 1, 0], [1, 0, 0], [0, 0, 6 * X]],
    ]
)
THIRD = np.zeros((2, 3, 3, 3))
for i, j, k, value in [(0, 0, 1, 4 * X), (0, 0, 2, 4 * V1), (0, 1, 2, 4 * V0)]:
    for place in {(i, j, k), (i, k, j), (j, i, k), (j, k, i), (k, i, j), (k, j, i)}:
        THIRD[(0, *place)] = value
THIRD[1, 2, 2, 2] = 6.0
TRUTH = {1: JACOBIAN, 2: HESSIAN, 3: THIRD}


def computed(row, order, f, signature, *, remat=False, signs=None):
    signs = signs or components.directions(signature, seed=3, entry="modes")
    arrays = {name: jnp.array(getattr(signs, name), jnp.float32) for name in ("tangent", "cotangent")}
    run = modes.build(row, order, f, signature, remat=remat)
    return np.asarray(jax.jit(run)(POINT, {"c": jnp.float32(2.0)}, arrays))


ROWS = [
    (row, order, remat)
    for row in modes.TRANSFORMS
    for order in (1, 2, 3)
    for remat in (False, True)
    if row.covers(order) and row.requires(SCALAR_VALUE) is None and (not remat or "remat" in row.compilations)
]


@pytest.mark.parametrize(
    ("row", "order", "remat"), ROWS, ids=[f"{row.named(order)}-{order}-{remat}" for row, order, remat in ROWS]
)
def test_row(row, order, remat):
    f, signature, truth = pair, SIGNATURE, TRUTH[order]
    if row.requires(signature):
        f, signature, truth = single, SCALAR_VALUE, truth.sum(axis=0)
    signs = components.directions(signature, seed=3, entry="modes")
    expected = components.contract(truth.reshape(-1), signature, order, row.contraction, signs)
    # jet scales by exp(lgamma(k + 1)) where a factorial is meant, so that even integers come out a few ulps off.
    tolerance = 1e-5 if row.name == "jet" else 0.0
    np.testing.assert_allclose(computed(row, order, f, signature, remat=remat), expected, rtol=tolerance)


@pytest.mark.parametrize("order", [2, 3, 5])
def test_nested_grad_of_a_scalar(order):
    signature = Signature((), (Leaf("x"),))
    row = modes.row_of(f"grad{order}", order)
    assert row is not None
    run = modes.build(row, order, lambda x, data: x**5, signature)
    falling = np.prod([5 - k for k in range(order)])
    assert run((jnp.float32(2.0),), {}, {}).tolist() == [falling * 2.0 ** (5 - order)]


def test_a_transposed_assembly_is_caught(monkeypatch):
    def transposed(self, tree, order):
        block = jnp.concatenate([jnp.reshape(leaf, (2, -1)) for leaf in jax.tree.leaves(tree)], axis=1)
        return jnp.reshape(block.T, -1)

    row = modes.row_of("jacrev", 1)
    assert row is not None
    monkeypatch.setattr(Layout, "tensor", transposed)
    assert not np.array_equal(computed(row, 1, pair, SIGNATURE), JACOBIAN.reshape(-1))


def test_contracted_rows_use_the_signs():
    row = modes.row_of("jvp", 1)
    assert row is not None
    assert row.contraction is Contraction.TANGENT
    one, other = (components.Directions((1, 1, sign), (1, 1)) for sign in (1, -1))
    along = [computed(row, 1, pair, SIGNATURE, signs=each) for each in (one, other)]
    np.testing.assert_array_equal(along[0] - along[1], 2 * JACOBIAN[:, 2])


def test_names_are_unique_at_each_order():
    for order in range(9):
        names = [row.named(order) for row in modes.TRANSFORMS if row.covers(order)]
        assert len(set(names)) == len(names)
        assert all(modes.row_of(name, order) is not None for name in names)
    assert modes.row_of(modes.SYMBOLIC, 1) is None
