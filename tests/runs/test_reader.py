"""Reading: every golden file of every version, and every broken file refused with its line and what to do."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from verifier.errors import RunFileError
from verifier.runs.journal import read_any
from verifier.runs.reader import equal_bytes_apart_from_provenance, read
from verifier.runs.writer import line_of

GOLDEN = Path(__file__).with_name("golden")
NEWEST = GOLDEN / "run-1.1.jsonl"

Lines = list[str]


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.jsonl")), ids=lambda path: path.name)
def test_golden_files_of_every_version_are_read(path: Path) -> None:
    run = read(path)
    assert path.name == f"run-{run.header.format}.jsonl"
    assert [entry.entry for entry in run.entries] == ["tanh-squared"]
    assert run.verdicts[0].worst is not None
    assert float.fromhex(run.verdicts[0].worst.value) == 0.0
    assert run.claims[0].verdict == "REFUTED"


def test_the_newest_golden_file_is_what_is_written_today() -> None:
    lines = NEWEST.read_text(encoding="utf-8").splitlines()
    assert [line_of(json.loads(line)) for line in lines] == lines


def test_the_newest_golden_file_sets_every_field() -> None:
    """A field that no golden file sets could change its form unnoticed."""
    unset = [key for line in NEWEST.read_text(encoding="utf-8").splitlines() for key in empty_fields(json.loads(line))]
    assert unset == ["pictures[0].series[0].z", "pictures[0].series[0].u", "pictures[0].series[0].v"]


def empty_fields(value: object, path: str = "") -> Lines:
    if isinstance(value, dict):
        return [each for key, inner in value.items() for each in empty_fields(inner, key)] if value else [path]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [f"{path}[{k}].{each}" for k, inner in enumerate(value) for each in empty_fields(inner)]
    return [path] if value is None or value in ("", []) else []


def changed(line: str, **fields: object) -> str:
    return json.dumps({**json.loads(line), **fields}) + "\n"


BROKEN: dict[str, tuple[Callable[[Lines], Lines], str]] = {
    "truncated after a record": (lambda lines: lines[:-1], r":8: the file is truncated: it has no `end` record"),
    "truncated inside a record": (
        lambda lines: [*lines[:2], lines[2][:40]],
        r":3: the file is truncated in the middle of a line",
    ),
    "empty": (lambda lines: [], r":1: the file is truncated"),
    "no JSON": (lambda lines: [lines[0], "{oops}\n", *lines[1:]], r":2: not a line of JSON"),
    "an integer too long for Python": (lambda lines: [lines[0], "1" * 6000 + "\n"], r":2: not a line of JSON"),
    "a version too long for Python": (
        lambda lines: [changed(lines[0], format="1" * 6000 + ".0")],
        r":1: not a line of JSON",
    ),
    "a bare NaN": (lambda lines: [lines[0], '{"kind":"provenance","seconds":NaN}\n'], r":2: NaN is no JSON"),
    "an unknown kind": (lambda lines: [lines[0], '{"kind":"verdikt"}\n'], r":2: kind: expected one of"),
    "a missing field": (lambda lines: [lines[0], '{"kind":"claim","entry":"e"}\n'], r":2: claim: missing"),
    "a wrong type": (
        lambda lines: [lines[0], changed(lines[1], seconds="long")],
        r":2: seconds: expected float, got 'long'",
    ),
    "no header": (lambda lines: lines[1:], r":1: this is no run file"),
    "two headers": (lambda lines: [lines[0], *lines], r":2: the header must be the first record"),
    "a record after the end": (lambda lines: [*lines, lines[-1]], r":9: a record follows the `end` record"),
    "two provenance records": (
        lambda lines: [lines[0], lines[1], *lines[1:]],
        r"expected one provenance record, found 2",
    ),
    "no coverage": (
        lambda lines: [x for x in lines if '"coverage"' not in x],
        r"expected one coverage record, found 0",
    ),
    "a verdict is gone": (
        lambda lines: [x for x in lines if '"kind":"verdict"' not in x],
        r"run\.jsonl: the records are not .* \(acknowledged: 3 there, 2 found; verdicts LOSSY: 1 there, 0 found\)",
    ),
    "a rule is gone": (
        lambda lines: [x for x in lines if '"kind":"rule"' not in x],
        r"rules WRONG: 1 there, 0 found.*copy the file again",
    ),
    "a claim is gone": (
        lambda lines: [x for x in lines if '"kind":"claim"' not in x],
        r"claims REFUTED: 1 there, 0 found",
    ),
    "a claim is there twice": (lambda lines: [*lines[:6], *lines[5:]], r"claims REFUTED: 1 there, 2 found"),
    "an entry is gone": (
        lambda lines: [x for x in lines if '"kind":"entry"' not in x],
        r"no `entry` record of tanh-squared, though something was judged of it.*copy the file again",
    ),
    "a finding is forgiven": (
        lambda lines: [*lines[:7], changed(lines[7], findings=1)],
        r"\(findings: 1 there, 0 found\)",
    ),
    "an entry that failed is gone": (
        lambda lines: [*lines[:7], changed(lines[7], undecided=1)],
        r"\(undecided: 1 there, 0 found\)",
    ),
    "newer major": (
        lambda lines: [changed(lines[0], format="2.0"), "new\n"],
        r":1: the run file has format 2\.0.*Install a newer verifier",
    ),
    "no version": (lambda lines: [changed(lines[0], format="x")], r":1: this is no run file"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_with_its_line(tmp_path: Path, name: str) -> None:
    breaks, said = BROKEN[name]
    path = tmp_path / "run.jsonl"
    path.write_text("".join(breaks(NEWEST.read_text(encoding="utf-8").splitlines(keepends=True))), encoding="utf-8")
    with pytest.raises(RunFileError, match=said):
        read(path)


def test_how_often_two_routes_exclude_each_other_is_the_end_record_s_to_say(tmp_path: Path) -> None:
    lines = NEWEST.read_text(encoding="utf-8").splitlines(keepends=True)
    lines[2] = changed(lines[2], status="ORACLE CONFLICT")
    path = tmp_path / "run.jsonl"
    for findings in (1, 3):
        path.write_text("".join([*lines[:7], changed(lines[7], findings=findings)]), encoding="utf-8")
        assert read(path).end.findings == findings
    path.write_text("".join(lines), encoding="utf-8")
    with pytest.raises(RunFileError, match=r"\(findings: 0 there, 1 found\)"):
        read(path)


def test_a_class_of_a_newer_minor_version_counts_like_any_other(tmp_path: Path) -> None:
    lines = NEWEST.read_text(encoding="utf-8").splitlines(keepends=True)
    text = "".join([*lines[:3], lines[3].replace("LOSSY", "NOVEL"), *lines[4:7], lines[7].replace("LOSSY", "NOVEL", 1)])
    path = tmp_path / "run.jsonl"
    path.write_text(text, encoding="utf-8")
    assert read(path).end.verdicts == {"NOVEL": 1}


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(b"\xff\xfe\n")
    with pytest.raises(RunFileError, match=r":1: not a line of JSON"):
        read(path)


def test_a_compressed_file_is_read_as_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl.gz"
    path.write_bytes(gzip.compress(NEWEST.read_bytes()))
    assert read(path) == read_any(path) == read(NEWEST)
    assert equal_bytes_apart_from_provenance(path, NEWEST)


@pytest.mark.parametrize(
    "damage", [lambda each: each[:-9], lambda each: each[:90] + b"?" + each[91:], lambda _: b"\x1f\x8b"]
)
def test_what_is_damaged_in_its_compression_is_refused(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "run.jsonl.gz"
    path.write_bytes(damage(gzip.compress(NEWEST.read_bytes())))
    with pytest.raises(RunFileError, match="what gzip compressed is truncated or corrupt"):
        read(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunFileError, match="cannot be read"):
        read(tmp_path / "none.jsonl")


def test_an_older_minor_version_lacks_fields_and_a_newer_one_adds_some(tmp_path: Path) -> None:
    lines = NEWEST.read_text(encoding="utf-8").splitlines(keepends=True)
    old = {key: value for key, value in json.loads(lines[3]).items() if key not in ("components", "budget")}
    path = tmp_path / "run.jsonl"
    path.write_text(
        "".join([changed(lines[0], format="1.9", invented=[1]), *lines[1:3], json.dumps(old) + "\n", *lines[4:]]),
        encoding="utf-8",
    )
    assert read(path).verdicts[0].components == 1


def test_only_provenance_may_differ(tmp_path: Path) -> None:
    lines = NEWEST.read_text(encoding="utf-8").splitlines(keepends=True)
    provenance = json.dumps({**json.loads(lines[1]), "seconds": 99}, separators=(",", ":")) + "\n"
    other, wrong, short = tmp_path / "other.jsonl", tmp_path / "wrong.jsonl", tmp_path / "short.jsonl"
    other.write_text("".join([lines[0], provenance, *lines[2:]]), encoding="utf-8")
    wrong.write_text("".join([*lines[:3], lines[3].replace("LOSSY", "ACCURATE"), *lines[4:]]), encoding="utf-8")
    short.write_text("".join(lines[:-1]), encoding="utf-8")
    assert equal_bytes_apart_from_provenance(NEWEST, other)
    assert not equal_bytes_apart_from_provenance(NEWEST, wrong)
    assert not equal_bytes_apart_from_provenance(NEWEST, short)
