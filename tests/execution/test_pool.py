"""Planted hangs, crashes and hogs: each costs its own task, with the reason, and every other task completes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from verifier.errors import WorkerError
from verifier.execution import pool
from verifier.execution.pool import Call, Doing, Limits, Lost, Workers

SECONDS = 10.0  # a busy machine takes seconds to fill the memory that a task may have
MEMORY = 512 * 2**20


def code(text: str) -> Call:
    """A task that executes this text."""
    return Call("builtins:exec", (text, {}))


PLANTED = {
    "hang": ("import time; time.sleep(1000)", "it took longer than 10 s"),
    "loop": ("while True: pass", "it took longer than 10 s"),
    "integers that hold the lock": ("pow(7, 10**9)", "it took longer than 10 s"),
    "FLINT that holds the lock": ("import flint; flint.fmpz(10**7).fac_ui(10**9)", "it took longer than 10 s"),
    "segfault": ("import ctypes; ctypes.string_at(0)", "its worker process was killed by signal 11 (SIGSEGV)"),
    "kill": ("import os; os.kill(os.getpid(), 9)", "its worker process was killed by signal 9 (SIGKILL)"),
    "abort": ("import os; os.abort()", "its worker process was killed by signal 6 (SIGABRT)"),
    "memory": ("import time; x = b'x' * 2**30; time.sleep(1000)", "it took more than 0.5 GiB of memory"),
    "exit": ("import sys; sys.exit(3)", "SystemExit: 3"),
    "hard exit": ("import os; os._exit(3)", "its worker process ended with exit code 3"),
    "unpicklable exception": (
        "class Odd(Exception):\n  def __init__(self, a, b): pass\n  def __reduce__(self): raise ValueError\n"
        "  def __str__(self): raise ValueError\nraise Odd(1, 2)",
        "Odd",
    ),
    "interrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "recursion": ("def f(): f()\nf()", "RecursionError: maximum recursion depth exceeded"),
    "closed pipe": ("import os; os.closerange(3, 1000)", "its worker process"),
}

_IN_USE = "__import__('verifier.execution.memory', fromlist=['']).resident(__import__('os').getpid())"


@pytest.fixture(scope="module")
def lost():
    """What each planted task cost, run beside tasks that are sound."""
    sound = {f"sound {number}": Call("builtins:pow", (2, number)) for number in range(8)}
    with Workers(4, limits=Limits(seconds=SECONDS, memory=MEMORY)) as workers:
        for key, (text, _) in PLANTED.items():
            workers.submit(key, code(text))
        for key, call in sound.items():
            workers.submit(key, call)
        found = dict(workers.results())
    assert set(found) == {*PLANTED, *sound}
    assert [found[key] for key in sound] == [2**number for number in range(8)]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_fault_costs_its_own_task(lost, planted):
    assert isinstance(lost[planted], Lost)
    assert lost[planted].reason.startswith(PLANTED[planted][1])


def test_a_task_that_dies_costs_one_task_of_one_worker():
    with Workers(1) as workers:
        workers.submit("dies", code("import os; os.kill(os.getpid(), 11)"))
        workers.submit("exits", code("raise SystemExit"))
        workers.submit("sound", Call("builtins:sum", ([1, 2],)))
        found = dict(workers.results())
    assert found["sound"] == 3
    assert "SIGSEGV" in found["dies"].reason
    assert found["exits"] == Lost("SystemExit")


def test_workers_that_are_fresh_interpreters_isolate_as_well(monkeypatch):
    monkeypatch.setattr(pool, "start_method", lambda: "spawn")
    with Workers(1, limits=Limits(seconds=1)) as workers:
        workers.submit("dies", code("import os; os.kill(os.getpid(), 11)"))
        workers.submit("hangs", Call("time:sleep", (1000,)))
        workers.submit("sound", Call("builtins:sum", ([1, 2],)))
        found = dict(workers.results())
    assert "SIGSEGV" in found["dies"].reason
    assert found["hangs"] == Lost("it took longer than 1 s")
    assert found["sound"] == 3


def test_time_counts_from_when_a_task_begins():
    with Workers(1, limits=Limits(seconds=0.4)) as workers:
        for number in range(4):
            workers.submit(str(number), Call("time:sleep", (0.2,)))
        workers.submit("late", Call("time:sleep", (60,)))
        found = dict(workers.results())
    assert found == {"0": None, "1": None, "2": None, "3": None, "late": Lost("it took longer than 0.4 s")}


@pytest.mark.parametrize("kept", [100, 300], ids=["found while the next one runs", "replaced before the next one"])
def test_memory_that_earlier_tasks_left_behind_counts_against_none(kept):
    """Beside what a worker has from the start: the server that forks them may have loaded JAX for an earlier test."""
    mib = 2**20
    with Workers(1) as workers:
        workers.submit("start", Call("builtins:eval", (_IN_USE,)))
        start = dict(workers.results())["start"] // mib + 1
    leak = code(f"import builtins; builtins.kept = b'x' * ({kept} * {mib})")
    small = code(f"import time; x = b'x' * ({start + 350} * {mib}); time.sleep(0.5)")
    with Workers(1, limits=Limits(memory=(2 * start + 400) * mib)) as workers:
        for key, call in {"a": leak, "b": small, "c": small}.items():
            workers.submit(key, call)
        assert dict(workers.results()) == {"a": None, "b": None, "c": None}


def test_a_result_that_cannot_be_pickled_or_read_is_lost():
    with Workers(1) as workers:
        workers.submit("function", Call("builtins:eval", ("lambda: 0",)))
        workers.submit("sound", Call("builtins:int", ("7",)))
        found = dict(workers.results())
    assert "pickle" in found["function"].reason
    assert found["sound"] == 7


def test_tasks_may_be_added_while_results_come():
    with Workers(2) as workers:
        workers.submit("0", Call("builtins:int", (0,)))
        found = {}
        for key, value in workers.results():
            found[key] = value
            if value < 3:
                workers.submit(str(value + 1), Call("builtins:int", (value + 1,)))
    assert found == {str(number): number for number in range(4)}


def test_none_of_it_in_this_process_is_isolated_but_exceptions():
    with Workers(0) as workers:
        workers.submit("pid", Call("os:getpid"))
        workers.submit("raises", code("1 / 0"))
        assert dict(workers.results()) == {"pid": os.getpid(), "raises": Lost("ZeroDivisionError: division by zero")}


def test_what_each_worker_does_can_be_watched():
    seen: list[tuple[Doing, ...]] = []
    with Workers(1, watch=lambda: seen.append(workers.doing)) as workers:
        workers.submit("nap", Call("time:sleep", (0.3,)))
        assert dict(workers.results()) == {"nap": None}
    assert any([each.key for each in doing] == ["nap"] for doing in seen)


def test_workers_that_do_not_start_are_one_clear_error():
    with Workers(1, setup=Call("os:_exit", (5,))) as workers:
        workers.submit("any", Call("os:getpid"))
        with pytest.raises(WorkerError, match="exit code 5"):
            list(workers.results())


def _gone(pid: int, seconds: float = 3.0) -> bool:
    """Whether a process ends soon."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (ProcessLookupError, FileNotFoundError):
            return True
        if state == "Z":  # ended; its new parent has not asked yet
            return True
        time.sleep(0.02)
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("task", ["import time; time.sleep(1000)", "pow(7, 10**9)"], ids=["hang", "holding the lock"])
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_a_worker_does_not_outlive_its_parent(task, ending):
    script = (
        "import signal\n"
        "from verifier.execution.pool import Call, Workers\n"
        # Started in the background of a script, the tests ignore Ctrl-C, and what they start would, too.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "def watch():\n"
        "    for each in workers._workers:\n"
        "        if each.task: print(each.pid, flush=True)\n"
        "if __name__ == '__main__':\n"
        "    with Workers(1, watch=watch) as workers:\n"
        f"        workers.submit('task', Call('builtins:exec', ({task!r}, {{}})))\n"
        "        list(workers.results())\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    clock = time.monotonic()
    parent.send_signal(ending)
    parent.communicate(timeout=60)
    assert time.monotonic() - clock < 2
    assert _gone(pid)


def test_workers_import_nothing_from_the_current_folder(tmp_path):
    """A catalog may lie in a folder with a `jax.py` that nobody wants to run."""
    script, folder = tmp_path / "script" / "run.py", tmp_path / "folder"
    script.parent.mkdir()
    folder.mkdir()
    script.write_text(
        "from verifier.execution.pool import Call, Workers\n"
        "if __name__ == '__main__':\n"
        "    with Workers(1, preload=('colorsys',)) as workers:\n"
        "        workers.submit('grey', Call('colorsys:rgb_to_hls', (0.5, 0.5, 0.5)))\n"
        "        print(dict(workers.results())['grey'])\n"
    )
    for name in ("colorsys", "multiprocessing", "signal", "select"):
        (folder / f"{name}.py").write_text("open('imported', 'w').close()\n")
    found = subprocess.run([sys.executable, str(script)], cwd=folder, capture_output=True, text=True, check=True)
    assert found.stdout == "(0.0, 0.5, 0.0)\n"
    assert not (folder / "imported").exists()
