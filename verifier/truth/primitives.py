"""What is known about JAX's primitives: the rule of each, and the reason for each gap."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType
from typing import Any

from verifier.arithmetic.ball import BallSystem
from verifier.arithmetic.germ import GERM_FUNCTIONS, GermSystem
from verifier.errors import UsageError
from verifier.truth.machine import Rule, kind_of
from verifier.truth.rules import (
    comparisons,
    contractions,
    control,
    discrete,
    elementwise,
    factorisations,
    fourier,
    indexing,
    named,
    ordering,
    reductions,
    solves,
    special,
    spectra,
    structural,
    windows,
)

__all__ = ["GAPS", "NON_GOALS", "Row", "primitives_table", "rule_of"]

_TABLES = (
    elementwise,
    comparisons,
    structural,
    indexing,
    reductions,
    windows,
    ordering,
    contractions,
    control,
    named,
    factorisations,
    solves,
    special,
    spectra,
    fourier,
)

RULES: Mapping[str, Rule] = MappingProxyType(dict(chain.from_iterable(table.RULES.items() for table in _TABLES)))

_NON_GOALS = {
    "communication between devices": """
        all_gather all_gather_invariant all_gather_reduced all_to_all axis_index
        global_array_to_host_local_array host_local_array_to_global_array pbroadcast pbroadcast_dynamic pmax pmin
        ppermute psum psum_invariant ragged_all_to_all reduce_scatter reduced_vary_cast reduced_vary_cast_p
        shard_map unreduced_psum unreduced_reduce_scatter vary_unreduced_cast vary_unreduced_cast_p
    """,
    "mutable state": """
        accum_grad_in_ref addupdate box_get box_set empty_ref free_ref freeze get log_extend
        log_read new_box new_log new_ref run_state swap
    """,
    "code or effects outside the program": """
        check dce_sink ffi_call io_callback inspect_sharding pure_callback tie
    """,
    "random bits are no real function: they come from a concrete run": """
        from_edtype philox2x32 random_bits random_clone random_fold_in random_gamma random_seed
        random_split random_unwrap random_wrap rng_bit_generator rng_uniform threefry2x32 to_edtype
    """,
}

NON_GOALS: Mapping[str, str] = MappingProxyType(
    {name: reason for reason, names in _NON_GOALS.items() for name in names.split()}
)

GAPS: Mapping[str, str] = MappingProxyType(
    {
        "call_hi_primitive": "a primitive whose definition is none of arrays",
        "cholesky_update": "not written yet",
        "eig": "eigenvectors of a matrix that is not symmetric: their scale and order are LAPACK's",
        "hessenberg": "not written yet",
        "mulhi": "not written yet",
        "nextafter": "its result depends on the dtype, not on the real number",
        "scaled_dot": "not written yet",
        "schur": "not written yet",
        "select_and_scatter": "not written yet",
        "symmetric_product": "not written yet",
        "tridiagonal": "not written yet",
    }
)

# These pass values on to other programs without looking at them.
_BLIND = frozenset(control.RULES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One primitive: which number systems have it, and the reason for each gap."""

    name: str
    ball: bool
    germ: bool
    reason: str = ""


def rule_of(equation: Any) -> Rule | None:
    """The rule of an equation; none for an unknown primitive, or for values that no rule can look at."""
    name = _name(equation)
    variables = [*equation.invars, *equation.outvars]
    if name not in _BLIND and any(kind_of(variable) == "opaque" for variable in variables):
        return None
    if equation.invars and kind_of(equation.invars[0]) in ("integer", "boolean") and name in discrete.RULES:
        return discrete.RULES[name]
    return RULES.get(name)


def _name(equation: Any) -> str:
    """The primitive's name; of one of JAX's own that is called through an object, the name of the object's class."""
    called = type(equation.params.get("_prim"))
    is_own = equation.primitive.name == "call_hi_primitive" and called.__module__.startswith("jax.")
    return called.__name__ if is_own else equation.primitive.name


def primitives_table() -> tuple[Row, ...]:
    """Every primitive that has a rule or a named gap, in alphabetical order."""
    systems = {"ball": BallSystem(), "germ": GermSystem()}
    names = sorted({*RULES, *discrete.RULES, *GAPS, *NON_GOALS})
    return tuple(_row(name, systems) for name in names)


def _row(name: str, systems: Mapping[str, Any]) -> Row:
    rule = RULES.get(name) or discrete.RULES.get(name)
    if rule is None:
        return Row(name=name, ball=False, germ=False, reason=GAPS.get(name) or NON_GOALS[name])
    missing = {kind: _missing(rule, system) for kind, system in systems.items()}
    missing["germ"] = missing["germ"] or _without_germ(rule)
    reasons = [f"{kind}: {why}" for kind, why in missing.items() if why]
    return Row(name=name, ball=not missing["ball"], germ=not missing["germ"], reason="; ".join(reasons))


def _without_germ(rule: Rule) -> str:
    """What only germs of constants have, germs that vary do not."""
    if rule.balls_only:
        return "not written yet"
    lacking = [name for name in rule.needs if name not in GERM_FUNCTIONS]
    return f"no germ of {', '.join(lacking)} where its argument varies" if lacking else ""


def _missing(rule: Rule, system: Any) -> str:
    """The functions that a number system lacks for a rule, as a reason; empty where it lacks none."""
    lacking = [name for name in rule.needs if not _knows(system.operation, name)]
    return f"no function {', '.join(lacking)}" if lacking else ""


def _knows(operation: Callable[[str], Any], name: str) -> bool:
    try:
        operation(name)
    except (UsageError, KeyError):
        return False
    return True
