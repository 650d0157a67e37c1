"""Each line of the table plants one fault into a good catalog: exactly that fault is reported, at its place."""

# ruff: noqa: E501 (a planted fault and its whole message on one line)
from __future__ import annotations

from collections.abc import Callable

import pytest

Faults = Callable[[str | bytes], list[str]]

GOOD = """\
format: "1.0"
source: {title: t, sections: [{id: s, title: t}, {id: other, title: t}]}
cheat-sheet: [gradient, hessian]
listings: [{id: code, section: s, code: "x = 1"}]
entries:
  e:
    title: t
    section: s
    inputs:
      x: {domain: [0, 10]}
      v: {shape: [2], domain: [-3, 3]}
      p: {w: {shape: [1, 2], domain: [-1, 1]}}
    data:
      grid: {linspace: [0, 1], shape: [11]}
      rows: {values: [[1, 2], [3, 4], [5, 6]]}
      u: {uniform: {key: 0, dtype: float32, range: [-3, 3]}, shape: [4]}
      net: {listing: code, variable: params, shape: [1, 2]}
    let:
      a: sin(x)
      b: p.w @ v
    value: a + b[0]
    orders: [1, 2]
    points:
      - {x: 1, v: [1, 2], p.w: net}
    quantities:
      best: {formula: x, at: {x: 2}}
      path: {formula: "sum(v)", over: {v: rows}}
    iterations:
      go: {start: {x: best}, step: {x: x/2}, count: 5}
    claims:
      - {id: c1, says: q, at: {v: [1, 2]}, digits: {formula: 2*v, printed: [2.0, 4.0]}}
      - {id: c2, says: q, identity: {left: "D(a, x)", right: cos(x)}}
      - {id: c3, says: q, holds: {formula: a <= 1, for-all: [x]}}
      - {id: c4, says: q, limit: {formula: a/h, variable: h, to: 1, equals: a}}
      - {id: c5, says: q, runs: {listing: code}}
    pictures:
      - {id: p1, title: t, series: [{kind: line, x: grid, y: grid**2}]}
      - {id: p2, title: t, series: [{kind: contour, x: grid, y: path, z: "outer(path, grid)"}]}
    acknowledged:
      - {claim: c1, verdict: REFUTED, reason: r}
"""

