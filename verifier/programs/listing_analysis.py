"""What a listing's text says without running it: names, calls, lines, and whether a value depends on a random draw."""

from __future__ import annotations

import ast
import builtins
import io
import tokenize
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from verifier.model.catalog import Listing
from verifier.programs.listing_names import DRAWS_NOTHING

__all__ = ["Called", "ListingText", "Unbound", "analyse", "assigned_names", "read_code"]

_ROUNDS = 8  # of a loop, for random values to spread through it
_MAX_CODE = 20_000  # characters
_MAX_DEPTH = 60  # of the syntax tree

_NESTED = (ast.FunctionDef, ast.Lambda, ast.ListComp, ast.GeneratorExp, ast.DictComp, ast.SetComp)


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """A call or decorator: the full dotted name of what is called, as far as imports tell it (`jax.numpy.tanh`)."""

    name: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unbound:
    """A name that is used and that nothing before has bound."""

    name: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ListingText:
    """A listing's syntax tree, with what the listings before it have bound."""

    id: str
    code: str
    tree: ast.Module
    aliases: dict[str, str]
    """Imported name -> full dotted name, earlier listings included."""
    bound: frozenset[str]
    """Names that are bound when the listing ends, earlier listings included."""
    unbound: tuple[Unbound, ...]
    first_random: dict[str, bool]
    """Variable -> whether the first value that this listing gives it depends on a random draw."""
    last_random: frozenset[str]
    """Variables whose value depends on a random draw when the listing ends."""

    def full_name(self, name: str) -> str:
        """`jnp.tanh` -> `jax.numpy.tanh`."""
        root, dot, rest = name.partition(".")
        return self.aliases.get(root, root) + dot + rest

    def calls(self, lines: Iterable[int] | None = None) -> tuple[Called, ...]:
        """Every call and decorator, in reading order, optionally only those that start on `lines`."""
        wanted = None if lines is None else frozenset(lines)
        found = [Called(name=self.full_name(name), line=line) for name, line in _called(self.tree)]
        return tuple(
            sorted((call for call in found if wanted is None or call.line in wanted), key=lambda call: call.line)
        )

    def code_lines(self, lines: Iterable[int] | None = None) -> int:
        """How many lines hold code, that is more than white space and comments."""
        wanted = None if lines is None else frozenset(lines)
        return sum(1 for line in _coded(self.code) if wanted is None or line in wanted)

    def lines_of(self, function: str) -> range | None:
        """The lines of the function's definition, decorators included; None when the listing does not define it."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef) and node.name == function:
                return range(
                    min([node.lineno, *(item.lineno for item in node.decorator_list)]),
                    (node.end_lineno or node.lineno) + 1,
                )
        return None

    def lines_between(self, first: str, last: str) -> range | None:
        """From the first line that contains `first` to the next one, or the same, that contains `last`."""
        texts = self.code.splitlines()
        start = next((number for number, text in enumerate(texts, 1) if first in text), None)
        stop = next(
            (number for number, text in enumerate(texts, 1) if start and number >= start and last in text), None
        )
        return range(start, stop + 1) if start and stop else None

    def literal(self, name: str) -> Fraction | None:
        """The exact number that the listing's first assignment to `name` writes out; None when it writes no number."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Assign) and any(
                isinstance(target, ast.Name) and target.id == name for target in node.targets
            ):
                return _number(ast.get_source_segment(self.code, node.value))
        return None


def analyse(listings: Sequence[Listing]) -> tuple[ListingText, ...]:
    """Read the listings in order, as one notebook. One that Python can't parse counts as empty; its run tells why."""
    aliases: dict[str, str] = {}
    bound: set[str] = set()
    flow = _Flow()
    texts = []
    for listing in listings:
        tree = _parsed(listing.code)
        aliases.update(_imports(tree))
        flow.aliases, flow.first = aliases, {}
        flow.block(tree.body)
        reading = _Reading(bound)
        reading.read(tree)
        bound |= reading.bound
        texts.append(
            ListingText(
                id=listing.id,
                code=listing.code,
                tree=tree,
                aliases=dict(aliases),
                bound=frozenset(bound),
                unbound=tuple(reading.unbound),
                first_random=dict(flow.first),
                last_random=frozenset(flow.random),
            )
        )
    return tuple(texts)


