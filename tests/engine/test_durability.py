"""Runs that are cut off, continued and repeated: nothing finished is lost, and the run file is the same bytes."""

from __future__ import annotations

import gzip
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from verifier.cli import main
from verifier.engine import reuse
from verifier.engine import worker as worker_module
from verifier.engine.options import Options
from verifier.engine.progress import Progress
from verifier.engine.reuse import canonical
from verifier.engine.run import run_catalog
from verifier.errors import RunFileError, UsageError
from verifier.model.catalog import Entry, Position, Text
from verifier.report.html import render
from verifier.runs.journal import journal_of, read_any
from verifier.runs.reader import equal_bytes_apart_from_provenance, read

HEAD = 'format: "1.0"\nsource: {title: T, sections: [{id: s, title: S}]}\nentries:\n'
ENTRY = """\
  {name}:
    title: t
    section: s
    inputs: {{x: {{domain: [1, 2]}}}}
    value: {value}
    orders: [1]
    claims: [{{id: c-{name}, says: s, at: {{x: 1}}, holds: value == 1}}]
"""
NARROW = Options(dtypes=("float64",), devices=("cpu:0",), programs=("grad/jit",), samples=0, workers=0, cache=False)
CACHED = replace(NARROW, cache=True)
NAMES = ("one", "two", "three", "four")


@pytest.fixture
def catalog(tmp_path) -> Path:
    return written(tmp_path / "small.yaml")


def written(path: Path, **values: str) -> Path:
    path.write_text(HEAD + "".join(ENTRY.format(name=name, value=values.get(name, "x**2")) for name in NAMES))
    return path


def run(catalog: Path, out: Path, options: Options = NARROW):
    return run_catalog(catalog, options, out=out, progress=Progress(quiet=True))


@pytest.fixture
def verified(monkeypatch) -> list[str]:
    """The entries that a worker really verified, in order."""
    seen: list[str] = []
    sound = worker_module.prepare

    def prepare(entry, listings):
        seen.append(entry.id)
        return sound(entry, listings)

    monkeypatch.setattr(worker_module, "prepare", prepare)
    return seen


@pytest.fixture
def cut_off(monkeypatch):
    """cut_off(entry, error) -> the run ends with this error when it comes to this entry."""

    def plant(name: str, error: type[BaseException] = KeyboardInterrupt) -> None:
        sound = worker_module.verify

        def verify(prepared, *given):
            if prepared.entry.id == name:
                raise error
            return sound(prepared, *given)

        monkeypatch.setattr(worker_module, "verify", verify)

    return plant


def test_a_run_that_was_cut_off_is_continued_to_the_same_bytes(catalog, tmp_path, cut_off, verified, monkeypatch):
    whole, out = tmp_path / "whole.jsonl", tmp_path / "run.jsonl"
    run(catalog, whole)
    with monkeypatch.context() as planted:
        sound = worker_module.verify
        cut_off("three")
        with pytest.raises(KeyboardInterrupt):
            run(catalog, out)
        planted.setattr(worker_module, "verify", sound)
    assert not out.exists()
    monkeypatch.setattr(worker_module, "verify", sound)
    with journal_of(out).open("ab") as journal:
        journal.write(b'{"entry":{"torn')
    verified.clear()
    resumed = run(catalog, out, replace(NARROW, resume=True))
    assert verified == ["three", "four"]
    assert resumed.provenance.resumed == ("one", "two")
    assert equal_bytes_apart_from_provenance(whole, out)
    assert not journal_of(out).exists()


def test_a_journal_can_be_read_and_reported_while_it_is_incomplete(catalog, tmp_path, cut_off):
    out = tmp_path / "run.jsonl"
    cut_off("three")
    with pytest.raises(KeyboardInterrupt):
        run(catalog, out)
    partial = read_any(journal_of(out))
    assert [each.entry for each in partial.entries] == ["one", "two"]
    assert partial.unfinished == ("three", "four")
    page = render(partial)
    assert "Incomplete" in page
    assert "three, four" in page


