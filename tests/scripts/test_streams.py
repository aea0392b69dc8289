"""Any terminal, and stdout and stderr that are full, closed or broken."""

import io
import json
import operator
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from graphrec.errors import GraphrecError

#: Everything that commands print by their own, in one command that needs no store.
LIST = ("query", "--list")
PRINT = "from graphrec.scripts import _streams, _terminal; _streams.prepare(); "


def graphrec(*arguments: str, **options: Any) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run([sys.executable, "-m", "graphrec", *arguments], check=False, **options)


def printed(code: str, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    """What a few lines of Python print with the commands' own functions."""
    variables = {**os.environ, **environment}
    code = "".join(sign if sign.isascii() else f"\\u{ord(sign):04x}" for sign in code)
    return subprocess.run([sys.executable, "-c", PRINT + code], capture_output=True, env=variables, check=True)


ENCODINGS = {
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "strict ascii": {"PYTHONIOENCODING": "ascii:strict"},
    "no locale": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "western Windows": {"PYTHONIOENCODING": "cp1252"},
    "Windows console": {"PYTHONIOENCODING": "cp437"},
    "western Windows console": {"PYTHONIOENCODING": "cp850"},
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_tables_notes_and_json_on_terminals_with_few_characters(name: str) -> None:
    done = printed(
        "_terminal.print_table('Zoë – 日本', ['a', '→'], [['…', '✓'], ['日', None], ['\\udcff', 'é\\x1b[31m']]); "
        "_terminal.note('naïve → “日”'); _terminal.say('• ≥ 日'); "
        "_terminal.print_json({'é日\\udcff': [float('nan'), '→']})",
        **ENCODINGS[name],
    )
    encoding = ENCODINGS[name].get("PYTHONIOENCODING", "ascii").partition(":")[0]
    text, brace, rest = done.stdout.decode(encoding).rpartition("{")
    told = done.stderr.decode(encoding)
    assert {"+", "|", "-"} <= set(text)  # rich's plain drawing
    assert "->" in text
    assert "->" in told
    assert "?" in text
    assert "\x1b" not in text
    assert "* >= ?" in text or "• ≥ ?" in text or "* ≥ ?" in text or "• >= ?" in text
    lines = [line for line in text.splitlines() if line.startswith(("|", "+"))]
    assert len({len(line) for line in lines}) == 1, text  # replaced before columns are measured
    assert json.loads(brace + rest) == {"é日\udcff": [None, "→"]}


def test_json_of_any_value_is_valid_in_utf_8() -> None:
    done = printed("_terminal.print_json({'é日': [float('inf'), '\\udcff']})", PYTHONIOENCODING="utf-8")
    assert json.loads(done.stdout.decode("utf-8")) == {"é日": [None, "\udcff"]}
    done = printed("_terminal.print_json('é日')", PYTHONIOENCODING="utf-8")
    assert done.stdout.decode("utf-8").strip() == '"é日"'


def test_csv_says_what_an_encoding_lacks() -> None:
    done = printed("_terminal.print_csv(['a'], [{'a': 'é'}, {'a': '日'}])", PYTHONIOENCODING="latin-1")
    assert done.stdout.decode("latin-1").splitlines() == ["a", "é", "?"]
    assert b"1 cells have characters that" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize(
    "arguments",
    [
        *((*LIST, form) for form in ("--json", "--csv")),
        *(pytest.param(each, marks=pytest.mark.slow) for each in (LIST, ("--help",), ("--version",))),
    ],
)
def test_a_full_stdout_is_one_sentence(arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = graphrec(*arguments, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert done.stderr.decode() == "Error: the output cannot be written to stdout: No space left on device\n"


@pytest.mark.skipif(os.name != "posix", reason="a shell that closes streams")
def test_streams_that_are_closed() -> None:
    command = f"{sys.executable} -m graphrec"
    done = subprocess.run(f"{command} query --list --csv >&-", shell=True, capture_output=True, check=False)
    assert done.returncode == 1
    assert done.stderr.decode() == "Error: the output cannot be written to stdout: Bad file descriptor\n"
    done = subprocess.run(f"{command} nonsense 2>/dev/full", shell=True, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (2, b"")
    done = subprocess.run(f"{command} query nonsense >&- 2>&-", shell=True, check=False)
    assert done.returncode == 1


@pytest.mark.skipif(os.name != "posix", reason="pipes whose reader has gone")
def test_a_reader_that_has_gone_hears_nothing_and_the_exit_code_says_so() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = graphrec(*LIST, stdout=writer, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (141, b"")
    done = graphrec("query", "nonsense", stdout=subprocess.PIPE, stderr=writer)
    assert (done.returncode, done.stdout) == (1, b"")
    os.close(writer)


def fail(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> tuple[int, str]:
    """Exit code and stderr of `graphrec query` where it fails by this error."""
    from graphrec.store import queries

    def raises(*_: object) -> list[str]:
        raise error

    monkeypatch.setattr(queries, "names", raises)
    result = CliRunner().invoke(import_module("graphrec.scripts").cli, list(LIST))
    assert isinstance(result.exception, SystemExit), result.exc_info
    return result.exit_code, result.stderr.strip()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (GraphrecError("a\nb postgresql://u:p@h"), "Error: a\\nb postgresql://***@h"),
        (PermissionError(13, "Permission denied", "/x/y"), "Error: /x/y: Permission denied"),
        (MemoryError(), "Error: the machine has too little free memory; end other programs"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "Error: the machine has too little free memory;"),
    ],
)
def test_errors_of_the_system_are_sentences(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, message: str
) -> None:
    code, told = fail(monkeypatch, error)
    assert code == 1
    assert told.startswith(message)


def test_an_error_that_nobody_foresaw_is_told_and_its_traceback_has_no_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failures = import_module("graphrec.scripts._failures")
    with pytest.raises(KeyError) as caught:
        operator.getitem(dict[str, str](), "postgresql://u:s3cret@h/d")
    assert failures.report_unexpected(caught.value) == 1
    told = capsys.readouterr().err
    assert "unexpected KeyError in test_streams.py" in told
    assert "report it" in told
    assert "Traceback" not in told
    monkeypatch.setenv("GRAPHREC_DEBUG", "1")
    assert failures.report_unexpected(caught.value) == 1
    whole = capsys.readouterr().err
    assert "Traceback" in whole
    assert "s3cret" not in told + whole


def test_messages_of_wrong_usage_are_short() -> None:
    cli = import_module("graphrec.scripts").cli
    for arguments in (
        ["x" * 100_000],
        ["train", "--" + "x" * 100_000],
        ["query", "--param", "\n" * 50_000],
        ["-" + "y" * 9_999],
    ):
        result = CliRunner().invoke(cli, arguments)
        assert result.exit_code == 2
        assert len(result.stderr) < 4_000


def test_an_odd_stream_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    streams = import_module("graphrec.scripts._streams")
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    streams.prepare()
    assert streams.can_encode("日")
    assert streams.finish(0) == 0
