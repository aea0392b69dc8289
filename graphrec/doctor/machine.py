"""Checks of the machine: versions, torch, permissions, disk, memory, locks. None of them uses the store."""

import contextlib
import json
import os
import platform
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from graphrec.atomic_write import is_left_over
from graphrec.config import Settings
from graphrec.doctor.finding import FAILED, OK, WARNING, Finding, format_count
from graphrec.errors import first_few
from graphrec.evaluation.memory_estimate import Shape, bytes_to_train
from graphrec.redaction import redact

#: Optional dependencies and their purpose.
EXTRAS = {
    "demo": "the MovieLens sample",
    "excel": "reading workbooks",
    "sql": "loading from SQL databases",
    "people": "linking people by several fields",
    "hybrid": "the model hybrid",
}

GB = 1_000_000_000
SECONDS_FOR_TORCH = 120

_REQUIREMENT = re.compile(r"^(?P<name>[\w.-]+)\s*(?:\[[^\]]*\])?\s*(?:>=\s*(?P<least>[\d.]+))?[^;]*(?:;(?P<mark>.*))?$")
_EXTRA = re.compile(r"extra\s*==\s*['\"](\w+)['\"]")
_TORCH = """
import json, torch
cuda = torch.cuda.device_count() if torch.cuda.is_available() else 0
print(json.dumps([torch.__version__, torch.get_num_threads(), cuda]))
"""


@dataclass(frozen=True)
class Requirement:
    """A required package, its minimum version, and the extra that it belongs to ("" if it is always required)."""

    name: str
    least: str
    extra: str

    def defect(self) -> str:
        """The defect of the installed package in words; "" if it has none."""
        try:
            installed = version(self.name)
        except PackageNotFoundError:
            return f"{self.name} is not installed"
        is_new_enough = not is_older(installed, self.least)
        return "" if is_new_enough else f"{self.name} is {installed}, but {self.least} is required"


def examine(settings: Settings) -> list[Finding]:
    """All findings about this machine and the home folder."""
    try:
        lines, least = requires("graphrec") or [], metadata("graphrec")["Requires-Python"]
    except PackageNotFoundError:  # graphrec is not installed as a package
        lines, least = [], ""
    requirements = parse_requirements(lines)
    return [
        check_python(least or "", platform.python_version()),
        check_packages(requirements),
        check_extras(requirements),
        check_torch(),
        check_home(settings.home),
        check_secrets(settings.embedded.folder),
        check_runs(settings.runs),
        check_disk(settings.home, shutil.disk_usage(_find_existing(settings.home)).free),
        check_lock(settings.home / "writing.lock"),
    ]


def is_older(version_: str, minimum: str) -> bool:
    """Whether a version is older than another, by leading numbers: 2.13.0+cpu is not older than 2.6."""
    return _parse_version(version_) < _parse_version(minimum)


def parse_requirements(lines: Iterable[str]) -> list[Requirement]:
    """Parse the requirements of a package from lines such as `sqlalchemy>=2.0.36; extra == "sql"`."""
    requirements = []
    for line in lines:
        if match := _REQUIREMENT.match(line):
            extra = _EXTRA.search(match["mark"] or "")
            requirements.append(Requirement(match["name"], match["least"] or "", extra[1] if extra else ""))
    return requirements


def check_python(required: str, installed: str) -> Finding:
    """Check that Python is new enough; `required` is a specifier such as ">=3.11"."""
    if is_older(installed, required.lstrip(">= ")):
        return Finding(
            "Python", FAILED, f"{installed}, but {required} is required", "create an environment with a newer Python"
        )
    return Finding("Python", OK, f"{installed} ({required} is required)" if required else installed)


