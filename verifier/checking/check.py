"""`check` and `assert_derivatives`: is the derivative of a JAX function right, by its rule and by its numbers?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Literal

from jax.errors import JAXTypeError

from verifier.checking.asked import Asked, dtypes_of, orders_of
from verifier.checking.blaming import quietly
from verifier.checking.intent import Intent, plain_inputs
from verifier.checking.known import Known, known
from verifier.checking.lifting import Formula, shown_formulas
from verifier.checking.place import Target, judged
from verifier.checking.reproduction import reproduction
from verifier.checking.result import Conflict, Judgement, Result, Skipped
from verifier.checking.text import shown_by
from verifier.checking.tracing import Tracing
from verifier.errors import UsageError
from verifier.execution.compiled import reason_of
from verifier.model.rule import Note
from verifier.programs.trace import Subject
from verifier.symbolic.formula import names, parse
from verifier.truth.implicit import Implicit

__all__ = ["assert_derivatives", "check"]

Found = Judgement | Skipped | Conflict | Formula


def check(
    fn: Callable[..., Any],
    *args: Any,
    orders: Sequence[int] = (1,),
    argnums: int | Sequence[int] = 0,
    programs: Sequence[str] | None = None,
    dtypes: Sequence[Any] | None = None,
    domain: tuple[Any, Any] | Mapping[str, tuple[Any, Any]] | None = None,
    points: int = 0,
    seed: int = 0,
    formula: str | None = None,
    surrogate: Callable[..., Any] | None = None,
    defines: str | None = None,
    linear: bool = True,
    undecided: Literal["fail", "allow"] = "fail",
) -> Result:
    """Judge the derivatives of `fn` at `args`: what JAX's rules make of it, and what the device computes.

    `fn` takes and returns pytrees; the floating leaves of the arguments `argnums` are differentiated. `orders` are
    derivative orders (0 is the value). `programs` are names such as "grad", "jacfwd/jit", "hessian", "grad/vmap"; None
    means grad and jacfwd of a scalar, else jacfwd and jacrev, and for order 2 their compositions, eager and jitted;
    each order needs one, and each that is named has to run.
    `dtypes` None means that of the arguments; else they are cast, and the truth is taken at the cast point. `points`
    further points are drawn from `domain`, (low, high) for all inputs or a mapping from their names. `formula` says in
    the catalog's language what the value is meant to be; for many functions that JAX documents, called with numbers, it
    is known (`catalog/jax.yaml`). The truth is that of `fn` itself, whatever custom rules it holds, unless they
    differentiate a declared `surrogate` function, or the y that `defines`, an equation such as "y**2 - x = 0" between
    the inputs and the value, gives. `linear=False` says that the rules in `fn` are not meant to be linear in tangents
    and cotangents, as when they clip gradients: then they are judged for unit ones alone. `undecided="allow"` lets pass
    what cannot be decided.
    Raises UsageError for a wrong argument, FormulaError for a formula that can't be read, and what `fn` itself raises.
    """
    if undecided not in ("fail", "allow"):
        raise UsageError(f"undecided={undecided!r}: use 'fail' or 'allow'")
    if not isinstance(points, int) or points < 0 or (points and domain is None):
        raise UsageError(f"points={points!r}: give a number of points to draw from a domain=(low, high)")
    if defines is not None and surrogate is not None:
        raise UsageError("surrogate= and defines= both say what is differentiated: give one of them")
    asked = Asked(
        fn=fn,
        args=args,
        argnums=argnums,
        orders=orders_of(orders),
        programs=programs,
        domain=domain,
        points=points,
        seed=seed,
    )
    meant = formula if formula is not None or surrogate is not None or defines is not None else known(asked)
    declared = _Declared(meant, surrogate, defines, linear)
    found = {dtype: list(_in_dtype(asked, dtype, declared)) for dtype in dtypes_of(dtypes)}
    result = _result(asked, list(chain(*found.values())), allows_undecided=undecided == "allow")
    text = meant.text if isinstance(meant, Known) else meant
    return replace(
        result,
        formula="" if text is None and surrogate is None and defines is None else text,
        reproduction=quietly(_reproduction, asked, found, result) or "",
    )


def assert_derivatives(fn: Callable[..., Any], *args: Any, **options: Any) -> None:
    """As `check`, for tests: raises AssertionError with the text of what fails."""
    __tracebackhide__ = True
    result = check(fn, *args, **options)
    if not result.ok:
        raise AssertionError(f"\n{result}")


@dataclass(frozen=True, slots=True)
class _Declared:
    """What the value is meant to be, what is differentiated in the function's place, and what its rules are not."""

    meant: str | Known | None
    surrogate: Callable[..., Any] | None
    defines: str | None
    linear: bool


