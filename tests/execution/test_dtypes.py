"""Exact conversion into dtypes and back."""

from __future__ import annotations

from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from verifier.arithmetic import floats
from verifier.errors import UsageError
from verifier.execution import dtypes


@pytest.mark.parametrize("name", dtypes.DTYPES)
def test_members_survive_the_way_there_and_back(name):
    form = floats.named(name)
    members = [0.0, 1.0, -form.largest, form.smallest_normal, form.smallest_subnormal, float("inf"), float("nan")]
    narrow = dtypes.exact(members, (7,), name)
    assert narrow.dtype == dtypes.numpy_dtype(name)
    np.testing.assert_array_equal(dtypes.to_float64(narrow), members)


@pytest.mark.parametrize("name", ["float32", "bfloat16", "float16"])
def test_what_a_dtype_does_not_hold_is_refused(name):
    with pytest.raises(UsageError, match=rf"0\.1 is no {name}"):
        dtypes.exact([1.0, 0.1], (2,), name)


def test_rounding_happens_once():
    # Just above a tie of bfloat16: through float32 it would become the tie and go to even, below.
    tie = Fraction(257, 256)
    number = tie + Fraction(1, 2**40)
    assert dtypes.to_float64(dtypes.rounded([number], "bfloat16")).tolist() == [1.0078125]
    twice = np.asarray([float(number)], np.float32).astype(dtypes.numpy_dtype("bfloat16"))
    assert float(twice[0]) == 1.0  # the planted fault


def test_rounding_takes_nested_numbers_and_arrays():
    assert dtypes.rounded(((1, Fraction(1, 3)),), "float32").shape == (1, 2)
    drawn = np.asarray([[0.1], [0.2]], np.float32)
    np.testing.assert_array_equal(dtypes.to_float64(dtypes.rounded(drawn, "float64")), drawn.astype(np.float64))


def test_x64_is_on_for_float64_only_and_restored():
    before = jax.config.jax_enable_x64
    with dtypes.x64_for("float64"):
        assert jnp.asarray(np.float64(1.0)).dtype == jnp.float64
        with dtypes.x64_for("float32"):
            assert jnp.arange(2.0).dtype == jnp.float32
    assert jax.config.jax_enable_x64 == before


def test_an_unknown_dtype_is_misuse():
    with pytest.raises(UsageError, match="float8"):
        dtypes.numpy_dtype("float8")
