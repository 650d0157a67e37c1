"""What a verification costs, beside what compiling costs and beside others: ratios of CPU time of one run.

    python benchmarks/performance.py            measure and print (about fifty minutes)
    python benchmarks/performance.py --write    and write the tables and the pictures of docs/performance.md
    python benchmarks/performance.py --only SECTION     one of those in SECTIONS: compare, article, program, ...

Each section is a process of its own, one after the other, so that its peak memory is its own; `compare` is one process
for all that is compared. Torch is measured where it is installed.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "performance.md"
PICTURE = HERE.parent / "docs" / "pictures" / "performance.svg"
BEGIN, END = "<!-- measured: benchmarks/performance.py -->", "<!-- end of measured -->"

FEW, MANY = 100, 1000
_RIVAL_POINTS = 3
_LIMIT = 20
"""Seconds of wall clock for SymPy with one function."""

Found = dict[str, Any]


class _TooLong(Exception):
    pass


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    """Raise _TooLong in the block after so many seconds."""

    def stop(*_: Any) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def peak() -> float:
    """The most memory that this process has held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# ---- sections: each runs in a process of its own and returns what JSON can hold


def compare() -> Found:
    """Engine, floor and rivals on the work set."""
    import measures

    entries = measures.entries_of(HERE / "work_set.yaml")
    measures.floor(measures.functions(entries[0], 2))  # imports and first uses
    measures.measured(measures.functions(entries[0], 2))
    rows = []
    for entry in entries:
        rows.append({"id": entry.id, **_engine(entry), **_rules(entry), **_rivals(entry)})
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    return {"rows": rows, "peak": peak(), **_versions()}


def _versions() -> Found:
    import platform

    import jax
    import rivals

    return {"jax": jax.__version__, "python": platform.python_version(), "torch": rivals.torch_version()}


def _engine(entry: Any) -> Found:
    import measures

    found: Found = {}
    for count in (FEW, MANY):
        function = measures.functions(entry, count)
        measures.clear()
        found[f"floor{count}"], _ = measures.seconds(lambda given=function: measures.floor(given))
        clock = measures.Clock(measures.engine, ("rule_findings", "observe"))
        function = measures.functions(entry, count)
        measures.clear()
        with clock.on():
            spent, outcome = measures.seconds(lambda given=function: measures.measured(given))
        found[f"engine{count}"] = spent
        found[f"rules{count}"] = clock.spent.get("rule_findings", 0.0)
        found[f"observe{count}"] = clock.spent.get("observe", 0.0)
        found[f"components{count}"] = sum(sum(each.counts.values()) for each in outcome.verdicts)
        found[f"failing{count}"] = sum(each.fails for each in outcome.verdicts)
    return found


def _rules(entry: Any) -> Found:
    """The rule verdict without a compiler, and its parts."""
    import measures

    function = measures.functions(entry, FEW)
    _, spent = measures.verdicts_alone(function, function.points)
    return {f"{name}_alone": each for name, each in spent.items()}


def _rivals(entry: Any) -> Found:
    import measures
    import rivals

    function = measures.functions(entry, FEW)
    first, further = function.points[-1:], function.points[-1 - _RIVAL_POINTS : -1]
    works: dict[str, Callable[[Sequence[Any]], Any]] = {
        "check_grads": lambda points: rivals.by_check_grads(function, points, jitted=False),
        "check_grads_jit": lambda points: rivals.by_check_grads(function, points, jitted=True),
        "sympy": lambda points: rivals.by_sympy(function, points),
    }
    if rivals.has_torch:
        works["torch"] = lambda points: rivals.by_torch(function, points)
    found: Found = {}
    for name, work in works.items():
        measures.clear()
        try:
            with limited(_LIMIT if name == "sympy" else 600):
                once, _ = measures.seconds(partial(work, first))
                # The same again at other points: what the first one warmed stays warm, as in a user's loop.
                again, _ = measures.seconds(partial(work, further))
        except (_TooLong, ValueError) as error:
            found[name] = None
            found[f"{name}_why"] = f"more than {_LIMIT} s" if isinstance(error, _TooLong) else str(error)
            continue
        found[name] = [once, again / _RIVAL_POINTS]
    return found


def article() -> Found:
    """The whole article in this process, beside what its programs themselves take: tracing, compiling, running."""
    import time
    from tempfile import TemporaryDirectory

    import measures

    from verifier.engine.progress import Progress
    from verifier.engine.run import run_catalog

    started = time.process_time()  # all since the process began
    options = measures.Options(workers=0, cache=False)
    clock = measures.Clock(measures.engine, ("rule_findings", "observe"))
    with TemporaryDirectory() as place, clock.on(), Progress(quiet=True) as progress:
        out = Path(place) / "run.jsonl"
        spent, run = measures.seconds(
            lambda: run_catalog(HERE.parent / "catalog" / "article.yaml", options, out=out, progress=progress)
        )
    programs = {(each.entry, each.order, each.program, each.dtype, each.device) for each in run.verdicts}
    return {
        "started": started,
        "spent": spent,
        "floor": clock.spent["observe"],
        "rules": clock.spent["rule_findings"],
        "programs": len(programs),
        "peak": peak(),
    }


