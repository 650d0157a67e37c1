"""The report is one file that loads nothing, escapes everything and says what the run says."""

import base64
import hashlib
import re
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from verifier.report.html import render, write_report
from verifier.runs.reader import Run

Make = Callable[..., dict[str, Any]]

HOSTILE = (
    "<script>alert(1)</script></style></title>\"'><img src=x onerror=alert(1)> $\\text{<b>}$ `</code>` "
    "\u202egnp {{ 7*7 }} javascript:alert(1)"
)


class Page(HTMLParser):
    """Every tag with its attributes, and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self.open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open = tag

    def handle_data(self, data: str) -> None:
        if self.open in self.raw:
            self.raw[self.open].append(data)

    def handle_endtag(self, tag: str) -> None:
        self.open = ""

    def values(self, attribute: str) -> list[str]:
        return [attributes[attribute] or "" for _, attributes in self.tags if attribute in attributes]


@pytest.fixture(scope="session")
def page(report: str) -> Page:
    return Page(report)


def test_nothing_comes_from_outside(page: Page) -> None:
    assert page.values("src") == []
    assert [
        tag for tag, _ in page.tags if tag in ("img", "iframe", "object", "embed", "base", "form") and tag != "form"
    ] == []
    links = [attributes["href"] for tag, attributes in page.tags if tag == "link"]
    assert links == ["data:,"]
    style = "".join(page.raw["style"])
    assert re.findall(r"url\(([^)]{0,30})", style) == ["data:font/woff2;base64,d09GMk9"[:30]]
    assert "@import" not in style


def test_the_policy_allows_this_script_and_style_only(page: Page) -> None:
    (policy,) = [
        a["content"] for tag, a in page.tags if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    scripts = [text for text in page.raw["script"] if "use strict" in text]
    for text in (*page.raw["style"], *scripts):
        assert base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() in policy
    assert page.values("style") == []
    assert [name for _, attributes in page.tags for name in attributes if name.startswith("on")] == []


def test_links_lead_to_places_that_exist(page: Page) -> None:
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    targets = {href[1:] for href in page.values("href") if href.startswith("#")}
    assert targets - set(ids) == set()


def test_it_says_what_the_run_says(report: str, run: Run) -> None:
    for claim in run.claims:
        assert report.count(f'id="claim-{claim.entry}-{claim.claim}"') == 1
    for entry in run.entries:
        assert f'id="entry-{entry.entry}"' in report
    assert "5 refuted statements and 3 wrong derivatives" in report
    assert "no independent evidence" in report


def test_landmarks_and_headings(page: Page) -> None:
    tags = [tag for tag, _ in page.tags]
    assert [tags.count(each) for each in ("main", "nav", "h1", "header")] == [1, 1, 1, 1]
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert all(b <= a + 1 for a, b in pairwise(levels))
    assert all(a.get("aria-label") or a.get("aria-hidden") for tag, a in page.tags if tag == "svg")


def test_the_same_run_gives_the_same_bytes(report: str, run: Run) -> None:
    assert render(run) == report


def test_it_is_small(report: str) -> None:
    assert len(report.encode()) < 700_000


def hostile_rule(verdict: str, fails: bool) -> dict[str, Any]:
    return {
        "kind": "rule",
        "entry": "e",
        "order": 1,
        "program": f"{HOSTILE} {verdict}",
        "dtype": HOSTILE,
        "component": HOSTILE,
        "verdict": verdict,
        "fails": fails,
        "counts": {verdict: 1},
        "points": 1,
        "notes": [HOSTILE],
        "formula": HOSTILE,
        "worst": {
            "point": 0,
            "label": HOSTILE,
            "inputs": {HOSTILE: [{"hex": HOSTILE, "decimal": HOSTILE}]},
            "value": HOSTILE,
            "truth": HOSTILE,
            "reason": HOSTILE,
            "blame": {"who": "rule", "primitive": HOSTILE, "source": HOSTILE, "what": HOSTILE},
        },
    }


def hostile_records(verdict: Make, entry: Make) -> list[dict[str, Any]]:
    known = {"reason": HOSTILE, "link": "javascript:alert(1)"}
    series = {"kind": "line", "label": HOSTILE, "x": [0, 1], "y": [0, 1]}
    return [
        entry(
            title=HOSTILE,
            note=HOSTILE,
            tags=[HOSTILE],
            implementation={
                "module": HOSTILE,
                "function": HOSTILE,
                "arguments": [HOSTILE],
                "options": {HOSTILE: HOSTILE},
            },
            status="FAILED",
            reason=HOSTILE,
            value={"text": HOSTILE, "latex": HOSTILE},
            definitions=[
                {"name": HOSTILE, "text": HOSTILE, "latex": HOSTILE, "local": [{"wrt": HOSTILE, "latex": HOSTILE}]}
            ],
            inputs=[{"name": HOSTILE, "domain": [HOSTILE, HOSTILE]}],
            data=[{"name": HOSTILE, "source": HOSTILE}],
            derivatives=[{"order": 1, "component": HOSTILE, "latex": HOSTILE}],
            points={HOSTILE: [{"origin": HOSTILE, "inputs": {HOSTILE: [HOSTILE]}}]},
            columns=[
                {
                    "dtype": HOSTILE,
                    "point": 0,
                    "label": HOSTILE,
                    "order": 1,
                    "component": HOSTILE,
                    "truth": HOSTILE,
                    "symbolic": {"value": HOSTILE},
                    "autodiff": {"program": HOSTILE, "value": HOSTILE},
                }
            ],
            pictures=[
                {
                    "id": HOSTILE,
                    "title": HOSTILE,
                    "caption": HOSTILE,
                    "x_label": HOSTILE,
                    "y_label": HOSTILE,
                    "series": [series],
                }
            ],
        ),
        verdict(
            verdict=HOSTILE,
            fails=True,
            acknowledged=known,
            program=HOSTILE,
            dtype=HOSTILE,
            device=HOSTILE,
            component=HOSTILE,
            worst={
                "label": HOSTILE,
                "inputs": {HOSTILE: [{"hex": HOSTILE, "decimal": HOSTILE}]},
                "value": HOSTILE,
                "decimal": HOSTILE,
                "truth": HOSTILE,
                "reason": HOSTILE,
                "blame": {"who": HOSTILE, "primitive": HOSTILE, "source": HOSTILE, "what": HOSTILE},
            },
        ),
        *(hostile_rule(verdict, fails) for verdict, fails in (("WRONG", True), ("UNDECIDED", False))),
        {
            "kind": "claim",
            "entry": "e",
            "claim": HOSTILE,
            "says": HOSTILE,
            "section": HOSTILE,
            "verdict": "REFUTED",
            "fails": True,
            "acknowledged": known,
            "truth": HOSTILE,
            "reason": HOSTILE,
            "explains": HOSTILE,
            "reading": HOSTILE,
        },
    ]


def test_hostile_text_stays_text(make_run: Callable[..., Run], verdict: Make, entry: Make, page: Page) -> None:
    """Whatever a catalog holds, the tags and attribute names are those of an ordinary report."""
    hostile = Page(render(make_run(hostile_records(verdict, entry))))
    vocabulary = {(tag, name) for tag, attributes in page.tags for name in (*attributes, "")}
    vocabulary |= {("code", "class"), ("span", "title")}
    extra = {(tag, name) for tag, attributes in hostile.tags for name in (*attributes, "")} - vocabulary
    assert {each for each in extra if each[0] not in ("math", "mtext", "mi", "mo", "mn", "mrow")} == set()
    assert len(hostile.raw["script"]) == 2
    assert not any("alert(1)" in text for text in (hostile.raw["script"][1], *hostile.raw["style"]))
    assert not any(value.startswith("javascript") for value in hostile.values("href"))


def test_a_planted_leak_is_noticed(
    make_run: Callable[..., Run], verdict: Make, entry: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from markupsafe import Markup

    from verifier.report import html

    monkeypatch.setitem(html._environment().filters, "prose", Markup)
    assert "img" in {tag for tag, _ in Page(render(make_run(hostile_records(verdict, entry)))).tags}


def test_an_empty_run_has_a_report(make_run: Callable[..., Run]) -> None:
    assert "Nothing is wrong." in render(make_run([]))


def test_it_is_written_in_one_step(run: Run, report: str, tmp_path: Path) -> None:
    write_report(run, tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == report
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]


def test_what_explains_a_refutation_is_not_said_of_a_confirmed_claim(make_run: Callable[..., Run]) -> None:
    claim = {
        "kind": "claim",
        "entry": "e",
        "claim": "c",
        "says": "so",
        "section": "s",
        "explains": "Because not.",
        "reason": "proved",
    }
    assert "Because not." not in render(make_run([{**claim, "verdict": "CONFIRMED"}]))
    assert "Because not." in render(make_run([{**claim, "verdict": "REFUTED", "fails": True}]))


def test_a_long_list_of_failures_is_folded(make_run: Callable[..., Run], entry: Make) -> None:
    few, many = (
        render(make_run([entry(entry=f"e{k}", status="FAILED", reason="timeout") for k in range(n)])) for n in (2, 9)
    )
    assert '<details class="stopped" open>' in few
    assert '<details class="stopped"><summary>9 entries could not be run' in many
