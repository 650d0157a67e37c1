"""JUnit XML: a test case an entry and a claim; findings fail, open questions are errors, known ones are skipped."""

from __future__ import annotations

from xml.etree import ElementTree

from verifier.report.ci.cases import Case, Level, cases
from verifier.report.ci.plain import printable
from verifier.runs.reader import Run

__all__ = ["render"]

_ENTRY = "derivatives"
"""The name of an entry's own case; a claim's is its id."""
_ELEMENTS = {Level.ERROR: "failure", Level.OPEN: "error", Level.KNOWN: "skipped"}


def render(run: Run, catalog: str) -> str:
    """The XML document; `catalog` is the path that cases name as their file."""
    found = cases(run)
    counted = {each: sum(case.level is each for case in found) for each in Level}
    suite = ElementTree.Element(
        "testsuite",
        name=printable(run.header.catalog.title),
        tests=str(len(found)),
        failures=str(counted[Level.ERROR]),
        errors=str(counted[Level.OPEN]),
        skipped=str(counted[Level.KNOWN]),
        time=f"{run.provenance.seconds or 0.0:.3f}",
    )
    suite.extend(_case(each, catalog) for each in found)
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    ElementTree.indent(suites)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(suites, encoding="unicode")}\n'


def _name(case: Case) -> str:
    """Unique in its entry: no id has a space in it."""
    return f"claim {case.claim}" if case.claim == _ENTRY else case.claim or _ENTRY


def _case(case: Case, catalog: str) -> ElementTree.Element:
    element = ElementTree.Element(
        "testcase", classname=case.entry, name=_name(case), file=catalog, time=f"{case.seconds:.3f}"
    )
    if case.line:
        element.set("line", str(case.line))
    tag = None if case.level is None else _ELEMENTS.get(case.level)
    text = "\n".join(f"{each.verdict}: {each.text}" for each in case.messages)
    if tag is not None:
        first = next(each for each in case.messages if each.level is case.level)
        child = ElementTree.SubElement(element, tag, message=printable(f"{case.title}: {first.verdict}"))
        child.text = printable(text)
    elif text:
        ElementTree.SubElement(element, "system-out").text = printable(text)
    return element
