"""What a listing's text says is read without running it."""

from __future__ import annotations

import re
import time
from fractions import Fraction
from pathlib import Path

import pytest

from verifier.model.catalog import Listing
from verifier.programs.listing_analysis import ListingText, analyse

ARTICLE = (Path(__file__).parent / "fixtures" / "article_listings.txt").read_text(encoding="utf-8")


def read(*codes: str) -> tuple[ListingText, ...]:
    return analyse([Listing(id=str(number), section="s", code=code) for number, code in enumerate(codes)])


@pytest.fixture(scope="module")
def article() -> dict[str, ListingText]:
    parts = re.split(r"^# %% (.*)\n", ARTICLE, flags=re.MULTILINE)[1:]
    listings = [Listing(id=name, section="s", code=code) for name, code in zip(parts[::2], parts[1::2], strict=True)]
    return {text.id: text for text in analyse(listings)}


def test_names_that_the_article_never_binds(article: dict[str, ListingText]) -> None:
    found = {name: {use.name for use in text.unbound} for name, text in article.items()}
    assert {name: names for name, names in found.items() if names} == {
        "field": {"plt", "np"},
        "descent": {"plt", "np"},
        "network": {"plt"},
    }
    assert (article["field"].unbound[0].name, article["field"].unbound[0].line) == ("plt", 3)


def test_random_draws_in_the_article(article: dict[str, ListingText]) -> None:
    assert article["descent"].first_random["x"] is False  # "Start from a random point" is x = 0.0
    assert article["regression"].first_random["params"] is False  # "Initialize parameters randomly" is zeros
    assert article["regression"].first_random["y_data"] is True
    assert "params" in article["regression"].last_random  # what was learned from random data
    assert article["network"].first_random["params"] is True  # through init_params
    assert article["network"].first_random["key"] is False


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("x = y", ["y"]),
        ("x = 1\ny = x", []),
        ("x += 1", ["x"]),
        ("def f():\n    return g()\ndef g():\n    return 1", []),  # called later
        ("def f(a, b=c):\n    return a + b", ["c"]),
        ("[i for i in range(3)]\ni", ["i"]),
        ("[j for i in x for j in i]", ["x"]),
        ("for i in range(3):\n    pass\ni", []),
        ("f = lambda v: v + w", ["w"]),
        ("@deco\ndef f():\n    inner = 1\n    return inner\ninner", ["deco", "inner"]),
        ("import a.b\nimport c.d as e\nfrom f import g as h\na, e, h, c", ["c"]),
        ("{k: v for k, v in d}", ["d"]),
        ("x = = 1", []),
    ],
)
def test_unbound(code: str, names: list[str]) -> None:
    assert [use.name for use in read(code)[0].unbound] == names


def test_earlier_listings_bind() -> None:
    first, second = read("import jax.numpy as jnp\n", "x = jnp.tanh(1.0)\n")
    assert (first.unbound, second.unbound) == ((), ())
    assert [call.name for call in second.calls()] == ["jax.numpy.tanh"]


@pytest.mark.parametrize(
    ("code", "first", "last"),
    [
        ("import jax\nx = jax.random.normal(k)", True, True),
        ("import jax\nx = 0.0\nx = jax.random.normal(k)", False, True),
        ("import jax\nx = jax.random.normal(k)\nx = 0.0", True, False),
        ("from jax.random import uniform as u\ny = [0.0]\ny.append(u(k))\nx = y", True, True),
        ("import jax\nx = jax.random.PRNGKey(0)\nk, x = jax.random.split(x)", False, False),
        ("import jax\nx = z = 0\nfor i in t:\n    x = x + z\n    z = z + y\n    y = jax.random.normal(k)", False, True),
        ("import jax\ny = jax.random.normal(k)\ndef f():\n    return g()\ndef g():\n    return y\nx = f()", True, True),
        ("import jax\ndef f(y):\n    return y\ny = jax.random.normal(k)\nx = f(1)", False, False),
        ("import jax\nif a:\n    x = 1\nelse:\n    x = jax.random.normal(k)", False, True),
    ],
)  # fmt: skip
def test_random(code: str, first: bool, last: bool) -> None:
    text = read(code)[0]
    assert text.first_random["x"] is first
    assert ("x" in text.last_random) is last


def test_lines() -> None:
    text = read(
        '"""Two\nlines."""\n\n# comment\n@a.b\ndef f(x):\n    # comment\n'
        "    return (x +\n\n            1)\nf(1)  # call\n"
    )[0]
    assert text.code_lines() == 7
    assert text.lines_of("f") == range(5, 11)
    assert text.code_lines(range(5, 11)) == 4
    assert text.lines_of("g") is None
    assert text.lines_between("def f", "1)") == range(6, 11)
    assert text.lines_between("1)", "def f") is None
    assert [call.name for call in text.calls()] == ["a.b", "f"]


def test_literals_are_exact() -> None:
    text = read("lr = 0.1\nlr = 5\nn = -2e-3\nm = lr * 2\n")[0]
    assert [text.literal(name) for name in ("lr", "n", "m", "q")] == [Fraction(1, 10), Fraction(-2, 1000), None, None]


@pytest.mark.parametrize(
    "code",
    [
        "y = " + "+".join(["1"] * 5000),
        "y = " + "(" * 150 + "1" + ")" * 150,
        "y" + ".y" * 5000,
        "x = 1\n" * 20_000,
        "y = '\0'",
        "".join(" " * depth + f"for i{depth} in x:\n" for depth in range(55)) + " " * 55 + "y = x\n",
        "".join(f"def f{n}():\n    return f{n + 1}() + f{n + 1}()\n" for n in range(200)) + "y = f0()\n" * 100,
    ],
)
def test_hostile_texts_are_read_or_empty_but_never_hang(code: str) -> None:
    start = time.process_time()
    (text,) = read(code)
    text.calls(), text.code_lines(), text.literal("y")
    assert time.process_time() - start < 10
