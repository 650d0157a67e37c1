"""What rounding inside a program can explain is LOSSY at worst; what it cannot is FAULTY, and fails."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import verifier
from verifier.arithmetic.floats import FLOAT32
from verifier.arithmetic.rounding_table import CPU, measured_target
from verifier.checking import numbers
from verifier.checking.explaining import Explanation, is_explained
from verifier.checking.tracing import Tracing


@pytest.fixture
def device(monkeypatch):
    """device(spoil): a device that returns spoil(what the program returns), which its trace knows nothing of."""

    def spoiled(spoil):
        honest = Tracing.run
        monkeypatch.setattr(
            Tracing, "run", lambda *given: [spoil(np.asarray(each)) for each in jax.tree.leaves(honest(*given))]
        )

    return spoiled


def kinds(f: Any, x: Any, orders: tuple[int, ...] = (1,)) -> set[tuple[Any, ...]]:
    """What the check of one program finds: (rule, number, whether the number fails)."""
    programs = ("value/jit",) if orders == (0,) else ("grad/jit",)
    verdicts = verifier.check(f, np.asarray(x), orders=orders, programs=programs).verdicts
    return {(each.rule, each.number, each.number_verdict.fails) for each in verdicts}


def wave(x):
    return jnp.sin(x) * x


def moved(ulps: int):
    return lambda x: x + ulps * np.spacing(x)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("ulps", [100, -(10**5)])
def test_a_device_that_computes_otherwise_is_faulty(device, dtype, ulps):
    device(moved(ulps))
    assert kinds(wave, np.asarray(1.25, dtype)) == {("RIGHT", "FAULTY", True)}


def test_a_finding_says_what_rounding_explains(device):
    device(moved(10**4))
    text = str(verifier.check(wave, np.float64(1.25), programs=("grad/eager",)))
    assert "FAULTY" in text
    assert "rounding inside the program explains" in text


@pytest.mark.parametrize("value", [0.0, -1.0, 1e-3])
def test_grossly_other_numbers_are_faulty(device, value):
    device(lambda x: x * 0 + value)
    assert kinds(jnp.exp, 2.0) == {("RIGHT", "FAULTY", True)}


def test_a_device_that_rounds_otherwise_is_not(device):
    device(moved(1))
    assert kinds(wave, 1.25) == {("RIGHT", "ACCURATE", False)}


def test_what_rounding_explains_is_lossy_however_wrong_it_is(device):
    """sigmoid'(40) cancels: 0 is what rounding makes of it, and so is anything up to u; 1e-12 is not."""

    def slope(x):
        return jax.nn.sigmoid(x) * (1 - jax.nn.sigmoid(x))

    assert kinds(slope, 40.0, orders=(0,)) == {("RIGHT", "LOSSY", True)}
    device(lambda x: x + 2.0**-53)
    assert kinds(slope, 40.0, orders=(0,)) == {("RIGHT", "LOSSY", True)}
    device(lambda x: x + 1e-12)
    assert kinds(slope, 40.0, orders=(0,)) == {("RIGHT", "FAULTY", True)}


def test_a_wrong_rule_makes_no_faulty_number():
    """The number is what the program says, and the program is wrong: that is the rule's fault, not the device's."""

    @jax.custom_jvp
    def f(x):
        return jnp.sin(x)

    f.defjvp(lambda primals, tangents: (jnp.sin(*primals), -jnp.cos(*primals) * tangents[0]))
    assert kinds(f, 1.0) == {("WRONG", "LOSSY", True)}


def test_a_fault_at_a_true_zero_fails_and_noise_does_not(device):
    """SEMANTICS §4 lets pass the noise of rounding: what no rounding explains is none."""

    def loss(v):
        return jnp.sum(jax.nn.softmax(v))

    at = np.array([0.1, 0.2, 0.3])
    assert kinds(loss, at) == {("RIGHT", "ACCURATE", False)}
    device(lambda x: x + 1e-9)
    assert kinds(loss, at) == {("RIGHT", "FAULTY", True)}


def test_noise_of_the_summands_that_cancel_is_accurate():
    """The slope of 1e6 (sin^2 + cos^2) is 0: what is computed is the noise of two summands of size 1e6."""

    def constant(x):
        return jnp.sin(x) ** 2 * 1e6 + jnp.cos(x) ** 2 * 1e6

    verdicts = verifier.check(constant, np.float64(0.7)).verdicts
    assert {(each.number, each.truth) for each in verdicts} == {("ACCURATE", "0")}
    assert any(each.value for each in verdicts)


def test_nan_stays_nonfinite(device):
    device(lambda x: x * np.nan)
    assert kinds(jnp.sin, 1.0) == {("RIGHT", "NONFINITE", True)}


