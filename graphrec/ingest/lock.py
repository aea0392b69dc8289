"""One writer at a time: among the commands of a home by a locked file, among all machines by a lease in the graph."""

import hashlib
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from graphrec.errors import GraphrecError
from graphrec.home import keep_private, private_folder
from graphrec.store import Store
from graphrec.store.lease import hold_lease, logger, read_lease
from graphrec.store.read import Progress, silent

LOCK = "writing.lock"

#: How long the locked file is waited for before it is said again who has it.
SECONDS_TO_LOOK = 1.0


@contextmanager
def writing(
    store: Store, home: Path, purpose: str, writers: int = 1, dry_run: bool = False, progress: Progress = silent
) -> Iterator[Store]:
    """A Store to write with, in a `with` block; no other command of any machine writes meanwhile.

    It waits for another writer, says so in the log, and `progress` hears of it. A writer that was killed blocks its
    home not at all, and other machines for `lease.STALE_SECONDS` at most. A process that was paused for longer than
    that has lost its lease, and its next write raises LostLeaseError. With `dry_run` nothing is to be written, and only
    the commands of the home are waited for.

    Raises:
        GraphrecError: the home folder cannot be written.
        StoreError: the database refuses or goes away.
    """
    try:
        private_folder(home)
        keep_private(home)
        lock = FileLock(home / LOCK, mode=0o600)
        _acquire(lock, store, progress)
    except OSError as error:
        raise GraphrecError(
            f"cannot write to {home}: {error.strerror}; set GRAPHREC_HOME to a folder of yours"
        ) from error
    with lock:
        lock.release()  # `with` took it once more
        if dry_run:
            yield store
        else:
            with hold_lease(store, purpose, _name_of(home), True, writers, progress) as held:
                yield held


def _acquire(lock: FileLock, store: Store, progress: Progress) -> None:
    told = ""
    while True:
        try:
            lock.acquire(timeout=0 if not told else SECONDS_TO_LOOK)
        except Timeout:
            holder = read_lease(store)
            who = holder.describe() if holder else "another command of this home folder"
            if not told:
                logger.warning("waiting for another writer: %s", who)
                told = who
            progress(f"waiting for {who}", 0, 1)
        else:
            return


def _name_of(home: Path) -> str:
    """A text that no other home folder has, nor a copy of this one on another machine."""
    file = home / ".writer"
    try:
        name = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        name = ""
    if not name:
        name = secrets.token_hex(16)
        file.write_text(name, encoding="utf-8")
        file.chmod(0o600)
    where = file.stat()
    parts = (name, socket.gethostname(), where.st_dev, where.st_ino, _boot())
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def _boot() -> str:
    """What the machine calls this start of it, where it says."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return str(os.name)
