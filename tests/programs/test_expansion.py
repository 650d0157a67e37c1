"""Primitives that are objects are opened: their definitions stand in the jaxpr, their own derivative rules stay."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import verifier
from verifier.programs.equation import is_custom_rule, is_foreign
from verifier.programs.expansion import KEPT, expanded
from verifier.programs.extent import inner_programs
from verifier.truth.rules import named

hijax = pytest.importorskip("jax.experimental.hijax")
Base = getattr(hijax, "HiPrim", None) or hijax.VJPHiPrimitive


class Cubed(Base):
    """x^3 with a rule that is off by a factor: a primitive as users write them."""

    def __init__(self, aval, factor):
        self.in_avals, self.out_aval = (aval,), aval
        self.params = {"factor": factor}
        super().__init__()

    def expand(self, x):
        return x * x * x

    def jvp(self, primals, tangents):
        (x,), (t,) = primals, tangents
        return self(x), self.factor * x * x * t

    def batch(self, axis_data, args, dims):
        (x,), (axis,) = args, dims
        return type(self)(jax.typeof(x), self.factor)(x), axis


class Undefined(Cubed):
    """A primitive without a definition."""

    def expand(self, x):
        raise NotImplementedError


def cubed(factor, kind=Cubed):
    return lambda x: kind(jax.typeof(x), factor)(x)


def names(program) -> set[str]:
    equations = getattr(program, "jaxpr", program).eqns
    inner = [names(each) for equation in equations for each in inner_programs(equation)]
    return {each.primitive.name for each in equations}.union(*inner)


def _place(x=0.5):
    return jnp.asarray(x, jnp.float32)


@pytest.mark.parametrize(("factor", "right"), [(3, True), (2, False)])
def test_a_primitive_of_the_user_s_is_judged_by_its_definition(factor, right):
    result = verifier.check(cubed(factor), np.float64(0.5), programs=("jacfwd",))
    assert result.ok == right, str(result)


def test_it_counts_as_the_user_s_custom_rule():
    (call,) = expanded(jax.make_jaxpr(cubed(3))(_place())).jaxpr.eqns
    assert is_custom_rule(call)
    assert is_foreign(call)


def test_programs_inside_programs_are_opened_too():
    def looped(x):
        return lax.fori_loop(0, 3, lambda _, y: jax.jit(cubed(3))(y), x)

    program = jax.make_jaxpr(looped)(_place())
    assert "call_hi_primitive" in names(program)
    assert "call_hi_primitive" not in names(expanded(program))


def test_what_has_no_definition_stays():
    program = jax.make_jaxpr(cubed(3, Undefined))(_place())
    assert expanded(program) is program


def test_a_program_without_such_primitives_is_itself():
    program = jax.make_jaxpr(lambda x: lax.fori_loop(0, 3, lambda _, y: jnp.sin(y), x))(_place())
    assert expanded(program) is program


def test_jax_s_own_are_no_code_of_the_user_s():
    def root(a):
        return lax.custom_root(lambda y: y * y - a, a, lambda g, y: y, lambda g, y: y / g(jnp.ones_like(y)))

    for function in (root, lambda x: jnp.interp(x, jnp.arange(3.0), jnp.arange(3.0) ** 2)):
        program = expanded(jax.make_jaxpr(function)(_place()))
        assert "call_hi_primitive" not in names(program)
        assert not any(map(is_foreign, program.jaxpr.eqns))


def test_those_that_the_evaluator_has_rules_for_are_kept():
    assert named.RULES.keys() == KEPT