def test_a_complete_run_is_not_called_incomplete(catalog, tmp_path):
    run(catalog, tmp_path / "run.jsonl")
    found = read_any(tmp_path / "run.jsonl")
    assert found.unfinished == ()
    assert "Incomplete" not in render(found)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"options": {"seed": 7}}, "the options"),
        ({"options": {"samples": 3}}, "the options"),
        ({"options": {"entries": ("one",)}}, "the entries"),
        ({"catalog": {"four": "x**2 + 1"}}, "the catalog"),
        ({"environment": ("XLA_FLAGS", "--xla_cpu_enable_fast_math=false")}, "the environment"),
    ],
)
def test_a_journal_of_another_run_is_refused_and_kept(catalog, tmp_path, cut_off, monkeypatch, change, named):
    out = tmp_path / "run.jsonl"
    cut_off("two")
    with pytest.raises(KeyboardInterrupt):
        run(catalog, out)
    before = journal_of(out).read_bytes()
    written(catalog, **change.get("catalog", {}))
    if "environment" in change:
        monkeypatch.setenv(*change["environment"])
    options = replace(NARROW, resume=True, **change.get("options", {}))
    with pytest.raises(RunFileError, match=f"another run: {named}.*without --resume"):
        run(catalog, out, options)
    assert journal_of(out).read_bytes() == before


def test_a_corrupt_journal_is_refused_and_kept(catalog, tmp_path, cut_off):
    out = tmp_path / "run.jsonl"
    cut_off("three")
    with pytest.raises(KeyboardInterrupt):
        run(catalog, out)
    lines = journal_of(out).read_bytes().splitlines(keepends=True)
    long = b"1" * 6000 + b"\n"
    for fault in (
        [lines[0], b"{}\n", lines[2]],
        [lines[0], long],
        [b'{"journal":' + long],
        [b'{"kind":"header"}\n'],
        [b'{"journal":"9.0","surprise":1}\n'],
        [],
    ):
        journal_of(out).write_bytes(b"".join(fault))
        with pytest.raises(RunFileError, match="without --resume"):
            run(catalog, out, replace(NARROW, resume=True))
        assert journal_of(out).read_bytes() == b"".join(fault)


def test_a_second_run_with_the_same_file_is_refused_and_the_first_one_ends_well(catalog, tmp_path, monkeypatch):
    out, sound, refused = tmp_path / "run.jsonl", worker_module.verify, []

    def verify(prepared, *given):
        if prepared.entry.id == "three":
            for options in (NARROW, replace(NARROW, resume=True)):
                with pytest.raises(RunFileError, match="another run is under way"):
                    run(catalog, out, options)
                refused.append(options)
        return sound(prepared, *given)

    monkeypatch.setattr(worker_module, "verify", verify)
    assert [each.entry for each in run(catalog, out).entries] == list(NAMES)
    assert len(refused) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.jsonl", "small.yaml"]


def test_resuming_without_a_journal_begins(catalog, tmp_path):
    assert run(catalog, tmp_path / "run.jsonl", replace(NARROW, resume=True)).provenance.resumed == ()


def test_resuming_needs_a_file(catalog):
    with pytest.raises(UsageError, match="--out"):
        run_catalog(catalog, replace(NARROW, resume=True), out=None, progress=Progress(quiet=True))


def test_an_entry_that_a_limit_stopped_is_tried_again(catalog, tmp_path, cut_off, verified, monkeypatch):
    out = tmp_path / "run.jsonl"
    sound = worker_module.verify

    def verify(prepared, *given):
        if prepared.entry.id == "four":
            raise KeyboardInterrupt
        if prepared.entry.id == "two":
            raise MemoryError("planted")
        return sound(prepared, *given)

    monkeypatch.setattr(worker_module, "verify", verify)
    with pytest.raises(KeyboardInterrupt):
        run(catalog, out, CACHED)
    assert [each.status for each in read_any(journal_of(out)).entries] == ["OK", "FAILED", "OK"]
    monkeypatch.setattr(worker_module, "verify", sound)
    verified.clear()
    resumed = run(catalog, out, replace(CACHED, resume=True))
    assert verified == ["two", "four"]
    assert {each.status for each in resumed.entries} == {"OK"}


