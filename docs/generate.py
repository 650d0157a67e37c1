"""Write the pages that are made from the code: cli.md, schema.md and api.md.

    python docs/generate.py

`tests/test_docs.py` makes them again and compares.
"""

from __future__ import annotations

import ast
import dataclasses
import enum
import html
import inspect
import json
import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

HERE = Path(__file__).parent
_MADE = "<!-- made by docs/generate.py from {source}; do not edit -->\n"
_LONGEST_LINE = 100


def pages() -> dict[str, str]:
    """Name and text of every generated page."""
    from verifier.catalog.schema import schema_text
    from verifier.cli import main

    return {"cli.md": cli_page(main), "schema.md": schema_page(json.loads(schema_text())), "api.md": api_page()}


def _page(source: str, title: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}\n\n{_MADE.format(source=source).strip()}", *parts]).rstrip() + "\n"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    """Text without a bar, which would end the cell; some readers of Markdown show a backslash before one in code."""
    code = re.sub(r"`([^`]*\|[^`]*)`", lambda found: f"<code>{html.escape(found[1], quote=False)}</code>", text)
    return code.replace("|", "&#124;")


# The command line


def cli_page(main: click.Group) -> str:
    """Every command with its arguments and options, from click's own structures."""
    context = click.Context(main, info_name="verifier")
    intro = f"{_sentences(main.help)}\n\n`verifier COMMAND --help` prints the same in the terminal."
    commands = [_command(main.commands[name], context) for name in main.list_commands(context)]
    return _page("verifier/cli.py", "Commands", intro, *commands)


def _command(command: click.Command, parent: click.Context) -> str:
    context = click.Context(command, info_name=command.name, parent=parent)
    usage = f"```text\nverifier {command.name} {' '.join(command.collect_usage_pieces(context))}\n```"
    options = [_option(each, context) for each in command.params if isinstance(each, click.Option) and not each.hidden]
    table = _table(("option", "meaning"), options) if options else ""
    return "\n\n".join(part for part in (f"## {command.name}", usage, _sentences(command.help), table) if part)


def _option(option: click.Option, context: click.Context) -> tuple[str, str]:
    """The option as it is typed, and what it means; required ones and defaults say so."""
    record = option.get_help_record(context)
    assert record is not None, f"{option.name} has no help"
    (names, meaning), choices = record, ""
    if isinstance(option.type, click.Choice):
        names = ", ".join(option.opts)
        choices = f" One of {', '.join(f'`{each}`' for each in option.type.choices)}."
    return f"`{names}`", re.sub(r"\s+\[([^\]]*)\]$", r" *(\1)*", meaning) + choices


def _sentences(text: str | None) -> str:
    """A docstring's paragraphs; an example in it is set as code."""
    paragraphs = inspect.cleandoc(text or "").split("\n\n")
    return "\n\n".join(
        re.sub(r"^For example: (.*)$", r"For example:\n\n```text\n\1\n```", " ".join(each.split()))
        for each in paragraphs
    )


# The catalog's keys

_Schema = Mapping[str, Any]


def schema_page(schema: _Schema) -> str:
    """The keys of a catalog, mapping by mapping: from the whole one down to the smallest."""
    definitions = _with_one_claim(schema["$defs"])
    intro = (
        "Every key of a catalog, as `verifier schema` prints it for editors. "
        "[The catalog language](catalog.md) explains them with examples."
    )
    parts = [
        _mapping("Catalog", schema),
        *(_mapping(name, definitions[name]) for name in _reached(schema, definitions)),
    ]
    return _page("the JSON Schema of catalogs", "Keys of a catalog", intro, *parts)


