"""The catalog of JAX's functions: it is read, it is one file, and every entry names its program."""

from __future__ import annotations

from pathlib import Path

from verifier.catalog.shipped import JAX_FUNCTIONS, jax_functions

TOP = Path(__file__).parents[2]


def test_every_entry_is_a_program_with_its_mathematics() -> None:
    entries = jax_functions().entries
    assert len(entries) > 150
    assert all(each.implementation is not None and each.value is not None and each.points for each in entries)
    assert all(each.implementation.module.split(".")[0] == "jax" for each in entries if each.implementation)


def test_no_call_stands_twice() -> None:
    calls = [(each.implementation, each.inputs) for each in jax_functions().entries]
    assert len(set(calls)) == len(calls)


def test_there_is_one_source() -> None:
    assert (TOP / "catalog" / "jax.yaml").samefile(JAX_FUNCTIONS)