def check_packages(requirements: Iterable[Requirement]) -> Finding:
    """Check that all required packages are installed and new enough."""
    needed = [requirement for requirement in requirements if not requirement.extra]
    if not needed:
        return Finding("packages", WARNING, "graphrec itself is not installed", "run pip install -e . in its folder")
    defects = [defect for requirement in needed if (defect := requirement.defect())]
    if defects:
        return Finding("packages", FAILED, first_few(defects), "run pip install --upgrade graphrec")
    return Finding("packages", OK, f"all {len(needed)} are installed and new enough")


def check_extras(requirements: Iterable[Requirement]) -> Finding:
    """Check the extras: a missing one is no defect, an old one is a warning."""
    defects: dict[str, list[str]] = {name: [] for name in EXTRAS}
    for requirement in requirements:
        if requirement.extra in EXTRAS and (defect := requirement.defect()):
            defects[requirement.extra].append(defect)
    defective = {name: texts for name, texts in defects.items() if texts}
    if not defective:
        return Finding("extras", OK, f"{', '.join(EXTRAS)} are installed")
    described = "; ".join(f"{name} ({EXTRAS[name]}): {first_few(texts)}" for name, texts in defective.items())
    old = any("is required" in defect for texts in defective.values() for defect in texts)
    return Finding("extras", WARNING if old else OK, described, f"run pip install 'graphrec[{','.join(defective)}]'")


def check_torch(program: str = _TORCH) -> Finding:
    """Check that torch can be imported, in a separate process, since a broken build may end the process."""
    remedy = "install the build of PyTorch for this machine: https://pytorch.org/get-started/locally/"
    try:
        process = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, timeout=SECONDS_FOR_TORCH, check=False
        )
        version_, threads, cuda = json.loads(process.stdout)
    except subprocess.TimeoutExpired:
        return Finding("torch", FAILED, f"the import takes more than {SECONDS_FOR_TORCH} s", remedy)
    except ValueError:
        lines = process.stderr.strip().splitlines()
        reason = lines[-1] if lines else f"the import ends with code {process.returncode}"
        return Finding("torch", FAILED, reason, remedy)
    gpu = format_count(cuda, "CUDA device") if cuda else "no CUDA device"
    return Finding("torch", OK, f"{version_} with {format_count(threads, 'CPU thread')} and {gpu}")


def check_home(folder: Path) -> Finding:
    """Check that the home folder can be read and written, or created."""
    remedy = "set GRAPHREC_HOME to a folder of yours"
    if folder.exists() and not folder.is_dir():
        return Finding("home folder", FAILED, f"{folder} is a file", remedy)
    nearest = _find_existing(folder)
    if not nearest.is_dir() or not os.access(nearest, os.R_OK | os.W_OK | os.X_OK):
        return Finding("home folder", FAILED, f"{nearest} cannot be written", remedy)
    return Finding("home folder", OK, str(folder) if folder.exists() else f"{folder}, which the first load creates")


