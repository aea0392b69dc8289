"""Amounts of memory as text, and the memory budget of a search."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from graphrec.errors import DataError
from graphrec.ranking.memory import parse_memory

MEASURE = Path(__file__).parent / "peak.py"
BUDGET = 256 << 20


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1024", 1024),
        ("2GiB", 2 << 30),
        ("256 MiB", 256 << 20),
        ("1.5KiB", 1536),
        ("3kb", 3000),
        ("0.5 GB", 500_000_000),
        ("7B", 7),
        (" 1mib ", 1 << 20),
    ],
)
def test_amounts_are_parsed(text: str, expected: int) -> None:
    assert parse_memory(text) == expected


@pytest.mark.parametrize("text", ["", "GiB", "2 GiBs", "-1GiB", "1,5GiB", "0", "0.2B", "two"])
def test_invalid_amounts_are_refused(text: str) -> None:
    with pytest.raises(DataError, match=f"'{text}' is no amount of memory; write a number with KiB, MiB, GiB, KB"):
        parse_memory(text)


def peak(*arguments: str) -> int:
    """The peak memory of a search besides the model and the interactions, measured in its own process."""
    done = subprocess.run([sys.executable, MEASURE, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(json.loads(done.stdout)["peak"])


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux can reset the peak of a process")
@pytest.mark.parametrize("kind", ["dense", pytest.param("filter", marks=pytest.mark.slow)])
def test_the_budget_holds(kind: str) -> None:
    """5,000 users and 40,000 items; a model with a full sparse product, and graph_filter."""
    assert peak(kind, str(BUDGET)) < BUDGET


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux can reset the peak of a process")
def test_the_budget_holds_on_gowalla(data_root: Path) -> None:
    folder = data_root / "gowalla"
    if not folder.exists():
        pytest.skip(f"no Gowalla in {data_root}")
    assert peak("gowalla", str(BUDGET), str(folder)) < BUDGET
