"""The public interface: arguments, results, texts."""

from __future__ import annotations

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import verifier
from verifier.checking import blaming
from verifier.errors import FormulaError, UsageError


def saturated(x):
    return jax.nn.sigmoid(x)


def test_the_package_stays_light():
    code = "import sys, verifier; print({'jax', 'flint', 'sympy', 'numpy'} & set(sys.modules)); verifier.check"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
    with pytest.raises(AttributeError):
        verifier.nothing  # noqa: B018


def test_a_passing_result():
    result = verifier.check(jnp.sin, 0.5)
    assert result.ok
    assert not result.findings
    assert {(each.program, each.component, each.dtype) for each in result.verdicts} == {
        (program, "d/dx", "float32") for program in ("grad/eager", "grad/jit", "jacfwd/eager", "jacfwd/jit")
    }
    assert {each.rule for each in result.verdicts} == {"RIGHT"}
    assert {each.number for each in result.verdicts} == {"ACCURATE"}
    assert float(result.verdicts[0].truth) == pytest.approx(np.cos(0.5))
    assert result.verdicts[0].point == {"x": 0.5}


def test_a_failing_result_reads_well():
    result = verifier.check(saturated, np.float64(40))
    worst = result.findings[0]
    assert (worst.rule, worst.number, worst.value) == ("RIGHT", "LOSSY", 0.0)
    assert worst.lost_bits is not None
    assert worst.lost_bits > 40
    assert worst.blame is not None
    text = str(result)
    assert "saturated: 4 of 4 judgements" in text
    assert "4.24835425529158895" in text
    assert "return jax.nn.sigmoid(x)" in text
    assert text.count("sub loses") == 1
    assert "sub sub" not in text


def scaled_product(x, *others, scale=2.0):
    return x * others[0] * others[1] * scale


def test_only_positional_parameters_name_the_inputs():
    result = verifier.check(scaled_product, 2.0, 3.0, 4.0, argnums=(0, 1, 2), formula="2*x*x1*x2")
    assert result.ok, str(result)
    assert [*result.verdicts[0].point] == ["x", "x1", "x2"]


def test_the_reproduction_runs_with_jax_alone():
    text = str(verifier.check(saturated, np.float64(40)))
    lines = text.split("reproduce with JAX alone")[1].splitlines()
    program = "\n".join(line[4:] for line in lines if line.startswith("    "))
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert float(run.stdout) == 0.0


def test_assert_derivatives():
    verifier.assert_derivatives(jnp.sin, 0.5, orders=(1, 2))
    with pytest.raises(AssertionError, match="LOSSY"):
        verifier.assert_derivatives(saturated, np.float64(40))


def test_pytrees_and_held_arguments():
    def loss(params, x, power):
        return jnp.sum((params["w"] * x + params["b"]) ** power)

    result = verifier.check(loss, {"w": np.array([1.0, 2.0]), "b": 0.5}, np.array([0.3, 0.7]), 3)
    assert result.ok, str(result)
    assert {each.component for each in result.verdicts} == {
        "d/dparams['b']",
        "d/dparams['w'][0]",
        "d/dparams['w'][1]",
    }


def test_dtypes_cast_and_judge_at_the_cast_point():
    result = verifier.check(jnp.sin, 0.1, dtypes=("float64", "bfloat16"), programs=("grad/jit",))
    assert result.ok
    assert [(each.dtype, each.point["x"]) for each in result.verdicts] == [
        ("float64", 0.1),
        ("bfloat16", float(jnp.bfloat16(0.1))),
    ]


def test_sampled_points():
    result = verifier.check(jnp.sin, 0.5, domain=(-3, 3), points=4, programs=("grad/jit",), seed=1)
    assert result.ok, str(result)
    places = [each.point["x"] for each in result.verdicts]
    assert places[0] == 0.5
    assert len(places) >= 5
    assert all(-3 <= each <= 3 for each in places)
    again = verifier.check(jnp.sin, 0.5, domain=(-3, 3), points=4, programs=("grad/jit",), seed=1)
    assert [each.point["x"] for each in again.verdicts] == places


def test_a_formula_says_what_the_value_is_meant_to_be():
    assert verifier.check(lambda x: jnp.sin(x) * x, np.float64(0.7), formula="x*sin(x)").ok
    wrong = verifier.check(lambda x: jnp.sin(x) * x, np.float64(0.7), formula="x*cos(x)")
    assert {(each.order, each.rule, each.number) for each in wrong.findings} == {(0, "WRONG", "LOSSY")}


def test_undecided_fails_unless_it_is_allowed():
    def step(x):
        return jax.lax.nextafter(x, jnp.float64(2)) * x

    undecided = verifier.check(step, np.float64(1.3), programs=("value",), orders=(0,))
    assert not undecided.ok
    assert {each.rule for each in undecided.findings} == {"UNDECIDED"}
    text = str(undecided)
    assert "nextafter" in text
    assert "2 of 2 judgements of its derivatives could not be decided, none fails" in text
    assert 'undecided="allow" lets pass' in text
    assert "reproduce" not in text
    allowed = verifier.check(step, np.float64(1.3), programs=("value",), orders=(0,), undecided="allow")
    assert allowed.ok
    assert "2 of 2 judgements of its derivatives could not be decided, which is allowed" in str(allowed)
    assert "lets pass" not in str(allowed)


