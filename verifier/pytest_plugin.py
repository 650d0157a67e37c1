"""pytest: catalogs as tests, an item an entry and a claim; and `assert_derivatives` as a fixture.

Files named `*.catalog.yaml`, and those that `--verifier-catalog` names, are collected from their YAML alone: JAX is
imported when an item runs. An entry is verified once, however many of its claims are asked for.
"""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from verifier.engine.options import Options
    from verifier.model.catalog import Entry
    from verifier.report.ci.cases import Case
    from verifier.runs.reader import Run

__all__ = ["CatalogFile", "CatalogItem", "Mismatch"]

_DTYPES = ("float64", "float32", "bfloat16", "float16")
_PLAIN_SUFFIX = ".catalog.yaml"
_RUNS = pytest.StashKey[dict[tuple[Path, str], "Run"]]()


class Mismatch(Exception):
    """What an entry or a claim got wrong, in words; shown without a traceback."""


def _natural(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise ArgumentTypeError(f"expected a whole number from 0 on, found {text!r}")
    return int(text)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The plugin's options, all of them `--verifier-...`."""
    group = parser.getgroup("verifier", "derivatives, verified")
    group.addoption(
        "--verifier-catalog",
        action="append",
        default=[],
        metavar="FILE",
        help="Collect this catalog, whatever its name (repeatable).",
    )
    group.addoption(
        "--verifier-dtype", action="append", default=[], choices=_DTYPES, help="Only this dtype (repeatable)."
    )
    group.addoption("--verifier-samples", type=_natural, default=None, metavar="N", help="Points to sample per entry.")
    group.addoption("--verifier-seed", type=_natural, default=0, metavar="N", help="The seed of every sample.")
    group.addoption("--verifier-full", action="store_true", help="Every program in every dtype on every device.")
    group.addoption(
        "--verifier-allow-imports", action="store_true", help="Import the programs that catalogs name, and run them."
    )
    group.addoption(
        "--verifier-undecided",
        choices=("fail", "allow"),
        default="fail",
        help="What a question is that could not be decided; by default a failure.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register what the plugin marks with; named catalogs may lie outside the folders that are searched."""
    config.addinivalue_line("markers", "derivatives(**options): defaults of the `assert_derivatives` fixture in a test")
    config.stash[_RUNS] = {}
    config.args.extend(each for each in config.option.verifier_catalog if each not in config.args)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A catalog by its name, or because an option names it."""
    asked: list[str] = parent.config.option.verifier_catalog
    named = {Path(each).resolve() for each in asked}
    if file_path.name.endswith(_PLAIN_SUFFIX) or file_path.resolve() in named:
        return CatalogFile.from_parent(parent, path=file_path)
    return None


class CatalogFile(pytest.File):
    """A catalog; a fault of the file is a collection error that names every fault with its line."""

    def collect(self) -> Iterator[CatalogItem]:
        from verifier.catalog.reader import read
        from verifier.errors import VerifierError

        try:
            catalog = read(self.path)
        except VerifierError as error:
            raise self.CollectError(str(error)) from None
        for entry in catalog.entries:
            yield self._item(entry, entry.id, entry.position.line)
            for claim in entry.claims:
                yield self._item(entry, f"{entry.id}.{claim.id}", claim.position.line)

    def _item(self, entry: Entry, name: str, line: int) -> CatalogItem:
        item = CatalogItem.from_parent(self, name=name, entry=entry.id, line=line)
        for tag in entry.tags:
            item.extra_keyword_matches.add(tag)
            if not self._says_what_to_do(tag):
                self.config.addinivalue_line("markers", f"{tag}: a tag of a catalog")
                item.add_marker(tag)
        if self.config.pluginmanager.hasplugin("xdist"):
            item.add_marker(pytest.mark.xdist_group(f"{self.path.name}::{entry.id}"))
        return item

    def _says_what_to_do(self, tag: str) -> bool:
        """Whether a marker of this name takes arguments, as `skip` does: a word to find an entry by changes no test."""
        known: list[str] = self.config.getini("markers")
        return any(each.startswith(f"{tag}(") for each in known)


class CatalogItem(pytest.Item):
    """The derivatives of an entry, or one of its claims."""

    def __init__(self, *, entry: str, line: int, **given: Any) -> None:
        super().__init__(**given)
        self.entry = entry
        self.line = line

    def runtest(self) -> None:
        """Verify; raises Mismatch for what is wrong, skips what is known."""
        from verifier.report.ci.cases import Level

        case = self._case()
        told = "\n".join(f"{each.verdict}: {each.text}" for each in case.messages)
        fails = {Level.ERROR} | ({Level.OPEN} if self.config.option.verifier_undecided == "fail" else set())
        if case.level in fails:
            raise Mismatch(f"{self.path}:{self.line}: {case.title}\n{told}")
        if case.level is Level.KNOWN:
            pytest.xfail(f"known: {told}")
        if told:
            self.add_report_section("call", "verifier", told)

    def _case(self) -> Case:
        from verifier.report.ci.cases import cases

        found = cases(self._run())
        return next(each for each in found if each.name == self.name)

    def _run(self) -> Run:
        """The run of the entry, made once."""
        runs, key = self.config.stash[_RUNS], (self.path, self.entry)
        if key not in runs:
            from verifier.engine.progress import Progress
            from verifier.engine.run import run_catalog

            with Progress(quiet=True) as progress:
                runs[key] = run_catalog(self.path, self._options(), out=None, progress=progress)
        return runs[key]

    def _options(self) -> Options:
        from verifier.engine.options import Options

        asked = self.config.option
        return Options(
            seed=asked.verifier_seed,
            dtypes=tuple(asked.verifier_dtype),
            samples=asked.verifier_samples,
            full=asked.verifier_full,
            allow_imports=asked.verifier_allow_imports,
            entries=(self.entry,),
            workers=0,
        )

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """A mismatch and a misuse in their own words; anything else is a fault of ours, with its traceback."""
        from verifier.errors import VerifierError

        if isinstance(excinfo.value, Mismatch | VerifierError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the item stands; pytest counts lines from 0."""
        return self.path, max(0, self.line - 1), self.name


@pytest.fixture
def assert_derivatives(request: pytest.FixtureRequest) -> Callable[..., None]:
    """`verifier.assert_derivatives` with the options of the test's `derivatives` markers as defaults."""
    import verifier

    defaults: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers("derivatives"))):
        defaults |= marker.kwargs

    def check(fn: Callable[..., Any], *args: Any, **options: Any) -> None:
        verifier.assert_derivatives(fn, *args, **{**defaults, **options})

    return check
