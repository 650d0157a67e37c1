"""A user's function as a function of flat real leaves, its derivative programs, and their jaxprs."""

from __future__ import annotations

import inspect
import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.errors import JAXTypeError

from verifier.errors import UsageError
from verifier.model.catalog import Shape
from verifier.model.jaxprs import inner_programs
from verifier.programs.components import Leaf
from verifier.programs.expansion import expanded

__all__ = [
    "PROGRAMS",
    "Arguments",
    "Row",
    "Subject",
    "Traced",
    "arguments",
    "beside",
    "component_names",
    "mixed",
    "mixing",
    "names_of",
    "program_named",
    "same_program",
    "scale_of",
    "scaled",
    "subject",
    "tensor",
    "trace",
    "traceable",
]

Arrays = tuple[np.ndarray, ...]
Transformed = Callable[..., Any]


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """`function(*leaves)` returns the list of real results of a user's function; everything but the leaves is held.

    `leaves` and `results` give names and shapes, `place` the point, in the dtypes that the function is called with.
    """

    function: Callable[..., list[jax.Array]]
    leaves: tuple[Leaf, ...]
    place: Arrays
    results: tuple[Leaf, ...]

    @property
    def size(self) -> int:
        """The number of input components."""
        return sum(leaf.size for leaf in self.leaves)

    @property
    def is_scalar(self) -> bool:
        return [result.shape for result in self.results] == [()]


@dataclass(frozen=True, slots=True, eq=False)
class Arguments:
    """A call's arguments as flat leaves: the values and names of all, and the places of the differentiated ones."""

    structure: Any
    values: tuple[Any, ...]
    names: tuple[str, ...]
    moving: tuple[int, ...]

    def placed(self, leaves: Sequence[Any]) -> tuple[Any, ...]:
        """The arguments with these in the differentiated places."""
        values = [*self.values]
        for position, leaf in zip(self.moving, leaves, strict=True):
            values[position] = leaf
        return self.structure.unflatten(values)


def arguments(
    fn: Callable[..., Any], args: Sequence[Any], argnums: int | Sequence[int], dtype: str | None
) -> Arguments:
    """Take a function's arguments apart; raises UsageError where there is nothing to differentiate.

    With a `dtype` every floating leaf of every argument is cast to it. Everything else stays as it is.
    """
    chosen = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    chosen = tuple(_position(each, len(args)) for each in chosen)
    flat, structure = jax.tree.flatten(tuple(args))
    owners = [index for index, arg in enumerate(args) for _ in jax.tree.leaves(arg)]
    values = tuple(_cast(value, dtype) for value in flat)
    moving = tuple(i for i, value in enumerate(values) if owners[i] in chosen and is_real(value))
    if not moving:
        is_complex = any(owners[i] in chosen and np.iscomplexobj(value) for i, value in enumerate(values))
        raise UsageError(f"nothing to differentiate: {_COMPLEX if is_complex else _NO_FLOAT.format(chosen)}")
    return Arguments(structure, values, tuple(_leaf_names(fn, args)), moving)


_NO_FLOAT = "no argument of {} holds a float; pass 2.0 where you pass 2"
_COMPLEX = (
    "derivatives by complex numbers are not judged; make it a function of real and imaginary part, "
    "such as lambda a, b: f(a + 1j * b), and check it with argnums=(0, 1)"
)


def subject(fn: Callable[..., Any], args: Sequence[Any], argnums: int | Sequence[int], dtype: str | None) -> Subject:
    """Take a function and its arguments apart; raises UsageError where there is nothing to differentiate."""
    given = arguments(fn, args, argnums, dtype)

    def function(*leaves: Any) -> list[jax.Array]:
        return [each for each in jax.tree.leaves(fn(*given.placed(leaves))) if is_real(each)]

    place = tuple(np.asarray(given.values[i]) for i in given.moving)
    results = _results(lambda *leaves: fn(*given.placed(leaves)), place)
    leaves = tuple(Leaf(given.names[i], np.shape(given.values[i])) for i in given.moving)
    return Subject(function, leaves, place, results)


# Of either sign, exact in every dtype, and beyond what a clipped cotangent may be; no product of powers of them is 1.
_TANGENT, _COTANGENT = -0.75, -1280.0


