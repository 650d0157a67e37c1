"""The command line: `verifier run`, `report`, `check`, `primitives`, `schema`.

Exit status, the first that applies: 130 interrupted, 2 usage, 3 catalog invalid, 1 unacknowledged findings, 4 something
could not be judged, 0.
Heavy libraries are imported inside the commands, so that `--help` and shell completion stay fast.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING

import click

from verifier import __version__
from verifier.errors import VerifierError

if TYPE_CHECKING:
    from verifier.engine.options import Options
    from verifier.runs.reader import Run

__all__ = ["main"]

_DTYPES = ("float64", "float32", "bfloat16", "float16")


_TIMEOUT_HELP = "Seconds for one entry; 0 for no limit."
_MEMORY_HELP = "Memory for one entry; by default a share of the machine's, 0 for no limit."
_LIMIT = click.FloatRange(min=0)
_INTERRUPTED = 130


def _in_a_folder(context: click.Context, option: click.Parameter, path: Path | None) -> Path | None:
    """A file that is to be written: refused before anything runs where it has no name or its folder is missing."""
    if path is not None and not path.name:
        raise click.BadParameter("name a file")
    if path is not None and path.suffix == ".gz":
        raise click.BadParameter(
            "files are written as they are; leave .gz out, and compress the file when it is complete"
        )
    if path is not None and not path.parent.is_dir():
        raise click.BadParameter(f"there is no folder {path.parent}; make it first")
    return path


def _a_number(context: click.Context, option: click.Parameter, value: float | None) -> float | None:
    if value is not None and isnan(value):
        raise click.BadParameter("nan is no number; 0 is no limit")
    return value


def _check_files(outputs: Mapping[str, Path | None], inputs: Mapping[str, Path | None]) -> None:
    """Before anything is computed: every output can be written, and takes the place of nothing that is needed."""
    from verifier.runs.journal import journal_of
    from verifier.runs.placing import is_stream, require_apart, require_writable

    written = {name: path for name, path in outputs.items() if path is not None}
    out = written.get("--out")
    beside = {} if out is None or is_stream(out) else {"the journal of --out": journal_of(out)}
    require_apart(written | beside, {name: path for name, path in inputs.items() if path is not None})
    for path in written.values():
        require_writable(path)


def _entries_of_catalog(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Completion in the shell: the ids of the catalog that stands on the command line, as far as it can be read."""
    from verifier.catalog.reader import read

    # Behind an option that still waits for its value click has not yet given the words before it to the arguments.
    words = [context.params.get("catalog"), *context.args]
    try:
        entries = read(next(filter(None, words))).entries
    except (StopIteration, VerifierError):
        return []
    return [each.id for each in entries if each.id.startswith(incomplete)]


_ENTRIES_HELP = "Only this entry (repeatable)."
_FILE = click.Path(dir_okay=False, path_type=Path)
_FORMS = (
    ("html", "the agreement report"),
    ("junit", "JUnit XML"),
    ("sarif", "SARIF 2.1.0"),
    ("markdown", "a summary in Markdown"),
)


def _outputs(command: Callable[..., None]) -> Callable[..., None]:
    """The options for the forms in which a run can be written."""
    command = click.option("--github", is_flag=True, help="Print GitHub annotations (workflow commands).")(command)
    for form, what in reversed(_FORMS):
        option = click.option(f"--{form}", type=_FILE, callback=_in_a_folder, help=f"Write {what} here.")
        command = option(command)
    return command


def _write(run_file: Run, catalog: str, *, github: bool, **files: Path | None) -> list[Path]:
    """Write a run in the forms that are asked for; returns the files."""
    from verifier.report import outputs

    written = {form: path for form, path in files.items() if path is not None}
    for form, path in written.items():
        outputs.write(run_file, form, path, catalog)
    if github:
        _emit(outputs.FORMS["github"](run_file, catalog))
    return list(written.values())


def _say(text: str) -> None:
    """Print a text and a newline for people; what a run file or a catalog has a say in steers no terminal."""
    from verifier.report.standard_output import harmless, say

    say(harmless(text, but="\n\t"))


def _emit(text: str) -> None:
    """Print a text for programs as it is."""
    from verifier.report.standard_output import say

    say(text, end="")


def _tell(text: str) -> None:
    """As `_say`, to standard error."""
    from verifier.report.standard_output import harmless

    click.echo(harmless(text, but="\n\t"), err=True)


