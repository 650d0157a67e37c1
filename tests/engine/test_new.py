"""A new entry goes into a catalog alone: nothing else of the folder or of the file is touched, nothing is dropped."""

from __future__ import annotations

import os
import stat

import pytest

from verifier.catalog.reader import read
from verifier.engine.new import add_entry
from verifier.errors import CatalogError, RunFileError, UsageError

GIVEN = {"domains": ["x=-1:1"], "name": None, "title": None, "section": None, "orders": [1], "points": []}

CATALOG = """\
format: "1.0"   # é
source: {title: T, sections: [{id: s, title: S}]}
entries:
  e:
    title: E
    section: s
    inputs: {x: {domain: [0, 1]}}
    value: x   

# the end
cheat-sheet: [row]
"""  # noqa: W291 (spaces at a line's end stay, too)


def test_an_unrelated_draft_beside_the_catalog_stays(tmp_path):
    draft = tmp_path / "n.yaml.draft"
    draft.write_text("precious draft")
    for formula in ("x**2", "x**3"):
        add_entry(tmp_path / "n.yaml", formula, **GIVEN)
    with pytest.raises(UsageError, match="would not be valid"):
        add_entry(tmp_path / "n.yaml", "x**4", **{**GIVEN, "points": ["x=5"]})
    assert draft.read_text() == "precious draft"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["n.yaml", "n.yaml.draft"]
    assert [each.id for each in read(tmp_path / "n.yaml").entries] == ["x-to-2", "x-to-3"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("rest", ["\n\n# the end\ncheat-sheet: [row]\n", "\n", ""])
def test_every_byte_and_the_line_ends_stay(tmp_path, end, rest):
    path, head = tmp_path / "n.yaml", CATALOG[: CATALOG.index("\n\n# the end")]
    head, rest = (each.replace("\n", end).encode() for each in (head, rest))
    path.write_bytes(head + rest)
    add_entry(path, "x**2", **GIVEN)
    after = path.read_bytes()
    assert after.startswith(head + rest[: len(end)])
    assert after.endswith(rest[len(end) :])
    added = after[len(head) : len(after) - len(rest)].replace(end.encode(), b"")
    assert b"x-to-2:" in added
    assert not {*b"\r\n"} & {*added}
    assert [each.id for each in read(path).entries] == ["e", "x-to-2"]


@pytest.mark.parametrize(
    ("data", "error", "said"),
    [
        (CATALOG.encode("latin-1"), UsageError, "byte 19 is not UTF-8"),
        (b"\xef\xbb\xbf" + CATALOG.encode(), CatalogError, "byte order mark"),
    ],
)
def test_what_cannot_be_read_stays_as_it_is(tmp_path, data, error, said):
    path = tmp_path / "n.yaml"
    path.write_bytes(data)
    with pytest.raises(error, match=said):
        add_entry(path, "x**2", **GIVEN)
    assert path.read_bytes() == data
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_s_permissions_and_a_link_to_it_stay(tmp_path):
    path, link = tmp_path / "n.yaml", tmp_path / "link.yaml"
    path.write_text(CATALOG)
    path.chmod(0o640)
    link.symlink_to(path)
    add_entry(link, "x**2", **GIVEN)
    assert link.is_symlink()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o640
    assert len(read(path).entries) == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"domains": ["x=-1:1", "x=0:1"]}, "--domain x=... is given more than once"),
        ({"points": ["x=5,x=5.5"]}, "--point x=5,x=5.5: x is given more than once"),
        ({"points": ["x=5, x =5.5"]}, "x is given more than once"),
    ],
)
def test_a_name_that_is_given_twice_is_refused(tmp_path, given, said):
    with pytest.raises(UsageError) as error:
        add_entry(tmp_path / "n.yaml", "x**2", **{**GIVEN, **given})
    assert said in str(error.value)
    assert not (tmp_path / "n.yaml").exists()


def test_a_pipe_holds_no_catalog(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with pytest.raises(UsageError, match="no file that a catalog could be kept in"):
        add_entry(fifo, "x**2", **GIVEN)
    assert os.listdir(tmp_path) == ["fifo"]


def test_a_catalog_that_cannot_be_written_is_one_error(tmp_path):
    with pytest.raises(RunFileError, match="cannot be written"):
        add_entry(tmp_path / f"{'long' * 62}.yaml", "x**2", **GIVEN)
