"""Formulas: the article's and SymPy's LaTeX is typeset, hostile LaTeX is text."""

import base64
import io
import re
from importlib.resources import files
from types import ModuleType

import pytest

from verifier.report.formulas import is_code, mathml, prose

WRITTEN = (
    r"\operatorname{erf}{\left(x \right)}",
    r"\begin{cases} 1 & \text{for}\: x > 0 \\ 0 & \text{otherwise} \end{cases}",
    r"\left[\begin{matrix}6 x_{0} & 2 x_{1}\\2 x_{1} & 2\end{matrix}\right]",
    r"\mathbf{f}: \mathbb{R}^n \to \mathbb{R}^m",
    r"\nabla_\theta \ell_i",
    r"\sqrt{2} \cdot 10^{-3}",
    r"\log{\left(\sum_{i=1}^{n} e^{x_{i}} \right)}",
    r"\hat{y} = \lfloor x \rfloor",
)

HOSTILE = (
    r"\text{<script>alert(1)</script>}",
    r"\text{&lt;script&gt;}",
    r"\mathrm{</math><img src=x onerror=alert(1)>}",
    r"\href{javascript:alert(1)}{x}",
    r"\style{background:url(x)}{x}",
    r"\class{x\" onclick=\"alert(1)}{y}",
    r"\color{red\" onload=\"x}{y}",
    "<svg/onload=alert(1)>",
    r"\frac{",
    r"\left(" * 400 + r"\right)" * 400,
    "{" * 5000,
    "x" * 30_000,
)
KNOWN = {"code", "math", "mrow", "mi", "mo", "mn", "mtext", "mstyle", "mfrac", "mspace"}
ALLOWED = re.compile(r"<(/?)([a-z]+)((?: [a-z]+=\"[\w.%+\- ]*\")*)>")


@pytest.mark.parametrize("latex", WRITTEN)
def test_mathematics_is_typeset(latex: str) -> None:
    assert mathml(latex).startswith("<math")


def test_every_formula_of_the_sample_is_typeset(sample: ModuleType) -> None:
    shown = [latex for _, _, formulas in sample.SECTIONS for latex in formulas]
    shown += [latex for each in sample.SAMPLES for _, _, latex in each.derivatives]
    assert [latex for latex in shown if not mathml(latex).startswith("<math")] == []


@pytest.mark.parametrize("latex", HOSTILE)
def test_hostile_latex_becomes_text(latex: str) -> None:
    shown = str(mathml(latex))
    tags = re.findall(r"<[^>]*>?", shown)
    assert [tag for tag in tags if not ALLOWED.fullmatch(tag)] == []
    assert {tag.strip("</>").split()[0] for tag in tags} <= KNOWN


def test_a_planted_leak_is_noticed() -> None:
    """latex2mathml's own serialiser is the leak that the test above must catch."""
    from latex2mathml.converter import convert

    assert "<script>" in convert(HOSTILE[0])
    assert "<script>" not in mathml(HOSTILE[0])


def test_primes_stand_beside_their_function() -> None:
    assert "<msup>" not in mathml("f'(x)")
    assert "′" in mathml("f'(x)")


def test_flat_brackets_do_not_grow_and_tall_ones_do() -> None:
    assert 'stretchy="true"' not in mathml(r"\left(1 - \tanh^{2}{\left(x \right)}\right)")
    assert 'stretchy="true"' in mathml(r"\left(\frac{1}{2}\right)")


def test_sentences_with_formulas_and_code() -> None:
    shown = prose("If $x < 1$ then `a<b>` & so on, for $5")
    assert "<math" in shown
    assert "<code>a&lt;b&gt;</code> &amp; so on, for $5" in shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# [8.0, 7.0]", True),
        ("print(x)", True),
        ("sech2_x = 1 - tanh_x**2", True),
        ("They all point toward the minimum.", False),
        ("jax.grad computes derivatives", False),
    ],
)
def test_code_is_told_from_prose(text: str, expected: bool) -> None:
    assert is_code(text) is expected


def test_the_embedded_font_holds_the_characters_of_the_sample(report: str) -> None:
    ttlib = pytest.importorskip("fontTools.ttLib")
    text = files("verifier.report").joinpath("font/verifier-math.woff2.b64").read_text(encoding="ascii")
    known = set(ttlib.TTFont(io.BytesIO(base64.b64decode(text))).getBestCmap())
    leaves = re.findall(r"<m[ion](?: [^>]*)?>([^<]+)</m[ion]>", report)
    missing = {
        character
        for text in leaves
        for character in text.replace("&lt;", "<").replace("&gt;", ">")
        if ord(character) not in known
    }
    assert missing == set()
