"""Every command has help with an example, answers at once, and is documented."""

import re
import shlex
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

ROOT = Path(__file__).parent.parent.parent
COMMANDS = sorted(path.stem for path in (ROOT / "scripts").glob("[a-z]*.py"))
HEAVY = {"torch", "neo4j", "pandas", "numpy", "scipy", "pyarrow"}


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_has_an_example(name: str) -> None:
    shown = CliRunner().invoke(import_module("graphrec.scripts").cli, [name, "--help"] if name else ["--help"])
    assert shown.exit_code == 0
    assert "Example: graphrec" in shown.stdout


def test_help_imports_nothing_heavy() -> None:
    """All helps in one process; what one imports is told with its name."""
    code = (
        "import sys; from importlib import import_module; cli = import_module('graphrec.scripts').cli\n"
        f"for name in {['', *COMMANDS]!r}:\n"
        "    cli([name, '--help'] if name else ['--help'], prog_name='graphrec', standalone_mode=False)\n"
        f"    print(name, sorted({HEAVY!r} & sys.modules.keys()), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert [line for line in done.stderr.splitlines() if not line.endswith("[]")] == []
    assert len(done.stderr.splitlines()) == len(COMMANDS) + 1


def test_help_answers_at_once() -> None:
    def once() -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "graphrec", "train", "--help"], capture_output=True, check=True)
        return time.perf_counter() - start

    assert min(once() for _ in range(5)) < 0.4


def test_every_command_and_query_is_documented() -> None:
    commands = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\| `graphrec (\w+)", commands, re.MULTILINE)) == COMMANDS
    queries = (ROOT / "docs" / "cypher.md").read_text(encoding="utf-8")
    names = sorted(path.stem for path in (ROOT / "cypher").glob("*.cypher"))
    assert re.findall(r"^## (\w+)$", queries, re.MULTILINE) == names


def test_every_page_is_linked_from_the_readme_or_from_a_page_that_is() -> None:
    seen, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        seen.add(page)
        links = re.findall(r"\]\((?!https?:)([^)#]+\.md)", page.read_text(encoding="utf-8"))
        waiting += {(page.parent / link).resolve() for link in links} - seen
    pages = {*(ROOT / "docs").glob("*.md"), ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"}
    assert pages - seen == set()


def _documented() -> list[str]:
    """Each line of a code block of the documentation that calls graphrec, without its comment."""
    found = []
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        blocks = re.findall(r"^```(?:sh)?\n(.*?)^```", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
        lines = [line.partition("#")[0].strip() for block in blocks for line in block.splitlines()]
        found += [line for line in lines if line.startswith("graphrec ")]
    return found


@pytest.mark.parametrize("line", _documented())
def test_documented_commands_parse(line: str) -> None:
    cli = import_module("graphrec.scripts").cli
    name, *arguments = shlex.split(line)[1:]
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    while isinstance(command, click.Group):
        command = command.get_command(click.Context(command), arguments.pop(0))
    command.make_context(name, arguments)  # raises where an option or an argument is none


def test_there_are_documented_commands() -> None:
    assert len(_documented()) >= 12


@pytest.mark.parametrize("path", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda p: p.name)
def test_links_in_the_documentation_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text(encoding="utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []
