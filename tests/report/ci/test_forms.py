"""The forms that continuous integration reads, from one run with a case of every kind."""

import json
from xml.etree import ElementTree

import pytest

from verifier.report.ci import github, junit, markdown, sarif
from verifier.report.ci.cases import Level, cases
from verifier.report.outputs import FORMS, write
from verifier.runs.reader import read
from verifier.runs.writer import RunWriter

CATALOG = "catalog/made.yaml"
HOSTILE = "a <b>|`x`</b> & ]]> \x1b[31m ::error::y%0A"


def entry(name, **changes):
    return {"kind": "entry", "entry": name, "title": f"About {name}", "section": "s", **changes}


@pytest.fixture
def run(tmp_path, verdict):
    known = {"reason": "an old friend"}
    claim = {"kind": "claim", "section": "s", "says": HOSTILE, "truth": "it is 3"}
    records = [
        entry("fine"),
        verdict(entry="fine"),
        {**claim, "entry": "fine", "claim": "true", "verdict": "CONFIRMED"},
        {**claim, "entry": "fine", "claim": "false", "verdict": "REFUTED", "fails": True},
        entry("lossy"),
        verdict(entry="lossy", verdict="LOSSY", fails=True, counts={"LOSSY": 1}),
        entry("known"),
        verdict(entry="known", verdict="LOSSY", fails=True, acknowledged=known, counts={"LOSSY": 1}),
        entry("open"),
        verdict(entry="open", verdict="UNDECIDED", counts={"UNDECIDED": 1}),
        entry("stopped", status="FAILED", reason="it took longer than 1 s"),
    ]
    path = tmp_path / "run.jsonl"
    with RunWriter(path) as out:
        lines = {"fine": 3, "fine.false": 9, "lossy": 12}
        out.write(
            {
                "kind": "header",
                "format": "1.0",
                "catalog": {"title": "Made: by hand, 100%"},
                "sections": [{"id": "s", "title": "Section"}],
                "lines": lines,
            }
        )
        out.write({"kind": "provenance", "seconds": 2.5})
        for record in records:
            out.write(record)
        out.write({"kind": "coverage"})
        out.write(
            {
                "kind": "end",
                "verdicts": {"ACCURATE": 1, "LOSSY": 2, "UNDECIDED": 1},
                "claims": {"CONFIRMED": 1, "REFUTED": 1},
                "findings": 2,
                "undecided": 2,
                "acknowledged": 1,
                "exit_status": 1,
            }
        )
    return read(path)


def test_there_is_a_case_for_every_entry_and_claim(run):
    found = cases(run)
    assert {each.name: (each.level, each.line) for each in found} == {
        "fine": (None, 3),
        "fine.true": (None, 0),
        "fine.false": (Level.ERROR, 9),
        "lossy": (Level.ERROR, 12),
        "known": (Level.KNOWN, 0),
        "open": (Level.OPEN, 0),
        "stopped": (Level.ERROR, 0),
    }


def test_a_wrong_rule_is_an_error_and_an_inexact_one_a_warning(make_run):
    rule = {"kind": "rule", "entry": "e", "order": 1, "program": "grad", "dtype": "float64", "component": "d/dx"}
    run = make_run([entry("e"), {**rule, "verdict": "WRONG", "fails": True}, {**rule, "verdict": "INEXACT"}])
    (case,) = cases(run)
    assert [each.level for each in case.messages] == [Level.ERROR, Level.WARNING]
    assert case.level is Level.ERROR


def test_junit_counts_and_places(run):
    suite = ElementTree.fromstring(junit.render(run, CATALOG))[0]
    assert {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped", "time")} == {
        "tests": "7",
        "failures": "3",
        "errors": "1",
        "skipped": "1",
        "time": "2.500",
    }
    found = {(each.get("classname"), each.get("name")): each for each in suite}
    refuted = found["fine", "false"]
    assert (refuted.get("file"), refuted.get("line")) == (CATALOG, "9")
    assert "\x1b" not in ElementTree.tostring(suite, encoding="unicode")
    assert found["known", "derivatives"].find("skipped") is not None
    assert found["open", "derivatives"].find("error") is not None


def test_junit_names_an_entry_and_its_claims_apart_whatever_their_ids_are(make_run):
    ids = ("derivatives", "claim", "claim-derivatives", "e")
    claim = {"kind": "claim", "entry": "e", "section": "s", "says": "so", "verdict": "CONFIRMED"}
    suite = ElementTree.fromstring(
        junit.render(make_run([entry("e"), *({**claim, "claim": id} for id in ids)]), CATALOG)
    )[0]
    names = [(each.get("classname"), each.get("name")) for each in suite]
    assert names[0] == ("e", "derivatives")
    assert len(set(names)) == len(names) == len(ids) + 1


def test_sarif_fits_its_specification(run):
    models = pytest.importorskip("sarif_pydantic")
    text = sarif.render(run, CATALOG)
    models.Sarif.model_validate_json(text)
    (only,) = json.loads(text)["runs"]
    by_rule = {each["ruleId"]: each for each in only["results"]}
    place = by_rule["REFUTED"]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": CATALOG}, "region": {"startLine": 9}}
    known = [each for each in only["results"] if "suppressions" in each]
    assert [each["partialFingerprints"]["case/v1"] for each in known] == ["known LOSSY (fails)"]
    assert {each["id"] for each in only["tool"]["driver"]["rules"]} == by_rule.keys()


def test_github_commands_are_one_line_each_and_cannot_be_forged(run):
    lines = github.render(run, CATALOG).splitlines()
    assert [each.split(" ")[0].split("::")[1] for each in lines] == ["error", "error", "error", "warning", "notice"]
    assert lines[0].startswith(f"::error file={CATALOG},line=9,title=fine.false%3A ")
    assert "2 findings, 2 undecided, 1 known, 0 warnings" in lines[-1]
    assert all("%250A" in each for each in lines if "title=fine.false" in each)


def test_github_shows_ten_of_a_kind(make_run, verdict):
    wrong = [verdict(entry=f"e{k}", verdict="LOSSY", fails=True) for k in range(12)]
    made = make_run([*(entry(f"e{k}") for k in range(12)), *wrong])
    assert github.render(made, CATALOG).count("::error ") == 10


def test_markdown_shows_text_as_text(run):
    text = markdown.render(run, CATALOG)
    assert "### Wrong: 3" in text
    assert "### Known and acknowledged: 1" in text
    assert "<b>" not in text
    assert r"\|" in text
    rows = [line for line in text.splitlines() if line.startswith("| catalog/made.yaml:9")]
    assert len(rows) == 1


@pytest.mark.parametrize("form", FORMS)
def test_every_form_can_be_written(run, tmp_path, form):
    write(run, form, tmp_path / "out", CATALOG)
    assert (tmp_path / "out").read_text(encoding="utf-8") == FORMS[form](run, CATALOG)
