"""Records and JSON objects: what one holds the other holds, and every mistake is named by its place."""

import json
import math

import pytest

from verifier.runs.json_form import Malformed, decode, dumps, encode, loads
from verifier.runs.records import Claim, Verdict
from verifier.runs.writer import line_of

VERDICT = {
    "kind": "verdict",
    "entry": "e",
    "order": 1,
    "program": "grad/jit",
    "dtype": "float32",
    "device": "cpu:0",
    "component": "d/dx",
    "verdict": "LOSSY",
    "worst": {
        "point": 3,
        "value": "0x1p+0",
        "decimal": "1.0",
        "truth": "2",
        "inputs": {"x": [{"hex": "nan", "decimal": "nan"}]},
    },
    "ulps": [1.5, None],
    "counts": {"LOSSY": 1},
}


def test_what_is_encoded_decodes_to_the_same_record() -> None:
    record = decode(VERDICT, strict=True)
    assert isinstance(record, Verdict)
    assert decode(encode(record), strict=True) == record
    assert next(iter(encode(record))) == "kind"


def test_records_are_frozen_all_the_way_down() -> None:
    record = decode(VERDICT, strict=True)
    assert isinstance(record, Verdict)
    assert isinstance(record.ulps, tuple)
    with pytest.raises(TypeError):
        record.counts["LOSSY"] = 0  # type: ignore[index]


def test_a_lone_surrogate_is_written_out_and_everything_else_stays_as_it_is() -> None:
    claim = Claim(
        entry="e", claim="c", says="Über 😀 \\ud800", section="s", verdict="UNDECIDED", reason="bad \ud800 text"
    )
    for kept in (loads(Claim, dumps(claim)), decode(json.loads(line_of(claim)), strict=True)):
        assert isinstance(kept, Claim)
        assert (kept.says, kept.reason) == (claim.says, "bad \\ud800 text")
    dumps(claim).encode()
    line_of(claim).encode()


@pytest.mark.parametrize("text", ["1" * 6000, "[" * 100_000, "{", b"\xff"], ids=["long", "deep", "cut off", "no text"])
def test_what_is_no_json_or_too_much_of_it_is_malformed(text: str | bytes) -> None:
    with pytest.raises(Malformed, match="no JSON"):
        loads(Claim, text)


def test_a_number_that_is_not_finite_becomes_null() -> None:
    record = decode({**VERDICT, "ulps": [math.inf, math.nan, 1.0]}, strict=True)
    assert encode(record)["ulps"] == [None, None, 1.0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"order": "1"}, r"\.order: expected int, got '1'"),
        ({"order": True}, r"\.order: expected int, got True"),
        ({"ulps": [1.0, "x"]}, r"\.ulps\[1\]: expected float, got 'x'"),
        ({"worst": {"point": 1}}, r"\.worst\.value: missing"),
        (
            {"worst": {**VERDICT["worst"], "inputs": {"x": [{"hex": "0x0p+0"}]}}},
            r"\.worst\.inputs\.x\[0\]\.decimal: missing",
        ),
        ({"verdikt": "LOSSY"}, r"\.verdikt: no such field"),
        ({"kind": "verdikt"}, r"kind: expected one of .*, got 'verdikt'"),
    ],
)
def test_a_mistake_is_named_by_its_place(change: dict[str, object], said: str) -> None:
    with pytest.raises(Malformed, match=said):
        decode({**VERDICT, **change}, strict=True)


def test_a_newer_minor_versions_field_is_passed_over() -> None:
    record = decode(
        {"kind": "claim", "entry": "e", "claim": "c", "says": "", "section": "s", "verdict": "REFUTED", "new": 1},
        strict=False,
    )
    assert isinstance(record, Claim)
