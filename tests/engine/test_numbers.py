"""The number pipeline on what is hard: kinks, jumps, removable singularities, contractions, zeros, conditioning."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from verifier.engine import entry as entry_module
from verifier.engine import judging as judging_module
from verifier.engine import program as program_module
from verifier.symbolic.lowering import as_function

ALL_FIRST = ("grad/jit", "jvp/jit", "vjp/jit", "linearize/jit", "jacfwd/jit", "jacrev/jit")


@pytest.fixture
def at_0(verified):
    """at_0(formula) -> order -> the verdict record at x = 0 alone."""

    def judge(formula: str):
        body = f"inputs: {{x: {{domain: [0, 0]}}}}\nvalue: {formula}\norders: [1, 2]\npoints: [{{x: 0}}]\n"
        run = verified(body, programs=("value/jit", "grad/jit", "grad2/jit"))
        assert run.entries[0].status == "OK", run.entries[0].reason
        return {each.order: each for each in run.verdicts}

    return judge


@pytest.mark.parametrize(
    ("formula", "value", "sides"),
    [
        ("relu(x)", "0.0", "left 0, right 1"),
        ("max(0, x)", "0.5", "left 0, right 1"),
        ("abs(x)", "1.0", "left -1, right 1"),
    ],
)
def test_at_a_kink_a_value_between_the_sides_is_a_convention(at_0, formula, value, sides):
    records = at_0(formula)
    assert [records[order].verdict for order in (0, 1, 2)] == ["ACCURATE", "CONVENTION", "CONVENTION"]
    assert not records[1].fails
    assert records[1].worst.decimal == value
    assert records[1].worst.truth == sides
    assert records[2].worst.truth == "a jump"


@pytest.mark.parametrize(
    ("formula", "truths"),
    [
        ("sqrt(x)", ("inf", "-inf")),
        ("-sqrt(x)", ("-inf", "inf")),
        ("x**1.5", ("0", "inf")),
        ("1/x**2", ("undefined: the function is inf here",) * 2),
        ("sqrt(abs(x))", ("between -inf and inf", "a jump")),
        ("where(x == 0, 5, x)", ("a jump", "a jump")),
    ],
)
def test_where_there_is_no_number_the_truth_is_what_germs_say(at_0, formula, truths):
    """Infinities and poles are told from jumps; a device that returns the right infinity is right, NaN is wrong."""
    records = at_0(formula)
    assert tuple(records[order].worst.truth for order in (1, 2)) == truths
    for order in (1, 2):
        assert records[order].fails == (records[order].worst.decimal == "nan")
        assert records[order].verdict != "UNDECIDED"


@pytest.mark.parametrize(
    ("formula", "domain"), [("exp(-1/x)", "[0, 1]"), ("exp(-x**2)", "[-1e200, 1e200]"), ("exp(exp(x))", "[0, 1000]")]
)
def test_a_number_of_astronomic_size_costs_no_entry(verified, formula, domain):
    run = verified(f"inputs: {{x: {{domain: {domain}}}}}\nvalue: {formula}\norders: [1]\n", samples=4)
    assert run.entries[0].status == "OK", run.entries[0].reason
    assert {each.verdict for each in run.verdicts} <= {"ACCURATE", "UNDERFLOW", "OVERFLOW", "NONFINITE", "UNDECIDED"}


def test_the_root_of_a_square_is_nan_at_its_kink_and_fails(at_0):
    record = at_0("sqrt(x*x)")[1]
    assert (record.verdict, record.fails, record.worst.decimal) == ("NONFINITE", True, "nan")
    assert record.worst.truth == "left -1, right 1"


def test_a_value_outside_the_sides_of_a_kink_fails(monkeypatch, verified):
    def doubled(definitions):
        f = as_function(definitions)
        return lambda x, data: 4 * f(x, data)

    monkeypatch.setattr(program_module, "as_function", doubled)
    run = verified("inputs: {x: {domain: [0, 0]}}\nvalue: max(0, x)\norders: [1]")
    assert [(each.fails, each.worst.decimal) for each in run.verdicts] == [(True, "2.0")]


@pytest.mark.parametrize("formula", ["where(x == 0, 5, x)", "sign(x)", "floor(x)"])
def test_no_derivative_speaks_about_a_jump(at_0, formula):
    for order in (1, 2):
        record = at_0(formula)[order]
        assert (record.verdict, record.fails) == ("CONVENTION", False)
        assert record.worst.truth == "a jump"


def test_a_removable_singularity_has_its_limits(at_0):
    """Of where(x == 0, 1, sin(x)/x): 1, 0, -1/3, where JAX gives nan for the derivatives."""
    records = at_0("where(x == 0, 1, sin(x)/x)")
    assert records[0].verdict == "ACCURATE"
    assert records[1].worst.truth == "0"
    assert records[2].worst.truth.startswith("-0.33333333")
    assert [records[order].verdict for order in (1, 2)] == ["NONFINITE", "NONFINITE"]


def test_what_is_smooth_after_all_must_have_its_derivative(at_0):
    record = at_0("relu(x) - relu(-x)")[1]
    assert (record.worst.truth, record.worst.decimal, record.fails) == ("1", "0.0", True)


def test_at_a_pole_there_is_no_derivative(at_0):
    record = at_0("1/x")[1]
    assert (record.verdict, record.fails) == ("VACUOUS", False)
    assert record.worst.truth == "undefined: the function is inf here"


def test_an_exact_zero_accepts_noise_as_a_warning_only(verified):
    run = verified(
        "inputs: {x: {domain: [1, 2]}}\nvalue: (x + 0.1) - x\norders: [1]", programs=("value/jit", "grad/jit")
    )
    assert {each.order: each.verdict for each in run.verdicts}[1] == "ACCURATE"
    assert run.end.findings == 0


@pytest.mark.parametrize(("x", "fails"), [("1e-290", True), ("0.75", False)])
def test_a_vanishing_derivative_is_the_defect_that_this_is_for(verified, x, fails):
    """(1 - sin(x)^2)' = -2x + ... near 0 and needs over 1,000 bits; JAX returns 0."""
    value = "(1 - sin(x))*(1 + sin(x))"
    body = f"inputs: {{x: {{domain: [{x}, {x}]}}}}\nvalue: {value}\norders: [1]\npoints: [{{x: {x}}}]"
    (record,) = [each for each in verified(body, programs=("grad/jit",)).verdicts if each.order == 1]
    assert record.fails == fails
    if fails:
        assert record.worst.truth.startswith("-2.0000000000000")
        assert record.worst.truth.endswith("e-290")
        assert float(record.worst.decimal) == 0


