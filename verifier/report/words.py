"""The verdicts' words, letters and tones: one row per class, best first."""

from __future__ import annotations

from dataclasses import dataclass

from verifier.runs.records import Claim, Rule, Verdict

__all__ = [
    "CLAIM_WORDS",
    "NOT_RUN",
    "NUMBER_WORDS",
    "RULE_WORDS",
    "Word",
    "count",
    "of_claim",
    "of_number",
    "of_rule",
    "of_verdict",
    "ordinal_word",
    "rule_severity",
    "severity",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """How a verdict is shown: `letter` in the matrix, `tone` as colour (never alone), `plain` in a sentence."""

    name: str
    letter: str
    tone: str  # "good" | "note" | "warn" | "open" | "bad"
    plain: str
    fails: bool = False

    @property
    def label(self) -> str:
        """The name in a chip: a class that may warn or fail says which."""
        return f"{self.name} (fails)" if self.fails and self.name in _BOTH_WAYS else self.name


_BOTH_WAYS = {"LOSSY", "INEXACT", "UNDEFINED"}

NUMBER_WORDS: tuple[Word, ...] = (
    Word(name="ACCURATE", letter="A", tone="good", plain="as accurate as the problem allows"),
    Word(name="VACUOUS", letter="V", tone="note", plain="the inputs' own rounding leaves no digit to judge"),
    Word(name="CONVENTION", letter="C", tone="note", plain="not differentiable here; one of the allowed values"),
    Word(name="UNDERFLOW", letter="U", tone="note", plain="the truth is too small for the dtype"),
    Word(name="OVERFLOW", letter="O", tone="note", plain="the truth is too large for the dtype"),
    Word(name="LOSSY", letter="W", tone="warn", plain="more bits lost than the problem requires"),
    # At sampled inputs that the device flushes to zero, and in the symbolic formula, which runs to be compared with.
    Word(
        name="NONFINITE", letter="S", tone="warn", plain="NaN or infinite from flushed inputs or the symbolic formula"
    ),
    Word(name="UNDECIDED", letter="?", tone="open", plain="could not be judged"),
    Word(name="LOSSY", letter="L", tone="bad", plain="more than half of the significand lost", fails=True),
    Word(
        name="NONFINITE",
        letter="N",
        tone="bad",
        plain="NaN or infinite where the truth is an ordinary number",
        fails=True,
    ),
    Word(name="FAULTY", letter="F", tone="bad", plain="outside everything that rounding can explain", fails=True),
    Word(name="FAILED", letter="X", tone="bad", plain="the program did not run", fails=True),
)

CLAIM_WORDS: tuple[Word, ...] = (
    Word(name="CONFIRMED", letter="✓", tone="good", plain="confirmed"),
    Word(name="NOT COMPUTABLE", letter="–", tone="note", plain="not computable"),
    Word(name="UNDECIDED", letter="?", tone="open", plain="undecided"),
    Word(name="REFUTED", letter="✗", tone="bad", plain="refuted", fails=True),
)

RULE_WORDS: tuple[Word, ...] = (
    Word(name="RIGHT", letter="R", tone="good", plain="proven equal to the truth"),
    Word(name="CONVENTION", letter="C", tone="note", plain="not differentiable there; one of the allowed values"),
    Word(name="UNDEFINED", letter="D", tone="note", plain="outside the function's domain"),
    Word(name="INEXACT", letter="I", tone="warn", plain="proven different, but only in the last digits"),
    Word(name="UNDECIDED", letter="?", tone="open", plain="could not be judged"),
    Word(name="UNDEFINED", letter="D", tone="bad", plain="NaN where the function is infinite", fails=True),
    Word(name="INEXACT", letter="I", tone="bad", plain="proven different in the last digits", fails=True),
    Word(name="WRONG", letter="W", tone="bad", plain="proven wrong", fails=True),
)

NOT_RUN = Word(name="not run", letter="·", tone="none", plain="not run")

_NUMBERS = {(word.name, word.fails): word for word in NUMBER_WORDS}
_RULES = {(word.name, word.fails): word for word in RULE_WORDS}
_CLAIMS = {word.name: word for word in CLAIM_WORDS}
_ORDINALS = ("value", "first derivative", "second derivative", "third derivative", "fourth derivative")


def of_number(name: str, *, fails: bool) -> Word:
    """The word of a number verdict; a class from a newer minor version keeps its name and is shown by its initial."""
    tone = "bad" if fails else "open"
    fallback = Word(name=name, letter=name[:1] or "?", tone=tone, plain=name.lower(), fails=fails)
    return _NUMBERS.get((name, fails)) or _NUMBERS.get((name, not fails)) or fallback


def of_verdict(verdict: Verdict) -> Word:
    return of_number(verdict.verdict, fails=verdict.fails)


def of_rule(rule: Rule) -> Word:
    """The word of a rule's verdict; an unknown class is shown by its initial."""
    tone = "bad" if rule.fails else "open"
    fallback = Word(
        name=rule.verdict, letter=rule.verdict[:1] or "?", tone=tone, plain=rule.verdict.lower(), fails=rule.fails
    )
    return _RULES.get((rule.verdict, rule.fails)) or _RULES.get((rule.verdict, not rule.fails)) or fallback


def rule_severity(word: Word) -> int:
    """The position of a rule's word, best 0; an unknown class stands with the undecided."""
    return RULE_WORDS.index(word) if word in RULE_WORDS else RULE_WORDS.index(_RULES["UNDECIDED", False])


def of_claim(claim: Claim | str) -> Word:
    name = claim if isinstance(claim, str) else claim.verdict
    return _CLAIMS.get(name) or Word(name=name, letter=name[:1] or "?", tone="open", plain=name.lower())


def severity(word: Word) -> int:
    """The position of a number word, best 0; an unknown class stands with the undecided."""
    return NUMBER_WORDS.index(word) if word in NUMBER_WORDS else NUMBER_WORDS.index(_NUMBERS["UNDECIDED", False])


def ordinal_word(order: int) -> str:
    """0 -> "value", 1 -> "first derivative", 7 -> "7th derivative"."""
    return _ORDINALS[order] if order < len(_ORDINALS) else f"{order}th derivative"


def count(number: int, noun: str, plural: str = "") -> str:
    """1 -> "1 function", 1200 -> "1,200 functions"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