def scaled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with every tangent that enters it, and every cotangent, multiplied: seeds that are no unit vectors.

    Its derivatives of order k are `scale_of(k)` times the function's, unless a rule is not linear in what it is given.
    """

    @jax.custom_jvp
    def same(x: jax.Array) -> jax.Array:
        return x

    @same.defjvp
    def _(primals: Any, tangents: Any) -> Any:
        return same(primals[0]), _TANGENT * tangents[0]

    def multiplied(*arguments: Any) -> Any:
        return jax.tree.map(lambda each: _COTANGENT * each, function(*jax.tree.map(same, arguments)))

    return multiplied


def mixed(function: Callable[..., Any]) -> Callable[..., Any]:
    """The `scaled` function with the sum of all results, weighted, added to each: no cotangent has a single entry.

    The derivatives of a result are those of the scaled one, and `mixing(k)` times those of the k-th, for each k.
    """
    multiplied = scaled(function)

    def together(*arguments: Any) -> list[jax.Array]:
        found, count = multiplied(*arguments), itertools.count()
        weights = [np.reshape([float(mixing(next(count))) for _ in range(each.size)], each.shape) for each in found]
        total = sum(jnp.sum(each * w.astype(each.dtype)) for each, w in zip(found, weights, strict=True))
        return [each + jnp.asarray(total, each.dtype) for each in found]

    return together


def mixing(place: int) -> Fraction:
    """The weight of a result in a `mixed` function: exact in every dtype, and of either sign."""
    return Fraction((-1) ** place * (place % 5 + 1), 8)


def beside(function: Callable[..., Any], *, forward: bool) -> Callable[..., Any]:
    """The value that comes along with a derivative: rules of its own return it anew."""
    if forward:
        return lambda *leaves: jax.jvp(function, leaves, tuple(map(jnp.zeros_like, leaves)))[0]
    return lambda *leaves: jax.vjp(function, *leaves)[0]


def scale_of(order: int) -> Fraction:
    """What the derivatives of a `scaled` function are multiplied by."""
    return Fraction(_COTANGENT) * Fraction(_TANGENT) ** order


def is_real(value: Any) -> bool:
    """Whether a leaf is a floating number or array."""
    dtype = getattr(value, "dtype", None)
    return isinstance(value, float) if dtype is None else jnp.issubdtype(dtype, jnp.floating)


def _position(argnum: int, count: int) -> int:
    if not -count <= argnum < count:
        raise UsageError(f"argnums {argnum} with {count} arguments")
    return argnum % count


def _cast(value: Any, dtype: str | None) -> Any:
    if not is_real(value):
        return value
    array = np.asarray(value if hasattr(value, "dtype") else jnp.asarray(value))
    return array if dtype is None else array.astype(jnp.dtype(dtype))


def _results(outputs: Callable[..., Any], place: Arrays) -> tuple[Leaf, ...]:
    shapes = _staged(lambda: jax.eval_shape(outputs, *place))
    found = [
        Leaf("value" + jax.tree_util.keystr(path), tuple(each.shape))
        for path, each in jax.tree_util.tree_leaves_with_path(shapes)
        if is_real(each)
    ]
    if not any(math.prod(each.shape) for each in found):
        raise UsageError("the function returns no real number")
    return tuple(found)


def _staged(stage: Callable[[], Any]) -> Any:
    """What staging returns; where a concrete number is wanted, with what depends on no input computed at once.

    So a function that reads a number of its own (a count of segments from an array of their ids) runs as it does
    when JAX differentiates it without staging.
    """
    try:
        return stage()
    except JAXTypeError:
        with jax.ensure_compile_time_eval():
            return stage()


def _leaf_names(fn: Any, args: Sequence[Any]) -> list[str]:
    """`x`, `params['w']`: parameter names of the function, and where a leaf stands in an argument."""
    try:
        positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        parameters = [each.name for each in inspect.signature(fn).parameters.values() if each.kind in positional]
    except (TypeError, ValueError):
        parameters = []
    parameters += [f"x{i}" for i in range(len(parameters), len(args))]
    return [
        name + jax.tree_util.keystr(path)
        for name, arg in zip(parameters, args, strict=False)
        for path, _ in jax.tree_util.tree_leaves_with_path(arg)
    ]


# ---- derivative programs


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A derivative program: transforms, innermost first."""

    name: str
    order: int
    transforms: tuple[str, ...]
    scalar_only: bool = False
    default: bool = True


_TRANSFORMS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {"grad": jax.grad, "fwd": jax.jacfwd, "rev": jax.jacrev}
)

PROGRAMS = (
    Row(name="value", order=0, transforms=(), default=False),
    Row(name="grad", order=1, transforms=("grad",), scalar_only=True),
    Row(name="jacfwd", order=1, transforms=("fwd",)),
    Row(name="jacrev", order=1, transforms=("rev",)),
    Row(name="rev-rev", order=2, transforms=("rev", "rev")),
    Row(name="fwd-rev", order=2, transforms=("rev", "fwd")),
    Row(name="rev-fwd", order=2, transforms=("fwd", "rev")),
    Row(name="fwd-fwd", order=2, transforms=("fwd", "fwd")),
    Row(name="hessian", order=2, transforms=("rev", "fwd"), default=False),
)

