"""Runs of tiny catalogs: the same bytes twice, failures that cost only themselves, options that name something."""

from __future__ import annotations

from pathlib import Path

import pytest

from verifier.engine import worker as worker_module
from verifier.engine.options import Options
from verifier.engine.progress import Progress
from verifier.engine.run import run_catalog
from verifier.errors import CatalogError, UsageError
from verifier.execution.pool import Doing
from verifier.model.verdict import ClaimVerdict, NumberClass
from verifier.runs.reader import equal_bytes_apart_from_provenance, read

ONE_PROGRAM = Options(
    dtypes=("float64",), devices=("cpu:0",), programs=("grad/jit",), samples=0, workers=0, cache=False
)
GOOD = """
inputs: {x: {domain: [1, 2]}}
value: x**2
orders: [1]
claims: [{id: c, says: s, at: {x: 1}, holds: value == 1}]
"""
LISTING = """
listings: [{id: cell, section: s, code: "y = 1\\nz = missing"}]
"""
BAD_DATA = """
data: {w: {listing: cell, variable: nothing, shape: [2]}}
inputs: {x: {domain: [1, 2]}}
value: x*sum(w)
orders: [1]
claims:
  - {id: sum, says: s, holds: sum(w) == 1}
  - {id: raises, says: s, runs: {listing: cell, raises: NameError}}
  - {id: opinion, says: s, not-computable: "An opinion."}
acknowledged:
  - {programs: [grad/jit], order: 1, components: [d/dx], dtypes: [float64], devices: ["cpu:0"], verdict: LOSSY,
     reason: r}
"""


def test_two_runs_of_one_command_are_equal_in_bytes(tmp_path, verified_all):
    verified_all({"e": GOOD.replace("x**2", "sin(x)*x + 0.1"), "f": GOOD})
    catalog = tmp_path / "small.yaml"
    options = Options(
        dtypes=("float64", "float32"),
        devices=("cpu:0",),
        programs=("grad/vmap",),
        samples=4,
        seed=3,
        workers=0,
        cache=False,
    )
    outs = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    for out in outs:
        run_catalog(catalog, options, out=out, progress=Progress(quiet=True))
    assert equal_bytes_apart_from_provenance(*outs)
    kept = [[line for line in out.read_bytes().splitlines() if b'"provenance"' not in line[:30]] for out in outs]
    assert kept[0] == kept[1]
    assert len(kept[0]) >= 8

    other = tmp_path / "c.jsonl"
    run_catalog(catalog, Options(**{**_fields(options), "seed": 4}), out=other, progress=Progress(quiet=True))
    assert not equal_bytes_apart_from_provenance(outs[0], other)


@pytest.mark.slow
def test_worker_processes_change_nothing_and_lose_nothing(tmp_path, verified_all):
    verified_all({"bad": BAD_DATA, "good": GOOD, "wrong": GOOD.replace("== 1", "== 2")}, listings=LISTING)
    outs = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    for out, workers in zip(outs, (0, 2), strict=True):
        options = Options(**{**_fields(ONE_PROGRAM), "workers": workers})
        run = run_catalog(tmp_path / "small.yaml", options, out=out, progress=Progress(quiet=True))
        assert [each.status for each in run.entries] == ["FAILED", "OK", "OK"]
    assert equal_bytes_apart_from_provenance(*outs)


def _fields(options: Options) -> dict[str, object]:
    return {name: getattr(options, name) for name in options.__slots__}


def test_the_run_that_is_returned_is_the_one_in_the_file(tmp_path, verified):
    verified(GOOD)
    out = tmp_path / "run.jsonl"
    run = run_catalog(tmp_path / "small.yaml", ONE_PROGRAM, out=out, progress=Progress(quiet=True))
    assert read(out) == run
    assert run.header.catalog.file == "small.yaml"


def test_a_clean_run_has_exit_status_0_and_counts_what_it_did(verified):
    run = verified(GOOD)
    assert run.end.exit_status == 0
    assert run.end.claims == {"CONFIRMED": 1}
    assert sum(run.end.verdicts.values()) == len(run.verdicts) == 1
    assert run.entries[0].status == "OK"
    assert set(run.end.verdicts) <= set(NumberClass)
    assert set(run.end.claims) <= set(ClaimVerdict)


def test_an_entry_with_bad_data_costs_only_itself(verified_all):
    run = verified_all({"bad": BAD_DATA, "good": GOOD}, listings=LISTING)
    bad, good = run.entries
    assert (bad.status, good.status) == ("FAILED", "OK")
    assert "nothing" in bad.reason
    assert {each.entry for each in run.verdicts} == {"good"}
    assert run.end.exit_status == 4
    assert run.end.undecided == 2  # the entry, and its claim about the data
    assert run.end.stale == ()


def test_claims_of_a_failed_entry_are_recorded_and_decided_where_listings_decide(verified_all):
    run = verified_all({"bad": BAD_DATA}, listings=LISTING)
    assert {each.claim: each.verdict for each in run.claims} == {
        "sum": "UNDECIDED",
        "raises": "CONFIRMED",
        "opinion": "NOT COMPUTABLE",
    }