# what is written in place of what, with ¶ where the one fault is; and the fault, at a path under `entries.e`.
PLANTED = [
    ("section: s\n", "section: ¶z\n", "unknown section `z`: `source.sections` declares `s` and `other` (at section)"),
    ("id: c5,", "id: c5, section: ¶othr,", "unknown section `othr`: did you mean `other`? (at claims[4].section)"),
    ("id: c5,", "id: c5, row: ¶gradent,", "unknown cheat-sheet row `gradent`: did you mean `gradient`? (at claims[4].row)"),
    ("{listing: code, v", "{listing: ¶cod, v", "unknown listing `cod`: did you mean `code`? (at data.net.listing)"),
    ("runs: {listing: code", "runs: {listing: ¶q", "unknown listing `q`: `listings` declares `code` (at claims[4].runs.listing)"),
    ("id: c2", "id: ¶c1", "the claim id `c1` stands here a second time (first in line 31): rename or remove one (at claims[1].id)"),
    ("id: p2", "id: ¶p1", "the picture id `p1` stands here a second time (first in line 37): rename or remove one (at pictures[1].id)"),
    ("claim: c1", "claim: ¶c9", "unknown claim `c9`: `claims` declares `c1`, `c2`, `c3`, `c4` and `c5` (at acknowledged[0].claim)"),
    ("      a: sin(x)", "      ¶e: 1\n      a: sin(x)", "`e` has a meaning in every formula already; choose another name (at let.e)"),
    ("      a: sin(x)", "      ¶pi: 1\n      a: sin(x)", "`pi` has a meaning in every formula already; choose another name (at let.pi)"),
    ("      a: sin(x)", "      ¶D: 1\n      a: sin(x)", "`D` has a meaning in every formula already; choose another name (at let.D)"),
    ("      a: sin(x)", "      ¶value: 1\n      a: sin(x)", "`value` has a meaning in every formula already; choose another name (at let.value)"),
    ("      a: sin(x)", "      ¶tanh: 1\n      a: sin(x)", "`tanh` has a meaning in every formula already; choose another name (at let.tanh)"),
    ("      a: sin(x)", "      ¶lambda: 1\n      a: sin(x)", "`lambda` is a word of the formula language (at let.lambda)"),
    ("      a: sin(x)", "      ¶x: 1\n      a: sin(x)", "`x` is already the name of an input: give one of the two another name (at let.x)"),
    ("      a: sin(x)", "      ¶a.b: 1\n      a: sin(x)", "a name has no dot: nest the mappings instead (at let.a.b)"),
    ("      go:", "      ¶best: {start: {x: 1}, step: {x: x}, count: 5}\n      go:", "`best` is already the name of a quantity: give one of the two another name (at iterations.best)"),
    ("[0, 10]", "¶[10, 0]", "an empty interval: 10 is greater than 0; the lowest value stands first (at inputs.x.domain)"),
    ("[0, 10]", "[0, ¶pi]", "expected an exact number, such as -10, 0.25 or 1/3, found the text `pi`: `pi` has no exact value (at inputs.x.domain[1])"),
    ("[0, 10]", "[0, ¶pi/2]", "expected an exact number, such as -10, 0.25 or 1/3, found the text `pi/2`: `pi` has no exact value (at inputs.x.domain[1])"),
    ("[0, 10]", "[0, ¶.inf]", "expected an exact number, such as -10, 0.25 or 1/3, found an infinity, `.inf`: only finite numbers can stand here (at inputs.x.domain[1])"),
    ("[0, 10]", "[0, ¶inf]", "expected an exact number, such as -10, 0.25 or 1/3, found the text `inf`: `inf` is infinite, and only finite numbers can stand here (at inputs.x.domain[1])"),
    ("[0, 10]", "[¶-Infinity, 10]", "expected an exact number, such as -10, 0.25 or 1/3, found the text `-Infinity`: `Infinity` is infinite, and only finite numbers can stand here (at inputs.x.domain[0])"),
    ("[0, 10]", "[0, ¶v]", "expected an exact number, such as -10, 0.25 or 1/3, found the text `v`: `v` is a name, and only numbers can stand here (at inputs.x.domain[1])"),
    ("[0, 10]", "[0, ¶1/0]", "expected an exact number, such as -10, 0.25 or 1/3, found the text `1/0`: `1 / 0` has no value (at inputs.x.domain[1])"),
    ("[0, 10]", "[0, ¶3 + 0**-1]", "expected an exact number, such as -10, 0.25 or 1/3, found the text `3 + 0**-1`: `0**-1` has no value (at inputs.x.domain[1])"),
    ("[0, 10]", "[0, ¶4**0.5]", "expected an exact number, such as -10, 0.25 or 1/3, found the text `4**0.5`: the exponent of `4**0.5` is no integer (at inputs.x.domain[1])"),
    ("[0, 10]", "[0, ¶sqrt(16)]", "expected an exact number, such as -10, 0.25 or 1/3, found the text `sqrt(16)`: only + - * / and ** of numbers are exact, `sqrt(16)` is not (at inputs.x.domain[1])"),
    ("range: [-3, 3]", "range: [-3, ¶u]", "expected an exact number, such as -10, 0.25 or 1/3, found the text `u`: `u` is a name, and only numbers can stand here (at data.u.uniform.range[1])"),
    ("[0, 10]", "[-1e400, 1e400]", None),
    ("[0, 10]", "[1, 1]", None),
    ("[0, 10]", "¶[0]", "expected at least 2 item(s), found 1 (at inputs.x.domain)"),
    ("[0, 10]", "¶10", "expected a list, such as `[a, b]`, found the number `10` (at inputs.x.domain)"),
    ("range: [-3, 3]", "range: ¶[3, -3]", "an empty interval: 3 is greater than -3; the lowest value stands first (at data.u.uniform.range)"),
    ("range: [-3, 3]", "range: [-3, ¶1e39]", "`1e39` is beyond the finite numbers of float32: choose another end or dtype (at data.u.uniform.range[1])"),
    ("[0, 1], shape: [11]", "[¶-1e400, 1], shape: [11], dtype: float64", "`-1e400` is beyond the finite numbers of float64: choose another end or dtype (at data.grid.linspace[0])"),
    ("[0, 1], shape: [11]", "[-1e400, 1], shape: [11]", None),
    ("[[1, 2], [3, 4]", "[[1, 2], ¶[3]", "not a regular array: this item is shape [1], the first is shape [2] (at data.rows.values[1])"),
    ("[[1, 2], [3, 4]", "[[1, 2], ¶[]", "an empty list has no shape: write at least one number (at data.rows.values[1])"),
    ("[[1, 2], [3, 4]", "[[1, 2], [3, ¶x]", "`x` is an input: only numbers, `pi` and `e` can stand here (at data.rows.values[1][1])"),
    ("[5, 6]]}", "[5, 6]], shape: ¶[2, 3]}", "the values written out are shape [3, 2], not shape [2, 3]: correct one of the two (at data.rows.shape)"),
    ("shape: [11]", "shape: ¶[11, 1]", "`linspace` makes a vector of 2 or more numbers: write `shape: [count]` (at data.grid.shape)"),
    ("shape: [4]", "shape: ¶[4000, 4000]", "16,000,000 components: at most 1,000,000 are possible (at data.u.shape)"),
    ("float32", "¶float8", "expected `float64`, `float32`, `bfloat16` or `float16`, found the text `float8`; did you mean `float64`? (at data.u.uniform.dtype)"),
    ("{linspace", "¶{values: [1], linspace", "data holds exactly one of `values`, `normal`, `uniform`, `linspace` or `listing`, found `values` and `linspace`: keep one, or make two (at data.grid)"),
    ("a: sin(x)", "a: sin(x) + ¶b", "`b` is defined further down: use only what stands above, or move it up (at let.a)"),
    ("a: sin(x)", "a: sin(x) + ¶a", "`a` cannot use itself in its own definition: use only what stands above (at let.a)"),
    ("value: a + b[0]", "value: a + b[0] + ¶value", "`value` cannot use itself in its own definition: use only what stands above (at value)"),
    ("{formula: x, at: {x: 2}}", "{formula: ¶best, at: {x: 2}}", "`best` cannot use itself in its own definition: use only what stands above (at quantities.best.formula)"),
    ("{formula: x, at: {x: 2}}", "{formula: x, at: {x: ¶best}}", "`best` cannot use itself in its own definition: use only what stands above (at quantities.best.at.x)"),
    ("a: sin(x)", "a: ¶x < 1", "expected a number; this is true or false: write where(condition, 1, 0) to count it (at let.a)"),
    ("a: sin(x)", "a: sin(¶v + [1, 2, 3])[0]", "`+`: the shapes (2,) and (3,) do not fit together (at let.a)"),
    ("a: sin(x)", "a: 'sin(x) + ¶z'", "`z` is not defined; known here: grid, net, p.w, rows, u, v, x (at let.a)"),
    ("a: sin(x)", "a: ¶>-\n        sin(x)\n        + z", "`z` is not defined; known here: grid, net, p.w, rows, u, v, x (at let.a)"),
    ("a: sin(x)", "a: ¶sin(x) # wave", "` #` begins a YAML comment, so only `sin(x)` is read: put the text in quotes, or move the comment to its own line (at let.a)"),
    ("a: sin(x)", "a:¶", "expected a formula, such as `x**2`, found nothing (at let.a)"),
    ("a: sin(x)", "a: ¶true", "expected a formula, such as `x**2`, found the truth value `true` (at let.a)"),
    ("a: sin(x)", "a: ¶[sin(x)]", "expected a formula, such as `x**2`, found a list (at let.a)"),
    ("orders: [1, 2]", "orders: [1, ¶1]", "the order `1` stands here a second time (first in line 22): rename or remove one (at orders[1])"),
    ("orders: [1, 2]", "orders: [¶17]", "expected a whole number from 0 to 16, found 17 (at orders[0])"),
    ("{x: 1, v: [1, 2], p", "¶{v: [1, 2], p", "a point gives a value to every input: add `x` (at points[0])"),
    ("{x: 1, v", "{x: 1, ¶y: 1, v", "`y` is no input: the inputs are `x`, `v`, `p.w` (at points[0].y)"),
    ("[1, 2], p.w: net", "[1, 2], p.w: net, ¶p: 1", "`p` is no input: give each of its leaves, such as `p.w` (at points[0].p)"),
    ("v: [1, 2], p.w", "v: ¶[1, 2, 3], p.w", "`v` is shape [2], but what is given here is shape [3] (at points[0].v)"),
    ("v: [1, 2], p.w", "v: ¶1, p.w", "`v` is shape [2], but what is given here is a scalar (at points[0].v)"),
    ("{x: 1, v", "{x: ¶11, v", "the value 11 is outside the domain [0, 10] of `x`: move it inside, or widen the domain (at points[0].x)"),
    ("{x: 1, v", "{x: ¶4*pi, v", "the value `4*pi` is outside the domain [0, 10] of `x`: move it inside, or widen the domain (at points[0].x)"),
    ("{x: 1, v", "{x: ¶-exp(-9), v", "the value `-exp(-9)` is outside the domain [0, 10] of `x`: move it inside, or widen the domain (at points[0].x)"),
    ("{x: 1, v", "{x: ¶sqrt(-1), v", "this point has no real value: write a finite number (at points[0].x)"),
    ("{x: 1, v", "{x: ¶1/0, v", "this point has no real value: write a finite number (at points[0].x)"),
    ("{x: 1, v: [1, 2]", "{x: 1, v: [1, ¶log(0)]", "this point has no real value: write a finite number (at points[0].v[1])"),
    ("at: {x: 2}", "at: {x: ¶1/0}", "this point has no real value: write a finite number (at quantities.best.at.x)"),
    ("at: {v: [1, 2]}, d", "at: {v: [1, ¶0**-1]}, d", "this point has no real value: write a finite number (at claims[0].at.v[1])"),
    ("{x: 1, v", "{x: 3*pi, v", None),
    ("{x: 1, v", "{x: 10*pi/pi, v", None),
    ("{x: 1, v", "{x: sqrt(100), v", None),
    ("{x: 1, v", "{x: ¶best, v", "`best` is a quantity: only numbers, and the names of data can stand here (at points[0].x)"),
    ("{x: 1, v", "{x: ¶{y: 1}, v", "expected a number, a formula or a list; a leaf of a nested input is written as one key, `params.w1: ...` (at points[0].x)"),
    ("formula: x, at", 'formula: ¶"x + v[0]", at', "this depends on `v`: say at which value, `at: {v: ...}`, or `over` which array (at quantities.best.formula)"),
    ("over: {v: rows}", "over: {v: ¶grid}", "expected rows for `v`, each shape [2], found shape [11] (at quantities.path.over.v)"),
    ("over: {v: rows}", "over: {v: rows, x: ¶grid}", "11 rows here, but 3 in the array above: they run together (at quantities.path.over.x)"),
    ("over: {v: rows}", "over: {¶v: rows}, at: {v: [1, 2]}", "`v` is fixed by `at` and runs `over` an array too: keep one of the two (at quantities.path.over.v)"),
    ("step: {x: x/2}", "step: ¶{v: v/2}", "`start` names `x` and `step` names `v`: both name the same inputs (at iterations.go.step)"),
    ("step: {x: x/2}", "step: {x: ¶v}", "the next `x` must be a scalar, this is shape [2] (at iterations.go.step.x)"),
    ("step: {x: x/2}", 'step: {x: ¶"x + v[0]"}', "this depends on `v`: add it under `start` and `step` (at iterations.go.step.x)"),
    ("step: {x: x/2}", "step: {x: x/2 + best}", None),
    ("count: 5", "count: ¶0", "expected a whole number from 1 to 100000, found 0 (at iterations.go.count)"),
    ("printed: [2.0, 4.0]", "printed: ¶[2.0]", "the formula is shape [2], but what is printed is shape [1] (at claims[0].digits.printed)"),
    ("printed: [2.0, 4.0]", "printed: [2.0, ¶pi]", "expected a number as it is printed, such as 0.7071, found the text `pi` (at claims[0].digits.printed[1])"),
    ("printed: [2.0, 4.0]", "printed: [2.0, ¶1e-999999999]", "expected a number as it is printed, such as 0.7071, found the number `1e-999999999` (the exponent is too large) (at claims[0].digits.printed[1])"),
    ("printed: [2.0, 4.0]", "printed: [2.0, ¶' 1e20001 ']", "expected a number as it is printed, such as 0.7071, found the text ` 1e20001 ` (the exponent is too large) (at claims[0].digits.printed[1])"),
    ("printed: [2.0, 4.0]", "printed: [2.0, 1e-20000]", None),
    ("at: {v: [1, 2]}, digits: {formula: 2*v", "at: {x: 1}, digits: {formula: ¶2*v", "this depends on `v`: say at which value, `at: {v: ...}` beside `digits` (at claims[0].digits.formula)"),
    ("right: cos(x)", "right: ¶v", "a scalar cannot equal shape [2]: both sides need one shape (at claims[1].identity.right)"),
    ("says: q, identity", "says: q, ¶at: {x: 1}, identity", "`at` says nothing here: this claim is not decided at a point, remove the key (at claims[1].at)"),
    ("formula: a <= 1", "formula: ¶a", "expected a statement that is true or false, such as `abs(value) < 1`; this is a number (at claims[2].holds.formula)"),
    ("formula: a <= 1, for-all: [x]", "formula: ¶v <= 1, for-all: [v]", "this is shape [2] of statements: write all(...) or any(...) around it (at claims[2].holds.formula)"),
    ("for-all: [x]", "for-all: [x, ¶y]", "unknown input `y`: `inputs` declares `x`, `v` and `p.w` (at claims[2].holds.for-all[1])"),
    ("a <= 1, for-all: [x]", "¶a <= 1", "this depends on `x`: say at which value, `at: {x: ...}` beside `holds`, or `for-all: [x]` in it (at claims[2].holds.formula)"),
    ("says: q, holds: {formula: a <= 1, for-all: [x]}", "says: q, at: {x: 1}, holds: {formula: a <= 1, for-all: [¶x]}", "`x` is fixed by `at` and runs through its domain too: keep one of the two (at claims[2].holds.for-all[0])"),
    ("variable: h", "variable: ¶v", "`v` is shape [2]: a limit moves a scalar (at claims[3].limit.variable)"),
    ("variable: h", "variable: ¶best", "`best` is already a name of this entry: choose another (at claims[3].limit.variable)"),
    ("says: q, runs", "says: # [8.0]\n         q, runs", None),
    ("says: q, runs", "says: ¶0.7, runs", "expected text, found the number `0.7`: put it in quotes (at claims[4].says)"),
    ("says: q, runs", "says: ¶'', runs", "expected text, found an empty text: say it in words (at claims[4].says)"),
    ("says: q, runs", "¶say: q, runs", "unknown key `say`; did you mean `says`? (at claims[4].say)"),
    ("{id: c5, says: q, runs", "¶{id: c5, runs", "the key `says` is missing here: the claim in the source's own words, in quotes (at claims[4])"),
    ("{id: c5, says: q, runs: {listing: code}}", "¶{id: c5, says: q, run: {listing: code}}", "a claim holds exactly one of `identity`, `digits`, `holds`, `shape`, `limit`, `runs`, `prints`, `structure` or `not-computable`, found none; did you mean `runs` by `run`? (at claims[4])"),
    ("y: grid**2", "y: ¶path", "11 horizontal coordinates, but 3 vertical ones: a curve needs as many (at pictures[0].series[0].y)"),
    ("y: grid**2", "y: ¶rows", "expected a vector of coordinates, found shape [3, 2] (at pictures[0].series[0].y)"),
    ("y: grid**2", "y: ¶value", "`value` is the function's value: only numbers, and the names of data and quantities can stand here (at pictures[0].series[0].y)"),
    ('"outer(path, grid)', '¶"outer(grid, path)', "expected shape [3, 11], one row for each y, found shape [11, 3] (at pictures[1].series[0].z)"),
    ("kind: line", "kind: ¶curve", "expected `line` or `points`, found the text `curve` (at pictures[0].series[0].kind)"),
    ("verdict: REFUTED", "verdict: ¶CONFIRMED", "expected `REFUTED` or `UNDECIDED`, found the text `CONFIRMED` (at acknowledged[0].verdict)"),
    ("claim: c1, verdict: REFUTED", "programs: [grad/jit], order: ¶3, components: [d/dx], dtypes: [float16], devices: ['cpu:0'], verdict: NONFINITE", "order 3 is not verified for this entry: `orders` does not name it (at acknowledged[0].order)"),
    ("claim: c1, verdict: REFUTED", "programs: [¶'*'], order: 1, components: [d/dx], dtypes: [float16], devices: ['cpu:0'], verdict: NONFINITE", "expected a program such as `grad/jit`, without wildcards, found the text `*` (at acknowledged[0].programs[0])"),
    ("claim: c1, verdict: REFUTED", "programs: [grad/jit], order: 1, components: [¶all], dtypes: [float16], devices: ['cpu:0'], verdict: NONFINITE", "expected a component such as `d/dx` or `value[1]`, without wildcards, found the text `all` (at acknowledged[0].components[0])"),
]  # fmt: skip


