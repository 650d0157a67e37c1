"""The command line on tiny catalogs: exit statuses in their order, messages, files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from verifier.cli import main
from verifier.runs.reader import equal_bytes_apart_from_provenance, read

CATALOG = """\
format: "1.0"
source: {{title: T, sections: [{{id: s, title: S}}]}}
entries:
  one:
    title: t
    section: s
    inputs: {{x: {{domain: [1, 2]}}}}
    value: x**2
    orders: [1]
    claims:
      - {{id: c, says: "two is {says}", holds: {statement}}}
"""
NARROW = ("--dtype", "float64", "--device", "cpu:0", "--program", "grad/jit", "--samples", "2")


@pytest.fixture
def catalog(tmp_path):
    """catalog(statement) -> the path of a catalog with one claim."""

    def write(statement: str = "2 == 2") -> Path:
        path = tmp_path / "small.yaml"
        path.write_text(CATALOG.format(statement=statement, says=statement.split()[-1]))
        return path

    return write


def invoke(*arguments: object):
    return CliRunner().invoke(main, [str(each) for each in arguments])


@pytest.mark.parametrize(("statement", "status"), [("2 == 2", 0), ("2 == 3", 1), ("log(-1) == 2", 4)])
def test_the_exit_status_of_a_run(catalog, statement, status):
    assert invoke("run", catalog(statement), *NARROW).exit_code == status


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--entry", "nothing"), "no entry nothing"),
        (("--device", "gpu:7"), "no such device: gpu:7"),
        (("--program", "grad/jitt"), "no such program: grad/jitt"),
        (("--dtype", "float128"), "float128"),
        (("--samples", "-1"), "-1"),
        (("--seed", "-1"), "-1"),
        (("--surprise",), "--surprise"),
    ],
)
def test_options_that_name_nothing_have_status_2_and_one_message(catalog, arguments, message):
    result = invoke("run", catalog("2 == 3"), *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_a_missing_catalog_has_status_2(tmp_path):
    result = invoke("run", tmp_path / "none.yaml")
    assert result.exit_code == 2
    assert "cannot read the catalog" in result.stderr


def test_an_invalid_catalog_has_status_3_and_names_every_fault(tmp_path, catalog):
    path = catalog("2 == 3")
    path.write_text(path.read_text().replace("title: t", "titel: t").replace("orders: [1]", "orders: [-1]"))
    result = invoke("run", path, "--out", tmp_path / "run.jsonl", *NARROW)
    assert result.exit_code == 3
    lines = result.stderr.splitlines()
    assert any("small.yaml:5:" in line and "titel" in line for line in lines)
    assert any("small.yaml:9:" in line for line in lines)
    assert not (tmp_path / "run.jsonl").exists()


def test_usage_comes_before_an_invalid_catalog(catalog):
    path = catalog()
    path.write_text("surprise: 1\n")
    assert invoke("run", path, "--dtype", "float128").exit_code == 2


def test_a_refuted_claim_outweighs_an_undecided_one(catalog):
    path = catalog("2 == 3")
    path.write_text(path.read_text() + '      - {id: d, says: "s", holds: log(-1) == 2}\n')
    assert invoke("run", path, *NARROW).exit_code == 1


def test_the_files_that_are_asked_for_are_written_and_named(tmp_path, catalog):
    out, html = tmp_path / "run.jsonl", tmp_path / "report.html"
    result = invoke("run", catalog(), "--out", out, "--html", html, *NARROW)
    assert result.exit_code == 0, result.output
    kinds = [json.loads(line)["kind"] for line in out.read_text().splitlines()]
    assert (kinds[0], kinds[-1]) == ("header", "end")
    assert html.read_text().lower().startswith("<!doctype html>")
    shown = "".join(result.stdout.split())
    assert "run.jsonl" in shown
    assert "report.html" in shown


def test_quiet_shows_nothing(catalog):
    result = invoke("run", catalog("2 == 3"), "--quiet", *NARROW)
    assert (result.exit_code, result.output) == (1, "")


def test_the_summary_shows_what_was_refuted_and_its_truth(catalog):
    result = invoke("run", catalog("2 == 3"), *NARROW)
    assert "REFUTED" in result.stdout
    assert "two is 3" in result.stdout


def test_a_report_is_made_from_a_run_file_alone(tmp_path, catalog):
    out, html, again = tmp_path / "run.jsonl", tmp_path / "a.html", tmp_path / "b.html"
    path = catalog()
    assert invoke("run", path, "--out", out, "--html", html, "--quiet", *NARROW).exit_code == 0
    path.unlink()
    result = invoke("report", out, "--html", again)
    assert result.exit_code == 0
    assert html.read_bytes() == again.read_bytes()


def test_the_coverage_of_a_run_file_is_printed_for_people_and_for_machines(tmp_path, catalog):
    run_file = tmp_path / "run.jsonl"
    assert invoke("run", catalog(), *NARROW, "--out", run_file, "--quiet").exit_code == 0
    text, machine = invoke("coverage", run_file), invoke("coverage", run_file, "--json")
    assert (text.exit_code, machine.exit_code) == (0, 0)
    assert "The source: 1 of 1 sections covered" in text.output
    assert "jvp that never ran: abs, " in text.output
    assert json.loads(machine.output)["rule_totals"]["jvp"]["verified"] > 0


def test_merged_partial_runs_cover_what_the_whole_run_covers(tmp_path, catalog):
    path = catalog()
    path.write_text(
        path.read_text().replace("{id: s, title: S}", '{id: s, title: S, formulas: ["two is 2", "3 = 3", "4"]}')
        + CATALOG.format(statement="3 == 3", says="3").partition("entries:\n")[2].replace("  one:", "  another:", 1)
        + '      - {id: d, says: "3 = 3", holds: 3 == 3}\n'
    )
    whole, first, second = (tmp_path / f"{name}.jsonl" for name in ("whole", "first", "second"))
    for out, only in ((whole, ()), (first, ("--entry", "one")), (second, ("--entry", "another"))):
        assert invoke("run", path, "--out", out, "--quiet", *NARROW, *only).exit_code == 0
    for runs in ((first, second), (second, first)):
        merged = tmp_path / "merged.jsonl"
        assert invoke("merge", *runs, "--out", merged).exit_code == 0
        assert equal_bytes_apart_from_provenance(whole, merged)
    assert read(merged).coverage.sections[0].missing == ("formula: 4",)


def test_a_run_file_that_cannot_be_read_has_status_2(tmp_path):
    (tmp_path / "bad.jsonl").write_text("{}\n")
    for name in ("bad.jsonl", "none.jsonl"):
        result = invoke("report", tmp_path / name, "--html", tmp_path / "x.html")
        assert result.exit_code == 2
        assert name in result.stderr
        assert "Traceback" not in result.stderr


@pytest.mark.parametrize("option", ["--out", "--html"])
def test_a_folder_that_is_missing_is_said_before_anything_runs(tmp_path, catalog, option):
    result = invoke("run", catalog(), option, tmp_path / "missing" / "file", *NARROW)
    assert result.exit_code == 2
    assert "missing" in result.stderr
    assert not isinstance(result.exception, OSError)


def test_the_schema_is_printed_as_it_is_committed():
    result = invoke("schema")
    assert result.exit_code == 0
    committed = Path(__file__).parents[1] / "verifier" / "catalog" / "schema.json"
    assert json.loads(result.stdout) == json.loads(committed.read_text())