@pytest.mark.skipif(not numbers.flushes_subnormals("float32"), reason="no operation here departs from IEEE's")
def test_an_operation_beyond_its_row_is_faulty(monkeypatch):
    """A device that flushes, judged by a table that says it does not."""
    x = np.asarray(FLOAT32.smallest_normal * 1.5, np.float32)
    assert kinds(lost_below, x, orders=(0,)) == {("RIGHT", "LOSSY", True)}
    monkeypatch.setattr(numbers, "measured_target", lambda platform: replace(CPU, flushes=frozenset()))
    assert kinds(lost_below, x, orders=(0,)) == {("RIGHT", "FAULTY", True)}


def lost_below(x):
    """x, by way of a subnormal number; the sine keeps the compiler from folding the constants."""
    return x / (2 + jnp.sin(x)) * (2 + jnp.sin(x))


def test_where_nothing_is_known_numbers_stay_lossy(device, monkeypatch):
    device(moved(10**5))
    assert kinds(lambda x: jnp.linalg.cholesky(x * x)[0, 0], np.eye(1) * 1.5) == {("RIGHT", "LOSSY", False)}
    monkeypatch.setattr(numbers, "measured_target", lambda platform: None)
    assert kinds(jnp.sin, 1.0) == {("RIGHT", "LOSSY", False)}


def test_large_programs_and_unmeasured_platforms_are_not_asked():
    x = np.float64(0.5)
    with jax.enable_x64(True):
        traced = jax.make_jaxpr(lambda x: jnp.sum(jnp.full(100, x)))(x)
        rough = jax.make_jaxpr(lambda x: jax.lax.exp(x, accuracy=jax.lax.AccuracyMode.HIGHEST))(x)
    assert is_explained(traced, (x,), 0, 50.0) is True
    assert is_explained(traced, (x,), 0, 51.0) is False
    assert is_explained(traced, (x,), 0, 51.0, platform="gpu") is None
    assert Explanation(traced, (x,), CPU, limit=50).explains(0, 51.0) is None
    assert Explanation(None, (), CPU).explains(0, 51.0) is None
    assert is_explained(rough, (x,), 0, 51.0) is None
    assert measured_target("tpu") is None


def test_what_rounding_explains_in_words():
    x = np.float64(2.0)
    with jax.enable_x64(True):
        exact, near = jax.make_jaxpr(lambda x: x + x)(x), jax.make_jaxpr(lambda x: x + 0.1)(x)
        large = jax.make_jaxpr(lambda x: jnp.where(jnp.sin(x) ** 2 + jnp.cos(x) ** 2 <= 1, jnp.inf, 1.0))(x)
    assert Explanation(exact, (x,), CPU).reach(0) == "4"
    assert Explanation(large, (x,), CPU).reach(0) == "1 or inf"
    assert Explanation(near, (x,), CPU).reach(0) == "2.0999999999999998 to 2.1000000000000002"


def test_flushing_is_blamed_for_what_it_does_only():
    """(1 - tanh^2)' at 1e-300 is lost by a cancellation: no flushing, so that it counts at a sampled point, too."""

    def f(x):
        return (1 - jnp.tanh(x)) * (1 + jnp.tanh(x))

    sampled = {"domain": (1e-300, 2e-300), "points": 1}
    verdicts = verifier.check(f, np.float64(0.5), programs=("grad/jit",), **sampled).verdicts
    tiny = [each.number_verdict for each in verdicts if each.order == 1 and each.point["x"] < 1e-200]
    assert {(each.kind, each.fails, each.reason) for each in tiny} == {("LOSSY", True, "")}


@pytest.mark.skipif(not numbers.flushes_subnormals("float32"), reason="this device keeps subnormal numbers")
@pytest.mark.parametrize("given", [True, False])
def test_what_flushing_alone_does_fails_at_given_points_only(given):
    low = float(FLOAT32.smallest_normal)
    at, domain = (1.5 * low, (0.5, 1.0)) if given else (1.0, (1.4 * low, 1.6 * low))
    result = verifier.check(lost_below, np.float32(at), orders=(0,), programs=("value/jit",), domain=domain, points=1)
    flushed = [each for each in result.verdicts if each.point["x"] < 1e-30]
    assert flushed
    assert {each.fails for each in flushed} == {given}
    assert all("FLUSHED" in each.number_verdict.reason for each in flushed)


@pytest.mark.skipif(not numbers.flushes_subnormals("float32"), reason="this device keeps subnormal numbers")
@pytest.mark.parametrize("given", [True, False])
def test_a_comparison_that_takes_a_subnormal_number_for_zero_fails_at_given_points_only(given):
    low = float(FLOAT32.smallest_subnormal)
    at, domain = (low, (0.5, 1.0)) if given else (1.0, (0.0, 1.0))
    result = verifier.check(jax.nn.relu, np.float32(at), programs=("grad/jit",), domain=domain, points=1)
    verdicts = [each for each in result.verdicts if 0 < each.point["x"] < float(FLOAT32.smallest_normal)]
    assert verdicts
    assert {each.fails for each in verdicts} == {given}
    assert all("FLUSHED" in each.number_verdict.reason for each in verdicts)
