"""What an unquoted YAML scalar means, by the core schema of YAML 1.2, and the exact value of a number's source text.

PyYAML follows YAML 1.1, where `no` is false, `010` is 8 and `1e-3` is text; here `no`, `y` and `on` are text, `010` is
10 and `1e-3` is a number. Numbers are never made into floats: their source text is an exact rational.

Source: YAML 1.2.2, section 10.3.2, tag resolution of the core schema.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Literal

__all__ = ["ScalarKind", "exact", "integer", "kind_of", "number_text"]

ScalarKind = Literal["null", "boolean", "integer", "decimal", "infinity", "nan", "text"]

_PATTERNS: tuple[tuple[ScalarKind, re.Pattern[str]], ...] = (
    ("null", re.compile(r"|~|null|Null|NULL")),
    ("boolean", re.compile(r"true|True|TRUE|false|False|FALSE")),
    ("integer", re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")),
    ("decimal", re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")),
    ("infinity", re.compile(r"[-+]?\.(inf|Inf|INF)")),
    ("nan", re.compile(r"\.(nan|NaN|NAN)")),
)
_RADIX = {"0o": 8, "0x": 16}
_LEADING_ZEROS = re.compile(r"^([-+]?)0+(?=[0-9])")
_EXPONENT = re.compile(r"[eE]([-+]?[0-9]+)$")

MAX_DIGITS = 2000
MAX_EXPONENT = 20_000  # far beyond every float format, and 10**20000 is still cheap


def kind_of(text: str) -> ScalarKind:
    """What the text of an unquoted scalar means."""
    for kind, pattern in _PATTERNS:
        if pattern.fullmatch(text):
            return kind
    return "text"


def number_text(text: str) -> str:
    """The same number as the formula language writes it: `0x1F` is 31 and `010` is 10; other text is kept as it is."""
    if text[:2] in _RADIX:
        return str(integer(text))
    return _LEADING_ZEROS.sub(r"\1", text)


def integer(text: str) -> int:
    """The value of an integer's text; raises ValueError when it is none or has more than 2,000 digits."""
    if kind_of(text) != "integer" or len(text) > MAX_DIGITS:
        raise ValueError("no integer, or one with too many digits")
    return int(text[2:], _RADIX[text[:2]]) if text[:2] in _RADIX else int(text)


def exact(text: str) -> Fraction:
    """The exact value of a number's text, such as `1e-3`; raises ValueError when it is none or is too large."""
    if kind_of(text) == "integer":
        return Fraction(integer(text))
    if kind_of(text) != "decimal" or len(text) > MAX_DIGITS:
        raise ValueError("no number, or one with too many digits")
    exponent = _EXPONENT.search(text)
    if exponent and (len(exponent[1]) > 7 or abs(int(exponent[1])) > MAX_EXPONENT):
        raise ValueError("the exponent is too large")
    return Fraction(text)
