"""The command line on tiny catalogs: exit statuses in their order, messages, files."""

from __future__ import annotations

import json
import os
import re
import stat
import threading
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


@pytest.mark.parametrize(("statement", "status"), [("2 == 2", 0), ("2 == 3", 1), ("1/0 > 5", 4)])
def test_the_exit_status_of_a_run(catalog, statement, status):
    assert invoke("run", catalog(statement), *NARROW).exit_code == status


def test_a_run_that_judges_nothing_has_not_passed(catalog):
    path = catalog()
    path.write_text(path.read_text().split("    claims:")[0])
    result = invoke("run", path, "--program", "hessian")
    assert result.exit_code == 4
    assert "Nothing was verified" in result.stdout


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
        (("--timeout", "nan"), "nan is no number"),
        (("--memory", "nan"), "nan is no number"),
    ],
)
def test_options_that_name_nothing_have_status_2_and_one_message(catalog, arguments, message):
    result = invoke("run", catalog("2 == 3"), *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_against_a_baseline_other_questions_and_no_judgement_do_not_pass(tmp_path, catalog):
    baseline = tmp_path / "baseline.jsonl"
    invoke("run", catalog("1/0 > 5"), "--out", baseline, *NARROW)
    assert invoke("run", catalog("1/0 > 5"), "--baseline", baseline, *NARROW).exit_code == 0
    path = catalog("1/0 > 5")
    path.write_text(path.read_text().replace("id: c", "id: other"))
    result = invoke("run", path, "--baseline", baseline, *NARROW)
    assert result.exit_code == 4
    assert "0 new findings, 1 newly undecided.\n  one: claim other: UNDECIDED" in result.stdout
    path.write_text(path.read_text().split("    claims:")[0])
    assert invoke("run", path, "--baseline", baseline, "--program", "hessian").exit_code == 4


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
    path.write_text(path.read_text() + '      - {id: d, says: "s", holds: 1/0 > 5}\n')
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


def test_what_a_run_file_holds_steers_no_terminal_and_stays_as_it_is_for_programs(tmp_path, catalog):
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    invoke("run", catalog("2 == 2"), "--out", first, *NARROW)
    invoke("run", catalog("2 == 3"), "--out", second, *NARROW)
    second.write_text(second.read_text().replace("two is", "\\u001b[2J\\u200dtwo is"))
    text = invoke("compare", first, second).stdout
    assert "\ufffd[2J\ufffdtwo is" in text
    assert "\x1b" not in text
    (change,) = json.loads(invoke("compare", first, second, "--json").stdout)["changes"]
    assert change["new"]["said"].startswith("\x1b[2J\u200dtwo is")


def test_a_run_file_that_cannot_be_read_has_status_2(tmp_path):
    (tmp_path / "bad.jsonl").write_text("{}\n")
    for name in ("bad.jsonl", "none.jsonl"):
        result = invoke("report", tmp_path / name, "--html", tmp_path / "x.html")
        assert result.exit_code == 2
        assert name in result.stderr
        assert "Traceback" not in result.stderr


def test_a_compressed_output_is_refused_before_anything_runs(tmp_path, catalog):
    result = invoke("run", catalog(), "--out", tmp_path / "run.jsonl.gz", *NARROW)
    assert result.exit_code == 2
    assert "leave .gz out" in " ".join(result.stderr.split())
    assert list(tmp_path.glob("*.gz*")) == []


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


FORMS = ("--html", "--junit", "--sarif", "--markdown")


@pytest.fixture
def run_file(tmp_path, catalog):
    path = tmp_path / "run.jsonl"
    assert invoke("run", catalog(), "--out", path, "--quiet", *NARROW).exit_code == 0
    return path


@pytest.fixture
def nothing_runs(monkeypatch):
    """Whoever begins to compute, or to read a run, fails."""
    for name in ("verifier.engine.run.run_catalog", "verifier.runs.reader.read", "verifier.runs.journal.read_any"):
        monkeypatch.setattr(name, lambda *given, **more: pytest.fail("it began"))


def refused(result) -> str:
    """The one line that a refusal says."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return result.stderr


def test_an_output_that_would_replace_what_is_needed_is_refused_before_anything_runs(
    tmp_path, catalog, run_file, nothing_runs
):
    path, same = catalog(), tmp_path / "same"
    kept = {each: each.read_bytes() for each in (path, run_file)}
    for arguments, said in (
        (("run", path, "--out", path), "--out .* would replace the catalog"),
        (("run", path, "--junit", tmp_path / "." / path.name), "--junit .* would replace the catalog"),
        (("run", path, "--baseline", run_file, "--out", run_file), "--out .* would replace the baseline"),
        (("run", path, "--out", same, "--html", same), "--out and --html are one file"),
        (("run", path, "--out", same, "--html", f"{same}.journal"), "--html and the journal of --out are one file"),
        *((("report", run_file, form, run_file), f"{form} .* would replace the run file") for form in FORMS),
        (("report", run_file, "--html", same, "--sarif", same), "--html and --sarif are one file"),
        (("compare", run_file, tmp_path / "b.jsonl", "--html", run_file), "would replace the run file"),
        (("merge", tmp_path / "b.jsonl", run_file, "--out", run_file), "--out .* would replace run file 2"),
    ):
        assert re.search(said, refused(invoke(*arguments)))
    assert kept == {each: each.read_bytes() for each in kept}
    assert not same.exists()


@pytest.mark.parametrize("place", ["/proc/x", ""])
def test_what_cannot_be_written_is_one_error_before_anything_runs(tmp_path, catalog, run_file, nothing_runs, place):
    said = "/proc/x: cannot be written" if place else "name a file"
    for option in ("--out", *FORMS):
        assert said in refused(invoke("run", catalog(), option, place, *NARROW))
    for option in FORMS:
        assert said in refused(invoke("report", run_file, option, place))
    assert said in refused(invoke("compare", run_file, run_file, "--html", place))
    assert said in refused(invoke("merge", run_file, "--out", place))
    assert said in refused(invoke("new", "x**2", "--domain", "x=1:2", "--out", place))


def test_a_full_disk_is_one_error_and_leaves_nothing_beside_a_report(tmp_path, run_file, monkeypatch):
    full = OSError(28, "No space left on device")
    monkeypatch.setattr("os.fsync", lambda handle: (_ for _ in ()).throw(full))
    for command in (("report", run_file), ("compare", run_file, run_file)):
        assert "page.html: cannot be written (No space left" in refused(
            invoke(*command, "--html", tmp_path / "page.html")
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.jsonl", "small.yaml"]


def test_a_run_file_can_be_piped_and_a_link_stays_one(tmp_path, catalog, run_file):
    fifo, link = tmp_path / "fifo", tmp_path / "link"
    os.mkfifo(fifo)
    link.symlink_to(run_file)
    before = run_file.read_bytes()
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append(fifo.read_bytes()), daemon=True)
    reader.start()
    assert invoke("run", catalog(), "--out", fifo, "--quiet", *NARROW).exit_code == 0
    reader.join(timeout=10)
    run_file.unlink()
    assert invoke("run", catalog(), "--out", link, "--quiet", *NARROW).exit_code == 0
    assert link.is_symlink()
    piped = tmp_path / "piped"
    for written in (found[0], before):
        piped.write_bytes(written)
        assert equal_bytes_apart_from_provenance(piped, run_file)
    assert stat.S_ISFIFO(fifo.stat().st_mode)
    assert "--out" in refused(invoke("run", catalog(), "--out", fifo, "--resume", *NARROW))
    assert sorted(each.name for each in tmp_path.iterdir()) == ["fifo", "link", "piped", "run.jsonl", "small.yaml"]