def test_what_fails_is_told_from_what_cannot_be_decided():
    def both(x):
        return jnp.stack([(x + 1e30) - 1e30, jax.lax.nextafter(x, jnp.float64(2)) * x])

    text = str(verifier.check(both, np.float64(1.3), orders=(0,), programs="value/eager"))
    assert "both: 1 of 2 judgements of its derivatives fail, 1 could not be decided; " in text
    assert "reproduce" in text


def test_many_inputs_are_checked_in_part_and_said_so():
    result = verifier.check(lambda v: jnp.sum(jnp.sin(v)), np.linspace(0.1, 3.0, 40), programs=("grad/jit",))
    assert result.ok, str(result)
    assert (result.components, result.asked) == (16, 40)
    assert "16 of 40 components" in str(result)


@pytest.mark.parametrize(
    "options",
    [
        {"undecided": "maybe"},
        {"orders": ()},
        {"orders": (-1,)},
        {"programs": ("gard",)},
        {"programs": ("grad/jot",)},
        {"dtypes": ("float128",)},
        {"dtypes": ()},
        {"points": 3},
        {"points": 3, "domain": (2, 1)},
        {"argnums": 1},
    ],
)
def test_misuse_is_refused(options):
    with pytest.raises(UsageError):
        verifier.check(jnp.sin, 0.5, **options)


@pytest.mark.parametrize(
    ("orders", "programs", "unserved", "remedy"),
    [
        ((1, 2, 3), ("grad",), 2, "fwd-rev"),
        ((1, 3), "grad/jit", 3, "grad3, jacfwd3, jacrev3, jet"),
        ((0, 1), ("grad",), 0, "value"),
        ((1,), (), 1, "grad, jacfwd, jacrev, jet"),
    ],
)
def test_an_order_that_no_named_program_has_is_refused(orders, programs, unserved, remedy):
    with pytest.raises(UsageError, match=f"none is of order {unserved}, .*{remedy}"):
        verifier.check(jnp.sin, 0.5, orders=orders, programs=programs)


@pytest.mark.parametrize("fn", [lambda x: x > 0, lambda x: x[:0], lambda x: (x[:0], 3)])
def test_a_function_without_a_real_result_is_refused(fn):
    with pytest.raises(UsageError, match="returns no real number"):
        verifier.check(fn, jnp.ones(2))


def test_a_formula_that_cannot_be_read():
    with pytest.raises(FormulaError):
        verifier.check(jnp.sin, 0.5, formula="sin(y)")


def test_a_function_that_cannot_be_traced_is_no_pass():
    result = verifier.check(lambda x: x if x > 0 else -x, 0.5)
    assert not result.ok
    assert "nothing could be judged: it cannot be traced: TracerBoolConversionError" in str(result)
    assert "none fails" not in str(result)


@jax.custom_vjp
def cubed(x):
    return x**3


cubed.defvjp(lambda x: (x**3, x), lambda x, g: (3 * x**2 * g,))


def raised(x):
    return jax.lax.while_loop(lambda state: state[0] < 3, lambda state: (state[0] + 1, state[1] * x), (0, x))[1]


def refused(x):
    """JAX has no rule for a callback that returns numbers."""
    return jax.pure_callback(np.sin, jax.ShapeDtypeStruct((), np.float32), x)


@pytest.mark.parametrize(("fn", "mode"), [(cubed, "jacfwd"), (raised, "grad")])
def test_a_mode_that_jax_documents_not_to_have_is_missed_only_where_it_is_named(fn, mode):
    other = {"grad": "jacfwd", "jacfwd": "grad"}[mode]
    by_default = verifier.check(fn, 0.7)
    assert by_default.ok
    assert f"not judged: {mode}/eager, {mode}/jit: " in str(by_default)
    named = verifier.check(fn, 0.7, programs=(other, mode))
    assert not named.ok
    assert not named.findings
    assert f"could not be run: {mode}/eager, {mode}/jit: " in str(named)
    assert "2 asked for could not be run" in str(named)
    assert verifier.check(fn, 0.7, programs=(other,)).ok


def test_an_order_without_any_program_is_missing():
    """Neither mode goes through both functions, as documented; the value alone is judged."""
    result = verifier.check(lambda x: cubed(raised(x)), 0.7, orders=(0, 1), undecided="allow")
    assert {each.order for each in result.verdicts} == {0}
    assert not result.findings
    assert not result.ok


@pytest.mark.parametrize(
    "other", [lambda x: jnp.stack([x, x]), lambda x: (x, x), lambda x: 3], ids=["shape", "count", "none"]
)
def test_a_surrogate_returns_what_the_function_does(other):
    with pytest.raises(UsageError, match="surrogate="):
        verifier.check(jnp.round, 0.3, surrogate=other)