@pytest.mark.parametrize(("value", "fails"), [("x - (1/3)*3*x", False), ("x - (1/3)*3*x + 1e-200*x", True)])
def test_whether_a_truth_is_zero_matters_beyond_the_yardstick(monkeypatch, verified, value, fails):
    """Noise at a true zero is a warning however large; a number without its digits is a failure (SEMANTICS §4)."""
    body = f"inputs: {{x: {{domain: [0.7, 0.9]}}}}\nvalue: {value}\norders: [1]"
    for samples in (0, 20):
        (harmless,) = [e for e in verified(body, programs=("value/vmap",), samples=samples).verdicts if e.order == 0]
        assert not harmless.fails
    monkeypatch.setattr(program_module, "as_function", lambda _: lambda x, data: 0 * x + 1e-3)
    for samples in (0, 20):
        (record,) = [e for e in verified(body, programs=("value/vmap",), samples=samples).verdicts if e.order == 0]
        assert (record.verdict, record.fails) == ("LOSSY", fails)


@pytest.mark.parametrize("program", ALL_FIRST)
def test_contracted_programs_have_the_truth_of_their_contraction(verified, program):
    body = """
    inputs: {v: {shape: [3], domain: [1, 2]}, x: {domain: [1, 2]}}
    value: sum(v**3)*x
    orders: [1]
    points: [{v: [1, 1.25, 1.5], x: 1.75}]
    """
    run = verified(body, programs=(program,))
    assert run.verdicts
    assert {each.verdict for each in run.verdicts} == {"ACCURATE"}


@pytest.mark.parametrize("program", ["jacfwd/jit", "jacrev/jit", "jvp/jit", "vjp/jit", "linearize/jit"])
def test_contractions_of_a_vector_value(verified, program):
    body = """
    inputs: {v: {shape: [2], domain: [1, 2]}}
    value: "[v[0]*v[1], v[0]**2, 3*v[1]]"
    orders: [1]
    points: [{v: [1.25, 1.5]}]
    """
    run = verified(body, programs=(program,))
    assert run.verdicts
    assert {each.verdict for each in run.verdicts} == {"ACCURATE"}