def test_a_message_that_is_no_text_costs_its_entry_alone(catalog, tmp_path, monkeypatch):
    sound = worker_module.verify

    def verify(prepared, *given):
        if prepared.entry.id == "two":
            raise ValueError("bad \ud800 text")
        return sound(prepared, *given)

    monkeypatch.setattr(worker_module, "verify", verify)
    found = run(catalog, tmp_path / "run.jsonl", CACHED)
    assert [each.status for each in found.entries] == ["OK", "FAILED", "OK", "OK"]
    assert found.entries[1].reason == "ValueError: bad \\ud800 text"
    assert read(tmp_path / "run.jsonl").entries == found.entries
    assert "bad \\ud800 text" in render(found)


def test_a_second_run_verifies_nothing_and_is_the_same(catalog, tmp_path, verified):
    first, second = run(catalog, tmp_path / "a.jsonl", CACHED), run(catalog, tmp_path / "b.jsonl", CACHED)
    assert verified == list(NAMES)
    assert first.provenance.reused == ()
    assert second.provenance.reused == NAMES
    assert equal_bytes_apart_from_provenance(tmp_path / "a.jsonl", tmp_path / "b.jsonl")


def test_only_what_changed_is_verified(catalog, tmp_path, verified):
    run(catalog, tmp_path / "a.jsonl", CACHED)
    verified.clear()
    written(catalog, two="x**2 + 0*x")
    again = run(catalog, tmp_path / "b.jsonl", CACHED)
    assert verified == ["two"]
    assert set(again.provenance.reused) == set(NAMES) - {"two"}
    run(catalog, tmp_path / "c.jsonl")
    assert equal_bytes_apart_from_provenance(tmp_path / "b.jsonl", tmp_path / "c.jsonl")


LISTINGS = 'listings: [{id: l, section: s, code: "y = 2.0"}]\n'
WITH_LISTING = ENTRY.replace("    orders", "    data: {{c: {{shape: [], listing: l, variable: y}}}}\n    orders")


def test_listings_are_run_once_for_all_that_rests_on_them(catalog, tmp_path, verified, monkeypatch):
    runs = []
    sound = worker_module.run_listings
    monkeypatch.setattr(worker_module, "run_listings", lambda given: runs.append(given) or sound(given))

    def write(value: str, listings: str = LISTINGS) -> None:
        entries = WITH_LISTING.format(name="two", value=value) + ENTRY.format(name="one", value="x**2")
        catalog.write_text(HEAD.replace("entries:", f"{listings}entries:") + entries)

    write("c*x")
    run(catalog, tmp_path / "a.jsonl", CACHED)
    write("c*x**2")
    again = run(catalog, tmp_path / "b.jsonl", CACHED)
    assert (verified, len(runs)) == (["one", "two", "two"], 1)
    assert again.provenance.reused == ("one",)
    run(catalog, tmp_path / "c.jsonl", replace(CACHED, fresh=True))
    assert len(runs) == 2
    assert equal_bytes_apart_from_provenance(tmp_path / "b.jsonl", tmp_path / "c.jsonl")
    write("c*x**2", LISTINGS.replace("2.0", "3.0"))
    run(catalog, tmp_path / "d.jsonl", CACHED)
    assert len(runs) == 3


def test_a_run_that_is_cut_off_keeps_what_it_reused(catalog, tmp_path, cut_off):
    run(catalog, tmp_path / "a.jsonl", CACHED)
    written(catalog, two="x**2 + 0*x")
    cut_off("two")
    out = tmp_path / "b.jsonl"
    with pytest.raises(KeyboardInterrupt):
        run(catalog, out, CACHED)
    assert {each.entry for each in read_any(journal_of(out)).entries} == set(NAMES) - {"two"}


