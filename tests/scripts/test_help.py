"""Every command has help with an example, answers at once, and is documented."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
COMMANDS = sorted(path.stem for path in (ROOT / "scripts").glob("[a-z]*.py"))
HEAVY = {"torch", "neo4j", "pandas", "numpy", "scipy", "pyarrow"}


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_has_an_example_and_imports_nothing_heavy(name: str) -> None:
    arguments = [name, "--help"] if name else ["--help"]
    code = (
        "import sys; from importlib import import_module; cli = import_module('graphrec.scripts').cli\n"
        f"cli({arguments!r}, prog_name='graphrec', standalone_mode=False)\n"
        f"print(sorted({HEAVY!r} & sys.modules.keys()), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Example: graphrec" in done.stdout
    assert done.stderr.strip() == "[]"


def test_help_answers_at_once() -> None:
    def once() -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "graphrec", "train", "--help"], capture_output=True, check=True)
        return time.perf_counter() - start

    assert min(once() for _ in range(5)) < 0.4


def test_every_command_and_query_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [name for name in COMMANDS if f"graphrec {name}" not in readme]
    assert missing == []
