"""Measure how far JAX's elementary and special functions are from the exact results, and write the table of it.

    python benchmarks/measure_rounding.py [--samples N] [--seed S] [--only NAME ...] [--write]

For each function of `rounding_table.MODELS`, in each dtype: inputs drawn uniformly in ordinals, in value and around the
function's special places (functions of one 16-bit number: all inputs); results by XLA op by op and jitted, for long
and short arrays and single numbers; truth by balls. The largest error in the row's unit u max(|f|, magnitude), after
the row's allowance for the argument, is the measurement; `--write` merges it into the table.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import jax
import numpy as np
from flint import arb
from jax import lax

from verifier.arithmetic import rounding_table
from verifier.arithmetic.floats import FORMATS, Format, from_ordinal, is_member, ordinal, round_to
from verifier.arithmetic.precision import working_precision
from verifier.arithmetic.rounded import economical
from verifier.arithmetic.rounding_table import MODELS, Model
from verifier.execution.dtypes import numpy_dtype, to_float64

BITS = 160
SHORT = (2, 4, 5, 16)
SHORT_RUNS = 300
TABLE = Path(rounding_table.__file__).with_name("rounding_measured.json")

_RENAMED = {"i0e": "bessel_i0e", "i1e": "bessel_i1e"}


def function_of(name: str) -> Callable[..., jax.Array]:
    return getattr(lax, _RENAMED.get(name, name))


def inputs(name: str, form: Format, count: int, rng: random.Random) -> list[tuple[float, ...]]:
    """Argument tuples of a function: within its domain if it has one, else everywhere and densely where it bends."""
    domain = MODELS[name].domain
    if name == "polygamma":
        return [(float(rng.randint(1, 6)), _within(domain[1], form, rng)) for _ in range(count)]
    if domain:
        return [tuple(_within(ends, form, rng) for ends in domain) for _ in range(count)]
    if name == "pow":
        return [_power(form, rng) for _ in range(count)]
    if name == "atan2":
        return list(zip(_line(form, count, rng), _line(form, count, rng)[::-1], strict=True))
    return [(x,) for x in _line(form, count, rng)]


def _within(ends: tuple[float, float], form: Format, rng: random.Random) -> float:
    low, high = ends
    logarithmic = low > 0 and rng.random() < 0.5
    wanted = math.exp(rng.uniform(math.log(low), math.log(high))) if logarithmic else rng.uniform(low, high)
    return min(max(round_to(wanted, form), round_to(low, form)), round_to(high, form))


def _power(form: Format, rng: random.Random) -> tuple[float, float]:
    """A base and an exponent whose power the format holds."""
    base = abs(_anywhere(form, rng)) if rng.random() < 0.5 else round_to(rng.uniform(0.5, 2), form)
    room = 0.69 * form.max_exponent / max(abs(math.log(base)), 1e-6) if base > 0 else 1.0
    return base, round_to(rng.uniform(-room, room), form)


def _anywhere(form: Format, rng: random.Random) -> float:
    top = ordinal(form.largest, form)
    return from_ordinal(rng.randint(-top, top), form)


def _line(form: Format, count: int, rng: random.Random) -> list[float]:
    scales, centres = (1, 2, 10, 100, 800), (-2, -1, 1, 2)
    wide = [_anywhere(form, rng) for _ in range(count // 2)]
    even = [rng.uniform(-scale, scale) for scale in scales for _ in range(count // 12)]
    steps = [rng.choice((-1, 1)) * 2.0 ** -rng.uniform(0, form.precision) for _ in range(count // 24)]
    near = [centre + step for centre in centres for step in steps]
    return [*wide, *(round_to(x, form) for x in (*even, *near))]


def every_input(form: Format) -> list[tuple[float, ...]]:
    """All finite members of a 16-bit format."""
    top = ordinal(form.largest, form)
    return [(from_ordinal(position, form),) for position in range(-top, top + 1)]


def computed(
    name: str, form: Format, arguments: Sequence[tuple[float, ...]], rng: random.Random
) -> Iterator[Iterator[tuple]]:
    """(arguments, result) as XLA gives it: op by op, jitted over long arrays, short ones, and single numbers.

    The code that XLA makes for a function depends on the length: atan of float32 has three results for one input.
    """
    function, dtype = function_of(name), numpy_dtype(form.name)
    columns = [np.asarray(column, dtype=np.float64).astype(dtype) for column in zip(*arguments, strict=True)]
    jitted = jax.jit(lambda *operands: function(*operands))
    for run in (function, jitted):
        yield zip(arguments, to_float64(run(*columns)).tolist(), strict=True)
    for size in SHORT:
        places = np.asarray([[rng.randrange(len(arguments)) for _ in range(size)] for _ in range(SHORT_RUNS)])
        results = [to_float64(jitted(*(column[row] for column in columns))) for row in places]
        yield ((arguments[i], float(value)) for i, value in zip(places.flat, np.concatenate(results), strict=True))
    few = places[: SHORT_RUNS // 2].flat
    yield ((arguments[i], float(jitted(*(column[i] for column in columns)))) for i in few)


def largest_error(name: str, form: Format, pairs: Iterable[tuple]) -> tuple[float, tuple]:
    """The largest error in units of the row, and where; results that storing or flushing explains are left out."""
    model, unit = MODELS[name], form.unit_roundoff
    worst = (0.0, ())
    with working_precision(BITS):
        operation, wobble = economical(name), 1 + arb(0, float(unit) * model.argument)
        for arguments, value in pairs:
            if any(0 < abs(x) < form.smallest_normal for x in arguments):  # read as zero: storing allows for that
                continue
            exact = operation(*_shaken(name, arguments, wobble))
            error = _in_units(exact, value, form, float(unit), model)
            if error > worst[0]:
                worst = (error, (*arguments, value))
    return worst


def _shaken(name: str, arguments: tuple[float, ...], wobble: arb) -> list[arb]:
    """The arguments with the row's allowance; the order of a polygamma function is an integer."""
    return [arb(x) if index < MODELS[name].integers else arb(x) * wobble for index, x in enumerate(arguments)]


