"""The law of merged coverage: partial runs give what the whole run says, in any order; and nothing more is claimed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

import pytest

from verifier.coverage.rules import with_rules
from verifier.runs import records
from verifier.runs.merging import merged
from verifier.runs.outcome import Outcome
from verifier.runs.reader import Run, assembled
from verifier.runs.tallies import end_of

TABLE = records.RuleTable(
    rules={"jvp": ("cos", "eq", "mul", "psum", "sin", "tan"), "transpose": ("mul", "neg")},
    non_goals=(records.NonGoals(reason="communication", primitives=("psum",)),),
)
NAMES = ("z", "a", "m", "k", "b", "last")
"""The catalog's order is no alphabetical one."""


def outcome(entry: str, *ran: tuple[str, int, str, dict[str, tuple[str, ...]]], dtype: str = "float64") -> Outcome:
    """An entry whose programs, as (program, order, verdict, rules), ran; with one claim."""
    return Outcome(
        entry=records.Entry(entry=entry, title="t", section="s", row="r"),
        rules=tuple(
            records.Rule(
                entry=entry,
                program=p,
                order=k,
                dtype=dtype,
                component="d/dx",
                verdict=verdict,
                fails=verdict == "WRONG",
                counts={verdict: 1},
            )
            for p, k, verdict, _ in ran
        ),
        verdicts=tuple(
            records.Verdict(
                entry=entry,
                order=k,
                program=f"{p}/jit",
                dtype=dtype,
                device="cpu:0",
                component="d/dx",
                verdict="ACCURATE",
                points=k,
            )
            for p, k, _, _ in ran
        ),
        claims=(records.Claim(entry=entry, claim=f"c-{entry}", says=entry, section="s", row="r", verdict="CONFIRMED"),),
        skipped=(records.Skipped(entry=entry, what="jet", why="no rule"),),
        exercised=tuple(records.Exercised(program=p, order=k, rules=rules) for p, k, _, rules in ran),
        jax_rules=TABLE if ran else None,
    )


SINE, TAN, PRODUCT = {"jvp": ("sin",)}, {"jvp": ("tan", "psum")}, {"jvp": ("mul",), "transpose": ("mul",)}
CATALOG = {
    "z": outcome("z", ("hessian", 2, "RIGHT", SINE), ("grad", 1, "WRONG", PRODUCT)),
    "a": outcome("a", ("grad", 1, "RIGHT", SINE), ("jacfwd", 1, "INEXACT", TAN)),
    "m": outcome("m", ("grad", 1, "RIGHT", SINE | PRODUCT)),
    "k": outcome("k"),
    "b": outcome("b", *(("grad", order, "RIGHT", SINE) for order in (1, 3))),
    "last": outcome("last", ("grad", 1, "CONVENTION", SINE), ("hessian", 2, "RIGHT", TAN)),
}
FORMULAS = ("z", "a", "last", "nobody says it")


def run_of(outcomes: Sequence[Outcome], tmp_path) -> Run:
    """The run of these entries as the engine records it, from the tiny source above."""
    found = sorted(outcomes, key=lambda each: NAMES.index(each.entry.entry))
    claims = [claim for each in found for claim in each.claims]
    said = {claim.says for claim in claims}
    missing = tuple(f"formula: {formula}" for formula in FORMULAS if formula not in said)
    cells: dict[tuple[str, str], records.Cell] = {}
    for each in (verdict for one in found for verdict in one.verdicts):
        cell = cells.get((each.entry, each.dtype)) or records.Cell(
            entry=each.entry, dtype=each.dtype, device=each.device
        )
        cells[each.entry, each.dtype] = replace(
            cell,
            programs=tuple(dict.fromkeys((*cell.programs, each.program))),
            points=max(cell.points, each.points),
        )
    bare = records.Coverage(
        sections=(
            records.SectionCoverage(
                id="s", title="S", entries=NAMES, claims={"CONFIRMED": len(claims)}, covered=False, missing=missing
            ),
        ),
        cheat_sheet=(
            records.RowCoverage(row="r", entries=NAMES, claims=tuple(each.claim for each in claims), covered=True),
        ),
        matrix=tuple(cells.values()),
        skipped=tuple(each for one in found for each in one.skipped),
    )
    header = records.Header(
        format=records.FORMAT,
        catalog=records.CatalogOf(title="T", digest="d"),
        lines={name: number for number, name in enumerate(NAMES, 1)},
    )
    lines = [record for each in found for record in each.records]
    last = (with_rules(bare, found), records.Provenance(versions={"jax": "0.10.2"}), end_of(found))
    return assembled((header, *lines, *last), tmp_path)


def coverage_of(runs: Sequence[Run]) -> records.Coverage:
    (found,) = [each for each in merged(runs) if isinstance(each, records.Coverage)]
    return found


@pytest.mark.parametrize(
    "parts",
    [
        [("m", "a", "b"), ("z", "k", "last")],
        [("z",), ("last", "m"), ("k", "a", "b")],
        [("k",), ("z", "a", "m", "b", "last")],
        [(name,) for name in NAMES[:3]] + [NAMES[3:]],
        [("z", "a", "m"), ("m", "k", "b", "last", "a")],
    ],
    ids=lambda parts: "+".join(",".join(names) for names in parts),
)
def test_partial_runs_in_any_order_give_the_coverage_and_the_end_of_the_whole(tmp_path, parts):
    whole = run_of(list(CATALOG.values()), tmp_path)
    assert whole.coverage.rules
    assert whole.coverage.missing_rules == {"jvp": ("cos",), "transpose": ("neg",)}
    partial = [run_of([CATALOG[name] for name in names], tmp_path) for names in parts]
    for runs in permutations(partial):
        assert coverage_of(runs) == whole.coverage
        *_, end = merged(runs)
        assert end == whole.end


def test_one_entry_s_programs_and_dtypes_stand_in_one_cell_each(tmp_path):
    a = run_of([outcome("z", ("grad", 1, "RIGHT", SINE))], tmp_path)
    b = run_of([outcome("z", ("hessian", 2, "RIGHT", SINE))], tmp_path)
    c = run_of([outcome("z", ("grad", 1, "RIGHT", SINE), dtype="float32")], tmp_path)
    assert [(each.dtype, each.programs, each.points) for each in coverage_of([a, b, c]).matrix] == [
        ("float64", ("grad/jit", "hessian/jit"), 2),
        ("float32", ("grad/jit",), 1),
    ]


@pytest.mark.parametrize("turned", [False, True])
def test_a_program_that_is_wrong_in_another_run_s_dtype_verifies_nothing(tmp_path, turned):
    right = run_of([outcome("z", ("grad", 1, "RIGHT", SINE), ("hessian", 2, "RIGHT", SINE))], tmp_path)
    wrong = run_of([outcome("z", ("grad", 1, "WRONG", SINE), dtype="float32")], tmp_path)
    (sine,) = coverage_of([wrong, right] if turned else [right, wrong]).rules
    assert (sine.exercised, sine.verified) == ((1, 2), (2,))


def test_an_acknowledgement_is_stale_where_every_run_of_its_entry_says_so(tmp_path):
    def stale(names: str, *texts: str) -> Run:
        run = run_of([CATALOG[name] for name in names], tmp_path)
        return replace(run, end=replace(run.end, stale=texts))

    m, z = "m: claim c: REFUTED no longer occurs", "z: claim c: REFUTED no longer occurs"
    for runs in permutations([stale("m", m), stale("z", z)]):
        assert merged(runs)[-1].stale == (z, m)
    assert merged([stale("mz", m, z), stale("z")])[-1].stale == (m,)
