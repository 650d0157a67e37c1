"""Runs on a Dask cluster: the same bytes as on this machine, whatever happens to the cluster's workers."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from verifier.catalog.reader import read
from verifier.cli import main
from verifier.engine import member
from verifier.engine.executor import ThisMachine
from verifier.engine.member import Admission, about
from verifier.engine.options import Options
from verifier.engine.progress import Progress
from verifier.engine.run import run_catalog
from verifier.errors import UsageError, WorkerError
from verifier.runs.journal import journal_of
from verifier.runs.reader import equal_bytes_apart_from_provenance

HEAD = 'format: "1.0"\nsource: {title: T, sections: [{id: s, title: S}]}\n'
LISTING = 'listings:\n  - {id: l, section: s, code: "y = 2\\nprint(y)"}\n'
ENTRY = """\
  {name}:
    title: t
    section: s
    inputs: {{x: {{domain: [1, 2]}}}}
    value: {value}
    orders: [1]
    claims: [{{id: c-{name}, says: s, at: {{x: 1}}, holds: value == 1}}]
"""
NARROW = Options(dtypes=("float64",), devices=("cpu:0",), programs=("grad/jit",), samples=0, cache=False)
NAMES = tuple(f"power-{order}" for order in range(2, 12))


@pytest.fixture
def catalog(tmp_path) -> Path:
    path = tmp_path / "small.yaml"
    entries = "".join(ENTRY.format(name=name, value=f"x**{order}") for order, name in enumerate(NAMES, 2))
    path.write_text(f"{HEAD}{LISTING}entries:\n{entries}")
    return path


def run(catalog: Path, out: Path | None = None, **changes: object):
    return run_catalog(catalog, replace(NARROW, **changes), out=out, progress=Progress(quiet=True))


# What needs no cluster.


@pytest.mark.parametrize(
    "address", ["host", "host:8786", "ray://host:1", "dask://host", "dask://:8786", "dask://host:x", "dask://host:1/a"]
)
def test_an_address_that_is_none_is_a_usage_error(catalog, address):
    with pytest.raises(UsageError, match="give dask://HOST:PORT"):
        run(catalog, executor=address)


def test_a_count_of_processes_is_for_this_machine_only(catalog):
    with pytest.raises(UsageError, match="--workers counts processes of this machine"):
        run(catalog, executor="dask://host:8786", workers=2)


@pytest.mark.parametrize(("asked", "entries", "count"), [(0, 3, 0), (1, 3, 1), (2, 3, 2), (64, 3, 3), (64, 0, 1)])
def test_no_more_processes_share_the_memory_than_there_are_entries(catalog, asked, entries, count):
    machine = ThisMachine(read(catalog), replace(NARROW, workers=asked))
    assert machine.workers_for(None, entries) == count


def test_without_the_extra_the_error_says_what_to_install(catalog, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "verifier.execution.cluster", raising=False)
    result = CliRunner().invoke(main, ["run", str(catalog), "--executor", "dask://localhost:8786"])
    assert result.exit_code == 2
    assert "pip install 'derivative-verifier[distributed]'" in result.stderr


def test_dask_is_not_imported_unless_it_is_asked_for():
    code = "import sys, verifier.cli, verifier.engine.run; print({'distributed', 'dask'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"


def test_a_scheduler_that_does_not_answer_is_one_clear_error(catalog, tmp_path, monkeypatch):
    cluster = pytest.importorskip("verifier.execution.cluster", exc_type=ImportError)
    monkeypatch.setattr(cluster, "_CONNECTING", 0.5)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"dask://127.0.0.1:{nobody.getsockname()[1]}"
        with pytest.raises(UsageError, match=f"no Dask scheduler answers at {address.replace('dask', 'tcp')}"):
            run(catalog, tmp_path / "run.jsonl", executor=address)
    assert not list(tmp_path.glob("run.jsonl*"))


def changed(**changes: object) -> str:
    """What a worker like this process says, with changes inside."""
    said = json.loads(about())
    for name, value in changes.items():
        said[name] = {**said[name], **value}  # type: ignore[dict-item]
    return json.dumps(said)


def test_workers_like_this_one_are_admitted_and_counted():
    admission = Admission.of([about(), about()])
    for _ in range(3):
        admission.admit(about(), "{}")
    assert list(admission.heard.values()) == [3]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"versions": {"jax": "0.1.0"}}, r"other versions: jax 0\.1\.0 \(here "),
        ({"versions": {"python": "3.9.1"}}, r"other versions: python 3\.9\.1"),
        ({"surroundings": {"the verifier": "other"}}, "another verifier of the same version"),
        (
            {"surroundings": {"the machine": "other"}, "machine": {"processor": "Other"}},
            r"the machine \(.* and Other\)",
        ),
        ({"surroundings": {"the environment": "other"}}, "differ in the environment"),
        ({"surroundings": {"the versions": "other"}}, "differ in the versions"),
    ],
)
def test_a_worker_whose_records_could_differ_is_refused(changes, named):
    with pytest.raises(UsageError, match=named):
        Admission.of([about(), changed(**changes)])
    late = Admission.of([about()])
    with pytest.raises(UsageError, match=named):
        late.admit(changed(**changes), "{}")


def test_a_worker_with_other_devices_is_refused():
    admission = Admission.of([about()])
    admission.admit(about(), '{"devices":[]}')
    with pytest.raises(UsageError, match=r"different devices.*verifier merge"):
        admission.admit(about(), '{"devices":[1]}')


def test_what_tells_two_machines_of_one_kind_apart_does_not_count(monkeypatch):
    before = json.loads(about())["surroundings"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    monkeypatch.setattr(member, "machine", lambda: {"system": "Linux", "processor": "p", "cores": 99})
    assert json.loads(about())["surroundings"] == before
    monkeypatch.setenv("XLA_FLAGS", "--xla_of_another_kind")
    assert json.loads(about())["surroundings"] != before


# A real scheduler with two workers, each a process of its own, on loopback.


@contextmanager
def started(*command: str, until: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process of Dask's, once it has said that it is ready, with what `until` found."""
    environment = {"DASK_DISTRIBUTED__WORKER__DAEMON": "false", **os.environ}
    process = subprocess.Popen(
        [sys.executable, "-m", "dask", *command], stderr=subprocess.PIPE, text=True, env=environment
    )
    lines: list[str] = []
    try:
        assert process.stderr is not None
        for line in process.stderr:
            lines.append(line)
            if found := re.search(until, line):
                break
        else:
            pytest.fail(f"dask {' '.join(command)} did not start: {''.join(lines)}")
        drain = threading.Thread(target=process.stderr.read, daemon=True)
        drain.start()
        yield process, found[0]
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        drain.join(5)
        process.stderr.close()