def _with_one_claim(definitions: _Schema) -> dict[str, Any]:
    """All kinds of claims as one mapping: they differ in the key that decides them alone."""
    kinds = [each["$ref"].rsplit("/", 1)[1] for each in definitions["Entry"]["properties"]["claims"]["items"]["oneOf"]]
    claims = [definitions[kind] for kind in kinds]
    needed = [set(claim["required"]) for claim in claims]
    claim = {
        "description": "What the source says, and exactly one key that decides it.",
        "properties": {key: each for claim in claims for key, each in claim["properties"].items()},
        "required": sorted(set.intersection(*needed)),
        "decide": sorted(set.union(*needed) - set.intersection(*needed)),
    }
    entry = dict(definitions["Entry"])
    told = {**entry["properties"]["claims"], "items": {"$ref": "#/$defs/Claim"}}
    entry["properties"] = {**entry["properties"], "claims": told}
    others = {name: each for name, each in definitions.items() if name not in kinds}
    return {**others, "Entry": entry, "Claim": claim}


def _reached(node: Any, definitions: _Schema) -> Iterator[str]:
    """The definitions that a schema refers to, each followed by those that it refers to itself."""
    waiting, seen = list(_references(node)), set()
    while waiting:
        name = waiting.pop(0)
        if name not in seen:
            seen.add(name)
            yield name
            waiting = [*_references(definitions[name]), *waiting]


def _references(node: Any) -> Iterator[str]:
    match node:
        case {"$ref": reference}:
            yield reference.rsplit("/", 1)[1]
        case dict():
            for key, value in node.items():
                if key != "$defs":
                    yield from _references(value)
        case list():
            for each in node:
                yield from _references(each)


def _mapping(name: str, schema: _Schema) -> str:
    head = f"## {name}\n\n{schema.get('description', _OF_ITS_OWN.get(name, ''))}".rstrip()
    if "properties" not in schema:
        return f"{head}\n\n{_sentence(_type(schema))}"
    need = dict.fromkeys(schema.get("required", ()), "required") | dict.fromkeys(
        schema.get("decide", ()), "one of these"
    )
    rows = [
        (f"`{key}`", _type(each), need.get(key, ""), each.get("description", ""))
        for key, each in schema["properties"].items()
    ]
    return f"{head}\n\n{_table(('key', 'type', '', 'meaning'), rows)}"


_OF_ITS_OWN = {
    "Cells": "A number or formula, or lists of them.",
    "InputTree": "An input, or inputs nested under names.",
    "Printed": "Numbers as they are printed, nested like the value.",
}


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _type(schema: _Schema) -> str:
    """A type in words, with links to the mappings that it names."""
    match schema:
        case {"$ref": reference}:
            name = reference.rsplit("/", 1)[1]
            return f"[{name}](#{name.lower()})"
        case {"oneOf": choices}:
            return " or ".join(dict.fromkeys(_type(each) for each in choices))
        case {"enum": values}:
            return " or ".join(f"`{value}`" for value in values)
        case {"type": "array", "items": items}:
            return f"list of {_lengths(schema)}{_type(items)}"
        case {"type": "object", "additionalProperties": dict() as values}:
            return f"mapping from names to {_type(values)}"
        case {"type": "integer", "minimum": low, "maximum": high}:
            return f"integer from {low} to {high:,}"
        case {"type": str() as kind}:
            return _WORDS[kind]
        case {"type": kinds}:
            return " or ".join(_WORDS[kind] for kind in kinds)
    return "text" if "pattern" in schema else "anything"


_WORDS = {
    "string": "text",
    "number": "number",
    "integer": "integer",
    "boolean": "true or false",
    "null": "nothing",
    "object": "mapping",
}


def _lengths(schema: _Schema) -> str:
    low, high = schema.get("minItems"), schema.get("maxItems")
    bounds = [("exactly", low)] if low == high else [("at least", low), ("at most", high)]
    told = ", ".join(f"{word} {bound}" for word, bound in bounds if bound)
    return f"{told}: " if told else ""


# The Python interface


