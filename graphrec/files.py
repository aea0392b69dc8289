"""Files and folders that appear whole or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from graphrec.errors import GraphrecError


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A path to write a file or a folder to; it takes the name `path` at the end, and is gone after a failure.

    Raises GraphrecError where it cannot be written.
    """
    partial = _partial(path)
    try:
        yield partial
        partial.replace(path)
    except (OSError, RuntimeError) as error:
        cause = _system_error(error)
        if cause is None:
            raise
        reason = cause.strerror or str(cause)
        raise GraphrecError(f"cannot write {path}: {reason}; free some space or choose another place") from error
    finally:
        if partial.is_dir():
            shutil.rmtree(partial, ignore_errors=True)
        elif partial.is_file():
            partial.unlink()


def _partial(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.partial")


def _system_error(error: BaseException | None) -> OSError | None:
    """The system's word behind an error: torch closes a full disk's file with a RuntimeError of its own on top."""
    while error is not None and not isinstance(error, OSError):
        error = error.__context__
    return error
