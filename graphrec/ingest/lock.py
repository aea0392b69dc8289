"""One writer at a time among the commands of a home."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from graphrec.errors import GraphrecError


@contextmanager
def writing(home: Path) -> Iterator[None]:
    """One writer at a time among the commands of a home: two loads at once would both add what neither finds."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = FileLock(home / "writing.lock").acquire()
    except OSError as error:
        raise GraphrecError(
            f"cannot write to {home}: {error.strerror}; set GRAPHREC_HOME to a folder of yours"
        ) from error
    with lock:
        yield
