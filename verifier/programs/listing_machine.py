"""The interpreter of listings: Python's meaning for a part of its syntax, by tables; what is in no table is refused.

A name is looked up when it is used, as in a notebook: functions see that a later cell has redefined `f` or `params`.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from verifier.programs.listing_library import CALLABLE, UserFunction
from verifier.programs.listing_limits import MAX_CALLS, Budget, Refused, parse
from verifier.programs.listing_syntax import EXPRESSIONS, OPERATORS, STATEMENTS, Leap, Scope, plain_name

__all__ = ["Interpreter"]


@dataclass(eq=False)
class Interpreter:
    """One notebook: `run` executes a cell in the namespace that earlier cells left."""

    budget: Budget
    names: Scope = field(default_factory=lambda: Scope(""))
    line: int | None = None
    """Where the present cell's exception came from: the innermost line that stands in the cell itself."""
    output: list[str] = field(default_factory=list)
    entered: Counter[str] = field(default_factory=Counter)
    trips: dict[ast.For, int] = field(default_factory=dict)
    drawn: list[tuple[str, tuple[object, ...], dict[str, object]]] = field(default_factory=list)
    jitted: dict[str, tuple[Any, tuple[Any, ...], dict[str, Any]]] = field(default_factory=dict)
    depth: int = 0
    written: int = 0

    def restart(self, budget: Budget) -> None:
        """Forget what the last cell did, but not its names."""
        self.budget, self.line, self.depth, self.written = budget, None, 0, 0
        self.output, self.entered, self.trips, self.drawn, self.jitted = [], Counter(), {}, [], {}

    def run(self, listing: str, code: str) -> None:
        """Execute a cell; exceptions of its code, and Refused, come through."""
        self.names.listing = listing
        tree = parse(code)
        self.trips = dict.fromkeys(_outer_loops(tree), 0)
        self.block(tree.body, self.names)

    # --- what the wrappers in `listing_library` ask for

    def write(self, text: str) -> None:
        self.written += len(text)
        self.budget.admit_items(self.written)
        self.output.append(text)

    def draw(self, name: str, arguments: tuple[object, ...], keywords: dict[str, object]) -> None:
        self.budget.leaves(arguments, keywords)
        self.drawn.append((name, arguments, keywords))

    def called_jitted(self, name: str, call: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        if hasattr(call, "lower"):
            self.jitted[name] = (call, arguments, keywords)

    def binary(self, operation: type[ast.operator], left: Any, right: Any, *, in_place: bool = False) -> Any:
        function, updating = OPERATORS[operation]
        self.budget.check_operands(operation, function, left, right)
        result = (updating if in_place else function)(left, right)
        self.budget.settle(result)
        return result

    def enter(self, function: UserFunction, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self.depth >= MAX_CALLS:
            raise Refused(f"functions call each other deeper than {MAX_CALLS}; use a loop")
        node, scope = function.definition, function.scope
        bound = function.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        self.entered[function.__name__] += 1
        self.depth += 1
        try:
            local = Scope(function.listing, dict(bound.arguments), function.local, scope)
            if isinstance(node, ast.Lambda):
                return self.evaluate(node.body, local)
            leap = self.block(node.body, local)
            return leap.value if leap else None
        finally:
            self.depth -= 1

    # --- statements

    def block(self, body: list[ast.stmt], scope: Scope) -> Leap | None:
        for statement in body:
            if (leap := self._dispatch(STATEMENTS, statement, scope)) is not None:
                return leap
        return None

    def evaluate(self, node: ast.expr, scope: Scope) -> Any:
        return self._dispatch(EXPRESSIONS, node, scope)

    def _dispatch(self, table: dict[type[Any], Callable[..., Any]], node: Any, scope: Scope) -> Any:
        try:
            self.budget.spend()
            if type(node) not in table:
                raise Refused(
                    f"`{type(node).__name__}` is not part of the Python that listings run with; write it in another way"
                )
            return table[type(node)](self, node, scope)
        except Exception:
            if self.line is None and scope.listing == self.names.listing:
                self.line = node.lineno
            raise

    def iterate(self, value: Any) -> Iterator[Any]:
        for item in value:
            self.budget.spend()
            yield item

    def assign(self, target: ast.expr, value: Any, scope: Scope) -> None:
        match target:
            case ast.Name(id=name):
                scope.names[plain_name(name)] = value
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                for part, item in zip(targets, self._unpacked(value, len(targets)), strict=True):
                    self.assign(part, item, scope)
            case ast.Subscript():
                self.assign_item(self.evaluate(target.value, scope), self.evaluate(target.slice, scope), value)
            case _:
                raise Refused(f"assigning to `{ast.unparse(target)[:40]}` is not interpreted; assign to a name")

    def _unpacked(self, value: Any, count: int) -> list[Any]:
        items = list(self.iterate(value))
        if len(items) < count:
            raise ValueError(f"not enough values to unpack (expected {count}, got {len(items)})")
        if len(items) > count:
            raise ValueError(f"too many values to unpack (expected {count})")
        return items

    def assign_item(self, container: Any, index: Any, value: Any) -> None:
        if isinstance(container, list) and isinstance(index, slice):
            value = list(self.iterate(value))
            self.budget.admit_items(len(container) + len(value))
        elif isinstance(container, CALLABLE):
            raise TypeError("'function' object does not support item assignment")
        self.budget.leaves(index)
        self.budget.spend(getattr(container, "size", 0) // 64)
        container[index] = value


def _outer_loops(tree: ast.Module) -> Iterator[ast.For]:
    """The `for` statements of a cell that stand in no function, in reading order."""
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.For):
            yield node
        if not isinstance(node, (ast.FunctionDef, ast.Lambda)):
            pending.extend(reversed(list(ast.iter_child_nodes(node))))