@pytest.mark.parametrize(
    "change",
    [{"seed": 1}, {"samples": 1}, {"programs": ("grad/eager",)}, {"dtypes": ("float32",)}, {"fresh": True}],
    ids=lambda change: next(iter(change)),
)
def test_other_options_or_fresh_verify_everything(catalog, tmp_path, verified, change):
    run(catalog, tmp_path / "a.jsonl", CACHED)
    verified.clear()
    assert run(catalog, tmp_path / "b.jsonl", replace(CACHED, **change)).provenance.reused == ()
    assert verified == list(NAMES)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("versions", {**reuse.versions(), "jaxlib": "0.0.1"}),
        ("machine", {**reuse.machine(), "processor": "another"}),
        ("_features", "flags : fewer"),
        ("_source", [("engine/entry.py", "changed")]),
        ("_distributions", {"scipy-0.0.1.dist-info"}),
        ("_accelerators", [("/dev/nvidia0", "")]),
    ],
)
def test_other_surroundings_verify_everything(catalog, tmp_path, verified, monkeypatch, name, value):
    narrow = replace(CACHED, entries=("one",))
    run(catalog, tmp_path / "a.jsonl", narrow)
    monkeypatch.setattr(reuse, name, lambda: value)
    assert run(catalog, tmp_path / "b.jsonl", narrow).provenance.reused == ()
    assert verified == ["one", "one"]


def test_what_only_reads_results_and_where_jax_is_told_of_two_host_devices_change_no_key(monkeypatch):
    assert not any(name.startswith(("report/", "compare/", "cli.py")) for name, _ in reuse._source())
    assert {"engine/entry.py", "truth/machine.py"} <= {name for name, _ in reuse._source()}
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    before = reuse.surroundings()
    monkeypatch.setenv("XLA_FLAGS", "--xla_force_host_platform_device_count=2")
    assert reuse.surroundings() == before
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=true")
    assert reuse.surroundings() != before


def test_an_acknowledgement_changes_no_verdict_and_counts_at_once(catalog, tmp_path, verified):
    written(catalog, one="x**2 + 1")
    assert run(catalog, tmp_path / "a.jsonl", CACHED).end.exit_status == 1
    verified.clear()
    text = catalog.read_text().replace(
        "  two:", "    acknowledged: [{claim: c-one, verdict: REFUTED, reason: r}]\n  two:", 1
    )
    catalog.write_text(text)
    again = run(catalog, tmp_path / "b.jsonl", CACHED)
    assert verified == []
    assert (again.end.exit_status, again.end.acknowledged) == (0, 1)


def test_what_the_cache_holds_is_data_and_broken_data_is_a_miss(catalog, tmp_path, verified):
    run(catalog, tmp_path / "a.jsonl", CACHED)
    folder = Path(os.environ["XDG_CACHE_HOME"]) / "derivative-verifier" / "entries"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) == len(NAMES) + 1  # and the devices
    for path, content in zip(files, (b"", b"\x1f\x8b broken", b"{}", compressed("[1]"), compressed("{}")), strict=True):
        path.write_bytes(content)
    verified.clear()
    assert run(catalog, tmp_path / "b.jsonl", CACHED).provenance.reused == ()
    assert verified == list(NAMES)
    assert equal_bytes_apart_from_provenance(tmp_path / "a.jsonl", tmp_path / "b.jsonl")


def compressed(text: str) -> bytes:

    return gzip.compress(text.encode())


def test_a_cache_that_others_can_write_to_is_refused(catalog, tmp_path):
    folder = Path(os.environ["XDG_CACHE_HOME"]) / "derivative-verifier" / "entries"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    with pytest.raises(UsageError, match="others can write"):
        run(catalog, tmp_path / "a.jsonl", CACHED)


def test_the_canonical_form_leaves_positions_out_and_refuses_what_is_no_data():
    here, there = (Text("x", position=Position(file="f", line=line)) for line in (1, 2))
    entries = [Entry(id="e", title="t", section="s", value=text) for text in (here, there)]
    assert canonical(entries[0]) == canonical(entries[1])
    assert canonical(entries[0]) != canonical(replace(entries[0], value=Text("y")))
    assert json.loads(json.dumps(canonical(entries[0]))) == canonical(entries[0])
    with pytest.raises(TypeError):
        canonical({"x": {1, 2}})


def test_a_file_that_cannot_be_written_is_one_clear_error_before_anything_runs(catalog, tmp_path, verified):
    place = tmp_path / "run.jsonl"
    journal_of(place).mkdir()
    with pytest.raises(RunFileError, match=r"cannot be written .*another place"):
        run(catalog, place)
    assert verified == []


