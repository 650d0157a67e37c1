"""What each piece of Python's syntax does in a listing: the interpreter's tables, and the scopes of names."""

from __future__ import annotations

import ast
import builtins
import inspect
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from verifier.programs.listing_analysis import assigned_names
from verifier.programs.listing_builtins import BUILTINS, builtin, formatted
from verifier.programs.listing_library import CALLABLE, UserFunction, import_module, member
from verifier.programs.listing_limits import Refused

if TYPE_CHECKING:
    from verifier.programs.listing_machine import Interpreter

__all__ = ["BREAK", "CONTINUE", "EXPRESSIONS", "OPERATORS", "STATEMENTS", "Leap", "Scope", "plain_name"]


@dataclass(slots=True, eq=False)
class Scope:
    """The names of a module, function or comprehension; `local` are those that its code assigns, None for a module."""

    listing: str
    names: dict[str, Any] = field(default_factory=dict)
    local: frozenset[str] | None = None
    outer: Scope | None = None

    def look_up(self, name: str) -> Any:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            if scope.local is not None and name in scope.local:
                raise _unassigned(name, free=scope is not self)
            scope = scope.outer
        raise KeyError(name)


def _unassigned(name: str, *, free: bool) -> NameError:
    if free:
        return NameError(
            f"cannot access free variable '{name}' where it is not associated with a value in enclosing scope"
        )
    return UnboundLocalError(f"cannot access local variable '{name}' where it is not associated with a value")


@dataclass(frozen=True, slots=True)
class Leap:
    """How a block ends early: a `break`, a `continue`, or a `return` with its value."""

    value: Any = None


BREAK, CONTINUE = Leap(), Leap()


def plain_name(name: str) -> str:
    if "__" in name:
        raise Refused(f"the name `{name}` is reserved by Python; listings may not use names with two underscores")
    return name


# --- statements -----------------------------------------------------------------------------------


def _import(machine: Interpreter, node: ast.Import, scope: Scope) -> None:
    for alias in node.names:
        module = import_module(alias.name)
        scope.names[plain_name(alias.asname or alias.name.partition(".")[0])] = (
            module if alias.asname else import_module(alias.name.partition(".")[0])
        )


def _import_from(machine: Interpreter, node: ast.ImportFrom, scope: Scope) -> None:
    module = import_module(node.module or "." * node.level)
    for alias in node.names:
        if alias.name == "*":
            raise Refused("`import *` is not interpreted; name what is imported")
        try:
            scope.names[plain_name(alias.asname or alias.name)] = member(machine, module, alias.name)
        except AttributeError as error:
            raise ImportError(f"cannot import name '{alias.name}' from '{module.name}'") from error


def _define(machine: Interpreter, node: ast.FunctionDef, scope: Scope) -> None:
    decorators = [machine.evaluate(decorator, scope) for decorator in node.decorator_list]
    value: Any = _function(machine, node, scope)
    for decorator in reversed(decorators):
        value = _invoke(decorator, (value,), {})
    scope.names[plain_name(node.name)] = value


def _assign(machine: Interpreter, node: ast.Assign, scope: Scope) -> None:
    value = machine.evaluate(node.value, scope)
    for target in node.targets:
        machine.assign(target, value, scope)


def _update(machine: Interpreter, node: ast.AugAssign, scope: Scope) -> None:
    match node.target:
        case ast.Name(id=name):
            left = _name(machine, ast.Name(name, ast.Load()), scope)
            right = machine.evaluate(node.value, scope)
            scope.names[name] = machine.binary(type(node.op), left, right, in_place=True)
        case ast.Subscript() as target:
            container, index = machine.evaluate(target.value, scope), machine.evaluate(target.slice, scope)
            left, right = _item(machine, container, index), machine.evaluate(node.value, scope)
            machine.assign_item(container, index, machine.binary(type(node.op), left, right, in_place=True))
        case _:
            raise Refused(f"updating `{ast.unparse(node.target)[:40]}` is not interpreted; update a name")


