"""Numbers as a reader sees them: short decimals, hex beside them, ulps and bits rounded to what matters."""

from __future__ import annotations

import math
import re

from verifier.arithmetic.floats import FORMATS, is_member, shortest_decimal
from verifier.runs.records import RuleWorst, Worst

__all__ = ["agreeing", "bits", "decimal_of", "exact_hex", "place", "shortened", "signed", "ulps", "witnessed"]

_MANTISSA = re.compile(r"^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$")
_SHOWN_DIGITS = 18


def decimal_of(value: str, dtype: str) -> str:
    """`float.hex()` text -> the shortest decimal that means it in its dtype, with a real minus sign."""
    try:
        number = float.fromhex(value)
    except ValueError:
        return value
    form = FORMATS.get(dtype)
    return signed(shortest_decimal(number, form) if form and is_member(number, form) else repr(number))


def exact_hex(value: str) -> str:
    """`float.hex()` text without the zeros that carry nothing: 0x1.8000000000000p+1 -> 0x1.8p+1."""
    return re.sub(r"\.?0*p", "p", value) if "p" in value else value


def shortened(text: str) -> str:
    """A long decimal cut to about twenty digits with an ellipsis; anything else as it is."""
    found = _MANTISSA.match(text.strip())
    if not found or len(text) <= _SHOWN_DIGITS + 6 or found[3] is None:
        return signed(text)
    kept = found[3][: max(0, _SHOWN_DIGITS - len(found[2]))]
    exponent = f"e{found[4]}" if found[4] else ""
    return signed(f"{found[1]}{found[2]}.{kept}…{exponent}")


def signed(text: str) -> str:
    """Numbers are set with the minus sign; words with hyphens are left alone."""
    text = re.sub(r"(?<=[\d…]e)([+-]?)0*(?=\d)", lambda found: found[1].replace("+", "").replace("-", "−"), text)
    return re.sub(r"(?<![\w.])-(?=[\d.]|inf)", "−", text)


def agreeing(text: str, truth: str) -> tuple[str, str]:
    """A computed decimal split after the digits that it shares with the truth: none where the exponents differ."""
    ends = [each.partition("e")[2] for each in (text, truth)]
    shared = (
        0
        if ends[0] != ends[1]
        else next((k for k, (a, b) in enumerate(zip(text, truth, strict=False)) if a != b), len(text))
    )
    return text[:shared], text[shared:]


def place(worst: Worst | RuleWorst) -> str:
    """Where a verdict was at its worst: the point's name, else its inputs, else its number."""
    if worst.label:
        return worst.label
    told = (
        f"{name} = {values[0].decimal}"
        if len(values) == 1
        else f"{name} = [{', '.join(each.decimal for each in values)}]"
        for name, values in worst.inputs.items()
    )
    return ", ".join(told) or f"point {worst.point}"


def witnessed(worst: Worst | RuleWorst) -> str:
    """The worst point in a sentence: where, what came out, the truth; or why nothing came out."""
    value = worst.decimal if isinstance(worst, Worst) else worst.value
    return f"at {signed(place(worst))}: {signed(value)} instead of {shortened(worst.truth)}" if value else worst.reason


def ulps(error: float | None) -> str:
    """An error in ulps to two or three digits; an em dash where there is none."""
    if error is None or not math.isfinite(error):
        return "—"
    if error == 0:
        return "0"
    if error < 0.01:
        return "< 0.01"
    if error < 10_000:
        return f"{error:.2f}" if error < 10 else f"{error:,.0f}"
    mantissa, exponent = f"{error:.1e}".split("e")
    return f"{mantissa}·10{_superscript(int(exponent))}"


def bits(lost: float | None) -> str:
    """Bits lost, to a tenth."""
    return "—" if lost is None or not math.isfinite(lost) else f"{lost:.1f}"


def _superscript(number: int) -> str:
    return str(number).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
