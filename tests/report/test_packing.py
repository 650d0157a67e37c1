"""Packing: nothing changes where it is not in use; where it is, every part can be had again."""

import base64
import re
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from markupsafe import Markup

from verifier.report import html
from verifier.report.html import render
from verifier.report.packing import Pack
from verifier.runs.reader import Run

Make = Callable[..., dict[str, Any]]


def parts(text: str) -> list[str]:
    return zlib.decompress(base64.b64decode(text)).decode("utf-8").split("\n")


def test_a_pack_that_is_not_in_use_leaves_everything_in_place() -> None:
    assert Pack(in_use=False)(Markup("<p>ö</p>")) == "<p>ö</p>"


def test_parts_come_back_in_their_order() -> None:
    pack = Pack(in_use=True)
    places = [pack(Markup(each)) for each in ("<p>ö\nü</p>\n", "<b>2</b>")]
    assert places == ['<div data-packed="0"></div>', '<div data-packed="1"></div>']
    assert parts(pack.stored()) == ["<p>ö ü</p>", "<b>2</b>"]


def test_a_small_report_is_not_packed(report: str) -> None:
    assert '<div data-packed="' not in report
    assert 'id="packed"' not in report


@pytest.fixture
def packed(run: Run, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(html, "_LARGE", 0)
    return render(run)


def test_a_large_report_loses_nothing(packed: str, report: str) -> None:
    (stored,) = re.findall(r'id="packed">([^<]*)</script>', packed)
    found = parts(stored)
    places = [int(each) for each in re.findall(r'data-packed="(\d+)"', packed)]
    assert places == list(range(len(found)))
    whole = re.sub(r'<div data-packed="(\d+)"></div>', lambda place: found[int(place[1])], packed)
    for mark in ("<svg", "<td", "<math", "<figure"):
        assert whole.count(mark) == report.count(mark)
    assert len(packed) < len(report)


def test_links_still_lead_somewhere_when_packed(packed: str) -> None:
    ids = set(re.findall(r' id="([^"]*)"', packed))
    assert set(re.findall(r'href="#([^"]*)"', packed)) <= ids


def test_it_says_what_needs_a_script(packed: str, report: str) -> None:
    assert "<noscript>" in packed
    assert "<noscript>" not in report