def assigned_names(node: ast.AST) -> frozenset[str]:
    """The names that belong to the scope that `node` opens: its parameters and what its own code assigns."""
    own: list[ast.AST] = list(ast.iter_child_nodes(node))
    found = set()
    while own:
        item = own.pop()
        match item:
            case ast.Name(id=name, ctx=ast.Store()) | ast.FunctionDef(name=name) | ast.arg(arg=name):
                found.add(name)
            case ast.alias():
                found.add(item.asname or item.name.partition(".")[0])
        if not isinstance(item, _NESTED):
            own.extend(ast.iter_child_nodes(item))
    return frozenset(found)


def read_code(code: str) -> ast.Module:
    """The syntax tree of a listing. Raises SyntaxError as Python does, and ValueError for what is too long or deep."""
    if len(code) > _MAX_CODE:
        raise ValueError(f"the listing has {len(code)} characters; at most {_MAX_CODE} are read: split it")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a stranger's `"\d"` is no warning of ours
            tree = ast.parse(code)
    except (RecursionError, MemoryError) as error:
        raise ValueError("the listing is nested too deeply; use intermediate variables") from error
    level: list[ast.AST] = [tree]
    for _ in range(_MAX_DEPTH):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    if level:
        raise ValueError(f"the listing's expressions are nested deeper than {_MAX_DEPTH}; use intermediate variables")
    return tree


def _parsed(code: str) -> ast.Module:
    try:
        return read_code(code)
    except (SyntaxError, ValueError):
        return ast.Module([], [])


def _imports(tree: ast.Module) -> dict[str, str]:
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            found.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    return found


def _dotted(node: ast.expr) -> str | None:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name) if (owner := _dotted(value)) is not None:
            return f"{owner}.{name}"
    return None


