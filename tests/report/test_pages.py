"""Sections in their order, and what a plot may be drawn from."""

from collections.abc import Callable
from typing import Any

import pytest

from verifier.report.formulas import mathml
from verifier.report.pages import component_latex, sections
from verifier.runs.reader import Run

Make = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    ("component", "latex"),
    [
        ("d/dx", r"\frac{d f}{d x}"),
        ("d2/dx2", r"\frac{d^{2} f}{d x^{2}}"),
        ("d/dx2", r"\frac{d f}{d \mathrm{x2}}"),
        ("d/dv[0]", r"\frac{\partial f}{\partial v_{0}}"),
        ("d2/dv[0]dv[1]", r"\frac{\partial^{2} f}{\partial v_{0}\,\partial v_{1}}"),
        ("value[1] d/dx", r"\frac{d f_{1}}{d x}"),
        ("d/dparams.w1[0, 3]", r"\frac{\partial f}{\partial \mathrm{params.w1}_{0, 3}}"),
        ("value", None),
        ("jvp", None),
        ("d/d}{<script>", None),
    ],
)
def test_components_are_typeset(component: str, latex: str | None) -> None:
    assert component_latex(component) == latex
    assert latex is None or mathml(latex).startswith("<math")


def test_sections_stand_in_the_sources_order_with_all_their_claims(run: Run) -> None:
    pages = sections(run)
    assert [page.section.id for page in pages] == [section.id for section in run.header.sections]
    assert sum(len(page.claims) for page in pages) == len(run.claims)
    assert sum(len(page.entries) for page in pages) == len(run.entries)


def test_what_names_no_known_section_is_shown_elsewhere(make_run: Callable[..., Run], entry: Make) -> None:
    pages = sections(make_run([entry(section="nowhere")]))
    assert [(page.section.title, len(page.entries)) for page in pages] == [("Section", 0), ("Elsewhere", 1)]


def points(count: int) -> dict[str, Any]:
    return {"float32": [{"origin": "uniform", "inputs": {"x": [float(k).hex()]}} for k in range(count)]}


def test_an_error_plot_is_drawn_for_each_order_and_dtype(
    make_run: Callable[..., Run], verdict: Make, entry: Make
) -> None:
    run = make_run(
        [
            entry(points=points(4)),
            verdict(ulps=[0.1, 0.2, 9.0, None], budget=[4.0] * 4, counts={"ACCURATE": 3, "NONFINITE": 1}),
        ]
    )
    (panel,) = sections(run)[0].entries[0].panels[1]
    assert panel.dtype == "float32"
    assert 'class="dots bad"' in panel.svg
    assert 'class="cross"' in panel.svg


def test_errors_of_other_points_are_not_drawn_at_these(
    make_run: Callable[..., Run], verdict: Make, entry: Make
) -> None:
    """A record of fewer points says nothing about which ones they were."""
    run = make_run([entry(points=points(4)), verdict(ulps=[0.1, 0.2, 9.0], budget=[4.0] * 3)])
    assert sections(run)[0].entries[0].panels == {}


def test_the_symbolic_formulas_error_is_not_taken_for_autodiffs(
    make_run: Callable[..., Run], verdict: Make, entry: Make
) -> None:
    run = make_run([entry(points=points(3)), verdict(program="symbolic/jit", ulps=[1e6] * 3, budget=[4.0] * 3)])
    assert sections(run)[0].entries[0].panels == {}
