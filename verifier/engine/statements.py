"""Statements at a point, part by part: where both sides of a comparison are one number no ball tells `<=` from `<`, and
SymPy may prove that they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from verifier.arithmetic.arrays import object_array
from verifier.arithmetic.vocabulary import RELATIONS
from verifier.engine.equations import Equation, every, some
from verifier.model.catalog import At
from verifier.symbolic.formula import Apply, Formula, Stack
from verifier.symbolic.proof import prove_equal
from verifier.truth.workspace import Workspace, stacked

__all__ = ["truths"]

_OF_ONE_NUMBER = {"eq": True, "le": True, "ge": True, "ne": False, "lt": False, "gt": False}
_LOGIC: Mapping[str, Callable[..., bool | None]] = {
    "and": lambda *each: every(each),
    "or": lambda *each: some(each),
    "not": lambda each: None if each is None else not each,
}
_FOLDS = {"all": every, "any": some}


def truths(formula: Formula, at: At, workspace: Workspace, bits: int) -> np.ndarray:
    """The truth values of a statement, None where neither balls of this precision nor SymPy decide one."""
    inside = partial(truths, at=at, workspace=workspace, bits=bits)
    match formula:
        case Apply(function=name, arguments=parts) if name in _LOGIC:
            operands = np.broadcast_arrays(*map(inside, parts))
            flat = zip(*(each.flat for each in operands), strict=True)
            return object_array([_LOGIC[name](*each) for each in flat], operands[0].shape)
        case Apply(function=name, arguments=(part,), options=()) if name in _FOLDS:
            return object_array([_FOLDS[name](inside(part).flat)], ())
        case Apply(function=name) if name in RELATIONS:
            return _compared(formula, at, workspace, bits)
        case Stack(items=parts):
            return stacked(list(map(inside, parts)))
    return workspace.certified(bits).evaluate(formula, at)


def _compared(formula: Apply, at: At, workspace: Workspace, bits: int) -> np.ndarray:
    equation = Equation.of(formula, at, workspace)
    found = workspace.certified(bits).evaluate(formula, at)
    expressions = equation.expressions() if None in list(found.flat) else None
    if expressions is None:
        return found
    numbers = equation.values(bits).finite()
    each = zip(found.flat, numbers, expressions, strict=True)
    same = _OF_ONE_NUMBER[formula.function]
    decided = [same if truth is None and known and prove_equal(*pair) else truth for truth, known, pair in each]
    return object_array(decided, found.shape)