@pytest.mark.parametrize("samples", [0, 40], ids=["few points", "many points"])
def test_a_contraction_that_cancels_is_decided(verified, samples):
    """Along signs that cancel nothing but tiny numbers is left of softmax, and of logsumexp'' nothing at all."""
    body = (
        "inputs: {v: {shape: [2], domain: [-4, 4]}}\nvalue: logsumexp(v)\norders: [1, 2]\n"
        f"points: [{{v: [3e-200, 1e-200]}}]\nsamples: {samples}"
    )
    run = verified(body, programs=("jvp/jit", "jet/jit", "fwd-fwd/jit"))
    assert {each.order for each in run.verdicts} == {1, 2}
    assert not any(each.counts.get("UNDECIDED") for each in run.verdicts)


def test_a_contraction_at_a_kink_and_a_pole_costs_no_entry(verified):
    body = 'inputs: {x: {domain: [0, 0]}}\nvalue: "[relu(x), 1/x, floor(x)]"\norders: [1]\npoints: [{x: 0}]'
    run = verified(body, programs=("jvp/jit", "vjp/jit", "jacfwd/jit"))
    assert run.entries[0].status == "OK"
    jvp = {each.component: each.verdict for each in run.verdicts if each.program == "jvp/jit"}
    assert list(jvp.values()) == ["CONVENTION", "VACUOUS", "CONVENTION"]
    assert {each.verdict for each in run.verdicts if each.program == "vjp/jit"} == {"VACUOUS"}


def test_a_tie_of_two_inputs_costs_no_entry(verified):
    body = "inputs: {v: {shape: [2], domain: [1, 1]}}\nvalue: max(v[0], v[1])\norders: [1]\npoints: [{v: [1, 1]}]"
    run = verified(body, programs=("grad/jit", "jvp/jit", "vjp/jit"))
    assert run.entries[0].status == "OK"
    assert {each.verdict for each in run.verdicts} <= {"UNDECIDED", "CONVENTION"}


def yardstick(run) -> float:
    return run.verdicts[0].worst.yardstick


ONE_POINT = "inputs: {{x: {{domain: [1.5, 1.5]}}}}\nvalue: {value}\norders: [1]\n{data}"


@pytest.mark.parametrize(
    ("value", "data", "excess"),
    [
        ("0.5*x", "", 0),  # the dtype holds one half
        ("0.1*x", "", 1),  # but not a tenth: u |c dT/dc| = u T
        ("0.1*x + 0.3", "", 1),
        ("c*x", "data: {c: {values: 0.5}}", 0),
        ("c*x", "data: {c: {values: 0.1}}", 1),
        ("pi*x", "", 1),
        ("0.1*x/pi", "", 2),
    ],
)
def test_the_yardstick_counts_inexact_constants_and_not_exact_ones(verified, value, data, excess):
    """Of T: budget = K (ulp(T) + u * excess * T), in ulps K (1 + excess * u T/ulp(T)); 1/2 <= u T/ulp(T) < 1."""
    run = verified(ONE_POINT.format(value=value, data=data), dtypes=("float32",))
    budget = yardstick(run)
    assert 4 * (1 + excess / 2) - 1e-3 <= budget <= 4 * (1 + excess) + 1e-3
    assert run.end.findings == 0


def test_a_tenth_is_inexact_in_each_dtype_by_itself(verified):
    """2049 is exact in float32 and not in float16."""
    body = ONE_POINT.format(value="2049*x", data="")
    assert yardstick(verified(body, dtypes=("float32",))) == pytest.approx(4)
    assert yardstick(verified(body, dtypes=("float16",))) > 4


def test_the_longest_reduction_widens_the_allowance(verified):
    body = "inputs: {{v: {{shape: [{n}], domain: [1, 1]}}}}\nvalue: sum(v*v)\norders: [1]"
    short, long = (verified(body.format(n=n), programs=("value/jit",)) for n in (2, 16))
    assert yardstick(long) / yardstick(short) == pytest.approx((1 + 4) / (1 + 1))


def test_an_error_of_the_inputs_conditioning_is_no_finding(monkeypatch, verified):
    """cos at 1e5: u |x dT/dx| is thousands of ulps; a relative error of 1e-13 hides in it, one of 1e-3 does not."""

    def off_by(error):
        def wrong(definitions):
            f = as_function(definitions)
            return lambda x, data: f(x, data) * (1 + error)

        monkeypatch.setattr(program_module, "as_function", wrong)

    body = "inputs: {x: {domain: [100000, 100000]}}\nvalue: cos(x)\norders: [1]"
    off_by(1e-13)
    assert verified(body, programs=("value/jit",)).verdicts[0].verdict == "ACCURATE"
    off_by(1e-3)
    assert verified(body, programs=("value/jit",)).verdicts[0].fails