def program() -> Found:
    """1,000 certified points of a program of 70 equations, beside compiling it once."""
    import jax
    import jax.numpy as jnp
    import measures
    import numpy as np

    from verifier.arithmetic.ball import BallSystem
    from verifier.execution.dtypes import x64_for
    from verifier.truth.jaxprs import evaluate
    from verifier.truth.replay import run

    def function(x: Any) -> Any:
        for _ in range(12):
            x = jnp.sin(x) * x + 0.5 / (1 + x * x)
        return x

    with x64_for("float64"):
        place = jnp.asarray(0.7)
        jaxpr = jax.make_jaxpr(function)(place)
        compiling, _ = measures.seconds(lambda: jax.jit(function).lower(place).compile())
        slope, _ = measures.seconds(lambda: jax.jit(jax.grad(function)).lower(place).compile())
        derived = jax.make_jaxpr(jax.grad(function))(place)
    points = [np.array(each) for each in np.linspace(0.1, 2, MANY)]
    found = {
        f"{name}{how}": measures.seconds(lambda of=of, work=work: [work(of, [each]) for each in points])[0]
        for name, of in (("value", jaxpr), ("grad", derived))
        for how, work in (
            ("", lambda of, place: run(of, place, BallSystem(160), {})),
            ("_walked", lambda of, place: evaluate(of, place, BallSystem(160))),
        )
    }
    return {
        "equations": len(jaxpr.jaxpr.eqns),
        "grad_equations": len(derived.jaxpr.eqns),
        "compile": compiling,
        "compile_grad": slope,
        **found,
        "peak": peak(),
    }


def points() -> Found:
    """One function at ever more points: its value and its gradient."""
    import measures

    entry = measures.entries_of(HERE / "work_set.yaml")[4]
    wanted = ("value/vmap", "grad/vmap")
    measures.measured(measures.functions(entry, 5, wanted))

    def at(count: int) -> float:
        function = measures.functions(entry, count, wanted)
        measures.clear()
        with measures.Clock(measures.engine, ("rule_findings",)).on():
            return measures.seconds(lambda: measures.measured(function))[0]

    return _grown((10, 100, 1_000, 10_000, 100_000), at)


def entries() -> Found:
    """A catalog of ever more entries, each a function of its own: value and gradient at eight points."""
    import measures

    wanted = ("value/vmap", "grad/vmap")

    def at(count: int) -> float:
        inputs = "inputs: {x: {domain: [-2, 2]}}"
        rows = "".join(
            f"  e{i}: {{title: t, section: s, {inputs}, value: sin({i}*x)*exp(-x), orders: [1]}}\n"
            for i in range(1, count + 1)
        )
        text = f'format: "1.0"\nsource: {{title: t, sections: [{{id: s, title: s}}]}}\nentries:\n{rows}'
        return measures.seconds(
            lambda: [measures.measured(measures.functions(each, 8, wanted)) for each in measures.entries_of(text)]
        )[0]

    at(1)
    return _grown((1, 10, 100, 1_000), at)


def depth() -> Found:
    """A chain of sines by `let`: the certified value and slope at one point."""

    def at(count: int) -> float:
        lets = ", ".join(f"s{i}: sin({f's{i - 1}' if i > 1 else 'x'})" for i in range(1, count + 1))
        return _truth(f"inputs: {{x: {{domain: [-1, 1]}}}}, let: {{{lets}}}, value: s{count}")

    at(1)
    return _grown((1, 10, 100, 1_000, 10_000), at)


def parameters() -> Found:
    """A function of ever more parameters: the certified gradient at one point."""

    def at(count: int) -> float:
        return _truth(f"inputs: {{v: {{shape: [{count}], domain: [-1, 1]}}}}, value: logsumexp(sin(v)*v)")

    at(1)
    return _grown((1, 10, 100, 1_000, 10_000), at)


def _truth(body: str) -> float:
    import measures
    import numpy as np

    from verifier.arithmetic.floats import FLOAT64
    from verifier.truth.formula import FormulaTruth

    text = (
        'format: "1.0"\nsource: {title: t, sections: [{id: s, title: s}]}\n'
        f"entries:\n  e: {{title: t, section: s, {body}, orders: [1]}}\n"
    )

    def certified() -> None:
        (entry,) = measures.entries_of(text)
        prepared = measures.engine.prepare(entry, {})
        (leaf,) = entry.inputs
        place = np.empty(leaf.shape, dtype=object)
        place[...] = [Fraction(i % 7 + 1, 8) for i in range(place.size)] if leaf.shape else Fraction(5, 8)
        FormulaTruth(prepared.definitions, (0, 1), {}).at({leaf.name: place}, FLOAT64)

    return measures.seconds(certified)[0]


def _grown(sizes: Sequence[int], at: Callable[[int], float]) -> Found:
    rows = []
    for size in sizes:
        try:
            with limited(500):
                rows.append([size, at(size), peak(), ""])
        except Exception as error:  # where it stops is a figure, too
            rows.append([size, None, peak(), type(error).__name__])
            break
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    return {"rows": rows}


SECTIONS: Mapping[str, Callable[[], Found]] = {
    "compare": compare,
    "article": article,
    "program": program,
    "points": points,
    "entries": entries,
    "depth": depth,
    "parameters": parameters,
}


# ---- the page


def of_process(section: str) -> Found:
    """A section's figures, from a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--section", section], stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure, print, and write where that is asked for."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--write", action="store_true")
    arguments.add_argument("--only", choices=SECTIONS)
    arguments.add_argument("--keep", type=Path, help="a JSON file that the figures are added to, section by section")
    arguments.add_argument("--section", choices=SECTIONS, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.section:
        print(json.dumps(SECTIONS[given.section]()))
        return
    found = json.loads(given.keep.read_text()) if given.keep and given.keep.exists() else {}
    for section in [given.only] if given.only else SECTIONS:
        found[section] = of_process(section)
        if given.keep:
            given.keep.write_text(json.dumps(found))
    from page import picture, tables

    text = tables(found)
    print(text)
    if given.write:
        body = f"{BEGIN}\n\n{text}\n\n{END}"
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: body, page, flags=re.DOTALL), encoding="utf-8")
        PICTURE.write_text(picture(found), encoding="utf-8")


if __name__ == "__main__":
    main()
