"""The examples of the reference are catalogs that can be read."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

REFERENCE = (Path(__file__).parents[2] / "docs" / "catalog.md").read_text(encoding="utf-8")
WHOLE, *FRAGMENTS = re.findall(r"```yaml\n(.*?)```", REFERENCE, flags=re.DOTALL)
Faults = Callable[[str | bytes], list[str]]


def test_the_whole_example(faults: Faults) -> None:
    assert faults(WHOLE) == []


@pytest.mark.parametrize("fragment", FRAGMENTS, ids=lambda text: text.split(":")[0] + f"-{len(text)}")
def test_keys_of_an_entry(fragment: str, faults: Faults) -> None:
    head = WHOLE[: WHOLE.index("  tanh-squared:")]
    entry = "  example:\n    title: t\n    section: chain-rule\n" + textwrap.indent(fragment, "    ")
    assert faults(head + entry) == []