_NESTED = re.compile(r"(grad|jacfwd|jacrev)(\d+)")
_LETTERS = {"grad": "grad", "jacfwd": "fwd", "jacrev": "rev"}


def program_named(name: str, order: int) -> Row | None:
    """The row of a name at an order: one of the table, `grad3`, `jacfwd3`, `jacrev3` nested so many times, or `jet`."""
    if name == "jet" and order:
        return Row(name=name, order=order, transforms=("jet",))
    nested = _NESTED.fullmatch(name)
    if nested and int(nested[2]) == order:
        return Row(name=name, order=order, transforms=(_LETTERS[nested[1]],) * order)
    return next((row for row in PROGRAMS if row.name == name and row.order == order), None)


def names_of(order: int) -> tuple[str, ...]:
    """The names of an order's programs, each once: those of the table, or nested ones, and `jet`."""
    table = tuple(row.name for row in PROGRAMS if row.order == order)
    return (*(table or (f"{each}{order}" for each in _LETTERS)), *(["jet"] if order else []))


def defaults(order: int, *, scalar: bool) -> tuple[Row, ...]:
    """The programs of an order that `programs=None` means."""
    if order > 2:
        found = (program_named(f"jacfwd{order}", order), program_named(f"jacrev{order}", order))
        return tuple(row for row in found if row)
    rows = [row for row in PROGRAMS if row.order == order and row.default]
    if order == 1:
        rows = [row for row in rows if row.name != ("jacrev" if scalar else "grad")]
    return tuple(rows) if order else PROGRAMS[:1]


def transformed(row: Row, given: Subject, *, compilation: str = "eager") -> Transformed:
    """The program `p(*leaves)`: its results as JAX nests them, block after block in `tensor`'s order."""
    argnums = tuple(range(len(given.leaves)))
    function = jax.checkpoint(given.function) if compilation == "remat" else given.function
    if "grad" in row.transforms:
        inner = function
        function = lambda *leaves: inner(*leaves)[0]  # noqa: E731 - a name per transform would say less
    if row.transforms == ("jet",):
        return _by_jet(function, given, row.order)
    for letter in row.transforms:
        function = _TRANSFORMS[letter](_unpacked(function, letter), argnums=argnums)
    return function


def _by_jet(function: Transformed, given: Subject, order: int) -> Transformed:
    """Taylor mode in one number; a derivative along a direction says nothing about mixed ones."""
    from jax.experimental import jet  # experimental: may vanish, which is then the recorded reason

    if given.size != 1:
        raise UsageError("jet differentiates along one direction; name it for functions of one number")

    def derivative(*leaves: Any) -> list[jax.Array]:
        series = tuple([jnp.ones_like(leaf)] + [jnp.zeros_like(leaf)] * (order - 1) for leaf in leaves)
        _, coefficients = jet.jet(lambda *each: function(*each), tuple(leaves), series)
        shapes = [jnp.shape(leaf) * order for leaf in leaves]
        return [jnp.reshape(each[-1], jnp.shape(each[-1]) + shape) for each in coefficients for shape in shapes]

    return derivative


def _unpacked(function: Transformed, letter: str) -> Transformed:
    """grad of a gradient needs a scalar: the only entry of the tuple that `grad` returned."""
    if letter != "grad":
        return function

    def scalar(*leaves: Any) -> Any:
        (found,) = jax.tree.leaves(function(*leaves))
        return found

    return scalar


def compiled(row: Row, given: Subject, compilation: str) -> Transformed:
    """The program as a compilation of the table runs it."""
    program = transformed(row, given, compilation=compilation)
    return _COMPILATIONS[compilation](program)


def traceable(row: Row, given: Subject, compilation: str) -> Transformed:
    """The program as it is followed in exact arithmetic: as `compiled`, but for jit, which changes no equation."""
    program = transformed(row, given, compilation=compilation)
    return _mapped(program) if compilation == "vmap" else program


def _mapped(program: Transformed) -> Transformed:
    """Under vmap over a batch of two equal points, the first of which counts."""

    def run(*leaves: Any) -> Any:
        batched = jax.vmap(program)(*(jnp.stack([leaf, leaf]) for leaf in leaves))
        return jax.tree.map(lambda each: each[0], batched)

    return run


_COMPILATIONS: Mapping[str, Callable[[Transformed], Transformed]] = MappingProxyType(
    {
        "eager": lambda program: program,
        "jit": jax.jit,
        "vmap": lambda program: jax.jit(_mapped(program)),
        "remat": jax.jit,
    }
)
COMPILATIONS = tuple(_COMPILATIONS)


# ---- jaxprs


@dataclass(frozen=True, slots=True, eq=False)
class Traced:
    """A program as a closed jaxpr of flat leaves and flat results; `dtypes` are those of its results."""

    jaxpr: Any
    dtypes: tuple[str, ...]


