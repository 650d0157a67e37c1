from __future__ import annotations

import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.catalog.faults import INVISIBLE, FaultList
from verifier.catalog.scalars import exact, integer, kind_of, number_text
from verifier.catalog.yaml_events import Mapping, Scalar, read_tree


def scalar(text: str) -> Scalar:
    """The value of the YAML text `k: ...`."""
    faults = FaultList("x.yaml")
    tree = read_tree(f"k: {text}\n".encode(), faults)
    assert isinstance(tree, Mapping), faults.error()
    node = tree["k"]
    assert isinstance(node, Scalar)
    return node


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1e-3", "decimal"),
        ("010", "integer"),
        ("0x1F", "integer"),
        ("0o17", "integer"),
        (".5", "decimal"),
        ("5.", "decimal"),
        ("-1.5E+10", "decimal"),
        ("+12", "integer"),
        ("on", "text"),
        ("no", "text"),
        ("y", "text"),
        ("n", "text"),
        ("yes", "text"),
        ("1:30", "text"),
        ("1_000", "text"),
        ("0b1", "text"),
        ("-0x1F", "text"),
        ("2024-01-01", "text"),
        ("null", "null"),
        ("~", "null"),
        ("", "null"),
        ("true", "boolean"),
        ("FALSE", "boolean"),
        ("-.inf", "infinity"),
        (".NaN", "nan"),
        ("nan", "text"),
        (".", "text"),
        ("1e", "text"),
    ],
)
def test_kind_follows_the_core_schema_of_yaml_1_2(text: str, kind: str) -> None:
    assert kind_of(text) == kind


@pytest.mark.parametrize(("key"), ["y", "n", "on", "off", "null", "true", "1e-3", "010"])
def test_every_key_is_a_name(key: str) -> None:
    tree = read_tree(f"{key}: 1\n".encode(), FaultList("x.yaml"))
    assert isinstance(tree, Mapping)
    assert list(tree) == [key]


@pytest.mark.parametrize(
    ("text", "value"),
    [("010", 10), ("-007", -7), ("0x1F", 31), ("0o17", 15), ("0", 0), ("00", 0), ("1408", 1408), ("100", 100)],
)
def test_integers_are_never_octal_by_accident(text: str, value: int) -> None:
    assert integer(text) == exact(text) == value
    assert number_text(text) == str(value)


@pytest.mark.parametrize("text", ["1/3", "x", "", ".inf", "1e30000", "1e99999999999", "9" * 2001, "0." + "1" * 2001])
def test_what_is_no_exact_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"number|exponent|integer"):
        exact(text)


@given(st.integers())
def test_integers_survive(value: int) -> None:
    node = scalar(str(value))
    assert kind_of(node.text) == "integer"
    assert integer(node.text) == int(number_text(node.text)) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_keep_their_source_text_and_exact_decimal_value(value: float) -> None:
    node = scalar(repr(value))
    assert node.text == repr(value)
    assert exact(node.text) == Fraction(repr(value))


@given(st.decimals(allow_nan=False, allow_infinity=False, places=None).filter(lambda d: abs(d.adjusted()) < 5000))
def test_decimals_are_exact(value: object) -> None:
    text = str(value)
    assert exact(scalar(text).text) == Fraction(text)


@given(st.integers(min_value=0, max_value=2**70), st.sampled_from(["0x{:x}", "0x{:X}", "0o{:o}", "{:030d}"]))
def test_radices_and_leading_zeros_have_a_plain_form(value: int, form: str) -> None:
    assert int(number_text(scalar(form.format(value)).text)) == value


@given(st.text(st.characters(exclude_categories=["Cs"]).filter(lambda c: not INVISIBLE.match(c)), max_size=50))
def test_quoted_text_survives(text: str) -> None:
    node = scalar(json.dumps(text, ensure_ascii=False))
    assert node.text == text
    assert not node.plain


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]).filter(lambda c: not INVISIBLE.match(c)), max_size=50))
def test_aligned_text_stands_in_the_file_where_it_says(text: str) -> None:
    source = "'" + text.replace("'", "''") + "'"
    node = scalar(source)
    assert node.text == text
    if node.aligned:
        start = node.starts.column - 1
        assert f"k: {source}"[start : start + len(text)] == text
    else:
        assert "'" in text
