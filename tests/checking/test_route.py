"""One point of a function: what all orders and directions share there."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from verifier.checking.route import Route
from verifier.checking.tracing import Tracing
from verifier.execution.dtypes import x64_for
from verifier.model.rule import RowTruth
from verifier.programs.trace import subject
from verifier.truth.lines import Lines


def route_of(f, x) -> Route:
    with x64_for("float64"):
        place = np.asarray(x, dtype=np.float64)
        return Route(Tracing(subject(f, (place,), 0, "float64"), "float64"), (place,))


def test_all_orders_read_the_same_germs(monkeypatch):
    """The Hessian needs the gradient's lines again, and a contracted program those of both: each is run once."""
    runs: list[tuple] = []
    evaluated = Lines._results

    def counted(self, curve, system, infinite=-1):
        runs.append((curve, system))
        return evaluated(self, curve, system, infinite)

    monkeypatch.setattr(Lines, "_results", counted)
    route = route_of(kinked, [0.0, 2.0])
    truths = [route.truths(order, ()) for order in (1, 2)]
    assert runs
    assert len(runs) == len(set(runs))
    count = len(runs)
    assert isinstance(route.germs(2).hessians()[0], RowTruth)
    assert len(runs) == count
    alone = [route_of(kinked, [0.0, 2.0]).truths(order, ()) for order in (1, 2)]
    assert truths == alone


def test_germs_are_asked_only_where_the_function_may_not_be_smooth(monkeypatch):
    monkeypatch.setattr(Lines, "_results", None)
    smooth = route_of(kinked, [0.5, 2.0])
    assert [len(smooth.truths(order, ())[0].components) for order in (1, 2)] == [2, 4]
    with pytest.raises(TypeError):
        route_of(kinked, [0.0, 2.0]).truths(1, ())


def kinked(v):
    return jnp.abs(v[0]) * v[1]


def test_what_stop_gradient_freezes_is_read_apart_from_the_plain_function():
    route = route_of(lambda x: x * x, 0.5)
    assert route.germs(1).lines is route.germs(2).lines
    assert route.germs(1).lines is not route.germs(1, freezing=False).lines
