"""Whatever the command line and the spec: a result or one sentence, never a traceback and never a secret."""

import json
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

from graphrec.characters import escape_controls
from graphrec.store import EmbeddedServer, connect

from .generated import SECRET, Lines, write_files

#: Few in the usual tests, 3,000 behind `slow`; a third of them with a store.
FEW, MANY = 60, 3_000
#: Characters that the last line of stderr may have, with the place of its message.
LONGEST = 2_600


def check(arguments: list[str]) -> str:
    """What is wrong with the result of a command line; empty if nothing is."""
    result = CliRunner().invoke(import_module("graphrec.scripts").cli, arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        return f"{type(result.exception).__name__}: {str(result.exception)[:300]}"
    last = ([line for line in result.stderr.splitlines() if line.strip()] or [""])[-1]
    if result.exit_code not in (0, 1, 2):
        return f"exit code {result.exit_code}"
    if result.exit_code and not last.startswith("Error: ") and arguments[0] != "doctor":
        return f"exit code {result.exit_code} after {last[:200]!r}"
    if len(last) > LONGEST:
        return f"a message of {len(last)} characters: {last[:100]!r}"
    if escape_controls(result.stderr, lines=True) != result.stderr:
        return f"control characters in {last[:200]!r}"
    if SECRET in result.output.replace(" ".join(arguments), ""):
        return f"a secret in {result.output[:300]!r}"
    if "--json" in arguments and result.exit_code == 0 and not {"--list", "--out"} & set(arguments):
        json.loads(result.stdout)
    return ""


def faults(lines: Lines, numbers: range) -> dict[str, str]:
    """The command lines with what is wrong."""
    found = {}
    for number in numbers:
        arguments = lines.line(number)
        if problem := check(arguments):
            found[repr([text[:80] for text in arguments])] = problem
    return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of files, in which commands run, so that relative paths lead nowhere else."""
    folder = tmp_path / "files"
    folder.mkdir()
    write_files(folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GRAPHREC_HOME", str(tmp_path / "home"))
    return folder


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment whose store does not answer, so that nothing is started."""
    monkeypatch.setenv("NEO4J_URI", f"bolt://neo4j:{SECRET}@127.0.0.1:1")


@pytest.fixture
def live(folder: Path, embedded: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001  # its home
    """An environment with the shared embedded store and a small graph in it, in the place of the home of `folder`."""
    monkeypatch.delenv("NEO4J_URI", raising=False)
    monkeypatch.setenv("GRAPHREC_HOME", str(embedded.home))
    with connect(embedded.start()) as store:
        store.write("MATCH (n) DETACH DELETE n")
        store.write(
            "UNWIND range(1, 12) AS k CREATE (:User {id: 'u' + k, keys: ['s:u' + k]}), "
            "(:Item {id: 'i' + k, keys: ['s:i' + k], title: 'Film ' + k})"
        )
        store.write(
            "MATCH (u:User), (i:Item) WHERE u.id <> i.id AND size(u.id) = size(i.id) "
            "CREATE (u)-[:RATED {rating: 4.0, timestamp: 1700000000, source: 's'}]->(i)"
        )


@pytest.mark.usefixtures("without")
def test_command_lines_without_a_store(folder: Path) -> None:
    assert faults(Lines(folder, live=False), range(FEW * 2 // 3)) == {}


@pytest.mark.usefixtures("live")
def test_command_lines_with_a_store(folder: Path) -> None:
    assert faults(Lines(folder, live=True), range(FEW // 3)) == {}


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@pytest.mark.usefixtures("without")
def test_two_thousand_command_lines_without_a_store(folder: Path) -> None:
    assert faults(Lines(folder, live=False), range(MANY * 2 // 3)) == {}


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@pytest.mark.usefixtures("live")
def test_a_thousand_command_lines_with_a_store(folder: Path) -> None:
    assert faults(Lines(folder, live=True), range(MANY // 3)) == {}
