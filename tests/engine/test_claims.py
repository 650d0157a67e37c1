"""Each kind of claim: a true one is CONFIRMED, its planted false twin REFUTED, what cannot be decided UNDECIDED."""

from __future__ import annotations

import pytest

from verifier.engine import decisions
from verifier.engine.claims import claim_record
from verifier.model.catalog import Claim, Holds, Text
from verifier.model.verdict import ClaimVerdict

HEAD = """
inputs: {x: {domain: [-1, 1]}, y: {domain: [-1, 1]}, v: {shape: [2], domain: [1, 2]}, w: {shape: [40], domain: [-1, 1]}}
data: {third: {values: [1.5, 1]}}
value: x**2 + 3*x*y
quantities: {squared: {formula: x**2, at: {x: 0.5}}}
"""

MATHEMATICS = {
    # digits: half of the last digit printed, both ends included
    "digits-true": ("CONFIRMED", "at: {x: 0.5}, digits: {formula: exp(x), printed: 1.65}"),
    "digits-false": ("REFUTED", "at: {x: 0.5}, digits: {formula: exp(x), printed: 1.64}"),
    "digits-half-up": ("CONFIRMED", "at: {x: 0.5}, digits: {formula: x**2, printed: 0.3}"),
    "digits-half-down": ("CONFIRMED", "at: {x: 0.5}, digits: {formula: x**2, printed: 0.2}"),
    "digits-beyond-half": ("REFUTED", "at: {x: 0.5}, digits: {formula: x**2 + 1e-40, printed: 0.2}"),
    "digits-integer": ("CONFIRMED", "at: {x: 1}, digits: {formula: x + 1, printed: 2}"),
    "digits-integer-is-exact": ("REFUTED", "at: {x: 1}, digits: {formula: x + 1 + 1e-300, printed: 2}"),
    "digits-whole-with-a-point": ("REFUTED", "at: {x: 1}, digits: {formula: x + 1 + 1e-300, printed: 2.}"),
    # with an exponent the last digit printed says how much is known, wherever it stands
    "digits-scientific": ("CONFIRMED", "at: {x: 1}, digits: {formula: exp(20*x), printed: 4.85e8}"),
    "digits-scientific-false": ("REFUTED", "at: {x: 1}, digits: {formula: exp(20*x), printed: 4.86e8}"),
    "digits-scientific-to-units": ("CONFIRMED", "at: {x: 1}, digits: {formula: exp(20*x), printed: 4.85165195e8}"),
    "digits-scientific-a-unit-off": ("REFUTED", "at: {x: 1}, digits: {formula: exp(20*x), printed: 4.85165196E+8}"),
    "digits-scientific-beyond": ("CONFIRMED", "at: {x: 1}, digits: {formula: 10**9*pi*x, printed: 3.14e9}"),
    "digits-scientific-whole": ("CONFIRMED", "at: {x: 1}, digits: {formula: 1400*x, printed: 1e3}"),
    "digits-scientific-whole-false": ("REFUTED", "at: {x: 1}, digits: {formula: 1501*x, printed: 1e3}"),
    "digits-scientific-small": ("CONFIRMED", "at: {x: 1}, digits: {formula: exp(-20*x), printed: 2.06e-9}"),
    "digits-scientific-small-false": ("REFUTED", "at: {x: 1}, digits: {formula: exp(-20*x), printed: 2.07e-9}"),
    "digits-scientific-exactly": (
        "REFUTED",
        "at: {x: 1}, digits: {formula: exp(20*x), printed: 4.85e8, exactly: true}",
    ),
    "digits-exactly-true": ("CONFIRMED", "at: {x: 0.5}, digits: {formula: x**2, printed: 0.25, exactly: true}"),
    "digits-exactly-false": ("REFUTED", "at: {x: 0.5}, digits: {formula: exp(x), printed: 1.65, exactly: true}"),
    "digits-vector": ("CONFIRMED", 'at: {v: [1, 2]}, digits: {formula: "D(v @ v, v)", printed: [2.0, 4.0]}'),
    "digits-vector-swapped": ("REFUTED", 'at: {v: [1, 2]}, digits: {formula: "D(v @ v, v)", printed: [4.0, 2.0]}'),
    "digits-by-proof": ("CONFIRMED", "at: {x: 0.5}, digits: {formula: sin(x)**2 + cos(x)**2, printed: 1}"),
    "digits-at-a-kink": ("UNDECIDED", 'at: {x: 0}, digits: {formula: "D(abs(x), x)", printed: 0.0}'),
    "digits-of-a-quantity": ("CONFIRMED", "digits: {formula: squared, printed: 0.25, exactly: true}"),
    "digits-of-a-quantity-false": ("REFUTED", "digits: {formula: squared, printed: 0.24}"),
    # holds
    "holds-true": ("CONFIRMED", "at: {x: 0.5}, holds: exp(x) < 1.6487212707001281468486507878142"),
    "holds-false": ("REFUTED", "at: {x: 0.5}, holds: exp(x) < 1.6487212707001281468486507878141"),
    "holds-by-a-hair": ("CONFIRMED", "at: {x: 0.5}, holds: exp(x) + 1e-500 > exp(x)"),
    "holds-equation": ("CONFIRMED", "at: {x: 0.5}, holds: sin(x)**2 + cos(x)**2 == 1"),
    "holds-inequation": ("REFUTED", "at: {x: 0.5}, holds: exp(x) == 1.6487"),
    "holds-and": ("REFUTED", "at: {x: 0.5}, holds: x < 1 and x > 0.5"),
    "holds-or": ("CONFIRMED", "at: {x: 0.5}, holds: x < 1 or log(-1) > 0"),
    "holds-slope-at-a-kink": ("UNDECIDED", 'at: {x: 0}, holds: "D(relu(x), x) == 0"'),
    "holds-beyond-all-bits": ("UNDECIDED", "at: {x: 0.5}, holds: sin(x)**2 + cos(x)**2 <= 1"),
    # outside the domain of a function nothing is decided, not even a difference
    "nan-less": ("UNDECIDED", "at: {x: -1}, holds: log(x) < 0"),
    "nan-unequal": ("UNDECIDED", "at: {x: -1}, holds: log(x) != 5"),
    "nan-not": ("UNDECIDED", "at: {x: -1}, holds: not (log(x) < 5)"),
    # for all values of the domain
    "for-all-true": ("CONFIRMED", 'holds: {formula: "x**2 > -0.5", for-all: [x]}'),
    "for-all-false": ("REFUTED", 'holds: {formula: "x**2 > 0", for-all: [x]}'),
    "for-all-two": ("CONFIRMED", 'holds: {formula: "x*y < 1.5", for-all: [x, y]}'),
    "for-all-two-false": ("REFUTED", 'holds: {formula: "x*y < 1", for-all: [x, y]}'),
    "for-all-vector": ("CONFIRMED", 'holds: {formula: "sum(v) > 1.5", for-all: [v]}'),
    "for-all-vector-false": ("REFUTED", 'holds: {formula: "sum(v) > 2", for-all: [v]}'),
    "for-all-of-many": ("CONFIRMED", 'holds: {formula: "sum(w) > -41", for-all: [w]}'),
    "for-all-of-many-false": ("REFUTED", 'holds: {formula: "sum(w) > -1", for-all: [w]}'),
    "for-all-fixed": ("CONFIRMED", 'at: {y: 0.5}, holds: {formula: "x + y < 1.75", for-all: [x]}'),
    # identities
    "identity-true": ("CONFIRMED", 'identity: {left: "D(value, x)", right: 2*x + 3*y}'),
    "identity-false": ("REFUTED", 'identity: {left: "D(value, x)", right: 2*x + 3*x}'),
    "identity-small-slip": ("REFUTED", 'identity: {left: "D(value, x)", right: 2*x + 3*y + 1e-30}'),
    "identity-abs": ("CONFIRMED", "identity: {left: sqrt(x**2), right: abs(x)}"),
    "identity-abs-false": ("REFUTED", "identity: {left: sqrt(x**2), right: x}"),
    "identity-vector": ("CONFIRMED", 'identity: {left: "D(v @ v, v)", right: 2*v}'),
    "identity-outside": ("CONFIRMED", "identity: {left: 2*sqrt(x), right: sqrt(4*x)}"),
    "identity-kink": ("UNDECIDED", 'identity: {left: "D(abs(x), x)", right: sign(x)}'),
    # shapes
    "shape-true": ("CONFIRMED", 'shape: {formula: "D(v @ v, v)", is: [2]}'),
    "shape-false": ("REFUTED", 'shape: {formula: "D(v @ v, v)", is: [2, 2]}'),
    "shape-scalar": ("CONFIRMED", "shape: {formula: value, is: []}"),
    # limits
    "limit-true": ("CONFIRMED", "limit: {formula: (sin(x + h) - sin(x))/h, variable: h, to: 0, equals: cos(x)}"),
    "limit-false": ("REFUTED", "limit: {formula: (sin(x + h) - sin(x))/h, variable: h, to: 0, equals: sin(x)}"),
    "limit-constant": ("CONFIRMED", "limit: {formula: (2**h - 1)/h, variable: h, to: 0, equals: log(2)}"),
    "limit-constant-false": ("REFUTED", "limit: {formula: (2**h - 1)/h, variable: h, to: 0, equals: 0.6931471805599}"),
    "limit-of-an-input": ("CONFIRMED", "limit: {formula: x**2, variable: x, to: 0.5, equals: 0.25}"),
    "limit-infinite": ("REFUTED", "limit: {formula: 1/h**2, variable: h, to: 0, equals: 0}"),
    "limit-one-sided": ("UNDECIDED", "limit: {formula: abs(h)/h, variable: h, to: 0, equals: 1}"),
    "limit-none": ("UNDECIDED", "limit: {formula: sin(1/h), variable: h, to: 0, equals: 0}"),
    # the value at the point is not the limit, and SymPy takes it for one
    "limit-of-a-choice": ("UNDECIDED", 'limit: {formula: "where(h == 0, 1, 2)", variable: h, to: 0, equals: 1}'),
    "limit-of-sides": ("UNDECIDED", 'limit: {formula: "where(h > 0, h, -h)/h", variable: h, to: 0, equals: -1}'),
    # nothing computed decides it
    "opinion": ("NOT COMPUTABLE", 'not-computable: "An opinion."'),
}

