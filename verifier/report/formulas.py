"""LaTeX from a run file as MathML that is safe to embed; what cannot be converted is shown as escaped text.

The text comes from strangers and latex2mathml's own serialiser un-escapes what it prints, so its element tree is
written out here: known elements and attributes only, every character escaped.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import unescape
from unicodedata import category
from xml.etree.ElementTree import Element

from markupsafe import Markup, escape

__all__ = ["is_code", "mathml", "prose"]

_LONGEST = 20_000
_DEEPEST = 80

_ELEMENTS = frozenset(
    [
        "math",
        "mrow",
        "mi",
        "mo",
        "mn",
        "mtext",
        "mspace",
        "mfrac",
        "msqrt",
        "mroot",
        "msub",
        "msup",
        "msubsup",
        "munder",
        "mover",
        "munderover",
        "mtable",
        "mtr",
        "mtd",
        "mstyle",
        "mpadded",
        "mphantom",
        "mmultiscripts",
        "mprescripts",
        "none",
        "menclose",
    ]
)
_ATTRIBUTES = frozenset(
    [
        "stretchy",
        "form",
        "separator",
        "lspace",
        "rspace",
        "minsize",
        "maxsize",
        "movablelimits",
        "mathvariant",
        "accent",
        "accentunder",
        "width",
        "height",
        "depth",
        "linethickness",
        "displaystyle",
        "scriptlevel",
        "columnalign",
        "rowspacing",
        "columnspacing",
        "largeop",
        "symmetric",
        "notation",
    ]
)
_PLAIN_VALUE = re.compile(r"^[\w.%+\- ]*$")
_CODE = re.compile(r"(#|print\(|\[\[|@|def |import |from \w+ import|for \w+ in|[\w.]+ = )")
_OPENING = frozenset("([{|")
_BIG = frozenset("∑∏∫")
_TALL = frozenset(["mfrac", "msqrt", "mroot", "mtable", "munder", "munderover"])
_PRIMES = frozenset("′″‴")
_SEGMENT = re.compile(r"\$([^$\n]+)\$|`([^`\n]+)`")


class _Unsafe(ValueError):
    """No formula that may be typeset (unknown LaTeX or elements, a tree too deep); its text is shown instead."""


@lru_cache(maxsize=4096)
def mathml(latex: str, *, block: bool = False) -> Markup:
    """A formula as `<math>`, or its text in `<code>` where it cannot be converted. Never raises."""
    try:
        tree = _tree(latex, block=block)
        _spaced(tree, 0)
        return Markup(_written(tree, 0))
    except _Unsafe:
        return Markup('<code class="latex">{}</code>').format(latex)


def prose(text: str) -> Markup:
    """A sentence in which `$...$` is a formula and backticks set code, as articles do; everything else is escaped."""
    parts, position = [], 0
    for found in _SEGMENT.finditer(text):
        parts.append(escape(text[position : found.start()]))
        parts.append(mathml(found[1]) if found[1] is not None else Markup("<code>{}</code>").format(found[2]))
        position = found.end()
    return Markup("").join([*parts, escape(text[position:])])


def is_code(text: str) -> bool:
    """Whether a quotation is a line of code or its comment rather than a sentence."""
    return _CODE.match(text.lstrip()) is not None


def _tree(latex: str, *, block: bool) -> Element:
    from latex2mathml.converter import convert_to_element

    if len(latex) > _LONGEST:
        raise _Unsafe("the formula is too long to typeset")
    try:
        return convert_to_element(latex, display="block" if block else "inline")
    except Exception as error:  # latex2mathml raises whatever its tables raise
        raise _Unsafe(f"no LaTeX that latex2mathml knows: {error}") from None


def _spaced(element: Element, depth: int) -> bool:
    """Set names of functions and flat brackets as printers do; returns whether all inside is of one line's height.

    latex2mathml takes `tanh` for an infix operator with wide spaces, and lets every bracket after `\\left` grow a size.
    """
    if depth > _DEEPEST:
        raise _Unsafe("the formula is nested too deeply")
    children = list(element)
    flat = min([_spaced(each, depth + 1) for each in children], default=True)  # a list: every child must be visited
    for place, name in enumerate(children):
        if name.tag == "mi" and _is_word(name) and place and children[place - 1].tag != "mo":
            name.tag = "mo"
        if name.tag == "mo" and _is_word(name):
            opens = place + 1 < len(children) and _first_text(children[place + 1]) in _OPENING
            name.attrib.update(lspace="0.167em", rspace="0" if opens else "0.167em")
    if element.tag == "mrow" and len(children) > 1:
        for bracket, form in ((children[0], "prefix"), (children[-1], "postfix")):
            if bracket.tag == "mo" and bracket.get("form") == form:
                del bracket.attrib["form"]  # implied by its place
            if flat and bracket.tag == "mo" and bracket.get("stretchy") == "true":
                bracket.set("stretchy", "false")
    return flat and element.tag not in _TALL and _first_text(element) not in _BIG


def _is_word(element: Element) -> bool:
    return (element.text or "").isalpha() and len(element.text or "") > 1


def _first_text(element: Element) -> str:
    """The characters of the first leaf."""
    while len(element):
        element = element[0]
    return unescape(element.text or "")


def _written(element: Element, depth: int) -> str:
    if element.tag not in _ELEMENTS or depth > _DEEPEST:
        raise _Unsafe(f"<{element.tag}> at depth {depth}")
    if element.tag == "msup" and len(element) == 2 and unescape(element[1].text or "") in _PRIMES:
        # A prime's glyph is raised by itself; as a superscript it would end up tiny and far too high.
        prime = f'<mo lspace="0" rspace="0">{_characters(element[1].text)}</mo>'
        return f"<mrow>{_written(element[0], depth + 1)}{prime}</mrow>"
    tag, attributes = _tag(element), _attributes(element)
    inner = _characters(element.text) + "".join(_written(each, depth + 1) + _characters(each.tail) for each in element)
    # A row of one stands for itself: a third of all that latex2mathml writes.
    if tag == "mrow" and not attributes and len(element) == 1 and not (element.text or element[0].tail):
        return inner
    return f"<{tag}{attributes}>{inner}</{tag}>"


def _tag(element: Element) -> str:
    """latex2mathml takes some relations (an implication's arrow) for identifiers; operators need their spacing."""
    symbol = unescape(element.text or "")
    is_relation = element.tag == "mi" and len(symbol) == 1 and category(symbol) == "Sm"
    return "mo" if is_relation and symbol not in "∞∂∇" else element.tag


def _attributes(element: Element) -> str:
    if element.tag == "math":
        return ' display="block"' if element.get("display") == "block" else ""
    kept = ((name, value) for name, value in element.items() if name in _ATTRIBUTES and _PLAIN_VALUE.match(value))
    return "".join(f' {name}="{value}"' for name, value in kept)


def _characters(text: str | None) -> str:
    """latex2mathml writes symbols as character references; they become characters, and those are escaped."""
    return str(escape(unescape(text))) if text else ""