def test_a_full_disk_destroys_nothing(catalog, tmp_path, monkeypatch):
    out = tmp_path / "run.jsonl"
    run(catalog, out)
    before = out.read_bytes()
    monkeypatch.setattr(os, "fsync", lambda handle: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(RunFileError, match="No space left"):
        run(catalog, out, replace(NARROW, seed=1))
    assert out.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.jsonl", "run.jsonl.journal", "small.yaml"]


def test_ctrl_c_has_status_130_and_says_what_is_kept(catalog, tmp_path, cut_off):
    out = tmp_path / "run.jsonl"
    cut_off("two")
    narrow = ("--dtype", "float64", "--program", "grad/jit", "--samples", "0", "--workers", "0")
    result = CliRunner().invoke(main, ["run", str(catalog), "--out", str(out), *narrow])
    assert result.exit_code == 130
    assert "run.jsonl.journal keeps what is finished: go on with --resume" in result.stderr
    html = tmp_path / "report.html"
    assert CliRunner().invoke(main, ["report", str(journal_of(out)), "--html", str(html)]).exit_code == 0
    assert "Incomplete" in html.read_text()


COMMAND = ("--dtype", "float64", "--device", "cpu:0", "--program", "grad/jit", "--samples", "0", "--workers", "2")


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """start(catalog, out, *options) -> a run in a process of its own."""
    with ExitStack() as stack:

        def begin(catalog: Path, out: Path, *more: str) -> subprocess.Popen[str]:
            command = [sys.executable, "-m", "verifier", "run", catalog, "--out", out, "--no-cache", *COMMAND, *more]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield begin


def wait_for_entries(out: Path, count: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if journal_of(out).exists() and journal_of(out).read_bytes().count(b"\n") > count:
            return
        time.sleep(0.02)
    raise AssertionError("no entry was finished in a minute")


@pytest.mark.slow
def test_a_run_that_finds_everything_in_the_cache_starts_no_jax(catalog, tmp_path):
    run(catalog, tmp_path / "a.jsonl", replace(CACHED, programs=(), seed=5))
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from verifier.engine.options import Options\n"
        "from verifier.engine.progress import Progress\n"
        "from verifier.engine.run import run_catalog\n"
        "options = Options(dtypes=('float64',), devices=('cpu:0',), samples=0, seed=5)\n"
        "run = run_catalog(Path(sys.argv[1]), options, out=None, progress=Progress(quiet=True))\n"
        "heavy = {'jax', 'sympy', 'flint'} & set(sys.modules)\n"
        "print(len(run.provenance.reused), sorted(heavy))\n"
    )
    done = subprocess.run([sys.executable, "-c", script, catalog], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{len(NAMES)} []"


@pytest.mark.slow
@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_killed_run_is_continued_to_the_same_bytes(catalog, tmp_path, start, after):
    whole, out = tmp_path / "whole.jsonl", tmp_path / "run.jsonl"
    start(catalog, whole).communicate(timeout=120)
    process = start(catalog, out)
    wait_for_entries(out, after)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    kept = journal_of(out).read_bytes().count(b"\n") - 1 if journal_of(out).exists() else 0
    text, errors = start(catalog, out, "--resume").communicate(timeout=120)
    assert len(read(out).provenance.resumed) >= min(after, kept), (text, errors)
    assert equal_bytes_apart_from_provenance(whole, out)


@pytest.mark.slow
def test_an_interrupted_run_ends_at_once_with_its_status(with_a_slow_entry, tmp_path, start):
    out = tmp_path / "run.jsonl"
    process = start(with_a_slow_entry, out)
    wait_for_entries(out, 4)
    process.send_signal(signal.SIGINT)
    process.wait(timeout=2)
    _, errors = process.communicate()
    assert process.returncode == 130
    assert "--resume" in errors
    assert "Traceback" not in errors
    assert read_any(journal_of(out)).unfinished == ("slow",)


@pytest.mark.slow
def test_an_entry_that_takes_too_long_costs_itself(with_a_slow_entry, tmp_path, start):
    out = tmp_path / "run.jsonl"
    process = start(with_a_slow_entry, out, "--timeout", "30")
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 4, errors
    entries = read(out).entries
    assert [each.status for each in entries] == ["OK"] * 4 + ["FAILED"]
    assert entries[-1].reason == "it took longer than 30 s"
