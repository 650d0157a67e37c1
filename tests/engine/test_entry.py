"""An entry that cannot be verified where it asks to be says so; none passes because nothing was looked at."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from verifier.runs.reader import Run

Verified = Callable[..., Run]

WIDE = "inputs: {v: {shape: [17], domain: [0, 1]}}\nvalue: sum(v)\norders: [1]"


def reason(run: Run) -> str:
    (entry,) = run.entries
    assert entry.status == "FAILED"
    assert run.end.exit_status == 4
    return entry.reason


def test_an_entry_that_no_dtype_has_a_point_of_is_failed(verified: Verified) -> None:
    body = "inputs: {x: {domain: [1e5, 1e6]}, y: {domain: [0, 1]}}\nvalue: x*y\norders: [1]"
    assert "no float16 is in the domain of x; widen" in reason(verified(body, dtypes=("float16",)))


def test_a_declared_point_may_stand_for_a_domain_without_floats(verified: Verified) -> None:
    """It is rounded; where that leaves no finite number, nothing is verified."""
    body = "inputs: {{x: {{domain: [{0}, {0}]}}}}\nvalue: x\norders: [1]\npoints: [{{x: {0}}}]"
    assert verified(body.format("1/3")).end.exit_status == 0
    assert "no float64 is in the domain of x" in reason(verified(body.format("1e400")))


def test_an_entry_without_points_and_samples_is_failed(verified: Verified) -> None:
    assert "there is no point to verify at; declare one" in reason(verified(WIDE))
    assert verified(WIDE, samples=1).end.exit_status == 0


def test_a_dtype_without_points_beside_one_that_has_them_is_left_out_and_said(verified: Verified) -> None:
    body = "inputs: {x: {domain: [1e5, 1e6]}}\nvalue: x\norders: [1]"
    run = verified(body, dtypes=("float32", "float16"))
    assert {each.dtype for each in run.verdicts} == {"float32"}
    said = [each.why for each in run.coverage.skipped if each.what == "every program in float16"]
    assert said == ["no number of this dtype is there"]


@pytest.mark.parametrize(("x", "why"), [("50", "about 50.0, is outside the domain [0, 1]"), ("0.5", None)])
def test_a_point_that_a_listing_puts_outside_the_domain_is_told(verified: Verified, x: str, why: str | None) -> None:
    listing = f'listings: [{{id: code, section: s, code: "far = {x}"}}]\n'
    body = """
        inputs: {x: {domain: [0, 1]}}
        data: {far: {listing: code, variable: far, shape: []}}
        value: x
        orders: [1]
        points: [{x: far}]
    """
    run = verified(body, listings=listing)
    if why is None:
        assert run.end.exit_status == 0
    else:
        assert why in reason(run)


def test_a_number_that_no_dtype_holds_is_infinite_in_the_program_alone(verified: Verified) -> None:
    body = "inputs: {x: {domain: [-1, 1]}}\nvalue: 1e400*x\norders: [1]\npoints: [{x: 0}, {x: 1}]"
    run = verified(body, programs=("value/jit", "grad/jit"))
    counts = {each.program: each.counts for each in run.verdicts}
    assert run.entries[0].status == "OK"
    assert counts["value/jit"]["NONFINITE"] >= 1  # inf*0, where the truth is 0
    assert counts["grad/jit"].keys() == {"OVERFLOW"}


@pytest.mark.parametrize("value", ["x**(1/0)", "x**(0/0)", "max(x, 1/0)*x", "log(0)**x", "where(x > 0, x, x**(1/0))"])
def test_a_constant_without_a_value_is_refused_in_words(verified: Verified, value: str) -> None:
    said = reason(verified(f'inputs: {{x: {{domain: [-1, 1]}}}}\nvalue: "{value}"\norders: [1]'))
    assert "as 1/0 has none" in said
    assert "Error" not in said