def api_page() -> str:
    """What people call from Python: signatures and docstrings."""
    from verifier import errors, pytest_plugin
    from verifier.checking import check, result
    from verifier.model import rule, verdict
    from verifier.runs import reader

    functions = [_function(f"verifier.{each.__name__}", each) for each in (check.check, check.assert_derivatives)]
    fixture = inspect.unwrap(getattr(pytest_plugin.assert_derivatives, "__wrapped__", pytest_plugin.assert_derivatives))
    found = [result.Result, result.Judgement, result.Skipped, rule.RuleVerdict, rule.RuleClass, rule.Note, rule.Blame]
    found += [verdict.NumberVerdict, verdict.NumberClass]
    reading = [_function(f"verifier.runs.reader.{each.__name__}", each)
               for each in (reader.read, reader.equal_bytes_apart_from_provenance)]  # fmt: skip
    return _page(
        "the docstrings",
        "Python",
        "`import verifier` is cheap: JAX, SymPy and FLINT are loaded when something is verified.",
        "## Checking a function",
        *functions,
        "### The pytest fixture `assert_derivatives`\n\n" + _doc(fixture),
        "## What comes back",
        *[_class(each) for each in found],
        "## Reading run files",
        "The records are described in [the format of a run file](run-file.md).",
        *reading,
        _class(reader.Run),
        "## Errors",
        f"```text\n{inspect.cleandoc(errors.__doc__ or '')}\n```",
    )


def _function(name: str, function: Callable[..., Any]) -> str:
    return f"### `{name}`\n\n```text\n{_signature(name.rsplit('.', 1)[1], function)}\n```\n\n{_doc(function)}"


def _signature(name: str, function: Callable[..., Any]) -> str:
    """As in the source; a long one has a line for each parameter."""
    signature = inspect.signature(function)
    line = re.sub(r"'([^']*)'", r"\1", f"{name}{signature}") if len(str(signature)) < _LONGEST_LINE else ""
    if line:
        return line
    parameters: list[str] = []
    for each in signature.parameters.values():
        if each.kind is each.KEYWORD_ONLY and not any(p.startswith("*") for p in parameters):
            parameters.append("*")
        parameters.append(_parameter(each))
    inner = "".join(f"    {each},\n" for each in parameters)
    return f"{name}(\n{inner}) -> {signature.return_annotation}"


def _parameter(parameter: inspect.Parameter) -> str:
    """`name: type = default`; annotations are text already."""
    stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
    return f"{stars}{parameter.name}: {parameter.annotation}{default}"


def _class(kind: type) -> str:
    head = f"### `{kind.__name__}`\n\n{_doc(kind)}"
    rows = _members(kind) if issubclass(kind, enum.Enum) else _fields(kind) + _properties(kind)
    return (
        f"{head}\n\n{_table(('', 'type', ''), rows)}" if not issubclass(kind, enum.Enum) else f"{head}\n\n{rows[0][0]}"
    )


def _members(kind: type[enum.Enum]) -> list[tuple[str, ...]]:
    return [(" ".join(f"`{each.value}`" for each in kind),)]


def _fields(kind: type) -> list[tuple[str, ...]]:
    told = _told(kind)
    return [(f"`{each.name}`", f"`{each.type}`", told.get(each.name, "")) for each in dataclasses.fields(kind)]


def _properties(kind: type) -> list[tuple[str, ...]]:
    found = [(name, each.fget) for name, each in vars(kind).items() if isinstance(each, property) and each.fget]
    return [
        (f"`{name}`", f"`{get.__annotations__.get('return', '')}`", " ".join((inspect.getdoc(get) or "").split()))
        for name, get in found
    ]


def _told(kind: type) -> dict[str, str]:
    """The text that stands under a field in the source."""
    [body] = [
        each for each in ast.parse(textwrap.dedent(inspect.getsource(kind))).body if isinstance(each, ast.ClassDef)
    ]
    told = {}
    for field, text in zip(body.body, body.body[1:], strict=False):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str() as words)):
                told[name] = " ".join(words.split())
    return told


def _doc(thing: Any) -> str:
    return re.sub(r"\s*\((?:DESIGN|SEMANTICS) [^)]*\)", "", inspect.getdoc(thing) or "")


if __name__ == "__main__":
    for page, text in pages().items():
        (HERE / page).write_text(text, encoding="utf-8", newline="\n")
        sys.stdout.write(f"wrote docs/{page}\n")
