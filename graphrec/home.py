"""The home folder is its owner's alone: folders of mode 0700, files of mode 0600."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from graphrec.atomic_write import atomic_write

#: What a home folder consists of; one that has anything else is shared with other things, and keeps its mode.
ENTRIES = frozenset(
    {"store", "runs", "studies", "loads", "benchmarks", "graph.pt", "writing.lock", ".writer", ".DS_Store"}
)

_FOLDER = 0o700
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def private_folder(folder: Path) -> None:
    """Make a folder that its owner alone can read, and those above it that are missing. Raises OSError."""
    for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
        missing.mkdir(mode=_FOLDER, exist_ok=True)
    if not folder.is_dir():
        folder.mkdir(exist_ok=True)  # raises what is the matter


def keep_private(home: Path) -> None:
    """Take the rights of others away from a home folder that is ours, and from all that graphrec has in it.

    A home that has other things in it (the user's own folder, a project) keeps its mode; what is in it of graphrec is
    made private. What belongs to another user is left as it is.
    """
    if os.name != "posix" or not home.is_dir():
        return
    with suppress(OSError):
        entries = list(home.iterdir())
        ours = [entry for entry in entries if entry.name in ENTRIES]
        if len(ours) == len(entries):
            _restrict(home)
        for entry in ours:
            restrict(entry)


def is_private(folder: Path) -> bool:
    """Whether others have no rights to a folder."""
    return os.name == "posix" and not stat.S_IMODE(folder.stat().st_mode) & _OTHERS


def restrict(path: Path) -> None:
    """Take the rights of others away from a file, or from a folder and all in it; links are left as they are."""
    if os.name != "posix":
        return
    _restrict(path)
    if path.is_dir() and not path.is_symlink():
        for part in path.rglob("*"):
            _restrict(part)


@contextmanager
def written_privately(path: Path) -> Iterator[Path]:
    """As `files.written_whole`, for a file or a folder that its owner alone can read."""
    with atomic_write(path) as partial:
        yield partial
        restrict(partial)


def _restrict(path: Path) -> None:
    with suppress(OSError):
        found = path.lstat()
        if found.st_uid == os.getuid() and not stat.S_ISLNK(found.st_mode) and stat.S_IMODE(found.st_mode) & _OTHERS:
            path.chmod(stat.S_IMODE(found.st_mode) & ~_OTHERS)