def test_a_refusal_without_a_word_reads_as_one():
    """JAX asserts that what a `linear_call` is linear for is not differentiated."""

    def ratio(x, y):
        return jax.custom_derivatives.linear_call(lambda y, x: x / y, lambda y, g: g / y, y, x)

    result = verifier.check(ratio, 3.0, 2.0, argnums=(0, 1))
    assert not result.ok
    assert "AssertionError: it says nothing more" in str(result)


def test_another_refusal_of_jax_counts_by_default():
    def part(x):
        return x * jax.lax.cond(x > 2, refused, jnp.sin, x)

    result = verifier.check(part, 0.7)
    assert not result.ok
    assert {each.counts for each in result.skipped} == {True}


KEY = jax.random.key(3)
KEYS = jax.random.split(KEY, 3)


def dropped(key, x):
    return jnp.sum(jnp.sin(x) * jax.random.bernoulli(key, 0.5, (3,)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("fn", "args"),
    [
        (lambda x: dropped(KEY, x), ()),
        (jax.jit(lambda x: dropped(KEY, x)), ()),
        (lambda x: dropped(KEYS[1], x), ()),
        (lambda x: jnp.sum(x * jax.vmap(jax.random.normal)(KEYS)), ()),
        (dropped, (KEY,)),
    ],
)
def test_a_key_of_random_numbers_that_is_held_is_no_obstacle(fn, args, dtype):
    result = verifier.check(fn, *args, np.linspace(0.3, 2.0, 3), argnums=len(args), dtypes=(dtype,), programs="grad")
    assert result.ok, str(result)
    assert {each.rule for each in result.verdicts} == {"RIGHT"}


def test_a_wrong_rule_beside_a_held_key_is_found():
    @jax.custom_jvp
    def f(x):
        return dropped(KEY, x)

    f.defjvp(lambda primals, tangents: (f(*primals), jnp.sum(1.1 * tangents[0] * jnp.cos(primals[0]))))
    result = verifier.check(f, np.linspace(0.3, 2.0, 3), dtypes=("float32", "float64"), programs="grad")
    assert {each.rule for each in result.findings} == {"WRONG"}


def test_blame_runs_a_program_once_for_all_components(monkeypatch):
    runs = []
    exact = blaming.shadow
    monkeypatch.setattr(blaming, "shadow", lambda *each, **options: runs.append(each) or exact(*each, **options))
    result = verifier.check(lambda v: (v + 1e12) * v - 1e12 * v, np.array([0.1, 0.2, 0.3]), programs="jacfwd")
    lossy = [each for each in result.findings if each.number == "LOSSY"]
    assert len(lossy) == 6
    assert any(each.blame and each.blame.primitive == "sub" for each in lossy)
    assert len(runs) == 1


def test_no_equation_is_blamed_that_loses_no_bit():
    @jax.custom_jvp
    def f(x):
        return x**2 * jax.random.bernoulli(jax.random.key(3), 0.9)

    f.defjvp(lambda primals, tangents: (f(*primals), 2.1 * primals[0] * tangents[0]))
    result = verifier.check(f, np.float64(0.3), programs="grad/eager")
    assert result.findings
    assert "loses none" not in str(result)
    assert "loses 0" not in str(result)


def test_a_narrower_dtype_inside_is_blamed():
    def f(x):
        return jnp.sum(jnp.exp(x.astype(jnp.bfloat16)).astype(jnp.float32))

    result = verifier.check(f, np.float32(0.3), programs="grad/eager")
    (found,) = result.findings
    assert "works in bfloat16: 8 bits, where the result has 24" in found.blame.what


def test_taylor_mode_in_one_number():
    found = verifier.check(lambda x: jnp.sin(x) * x, np.float64(0.7), orders=(1, 3, 8), programs=("jet",))
    assert found.ok, str(found)
    assert {each.order for each in found.verdicts} == {1, 3, 8}
    trap = verifier.check(lambda x: jnp.sqrt(x * x), np.float64(0.0), programs=("jet/eager",))
    assert {each.rule for each in trap.findings} == {"WRONG"}
    assert "jet(f, (x,), ([jnp.ones_like(x)],))[1][-1]" in str(trap)
    plane = verifier.check(lambda v: v[0] * v[1], np.ones(2), orders=(2,), programs=("jet",))
    assert any("one number" in each.why for each in plane.missing)
    assert not plane.ok


def test_what_passes_with_a_note_says_so():
    """A stop_gradient in the wrong place is no failure, and no secret either."""

    def shifted(x):
        p = jnp.exp(x - jax.lax.stop_gradient(x.max()))
        return jnp.sum(jnp.arange(2.0) * p / jax.lax.stop_gradient(p.sum()))

    def right(x):
        p = jnp.exp(x - jax.lax.stop_gradient(x.max()))
        return jnp.sum(jnp.arange(2.0) * p / p.sum())

    at = np.array([0.5, 1.5])
    noted, plain = verifier.check(shifted, at), verifier.check(right, at)
    assert (noted.ok, plain.ok) == (True, True)
    assert "SURROGATE: d/dx[0], d/dx[1]: what stop_gradient" in str(noted)
    assert "SURROGATE" not in str(plain)
    assert "JUMP: d/dx: the function jumps here" in str(verifier.check(jnp.floor, np.float64(2)))