def _for(machine: Interpreter, node: ast.For, scope: Scope) -> Leap | None:
    for item in machine.iterate(machine.evaluate(node.iter, scope)):
        if node in machine.trips:
            machine.trips[node] += 1
        machine.assign(node.target, item, scope)
        leap = machine.block(node.body, scope)
        if leap is BREAK:
            return None
        if leap is not None and leap is not CONTINUE:
            return leap
    return machine.block(node.orelse, scope)


def _while(machine: Interpreter, node: ast.While, scope: Scope) -> Leap | None:
    while machine.evaluate(node.test, scope):
        leap = machine.block(node.body, scope)
        if leap is BREAK:
            return None
        if leap is not None and leap is not CONTINUE:
            return leap
    return machine.block(node.orelse, scope)


def _if(machine: Interpreter, node: ast.If, scope: Scope) -> Leap | None:
    return machine.block(node.body if machine.evaluate(node.test, scope) else node.orelse, scope)


def _assert(machine: Interpreter, node: ast.Assert, scope: Scope) -> None:
    if not machine.evaluate(node.test, scope):
        raise AssertionError(*([machine.evaluate(node.msg, scope)] if node.msg else []))


STATEMENTS: dict[type[ast.stmt], Callable[[Interpreter, Any, Scope], Leap | None]] = {
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.FunctionDef: _define,
    ast.Assign: _assign,
    ast.AugAssign: _update,
    ast.For: _for,
    ast.While: _while,
    ast.If: _if,
    ast.Assert: _assert,
    ast.Return: lambda machine, node, scope: Leap(machine.evaluate(node.value, scope) if node.value else None),
    ast.Break: lambda machine, node, scope: BREAK,
    ast.Continue: lambda machine, node, scope: CONTINUE,
    ast.Pass: lambda machine, node, scope: None,
    ast.Expr: lambda machine, node, scope: machine.evaluate(node.value, scope) and None,
}


# --- expressions ----------------------------------------------------------------------------------


def _constant(machine: Interpreter, node: ast.Constant, scope: Scope) -> Any:
    if isinstance(node.value, bytes):
        raise Refused("bytes are not interpreted; use a string or numbers")
    return node.value


def _name(machine: Interpreter, node: ast.Name, scope: Scope) -> Any:
    name = plain_name(node.id)
    try:
        return scope.look_up(name)
    except KeyError:
        pass
    if name in BUILTINS:
        return builtin(machine, name)
    if hasattr(builtins, name):
        raise Refused(f"Python's `{name}` may not be used by a listing; allowed are {', '.join(sorted(BUILTINS))}")
    raise NameError(f"name '{name}' is not defined")


def _attribute(machine: Interpreter, node: ast.Attribute, scope: Scope) -> Any:
    return member(machine, machine.evaluate(node.value, scope), node.attr)


def _call(machine: Interpreter, node: ast.Call, scope: Scope) -> Any:
    function = machine.evaluate(node.func, scope)
    keywords: dict[str, Any] = {}
    args = _items(machine, node.args, scope)
    for keyword in node.keywords:
        value = machine.evaluate(keyword.value, scope)
        keywords.update({keyword.arg: value} if keyword.arg else value)
    return _invoke(function, tuple(args), keywords)


