"""Allow one writer at a time: a file lock excludes other commands of a home folder, a lease in the graph other
machines."""

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
from graphrec.progress import StageProgress, silent
from graphrec.store import Store
from graphrec.store.lease import hold_lease, logger, read_lease

LOCK = "writing.lock"

#: Interval in seconds at which a waiting command reports who holds the lock.
REPORT_INTERVAL = 1.0


@contextmanager
def writing(
    store: Store, home: Path, purpose: str, writers: int = 1, dry_run: bool = False, progress: StageProgress = silent
) -> Iterator[Store]:
    """A context manager with a Store to write with; no other command on any machine writes at the same time.

    It waits for other writers, and reports them in the log and to `progress`. A killed writer does not block its home,
    and blocks other machines for at most `lease.STALE_SECONDS`. A process that was paused for longer has lost its
    lease, and its next write raises LostLeaseError. With `dry_run`, when nothing will be written, it waits only for
    commands of the same home.

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
        lock.release()  # `with` acquired it a second time
        if dry_run:
            yield store
        else:
            with hold_lease(store, purpose, _identify_home(home), True, writers, progress) as held:
                yield held


def _acquire(lock: FileLock, store: Store, progress: StageProgress) -> None:
    reported = ""
    while True:
        try:
            lock.acquire(timeout=0 if not reported else REPORT_INTERVAL)
        except Timeout:
            holder = read_lease(store)
            who = holder.describe() if holder else "another command of this home folder"
            if not reported:
                logger.warning("waiting for another writer: %s", who)
                reported = who
            progress(f"waiting for {who}", 0, 1)
        else:
            return


def _identify_home(home: Path) -> str:
    """A name unique to this home folder; a copy of the folder on another machine has another."""
    file = home / ".writer"
    try:
        name = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        name = ""
    if not name:
        name = secrets.token_hex(16)
        file.write_text(name, encoding="utf-8")
        file.chmod(0o600)
    status = file.stat()
    parts = (name, socket.gethostname(), status.st_dev, status.st_ino, _read_boot_id())
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def _read_boot_id() -> str:
    """An id of the current boot of the machine, if it provides one."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return str(os.name)
