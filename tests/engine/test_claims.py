"""Each kind of claim: a true one is CONFIRMED, its planted false twin REFUTED, what cannot be decided UNDECIDED."""

from __future__ import annotations

import pytest

from verifier.engine import decisions
from verifier.engine.claims import claim_record
from verifier.model.catalog import Claim, Holds, Text
from verifier.model.verdict import ClaimVerdict
from verifier.truth import forall

HEAD = """
inputs:
  x: {domain: [-1, 1]}
  y: {domain: [-1, 1]}
  v: {shape: [2], domain: [1, 2]}
  w: {shape: [40], domain: [-1, 1]}
  one: {domain: [1, 1]}
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
    # a half that only SymPy sees, and beside it what is already decided
    "digits-half-by-proof": ("CONFIRMED", "at: {x: 1}, digits: {formula: sqrt(2*x)*sqrt(2*x)/16, printed: 0.12}"),
    "digits-half-by-proof-up": ("CONFIRMED", "digits: {formula: (sin(1)**2 + cos(1)**2)/8, printed: 0.13}"),
    "digits-half-exactly": ("REFUTED", "digits: {formula: sqrt(2)**2/16, printed: 0.12, exactly: true}"),
    "digits-one-by-proof": (
        "CONFIRMED",
        'digits: {formula: "[1/3, exp(1), sin(1)**2 + cos(1)**2]", printed: [0.33, 2.72, 1]}',
    ),
    "digits-one-by-proof-false": (
        "REFUTED",
        'digits: {formula: "[2/3, exp(1), sin(1)**2 + cos(1)**2]", printed: [0.66, 2.72, 1]}',
    ),
    "digits-at-a-kink": ("UNDECIDED", 'at: {x: 0}, digits: {formula: "D(abs(x), x)", printed: 0.0}'),
    "digits-of-a-slope-without-a-value": ("UNDECIDED", 'at: {x: 0}, digits: {formula: "D(sqrt(x**4), x)", printed: 0}'),
    "digits-of-no-slope": ("REFUTED", 'at: {x: -1}, digits: {formula: "D(log(x), x)", printed: -1.0}'),
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
    "holds-touching": ("CONFIRMED", "at: {x: 0.5}, holds: sin(x)**2 + cos(x)**2 <= 1"),
    "holds-beyond-all-bits": ("UNDECIDED", "holds: tan(3*pi/11) + 4*sin(2*pi/11) <= sqrt(11)"),
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
    "identity-at-the-one-place": ("CONFIRMED", "identity: {left: x*one**2, right: x*one}"),
    "identity-vector": ("CONFIRMED", 'identity: {left: "D(v @ v, v)", right: 2*v}'),
    "identity-outside": ("CONFIRMED", "identity: {left: 2*sqrt(x), right: sqrt(4*x)}"),
    "identity-kink": ("CONFIRMED", 'identity: {left: "D(abs(x), x)", right: sign(x)}'),
    # shapes
    "shape-true": ("CONFIRMED", 'shape: {formula: "D(v @ v, v)", is: [2]}'),
    "shape-false": ("REFUTED", 'shape: {formula: "D(v @ v, v)", is: [2, 2]}'),
    "shape-scalar": ("CONFIRMED", "shape: {formula: value, is: []}"),
    # limits
    "limit-true": ("CONFIRMED", "limit: {formula: (sin(x + h) - sin(x))/h, variable: h, to: 0, equals: cos(x)}"),
    "limit-false": ("REFUTED", "limit: {formula: (sin(x + h) - sin(x))/h, variable: h, to: 0, equals: sin(x)}"),
    "limit-of-a-sigmoid": (
        "CONFIRMED",
        "limit: {formula: (sigmoid(x + h) - sigmoid(x))/h, variable: h, to: 0, equals: sigmoid(x)*(1 - sigmoid(x))}",
    ),
    "limit-of-a-bell": (
        "CONFIRMED",
        "limit: {formula: (exp(-(x + h)**2) - exp(-x**2))/h, variable: h, to: 0, equals: -2*x*exp(-x**2)}",
    ),
    "limit-of-a-fraction": (
        "CONFIRMED",
        "limit: {formula: (1/(1 + (x + h)**2) - 1/(1 + x**2))/h, variable: h, to: 0, equals: -2*x/(1 + x**2)**2}",
    ),
    "limit-of-a-fraction-false": (
        "REFUTED",
        "limit: {formula: (1/(1 + (x + h)**2) - 1/(1 + x**2))/h, variable: h, to: 0, equals: 2*x/(1 + x**2)**2}",
    ),
    "limit-constant": ("CONFIRMED", "limit: {formula: (2**h - 1)/h, variable: h, to: 0, equals: log(2)}"),
    "limit-constant-false": ("REFUTED", "limit: {formula: (2**h - 1)/h, variable: h, to: 0, equals: 0.6931471805599}"),
    "limit-of-an-input": ("CONFIRMED", "limit: {formula: x**2, variable: x, to: 0.5, equals: 0.25}"),
    "limit-infinite": ("REFUTED", "limit: {formula: 1/h**2, variable: h, to: 0, equals: 0}"),
    "limit-infinite-in-general": ("REFUTED", "limit: {formula: x/h**2, variable: h, to: 0, equals: 0}"),
    # at single points a limit may be another one than in general
    "limit-of-its-own-at-a-point": (
        "UNDECIDED",
        'limit: {formula: x/(x + h), variable: h, to: 0, equals: "where(x == 0, 0, 1)"}',
    ),
    "limit-of-another-at-a-point": (
        "REFUTED",
        'limit: {formula: x/(x + h), variable: h, to: 0, equals: "where(x == 0, 2, 1)"}',
    ),
    "limit-of-another-in-general": (
        "REFUTED",
        'limit: {formula: x/(x + h), variable: h, to: 0, equals: "where(x == 0, 0, 2)"}',
    ),
    "limit-at-the-one-place": ("CONFIRMED", "limit: {formula: (one + h)**2, variable: h, to: 0, equals: one}"),
    "limit-at-the-one-place-false": ("REFUTED", "limit: {formula: (one + h)**2, variable: h, to: 0, equals: 2*one}"),
    "limit-one-sided": ("REFUTED", "limit: {formula: abs(h)/h, variable: h, to: 0, equals: 1}"),
    "limit-none": ("UNDECIDED", "limit: {formula: sin(1/h), variable: h, to: 0, equals: 0}"),
    # the value at the point is not the limit, and SymPy takes it for one
    "limit-of-a-choice": ("REFUTED", 'limit: {formula: "where(h == 0, 1, 2)", variable: h, to: 0, equals: 1}'),
    "limit-of-sides": ("REFUTED", 'limit: {formula: "where(h > 0, h, -h)/h", variable: h, to: 0, equals: -1}'),
    "limit-of-pieces": ("CONFIRMED", 'limit: {formula: "where(h < 2, 3*h, h + 4)", variable: h, to: 2, equals: 6}'),
    "limit-of-a-quotient": (
        "CONFIRMED",
        "at: {x: 1}, limit: {formula: (relu(x+h)-relu(x))/h, variable: h, to: 0, equals: 1}",
    ),
    "limit-of-other-pieces": ("REFUTED", 'limit: {formula: "where(h < 2, 3*h, h + 5)", variable: h, to: 2, equals: 6}'),
    "limit-of-a-piece-nowhere": (
        "REFUTED",
        'limit: {formula: "where(h == 2, 6, log(-1))", variable: h, to: 2, equals: 6}',
    ),
    "limit-at-an-edge": ("CONFIRMED", "limit: {formula: sqrt(h), variable: h, to: 0, equals: 0}"),
    # nothing computed decides it
    "opinion": ("NOT COMPUTABLE", 'not-computable: "An opinion."'),
}

REALS = """
inputs:
  x: {domain: [-2, 3]}
  z: {domain: [-3, -1]}
  u: {domain: [0, 1]}
  p: {domain: [0.5, 3]}
  v: {shape: [2], domain: [0, 1]}
