"""Statements about listings are decided by computed facts; each has a false twin that must come out false."""

from __future__ import annotations

import subprocess
import sys

import pytest

from verifier.errors import FormulaError
from verifier.model.catalog import Listing
from verifier.programs.listing import run_listings
from verifier.programs.listing_analysis import ListingText, analyse
from verifier.programs.listing_facts import FACTS, Decided, check_structure, decide_structure
from verifier.programs.listing_runs import ListingRun

FIRST = """\
import jax
import jax.numpy as jnp
lr = 0.1
@jax.jit
def step(p):
    # one step
    return p - lr * p
p = jnp.array([1.0, 2.0])
for _ in range(3):
    p = step(p)
print("a")
print("b")
"""
SECOND = """\
q = jnp.array([1.0, 2.0])
for _ in range(3):
    q = q - lr * q
w = [(jnp.zeros((2, 3)), 1.5), {"k": 7}]
r = jax.random.normal(jax.random.PRNGKey(0), (4,))
X = np.linspace(0, 1, 3)
"""


@pytest.fixture(scope="module")
def evidence() -> tuple[tuple[ListingText, ...], tuple[ListingRun, ...]]:
    listings = [Listing(id="first", section="s", code=FIRST), Listing(id="second", section="s", code=SECOND)]
    return analyse(listings), run_listings(listings)


def decide(evidence: tuple[tuple[ListingText, ...], tuple[ListingRun, ...]], listing: str, formula: str) -> Decided:
    return decide_structure(formula, listing=listing, texts=evidence[0], runs=evidence[1])


TRUE_AND_FALSE = [
    ("first", 'calls("jax.jit")', 'calls("jax.vmap")'),
    ("first", 'calls("jnp.array") and calls("jax.numpy.array")', 'not calls("jnp.array")'),
    ("first", 'count_calls("print") == 2', 'count_calls("print", lines=(1, 11)) == 2'),
    ("first", 'only_calls("jax")', 'only_calls("jax.random")'),
    ("second", 'only_calls("jax", lines=(1, 5))', 'only_calls("jax")'),
    ("first", "code_lines() == 11", "code_lines() == 12"),
    ("first", 'code_lines("step") <= 3', 'code_lines("step") < 3'),
    ("first", 'code_lines(between=("lr =", "return")) == 4', 'code_lines(between=("lr =", "return")) > 4'),
    ("first", "print_statements() == 2 == printed_lines()", "print_statements() != 2"),
    ("second", 'unbound("np")', 'unbound("jnp")'),
    ("second", 'not defined("np") and defined("jnp")', 'defined("np") or defined("X")'),
    ("first", "runs()", "not runs()"),
    ("second", "not runs()", "runs()"),
    ("second", 'random("r")', 'random("q")'),
    ("second", 'random_at_end("r")', 'random_at_end("q")'),
    ("first", 'literal("lr") == 0.1', 'literal("lr") == 0.10000001'),
    ("first", 'value("lr") != 0.1', 'value("lr") == 1/10'),  # the float's binary value
    ("first", 'trips() == 3 and trips(0) < 4', "trips() == 4"),
    ("first", 'traces("step") == 1 and entered("step") <= 1', 'traces("step") == 3'),
    ("first", 'compiled_kernels("step") == 1', 'compiled_kernels("step") > 1'),
    ("first", 'shape("p") == (2,)', 'shape("p") == (3,)'),
    ("second", 'shape("w[0][0]") == (2, 3)', 'shape("w[0][1]") == (1,)'),
    ("second", "value(\"w[1]['k']\") == 7", "value(\"w[1]['k']\") > 7"),
    ("second", 'max_abs_difference("q", "first:p") < 1e-6', 'max_abs_difference("q", "first:p") > 1e-6'),
    ("second", 'equal("q", "second:q")', 'equal("q", "r")'),
    ("second", 'minimum("w[0][0]") == maximum("w[0][0]") == 0', 'maximum("q") > 2'),
    ("second", 'drawn("plot") == 0', 'drawn("plot") == 1'),
    ("second", 'drawn("plot") - 1 == -1', 'drawn("plot") * 2 + 1 == 0'),
]  # fmt: skip


@pytest.mark.parametrize(("listing", "true", "false"), TRUE_AND_FALSE)
def test_facts(evidence: tuple, listing: str, true: str, false: str) -> None:
    held, twin = decide(evidence, listing, true), decide(evidence, listing, false)
    assert (held.holds, twin.holds) == (True, False), (held, twin)
    assert held.facts


def test_every_fact_is_tested() -> None:
    used = " ".join(true for _, true, _ in TRUE_AND_FALSE)
    assert [name for name in FACTS if f"{name}(" not in used] == []


def test_facts_are_shown(evidence: tuple) -> None:
    assert decide(evidence, "first", 'code_lines("step") <= 3 and calls("jax.jit")').facts == (
        "code_lines('step') = 3; calls('jax.jit') = True"
    )


@pytest.mark.parametrize(
    "formula",
    [
        'value("missing") == 1',
        'value("p") == 1',
        'value("p[9]") == 1',
        'value("third:p") == 1',
        'value("lr; import os") == 1',
        'compiled_kernels("other") == 1',
        "trips(5) == 1",
        'code_lines("absent") == 1',
        'literal("p") == 1',
        'random("absent")',
        "1 / printed_lines() / 0 == 1",
    ],
)
def test_what_cannot_be_had_is_not_decided(evidence: tuple, formula: str) -> None:
    decided = decide(evidence, "first", formula)
    assert decided.holds is None
    assert decided.facts


@pytest.mark.parametrize(
    ("formula", "column"),
    [
        ("calls(", 5),
        ("", 0),
        ("nothing()", 0),
        ("code_lines()", 0),
        ("1 + code_lines(3)", 4),
        ("runs() and 1", 11),
        ("runs() == 1", 10),
        ('shape("p") == 2', 14),
        ('shape("p") < (2,)', 0),
        ("calls()", 0),
        ('calls("a", wrong=1)', 0),
        ('calls("a", **{})', 0),
        ('calls(("a",))', 0),
        ('trips("a") == 1', 0),
        ("code_lines(lines=3) == 1", 0),
        ("code_lines(lines=(1, 2, 3)) == 1", 0),
        ('code_lines("f", 3) == 1', 0),
        ("code_lines(between=(1, 2)) == 1", 0),
        ("calls(runs())", 0),
        ("calls(1.5)", 0),
        ("code_lines().real == 1", 0),
        ("__import__('os').system('x')", 0),
        ("().__class__", 0),
        ("(lambda: 1)()", 0),
        ("[1 for i in 'a'] == 1", 0),
        ("2 ** 10 == 1", 0),
        ("f'{1}' == 1", 0),
        ("1e999999999 == 1", 0),
        ("'a' == 'a'", 0),
        ("not " * 1000 + "runs()", 0),
        ("(" * 300 + "runs()" + ")" * 300, 0),
        ("1 == 1 or " * 500 + "runs()", 0),
    ],
)
def test_faults(formula: str, column: int) -> None:
    with pytest.raises(FormulaError) as caught:
        check_structure(formula)
    if column:
        assert caught.value.column == column


def test_texts_and_formulas_are_read_without_jax() -> None:
    code = "import sys, verifier.programs.listing_facts; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
