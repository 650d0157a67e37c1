"""Writing: one line a record, nothing half-written under the final name."""

import json
from pathlib import Path

import pytest

from verifier.errors import RunFileError
from verifier.runs.records import End
from verifier.runs.writer import RunWriter

HEADER = {"kind": "header", "format": "1.0", "catalog": {"title": "Über f″"}}


def test_a_complete_run_replaces_the_file_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text("an older run")
    with RunWriter(path) as out:
        out.write(HEADER)
        assert path.read_text() == "an older run"
        out.write(End())
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["kind"] for line in lines] == ["header", "end"]
    assert "Über f″" in lines[0]
    assert [each.name for each in tmp_path.iterdir()] == ["run.jsonl"]


def test_a_writer_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text("an older run")

    def crash() -> None:
        with RunWriter(path) as out:
            out.write(HEADER)
            raise RuntimeError("the engine stopped")

    with pytest.raises(RuntimeError, match="the engine stopped"):
        crash()
    assert path.read_text() == "an older run"
    assert [each.name for each in tmp_path.iterdir()] == ["run.jsonl"]


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(RunFileError, match=r"no/run.jsonl: cannot be written \(No such file or directory\)"):
        RunWriter(tmp_path / "no" / "run.jsonl")


@pytest.mark.parametrize(
    "records", [[End()], [HEADER, HEADER], [HEADER, End(), End()], [HEADER, {"kind": "end", "extra": 1}]]
)
def test_a_mistake_of_the_writer_is_refused(tmp_path: Path, records: list[object]) -> None:
    def write() -> None:
        with RunWriter(tmp_path / "run.jsonl") as out:
            for record in records:
                out.write(record)  # type: ignore[arg-type]

    with pytest.raises(ValueError, match=r"header|end|extra"):
        write()


def test_a_run_without_an_end_is_not_finished(tmp_path: Path) -> None:
    def forget() -> None:
        with RunWriter(tmp_path / "run.jsonl") as out:
            out.write(HEADER)

    with pytest.raises(ValueError, match="ends with its `end` record"):
        forget()
    assert not (tmp_path / "run.jsonl").exists()