def test_a_point_that_a_dtype_cannot_hold_is_skipped_by_name_and_only_there(verified):
    body = "inputs: {x: {domain: [0, 100000]}}\nvalue: 2*x\norders: [1]\npoints: [{x: 70000}, {x: 2}]"
    run = verified(body, dtypes=("float32", "float16"), programs=("value",))
    assert run.entries[0].status == "OK"
    points = run.entries[0].points
    labels = {dtype: [each.label for each in points[dtype] if each.origin == "declared"] for dtype in points}
    assert labels == {"float32": ["x = 70000", "x = 2"], "float16": ["x = 2"]}
    (skipped,) = [each for each in run.coverage.skipped if "70000" in each.what]
    assert "float16" in skipped.what


def test_a_dtype_without_any_point_is_named_as_skipped(verified):
    run = verified("inputs: {x: {domain: [70000, 80000]}}\nvalue: 2*x\norders: [1]", dtypes=("float16",), programs=())
    assert run.entries[0].status == "FAILED"  # no dtype that is asked for has a number there
    assert any("float16" in each.what and "every program" in each.what for each in run.coverage.skipped)


@pytest.mark.parametrize(("points", "fails"), [("", False), ("points: [{x: 5e-324}]", True)])
def test_a_flushed_subnormal_counts_fully_only_where_the_user_asked(verified, points, fails):
    """A device that takes subnormal inputs for zero finds relu' = 0 there (SEMANTICS §12)."""
    from verifier.execution.devices import flushes_subnormals

    if not flushes_subnormals("cpu:0")["float64"]:
        pytest.skip("this device keeps subnormals")
    run = verified(f"inputs: {{x: {{domain: [-1, 1]}}}}\nvalue: relu(x)\norders: [1]\n{points}")
    (record,) = run.verdicts
    assert record.verdict == "LOSSY"
    assert record.fails == fails
    assert record.worst.reason.startswith("FLUSHED")


def test_overflow_is_a_class_of_its_own_and_passes(verified):
    run = verified(
        "inputs: {x: {domain: [300, 300]}}\nvalue: x*x\norders: [1]", dtypes=("float16",), programs=("value",)
    )
    assert {each.verdict for each in run.verdicts} == {"OVERFLOW"}
    assert run.end.exit_status == 0


@pytest.mark.parametrize(("given", "verdict"), [(65504.0, "OVERFLOW"), (-65504.0, "LOSSY"), (60000.0, "LOSSY")])
def test_the_largest_number_passes_where_the_truth_is_beyond_it(monkeypatch, verified, given, verdict):
    monkeypatch.setattr(program_module, "as_function", lambda _: lambda x, data: 0 * x + given)
    run = verified(
        "inputs: {x: {domain: [300, 300]}}\nvalue: x*x\norders: [1]", dtypes=("float16",), programs=("value",)
    )
    assert {each.verdict for each in run.verdicts} == {verdict}


def test_many_components_share_one_record_that_names_the_worst(monkeypatch, verified):
    def one_wrong(definitions):
        f = as_function(definitions)

        def function(v, data):
            import jax

            return f(v, data) + 0.5 * (v[70] - jax.lax.stop_gradient(v[70]))

        return function

    monkeypatch.setattr(program_module, "as_function", one_wrong)
    body = "inputs: {v: {shape: [80], domain: [1, 1]}}\nvalue: sum(v*v)\norders: [1]"
    run = verified(body, samples=1)
    (record,) = run.verdicts
    assert record.components == 80
    assert record.component == "d/dv[70]"
    assert record.fails
    assert record.counts["LOSSY"] == 1


def test_three_columns_stand_beside_each_other_at_declared_points(verified):
    body = "inputs: {x: {domain: [1, 2]}}\nvalue: x**3\norders: [1, 2]\npoints: [{x: 1.5}, {x: 3/2}]"
    run = verified(body, programs=("value/jit", "grad/jit", "hessian/jit", "symbolic/jit"))
    columns = {each.order: each for each in run.entries[0].columns if each.point == 0}
    assert [columns[order].truth for order in (0, 1, 2)] == ["3.375", "6.75", "9"]
    assert columns[1].symbolic is not None
    assert float.fromhex(columns[1].symbolic.value) == 6.75
    assert columns[1].autodiff is not None
    assert columns[1].autodiff.program.startswith("grad/")


