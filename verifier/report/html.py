"""The HTML agreement report: one file, from a run file alone, that loads nothing from anywhere.

Style and script stand in the file and are allowed by their hashes; no other script would run and no other style (not
even an attribute) would count.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from verifier.report import numbers, words
from verifier.report.coverage import grid, orders_of, rule_rows, rule_sentence, rule_tallies
from verifier.report.findings import section_order, undecided_numbers, warning_numbers
from verifier.report.formulas import is_code, mathml, prose
from verifier.report.implementation import call_of
from verifier.report.matrix import DTYPES, in_order, matrix
from verifier.report.overview import overview
from verifier.report.packing import Pack
from verifier.report.pages import component_latex, histograms, sections
from verifier.report.plots import shares
from verifier.report.reproduction import missing_because, reproduction
from verifier.report.rule_verdicts import open_rules
from verifier.runs.placing import Placing
from verifier.runs.reader import Run

__all__ = ["page", "render", "write_page", "write_report"]

_PACKAGE = "verifier.report"
_IMPLIED = re.compile(r"</t[dhr]>\s*(?=<t[dhr]\b|</t(?:r|body|head)>)")
_LARGE = 1_500_000
"""A report of more characters has its plots and its further tables packed."""


def write_report(run: Run, path: str | Path) -> None:
    """Write the report of a run, replacing the file in one step."""
    write_page(render(run), path)


def write_page(text: str, path: str | Path) -> None:
    """Write a page, replacing the file in one step; raises RunFileError where it cannot be written."""
    with Placing(path) as out:
        out.write(text)


def page(template: str, **content: Any) -> str:
    """A page of its own from a template under `assets`, with the report's style and policy."""
    style, script = Markup(_style()), Markup(_asset("assets/script.js"))
    rendered = _environment().get_template(template)
    return _without_implied_ends(rendered.render(style=style, script=script, policy=_policy(style, script), **content))


def _without_implied_ends(text: str) -> str:
    """The page without the end tags that HTML implies, and the white space after them: a tenth of a large report.

    Texts are escaped and hold no tags. Source: HTML Living Standard, 13.1.2.4, optional tags of tables.
    """
    return _IMPLIED.sub("", text)


def render(run: Run) -> str:
    """The report's text. The same run file gives the same bytes."""
    content = _content(run)
    plain = page("report.html.j2", pack=Pack(in_use=False), **content)
    return plain if len(plain) <= _LARGE else page("report.html.j2", pack=Pack(in_use=True), **content)


def _content(run: Run) -> dict[str, Any]:
    """What the report's template shows."""
    return {
        "run": run,
        "overview": overview(run),
        "warnings": warning_numbers(run),
        "open_rules": open_rules(run),
        "undecided": undecided_numbers(run),
        "matrix": matrix(run),
        "pages": sections(run),
        "histograms": histograms(run),
        "rule_sentence": rule_sentence(run),
        "rule_tallies": rule_tallies(run.coverage),
        "rule_rows": rule_rows(run.coverage),
        "grid": grid(run.coverage),
        "entries": {each.entry: each for each in run.entries},
        "titles": {each.id: each.title for each in run.header.sections},
        "dtypes": in_order(DTYPES, {each.dtype for each in run.verdicts}),
    }


def _policy(style: str, script: str) -> str:
    """The content security policy: what stands in the file, by hash, and nothing else."""
    allowed = f"style-src {_hash(style)}; script-src {_hash(script)}; img-src data:; font-src data:"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}'"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(_PACKAGE, "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(_FILTERS)
    environment.globals.update(_GLOBALS)
    return environment


@cache
def _style() -> str:
    return _asset("assets/style.css").replace(
        "VERIFIER_MATH_FONT", "".join(_asset("font/verifier-math.woff2.b64").split())
    )


def _asset(name: str) -> str:
    return files(_PACKAGE).joinpath(name).read_text(encoding="utf-8")


def _link(address: str) -> str:
    """An address that a reader may follow; anything that is not http(s) leads nowhere."""
    return address if address.startswith(("https://", "http://")) else ""


_FILTERS: dict[str, Any] = {
    "prose": prose,
    "to_json": json.dumps,
    "link": _link,
    "agreeing": numbers.agreeing,
    "is_code": is_code,
    "shortened": numbers.shortened,
    "signed": numbers.signed,
    "ulps": numbers.ulps,
    "bits": numbers.bits,
    "exact_hex": numbers.exact_hex,
    "decimal_of": numbers.decimal_of,
    "ordinal": words.ordinal_word,
}
_GLOBALS: dict[str, Any] = {
    "call_of": call_of,
    "mathml": mathml,
    "orders_of": orders_of,
    "component_latex": component_latex,
    "claim_word": words.of_claim,
    "verdict_word": words.of_verdict,
    "count": words.count,
    "reproduction": reproduction,
    "missing_because": missing_because,
    "place": numbers.place,
    "share_bar": shares.bar,
    "section_order": section_order,
}
