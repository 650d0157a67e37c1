"""Shapes: the mathematics, the graph and JAX agree on every one, and misfits are refused where they stand."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from verifier.errors import FormulaError
from verifier.symbolic.formula import parse
from verifier.symbolic.lowering import lower
from verifier.symbolic.scope import Scope, name_fault, shape_of

SHAPES = {"x": (), "v": (3,), "w": (3,), "m": (2, 3), "c": (2, 1), "params.a": (3, 4)}
SCOPE = Scope.of(SHAPES, frozenset({"x", "v", "m"}))

GOOD = {
    "x + v*m - c": (2, 3),
    "m @ v": (2,),
    "v @ w": (),
    "m @ params.a": (2, 4),
    "dot(m, v)": (2,),
    "outer(v, w)": (3, 3),
    "transpose(m)": (3, 2),
    "reshape(m, 3, 2)": (3, 2),
    "sum(m)": (),
    "mean(m, axis=0)": (3,),
    "var(m, axis=-1)": (2,),
    "max(m, axis=1)": (2,),
    "max(m)": (),
    "max(v, m)": (2, 3),
    "prod(v)": (),
    "norm(m)": (),
    "norm(v)": (),
    "logsumexp(m, axis=1)": (2,),
    "softmax(m)": (2, 3),
    "softmax(m, axis=0)": (2, 3),
    "argmax(v)": (),
    "argmin(m, axis=0)": (3,),
    "count(v > 0)": (),
    "all(m > c)": (),
    "any(v > 0 and w < 1)": (),
    "where(v > 0, x, m)": (2, 3),
    "m[0]": (3,),
    "m[-1, 1:]": (2,),
    "m[:, ::-2]": (2, 2),
    "[x, 1, pi]": (3,),
    "[v, w]": (2, 3),
    "[1, 2]": (2,),
    "range(5)": (5,),
    "size(m)": (),
    "D(m @ v, v)": (2, 3),
    "D(sum(m*v), m, v)": (2, 3, 3),
    "D(x**3, x, n=2)": (),
}


@pytest.mark.parametrize(("text", "shape"), GOOD.items())
def test_shapes_agree_everywhere(define, text, shape):
    formula = parse(text)
    definitions = define(
        "x", {name: SHAPES[name] for name in SCOPE.inputs}, data={"w": (3,), "c": (2, 1), "params.a": (3, 4)}
    )
    arrays = {name: np.ones(each) for name, each in SHAPES.items()}
    leaves, data = ({n: a for n, a in arrays.items() if (n in SCOPE.inputs) is kind} for kind in (True, False))
    assert shape_of(formula, SCOPE) == shape
    assert definitions.node(formula).shape == shape
    assert jax.eval_shape(lower(definitions, formula), leaves, data).shape == shape


BAD = {
    "y": 0,
    "x + vv": 4,
    "v + m[:, 0]": 0,
    "1 + m @ [1, 2]": 4,
    "x @ v": 0,
    "outer(m, v)": 0,
    "reshape(m, 5)": 0,
    "sum(m, axis=2)": 0,
    "m[2]": 0,
    "m[0, 0, 0]": 0,
    "v[3:]": 0,
    "[x, v]": 0,
    "(x < 1) + 1": 1,
    "x and 1 < 2": 0,
    "where(x, 1, 2)": 6,
    "sum(v > 0)": 4,
    "all(v)": 4,
    "D(x, w)": 0,
    "D(x > 0, x)": 0,
    "softmax(x)": 0,
    "norm(x)": 0,
    "range(0)": 0,
    "range(100000000)": 0,
    "outer(range(4000), range(4000))": 0,
}


@pytest.mark.parametrize(("text", "column"), BAD.items())
def test_misfits_are_refused_where_they_stand(text, column):
    with pytest.raises(FormulaError) as caught:
        shape_of(parse(text), SCOPE)
    assert caught.value.column == column


def test_the_nearest_name_is_suggested():
    with pytest.raises(FormulaError, match=r"did you mean `params\.a`"):
        shape_of(parse("params.b"), SCOPE)


@pytest.mark.parametrize("name", ["sin", "pi", "e", "lambda", "2x", "a.b c", "value", "D", "_x", "a..b", "", "a.class"])
def test_names_that_a_catalog_may_not_use(name):
    assert name_fault(name)


@pytest.mark.parametrize("name", ["x", "params.w1", "y_data", "L", "n", "on", "no"])
def test_names_that_a_catalog_may_use(name):
    assert name_fault(name) is None