def _in_dtype(asked: Asked, dtype: str | None, declared: _Declared) -> Iterator[Found]:
    try:
        target = _target(asked, dtype, declared)
    except JAXTypeError as error:  # for instance Python's `if` on a number that is traced
        yield Skipped(what="the function", why=f"it cannot be traced: {reason_of(error)}")
        return
    given = target.own.subject
    rows = {order: asked.rows(order, given) for order in asked.orders}
    for place, is_given in asked.places(given, target.own.dtype):
        yield from judged(target, place, rows, given=is_given)
    yield from shown_formulas(target.own, _name(asked.fn), [row for programs in rows.values() for row in programs])


def _target(asked: Asked, dtype: str | None, declared: _Declared) -> Target:
    name = dtype or asked.own()
    own = Tracing(asked.subject(dtype), name)
    wide = own if name == "float64" else _wide(asked, dtype)
    references = (None, None)
    if declared.surrogate is not None:
        reference = Tracing(_surrogate(asked, dtype, declared.surrogate, own.subject), name)
        references = (reference, reference if name == "float64" else _wide(asked, dtype, declared.surrogate))
    return Target(
        own=own,
        wide=wide if declared.surrogate is None or references[1] is not None else None,
        references=references,
        intent=_intent(declared.meant, own),
        defines=None if declared.defines is None else _defined(declared.defines, own.subject),
        seed=asked.seed,
        linear=declared.linear,
        named=asked.programs is not None,
    )


def _surrogate(asked: Asked, dtype: str | None, surrogate: Callable[..., Any], own: Subject) -> Subject:
    """The surrogate at the function's arguments; raises UsageError where it returns other results."""
    try:
        found = asked.subject(dtype, surrogate)
    except UsageError as error:
        raise UsageError(f"surrogate=: {error}") from None
    theirs, ours = ([each.shape for each in given.results] for given in (found, own))
    if theirs != ours:
        raise UsageError(f"surrogate= returns real results of shapes {theirs}, and the function of shapes {ours}")
    return found


def _intent(meant: str | Known | None, own: Tracing) -> Intent | None:
    """What the value is meant to be: as the user says, or as the catalog of JAX's functions does."""
    match meant:
        case Known():
            return meant.intent(own.dtype)
        case str():
            return Intent.of(meant, own.subject.leaves)
    return None


def _defined(equation: str, given: Subject) -> tuple[str, str]:
    """The equation and the name of the value in it: `y`, or the only name that no input has. Raises UsageError."""
    if not given.is_scalar:
        raise UsageError("defines= needs a function of one real result")
    inputs = plain_inputs(given.leaves)
    left, _, right = equation.replace("==", "=").partition("=")
    unknown = (names(parse(left)) | names(parse(right or "0"))) - {name for name, _ in inputs} - {"pi", "e"}
    if len(unknown) != 1:
        raise UsageError(f"defines={equation!r}: one name has to be left for the value beside {dict(inputs)}")
    (name,) = unknown
    Implicit(equation, inputs, name, 0.0).check()
    return equation, name


def _wide(asked: Asked, dtype: str | None, fn: Callable[..., Any] | None = None) -> Tracing | None:
    """The trace in float64; None for a function that insists on its dtype."""
    try:
        found = Tracing(asked.widened(dtype, fn), "float64")
        return found if found.primal else None
    except Exception:  # whatever the function does not stand: then only its own trace is judged
        return None


def _result(asked: Asked, found: Sequence[Found], *, allows_undecided: bool) -> Result:
    judgements = tuple(each for each in found if isinstance(each, Judgement))
    return Result(
        function=_name(asked.fn),
        verdicts=tuple(each for each in judgements if not each.unasked),
        values=tuple(each for each in judgements if each.unasked),
        skipped=tuple(dict.fromkeys(each for each in found if isinstance(each, Skipped))),
        components=len({(each.order, each.component) for each in judgements if each.order}),
        asked=_component_count(asked),
        allows_undecided=allows_undecided,
        conflicts=tuple(dict.fromkeys(each.what for each in found if isinstance(each, Conflict))),
        formulas=tuple({each.of: each for each in reversed(found) if isinstance(each, Formula)}.values())[::-1],
    )


def _reproduction(asked: Asked, found: Mapping[str | None, Sequence[Found]], result: Result) -> str:
    """Of the worst number that fails, in the dtype that it was found in; a right one would show nothing."""
    shown = (each for each in result.findings if each.fails and each.value is not None)
    worst = next((each for each in shown if not {Note.VALUE, Note.NONLINEAR}.intersection(each.notes)), None)
    if worst is None:
        return ""
    dtype = next(name for name, judged in found.items() if any(each is worst for each in judged))
    return reproduction(asked, dtype, worst, result.function, shown_by(worst))


def _component_count(asked: Asked) -> int:
    """How many components the orders have; 0 where the function cannot be traced."""
    try:
        given = asked.subject(None)
    except JAXTypeError:
        return 0
    results = sum(each.size for each in given.results)
    return sum(results * given.size**order for order in asked.orders if order)


def _name(fn: Callable[..., Any]) -> str:
    return getattr(fn, "__qualname__", None) or type(fn).__name__
