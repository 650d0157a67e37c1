"""An entry that FAILED in one run and not in another: what is known stays known, and no failure is lost."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from verifier.errors import UsageError
from verifier.runs import records
from verifier.runs.merging import merged
from verifier.runs.reader import assembled

KNOWN = records.Entry(
    entry="e",
    title="E",
    section="s",
    note="n",
    value=records.Formula(text="x**2", latex="x^2"),
    points={"float32": (records.Point(origin="declared", label="x = 1"),)},
)
FAILED = records.Entry(entry="e", title="E", section="s", status="FAILED", reason="it took longer than 1 s")


@pytest.fixture
def made(run_of, number, claim):
    """made(entry, device, ...) -> a run of the entry on one device; where it did not fail with a number and a claim."""

    def make(entry, *devices, dtypes=None, chosen=None, jax="0.10.2", verdict="CONFIRMED", said="so"):
        if entry.status == "FAILED":
            told = (claim("UNDECIDED", reason="the entry FAILED before anything could be computed"),)
        else:
            told = (number(device=devices[0]), claim(verdict, reason=said))
        run = run_of(entry, *told, jax=jax, started=f"{devices} {dtypes} {entry.reason} {said}")
        offered = tuple(records.Device(name=name) for name in devices)
        options = replace(run.header.options, dtypes=dtypes, devices=chosen)
        return replace(
            run,
            header=replace(run.header, options=options),
            provenance=replace(run.provenance, devices=offered, entries={"e": 1.0}),
        )

    return make


def entry_of(found):
    (entry,) = [each for each in found if isinstance(each, records.Entry)]
    return entry


def claim_of(found):
    (claim,) = [each for each in found if isinstance(each, records.Claim)]
    return claim


def assert_settled(runs, found, tmp_path):
    """What is merged stays as it is when one of the runs, or all, are merged with it once more."""
    both = assembled(found, tmp_path)
    for again in ([both, *runs], [both, both], *([both, each] for each in runs)):
        assert merged(again) == found


def test_on_another_device_it_stays_failed_and_what_is_known_stands_beside(made, tmp_path):
    for runs in permutations([made(KNOWN, "cpu:0"), made(FAILED, "gpu:0")]):
        found = merged(runs)
        reason = "on gpu:0: it took longer than 1 s"
        assert entry_of(found) == replace(KNOWN, status="FAILED", reason=reason)
        assert (claim_of(found).verdict, claim_of(found).reason) == ("CONFIRMED", "so")
        assert (found[-1].undecided, found[-1].exit_status) == (1, 4)
        assert_settled(runs, found, tmp_path)


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({}, {}),
        ({}, {"dtypes": ("float32",)}),
        ({"dtypes": ("float32", "float64")}, {"dtypes": ("float32",)}),
        ({"chosen": ("cpu:0",)}, {"chosen": ("cpu:0",)}),
    ],
)
def test_where_another_run_did_as_much_the_failure_is_over_and_is_told(made, tmp_path, asked, wanted):
    for runs in permutations([made(KNOWN, "cpu:0", **asked), made(FAILED, "cpu:0", **wanted)]):
        found = merged(runs)
        assert entry_of(found) == KNOWN
        assert claim_of(found).verdict == "CONFIRMED"
        (coverage,) = [each for each in found if isinstance(each, records.Coverage)]
        assert coverage.skipped == (
            records.Skipped(entry="e", what="another run", why="it FAILED on cpu:0: it took longer than 1 s"),
        )
        assert found[-1].exit_status == 0
        assert_settled(runs, found, tmp_path)


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({"dtypes": ("float32",)}, {}),
        ({"dtypes": ("float32",)}, {"dtypes": ("float64",)}),
        ({"chosen": ("cpu:1",)}, {"chosen": ("cpu:0",)}),
    ],
)
def test_where_another_run_did_less_it_stays_failed(made, tmp_path, asked, wanted):
    runs = [made(KNOWN, "cpu:0", "cpu:1", **asked), made(FAILED, "cpu:0", "cpu:1", **wanted)]
    found = merged(runs)
    assert entry_of(found).status == "FAILED"
    assert entry_of(found).value == KNOWN.value
    assert_settled(runs, found, tmp_path)


def test_reasons_of_all_runs_are_kept_once(made, tmp_path):
    crashed = replace(FAILED, reason="killed")
    runs = [made(FAILED, "cpu:0"), made(crashed, "gpu:0")]
    found = merged(runs)
    assert entry_of(found) == replace(FAILED, reason="on cpu:0: it took longer than 1 s; on gpu:0: killed")
    assert_settled(runs, found, tmp_path)
    alike = merged([made(FAILED, "cpu:0"), made(FAILED, "gpu:0")])
    assert entry_of(alike) == FAILED


def test_with_another_jax_a_claim_that_could_not_be_decided_stays_open_and_says_so(made):
    found = merged([made(KNOWN, "cpu:0"), made(FAILED, "gpu:0", jax="0.12.0")])
    assert claim_of(found).verdict == "UNDECIDED"
    assert claim_of(found).reason.endswith("with JAX 0.10.2 it is CONFIRMED")


def test_what_two_runs_really_say_differently_is_refused_all_the_same(made):
    other = replace(KNOWN, value=records.Formula(text="x**3"))
    with pytest.raises(UsageError, match="the runs differ in its value"):
        merged([made(KNOWN, "cpu:0"), made(FAILED, "gpu:0"), made(other, "gpu:1")])
    with pytest.raises(UsageError, match="contradict each other about the claim c"):
        merged([made(KNOWN, "cpu:0"), made(KNOWN, "gpu:0", verdict="UNDECIDED", said="not known")])
