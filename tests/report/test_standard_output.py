"""What is printed arrives, or is one error; no encoding, no closed pipe and no run file makes it something else."""

import io
import os

import pytest

from verifier.errors import RunFileError
from verifier.report import printing
from verifier.report.standard_output import harmless, say


@pytest.fixture
def to(monkeypatch):
    """to(binary, encoding) -> standard output is that."""

    def redirect(binary, encoding="utf-8"):
        monkeypatch.setattr("sys.stdout", io.TextIOWrapper(binary, encoding=encoding))
        return binary

    return redirect


@pytest.mark.parametrize(
    ("encoding", "printed"),
    [("utf-8", "5…\U0001d518".encode()), ("cp1252", b"5\x85\\U0001d518"), ("latin-1", b"5\\u2026\\U0001d518")],
)
def test_a_letter_that_the_encoding_lacks_is_escaped(to, encoding, printed):
    binary = to(io.BytesIO(), encoding)
    say("5…\U0001d518", end="")
    assert binary.getvalue() == printed


def test_ascii_alone_is_no_reason_to_fail(to):
    binary = to(io.BytesIO(), "ascii")
    say("a…")
    assert b"a" in binary.getvalue()


def test_a_closed_standard_output_shows_nothing(monkeypatch):
    monkeypatch.setattr("sys.stdout", None)
    say("text")
    printing.write_out(lambda width, colour: f"{width} {colour}")


def test_who_stops_reading_stops_nothing(to):
    reading, writing = os.pipe()
    os.close(reading)
    with to(os.fdopen(writing, "wb")):
        say("text")
        say("more")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
def test_a_full_disk_is_one_error(to):
    with open("/dev/full", "wb", buffering=0) as full:
        to(full)
        with pytest.raises(RunFileError, match="standard output: cannot be written"):
            say("text")


def test_a_terminal_that_is_0_wide_shows_as_much_as_a_file(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr("os.get_terminal_size", lambda: os.terminal_size((0, 0)))
    printing.write_out(lambda width, colour: f"{width}")
    assert capsys.readouterr().out == f"{printing.PIPED_WIDTH}"


def test_what_steers_a_terminal_is_a_mark():
    assert harmless("a\x1b[2J\x07\u202eb\n", but="\n") == "a\ufffd[2J\ufffd\ufffdb\n"