def _called(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (name := _dotted(node.func)):
            yield name, node.lineno
        elif isinstance(node, ast.FunctionDef):
            yield from ((name, item.lineno) for item in node.decorator_list if (name := _dotted(item)))


def _coded(code: str) -> frozenset[int]:
    blank = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    try:
        tokens = [token for token in tokenize.generate_tokens(io.StringIO(code).readline) if token.type not in blank]
    except (tokenize.TokenError, SyntaxError):
        return frozenset(
            number
            for number, text in enumerate(code.splitlines(), 1)
            if text.strip() and not text.strip().startswith("#")
        )
    return frozenset(line for token in tokens for line in range(token.start[0], token.end[0] + 1))


def _number(text: str | None) -> Fraction | None:
    try:
        return Fraction((text or "").replace(" ", ""))
    except (ValueError, ZeroDivisionError):
        return None


# --- names in reading order -----------------------------------------------------------------------


@dataclass(slots=True)
class _Reading:
    """Reads a cell's names in the order in which they run; functions' bodies last, as they are called later."""

    bound: set[str]
    unbound: list[Unbound] = field(default_factory=list)
    later: list[tuple[ast.AST, frozenset[str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bound = self.bound | set(dir(builtins))

    def read(self, tree: ast.Module) -> None:
        self._visit(tree, frozenset())
        while self.later:
            body, local = self.later.pop(0)
            self._visit(body, local)
        self.unbound.sort(key=lambda use: use.line)

    def _visit(self, node: ast.AST, local: frozenset[str]) -> None:
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                self._use(name, node.lineno, local)
            case ast.Name(id=name) | ast.alias(asname=str(name)):
                self.bound.update({name} - local)
            case ast.alias(name=name):
                self.bound.update({name.partition(".")[0]} - local)
            case ast.FunctionDef() | ast.Lambda():
                self._define(node, local)
            case ast.AugAssign(target=ast.Name(id=name)):
                self._use(name, node.lineno, local)
                self._visit(node.value, local)
            case _:
                inner = local | assigned_names(node) if isinstance(node, _NESTED) else local
                for child in _in_order(node):
                    self._visit(child, inner)

    def _define(self, node: ast.FunctionDef | ast.Lambda, local: frozenset[str]) -> None:
        for child in [*getattr(node, "decorator_list", []), *node.args.defaults, *filter(None, node.args.kw_defaults)]:
            self._visit(child, local)
        if isinstance(node, ast.FunctionDef):
            self.bound.update({node.name} - local)
        body = node.body if isinstance(node.body, list) else [node.body]
        self.later.extend((item, local | assigned_names(node)) for item in body)

    def _use(self, name: str, line: int, local: frozenset[str]) -> None:
        if name not in self.bound and name not in local:
            self.unbound.append(Unbound(name=name, line=line))


def _in_order(node: ast.AST) -> list[ast.AST]:
    """A node's children in the order in which they are evaluated."""
    match node:
        case ast.Assign():
            return [node.value, *node.targets]
        case ast.For():
            return [node.iter, node.target, *node.body, *node.orelse]
        case ast.ListComp() | ast.GeneratorExp() | ast.SetComp():
            return [*node.generators, node.elt]
        case ast.DictComp():
            return [*node.generators, node.key, node.value]
    return list(ast.iter_child_nodes(node))


# --- does a value depend on a random draw? --------------------------------------------------------


@dataclass(slots=True)
class _Flow:
    """Follows random draws through assignments and functions; the condition of a branch or loop does not count."""

    random: set[str] = field(default_factory=set)
    aliases: dict[str, str] = field(default_factory=dict)
    functions: dict[str, ast.AST] = field(default_factory=dict)
    first: dict[str, bool] = field(default_factory=dict)
    looping: bool = False

    def block(self, body: Sequence[ast.stmt]) -> None:
        for statement in body:
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign():
                for target in node.targets:
                    self._give(target, self._depends(node.value))
            case ast.AugAssign():
                self._give(node.target, self._depends(node.value) or self._depends(node.target))
            case ast.FunctionDef():
                self.functions[node.name] = node
                self._give(ast.Name(node.name, ast.Store()), False)
            case ast.For() | ast.While():
                self._loop(node)
            case ast.If():
                before = set(self.random)
                self.block(node.body)
                self.random, before = before, self.random
                self.block(node.orelse)
                self.random |= before
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner), args=args)) if any(map(self._depends, args)):
                self._give(ast.Subscript(owner, ast.Constant(0), ast.Store()), True)  # `history.append(x)`

    def _loop(self, node: ast.For | ast.While) -> None:
        """What one round makes random reaches earlier lines in the next: the outermost loop repeats for all inside."""
        outermost, self.looping = not self.looping, True
        for _ in range(_ROUNDS if outermost else 1):
            before = set(self.random)
            if isinstance(node, ast.For):
                self._give(node.target, self._depends(node.iter))
            self.block(node.body)
            if self.random == before:
                break
        self.looping = not outermost
        self.block(node.orelse)

    def _give(self, target: ast.expr, random: bool) -> None:
        match target:
            case ast.Name(id=name):
                self.first.setdefault(name, random)
                (self.random.add if random else self.random.discard)(name)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                for part in parts:
                    self._give(part, random)
            case ast.Subscript(value=ast.Name(id=name)) | ast.Attribute(value=ast.Name(id=name)) if random:
                self.random.add(name)

    def _depends(self, expression: ast.expr) -> bool:
        """Whether the expression's value depends on a draw, itself or through the functions that it names."""
        pending: list[ast.AST] = [expression]
        seen: set[str] = set()
        while pending:
            node = pending.pop()
            local = assigned_names(node) if isinstance(node, ast.FunctionDef) else frozenset()
            for item in ast.walk(node):
                if isinstance(item, ast.Call) and self._draws(_dotted(item.func) or ""):
                    return True
                if isinstance(item, ast.Name) and item.id not in local | seen:
                    if item.id in self.random:
                        return True
                    if item.id in self.functions:
                        seen.add(item.id)
                        pending.append(self.functions[item.id])
        return False

    def _draws(self, name: str) -> bool:
        root, _, rest = name.partition(".")
        full = f"{self.aliases.get(root, root)}.{rest}".removesuffix(".")
        return full.startswith(("jax.random.", "numpy.random.", "random.")) and full not in DRAWS_NOTHING
