"""The evaluator itself: what it does with unknowns, hooks, decisions and non-finite numbers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flint import arb
from jax import lax

from verifier.arithmetic.ball import BallSystem
from verifier.arithmetic.elements import NAN, NEG_INF, POS_INF, Unknown, as_fraction
from verifier.arithmetic.germ import GermSystem
from verifier.arithmetic.one_sided import derivative
from verifier.truth import primitives
from verifier.truth.jaxprs import evaluate
from verifier.truth.machine import Rule
from verifier.truth.values import Refused, exact_literals

SYSTEM = BallSystem(128)


@pytest.fixture(autouse=True)
def _double_precision() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def run(function, *args, system=SYSTEM, arguments=None, **options):
    jaxpr = jax.make_jaxpr(function)(*args)
    return evaluate(jaxpr, args if arguments is None else arguments, system, **{"strict": True, **options})


def only(function, *args, **options):
    (result,) = run(function, *args, **options)
    return result


def test_literals_are_exact_unless_a_policy_says_otherwise():
    assert as_fraction(only(lambda x: x * 0.1, 2.0)[()]) == 2 * Fraction(0.1)
    wide = only(lambda x: x * 0.1, 2.0, literal=lambda value, dtype: arb(value, 1e-20))[()]
    assert 1e-20 < float(wide.rad()) < 3e-20
    assert only(lambda x: x - 0.1 + 0.1, 2.0, literal=lambda value, dtype: arb(value, 1e-20))[()].rad() > 1e-20


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16, jnp.float16])
def test_narrow_dtypes_change_literals_only(dtype):
    """A literal has the value that its dtype holds; nothing is rounded after that."""
    at = np.asarray(0.5, dtype)
    found = only(lambda x: (x * dtype(0.1) + x.astype(jnp.float32).astype(dtype)) * jnp.array([1, 2], dtype), at)
    wanted = Fraction(float(np.asarray(0.1, dtype))) / 2 + Fraction(1, 2)
    assert [as_fraction(entry) for entry in found] == [wanted, 2 * wanted]


def test_balls_in_balls_out():
    found = only(jnp.sin, 0.5, arguments=[np.array(arb(0.5, 1e-30), dtype=object)])[()]
    with SYSTEM.working():
        assert found.contains(arb(0.5).sin())
        assert found.rad() < 1e-29


NON_FINITE = {
    "overflowing guard": (lambda x: jnp.where(x > 0, jnp.sqrt(x), 0.0), 0.0, NAN),
    "sqrt at zero": (jnp.sqrt, 0.0, POS_INF),
    "log at zero": (lambda x: jnp.log(x) * 2, 0.0, POS_INF),
    "norm at zero": (lambda x: jnp.linalg.norm(jnp.stack([x, x])), 0.0, NAN),
    "zero over zero": (lambda x: x / x, 0.0, NAN),
    "sinc by hand": (lambda x: jnp.where(x == 0, 1.0, jnp.sin(x) / x), 0.0, NAN),
}


@pytest.mark.parametrize("name", NON_FINITE)
def test_a_derivative_that_is_not_finite_is_proven(name):
    function, at, wanted = NON_FINITE[name]
    assert only(jax.grad(function), at)[()] is wanted


def test_masks_and_special_values():
    def masked(x):
        return jax.nn.logsumexp(jnp.where(jnp.array([True, False, True]), x, -jnp.inf))

    gradient = only(jax.grad(masked), np.array([0.5, 9.0, -0.5]))
    assert as_fraction(gradient[1]) == 0
    with SYSTEM.working():
        assert abs(sum(gradient) - 1) < 1e-36
    assert only(lambda x: jnp.max(x, initial=-jnp.inf), np.zeros(0))[()] is NEG_INF
    assert only(lambda x: x != x, np.array(np.nan)).tolist() is True


def test_what_is_not_taken_is_discarded():
    jaxpr_arguments = [np.array(Unknown("lost"), dtype=object)]
    kept = only(lambda x: jnp.where(jnp.array(True), 1.0, x), 1.0, arguments=jaxpr_arguments)
    assert as_fraction(kept[()]) == 1


def test_an_undecided_comparison_makes_the_selected_value_unknown():
    wide = [np.array(arb(0, 1e-30), dtype=object)]
    assert only(lambda x: x > 0, 1.0, arguments=wide)[()] is None
    found = only(lambda x: jnp.where(x > 0, 1.0, 2.0), 1.0, arguments=wide)[()]
    assert isinstance(found, Unknown)
    assert "undecided" in found.reason
    index = only(lambda x: jnp.argmax(jnp.stack([x, 0 * x])), 1.0, arguments=wide)[()]
    assert isinstance(index, Unknown)
    gathered = only(lambda x: jnp.arange(3.0)[x.astype(int)] + 1, 1.0, arguments=wide)[()]
    assert isinstance(gathered, Unknown)
    branch = only(lambda x: lax.cond(x > 0, jnp.sin, jnp.cos, x), 1.0, arguments=wide)[()]
    assert "branch" in branch.reason


def test_a_missing_rule_is_named(monkeypatch):
    rules = {name: rule for name, rule in primitives.RULES.items() if name != "sin"}
    monkeypatch.setattr(primitives, "RULES", rules)
    found = only(lambda x: jnp.cos(jnp.sin(x)), np.ones(2))
    assert all(entry == Unknown("no rule for primitive sin", "") for entry in found)


def test_a_failing_rule_is_an_unknown_or_when_strict_an_error(monkeypatch):
    def broken(machine, equation, x):
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(primitives, "RULES", {**primitives.RULES, "sin": Rule(broken)})
    (found,) = run(jnp.sin, 1.0, strict=False)
    assert "sin failed: ZeroDivisionError: planted" in found[()].reason
    with pytest.raises(ZeroDivisionError):
        run(jnp.sin, 1.0)


def test_a_rule_that_returns_a_wrong_shape_is_noticed(monkeypatch):
    monkeypatch.setattr(primitives, "RULES", {**primitives.RULES, "sin": Rule(lambda m, e, x: x[:1])})
    with pytest.raises(AssertionError, match="shape"):
        run(jnp.sin, np.ones(2))


def test_a_rule_gives_up_with_a_reason(monkeypatch):
    def refusing(machine, equation, x):
        raise Refused("not today", "bits")

    monkeypatch.setattr(primitives, "RULES", {**primitives.RULES, "sin": Rule(refusing)})
    assert only(jnp.sin, 1.0)[()] == Unknown("not today", "bits")


def test_random_bits_come_from_a_concrete_run():
    def program(x, seed):
        return x * jax.random.normal(jax.random.key(seed), (2,))

    assert "random" in only(program, 2.0, np.asarray(7))[0].reason

    def concrete(equation, operands):
        inner = [operand[()] if operand.dtype == object else operand for operand in operands]
        results = equation.primitive.bind(*inner, **equation.params)
        return results if equation.primitive.multiple_results else [results]

    found = only(program, 2.0, np.asarray(7), concrete=concrete)
    np.testing.assert_allclose([float(entry.mid()) for entry in found], program(2.0, 7), rtol=1e-12)


def test_undecided_integers_stay_undecided():
    """The bits of an unknown integer are not a truth value: `unknown | 1` is unknown, `undecided or True` is true."""
    wide = [np.array(arb(0, 1e-30), dtype=object)]
    for operation in (
        lambda n: n | 1,
        lambda n: n & 0,
        lambda n: n + 1,
        lambda n: n << 2,
        lambda n: jnp.stack([n]).sum(),
    ):
        found = only(lambda x, operation=operation: operation(jnp.floor(x).astype(int)), 1.0, arguments=wide)
        assert isinstance(found[()], Unknown)
    assert only(lambda x: (x > 0) | (x < 1), 1.0, arguments=wide)[()] == np.True_
    assert only(lambda x: ~(x > 0), 1.0, arguments=wide)[()] is None
    assert only(lambda x: jnp.any(jnp.stack([x > 0, x < 1])), 1.0, arguments=wide)[()] == np.True_


def test_every_equation_is_watched_inner_ones_too():
    seen = []
    run(
        lambda x: lax.fori_loop(0, 3, lambda i, c: jnp.sin(c), x),
        0.5,
        watch=lambda equation, inputs, outputs: seen.append(equation.primitive.name),
    )
    assert seen.count("sin") == 3
    assert seen[-1] in ("while", "scan")


def test_undecidable_loops_follow_a_recorded_run():
    """sqrt by Newton until nothing moves: in exact arithmetic the iteration never stops."""

    def newton(x):
        return lax.while_loop(lambda c: c[0] != c[1], lambda c: (c[1], (c[1] + x / c[1]) / 2), (x, (x + 1) / 2))[1]

    unknown = only(newton, 2.0, system=BallSystem(64), step_limit=50)[()]
    assert isinstance(unknown, Unknown)
    trips = iter([1, 1, 1, 1, 1, 1, 0])
    pinned = only(newton, 2.0, decide=lambda equation, exact: next(trips))[()]
    with SYSTEM.working():
        assert abs(pinned - arb(2).sqrt()) < 1e-30


def test_a_loop_that_does_not_end_is_cut():
    found = only(lambda x: lax.while_loop(lambda c: c > 0, lambda c: c / 2, x), 1.0, step_limit=20)[()]
    assert "20 steps" in found.reason


def test_germs_follow_the_primal_function_and_freeze_what_is_stopped():
    def along(function, at, k, system=None):
        system = system or GermSystem(128, 12)
        line = np.array(system.variable(Fraction(at)), dtype=object)
        return derivative(only(function, at, system=system, arguments=[line])[()], k)

    assert float(along(lambda x: jnp.where(x == 0, 1.0, jnp.sin(x) / x), 0.0, 2).mid()) == pytest.approx(-1 / 3)
    assert as_fraction(along(lambda x: jax.nn.relu(x) - jax.nn.relu(-x), 0.0, 1)) == 1
    assert as_fraction(along(lambda x: jnp.sqrt(x * x), 0.0, 1)) == 1
    assert as_fraction(along(lambda x: lax.stop_gradient(x) * x, 3.0, 1)) == 3
    assert as_fraction(along(lambda x: x * x.astype(int), 3.0, 1)) == 3
    assert as_fraction(along(lambda x: jnp.sort(jnp.stack([x, 3.0, -x]))[2], 3.0, 1)) == 1


def test_no_equation_needs_jax():
    code = "import sys, verifier.truth.jaxprs; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_table_of_primitives_names_every_gap():
    rows = primitives.primitives_table()
    assert [row.name for row in rows] == sorted({row.name for row in rows})
    by_name = {row.name: row for row in rows}
    assert by_name["sin"].ball
    assert by_name["sin"].germ
    assert not by_name["psum"].ball
    assert by_name["igamma_grad_a"].reason == "germ: not written yet"
    assert all(row.reason for row in rows if not (row.ball and row.germ))


def test_every_differentiable_primitive_of_jax_is_in_the_table():
    """A new release of JAX that adds one is noticed here."""
    import jax.experimental.multihost_utils  # noqa: F401 - registers two more
    from jax.interpreters import ad

    known = {row.name for row in primitives.primitives_table()}
    names = {primitive.name for primitive in ad.primitive_jvps}
    ours = {"verifier_mark"}  # of programs.exercised
    assert not names - known - ours


def test_exact_literals_keep_the_sign_of_zero():
    literal = exact_literals(SYSTEM)
    assert only(lambda x: 1 / x, -0.0)[()] is NEG_INF
    assert literal(float("inf"), np.dtype(float)) is POS_INF
    assert literal(float("nan"), np.dtype(float)) is NAN


def test_runs_at_one_precision_share_their_literals_and_others_do_not():
    """A program's data become elements once for all points, but never at another precision's rounding."""
    third, dtype = 1 / 3, np.dtype(float)
    assert exact_literals(BallSystem(64)) is exact_literals(BallSystem(64))
    narrow, wide = exact_literals(BallSystem(30))(third, dtype), exact_literals(BallSystem(64))(third, dtype)
    assert not narrow.is_exact()
    assert wide.is_exact()
    assert as_fraction(wide) == Fraction(third)


def test_a_program_run_again_in_another_system_is_computed_anew():
    """What is kept of a jaxpr from run to run holds in every number system."""
    jaxpr = jax.make_jaxpr(lambda x: x * 0.1 + jnp.float64(1) / 3)(0.5)
    narrow, wide = (evaluate(jaxpr, [np.array(0.5)], BallSystem(bits))[0].item() for bits in (40, 400))
    again = evaluate(jaxpr, [np.array(0.5)], BallSystem(40))[0].item()
    assert narrow.overlaps(wide)
    assert wide.rel_accuracy_bits() > 300 > narrow.rel_accuracy_bits()
    assert str(again) == str(narrow)
