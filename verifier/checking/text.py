"""How a result reads: one block for each thing found, what was returned beside what is true, and a way to see it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from verifier.arithmetic.floats import FORMATS, shortest_decimal
from verifier.checking.result import Judgement, Result, Skipped
from verifier.model.rule import Note, RuleClass, RuleVerdict
from verifier.model.verdict import NumberVerdict

__all__ = ["number_text", "result_text", "shown_by"]

_OWN = "against its own primal"
_MOST_BLOCKS = 8
_MOST_ENTRIES = 8
_MEANINGFUL_ULPS = 1e18


def result_text(result: Result) -> str:
    """The whole text: a headline, the findings grouped, a reproduction of the worst, what was left out."""
    groups: dict[tuple[Any, ...], list[Judgement]] = {}
    for each in result.findings:
        groups.setdefault(_story(each), []).append(each)
    blocks = [_block(group, alone=result.formula == "") for group in groups.values()]
    parts = [_conflicts(result), _headline(result), _formulas(result), *blocks[:_MOST_BLOCKS]]
    if len(blocks) > _MOST_BLOCKS:
        parts.append(f"  ... and {len(blocks) - _MOST_BLOCKS} more")
    if any(not each.fails for each in result.findings):
        parts.append('  undecided="allow" lets pass what cannot be decided')
    parts += [_reproduction(result), *_noted(result), *_skipped(result)]
    return "\n\n".join(part for part in parts if part)


def _headline(result: Result) -> str:
    if not result.verdicts and not result.values:
        why = next((each.why for each in result.skipped), "its derivatives have no component")
        return f"{result.function}: nothing could be judged: {why}"
    proved = sum(each.proved for each in result.verdicts)
    parts = [
        f"{result.function}: {_outcome(result)}",
        f"{result.components} of {result.asked} components" if result.components < result.asked else "",
        _against(result),
        f"{proved} proved for all x" if proved else "",
        f"{len(result.missing)} asked for could not be run" if result.missing else "",
    ]
    return "; ".join(part for part in parts if part)


def _outcome(result: Result) -> str:
    """How many judgements fail, and how many are undecided without failing."""
    judged = (*result.verdicts, *result.values)
    failing = sum(each.fails for each in judged)
    undecided = sum(each.undecided and not each.fails for each in result.verdicts)
    of_all = f"of {len(judged)} judgements of its derivatives"
    if failing:
        return f"{failing} {of_all} fail" + (f", {undecided} could not be decided" if undecided else "")
    if undecided:
        allowed = "which is allowed" if result.allows_undecided else "none fails"
        return f"{undecided} {of_all} could not be decided, {allowed}"
    return f"{len(judged)} judgements of its derivatives, none fails"


def _conflicts(result: Result) -> str:
    """What stands above all else: the verifier contradicts itself."""
    if not result.conflicts:
        return ""
    head = f"ORACLE CONFLICT: two routes to the truth about {result.function} exclude each other; please report this"
    return "\n".join([head, *(f"  {each}" for each in result.conflicts)])


def _noted(result: Result) -> list[str]:
    """What a reader has to know of judgements that pass."""
    found: dict[str, list[str]] = {}
    for each in result.verdicts:
        for note in each.notes if each not in result.findings else ():
            found.setdefault(note, []).append(each.component)
    return [f"  {note}: {_names(dict.fromkeys(found[note]))}: {text}" for note, text in _NOTES.items() if note in found]


_NOTES = {
    Note.JUMP: "the function jumps here, and no derivative says anything",
    Note.SURROGATE: "what stop_gradient or a surrogate leaves is differentiated; the plain function has another slope",
    Note.PINNED: "rests on the decisions or random bits of one recorded run",
    Note.UNCERTIFIED: "no convex combination of the gradients that were found around this kink",
}


def _skipped(result: Result) -> list[str]:
    """What is missing and what to do about it, then what no one asked for; those of one reason together."""
    missing = _by_reason("could not be run", result.missing)
    if missing and result.verdicts:
        missing[-1] += "\n    name the programs that are wanted, programs=(...), to judge those alone"
    return missing + _by_reason("not judged", (each for each in result.skipped if not each.counts))


def _by_reason(head: str, skipped: Iterable[Skipped]) -> list[str]:
    reasons: dict[str, list[str]] = {}
    for each in skipped:
        reasons.setdefault(each.why, []).append(each.what)
    return [f"  {head}: {_names(what)}: {why}" for why, what in reasons.items()]


def _formulas(result: Result) -> str:
    return "\n".join(f"  {each.of} = {each.text}" for each in result.formulas)


def _against(result: Result) -> str:
    """What the value, or the rules alone, were judged against (SEMANTICS §10)."""
    if result.formula is None:
        return ""
    return f"its value is judged against {result.formula}" if result.formula else f"its rules {_OWN}"


def _story(judgement: Judgement) -> tuple[Any, ...]:
    """What findings have in common that are told together: one block for all their components and programs."""
    place = (judgement.order, judgement.dtype, judgement.device, tuple(_point(judgement.point)))
    return (*place, judgement.rule, judgement.number, judgement.blame)


def _block(group: Sequence[Judgement], *, alone: bool) -> str:
    """The worst component of a group, with the programs that returned the same, and how many others there are."""
    first = group[0]
    same = [each for each in group if (each.component, _value(each)) == (first.component, _value(first))]
    others = list(dict.fromkeys(each.component for each in group if each.component != first.component))
    rows = {
        "returned": "" if first.value is None else f"{_value(first)}  by {_names(each.program for each in same)}",
        "truth": first.truth,
        "rule": _rule(first.rule_verdict, alone=alone),
        "number": _number(first.number_verdict),
        "blame": str(first.blame or ""),
        "notes": _names(first.notes),
        "likewise": _names(others),
    }
    target = ", ".join(part for part in (first.dtype, first.device) if part)
    head = f"  {first.component} at {', '.join(_point(first.point))}  ({target})"
    return "\n".join([head, *(f"    {name:<9} {text}" for name, text in rows.items() if text)])


def _names(names: Iterable[str]) -> str:
    shown = list(names)
    more = f" and {len(shown) - _MOST_ENTRIES} more" if len(shown) > _MOST_ENTRIES else ""
    return ", ".join(shown[:_MOST_ENTRIES]) + more


def _rule(verdict: RuleVerdict | None, *, alone: bool) -> str:
    """`alone` tells that no formula says what the function is meant to be."""
    if verdict is None:
        return ""
    beside = _OWN if alone and verdict.kind is RuleClass.RIGHT else ""
    kind = f"{verdict.kind} (proved for all x)" if verdict.proved else str(verdict.kind)
    return "  ".join(each for each in (kind, beside, verdict.reason) if each)


def _number(verdict: NumberVerdict | None) -> str:
    if verdict is None:
        return ""
    details = [
        verdict.reason,
        _ulps(verdict),
        "" if verdict.lost_bits is None else f"{verdict.lost_bits:.1f} bits lost",
    ]
    text = "; ".join(each for each in details if each)
    return f"{verdict.kind}{f'  {text}' if text else ''}"


def _ulps(verdict: NumberVerdict) -> str:
    """The error in ulps, where an ulp at the truth is a measure of it (at a true zero it is not)."""
    if verdict.ulps is None or verdict.budget is None or verdict.budget > _MEANINGFUL_ULPS:
        return ""
    return f"{verdict.ulps:.3g} ulps off, {verdict.budget:.3g} are unavoidable"


def _point(point: Mapping[str, Any]) -> list[str]:
    return [f"{name} = {_shown(value)}" for name, value in point.items()]


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:96]} ..."


def _value(judgement: Judgement) -> str:
    return "" if judgement.value is None else number_text(judgement.value, judgement.dtype)


def number_text(value: float, dtype: str) -> str:
    """The shortest decimal of a member of the dtype; `nan` and `inf` as they are."""
    if value != value or abs(value) == float("inf"):
        return str(value)
    return shortest_decimal(value, FORMATS[dtype])


def _reproduction(result: Result) -> str:
    lines = result.reproduction.splitlines()
    return "\n".join(["  reproduce with JAX alone", *(f"    {line}".rstrip() for line in lines)]) if lines else ""


def shown_by(judgement: Judgement) -> str:
    """What a line that prints the judged number is about."""
    return f"{judgement.component}: {_value(judgement)}; the truth is {judgement.truth}"
