"""The command line: `verifier run`, `report`, `check`, `primitives`, `schema`.

Exit status, the first that applies: 2 usage, 3 catalog invalid, 1 unacknowledged findings, 4 something could not be
judged, 0.
Heavy libraries are imported inside the commands, so that `--help` and shell completion stay fast.
"""

from __future__ import annotations

import sys
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


def _in_a_folder(context: click.Context, option: click.Parameter, path: Path | None) -> Path | None:
    """A file that is to be written: refused before anything runs where its folder is missing."""
    if path is not None and not path.parent.is_dir():
        raise click.BadParameter(f"there is no folder {path.parent}; make it first")
    return path


_FILE = click.Path(dir_okay=False, path_type=Path)


class _Commands(click.Group):
    """A group that turns this package's errors into one clear message and the documented exit status."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except VerifierError as error:
            click.echo(str(error), err=True)
            ctx.exit(error.exit_status)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="verifier")
def main() -> None:
    """Verify derivatives with proof: certified truth, no tolerances."""


@main.command()
@click.argument("catalog", type=_FILE)
@click.option("--out", type=_FILE, callback=_in_a_folder, help="Write the run file (JSON lines) here.")
@click.option("--html", type=_FILE, callback=_in_a_folder, help="Write the agreement report here.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="The seed of every sample.")
@click.option("--dtype", "dtypes", type=click.Choice(_DTYPES), multiple=True, help="Only this dtype (repeatable).")
@click.option("--device", "devices", multiple=True, metavar="NAME", help="Only this device (repeatable).")
@click.option("--program", "programs", multiple=True, metavar="NAME", help="Only this program (repeatable).")
@click.option("--entry", "entries", multiple=True, metavar="ID", help="Only this entry (repeatable).")
@click.option("--samples", type=click.IntRange(min=0), help="Points to sample per entry.")
@click.option("--full", is_flag=True, help="Run every program in every dtype on every device.")
@click.option("--workers", type=click.IntRange(min=1), help="How many processes; by default chosen by the machine.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), help="Seconds for one entry.")
@click.option("--quiet", is_flag=True, help="Show no progress and no summary, only errors.")
def run(catalog: Path, out: Path | None, html: Path | None, quiet: bool, **options: object) -> None:
    """Verify every derivative and every claim of CATALOG."""
    from verifier.engine.progress import Progress
    from verifier.engine.run import run_catalog

    with Progress(quiet=quiet) as progress:
        run_file = run_catalog(catalog, _options(options), out=out, progress=progress)
    if html is not None:
        _write_html(run_file, html)
    if not quiet:
        _print_summary(run_file, [path for path in (out, html) if path is not None])
    sys.exit(run_file.end.exit_status)


def _options(options: dict[str, object]) -> Options:
    from verifier.engine.options import Options

    return Options(**options)  # type: ignore[arg-type]


@main.command()
@click.argument("run_file", type=_FILE)
@click.option("--html", type=_FILE, callback=_in_a_folder, required=True, help="Write the agreement report here.")
def report(run_file: Path, html: Path) -> None:
    """Write the HTML agreement report of RUN_FILE."""
    from verifier.runs.reader import read

    _write_html(read(run_file), html)
    click.echo(f"wrote {html}")


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
    """Check the derivatives of your own JAX function at a point; this imports MODULE."""
    from verifier.checking.check import check as check_function
    from verifier.checking.named import arguments_at, imported

    fn = imported(function)
    result = check_function(
        fn,
        *arguments_at(fn, at),
        orders=orders or (1,),
        dtypes=dtypes or ("float64",),
        programs=programs or None,
        formula=formula,
    )
    click.echo(str(result))
    sys.exit(0 if result.ok else 1)


@main.command()
def primitives() -> None:
    """List JAX's primitives: which number systems have a rule, and the reason for each gap."""
    from verifier.truth.primitives import primitives_table

    for row in primitives_table():
        systems = " ".join(name for name in ("ball", "germ") if getattr(row, name))
        click.echo(f"{row.name:<28} {systems or '-':<10} {row.reason}".rstrip())


@main.command()
def schema() -> None:
    """Print the JSON Schema of catalogs, for editors."""
    from verifier.catalog.schema import schema_text

    click.echo(schema_text(), nl=False)


def _write_html(run_file: Run, html: Path) -> None:
    from verifier.report.html import write_report

    write_report(run_file, html)


def _print_summary(run_file: Run, files: list[Path]) -> None:
    from verifier.report.terminal import print_summary

    print_summary(run_file, files)