class _Commands(click.Group):
    """A group that turns this package's errors into one clear message and the documented exit status."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except VerifierError as error:
            _tell(str(error))
            ctx.exit(error.exit_status)
        except KeyboardInterrupt:
            _tell("interrupted")
            ctx.exit(_INTERRUPTED)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="verifier")
def main() -> None:
    """Verify derivatives with proof: certified truth, no tolerances."""


@main.command()
@click.argument("catalog", type=_FILE)
@click.option("--out", type=_FILE, callback=_in_a_folder, help="Write the run file (JSON lines) here.")
@_outputs
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="The seed of every sample.")
@click.option("--dtype", "dtypes", type=click.Choice(_DTYPES), multiple=True, help="Only this dtype (repeatable).")
@click.option("--device", "devices", multiple=True, metavar="NAME", help="Only this device (repeatable).")
@click.option("--program", "programs", multiple=True, metavar="NAME", help="Only this program (repeatable).")
@click.option("--entry", "entries", multiple=True, metavar="ID", shell_complete=_entries_of_catalog, help=_ENTRIES_HELP)
@click.option("--samples", type=click.IntRange(min=0), help="Points to sample per entry.")
@click.option("--allow-imports", is_flag=True, help="Import and run the programs that CATALOG names.")
@click.option("--full", is_flag=True, help="Run every program in every dtype on every device.")
@click.option("--workers", type=click.IntRange(min=0), help="How many processes; by default chosen by the machine.")
@click.option("--executor", metavar="dask://HOST:PORT", help="Verify on the workers of this Dask cluster.")
@click.option("--timeout", type=_LIMIT, callback=_a_number, default=1800.0, show_default=True, help=_TIMEOUT_HELP)
@click.option("--memory", type=_LIMIT, callback=_a_number, metavar="GIB", help=_MEMORY_HELP)
@click.option("--resume", is_flag=True, help="Continue the run that --out's journal holds.")
@click.option("--fresh", is_flag=True, help="Verify again what an earlier run has found.")
@click.option("--cache/--no-cache", default=True, help="Keep and reuse finished entries in the user's cache folder.")
@click.option("--compilation-cache", is_flag=True, help="Keep and reuse XLA's compiled programs, too.")
@click.option("--baseline", type=_FILE, help="A run file: fail only on findings that it does not have.")
@click.option("--quiet", is_flag=True, help="Show no progress and no summary, only errors.")
def run(
    catalog: Path,
    out: Path | None,
    html: Path | None,
    junit: Path | None,
    sarif: Path | None,
    markdown: Path | None,
    github: bool,
    baseline: Path | None,
    quiet: bool,
    **options: object,
) -> None:
    """Verify every derivative and every claim of CATALOG."""
    from verifier.engine.progress import Progress
    from verifier.engine.run import run_catalog

    outputs = {"--out": out, "--html": html, "--junit": junit, "--sarif": sarif, "--markdown": markdown}
    _check_files(outputs, {"the catalog": catalog, "the baseline": baseline})
    known = _read(baseline)
    with _told_what_is_kept(out), Progress(quiet=quiet) as progress:
        run_file = run_catalog(catalog, _options(options), out=out, progress=progress)
    files = _write(run_file, str(catalog), html=html, junit=junit, sarif=sarif, markdown=markdown, github=github)
    if not quiet:
        _print_summary(run_file, [*([out] if out else []), *files])
    sys.exit(run_file.end.exit_status if known is None else _against(known, run_file, quiet=quiet))


@contextmanager
def _told_what_is_kept(out: Path | None) -> Iterator[None]:
    """Where a run with a file is interrupted, say what is kept of it."""
    from verifier.runs.journal import journal_of

    try:
        yield
    except KeyboardInterrupt:
        if out is not None and journal_of(out).exists():
            kept = f"{journal_of(out)} keeps what is finished"
            _tell(f"{kept}: go on with --resume, or read it with `verifier report`")
        raise


def _read(run_file: Path | None) -> Run | None:
    from verifier.runs.reader import read

    return None if run_file is None else read(run_file)


def _against(baseline: Run, run_file: Run, *, quiet: bool) -> int:
    """The exit status where only what the baseline does not have counts; says what that is."""
    from verifier.compare.differences import compare as compare_runs
    from verifier.compare.differences import new_findings, new_questions
    from verifier.compare.text import line

    comparison = compare_runs(baseline, run_file)
    found, open_ones = new_findings(comparison), new_questions(comparison)
    if not quiet:
        _say(f"Against the baseline: {len(found)} new findings, {len(open_ones)} newly undecided.")
        for each in (*found, *open_ones):
            _say(f"  {each.subject.entry}: {line(each)}")
    return 1 if found else 4 if open_ones or not run_file.judged else 0


def _options(options: dict[str, object]) -> Options:
    from verifier.engine.options import Options

    timeout = options.pop("timeout")
    return Options(timeout=timeout or None, **options)  # type: ignore[arg-type]


@main.command()
@click.argument("run_file", type=_FILE)
@_outputs
def report(run_file: Path, github: bool, **files: Path | None) -> None:
    """Write RUN_FILE as an agreement report, or in a form that continuous integration reads.

    RUN_FILE may be the journal of a run that was cut off.
    """
    from verifier.runs.journal import read_any

    if not github and not any(files.values()):
        raise click.UsageError(f"name what to write: {', '.join(f'--{form}' for form, _ in _FORMS)} or --github")
    _check_files({f"--{form}": path for form, path in files.items()}, {"the run file": run_file})
    run = read_any(run_file)
    for path in _write(run, run.header.catalog.file, github=github, **files):
        _say(f"wrote {path}")


@main.command()
@click.argument("formula")
@click.option("--domain", "domains", multiple=True, metavar="NAME=LOW:HIGH", help="An input's domain (repeatable).")
@click.option("--out", type=_FILE, callback=_in_a_folder, required=True, help="The catalog to add the entry to.")
@click.option("--id", "name", help="The entry's id; by default made of the formula.")
@click.option("--title", help="What the entry is about; by default the formula.")
@click.option("--section", help="The section it belongs to; by default the catalog's last.")
@click.option("--order", "orders", type=click.IntRange(min=1), multiple=True, help="A derivative order (repeatable).")
@click.option("--point", "points", multiple=True, metavar="NAME=VALUE[,NAME=VALUE]", help="A point (repeatable).")
def new(
    formula: str,
    domains: tuple[str, ...],
    out: Path,
    name: str | None,
    title: str | None,
    section: str | None,
    orders: tuple[int, ...],
    points: tuple[str, ...],
) -> None:
    """Add an entry for FORMULA to a catalog, and verify it at once.

    For example: verifier new "tanh(x)**2" --domain x=-10:10 --out mine.yaml
    """
    from verifier.engine.new import add_entry
    from verifier.engine.options import Options
    from verifier.engine.progress import Progress
    from verifier.engine.run import run_catalog

    _check_files({"--out": out}, {})
    entry = add_entry(
        out, formula, domains=domains, name=name, title=title, section=section, orders=orders or (1, 2), points=points
    )
    _say(f"added {entry} to {out}")
    with Progress(quiet=False) as progress:
        run_file = run_catalog(out, Options(entries=(entry,)), out=None, progress=progress)
    _print_summary(run_file, [])
    sys.exit(run_file.end.exit_status)


@main.command()
@click.argument("catalog", type=_FILE)
@click.argument("entry", shell_complete=_entries_of_catalog)
@click.option("--at", "at", multiple=True, metavar="NAME=VALUE", help="The point; by default the first declared one.")
@click.option("--order", "orders", type=click.IntRange(min=0), multiple=True, help="A derivative order (repeatable).")
@click.option("--dtype", type=click.Choice(_DTYPES), default="float32", show_default=True, help="The dtype.")
@click.option("--program", "programs", multiple=True, metavar="NAME", help="A program, such as grad (repeatable).")
def explain(
    catalog: Path, entry: str, at: tuple[str, ...], orders: tuple[int, ...], dtype: str, programs: tuple[str, ...]
) -> None:
    """Print the mathematics of ENTRY, and its programs equation by equation with their local errors."""
    from verifier.engine.explain import explained

    _say(explained(catalog, entry, at=at, dtype=dtype, orders=orders or (1,), programs=programs))


@main.command()
@click.argument("function", metavar="MODULE:FUNCTION")
@click.option("--at", "at", multiple=True, required=True, metavar="NAME=VALUE", help="An argument: x=0.5, v=[1,2].")
@click.option("--order", "orders", type=click.IntRange(min=0), multiple=True, help="A derivative order (repeatable).")
@click.option("--dtype", "dtypes", type=click.Choice(_DTYPES), multiple=True, help="A dtype (repeatable).")
@click.option("--program", "programs", multiple=True, metavar="NAME", help="Only this program (repeatable).")
@click.option("--formula", help="What the function is meant to be, in the catalog's language.")
def check(
    function: str,
    at: tuple[str, ...],
    orders: tuple[int, ...],
    dtypes: tuple[str, ...],
    programs: tuple[str, ...],
    formula: str | None,
) -> None:
    """Check the derivatives of your own JAX function at a point; this imports MODULE.

    Exit status 1 when something is wrong, 4 when something could not be decided or run.
    """
    from verifier.checking.check import check as check_function
    from verifier.checking.named import arguments_at, imported, told_what_it_raises

    fn = imported(function)
    arguments = arguments_at(fn, at)
    with told_what_it_raises(function):
        result = check_function(
            fn,
            *arguments,
            orders=orders or (1,),
            dtypes=dtypes or ("float64",),
            programs=programs or None,
            formula=formula,
        )
    _say(str(result))
    sys.exit(0 if result.ok else 1 if result.is_wrong else 4)


@main.command()
@click.argument("old", type=_FILE)
@click.argument("new", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
@click.option("--html", type=_FILE, callback=_in_a_folder, help="Write the comparison as a page here.")
def compare(old: Path, new: Path, as_json: bool, html: Path | None) -> None:
    """Say what changed from run file OLD to run file NEW; exit status 1 when something got worse."""
    from verifier.compare import text
    from verifier.compare.differences import compare as compare_runs
    from verifier.runs.reader import read

    _check_files({"--html": html}, {"the run file": old, "the newer run file": new})
    before, after = read(old), read(new)
    comparison = compare_runs(before, after)
    if html is not None:
        from verifier.compare.html import render
        from verifier.report.html import write_page

        write_page(render(comparison, after.header.catalog.title), html)
    if as_json:
        _emit(text.as_json(comparison))
    else:
        _say(text.as_text(comparison))
    sys.exit(1 if comparison.got_worse else 0)


@main.command()
@click.argument("run_files", type=_FILE, nargs=-1, required=True)
@click.option("--out", type=_FILE, callback=_in_a_folder, required=True, help="Write the joined run file here.")
def merge(run_files: tuple[Path, ...], out: Path) -> None:
    """Join RUN_FILES of one catalog, made on different machines, devices or JAX versions, into one."""
    from verifier.runs.merging import merged
    from verifier.runs.reader import read
    from verifier.runs.writer import RunWriter

    _check_files({"--out": out}, {f"run file {number}": each for number, each in enumerate(run_files, 1)})
    found = merged([read(each) for each in run_files])
    with RunWriter(out) as writer:
        for record in found:
            writer.write(record)
    _say(f"wrote {out}")


@main.command()
@click.argument("database", type=_FILE)
@click.argument("run_files", type=_FILE, nargs=-1)
@click.option("--entry", "entries", multiple=True, metavar="ID", help=_ENTRIES_HELP)
def history(database: Path, run_files: tuple[Path, ...], entries: tuple[str, ...]) -> None:
    """Add RUN_FILES to the history in DATABASE (SQLite), and print how many bits each entry lost over time."""
    from verifier.compare.history import remember, trends
    from verifier.compare.text import trend_text
    from verifier.runs.reader import read

    if run_files:
        added = remember(database, [read(each) for each in run_files])
        _tell(f"{added} of {len(run_files)} runs added to {database}")
    _say(trend_text(trends(database, entries=entries)))


@main.command()
def doctor() -> None:
    """Print versions, devices and caches, and what is missing; exit status 1 when nothing could be verified so."""
    from verifier.engine.doctor import examine, text
    from verifier.engine.run import PRELOAD

    lines = examine(PRELOAD)
    _emit(text(lines))
    sys.exit(1 if any(line.fault for line in lines) else 0)


@main.command()
@click.argument("run_file", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def coverage(run_file: Path, as_json: bool) -> None:
    """Say what RUN_FILE covers: its source, JAX's rules by order, programs by dtype and device; and every gap."""
    from verifier.report import coverage_text
    from verifier.runs.reader import read

    found = read(run_file)
    if as_json:
        _emit(f"{coverage_text.as_json(found)}\n")
    else:
        coverage_text.print_coverage(found)


@main.command()
def primitives() -> None:
    """List JAX's primitives: which number systems have a rule, and the reason for each gap."""
    from verifier.truth.primitives import primitives_table

    for row in primitives_table():
        systems = " ".join(name for name in ("ball", "germ") if getattr(row, name))
        _say(f"{row.name:<28} {systems or '-':<10} {row.reason}".rstrip())


@main.command()
def schema() -> None:
    """Print the JSON Schema of catalogs, for editors."""
    from verifier.catalog.schema import schema_text

    _emit(schema_text())


def _print_summary(run_file: Run, files: list[Path]) -> None:
    from verifier.report.terminal import print_summary

    print_summary(run_file, files)
