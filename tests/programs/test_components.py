"""The order and the names of components, and what contraction makes of them."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from verifier.programs.components import (
    Contraction,
    Directions,
    Leaf,
    Signature,
    component_count,
    component_names,
    contract,
    directions,
)

SCALAR = Signature((), (Leaf("x"),))
PAIR = Signature((), (Leaf("x"), Leaf("y")))
VECTOR = Signature((), (Leaf("v", (2,)),))
PINNED = (-1, 1, 1, -1, -1, -1, 1, -1)

NESTED = Signature((2,), (Leaf("params.w", (1, 2)), Leaf("params.b"), Leaf("t")))


@pytest.mark.parametrize(
    ("signature", "order", "names"),
    [
        (SCALAR, 0, ("value",)),
        (SCALAR, 1, ("d/dx",)),
        (SCALAR, 2, ("d2/dx2",)),
        (SCALAR, 3, ("d3/dx3",)),
        (PAIR, 2, ("d2/dx2", "d2/dxdy", "d2/dydx", "d2/dy2")),
        (VECTOR, 1, ("d/dv[0]", "d/dv[1]")),
        (VECTOR, 2, ("d2/dv[0]dv[0]", "d2/dv[0]dv[1]", "d2/dv[1]dv[0]", "d2/dv[1]dv[1]")),
        (Signature((2,), (Leaf("x"),)), 0, ("value[0]", "value[1]")),
        (Signature((2,), (Leaf("x"),)), 1, ("value[0] d/dx", "value[1] d/dx")),
        (Signature((1, 2), (Leaf("x"),)), 0, ("value[0,0]", "value[0,1]")),
    ],
)
def test_names_follow_the_order_of_components(signature, order, names):
    assert component_names(signature, order) == names


def test_nested_leaves_keep_the_order_of_the_catalog():
    names = component_names(NESTED, 1)
    assert names[:4] == (
        "value[0] d/dparams.w[0,0]",
        "value[0] d/dparams.w[0,1]",
        "value[0] d/dparams.b",
        "value[0] d/dt",
    )
    assert NESTED.arguments == ("params", "t")


def test_names_need_no_jax():
    code = "import sys, verifier.programs.components; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("leaves", [("x", "x2"), ("x", "dx"), ("a", "b", "ab"), ("xd", "x", "dx", "d")])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_names_differ_even_where_inputs_look_like_powers_or_products(leaves, order):
    signature = Signature((), tuple(Leaf(name) for name in leaves))
    names = component_names(signature, order)
    assert len(set(names)) == len(names) == component_count(signature, order)


@pytest.mark.parametrize("contraction", list(Contraction))
@pytest.mark.parametrize("signature", [SCALAR, PAIR, VECTOR, NESTED])
def test_every_component_has_one_name(signature, contraction):
    names = component_names(signature, 1, contraction)
    assert len(set(names)) == len(names) == component_count(signature, 1, contraction)


def test_contractions_that_change_nothing_keep_the_names():
    assert component_names(SCALAR, 2, Contraction.TANGENT) == ("d2/dx2",)
    assert component_names(VECTOR, 1, Contraction.COTANGENT) == ("d/dv[0]", "d/dv[1]")
    assert component_names(VECTOR, 1, Contraction.TANGENT) == ("d along signs",)
    assert component_names(NESTED, 1, Contraction.COTANGENT)[2] == "signed value d/dparams.b"


def test_contract_is_exact_linear_algebra():
    signature = Signature((2,), (Leaf("v", (3,)),))
    tensor = np.array([[[Fraction(i * 9 + j * 3 + k, 7) for k in range(3)] for j in range(3)] for i in range(2)])
    along = Directions(tangent=(1, -1, -1), cotangent=(-1, 1))
    twice = contract(tensor.reshape(-1), signature, 2, Contraction.TANGENT, along)
    v = np.array(along.tangent, dtype=object)
    assert list(twice) == list(tensor @ v @ v)
    once = contract(tensor[:, 0].reshape(-1), signature, 1, Contraction.COTANGENT, along)
    assert list(once) == list(np.array(along.cotangent, dtype=object) @ tensor[:, 0])


def test_signs_depend_on_seed_and_entry_and_on_nothing_else():
    long = Signature((40,), (Leaf("v", (64,)),))
    first = directions(long, seed=0, entry="a")
    assert first == directions(long, seed=0, entry="a")
    assert {first, directions(long, seed=1, entry="a"), directions(long, seed=0, entry="b")} != {first}
    assert set(first.tangent) == set(first.cotangent) == {1, -1}
    # Pinned: another choice would change every run file.
    assert directions(Signature((), (Leaf("v", (8,)),)), seed=0, entry="a").tangent == PINNED
    assert directions(SCALAR, seed=5, entry="z") == Directions((1,), (1,))