def trace(program: Transformed, place: Arrays) -> Traced:
    """The jaxpr of a program, with definitions opened (see `expansion`); raises what JAX raises."""
    closed = expanded(_staged(lambda: jax.make_jaxpr(program)(*place)))
    return Traced(closed, tuple(str(aval.dtype) for aval in closed.out_avals))


def same_program(a: Traced, b: Traced, same: Callable[[Any, Any], bool] | None = None) -> bool:
    """Whether two jaxprs differ in nothing but the floating dtype: same equations, same literals and constants.

    `same` says which literals and constants count as the same; without it those of equal values.
    """
    if _blind(str(a.jaxpr)) != _blind(str(b.jaxpr)):
        return False
    return all(itertools.starmap(same or same_numbers, itertools.zip_longest(numbers(a.jaxpr), numbers(b.jaxpr))))


_PLACE = re.compile(
    r"\b(bf16|f16|[fiu]32|[fiu]64|bfloat16|float16|float32|float64|u?int32|u?int64)\b|0x[0-9a-f]+|-?\d+\.\d+(e[+-]?\d+)?"
)
"""Indices are as wide as floats where x64 is on: that is no other program."""


def _blind(text: str) -> str:
    """A jaxpr's text without dtypes, addresses and decimals (which are compared as numbers)."""
    return _PLACE.sub("_", text)


def numbers(program: Any) -> Iterator[Any]:
    """Every literal and constant of a jaxpr and of the programs inside it; of the keys of random numbers their data."""
    yield from map(_plain, getattr(program, "consts", ()))
    jaxpr = getattr(program, "jaxpr", program)
    for equation in jaxpr.eqns:
        yield from (atom.val for atom in equation.invars if hasattr(atom, "val"))
        for inner in inner_programs(equation):
            yield from numbers(inner)
    yield from (atom.val for atom in jaxpr.outvars if hasattr(atom, "val"))


def _plain(constant: Any) -> Any:
    is_key = hasattr(constant, "dtype") and jnp.issubdtype(constant.dtype, jax.dtypes.prng_key)
    return jax.random.key_data(constant) if is_key else constant


def same_numbers(a: Any, b: Any) -> bool:
    """Whether two arrays hold the same numbers, of whatever dtypes."""
    left, right = np.asarray(a), np.asarray(b)
    if left.dtype.kind == "O" or right.dtype.kind == "O" or left.shape != right.shape:
        return False
    return np.array_equal(left.astype(np.float64), right.astype(np.float64), equal_nan=True)


# ---- components


def tensor(blocks: Sequence[np.ndarray], given: Subject, order: int) -> np.ndarray:
    """The blocks of a nested transform as an array (results, n, ..., n), the innermost derivative's axis first.

    One block of shape result.shape + leaf_1.shape + ... + leaf_order.shape for each result and choice of leaves.
    """
    sizes = [leaf.size for leaf in given.leaves]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    found = np.empty((sum(each.size for each in given.results), *(given.size,) * order), dtype=object)
    choices = itertools.product(range(len(given.results)), *[range(len(sizes))] * order)
    tops = np.concatenate([[0], np.cumsum([each.size for each in given.results])])
    for block, (result, *chosen) in zip(blocks, choices, strict=True):
        window = (slice(tops[result], tops[result + 1]), *(slice(starts[each], starts[each + 1]) for each in chosen))
        found[window] = np.asarray(block, dtype=object).reshape(found[window].shape)
    return found


def component_names(given: Subject, order: int) -> np.ndarray:
    """The names of all components, in the shape of `tensor`: `d/dx`, `d2/dx2`, `value[1] d2/dx[0]dx[1]`."""
    inputs = [leaf.name + each for leaf in given.leaves for each in _subscripts(leaf.shape)]
    found = np.empty((sum(each.size for each in given.results), *(given.size,) * order), dtype=object)
    heads = [result.name + each for result in given.results for each in _subscripts(result.shape)]
    for index in np.ndindex(*found.shape):
        found[index] = _component(heads[index[0]], [inputs[each] for each in index[1:]], alone=given.is_scalar)
    return found


def _component(head: str, factors: list[str], *, alone: bool) -> str:
    if not factors:
        return head
    order = len(factors)
    bottom = (
        f"d{factors[0]}{order}" if order > 1 and len(set(factors)) == 1 else "".join(f"d{each}" for each in factors)
    )
    derivative = f"d/{bottom}" if order == 1 else f"d{order}/{bottom}"
    return derivative if alone else f"{head} {derivative}"


def _subscripts(shape: Shape) -> list[str]:
    return [f"[{','.join(map(str, index))}]" if index else "" for index in np.ndindex(*shape)]
