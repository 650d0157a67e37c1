"""Programs that a catalog names: refused unless allowed, run in the formula's place, judged against the formula."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from verifier.cli import main
from verifier.errors import CatalogError, UsageError
from verifier.runs.reader import Run

Verified = Callable[..., Run]

HEAD = 'format: "1.0"\nsource: {title: T, sections: [{id: s, title: S}]}\n'

SQUARE = """
inputs: {x: {domain: [-2, 2]}}
value: x**2
implementation: {program}
orders: [1]
points: [{x: 3/2}]
"""

PROGRAMS = """
import jax
import jax.numpy as jnp
from pathlib import Path

def square(x): return x * x
def clipped(x): return _square(x, 1.0)
def bounded(x): return _square(x, 1e9)
@jax.custom_vjp
def _square(x, most): return x * x
_square.defvjp(
    lambda x, most: (x * x, (x, most)),
    lambda held, cotangent: (2 * held[0] * jnp.clip(cotangent, -held[1], held[1]), jnp.zeros_like(held[1])),
)
@jax.custom_vjp
def beside(x): return x * x
beside.defvjp(lambda x: (x + x, x), lambda x, cotangent: (2 * x * cotangent,))
def cube(x): return x * x * x
def flat(x): return jnp.stack([x, x])
def pair(x): return x, x
def whole(x): return 2
def scaled(x, by, power, sign=1.0): return sign * by[0] * x**power
def nested(p): return p["w"] * p["b"]["c"]
def order(y, x): return x - 2 * y
def leaves(x): raise SystemExit(3)
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a module that can be imported, and is forgotten afterwards."""
    name = f"programs_{abs(hash(tmp_path))}"
    (tmp_path / f"{name}.py").write_text(PROGRAMS)
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    sys.modules.pop(name, None)


def is_right(run: Run) -> bool:
    """Whether something was judged, nothing failed, and the declared point's numbers are accurate."""
    judged = [each.counts.get("ACCURATE", 0) for each in run.verdicts]
    return bool(judged) and all(judged) and run.end.exit_status == 0


