"""Every command and code block of the README and the pages is run, every link leads somewhere, and what is generated is
up to date.

A page is run from top to bottom, in a folder of its own that has the shipped catalogs and pages:

- `python`: in one namespace per page, and tests that a block defines are called. `# name.py` as the first line makes
  the block a file instead, that a later block uses.
- `sh`: by bash, with `set -e`. `<!-- status: 1 -->` before the block says how it ends, if not with 0.
- `yaml`: a whole catalog is read; a part is put into the page's last whole one. `<!-- file: mine.yaml -->` before a
  block writes it to that file.
- `text`: what the `sh` block above it prints; each line must be there, and `...` stands for any lines.

`<!-- not run: why -->` before a block is the only way not to run it. `<!-- run -->` and `<!-- test -->` mark the blocks
that CI runs from the README (`.ci/run`).
"""

from __future__ import annotations

import importlib.util
import inspect
import os
import re
import subprocess
import sys
import sysconfig
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from verifier.catalog.reader import read

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]
NO_CODE = ("", "text")
IN_CI = ("run", "test")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, its text, where it begins, and what the comment before it says."""

    language: str
    text: str
    line: int
    note: str = ""

    @property
    def runs(self) -> bool:
        return self.language not in NO_CODE and not self.note.startswith("not run: ") and self.note not in IN_CI

    @property
    def file(self) -> str:
        """The name of the file that a Python block is; empty for a block that is run where it stands."""
        named = re.match(r"# (\w+\.py)\n", self.text)
        return named[1] if named and self.language == "python" else ""

    def noted(self, key: str) -> str | None:
        """The value of a note `key: value`; None where the note is another."""
        found = re.fullmatch(rf"{key}: (.+)", self.note)
        return found[1] if found else None


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a page, in order; raises ValueError for one that is not closed."""
    lines = text.splitlines()
    number, before = 0, ""
    while number < len(lines):
        line = lines[number]
        if not (fence := re.fullmatch(r"(\s*)```(\w*)", line)):
            before = line if line.strip() else before
            number += 1
            continue
        end = next((n for n in range(number + 1, len(lines)) if lines[n] == f"{fence[1]}```"), None)
        if end is None:
            raise ValueError(f"the block of line {number + 1} is not closed")
        body = textwrap.dedent("\n".join(lines[number + 1 : end])) + "\n"
        note = re.fullmatch(r"\s*<!-- (.+) -->", before)
        yield Block(fence[2], body, number + 1, note[1] if note else "")
        number, before = end + 1, ""


@dataclass
class Reader:
    """Someone who does what a page says, in a folder."""

    folder: Path
    name: str
    namespace: dict[str, Any] = field(default_factory=lambda: {"__name__": "page"})
    catalog: str = ""
    printed: str = ""

    def follow(self, text: str, languages: tuple[str, ...] = ("python", "sh", "yaml", "text")) -> None:
        """Run the blocks of a page; raises what a block raises, with the block's place noted."""
        for block in blocks(text):
            if block.language not in languages or not (block.runs or block.language == "text"):
                continue
            try:
                getattr(self, f"_{block.language}")(block)
            except BaseException as error:
                error.add_note(f"in the {block.language} block of {self.name}:{block.line}")
                raise

    def _python(self, block: Block) -> None:
        file = self.folder / (block.file or f"{Path(self.name).stem}-{block.line}.py")
        file.write_text(block.text, encoding="utf-8")
        if block.file:
            return
        before = set(self.namespace)
        exec(compile(block.text, str(file), "exec"), self.namespace)
        for test in [value for key, value in self.namespace.items() if key.startswith("test_") and key not in before]:
            assert not inspect.signature(test).parameters, "a test with fixtures: give the block a file's name"
            test()

    def _sh(self, block: Block) -> None:
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block.text],
            cwd=self.folder,
            env=environment(self.folder),
            capture_output=True,
            text=True,
            check=False,
        )
        self.printed = ran.stdout
        assert ran.returncode == int(block.noted("status") or 0), (
            f"ended with {ran.returncode}\n{ran.stdout}{ran.stderr}"
        )

    def _yaml(self, block: Block) -> None:
        whole = "format" in yaml.safe_load(block.text)
        self.catalog = block.text if whole else self._with(block.text)
        file = self.folder / (block.noted("file") or f"{Path(self.name).stem}-{block.line}.yaml")
        file.write_text(self.catalog, encoding="utf-8")
        read(file)

    def _with(self, part: str) -> str:
        """The page's catalog with further keys for its last entry, or with another entry where it has these keys."""
        entries = yaml.safe_load(self.catalog)["entries"]
        *_, (last, keys) = entries.items()
        head, own = self.catalog.split(f"  {last}:\n")
        title = "    title: a part\n    section: " + keys["section"] + "\n"
        own = title if keys.keys() & yaml.safe_load(part).keys() else own.rstrip() + "\n"
        return f"{head}  {last}:\n{own}{textwrap.indent(part, '    ')}"

    def _text(self, block: Block) -> None:
        printed = iter(" ".join(line.split()) for line in self.printed.splitlines())
        for line in (" ".join(each.split()) for each in block.text.splitlines()):
            assert line in ("", "...") or line in printed, f"not printed: {line}\n{self.printed}"