@pytest.mark.parametrize("stage", ["prepare", "verify"])
def test_an_exception_costs_only_its_entry(monkeypatch, verified_all, stage):
    sound = getattr(worker_module, stage)

    def broken(subject, *given):
        if "bad" in (getattr(subject, "id", ""), getattr(getattr(subject, "entry", None), "id", "")):
            raise RuntimeError("injected")
        return sound(subject, *given)

    monkeypatch.setattr(worker_module, stage, broken)
    run = verified_all({"bad": GOOD, "good": GOOD})
    assert [(each.entry, each.status) for each in run.entries] == [("bad", "FAILED"), ("good", "OK")]
    assert run.entries[0].reason == "RuntimeError: injected"
    outcomes = {each.entry: each.verdict for each in run.claims}
    assert outcomes == {"bad": "UNDECIDED" if stage == "prepare" else "CONFIRMED", "good": "CONFIRMED"}
    assert run.end.exit_status == 4


def test_findings_outweigh_what_could_not_be_judged(verified_all):
    run = verified_all({"bad": BAD_DATA, "wrong": GOOD.replace("== 1", "== 2")}, listings=LISTING)
    assert run.end.findings == 1
    assert run.end.undecided == 2
    assert run.end.exit_status == 1


def test_an_undecided_claim_has_exit_status_4(verified):
    assert verified(GOOD.replace("value == 1", "log(-1) < 0")).end.exit_status == 4


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"entries": ("nothing",)}, "no entry nothing; it has e"),
        ({"devices": ("gpu:9",)}, "no such device: gpu:9; found are cpu:0"),
        ({"programs": ("grads/jit",)}, "no such program: grads/jit; name one like grad/jit"),
        ({"programs": ("grad/jitted",)}, "no such program: grad/jitted"),
        ({"programs": ("grad/jit", "jacfwd17")}, "no such program: jacfwd17"),
    ],
)
def test_options_that_name_nothing_are_refused_at_once(tmp_path, verified, options, named):
    with pytest.raises(UsageError, match=named):
        verified(GOOD, **options)


@pytest.mark.parametrize("name", ["grad", "jit", "symbolic", "grad/jit", "grad3/jit", "hessian/remat", "jacrev16/vmap"])
def test_programs_are_named_whole_or_by_one_half(verified, name):
    assert verified(GOOD, programs=(name,)).end.exit_status == 0


def test_only_the_chosen_entry_runs(verified_all):
    run = verified_all({"one": GOOD, "two": GOOD}, entries=("two",))
    assert [each.entry for each in run.entries] == ["two"]
    assert {each.entry for each in run.claims} == {"two"}


def test_an_invalid_catalog_runs_nothing(tmp_path):
    (tmp_path / "bad.yaml").write_text('format: "1.0"\nsurprise: 1\n')
    with pytest.raises(CatalogError):
        run_catalog(tmp_path / "bad.yaml", Options(), out=tmp_path / "run.jsonl", progress=Progress(quiet=True))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.yaml"]


def test_a_structure_that_asks_for_no_fact_is_a_fault_of_the_catalog(verified_all):
    body = "claims: [{id: c, says: s, structure: {listing: cell, formula: mood() == 1}}]"
    with pytest.raises(CatalogError, match="mood"):
        verified_all({"e": body}, listings=LISTING)


def test_every_cell_of_the_full_matrix_is_recorded_once(verified):
    run = verified(GOOD, programs=(), dtypes=("float64",))
    cells = [(each.program, each.order, each.component) for each in run.verdicts]
    assert len(cells) == len(set(cells)) > 20
    assert {"grad/eager", "grad/jit", "grad/vmap", "grad/remat", "symbolic/jit", "jvp/jit", "vjp/jit"} <= {
        each.program for each in run.verdicts
    }
    assert run.end.findings == 0


def test_what_is_skipped_is_named_with_the_reason(verified):
    run = verified(GOOD)
    assert any("jacfwd/jit" in each.what for each in run.coverage.skipped)
    assert all(each.entry == "e" and each.why for each in run.coverage.skipped)


def test_an_interruption_keeps_what_was_recorded_and_leaves_no_run_file(monkeypatch, tmp_path, verified_all):
    verified_all({"one": GOOD, "two": GOOD})
    sound = worker_module.verify

    def interrupted(prepared, *given):
        if prepared.entry.id == "two":
            raise KeyboardInterrupt
        return sound(prepared, *given)

    monkeypatch.setattr(worker_module, "verify", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_catalog(tmp_path / "small.yaml", ONE_PROGRAM, out=tmp_path / "r.jsonl", progress=Progress(quiet=True))
    assert not (tmp_path / "r.jsonl").exists()
    assert '"entry":"one"' in (tmp_path / "r.jsonl.journal").read_text()


def test_progress_is_silent_without_a_terminal(capsys):
    with Progress() as progress:
        progress.start(2, known=1)
        progress.working([Doing("one", 0.0)])
        progress.done()
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_paths_of_this_machine_do_not_reach_the_run_file(tmp_path, verified):
    out = Path(tmp_path / "run.jsonl")
    verified(GOOD)
    run_catalog(tmp_path / "small.yaml", ONE_PROGRAM, out=out, progress=Progress(quiet=True))
    assert str(tmp_path) not in out.read_text()
