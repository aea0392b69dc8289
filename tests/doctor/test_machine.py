"""The doctor's checks of the machine: each finds its planted defect and is silent without it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from graphrec.atomic_write import partial_name
from graphrec.doctor import FAILED, OK, WARNING, Finding, machine
from graphrec.doctor.machine import GB, Requirement
from graphrec.evaluation.memory_estimate import Shape

LINES = ["numpy>=2.0", "psycopg[binary]>=3.2; extra == 'sql'", 'ruff>=0.12; extra == "dev"', "click"]


def test_requirements_are_read_from_the_lines_of_a_package() -> None:
    assert machine.parse_requirements(LINES) == [
        Requirement("numpy", "2.0", ""),
        Requirement("psycopg", "3.2", "sql"),
        Requirement("ruff", "0.12", "dev"),
        Requirement("click", "", ""),
    ]


@pytest.mark.parametrize(
    ("found", "least", "older"),
    [
        ("2.13.0+cpu", "2.6", False),
        ("2.5.1", "2.6", True),
        ("6", "6.0", False),
        ("3.10", "3.9", False),
        ("1", "", False),
    ],
)
def test_versions_are_compared_by_number(found: str, least: str, older: bool) -> None:
    assert machine.is_older(found, least) is older


def test_python() -> None:
    assert machine.check_python(">=3.11", "3.11.0").state == OK
    finding = machine.check_python(">=3.99", "3.11.7")
    assert (finding.state, finding.seen) == (FAILED, "3.11.7, but >=3.99 is required")


def test_packages() -> None:
    assert machine.check_packages(machine.parse_requirements(LINES)).state == OK
    finding = machine.check_packages(machine.parse_requirements(["numpy>=999", "no-such-package>=1", "click"]))
    assert finding.state == FAILED
    assert "no-such-package is not installed" in finding.seen
    assert ", but 999 is required" in finding.seen
    assert "pip install" in finding.remedy
    assert machine.check_packages([]).state == WARNING  # nobody installed graphrec


def test_extras() -> None:
    assert machine.check_extras([Requirement("numpy", "2.0", "sql")]).remedy == ""
    lacking = machine.check_extras([Requirement("no-such-package", "1", "people"), Requirement("nor-this", "1", "dev")])
    assert lacking.state == OK  # nobody needs it but for one thing
    assert "people (linking people by several fields): no-such-package is not installed" in lacking.seen
    assert lacking.remedy == "run pip install 'graphrec[people]'"
    assert machine.check_extras([Requirement("numpy", "999", "sql")]).state == WARNING


def test_torch() -> None:
    found = machine.check_torch("import json; print(json.dumps(['2.13.0', 1, 2]))")
    assert (found.state, found.seen) == (OK, "2.13.0 with 1 CPU thread and 2 CUDA devices")
    broken = machine.check_torch("raise ImportError('libfoo.so is missing')")
    assert (broken.state, broken.seen) == (FAILED, "ImportError: libfoo.so is missing")
    assert "https://pytorch.org" in broken.remedy
    killed = machine.check_torch("import os; os.kill(os.getpid(), 4)")  # as a build for another processor ends
    assert (killed.state, killed.seen) == (FAILED, "the import ends with code -4")


def test_home(tmp_path: Path) -> None:
    assert machine.check_home(tmp_path).state == OK
    assert "which the first load creates" in machine.check_home(tmp_path / "new" / "home").seen
    assert not (tmp_path / "new").exists()
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "home"):
        finding = machine.check_home(folder)
        assert finding.state == FAILED
        assert "GRAPHREC_HOME" in finding.remedy


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    assert machine.check_home(tmp_path / "locked").state == FAILED


@pytest.mark.skipif(os.name != "posix", reason="only POSIX has file modes")
def test_secrets(tmp_path: Path) -> None:
    assert machine.check_secrets(tmp_path).seen == "there is no password yet"
    password = tmp_path / "password"
    password.write_text("x")
    password.chmod(0o600)
    assert machine.check_secrets(tmp_path).state == OK
    password.chmod(0o644)
    finding = machine.check_secrets(tmp_path)
    assert finding.state == FAILED
    assert "password has mode 0644" in finding.seen
    assert finding.remedy == f"run chmod 600 {password}"


def test_runs(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    assert machine.check_runs(folder).seen == "there are no runs yet"
    whole = folder / "popularity-1"
    whole.mkdir(parents=True)
    (whole / "run.json").write_text("{}")
    (whole / "model.pt").write_bytes(b"")
    (folder / partial_name("being-written")).mkdir()
    assert machine.check_runs(folder) == Finding("runs", OK, f"1 run in {folder}")
    (folder / "damaged").mkdir()
    cut_off = partial_name("cut-off").replace(f".{os.getpid()}.", ".999999999.")
    (folder / cut_off).mkdir()
    finding = machine.check_runs(folder)
    assert finding.state == WARNING
    assert f"1 of 2 cannot be read and 1 were interrupted while written (damaged, {cut_off})" in finding.seen
    (tmp_path / "file").write_text("")
    assert machine.check_runs(tmp_path / "file").state == FAILED


def test_disk(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "data").write_bytes(bytes(1000))
    assert machine.check_disk(tmp_path, 2 * GB + 1000).state == OK
    assert machine.check_disk(tmp_path, 2 * GB + 999).state == WARNING
    assert machine.check_disk(tmp_path, GB // 5) == Finding(
        "disk",
        FAILED,
        "0.2 GB free, 0.0 GB used by the store",
        "free some space, or set GRAPHREC_HOME to a folder on another disk",
    )


def test_memory() -> None:
    assert machine.check_memory(Shape(50_000, 1000, 1_000_000, 10**8, 1000), 2 * GB).state == OK
    finding = machine.check_memory(Shape(50_000, 1000, 10_000_000, 10**9, 1000), 2 * GB)
    assert finding.state == WARNING
    assert finding.seen == (
        "2.0 GB available, at most 9.4 GB are needed to train graph_filter on 10,000,000 edges and 1,000 items"
    )


def test_a_lock_that_another_process_holds(tmp_path: Path) -> None:
    path = tmp_path / "writing.lock"
    assert machine.check_lock(path).state == OK
    assert not path.exists()
    code = f"import filelock; lock = filelock.FileLock({str(path)!r}).acquire(); print('held', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        finding = machine.check_lock(path)
        process.stdin.close()
    assert finding.state == WARNING
    assert f"process {process.pid} is writing to the graph" in finding.seen
    assert finding.remedy.endswith(f"kill {process.pid}")
    assert machine.check_lock(path).state == OK