def test_without_permission_nothing_is_imported(
    verified: Verified, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "imported"
    (tmp_path / "hostile_program.py").write_text(f"open({str(mark)!r}, 'w')\ndef f(x): return x\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UsageError, match="--allow-imports"):
        verified(SQUARE.replace("{program}", "hostile_program:f"))
    assert not mark.exists()
    assert "hostile_program" not in sys.modules


def test_every_program_is_named_where_it_stands(verified_all: Verified) -> None:
    both = {"a": SQUARE.replace("{program}", "os:system"), "b": SQUARE.replace("{program}", "shutil:rmtree")}
    with pytest.raises(UsageError) as caught:
        verified_all(both)
    first, second, advice = str(caught.value).splitlines()
    assert first.endswith("small.yaml:9:21: entry `a` names a program to import, os:system")
    assert second.endswith("small.yaml:17:21: entry `b` names a program to import, shutil:rmtree")
    option = "--allow-imports (to pytest: --verifier-allow-imports)"
    assert advice == f"nothing was imported and nothing was run; pass {option} if you trust this catalog"
    assert caught.value.exit_status == 2


def test_faults_come_before_the_permission(verified_all: Verified) -> None:
    both = {"a": SQUARE.replace("{program}", "os.system"), "b": SQUARE.replace("{program}", "os:system") + "tag: x\n"}
    with pytest.raises(CatalogError) as caught:
        verified_all(both)
    assert len(caught.value.faults) == 2


def test_entries_that_are_not_chosen_need_no_permission(verified_all: Verified) -> None:
    plain = "inputs: {x: {domain: [-2, 2]}}\nvalue: x**2\norders: [1]\npoints: [{x: 1}]\n"
    run = verified_all({"a": SQUARE.replace("{program}", "os:system"), "b": plain}, entries=("b",))
    assert is_right(run)


def test_a_right_program(verified: Verified, programs: str) -> None:
    run = verified(SQUARE.replace("{program}", f"{programs}:square"), allow_imports=True)
    assert is_right(run)
    implementation = run.entries[0].implementation
    assert implementation is not None
    assert (implementation.module, implementation.function) == (programs, "square")
    assert implementation.arguments == ("x",)


def test_a_rule_that_is_right_for_unit_seeds_alone_is_wrong(verified: Verified, programs: str) -> None:
    found = {}
    for name in ("clipped", "bounded"):
        text = SQUARE.replace("{program}", f"{programs}:{name}")
        run = verified(text, allow_imports=True, programs=("grad", "vjp"))
        assert not any(each.fails for each in run.verdicts)
        found[name] = {(each.program, each.verdict, each.worst and each.worst.reason[:10]) for each in run.rules}
    names = ("grad", "grad/remat", "grad/vmap", "vjp", "vjp/remat", "vjp/vmap")
    assert found["bounded"] == {(name, "RIGHT", None) for name in names}
    assert found["clipped"] == {(name, "WRONG", "not linear") for name in names}


def test_a_rule_with_another_value_beside_its_derivative_is_wrong(verified: Verified, programs: str) -> None:
    run = verified(
        SQUARE.replace("{program}", f"{programs}:beside"), allow_imports=True, programs=("value", "grad", "vjp")
    )
    assert not any(each.fails for each in run.verdicts)
    assert {(each.verdict, each.notes) for each in run.rules} == {("WRONG", ("VALUE",))}
    assert run.end.exit_status == 1


def test_a_program_of_another_function_is_found_by_its_value(verified: Verified, programs: str) -> None:
    run = verified(
        SQUARE.replace("{program}", f"{programs}:cube"), allow_imports=True, programs=("value/jit", "grad/jit")
    )
    assert {(each.order, each.verdict, each.fails) for each in run.verdicts} >= {(0, "LOSSY", True), (1, "LOSSY", True)}
    assert run.end.exit_status == 1


def test_arguments_data_and_options(verified: Verified, programs: str) -> None:
    body = f"""
    inputs: {{x: {{domain: [-2, 2]}}}}
    data: {{by: {{values: [3, 4]}}}}
    value: -3*x**2
    implementation: {{function: "{programs}:scaled", arguments: [x, by, 2], options: {{sign: -1.0}}}}
    orders: [1]
    points: [{{x: 0.5}}]
    """
    run = verified(body, allow_imports=True)
    assert is_right(run)
    assert dict(run.entries[0].implementation.options) == {"sign": "-1.0"}  # pyright: ignore
    assert run.entries[0].implementation.arguments == ("x", "by", "2")  # pyright: ignore


def test_a_nested_input_is_a_tree(verified: Verified, programs: str) -> None:
    body = f"""
    inputs: {{p: {{w: {{domain: [0, 1]}}, b: {{c: {{domain: [0, 1]}}}}}}}}
    value: p.w*p.b.c
    implementation: "{programs}:nested"
    orders: [1]
    points: [{{p.w: 0.5, p.b.c: 0.25}}]
    """
    assert is_right(verified(body, allow_imports=True))


def test_inputs_are_passed_in_their_order(verified: Verified, programs: str) -> None:
    body = f"""
    inputs: {{x: {{domain: [0, 1]}}, y: {{domain: [0, 1]}}}}
    value: y - 2*x
    implementation: "{programs}:order"
    orders: [1]
    points: [{{x: 0.5, y: 0.25}}]
    """
    assert is_right(verified(body, allow_imports=True))
    swapped = body.replace(f'"{programs}:order"', f'{{function: "{programs}:order", arguments: [y, x]}}')
    assert verified(swapped, allow_imports=True).end.exit_status == 1


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("no_such_module_at_all:f", "cannot import no_such_module_at_all"),
        ("{module}:no", "has no function no"),
        ("{module}:Path", "can't be called so: TypeError"),
        ("{module}:flat", "returns the shape (2,), the formula's value has ()"),
        ("{module}:pair", "returns no array but a tuple of 2 arrays"),
        ("{module}:whole", "returns int32 for float32 inputs"),
        ("{module}:scaled", "can't be called so: TypeError"),
        ("{module}:leaves", "can't be called so: SystemExit: 3"),
    ],
)
def test_what_is_no_such_program_costs_the_entry(
    function: str, reason: str, verified_all: Verified, programs: str
) -> None:
    named = function.replace("{module}", programs)
    bad, good = (SQUARE.replace("{program}", f'"{each}"') for each in (named, f"{programs}:square"))
    run = verified_all({"bad": bad, "good": good}, allow_imports=True)
    first, second = run.entries
    assert (first.status, second.status) == ("FAILED", "OK")
    assert reason in first.reason
    assert run.end.exit_status == 4


def test_a_module_that_ends_the_process_costs_the_entry(
    verified: Verified, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "leaving_program.py").write_text("raise SystemExit('bye')\n")
    monkeypatch.syspath_prepend(tmp_path)
    run = verified(SQUARE.replace("{program}", "leaving_program:f"), allow_imports=True)
    assert run.entries[0].reason.startswith("cannot import leaving_program: SystemExit: bye; ")


def test_the_command_line_refuses_and_allows(tmp_path: Path, programs: str) -> None:
    catalog = tmp_path / "c.yaml"
    entry = textwrap.indent(SQUARE.replace("{program}", f"{programs}:square"), "    ")
    catalog.write_text(f"{HEAD}entries:\n  e:\n    title: t\n    section: s\n{entry}")
    asked = ["run", str(catalog), "--dtype", "float64", "--program", "grad/jit", "--samples", "0", "--workers", "1"]
    refused = CliRunner().invoke(main, asked)
    assert (refused.exit_code, "--allow-imports" in refused.output) == (2, True)
    assert CliRunner().invoke(main, [*asked, "--allow-imports"]).exit_code == 0