let: {slope: "D(sqrt(u**3), u)", log_slope: "D(log(z), z)"}
quantities:
  far_slope: {formula: log_slope, at: {z: -1}}
  corner_slope: {formula: slope, at: {u: 0}}
  far_slopes: {formula: "D(log(z), z)", over: {z: "[-1, -2]"}}
iterations:
  steps: {start: {z: -1}, step: {z: "z + D(log(z), z)"}, count: 1}
value: x**2
"""

# The language is real: SymPy's complex algebra proves nothing about what is no number. What the reason has to say.
ABOUT_REALS = {
    "real-root": ("REFUTED", 'holds: "sqrt(-1)**2 == -1"', "the left side is no number"),
    "real-log": ("REFUTED", 'holds: "-pi**2 == log(-1)**2"', "the right side is no number"),
    "real-pole": ("REFUTED", 'holds: "atan(1/0) == pi/2"', "the left side is no number"),
    "real-neither": ("UNDECIDED", 'holds: "log(-1) == log(-1)"', "neither side is a number"),
    "real-infinity": ("UNDECIDED", 'holds: "1/0 > 5"', "the left side is no number"),
    "real-no-slope-less": ("UNDECIDED", 'at: {u: 0}, holds: "slope > -1"', "derivative on the left side has no value"),
    "real-unknown": ("UNDECIDED", 'holds: "sqrt(sin(pi))**2 == 0"', "nor that both sides are numbers"),
    "real-equation": ("CONFIRMED", 'holds: "sqrt(2)*sqrt(3) == sqrt(6)"', "proved by SymPy"),
    "real-incomparable": ("UNDECIDED", 'at: {z: -1}, holds: "max(log(z), 1) >= 1"', "the left side is no number"),
    "real-lgamma": ("UNDECIDED", 'identity: {left: "where(lgamma(z) == 0, 1, 0)", right: 0*z}', "not proved"),
    "real-power-of-none": ("REFUTED", 'holds: "1**log(-1) == 1"', "the left side is no number"),
    "real-power-of-none-on-a-piece": ("REFUTED", 'identity: {left: "1**log(x)", right: 1}', "and around it"),
    "real-touching": ("CONFIRMED", 'holds: "cos(pi/3) <= 1/2"', "proved by SymPy"),
    "real-not-touching": ("REFUTED", 'holds: "sqrt(2)**2 < 2"', "disproved by SymPy"),
    "real-not-other": ("REFUTED", 'holds: "sqrt(2)*sqrt(3) != sqrt(6)"', "disproved by SymPy"),
    "real-chain": ("CONFIRMED", 'holds: "0 <= cos(pi/2) < 1"', "proved by SymPy"),
    "real-parts": ("CONFIRMED", 'holds: "sin(pi) == 0 and not (cos(pi) >= 0 or sin(pi) != 0)"', "proved by SymPy"),
    "real-all": ("CONFIRMED", 'holds: "all([cos(pi/2), sin(pi/2)] == [0, 1])"', "proved by SymPy"),
    "real-any": ("REFUTED", 'holds: "any([cos(pi/2), sin(pi/2)] > [0, 1])"', "disproved by SymPy"),
    "real-part-of-no-number": ("UNDECIDED", 'holds: "sin(pi) == 0 and 1/0 != 0"', "not decided"),
    "real-touching-unknown": ("UNDECIDED", 'holds: "sqrt(sin(pi))**2 >= 0"', "not decided"),
    "real-slope": ("UNDECIDED", 'at: {u: 0}, holds: "slope == 0"', "the derivative on the left side has no value"),
    "real-digits": ("REFUTED", 'digits: {formula: "sqrt(-1)**2", printed: -1}', ""),
    "real-no-slope": ("REFUTED", 'at: {x: -2}, holds: "D(log(x), x) == 1/x"', "the left side is no number"),
    "real-no-second-slope": ("UNDECIDED", 'at: {x: -2}, holds: "D(log(x), x, n=2) < 0"', "the left side is no number"),
    "real-no-slope-by-name": ("UNDECIDED", 'at: {z: -2}, holds: "1 + log_slope > 0"', "the left side is no number"),
    "real-no-slope-digits": ("REFUTED", 'at: {x: -2}, digits: {formula: "D(log(x), x)", printed: -0.5}', ""),
    "real-unknown-digits": (
        "UNDECIDED",
        'digits: {formula: "polygamma(-1, 2)", printed: 0.0}',
        "its value is not known",
    ),
    "real-no-derivative": (
        "UNDECIDED",
        'identity: {left: "D(besselj(p, 2), p)", right: 0}',
        "no closed form is known for the derivative of besselj",
    ),
    "real-no-quantity": ("REFUTED", "digits: {formula: far_slope, printed: -1.0}", ""),
    "real-slope-quantity": ("UNDECIDED", "digits: {formula: corner_slope, printed: 0.5}", "not known"),
    "real-no-quantities": ("UNDECIDED", 'holds: "all(far_slopes < 0)"', "not decided"),
    "real-no-step": ("REFUTED", 'digits: {formula: "steps.z[1]", printed: -2.0}', ""),
    "real-other-slope": ("CONFIRMED", 'at: {x: -2}, holds: "D(log(abs(x)), x) == 1/x"', "certified"),
    # tight at a point, where no ball around it can tell
    "for-all-square": ("CONFIRMED", "holds: {formula: x**2 >= 0, for-all: [x]}", "proved by SymPy"),
    "for-all-square-more": ("REFUTED", "holds: {formula: x**2 > 0, for-all: [x]}", "false at x = 0"),
    "for-all-relu": ("CONFIRMED", 'holds: {formula: "0 <= relu(x)", for-all: [x]}', "proved by SymPy"),
    "for-all-maximum": ("CONFIRMED", 'holds: {formula: "max(x, z) >= (x + z)/2", for-all: [x, z]}', "proved by SymPy"),
    "for-all-triangle": ("CONFIRMED", 'holds: {formula: "abs(x + z) <= abs(x) + abs(z)", for-all: [x, z]}', "proved"),
    "for-all-triangle-more": (
        "REFUTED",
        'holds: {formula: "abs(x + z) < abs(x) + abs(z)", for-all: [x, z]}',
        "false at x = 0, z = -3",
    ),
    "for-all-between": (
        "CONFIRMED",
        'holds: {formula: "-2.5 < x < 4", for-all: [x]}',
        "certified on the whole domain, in 1 boxes",
    ),
    "for-all-between-less": ("REFUTED", 'holds: {formula: "relu(x) >= x and x < 3", for-all: [x]}', "false at x = 3"),
    "for-all-mean": ("CONFIRMED", 'holds: {formula: "p + 1/p >= 2", for-all: [p]}', "proved by SymPy"),
    "for-all-root-at-0": ("CONFIRMED", 'holds: {formula: "sqrt(u) >= 0", for-all: [u]}', "certified on the whole"),
    "for-all-root-of-square": ("CONFIRMED", 'holds: {formula: "sqrt(u)**2 == u", for-all: [u]}', "proved by SymPy"),
    "for-all-unequal": ("CONFIRMED", 'holds: {formula: "exp(x) + abs(x) != 0", for-all: [x]}', "certified"),
    "for-all-no-number": ("UNDECIDED", 'holds: {formula: "abs(log(x)) >= 0", for-all: [x]}', "not decided after"),
    "for-all-no-slope": (
        "REFUTED",
        'holds: {formula: "D(log(z), z) == 1/z", for-all: [z]}',
        "false at z = -3: the left side is no number",
    ),
    "for-all-no-slope-less": ("UNDECIDED", 'holds: {formula: "D(log(z), z) < 0", for-all: [z]}', "not decided"),
    "for-all-slope": ("CONFIRMED", 'holds: {formula: "D(log(p), p) > 0", for-all: [p]}', "certified"),
    "identity-no-slope": (
        "REFUTED",
        'identity: {left: "D(log(x), x)", right: 1/x}',
        "the left side is no number at x =",
    ),
    "for-all-root": ("REFUTED", 'holds: {formula: "sqrt(x)**2 == x", for-all: [x]}', "the left side is no number"),
    "for-all-hole": (
        "REFUTED",
        'holds: {formula: "1 == x/x", for-all: [x]}',
        "false at x = 0: the right side is no number",
    ),
    "for-all-hidden-hole": (
        "UNDECIDED",
        'holds: {formula: "(x - 1/7)/(x - 1/7) == 1", for-all: [x]}',
        "nor that both sides are numbers for all values",
    ),
    "for-all-inside": ("CONFIRMED", 'holds: {formula: "sqrt(p)**2 == p", for-all: [p]}', "proved by SymPy"),
    "identity-nowhere": ("REFUTED", "identity: {left: exp(log(z)), right: z}", "the left side is no number at z = -2"),
    "identity-partly": ("REFUTED", "identity: {left: x, right: exp(log(x))}", "the right side is no number at x ="),
    "identity-in-a-gap": (
        "REFUTED",
        "identity: {left: sqrt((x - 1)**2 - 1e-4)**2, right: (x - 1)**2 - 1e-4}",
        "the left side is no number at x = 1027/1024, and around it",
    ),
    "identity-in-a-corner": (
        "REFUTED",
        'identity: {left: "exp(log(v[0] + v[1] + 2*u - 1e-3))", right: "v[0] + v[1] + 2*u - 1e-3"}',
        "the left side is no number at",
    ),
    "identity-void": ("UNDECIDED", "identity: {left: sqrt(z), right: sqrt(z)}", "numbers at none of 27 points"),
    "identity-of-constants": ("REFUTED", 'identity: {left: "sqrt(-1)**2", right: -1}', "the left side is no number"),
    "identity-inside": ("CONFIRMED", "identity: {left: exp(log(p)), right: p}", "proved by SymPy for all inputs"),
    "identity-hole": (
        "CONFIRMED",
        "identity: {left: (x**2 - 1)/(x - 1), right: x + 1}",
        "proved by SymPy wherever both sides are defined: the left side has no value at x = 1",
    ),
    "identity-of-signs": ("CONFIRMED", "identity: {left: sqrt(p**2) + sqrt(z**2), right: p - z}", "for all inputs"),
    "identity-of-logs": ("CONFIRMED", "identity: {left: log(p**3*(1 + p)), right: 3*log(p) + log(1 + p)}", "for all"),
    "identity-of-no-sign": ("REFUTED", "identity: {left: sqrt(x**2), right: x}", "they differ"),
    "identity-pieces": (
        "CONFIRMED",
        "identity: {left: relu(x) - relu(-x), right: x}",
        "proved by SymPy for all inputs",
    ),
    "identity-of-a-point": ("UNDECIDED", 'identity: {left: "where(x == 1/7, 5, 0)", right: 0}', "not proved"),
    "identity-edge": (
        "CONFIRMED",
        'identity: {left: "D(sqrt(u), u)", right: 1/(2*sqrt(u))}',
        "proved by SymPy wherever both sides are defined",
    ),
    "identity-vector-edge": ("CONFIRMED", "identity: {left: sqrt(v)**2, right: v}", "proved by SymPy for all inputs"),
    # nothing is left of x in the derivative, and of z, too, where its logarithm is no number
    "identity-constant-slope": ("CONFIRMED", 'identity: {left: "D(value, x, x)", right: 2}', "for all inputs"),
    "identity-other-slope": ("REFUTED", 'identity: {left: "D(3*x, x)", right: 4}', "they differ"),
    "identity-no-constant-slope": (
        "REFUTED",
        'identity: {left: "D(p + log(z), p)", right: 1}',
        "the left side is no number",
    ),
    "limit-constant-slope": (
        "CONFIRMED",
        'limit: {formula: 3 + h, variable: h, to: 0, equals: "D(3*x, x)"}',
        "for all",
    ),
    "identity-at-infinity": (
        "CONFIRMED",
        "identity: {left: atan(1/x), right: -atan(1/(0 - x))}",
        "proved by SymPy wherever both sides are defined",
    ),
    # a limit at a general point is none at every point
    "limit-of-no-numbers": (
        "REFUTED",
        "limit: {formula: (log(z + h) - log(z))/h, variable: h, to: 0, equals: 1/z}",
        "it has no value on either side at z =",
    ),
    "limit-of-nothing-nearer": (
        "UNDECIDED",
        "limit: {formula: exp(log(256*h + (u-0.3)**2 - 2**(-23))), variable: h, to: 0, equals: (u-0.3)**2 - 2**(-23)}",
        "not known to have a value nearby",
    ),
    "limit-of-two-logs": (
        "REFUTED",
        "limit: {formula: log(h)/log(-h), variable: h, to: 0, equals: 1}",
        "it has no value on either side",
    ),
    "limit-of-no-slope": (
        "UNDECIDED",
        'limit: {formula: "D(log(x), x)", variable: x, to: -1, equals: -1}',
        "it is not known to have a value nearby",
    ),
    "limit-of-no-slope-in-pieces": (
        "UNDECIDED",
        'limit: {formula: "D(log(x) + where(x < 2, 0, 1), x)", variable: x, to: -1, equals: -1}',
        "SymPy does not find the limit",
    ),
    "limit-to-no-slope": (
        "UNDECIDED",
        'limit: {formula: 1/(z + h), variable: h, to: 0, equals: "D(log(z), z)"}',
        "it is not known to have a value nearby",
    ),
    "limit-of-a-slope": (
        "CONFIRMED",
        'limit: {formula: "D(log(x), x)", variable: x, to: 1, equals: 1}',
        "by SymPy's limit",
    ),
    "limit-imaginary": (
        "REFUTED",
        "limit: {formula: sqrt(h - 1), variable: h, to: 0, equals: 0}",
        "it has no value on either side",
    ),
    "limit-at-infinity": (
        "UNDECIDED",
        "limit: {formula: (1 + 1/n)**n, variable: n, to: 1/0, equals: e}",
        "what n tends to is no number",
    ),
    "limit-special": (
        "REFUTED",
        "limit: {formula: x/(x + h), variable: h, to: 0, equals: 1}",
        "the limit from the left is 0, not 1.00000000000 at x = 0",
    ),
    "limit-sign": ("REFUTED", "limit: {formula: sign(x + h), variable: h, to: 0, equals: sign(x)}", "at x = 0"),
    "limit-floor": ("REFUTED", "limit: {formula: floor(x + h), variable: h, to: 0, equals: floor(x)}", "at x = 0"),
    "limit-pole": ("REFUTED", "limit: {formula: h/(x**2 + h**2), variable: h, to: 0, equals: 0}", "at x = 0"),
    "limit-vector": (
        "REFUTED",
        'limit: {formula: "v[0]*v[1]/(v[0] + h)", variable: h, to: 0, equals: "v[1]"}',
        "the limit from the left is 0, not 1.00000000000 at v = [0, 1]",
    ),
    "limit-hidden": (
        "UNDECIDED",
        "limit: {formula: h/((x - 1/7)**2 + h**2), variable: h, to: 0, equals: 0}",
        "at a general point; it is not established at every point",
    ),
    "limit-without-zero": (
        "CONFIRMED",
        "limit: {formula: p/(p + h), variable: h, to: 0, equals: 1}",
        "by Taylor's formula, for all inputs",
    ),
    "limit-of-logs": (
        "CONFIRMED",
        "limit: {formula: (log(p + h) - log(p))/h, variable: h, to: 0, equals: 1/p}",
        "by Taylor's formula, for all inputs",
    ),
    "limit-elsewhere": (
        "CONFIRMED",
        "limit: {formula: (sin(p*h) - sin(2*p))/(h - 2), variable: h, to: 2, equals: p*cos(2*p)}",
        "by Taylor's formula, for all inputs",
    ),
    "limit-at-the-point": (
        "CONFIRMED",
        "at: {x: 0}, limit: {formula: x/(x + h), variable: h, to: 0, equals: 0}",
        "by SymPy's limit",
    ),
    "limit-at-another": (
        "REFUTED",
        "at: {x: 0}, limit: {formula: x/(x + h), variable: h, to: 0, equals: 1}",
        "by SymPy's limit",
    ),
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


@pytest.fixture(scope="module")
def about_reals(decided):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(forall, "BOXES", 300)
        return decided(REALS, {name: text for name, (_, text, _) in ABOUT_REALS.items()})


@pytest.mark.parametrize("name", ABOUT_REALS)
def test_a_claim_about_what_may_be_no_number(about_reals, name):
    record, (verdict, _, reason) = about_reals[name], ABOUT_REALS[name]
    assert (record.verdict, reason in record.reason) == (verdict, True), (record.truth, record.reason)


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
    monkeypatch.setattr(forall, "BOXES", 50)
    records = decided(
        HEAD,
        {
            "proved": 'holds: {formula: "sin(x)**2 + cos(x)**2 == 1", for-all: [x]}',
            "touching": 'holds: {formula: "sin(x)**2 + cos(x)**2 <= 1", for-all: [x]}',
            "parts": 'holds: {formula: "relu(x) >= x and sin(x)**2 + cos(x)**2 == 1", for-all: [x]}',
            "one-part": 'holds: {formula: "relu(x) >= x and floor(x) <= x", for-all: [x]}',
        },
    )
    assert (records["proved"].verdict, records["proved"].reason) == ("CONFIRMED", "proved by SymPy")
    assert (records["touching"].verdict, records["touching"].reason) == ("CONFIRMED", "proved by SymPy")
    assert (records["parts"].verdict, records["parts"].reason) == ("CONFIRMED", "proved by SymPy")
    assert (records["one-part"].verdict, records["one-part"].reason) == ("UNDECIDED", "not decided after 50 boxes")


def test_two_mathematically_different_shapes_are_never_reconciled(monkeypatch, decided):
    """Where mathematics and the JAX program disagree the claim is not decided for either."""
    monkeypatch.setattr(decisions, "program_shape", lambda node: (7,))
    records = decided(HEAD, {"one": "shape: {formula: value, is: []}"})
    assert records["one"].verdict == "UNDECIDED"
    assert "(7,)" in records["one"].reason
