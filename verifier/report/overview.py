"""The first screen in plain words: what was checked, whether anything is wrong, how bad, and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from verifier.report.findings import Finding, failing_numbers, open_claims
from verifier.report.rule_verdicts import RuleFinding, failing_rules, rule_tally
from verifier.report.words import CLAIM_WORDS, NUMBER_WORDS, Word, count, of_claim, of_number
from verifier.runs.reader import Run
from verifier.runs.records import Claim

__all__ = ["Overview", "Share", "overview"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One part of a tally."""

    word: Word
    number: int
    acknowledged: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Everything that the first screen says, as sentences and tallies.

    `tone` is that of the verdict sentence; `claims` are refuted or undecided, `findings` failing numbers, worst first.
    """

    checked: str
    verdict: str
    tone: str
    known: str
    claim_shares: tuple[Share, ...]
    number_shares: tuple[Share, ...]
    rule_shares: tuple[Share, ...]
    claims: tuple[Claim, ...]
    findings: tuple[Finding, ...]
    rules: tuple[RuleFinding, ...]
    failed: tuple[str, ...]
    stale: tuple[str, ...]

    @property
    def gravest(self) -> Finding | RuleFinding | None:
        """What to look at first: news before what is known, a wrong rule before a wrong number."""
        return min((*self.rules, *self.findings), key=lambda each: each.acknowledged is not None, default=None)

    @property
    def claim_count(self) -> int:
        return sum(share.number for share in self.claim_shares)

    @property
    def rule_count(self) -> int:
        return sum(share.number for share in self.rule_shares)

    @property
    def number_count(self) -> int:
        return sum(share.number for share in self.number_shares)


def overview(run: Run) -> Overview:
    """The overview of a run."""
    claims, findings, rules = open_claims(run), failing_numbers(run), failing_rules(run)
    failed = tuple(each.entry for each in run.entries if each.status != "OK")
    tone, verdict = _verdict(run, claims, (*findings, *rules), failed)
    return Overview(
        checked=_checked(run),
        verdict=verdict,
        tone=tone,
        known=_known(claims, findings, rules),
        claim_shares=_claim_shares(run),
        number_shares=_number_shares(run),
        rule_shares=tuple(Share(word=word, number=each, acknowledged=known) for word, each, known in rule_tally(run)),
        claims=claims,
        findings=findings,
        rules=rules,
        failed=failed,
        stale=run.end.stale,
    )


def _checked(run: Run) -> str:
    functions = sum(each.value is not None for each in run.entries)
    derivatives = sum(size.count for each in run.entries for order, size in each.components.items() if order != "0")
    programs, dtypes = {each.program for each in run.verdicts}, {each.dtype for each in run.verdicts}
    devices = {each.device for each in run.verdicts}
    return (
        f"{count(functions, 'function')} with {count(derivatives, 'partial derivative')}, computed by "
        f"{count(len(programs), 'JAX program')} in {count(len(dtypes), 'number format')} "
        f"on {count(len(devices), 'device')}{_statements(run)}."
    )


def _statements(run: Run) -> str:
    return f"; {count(len(run.claims), 'statement')} of the text" if run.claims else ""


def _verdict(
    run: Run, claims: tuple[Claim, ...], findings: tuple[Finding | RuleFinding, ...], failed: tuple[str, ...]
) -> tuple[str, str]:
    """(tone, sentence): news if there are any, else what is open, else that all is well."""
    new_claims = sum(each.acknowledged is None and each.fails for each in claims)
    new_numbers = sum(each.acknowledged is None for each in findings if isinstance(each, Finding))
    new_rules = sum(each.acknowledged is None for each in findings if isinstance(each, RuleFinding))
    if new_claims or new_numbers or new_rules or failed:
        parts = (
            (new_claims, count(new_claims, "statement is refuted", "statements are refuted")),
            (new_rules, count(new_rules, "derivative rule is wrong", "derivative rules are wrong")),
            (new_numbers, count(new_numbers, "derivative comes out wrong", "derivatives come out wrong")),
            (len(failed), count(len(failed), "entry could not be run", "entries could not be run")),
        )
        return "bad", f"{_joined(text for number, text in parts if number)}."
    still_open = sum(each.verdict == "UNDECIDED" for each in claims) + run.end.verdicts.get("UNDECIDED", 0)
    still_open += run.end.rules.get("UNDECIDED", 0)
    known = any(each.acknowledged for each in claims) or bool(findings)
    if run.entries and not (run.verdicts or run.rules or run.claims):
        return "open", "Nothing was verified: what was asked for leaves these entries no program."
    if still_open:
        return "open", f"Nothing new is wrong, but {count(still_open, 'question is', 'questions are')} still open."
    return ("good", "Nothing is wrong beyond what is already known.") if known else ("good", "Nothing is wrong.")


def _known(claims: tuple[Claim, ...], findings: tuple[Finding, ...], rules: tuple[RuleFinding, ...]) -> str:
    known_claims = sum(each.acknowledged is not None for each in claims)
    known_numbers = sum(each.acknowledged is not None for each in findings)
    known_rules = sum(each.acknowledged is not None for each in rules)
    parts = (
        (known_claims, count(known_claims, "refuted statement")),
        (known_rules, count(known_rules, "wrong rule")),
        (known_numbers, count(known_numbers, "wrong derivative")),
    )
    said = _joined(text for number, text in parts if number)
    return f"Known and acknowledged: {said}; shown here, and no reason to fail the run." if said else ""


def _claim_shares(run: Run) -> tuple[Share, ...]:
    tally = Counter(each.verdict for each in run.claims)
    known = Counter(each.verdict for each in run.claims if each.acknowledged)
    order = [word.name for word in CLAIM_WORDS] + sorted(set(tally) - {word.name for word in CLAIM_WORDS})
    return tuple(
        Share(word=of_claim(name), number=tally[name], acknowledged=known[name]) for name in order if tally[name]
    )


def _number_shares(run: Run) -> tuple[Share, ...]:
    """Judged numbers by class. A LOSSY number counts as failing when it is what its record failed for; what else is
    wrong in a record that fails counts as failing."""
    tally: Counter[Word] = Counter()
    known: Counter[Word] = Counter()
    for verdict in run.verdicts:
        for name, number in verdict.counts.items():
            word = of_number(name, fails=verdict.fails and (name == verdict.verdict or name != "LOSSY"))
            tally[word] += number
            known[word] += number if verdict.acknowledged and name == verdict.verdict else 0
    order = [*NUMBER_WORDS, *(word for word in tally if word not in NUMBER_WORDS)]
    return tuple(Share(word=word, number=tally[word], acknowledged=known[word]) for word in order if tally[word])


def _joined(parts: Iterable[str]) -> str:
    """ "a, b and c", with a capital."""
    *front, last = list(parts) or [""]
    text = f"{', '.join(front)} and {last}" if front else last
    return text[:1].upper() + text[1:]
