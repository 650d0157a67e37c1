"""The key `implementation`: what it may hold, what it becomes, and its faults, all at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from verifier.catalog.reader import read
from verifier.model.catalog import Implementation

Faults = Callable[[str | bytes], list[str]]
Write = Callable[[str | bytes], Path]

HEAD = """format: "1.0"
source: {title: T, sections: [{id: s, title: S}]}
entries:
  e:
    title: t
    section: s
    inputs: {x: {domain: [0, 1]}, p: {w: {domain: [0, 1]}}}
    data: {scale: {values: [1, 2]}}
"""
VALUE = "    value: x\n"


@pytest.mark.parametrize(
    ("written", "arguments", "options"),
    [
        ("jax.nn:relu", ("x", "p"), ()),
        ("{function: jax.nn:relu}", ("x", "p"), ()),
        ("{function: jax.nn:relu, arguments: []}", (), ()),
        ("{function: jax.nn:relu, arguments: [2, scale, x, -0.5, 1e-3]}", (2, "scale", "x", -0.5, 1e-3), ()),
        (
            "{function: jax.nn:relu, options: {a: false, b: 2, c: 0.1, d: 'x y', f: null, n: -.inf}}",
            ("x", "p"),
            (("a", False), ("b", 2), ("c", 0.1), ("d", "x y"), ("f", None), ("n", float("-inf"))),
        ),
    ],
)
def test_what_it_becomes(written: str, arguments: tuple, options: tuple, write: Write) -> None:
    (entry,) = read(write(f"{HEAD}{VALUE}    implementation: {written}\n")).entries
    assert entry.implementation == Implementation(
        module="jax.nn", function="relu", arguments=arguments, options=options
    )
    assert entry.implementation.name == "jax.nn:relu"
    assert entry.implementation.position.line == 10


def test_an_option_keeps_the_type_that_python_gives_it(write: Write) -> None:
    (entry,) = read(
        write(f"{HEAD}{VALUE}    implementation: {{function: 'm:f', options: {{a: 1, b: 1.0, c: true}}}}\n")
    ).entries
    assert entry.implementation is not None
    assert [type(value) for _, value in entry.implementation.options] == [int, float, bool]


def test_without_it_the_formula_is_the_program(write: Write) -> None:
    (entry,) = read(write(HEAD + VALUE)).entries
    assert entry.implementation is None


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("jax.nn.relu", "9:21: expected a module and a function of it, such as `jax.nn:relu`"),
        ("'os:system(1)'", "9:21: expected a module and a function of it"),
        ("'../x:f'", "9:21: expected a module and a function of it"),
        ("[jax.nn:relu]", "9:21: expected a module and a function of it"),
        ("{arguments: [x]}", "the key `function` is missing here"),
        ("{function: 'm:f', arguments: [y]}", "9:51: `y` is neither an input nor data: there are `x`, `p` and `scale`"),
        ("{function: 'm:f', arguments: [p.w]}", "`p.w` is neither an input nor data"),
        ("{function: 'm:f', arguments: [[x]]}", "expected the name of an input or of data, or a number"),
        ("{function: 'm:f', arguments: [true]}", "expected the name of an input or of data, or a number"),
        ("{function: 'm:f', options: {a: [1]}}", "expected a constant"),
        ("{function: 'm:f', options: {a: {b: 1}}}", "expected a constant"),
        ("{function: 'm:f', option: {a: 1}}", "unknown key `option`; did you mean `options`?"),
    ],
)
def test_faults(written: str, message: str, faults: Faults) -> None:
    found = faults(f"{HEAD}    implementation: {written}\n{VALUE}")
    assert len(found) == 1
    assert message in found[0]


def test_two_faults_are_two_lines(faults: Faults) -> None:
    found = faults(f"{HEAD}    implementation: {{function: jax, arguments: [z]}}\n    value: x + zz\n")
    assert [each.split(": ")[0] for each in found] == [
        "catalog/x.yaml:9:32",
        "catalog/x.yaml:9:49",
        "catalog/x.yaml:10:16",
    ]


def test_it_needs_the_mathematics(faults: Faults) -> None:
    (found,) = faults(f"{HEAD}    implementation: jax.nn:relu\n")
    assert "there is no value to judge this program against" in found