LISTINGS = """
listings:
  - {id: good, section: s, code: "print('a  b')\\nprint(2)"}
  - {id: sparse, section: s, code: "print(1)\\nprint()\\nprint(3)\\nprint(4)"}
  - {id: silent, section: s, code: "quiet = 1"}
  - {id: bad, section: s, code: "print(1)\\nx = missing\\nprint(2)"}
  - {id: hostile, section: s, code: "print(1)\\nimport os\\nprint(2)"}
"""

ABOUT_LISTINGS = {
    "runs-true": ("CONFIRMED", "runs: {listing: good}"),
    "runs-false": ("REFUTED", "runs: {listing: bad}"),
    "raises-true": ("CONFIRMED", "runs: {listing: bad, raises: NameError}"),
    "raises-other": ("REFUTED", "runs: {listing: bad, raises: TypeError}"),
    "raises-not": ("REFUTED", "runs: {listing: good, raises: NameError}"),
    "runs-refused": ("UNDECIDED", "runs: {listing: hostile}"),
    "raises-refused": ("UNDECIDED", "runs: {listing: hostile, raises: ImportError}"),
    "prints-all": ("CONFIRMED", 'prints: {listing: good, printed: "a b\\n2"}'),
    "prints-line": ("CONFIRMED", 'prints: {listing: good, printed: "a b", line: 0}'),
    "prints-other": ("REFUTED", 'prints: {listing: good, printed: "3", line: 1}'),
    "prints-beyond": ("REFUTED", 'prints: {listing: good, printed: "3", line: 7}'),
    "prints-empty-line": ("CONFIRMED", 'prints: {listing: sparse, printed: "", line: 1}'),
    "prints-empty-beyond": ("REFUTED", 'prints: {listing: sparse, printed: "", line: 4}'),
    "prints-nothing": ("CONFIRMED", 'prints: {listing: silent, printed: ""}'),
    "prints-empty-of-nothing": ("REFUTED", 'prints: {listing: silent, printed: "", line: 0}'),
    "prints-empty-after-an-error": ("REFUTED", 'prints: {listing: bad, printed: "", line: 1}'),
    "prints-before-an-error": ("CONFIRMED", 'prints: {listing: bad, printed: "1", line: 0}'),
    "prints-after-an-error": ("REFUTED", 'prints: {listing: bad, printed: "2", line: 1}'),
    "prints-before-a-refusal": ("CONFIRMED", 'prints: {listing: hostile, printed: "1", line: 0}'),
    "prints-after-a-refusal": ("UNDECIDED", 'prints: {listing: hostile, printed: "2", line: 1}'),
    "prints-all-refused": ("UNDECIDED", 'prints: {listing: hostile, printed: "1"}'),
    "structure-true": ("CONFIRMED", "structure: {listing: good, formula: print_statements() == 2}"),
    "structure-false": ("REFUTED", "structure: {listing: good, formula: print_statements() == 3}"),
}