def _invoke(function: Any, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    if isinstance(function, CALLABLE):
        return function(*args, **keywords)
    if isinstance(function, (str, type)):
        raise Refused(f"calling `{function}` is not interpreted; use a function of jax.numpy")
    raise TypeError(f"'{type(function).__name__}' object is not callable")


def _items(machine: Interpreter, nodes: list[ast.expr], scope: Scope) -> list[Any]:
    """The values of a display or of arguments, `*items` spliced in."""
    found: list[Any] = []
    for node in nodes:
        if isinstance(node, ast.Starred):
            found.extend(machine.iterate(machine.evaluate(node.value, scope)))
        else:
            found.append(machine.evaluate(node, scope))
    return found


def _dict(machine: Interpreter, node: ast.Dict, scope: Scope) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            found.update(machine.evaluate(value, scope))
        else:
            found[_key(machine, machine.evaluate(key, scope))] = machine.evaluate(value, scope)
    return found


def _key(machine: Interpreter, key: Any) -> Any:
    machine.budget.leaves(key)  # hashing walks through nested tuples
    return key


def _function(machine: Interpreter, node: ast.FunctionDef | ast.Lambda, scope: Scope) -> UserFunction:
    given = node.args
    empty, kind = inspect.Parameter.empty, inspect.Parameter
    positional = [*given.posonlyargs, *given.args]
    defaults = [empty] * (len(positional) - len(given.defaults)) + [
        machine.evaluate(value, scope) for value in given.defaults
    ]
    kinds = [kind.POSITIONAL_ONLY] * len(given.posonlyargs) + [kind.POSITIONAL_OR_KEYWORD] * len(given.args)
    parameters = [
        kind(plain_name(arg.arg), which, default=value)
        for arg, which, value in zip(positional, kinds, defaults, strict=True)
    ]
    if given.vararg:
        parameters.append(kind(plain_name(given.vararg.arg), kind.VAR_POSITIONAL))
    for arg, value in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        parameters.append(
            kind(plain_name(arg.arg), kind.KEYWORD_ONLY, default=machine.evaluate(value, scope) if value else empty)
        )
    if given.kwarg:
        parameters.append(kind(plain_name(given.kwarg.arg), kind.VAR_KEYWORD))
    return UserFunction(machine, node, inspect.Signature(parameters), scope.listing, scope, assigned_names(node))


def _binary(machine: Interpreter, node: ast.BinOp, scope: Scope) -> Any:
    return machine.binary(type(node.op), machine.evaluate(node.left, scope), machine.evaluate(node.right, scope))


def _unary(machine: Interpreter, node: ast.UnaryOp, scope: Scope) -> Any:
    return _UNARY[type(node.op)](machine.evaluate(node.operand, scope))


def _boolean(machine: Interpreter, node: ast.BoolOp, scope: Scope) -> Any:
    value: Any = None
    for operand in node.values:
        value = machine.evaluate(operand, scope)
        if bool(value) is isinstance(node.op, ast.Or):
            return value
    return value


def _compare(machine: Interpreter, node: ast.Compare, scope: Scope) -> Any:
    left, result = machine.evaluate(node.left, scope), True
    for operation, right_node in zip(node.ops, node.comparators, strict=True):
        right = machine.evaluate(right_node, scope)
        result = _compared(machine, type(operation), left, right)
        if right_node is not node.comparators[-1] and not result:
            return result
        left = right
    return result


def _compared(machine: Interpreter, operation: type[ast.cmpop], left: Any, right: Any) -> Any:
    if isinstance(left, (list, tuple, dict)) or isinstance(right, (list, tuple, dict)):
        machine.budget.check_small(left, right)
    elif operation not in (ast.Is, ast.IsNot):
        machine.budget.foresee(_COMPARISONS[operation], left, right)
    return _COMPARISONS[operation](left, right)


def _choose(machine: Interpreter, node: ast.IfExp, scope: Scope) -> Any:
    return machine.evaluate(node.body if machine.evaluate(node.test, scope) else node.orelse, scope)


def _subscript(machine: Interpreter, node: ast.Subscript, scope: Scope) -> Any:
    return _item(machine, machine.evaluate(node.value, scope), machine.evaluate(node.slice, scope))


def _item(machine: Interpreter, container: Any, index: Any) -> Any:
    if isinstance(index, tuple):
        machine.budget.check_rank(index)
    if isinstance(container, CALLABLE):
        raise TypeError("'function' object is not subscriptable")
    if isinstance(container, _PLAIN):
        machine.budget.admit_items(len(container) if isinstance(index, slice) else 1)
        machine.budget.leaves(index)
    else:
        machine.budget.foresee(operator.getitem, container, index)
    result = container[index]
    machine.budget.spend(getattr(result, "size", 0) // 64)
    return result


_PLAIN: tuple[Any, ...] = (str, list, tuple, dict, range)


def _slice(machine: Interpreter, node: ast.Slice, scope: Scope) -> slice:
    return slice(*(machine.evaluate(part, scope) if part else None for part in (node.lower, node.upper, node.step)))


def _comprehension(machine: Interpreter, node: Any, scope: Scope, element: Callable[[Scope], Any]) -> list[Any]:
    inner = Scope(scope.listing, {}, assigned_names(node), scope)
    found: list[Any] = []

    def level(generators: list[ast.comprehension], source: Any) -> None:
        for item in machine.iterate(source):
            machine.assign(generators[0].target, item, inner)
            if not all(machine.evaluate(test, inner) for test in generators[0].ifs):
                continue
            if generators[1:]:
                level(generators[1:], machine.evaluate(generators[1].iter, inner))
            else:
                found.append(element(inner))

    level(node.generators, machine.evaluate(node.generators[0].iter, scope))
    return found


def _list_of(machine: Interpreter, node: ast.ListComp | ast.GeneratorExp, scope: Scope) -> list[Any]:
    return _comprehension(machine, node, scope, lambda inner: machine.evaluate(node.elt, inner))


def _dict_of(machine: Interpreter, node: ast.DictComp, scope: Scope) -> dict[Any, Any]:
    return dict(
        _comprehension(
            machine,
            node,
            scope,
            lambda inner: (_key(machine, machine.evaluate(node.key, inner)), machine.evaluate(node.value, inner)),
        )
    )


def _text(machine: Interpreter, node: ast.JoinedStr, scope: Scope) -> str:
    text = "".join(machine.evaluate(part, scope) for part in node.values)
    machine.budget.admit_items(len(text))
    return text


def _field(machine: Interpreter, node: ast.FormattedValue, scope: Scope) -> str:
    value = machine.evaluate(node.value, scope)
    spec = machine.evaluate(node.format_spec, scope) if node.format_spec else ""
    return formatted(machine, value, node.conversion, spec)


EXPRESSIONS: dict[type[ast.expr], Callable[[Interpreter, Any, Scope], Any]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Call: _call,
    ast.List: lambda machine, node, scope: _items(machine, node.elts, scope),
    ast.Tuple: lambda machine, node, scope: tuple(_items(machine, node.elts, scope)),
    ast.Dict: _dict,
    ast.Lambda: _function,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: _boolean,
    ast.Compare: _compare,
    ast.IfExp: _choose,
    ast.Subscript: _subscript,
    ast.Slice: _slice,
    ast.ListComp: _list_of,
    ast.GeneratorExp: lambda machine, node, scope: iter(_list_of(machine, node, scope)),
    ast.DictComp: _dict_of,
    ast.JoinedStr: _text,
    ast.FormattedValue: _field,
}

OPERATORS: dict[type[ast.operator], tuple[Callable[..., Any], Callable[..., Any]]] = {
    ast.Add: (operator.add, operator.iadd),
    ast.Sub: (operator.sub, operator.isub),
    ast.Mult: (operator.mul, operator.imul),
    ast.Div: (operator.truediv, operator.itruediv),
    ast.FloorDiv: (operator.floordiv, operator.ifloordiv),
    ast.Mod: (operator.mod, operator.imod),
    ast.Pow: (operator.pow, operator.ipow),
    ast.MatMult: (operator.matmul, operator.imatmul),
    ast.LShift: (operator.lshift, operator.ilshift),
    ast.RShift: (operator.rshift, operator.irshift),
    ast.BitAnd: (operator.and_, operator.iand),
    ast.BitOr: (operator.or_, operator.ior),
    ast.BitXor: (operator.xor, operator.ixor),
}

_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
    ast.Invert: operator.invert,
}

_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}
