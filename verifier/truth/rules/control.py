"""Programs inside programs: calls, branches and loops."""

from __future__ import annotations

from typing import Any

import numpy as np

from verifier.truth.machine import Compute, Machine, Table, kind_of, rules
from verifier.truth.rules.loops import converged, starts_constant, stops_at_a_tolerance
from verifier.truth.rules.named import recognised
from verifier.truth.values import Refused, is_decided, undecided

__all__ = ["RULES"]

Array = np.ndarray


def _called(*names: str) -> Compute:
    """The rule of a call: the program stands in the first of these parameters that there is."""

    def compute(machine: Machine, equation: Any, *operands: Array) -> list[Array]:
        known = recognised(machine, equation, operands)
        if known is not None:
            return known
        program = next(equation.params[name] for name in names if name in equation.params)
        return machine.run(program, operands)

    return compute


def _customised(followed: Compute, *names: str) -> Compute:
    """A function with a rule of its own: see `loops`."""

    def compute(machine: Machine, equation: Any, *operands: Array) -> list[Array]:
        results = followed(machine, equation, *operands)
        program = next(equation.params[name] for name in names if name in equation.params)
        return converged(machine, program, operands, list(results))

    return compute


def _decided(machine: Machine, equation: Any, entry: Any, what: str) -> int:
    """The decision that control flow follows; raises Refused where nobody decides it."""
    followed = machine.decide(equation, int(entry) if is_decided(entry) else None)
    if followed is None:
        refusal = undecided(entry, what)
        raise Refused(refusal.reason, refusal.remedy)
    return followed


def _cond(machine: Machine, equation: Any, index: Array, *operands: Array) -> list[Array]:
    branches = equation.params["branches"]
    chosen = _decided(machine, equation, index[()], "the branch of a cond")
    return machine.run(branches[min(max(chosen, 0), len(branches) - 1)], operands)


def _while(machine: Machine, equation: Any, *operands: Array) -> list[Array]:
    """A loop; a batch of loops (a condition with axes) goes on while any of them does, and the others stand still."""
    params = equation.params
    for_condition, for_body = params["cond_nconsts"], params["body_nconsts"]
    condition_constants = operands[:for_condition]
    body_constants = operands[for_condition : for_condition + for_body]
    carry = list(operands[for_condition + for_body :])
    for done in range(machine.step_limit):
        (condition,) = machine.run(params["cond_jaxpr"], [*condition_constants, *carry])
        active = _active(machine, equation, condition)
        if not active.any():
            more = machine.overrun() if stops_at_a_tolerance(equation) and (done or starts_constant(carry)) else 0
            for _ in range(more):
                carry = machine.run(params["body_jaxpr"], [*body_constants, *carry])
            return carry
        moved = machine.run(params["body_jaxpr"], [*body_constants, *carry])
        carry = [_where(active, new, old) for new, old in zip(moved, carry, strict=True)]
    raise Refused(f"a loop has not ended after {machine.step_limit} steps")


def _active(machine: Machine, equation: Any, condition: Array) -> Array:
    decisions = [_decided(machine, equation, condition[place], _GOES_ON) for place in np.ndindex(*condition.shape)]
    return np.asarray(decisions, dtype=bool).reshape(condition.shape)


def _where(active: Array, new: Array, old: Array) -> Array:
    if active.all():
        return new
    return np.where(active.reshape(*active.shape, *[1] * (new.ndim - active.ndim)), new, old)


_GOES_ON = "whether a loop goes on"


def _scan(machine: Machine, equation: Any, *operands: Array) -> list[Array]:
    params = equation.params
    constants, carries = _scan_counts(params)
    carry = list(operands[constants : constants + carries])
    rows = operands[constants + carries :]
    outputs: list[list[Array]] = []
    steps = range(params["length"])
    for step in reversed(steps) if params["reverse"] else steps:
        results = machine.run(params["jaxpr"], [*operands[:constants], *carry, *(row[step, ...] for row in rows)])
        carry = results[:carries]
        outputs.append(results[carries:])
    if params["reverse"]:
        outputs.reverse()
    return [*carry, *_stacked(equation, carries, outputs)]


def _scan_counts(params: Any) -> tuple[int, int]:
    """How many operands are constants, and how many are carried; JAX 0.12 keeps them as a tree of three parts."""
    if "num_consts" in params:
        return params["num_consts"], params["num_carry"]
    constants, carry, _ = params["ft_in"].unpack()
    return len(constants), len(carry)


def _stacked(equation: Any, carries: int, outputs: list[list[Array]]) -> list[Array]:
    variables = equation.outvars[carries:]
    if not outputs:
        return [_nothing(variable) for variable in variables]
    return [np.stack(column) for column in zip(*outputs, strict=True)]


def _nothing(variable: Any) -> Array:
    real = kind_of(variable) in ("real", "complex")
    return np.empty(variable.aval.shape, dtype=object if real else variable.aval.dtype)


def _platform_index(machine: Machine, equation: Any, *operands: Array) -> Array:
    """Which of the platform-dependent programs runs: that of the CPU, or the default one."""
    platforms = equation.params["platforms"]
    chosen = [index for index, names in enumerate(platforms) if names is None or "cpu" in names]
    return np.asarray(chosen[0] if chosen else len(platforms) - 1)


def _nothing_to_do(machine: Machine, equation: Any, *operands: Array) -> list[Array]:
    return []


_CALLS = (
    "jit",
    "pjit",
    "closed_call",
    "core_call",
    "call",
    "remat",
    "remat2",
    "checkpoint",
    "custom_jvp_call",
    "custom_vjp_call",
    "custom_vjp_call_jaxpr",
    "custom_vmap_call",
    "composite",
    "eval_jaxpr",
    "linear_call",
    "program_order",
    "remat_opt",
    "xla_call",
)

_CUSTOM = ("custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr")

_CALLED = ("jaxpr", "call_jaxpr", "fun_jaxpr", "call", "callee", "fwd_jaxpr")

RULES: Table = rules(
    **{name: _called(*_CALLED) for name in _CALLS if name not in _CUSTOM},
    **{name: _customised(_called(*_CALLED), *_CALLED) for name in _CUSTOM},
    cond=_cond,
    debug_callback=_nothing_to_do,
    debug_print=_nothing_to_do,
    platform_index=_platform_index,
    scan=_scan,
    **{"while": _while},
)
"""For a custom rule the program is its primal function, never the rule."""