@pytest.fixture
def scheduler() -> Iterator[str]:
    """The address of a scheduler without workers."""
    pytest.importorskip("distributed")
    with started(
        "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", until=r"tcp://[\d.]+:\d+"
    ) as found:
        yield found[1]


@pytest.fixture
def worker(scheduler) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """worker(option, ...) -> a worker of the scheduler, in a process of its own."""
    with ExitStack() as stack:

        def start(*options: str) -> subprocess.Popen[str]:
            given = ("--nthreads", "1", "--memory-limit", "0", "--no-dashboard", "--host", "127.0.0.1")
            return stack.enter_context(started("worker", scheduler, *given, *options, until="Registered to"))[0]

        yield start


class Killing(Progress):
    """Kills a process when so many entries are finished."""

    def __init__(self, process: subprocess.Popen[str], after: int) -> None:
        super().__init__(quiet=True)
        self.process, self.left = process, after

    def done(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.process.send_signal(signal.SIGKILL)


@pytest.mark.slow
def test_a_run_whose_worker_is_killed_is_the_same_bytes_as_a_run_here(catalog, tmp_path, scheduler, worker):
    here, there = tmp_path / "here.jsonl", tmp_path / "there.jsonl"
    run(catalog, here, workers=1)
    worker("--no-nanny")
    victim = worker("--no-nanny")
    options = replace(NARROW, executor=scheduler.replace("tcp", "dask"), timeout=120.0)
    found = run_catalog(catalog, options, out=there, progress=Killing(victim, after=2))
    assert victim.wait(10) == -signal.SIGKILL
    assert [each.entry for each in found.entries] == list(NAMES)
    assert {each.status for each in found.entries} == {"OK"}
    assert equal_bytes_apart_from_provenance(here, there)
    assert not journal_of(there).exists()
    assert sum(each.tasks for each in found.provenance.workers) >= len(NAMES)
    assert [each.name for each in found.provenance.devices][:1] == ["cpu:0"]


@pytest.mark.slow
def test_limits_and_interruptions_hold_on_the_workers(with_a_slow_entry, tmp_path, scheduler, worker):
    worker("--nanny")
    address, out = scheduler.replace("tcp", "dask"), tmp_path / "run.jsonl"
    command = [sys.executable, "-m", "verifier", "run", str(with_a_slow_entry), "--out", str(out), "--no-cache"]
    narrow = ["--dtype", "float64", "--device", "cpu:0", "--program", "grad/jit", "--samples", "0"]
    with subprocess.Popen([*command, *narrow, "--executor", address], stderr=subprocess.PIPE, text=True) as process:
        wait_for_entries(journal_of(out), len(NAMES))
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=4)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert "--resume" in errors
    found = run(with_a_slow_entry, out, executor=address, timeout=10.0, resume=True)
    assert found.provenance.resumed == NAMES
    assert found.entries[-1].reason == "it took longer than 10 s"


@pytest.mark.slow
def test_a_worker_that_may_have_no_processes_is_one_clear_error(catalog, scheduler, worker, monkeypatch):
    monkeypatch.setenv("DASK_DISTRIBUTED__WORKER__DAEMON", "true")
    worker("--nanny")
    with pytest.raises(WorkerError, match=r"distributed\.worker\.daemon: false"):
        run(catalog, executor=scheduler.replace("tcp", "dask"))


@pytest.mark.slow
def test_a_cluster_without_workers_is_one_clear_error(catalog, scheduler, monkeypatch):
    monkeypatch.setattr("verifier.execution.cluster._FIRST_WORKER", 0.5)
    with pytest.raises(UsageError, match="has no workers"):
        run(catalog, executor=scheduler.replace("tcp", "dask"))


def wait_for_entries(journal: Path, count: int) -> None:
    deadline = time.monotonic() + 120
    while not journal.exists() or journal.read_bytes().count(b"\n") <= count:
        assert time.monotonic() < deadline, "the run did not get so far"
        time.sleep(0.05)
