"""Keep the home folder private: folders have mode 0700, files mode 0600."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from graphrec.atomic_write import atomic_write

#: Names of the entries of a home folder; a folder with other entries too has other uses, and keeps its mode.
ENTRIES = frozenset(
    {"store", "runs", "studies", "loads", "benchmarks", "encoders", "graph.pt", "writing.lock", ".writer", ".DS_Store"}
    | {"keys.json", "keys.lock", "sessions.json", "sessions.lock", "answers"}
)

_FOLDER = 0o700
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def private_folder(folder: Path) -> None:
    """Create a folder and its missing parents, readable only by their owner. Raises OSError."""
    for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
        missing.mkdir(mode=_FOLDER, exist_ok=True)
    if not folder.is_dir():
        folder.mkdir(exist_ok=True)  # raises the reason


def keep_private(home: Path) -> None:
    """Remove the rights of other users to a home folder and to all entries of graphrec in it.

    A folder that has other entries too (the user's home, a project) keeps its mode; only the entries of graphrec are
    made private. Files of another user are left unchanged.
    """
    if os.name != "posix" or not home.is_dir():
        return
    with suppress(OSError):
        entries = list(home.iterdir())
        known = [entry for entry in entries if entry.name in ENTRIES]
        if len(known) == len(entries):
            _restrict(home)
        for entry in known:
            restrict(entry)


def is_private(folder: Path) -> bool:
    """Whether other users have no rights to a folder."""
    return os.name == "posix" and not stat.S_IMODE(folder.stat().st_mode) & _OTHERS


def restrict(path: Path) -> None:
    """Remove the rights of other users to a file, or to a folder and all its contents; links are left unchanged."""
    if os.name != "posix":
        return
    _restrict(path)
    if path.is_dir() and not path.is_symlink():
        for part in path.rglob("*"):
            _restrict(part)


@contextmanager
def write_privately(path: Path) -> Iterator[Path]:
    """As `atomic_write`, for a file or a folder that only its owner can read."""
    with atomic_write(path) as partial:
        yield partial
        restrict(partial)


def _restrict(path: Path) -> None:
    with suppress(OSError):
        status = path.lstat()
        if status.st_uid == os.getuid() and not stat.S_ISLNK(status.st_mode) and stat.S_IMODE(status.st_mode) & _OTHERS:
            path.chmod(stat.S_IMODE(status.st_mode) & ~_OTHERS)
