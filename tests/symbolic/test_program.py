"""Straight-line programs of kernels: what no number system has is refused by name."""

from __future__ import annotations

import pytest
import sympy

from verifier.errors import FormulaError
from verifier.symbolic.kernels import slot
from verifier.symbolic.program import program


@pytest.mark.parametrize("constant", [sympy.zoo, sympy.oo, -sympy.oo, sympy.nan])
def test_a_constant_without_a_value_is_refused(constant):
    with pytest.raises(FormulaError, match="has no value, as 1/0 has none"):
        program(sympy.Mul(slot(0), constant, evaluate=False), 1)


def test_a_function_of_sympy_alone_is_refused_by_its_name():
    with pytest.raises(FormulaError, match="`DiracDelta`"):
        program(sympy.DiracDelta(slot(0)), 1)