@pytest.fixture(scope="module")
def mathematics(decided):
    # the budget of boxes is for statements that touch equality; none of the decided ones here needs many
    return decided(HEAD, {name: text for name, (_, text) in MATHEMATICS.items()})


@pytest.fixture(scope="module")
def about_listings(decided):
    return decided("note: none", {name: text for name, (_, text) in ABOUT_LISTINGS.items()}, LISTINGS)


@pytest.mark.parametrize("name", MATHEMATICS)
def test_a_claim_about_mathematics(mathematics, name):
    record = mathematics[name]
    assert record.verdict == MATHEMATICS[name][0], (record.truth, record.reason)
    assert record.fails == (record.verdict == "REFUTED")


@pytest.mark.parametrize("name", ABOUT_LISTINGS)
def test_a_claim_about_a_listing(about_listings, name):
    record = about_listings[name]
    assert record.verdict == ABOUT_LISTINGS[name][0], (record.truth, record.reason)
    assert record.reason


def test_a_line_beyond_the_output_says_how_many_there_are(about_listings):
    assert about_listings["prints-empty-beyond"].reason == "it prints 4 lines"
    assert about_listings["prints-empty-of-nothing"].reason == "it prints nothing"
    assert about_listings["prints-after-an-error"].reason.startswith("it prints 1 line: line 2: NameError")