def environment(folder: Path) -> dict[str, str]:
    """As a reader has it who activated the virtual environment; what the commands keep stays in the folder."""
    path = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "XDG_CACHE_HOME": str(folder / "cache"), "COLUMNS": "120"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the shipped catalogs and pages in it, that modules are imported from."""
    for shipped in ("catalog", "docs"):
        (tmp_path / shipped).symlink_to(ROOT / shipped)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def _found(page: Path) -> list[Block]:
    return list(blocks(page.read_text(encoding="utf-8")))


def _slow_with_commands(page: Path) -> Any:
    """A page as a parameter; one with commands starts interpreters and is slow."""
    slow = [pytest.mark.slow] if any(block.language == "sh" and block.runs for block in _found(page)) else []
    return pytest.param(page, id=page.relative_to(ROOT).as_posix(), marks=slow)


@pytest.mark.parametrize("page", [_slow_with_commands(page) for page in PAGES if any(b.runs for b in _found(page))])
def test_a_page(page: Path, folder: Path) -> None:
    Reader(folder, page.name).follow(page.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_the_python_of_the_tutorial_for_functions(folder: Path) -> None:
    page = ROOT / "docs" / "tutorials" / "function.md"
    Reader(folder, page.name).follow(page.read_text(encoding="utf-8"), ("python",))


@pytest.mark.parametrize(
    "fault",
    [
        "```python\nassert 1 + 1 == 3\n```\n",
        "```python\ndef test_sum():\n    assert 1 + 1 == 3\n```\n",
        "```python\ndef test_sum(fixture):\n    pass\n```\n",
        "```sh\nfalse\ntrue\n```\n",
        "<!-- status: 1 -->\n```sh\ntrue\n```\n",
        "```sh\necho one\n```\n\n```text\ntwo\n```\n",
        '```yaml\nformat: "1.0"\nentries: {}\n```\n',
        "```python\n# gain.py\ndef gain(x):\n    return x\n```\n\n```sh\npython -c 'from gain import loss'\n```\n",
    ],
)
def test_a_false_block_is_found(fault: str, folder: Path) -> None:
    with pytest.raises(Exception) as found:  # noqa: PT011 (each fault raises its own)
        Reader(folder, "page.md").follow(f"# A page\n\nWords.\n\n{fault}")
    assert any("block of page.md:" in note for note in found.value.__notes__)


def test_a_true_page_passes(folder: Path) -> None:
    Reader(folder, "page.md").follow(
        "```python\n# gain.py\nx = 1\n```\n\n```python\nx = 2\n```\n\n```python\nassert x == 2\n```\n\n"
        "```sh\npython -c 'import gain; print(gain.x, 2)'\nls catalog/article.yaml\n```\n\n```text\n1  2\n...\n```\n\n"
        "<!-- status: 3 -->\n```sh\nexit 3\n```\n\n<!-- not run: it fails -->\n```sh\nfalse\n```\n"
    )


def test_a_part_is_read_with_its_catalog(folder: Path) -> None:
    reader = Reader(folder, "page.md")
    whole = (
        'format: "1.0"\nsource:\n  title: t\n  sections:\n    - {id: s, title: S}\n'
        "entries:\n  f:\n    title: t\n    section: s\n    inputs:\n      x: {domain: [0, 1]}\n    value: x\n"
    )
    reader.follow(f"```yaml\n{whole}```\n\n<!-- file: mine.yaml -->\n```yaml\norders: [1]\n```\n")
    assert (folder / "mine.yaml").read_text() == f"{whole}    orders: [1]\n"
    with pytest.raises(Exception, match="order"):
        reader.follow("```yaml\nordres: [1]\n```\n")


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_block_has_a_known_form(page: Path) -> None:
    known = re.compile(r"not run: \S.*|file: \S+|status: \d+|run|test")
    found = _found(page)
    for number, block in enumerate(found):
        used = any(Path(block.file).stem in each.text for each in found[number + 1 :])
        assert used or not block.file, f"{page}:{block.line}: nothing uses {block.file}"
        assert block.language in ("python", "sh", "yaml", "text", ""), f"{page}:{block.line}: no way to run this"
        if block.note in IN_CI:
            assert f"readme_command {block.note}" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
            assert page.name == "README.md"
        elif block.note and block.language:
            assert known.fullmatch(block.note) or not re.match(r"not|file|status", block.note), f"{page}:{block.line}"


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_no_code_without_a_fence(page: Path) -> None:
    """An indented block would be code that nothing runs."""
    text = re.sub(r"(?ms)^\s*```.*?^\s*```$", "", page.read_text(encoding="utf-8"))
    assert not re.search(r"(?m)^(?![ ]*[-*0-9])\S.*\n\n {4}\S", text)


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_link_leads_somewhere(page: Path) -> None:
    assert [target for target in _links(page.read_text(encoding="utf-8")) if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES[2:], ids=NAMES[2:])
def test_links_of_the_site_stay_in_the_site(page: Path) -> None:
    for target in _links(page.read_text(encoding="utf-8")):
        assert (page.parent / target).resolve().is_relative_to(ROOT / "docs"), target


def _links(text: str) -> list[str]:
    """The relative targets of links and pictures, without their anchors."""
    text = re.sub(r"(?ms)^\s*```.*?^\s*```$|`[^`\n]*`", "", text)
    found = re.findall(r"\]\(([^)\s#]+)(?:#[^)\s]*)?\)", text)
    return [each for each in found if not re.match(r"[a-z]+:", each)]


def test_a_dead_link_is_found() -> None:
    text = "[here](verdicts.md#kinks), ![](pictures/no.svg) [there](https://example.org/x) [own](#own) `a[0](1)`"
    assert _links(text) == ["verdicts.md", "pictures/no.svg"]


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """docs/generate.py, which is on no import path."""
    found = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_generated_pages_are_up_to_date(generator: ModuleType) -> None:
    for name, text in generator.pages().items():
        there = (ROOT / "docs" / name).read_text(encoding="utf-8")
        assert there == text, f"docs/{name} is old: run `python docs/generate.py`"


def test_a_new_option_makes_a_page_old(generator: ModuleType) -> None:
    import click

    @click.group()
    def main() -> None:
        """All."""

    @main.command()
    @click.argument("catalog")
    @click.option("--often", is_flag=True, help="Do it often.")
    def sing(catalog: str, often: bool) -> None:
        """Sing CATALOG."""

    text = generator.cli_page(main)
    assert "verifier sing" in text
    assert "| `--often` | Do it often." in text


@pytest.mark.slow
def test_the_site_is_built_without_a_warning_and_loads_nothing(tmp_path: Path) -> None:
    pytest.importorskip("material")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) >= len(PAGES) - 2
    for page in pages:
        assert _loaded(page.read_text(encoding="utf-8")) == []


def _loaded(html: str) -> list[str]:
    """What a browser would fetch from elsewhere for this page."""
    return re.findall(r"<(?:script|link|img|iframe)[^>]*?(?:src|href)=\"?((?:https?:)?//[^\"\s>]+)", html)


def test_a_font_from_elsewhere_is_found() -> None:
    assert _loaded('<link rel="stylesheet" href="https://fonts.example.org/css">') == ["https://fonts.example.org/css"]
    assert _loaded('<a href="https://example.org">there</a> <script src="assets/x.js"></script>') == []