def check_secrets(folder: Path) -> Finding:
    """Check that only its owner can read the password of the embedded store."""
    open_to_others = [
        path
        for path in (folder / name for name in ("password", "java.args"))
        if os.name == "posix" and path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    if open_to_others:
        seen = ", ".join(f"{path.name} has mode {stat.S_IMODE(path.stat().st_mode):04o}" for path in open_to_others)
        remedy = f"run chmod 600 {' '.join(map(str, open_to_others))}"
        return Finding("password", FAILED, f"{seen}, so others may read the store's password", remedy)
    there = (folder / "password").exists()
    return Finding("password", OK, "only its owner can read it" if there else "there is no password yet")


def check_runs(folder: Path) -> Finding:
    """Check that the folder of runs can be written and all its runs can be read."""
    if not folder.exists():
        return Finding("runs", OK, "there are no runs yet")
    if not folder.is_dir() or not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return Finding("runs", FAILED, f"{folder} cannot be written", f"give yourself the right to write to {folder}")
    folders = [path for path in sorted(folder.iterdir()) if path.is_dir()]
    interrupted = [path for path in folders if path.name.startswith(".") and not _is_being_written(path)]
    runs = [path for path in folders if not path.name.startswith(".")]
    damaged = [path for path in runs if not _is_run(path)]
    if interrupted or damaged:
        names = first_few(path.name for path in (*damaged, *interrupted))
        return Finding(
            "runs",
            WARNING,
            f"{len(damaged)} of {len(runs)} cannot be read and {len(interrupted)} were interrupted while written "
            f"({names})",
            f"delete these folders of {folder} and train again",
        )
    return Finding("runs", OK, f"{format_count(len(runs), 'run')} in {folder}")


def check_disk(folder: Path, free: int) -> Finding:
    """Check that `free` bytes suffice to rewrite the store once, plus two gigabytes."""
    used = sum(_iterate_sizes(folder / "store"))
    seen = f"{free / GB:,.1f} GB free" + (f", {used / GB:,.1f} GB used by the store" if used else "")
    if free >= 2 * GB + used:
        return Finding("disk", OK, seen)
    remedy = "free some space, or set GRAPHREC_HOME to a folder on another disk"
    return Finding("disk", FAILED if free < GB // 4 else WARNING, seen, remedy)


def check_memory(shape: Shape, available: int) -> Finding:
    """Check that `available` bytes suffice to read a graph of these sizes and to train the default model on it."""
    need = bytes_to_train(shape)
    seen = (
        f"{available / GB:,.1f} GB available, at most {need / GB:,.1f} GB are needed to train graph_filter on "
        f"{format_count(shape.edges, 'edge')} and {format_count(shape.items, 'item')}"
    )
    if available >= need:
        return Finding("memory", OK, seen)
    less = bytes_to_train(shape, ["popularity"])
    other = f", or train item_knn, which needs at most {less / GB:,.1f} GB" if available >= less else ""
    return Finding("memory", WARNING, seen, f"end other programs, or train on a machine with more memory{other}")


def check_lock(path: Path) -> Finding:
    """Check whether another command is writing to the graph; a warning, as it may be working or hanging."""
    if not path.exists():
        return Finding("writing lock", OK, "no command is writing")
    try:
        with FileLock(path, timeout=0):
            return Finding("writing lock", OK, "no command is writing")
    except Timeout:
        holder = next(_find_holders(path), None)
    except OSError as error:
        return Finding("writing lock", FAILED, f"{path} cannot be opened: {error.strerror}", f"run chmod 600 {path}")
    if holder is None:
        return Finding("writing lock", WARNING, "another process is writing to the graph", "wait until it finishes")
    seen = f"process {holder.pid} is writing to the graph ({redact(' '.join(holder.cmdline()))[-60:]})"
    return Finding("writing lock", WARNING, seen, f"wait until it finishes, or end it with kill {holder.pid}")


def _find_holders(path: Path) -> Iterator[psutil.Process]:
    """The processes of this user, except this one, that have the file open."""
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and any(Path(file.path) == path for file in process.open_files()):
                yield process
        except (psutil.Error, OSError):
            continue


def _parse_version(text: str) -> tuple[int, ...]:
    leading = re.match(r"\d+(?:\.\d+)*", text)
    parts = [int(part) for part in leading[0].split(".")] if leading else []
    while parts and parts[-1] == 0:  # 6.0 and 6 are the same version
        parts.pop()
    return tuple(parts)


def _find_existing(path: Path) -> Path:
    """The path, or the nearest folder above it that exists."""
    return next(part for part in (path, *path.parents) if part.exists())


def _iterate_sizes(folder: Path) -> Iterator[int]:
    """The size of each file in bytes; files that the server deletes meanwhile are left out."""
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            yield path.stat().st_size if path.is_file() else 0


def _is_being_written(path: Path) -> bool:
    """Whether a partial folder belongs to a running process, or may belong to one on another machine."""
    return path.name.endswith(".partial") and not is_left_over(path)


def _is_run(folder: Path) -> bool:
    try:
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    known = isinstance(record, dict) and record.get("id", folder.name) == folder.name
    return known and (folder / "model.pt").is_file()
