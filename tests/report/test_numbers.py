"""Numbers as a reader sees them."""

import pytest

from verifier.report.numbers import agreeing, decimal_of, exact_hex, place, shortened, signed, ulps
from verifier.runs.records import Witness, Worst


@pytest.mark.parametrize(
    ("value", "dtype", "shown"),
    [
        ((0.1).hex(), "float64", "0.1"),
        ("0x1.99999ap-4", "float32", "0.1"),
        ("0x1.9ap-4", "bfloat16", "0.1"),
        ("-0x1p-24", "float16", "−6e−8"),
        ("nan", "float32", "nan"),
        ("-inf", "float16", "−inf"),
        ("-0x0.0p+0", "float32", "−0.0"),
        ("0x1.000002p+0", "float16", "1.0000001192092896"),  # no float16: shown as what it is
        ("<b>", "float32", "<b>"),
    ],
)
def test_the_shortest_decimal_of_the_dtype(value: str, dtype: str, shown: str) -> None:
    assert decimal_of(value, dtype) == shown


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (None, "—"),
        (0.0, "0"),
        (0.001, "< 0.01"),
        (0.5, "0.50"),
        (12.3, "12"),
        (1234.0, "1,234"),
        (1.23e8, "1.2·10⁸"),
        (float("inf"), "—"),
    ],
)
def test_ulps(error: float | None, shown: str) -> None:
    assert ulps(error) == shown


def test_long_decimals_are_cut_and_others_are_not() -> None:
    assert shortened("0.70710678118654752440084436210484903928") == "0.70710678118654752…"
    assert shortened("-1.7501911565914966699123e-08") == "−1.75019115659149666…e−8"
    assert shortened("[8, 7]") == "[8, 7]"
    assert shortened("123456789012345678901234567890") == "123456789012345678901234567890"


def test_minus_signs_are_set_only_before_numbers() -> None:
    assert signed("x = -1.5e-07, fwd-rev, a -inf") == "x = −1.5e−7, fwd-rev, a −inf"


def test_hex_without_idle_zeros() -> None:
    assert exact_hex("0x1.8000000000000p+1") == "0x1.8p+1"
    assert exact_hex("0x1.0000000000000p+0") == "0x1p+0"
    assert exact_hex("nan") == "nan"


def test_digits_that_agree_with_the_truth() -> None:
    assert agreeing("0.13621868742711296", "0.13621868742711304…") == ("0.13621868742711", "296")
    assert agreeing("1.0", "1.0") == ("1.0", "")
    assert agreeing("1.5e−7", "1.5e−8") == ("", "1.5e−7")


def test_a_place_is_named_by_its_label_or_its_inputs():
    one = (Witness(hex="0x1p-1", decimal="0.5"),)
    given = {"point": 3, "value": "0x0p+0", "decimal": "0.0", "truth": "1"}
    assert place(Worst(label="zero", inputs={"x": one}, **given)) == "zero"
    assert place(Worst(inputs={"x": one, "v": one * 2}, **given)) == "x = 0.5, v = [0.5, 0.5]"
    assert place(Worst(**given)) == "point 3"