def test_the_plots_have_one_slot_for_each_point(verified):
    run = verified("inputs: {x: {domain: [1, 2]}}\nvalue: sin(x)\norders: [1]", programs=("grad",), samples=6)
    count = len(run.entries[0].points["float64"])
    for record in run.verdicts:
        assert len(record.ulps) == len(record.budget) == count
        assert sum(each is not None for each in record.ulps) == record.points


def test_inexact_points_are_rounded_once_into_the_dtype(verified):
    """The truth at a dtype is taken at the exact value of the input as represented in that dtype (DESIGN §3)."""
    run = verified("inputs: {x: {domain: [0, 1]}}\nvalue: x\norders: [1]\npoints: [{x: pi/4}]", programs=("value/jit",))
    point = run.entries[0].points["float64"][0]
    assert point.inputs["x"] == ((math.pi / 4).hex(),)
    column = run.entries[0].columns[0]
    assert Fraction(column.truth) == pytest.approx(Fraction(math.pi / 4), abs=1e-19)


@pytest.mark.parametrize(
    "body",
    [
        "inputs: {x: {domain: [-3, 3]}}\nvalue: exp(sin(x))*cos(x)\norders: [1, 2]\nsamples: 24",
        "inputs: {x: {domain: [-40, 40]}}\nvalue: 1/(1 + exp(-x))\norders: [1, 2]\nsamples: 24",
        "inputs: {v: {shape: [9], domain: [-2, 2]}}\nvalue: sum(v[1:]*v[:-1]**2)\norders: [1, 2]\nsamples: 12",
        'inputs: {v: {shape: [2], domain: [0, 2]}}\nvalue: "[relu(v[0]) - v[1], 1/v[0]]"\norders: [1]\nsamples: 12',
        "inputs: {v: {shape: [3], domain: [-1, 1]}}\ndata: {t: {linspace: [-1, 1], shape: [4]}}\n"
        "value: mean((tanh(v[0]*t)*v[1] + v[2] - t**2)**2)\norders: [1, 2]\nsamples: 24",
        "inputs: {x: {domain: [-1, 1]}, y: {domain: [-1, 1]}}\nvalue: x**3*y + x/3 - y/7\norders: [1, 2]\nsamples: 24",
    ],
)
def test_numbers_judged_in_floats_have_the_records_of_exact_judgement(monkeypatch, verified, body):
    """Lossy, failing, vanishing and many components among them."""
    programs = ("grad/vmap", "hessian/vmap", "jvp/vmap", "vjp/vmap", "jacfwd/vmap", "value/vmap")
    in_floats = verified(body, programs=programs).verdicts
    monkeypatch.setattr(entry_module, "_FEW_POINTS", 10**9)
    exactly = verified(body, programs=programs).verdicts
    assert [each for each in zip(in_floats, exactly, strict=True) if each[0] != each[1]] == []
    assert in_floats


ALIKE = {
    "plain": "inputs: {x: {domain: [0.1, 3]}, y: {domain: [1, 2]}}\nvalue: sin(x)*y + x**2\norders: [1]",
    "lossy": "inputs: {x: {domain: [10, 25]}}\nvalue: tanh(x)**2\norders: [1]",
    "at a kink": "inputs: {x: {domain: [-1, 1]}}\nvalue: relu(x)\norders: [1]\npoints: [{x: 0}]",
}
SEVERAL = {"programs": ("grad/jit", "jacfwd/jit", "jacrev/vmap"), "devices": ("cpu:0", "cpu:1"), "samples": 12}


@pytest.mark.parametrize("body", ALIKE.values(), ids=ALIKE)
def test_programs_that_compute_the_same_share_a_judgement_and_have_the_records_of_their_own(
    monkeypatch, verified, body
):
    together = verified(body, **SEVERAL).verdicts
    assert {each.device for each in together} == {"cpu:0", "cpu:1"}
    monkeypatch.setattr(judging_module.Judging, "_computed", lambda self, observation: object())
    assert together == verified(body, **SEVERAL).verdicts


def test_numbers_that_differ_share_nothing(monkeypatch, verified):
    """A planted fault: as if all programs of an order had computed the same."""
    options = {**SEVERAL, "programs": ("grad", "jacfwd")}
    right = verified(ALIKE["lossy"], **options).verdicts
    monkeypatch.setattr(judging_module.Judging, "_computed", lambda self, observation: observation.order)
    assert right != verified(ALIKE["lossy"], **options).verdicts
