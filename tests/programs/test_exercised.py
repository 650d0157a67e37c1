"""Which of JAX's rules run while a program is traced: inside inner programs, in spite of caches; tables restored."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from jax import lax
from jax.extend.core import Primitive
from jax.interpreters import ad

from verifier.programs.exercised import KINDS, exercised_rules, jax_rules, recording

PRIVATE = sys.modules[ad.jvp.__module__]


def rules(program: Callable[..., Any], *arguments: Any) -> set[tuple[str, str]]:
    return set(exercised_rules(program, *(arguments or (0.5,))))


def marks(program: Callable[..., Any]) -> int:
    return str(jax.make_jaxpr(program)(0.5)).count("verifier_mark[")


def tables() -> list[dict[Any, Any]]:
    names = ("primitive_jvps", "primitive_linearizations", "primitive_transposes", "fancy_transposes")
    return [dict(getattr(PRIVATE, name)) for name in names]


def doubled(x: Any) -> Any:
    """A loop whose body is traced once."""
    return lax.scan(lambda carry, _: (jnp.exp(carry) * x, None), x, None, length=3)[0]


def branched(x: Any) -> Any:
    return lax.cond(x > 0, lambda y: lax.log(y), lambda y: lax.tan(y), x)


def test_reverse_mode_runs_forward_rules_and_transposes():
    found = rules(jax.grad(lambda x: lax.tan(x) * x))
    assert {("jvp", "tan"), ("jvp", "mul"), ("transpose", "mul")} <= found


def test_forward_mode_transposes_nothing():
    assert rules(jax.jacfwd(lax.tan)) == {("jvp", "tan")}


@pytest.mark.skipif(not hasattr(PRIVATE, "primitive_linearizations"), reason="this JAX has no linearizations")
def test_a_linearization_is_told_from_the_jvp_that_it_replaces():
    (name,) = {each.name for each in PRIVATE.primitive_linearizations} & {"sin"}
    assert ("linearization", name) in rules(jax.grad(lax.sin))
    assert ("jvp", name) not in rules(jax.grad(lax.sin))
    assert rules(jax.jacfwd(lax.sin)) == {("jvp", name)}


def test_what_never_ran_is_not_listed():
    found = rules(jax.grad(lambda x: lax.tan(x) + lax.stop_gradient(lax.exp(x)) + lax.cosh(2.0)))
    assert ("jvp", "tan") in found
    assert not {("jvp", "exp"), ("jvp", "cosh"), ("jvp", "sinh")} & found


def test_the_second_order_runs_rules_of_derivatives():
    once, twice = rules(jax.grad(lax.log)), rules(jax.grad(jax.grad(lax.log)))
    assert ("jvp", "div") not in once
    assert {("jvp", "div"), ("transpose", "div")} <= twice


@pytest.mark.parametrize(
    ("function", "kind", "inner"),
    [(doubled, "scan", {("jvp", "exp"), ("transpose", "mul")}), (branched, "cond", {("jvp", "log"), ("jvp", "tan")})],
)
def test_rules_inside_loops_and_branches_count_however_often_they_are_traced(function, kind, inner):
    first, second, third = (rules(jax.grad(function)) for _ in range(3))
    assert first == second == third
    assert inner | {("transpose", kind)} <= first
    assert ("jvp", kind) in rules(jax.jacfwd(function))


def test_a_cached_trace_of_an_inner_jit_hides_nothing():
    inner = jax.jit(lambda x: lax.tanh(x) * x)
    jax.grad(inner)(0.5)
    jax.make_jaxpr(jax.grad(lambda x: inner(x) + inner(x)))(0.5)
    found = [rules(jax.grad(lambda x: inner(x) + inner(2 * x))) for _ in range(3)]
    assert found[0] == found[1] == found[2]
    assert {("jvp", "tanh"), ("transpose", "mul"), ("transpose", "jit")} <= found[0]


def test_an_inner_jit_of_a_gradient_is_traced_anew():
    gradient = jax.jit(jax.grad(lax.log))
    gradient(0.5)
    assert ("jvp", "log") in rules(gradient)
    assert ("jvp", "log") in rules(gradient)


def test_a_custom_jvp_runs_its_own_rule_and_not_that_of_its_primal():
    @jax.custom_jvp
    def custom(x):
        return lax.exp(x)

    custom.defjvp(lambda primals, tangents: (custom(*primals), lax.tan(primals[0]) * tangents[0]))
    for _ in range(2):
        once, twice = rules(jax.grad(custom)), rules(jax.grad(jax.grad(custom)))
        assert ("jvp", "exp") not in once | twice
        assert ("transpose", "mul") in once
        assert ("jvp", "tan") not in once
        assert ("jvp", "tan") in twice


def test_a_checkpoint_is_followed():
    held = jax.checkpoint(lambda x: lax.tan(lax.exp(x)))
    for _ in range(2):
        found = rules(jax.grad(held))
        assert {("jvp", "tan"), ("jvp", "exp")} <= found
        assert {name for kind, name in found if kind == "transpose"} >= {"mul"}


def test_a_rule_whose_result_is_thrown_away_does_not_count():
    """The JVP of `exp` runs, and `stop_gradient` drops its tangent: a wrong rule would change nothing."""
    frozen = lambda x: x * lax.stop_gradient(lax.exp(x))  # noqa: E731
    for program in (jax.grad(frozen), jax.jacfwd(frozen), jax.grad(jax.jit(frozen))):
        found = rules(program)
        assert ("jvp", "mul") in found
        assert ("jvp", "exp") not in found


def test_a_linearization_whose_result_is_thrown_away_does_not_count():
    found = rules(jax.grad(lambda x: x * lax.stop_gradient(lax.sin(x))))
    assert ("jvp", "mul") in found
    assert not {("linearization", "sin"), ("jvp", "sin")} & found


@pytest.mark.parametrize("matters", [True, False])
def test_a_rule_without_a_tangent_counts_where_its_result_matters(matters):
    """`floor` and comparisons have derivatives that are zero everywhere."""

    def function(x):
        chosen = jnp.where(lax.floor(x) < x, lax.tan(x), x)
        return chosen if matters else x + 0 * lax.stop_gradient(chosen)

    found = rules(jax.jacfwd(function))
    assert ({("jvp", "floor"), ("jvp", "lt")} <= found) is matters


def test_programs_of_one_context_share_traces_and_lose_no_rule():
    inner = jax.jit(lambda x: jnp.where(x > 0, lax.sin(x) * lax.floor(x), lax.tan(doubled(x))))
    programs = [make(inner) for make in (jax.grad, jax.jacfwd, lambda f: jax.grad(jax.grad(f)), jax.hessian)]
    apart, context = [exercised_rules(each, 0.5) for each in programs], object()
    for _ in range(2):
        assert [exercised_rules(each, 0.5, context=context) for each in programs] == apart


def test_the_loop_s_unused_part_does_not_count():
    def function(x):
        kept, _ = lax.fori_loop(0, 3, lambda _, pair: (pair[0] * x, lax.tan(pair[1])), (x, x))
        return kept

    found = rules(jax.jacfwd(function))
    assert ("jvp", "mul") in found
    assert ("jvp", "tan") not in found


def test_marks_survive_batches_and_integers():
    batched = jax.vmap(jax.grad(lambda x, i: jnp.where(i > 0, lax.tan(x), lax.exp(x)), argnums=0))
    found = rules(batched, jnp.ones(2), jnp.arange(2))
    assert {("jvp", "tan"), ("jvp", "exp"), ("transpose", "mul")} <= found


def test_a_program_computes_the_same_with_marks():
    function = jax.grad(lambda x: doubled(x) * branched(x))
    with recording():
        marked = jax.jit(function)(0.5)
    assert marked == jax.jit(function)(0.5)


def test_the_tables_are_restored():
    before = tables()
    rules(jax.grad(doubled))
    # JAX 0.12 adds primitives of its own while it traces.
    assert all(held.items() <= now.items() for held, now in zip(before, tables(), strict=True))
    assert not _wrappers()


def test_the_tables_are_restored_after_an_exception_and_when_nested():
    before = ad.primitive_jvps[lax.tan_p]
    with pytest.raises(ZeroDivisionError), recording(), recording():
        raise ZeroDivisionError
    with recording(), recording():
        assert marks(jax.jacfwd(lax.tan)) == 2
    assert ad.primitive_jvps[lax.tan_p] is before
    assert not _wrappers()


def test_a_rule_that_is_defined_meanwhile_stays(monkeypatch):
    monkeypatch.setitem(ad.primitive_jvps, lax.tan_p, ad.primitive_jvps[lax.tan_p])
    with recording():
        ad.primitive_jvps[lax.tan_p] = planted = lambda primals, tangents: (primals[0], tangents[0])
    assert ad.primitive_jvps[lax.tan_p] is planted


def test_wrappers_copied_to_another_primitive_are_taken_back(monkeypatch):
    """JAX 0.12 makes primitives while it traces, and gives them the transposes of others."""
    copy = Primitive("copied")
    copy.prim = lax.floor_p
    monkeypatch.setitem(ad.primitive_jvps, copy, None)
    with recording():
        ad.primitive_jvps[copy] = ad.primitive_jvps[lax.floor_p]
        assert marks(lambda x: ad.primitive_jvps[copy]((x,), (x,))[0]) == 1
    assert ad.primitive_jvps[copy] is ad.primitive_jvps[lax.floor_p]
    assert not _wrappers()


def test_another_thread_is_not_recorded():
    found = []
    with recording():
        thread = threading.Thread(target=lambda: found.append(marks(jax.jacfwd(lax.tan))))
        thread.start()
        thread.join()
        assert marks(jax.jacfwd(lax.tan)) == 1
    assert found == [0]


def test_nothing_is_recorded_once_the_block_has_ended():
    with recording():
        rule = ad.primitive_jvps[lax.tan_p]
        assert marks(lambda x: rule((x,), (x,))) == 1
    assert marks(lambda x: rule((x,), (x,))) == 0


def test_all_rules_of_jax_are_known_and_a_user_s_are_not():
    known = jax_rules()
    assert tuple(known) == KINDS
    assert {"sin", "scan", "cholesky"} <= set(known["jvp"])
    assert {"mul", "dot_general", "slice", "scan"} <= set(known["transpose"])
    assert all(list(names) == sorted(set(names)) for names in known.values())


def _wrappers() -> list[Any]:
    return [rule for table in tables() for rule in table.values() if type(rule).__module__.startswith("verifier")]
