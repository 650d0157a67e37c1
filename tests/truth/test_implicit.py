"""Functions that an equation defines, in balls and germs."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from verifier.arithmetic.elements import Unknown
from verifier.errors import FormulaError
from verifier.model.verdict import Enclosure
from verifier.truth.implicit import Implicit
from verifier.truth.lines import Lines
from verifier.truth.primal import PrimalTruth


def truth(implicit, *x) -> PrimalTruth:
    place = tuple(np.asarray(each, dtype=np.float64) for each in x)
    lines = Lines(lambda arguments, system: implicit.along(place, arguments, system), place)
    return PrimalTruth(lines, [implicit.root(place)], tuple(range(len(x))))


def numbers(rows) -> list[float]:
    (row,) = rows
    assert all(isinstance(each, Enclosure) for each in row.components)
    assert all(each.upper - each.lower < Fraction(1, 2**80) for each in row.components)
    return [float(each.middle) for each in row.components]


def test_a_square_root():
    root = Implicit("y**2 - x = 0", (("x", ()),), "y", 1.4)
    at = truth(root, 2.0)
    assert numbers(at.gradients()) == [pytest.approx(0.5 / 2**0.5, rel=1e-15)]
    assert numbers(at.derivatives(2)) == [pytest.approx(-0.25 / 2**1.5, rel=1e-15)]
    assert numbers(at.derivatives(3)) == [pytest.approx(0.375 / 2**2.5, rel=1e-15)]


def test_keplers_equation():
    anomaly = Implicit("E - e_*sin(E) = M", (("e_", ()), ("M", ())), "E", 1.4)
    (e, m), angle = (0.3, 1.1), 1.3953970847409378
    slope = 1 / (1 - e * np.cos(angle))
    assert numbers(truth(anomaly, e, m).gradients()) == pytest.approx([np.sin(angle) * slope, slope], rel=1e-15)


@pytest.mark.parametrize(("equation", "x"), [("y**2 + 1 = x", 0.0), ("y**2 = x", 0.0)])
def test_no_root_or_a_double_one_is_unknown(equation, x):
    found = Implicit(equation, (("x", ()),), "y", 0.3).root((np.asarray(x),))
    assert isinstance(found, Unknown)


@pytest.mark.parametrize("equation", ["y**2 - x", "y = x = 1", "y = foo(x)"])
def test_what_is_no_equation_is_refused(equation):
    with pytest.raises(FormulaError):
        Implicit(equation, (("x", ()),), "y", 1.0).check()
