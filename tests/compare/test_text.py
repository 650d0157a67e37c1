"""How a comparison reads, as text, JSON and HTML."""

import json

import pytest

from verifier.compare.differences import compare
from verifier.compare.html import render
from verifier.compare.text import as_json, as_text


@pytest.fixture
def comparison(run_of, number, claim):
    old = run_of(number(), claim(), number(dtype="float16"), jax="0.10.2")
    worse = number("LOSSY", 19.9, "logistic", fails=True)
    return compare(old, run_of(worse, claim("REFUTED", fails=True), number(dtype="float16"), jax="0.12.0"))


def test_text_groups_by_entry_and_by_primitive_and_ends_with_the_outcome(comparison):
    text = as_text(comparison)
    assert text.startswith("jax 0.10.2 -> 0.12.0\n")
    assert (
        "d/dx grad/jit float32 cpu:0: ACCURATE -> LOSSY (fails) (+19.9 bits lost); at x = 1: 0.0 instead of 1.5" in text
    )
    assert "blamed primitives\n  logistic: 1 newly wrong" in text
    assert text.splitlines()[-1] == "2 of 4 results got worse: 2 newly wrong."


def test_text_of_no_change(run_of, number):
    run = run_of(number())
    assert as_text(compare(run, run)) == "Nothing got worse: all 2 results are as they were."


def test_json_has_every_change_in_full(comparison):
    document = json.loads(as_json(comparison))
    assert document["got_worse"] is True
    assert document["tally"] == {"newly wrong": 2}
    assert {each["kind"] for each in document["changes"]} == {"number", "claim"}
    assert document["changes"][0]["new"]["lost_bits"] in (0.0, 19.9)


def test_a_long_group_is_cut_in_text_only(run_of, number):
    names = [f"d/dx[{index}]" for index in range(30)]
    comparison = compare(
        run_of(*(number(component=each) for each in names)),
        run_of(*(number("LOSSY", 20.0, fails=True, component=each) for each in names)),
    )
    assert "and 18 more" in as_text(comparison)
    assert len(json.loads(as_json(comparison))["changes"]) == 30


def test_the_page_escapes_what_runs_hold(run_of, number):
    hostile = number("LOSSY", 20.0, entry="<script>alert(1)</script>", fails=True)
    page = render(compare(run_of(number(entry=hostile.entry)), run_of(hostile)), "<b>title</b>")
    assert "<script>alert" not in page
    assert "<b>title</b>" not in page
    assert "newly wrong" in page


def test_programs_that_changed_alike_are_told_once(run_of, number):
    programs = ("grad/jit", "grad/eager", "jacfwd/jit")
    comparison = compare(
        run_of(*(number(program=each) for each in programs)),
        run_of(*(number("LOSSY", 20.0, fails=True, program=each) for each in programs)),
    )
    assert "newly wrong: 3" in as_text(comparison)
    assert as_text(comparison).count("LOSSY (fails)") == 1
    assert "; and 2 more programs alike" in as_text(comparison)
    assert "and 2 more programs alike" in render(comparison, "title")
    assert len(json.loads(as_json(comparison))["changes"]) == 3


def test_what_got_worse_is_counted_among_the_results_that_there_are_now(run_of, number):
    """Two runs of different entries have no result in common."""
    old = run_of(number(entry="before"))
    new = run_of(
        *(number("LOSSY", 20.0, entry="after", fails=fails, order=order) for order, fails in ((1, True), (2, False)))
    )
    text = as_text(compare(old, new))
    assert text.splitlines()[-1] == "1 of 3 results got worse: 1 newly wrong, 2 appeared, 2 disappeared."