def test_the_catalog_itself_is_good(faults: Faults) -> None:
    assert faults(GOOD) == []


@pytest.mark.parametrize(("old", "new", "fault"), PLANTED, ids=[f"{row[2]}"[:60] for row in PLANTED])
def test_a_planted_fault_is_the_only_one_reported(old: str, new: str, fault: str | None, faults: Faults) -> None:
    before, _, after = GOOD.partition(old)
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    head = new.partition("¶")[0]
    line, column = line + head.count("\n"), len(head) - head.rfind("\n") + (0 if "\n" in head else column - 1)
    found = faults(before + new.replace("¶", "") + after)
    where = f"catalog/x.yaml:{line}:{column}: "
    assert found == ([] if fault is None else [where + fault.replace("(at ", "(at entries.e.")])


@pytest.mark.parametrize(
    ("domain", "value", "fault"),
    [
        ("[1/3, 1/3]", "value: x, ", True),
        ("[1e400, 1e401]", "value: x, ", True),
        ("[1/3, 1/3]", "", False),  # mathematics alone
        ("[1/3, 0.34]", "value: x, ", False),
        ("[1, 1]", "value: x, ", False),
        ("[1/3, 1/3]", "points: [{x: 1/3}], value: x, ", False),  # at the point, rounded
    ],
)
def test_a_domain_holds_a_float_where_something_is_to_run(domain: str, value: str, fault: bool, faults: Faults) -> None:
    found = faults(
        'format: "1.0"\nsource: {title: t, sections: [{id: s, title: t}]}\nentries:\n  e: {title: t, section: s, '
        f"{value}inputs: {{x: {{domain: {domain}}}}}, claims: [{{id: c, says: q, identity: {{left: x, right: x}}}}]}}\n"
    )
    message = "no float64 is in this domain, so nothing could be verified: widen it, declare points, or make the input"
    where = "catalog/x.yaml:4:60: "
    assert found == ([f"{where}{message} a constant under `data` (at entries.e.inputs.x.domain)"] if fault else [])


