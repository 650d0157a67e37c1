"""New entries: valid YAML, and nothing else of a catalog touched."""

import pytest

from verifier.catalog.reader import read
from verifier.catalog.writing import NewEntry, added, entry_ids, formula_text, fresh, identity, section_of
from verifier.errors import UsageError

ENTRY = NewEntry(
    id="tanh-x", title="tanh(x)", value="tanh(x)", domains={"x": ("-10", "10")}, points=[{"x": "0.5"}, {"x": "pi/4"}]
)

CATALOG = """\
# A comment at the top.
format: "1.0"   # and one at the side
source:
  title: "S"
  sections:
    - {id: one, title: "One"}
    - {id: two, title: "Two"}
entries:
    # indented by four
    square:
        title: "x squared"
        section: one
        inputs: {x: {domain: [-1, 1]}}
        orders: [1]   # only the first
        value: x**2

# about the sheet
cheat-sheet: [row]
"""


def write(tmp_path, text):
    path = tmp_path / "c.yaml"
    path.write_text(text)
    return path


def test_a_fresh_catalog_reads_back(tmp_path):
    catalog = read(write(tmp_path, fresh(ENTRY, "My: functions # all")))
    assert catalog.source.title == "My: functions # all"
    (entry,) = catalog.entries
    assert (entry.id, entry.value.text, entry.orders) == ("tanh-x", "tanh(x)", (1, 2))
    assert [dict(at)["x"].text for at in entry.points] == ["0.5", "pi/4"]


def test_an_entry_is_added_after_the_last_and_every_other_line_stays(tmp_path):
    text = added(CATALOG, ENTRY, section_of(CATALOG, "c.yaml"), "c.yaml")
    catalog = read(write(tmp_path, text))
    assert [each.id for each in catalog.entries] == ["square", "tanh-x"]
    assert catalog.entries[1].section == "two"
    new = ENTRY.text("two", "    ").splitlines()
    assert [line for line in text.splitlines() if line and line not in new] == [
        line for line in CATALOG.splitlines() if line
    ]
    assert "value: x**2\n\n    tanh-x:\n" in text
    assert "\n\n# about the sheet\ncheat-sheet: [row]\n" in text


@pytest.mark.parametrize("end", ["", "\n", "\n\n\n"])
def test_the_end_of_the_file_does_not_matter(tmp_path, end):
    text = CATALOG[: CATALOG.index("\n\n# about")] + end
    catalog = read(write(tmp_path, added(text, ENTRY, "one", "c.yaml")))
    assert [each.id for each in catalog.entries] == ["square", "tanh-x"]


@pytest.mark.parametrize("title", ["plain", "yes", "a: b", "a #b", '"quoted"', "- x", "1e-3", "{x}", "in: it", "é ∂"])
def test_every_title_reads_back(tmp_path, title):
    entry = NewEntry(id="e", title=title, value="x", domains={"x": ("0", "1")})
    (found,) = read(write(tmp_path, fresh(entry, "T"))).entries
    assert found.title == title


def test_identities_are_ids_and_unique():
    assert identity("tanh(x)**2") == "tanh-x-to-2"
    assert identity("x/y") == "x-over-y"
    assert identity("x", ["x", "x-2"]) == "x-3"
    assert identity("+") == "plus"
    assert len(identity("sin(" * 40 + "x" + ")" * 40)) <= 48


def test_what_is_no_catalog_is_refused():
    with pytest.raises(UsageError, match="no catalog"):
        added("- 1\n", ENTRY, "s", "c.yaml")
    with pytest.raises(UsageError, match="no `entries`"):
        added('format: "1.0"\n', ENTRY, "s", "c.yaml")
    with pytest.raises(UsageError, match="no section"):
        section_of('format: "1.0"\n', "c.yaml")


def test_ids_and_quoting():
    assert entry_ids(CATALOG, "c.yaml") == ("square",)
    assert formula_text("x**2 + 1") == "x**2 + 1"
    assert formula_text("*x") == '"*x"'