def test_what_is_refuted_shows_the_true_value_and_why(mathematics):
    assert mathematics["digits-false"].truth.startswith("1.6487212707")
    assert mathematics["for-all-false"].reason == "false at x = 0"
    assert "they differ at x = " in mathematics["identity-false"].reason
    assert mathematics["limit-false"].truth == "cos(x)"
    assert mathematics["shape-false"].truth == "[2]"


def test_what_proves_is_named(mathematics):
    assert "SymPy" in mathematics["identity-true"].reason
    assert "SymPy" in mathematics["digits-by-proof"].reason
    assert "bits" in mathematics["digits-true"].reason
    assert "boxes" in mathematics["for-all-true"].reason


def test_an_outcome_says_how_it_was_decided(mathematics, about_listings):
    assert mathematics["digits-exactly-true"].decision.kind == "digits"
    assert mathematics["digits-exactly-true"].decision.text == "x**2 = 0.25"
    assert mathematics["digits-vector"].decision.text == "D(v @ v, v) ≈ [2.0, 4.0]"
    assert mathematics["for-all-two"].decision.text.endswith("for all x, y")
    assert mathematics["opinion"].decision.text == "An opinion."
    assert about_listings["raises-true"].decision.text == "running listing bad raises NameError"


def test_a_claim_whose_evaluation_raises_is_undecided_with_the_reason(monkeypatch, decided):
    def broken(*_):
        raise ZeroDivisionError("a planted fault")

    monkeypatch.setattr(decisions, "holds", broken)
    records = decided(HEAD, {"one": "at: {x: 1}, holds: x > 0", "two": "at: {x: 1}, digits: {formula: x, printed: 1}"})
    assert records["one"].verdict == "UNDECIDED"
    assert records["one"].reason == "ZeroDivisionError: a planted fault"
    assert records["two"].verdict == "CONFIRMED"


def test_a_claim_of_an_entry_that_failed_early_is_undecided():
    claim = Claim(id="c", says="s", section="s", decision=Holds(formula=Text("1 < 2")))
    from verifier.engine.claims import Listings

    record = claim_record(claim, "e", None, Listings(texts=(), runs=()))
    assert record.verdict == ClaimVerdict.UNDECIDED
    assert "FAILED" in record.reason


def test_an_equation_for_all_values_may_be_proved(monkeypatch, decided):
    from verifier.truth import forall

    monkeypatch.setattr(forall, "BOXES", 50)
    records = decided(
        HEAD,
        {
            "proved": 'holds: {formula: "sin(x)**2 + cos(x)**2 == 1", for-all: [x]}',
            "touching": 'holds: {formula: "sin(x)**2 + cos(x)**2 <= 1", for-all: [x]}',
        },
    )
    assert (records["proved"].verdict, records["proved"].reason) == ("CONFIRMED", "proved by SymPy")
    assert (records["touching"].verdict, records["touching"].reason) == ("UNDECIDED", "not decided after 50 boxes")


def test_two_mathematically_different_shapes_are_never_reconciled(monkeypatch, decided):
    """Where mathematics and the JAX program disagree the claim is not decided for either."""
    monkeypatch.setattr(decisions, "program_shape", lambda node: (7,))
    records = decided(HEAD, {"one": "shape: {formula: value, is: []}"})
    assert records["one"].verdict == "UNDECIDED"
    assert "(7,)" in records["one"].reason