def test_a_circle_of_a_quantity_and_an_iteration(faults: Faults) -> None:
    circle = GOOD.replace("formula: x, at: {x: 2}", "formula: 'go.x[1]'").replace("x: x/2", "x: x/2 + best")
    assert faults(circle) == [
        "catalog/x.yaml:26:7: `best` and `go` need each other, so that none can be computed: break the circle"
        " (at entries.e.quantities.best)"
    ]


def test_a_broken_part_does_not_make_faults_of_what_depends_on_it(faults: Faults) -> None:
    assert len(faults(GOOD.replace("inputs:", "imputs:"))) == 1
    assert len(faults(GOOD.replace("x: {domain: [0, 10]}", "x: 5"))) == 1
    assert len(faults(GOOD.replace("sin(x)", "sin(x"))) == 1
    assert len(faults(GOOD.replace("data:\n", "data: !x\n"))) == 1
    assert len(faults(GOOD.replace("count: 5", "count: five"))) == 1


def test_top_level_references(faults: Faults) -> None:
    assert faults(GOOD.replace("id: other", "id: s")) == [
        "catalog/x.yaml:2:55: the section `s` stands here a second time (first in line 2): rename or remove one"
        " (at source.sections[1].id)"
    ]
    assert faults(GOOD.replace("hessian", "gradient")) == [
        "catalog/x.yaml:3:25: the cheat-sheet row `gradient` stands here a second time (first in line 3):"
        " rename or remove one (at cheat-sheet[1])"
    ]
    assert faults(GOOD.replace("  e:\n", "  E_1:\n"))[0].startswith(
        "catalog/x.yaml:6:3: `E_1` is no id: use small letters"
    )


def test_orders_need_a_value_and_inputs(faults: Faults) -> None:
    found = faults(
        'format: "1.0"\nsource: {title: t, sections: [{id: s, title: t}]}\n'
        "entries: {e: {title: t, section: s, orders: [1]}}\n"
    )
    assert [line.split(": ", 1)[1].split(":")[0] for line in found] == [
        "there is no value to differentiate",
        "there is nothing to differentiate by",
    ]