def _in_units(exact: object, value: float, form: Format, unit: float, model: Model) -> float:
    if type(exact) is not arb or not math.isfinite(value):
        return 0.0
    if not (abs(exact) > 2 * form.smallest_normal and abs(exact) < form.largest):
        return 0.0
    room = abs(exact).lower().max(arb(model.magnitude)) * unit
    return float((arb(value) - exact).abs_lower() / room) if room > 0 else 0.0


def measured(name: str, form: Format, count: int, seed: int) -> tuple[float, tuple]:
    rng = random.Random(f"{seed} {name} {form.name}")
    one_narrow_number = form.precision <= 11 and not (MODELS[name].domain or name in ("pow", "atan2"))
    arguments = every_input(form) if one_narrow_number else inputs(name, form, count, rng)
    assert all(is_member(x, form) for row in arguments[:50] for x in row)
    found = [largest_error(name, form, pairs) for pairs in computed(name, form, arguments, rng)]
    return max(found)


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--samples", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=list(MODELS))
    parser.add_argument("--write", action="store_true", help="write the table")
    options = parser.parse_args(argv)
    jax.config.update("jax_enable_x64", True)
    units = json.loads(TABLE.read_text(encoding="utf-8"))["units"] if TABLE.exists() else {}
    for name in options.only:
        for form in FORMATS.values():
            error, place = measured(name, form, options.samples, options.seed)
            units.setdefault(name, {})[form.name] = float(f"{error:.3g}")
            print(f"{name:10} {form.name:9} {error:10.3f} u  at {place}", flush=True)
    if options.write:
        units = {name: units[name] for name in MODELS if name in units}
        record = {"platform": jax.default_backend(), "jax": jax.__version__, "seed": options.seed}
        TABLE.write_text(json.dumps({**record, "units": units}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
