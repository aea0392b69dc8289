"""A write lease in the graph, with an owner and a heartbeat: at most one process writes at a time, on all machines.

The lease is a node WriteLease that one transaction takes and a thread renews while the owner works. A lease that was
not renewed for STALE_SECONDS, by the clock of the database, may be taken over. Its owner may still be alive then:
paused, or without network. So every write of an owner first writes to a slot, a separate node of the lease, in the same
transaction. A process that takes the lease over writes to all slots: on Neo4j this waits for running transactions, on
the embedded store it makes them fail; later transactions of the old owner find another owner in the slot and stop.
"""

import getpass
import logging
import os
import queue
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from graphrec.errors import StoreError, format_value
from graphrec.progress import StageProgress, silent
from graphrec.schema import WRITE_LEASE
from graphrec.store.connection import Row, RunStatement, Store
from graphrec.store.nodes import ensure_constraint

logger = logging.getLogger(__name__)

#: Age in seconds from which on a lease that was not renewed may be taken over.
STALE_SECONDS = 60.0

#: Intervals in seconds: of renewal by the owner, and of checks by waiting processes.
RENEWAL_INTERVAL, CHECK_INTERVAL = 10.0, 1.0

#: Timeout in seconds for taking a lease, which may wait for transactions of the previous owner; then it is retried.
SECONDS_TO_TAKE = 5.0

#: Parts of error codes that mean contention: two processes created the node at once, or another one holds a slot.
_CONTENDED = (
    "ConstraintValidationFailed",
    "TransientError",
    "TransactionTimedOut",
    "TransactionTerminated",
    "LockClientStopped",
    "Terminated",
)

_ID = "writer"

_READ = f"""
MATCH (lease:{WRITE_LEASE} {{id: '{_ID}'}})
RETURN lease.owner AS owner, coalesce(toString(lease.holder), 'an unknown writer') AS holder,
       coalesce(toString(lease.home), '') AS home, coalesce(toInteger(lease.since), 0) AS since,
       timestamp() - coalesce(toInteger(lease.renewed), 0) AS age
"""

#: MERGE and SET lock the node on Neo4j before it is read, and make all but one transaction fail on the embedded store.
_TAKE = f"""
MERGE (lease:{WRITE_LEASE} {{id: '{_ID}'}}) SET lease.asked = timestamp()
WITH lease WHERE lease.owner IS NULL OR lease.renewed < timestamp() - $stale OR lease.owner = $instead_of
SET lease.owner = $owner, lease.holder = $holder, lease.home = $home, lease.since = timestamp(),
    lease.renewed = timestamp()
RETURN lease.owner AS owner
"""

_TAKE_SLOTS = f"MATCH (slot:{WRITE_LEASE}) WHERE slot.id <> '{_ID}' SET slot.owner = $owner"
_MAKE_SLOTS = f"UNWIND $slots AS id MERGE (slot:{WRITE_LEASE} {{id: id}}) SET slot.owner = $owner"

#: The first SET takes the lock, and only then the owner is compared: Neo4j reads a node before it waits for the lock.
_RENEW = f"""
MATCH (lease:{WRITE_LEASE} {{id: '{_ID}'}}) SET lease.asked = timestamp()
WITH lease WHERE lease.owner = $owner SET lease.renewed = timestamp() RETURN 1 AS one
"""
_GUARD = f"""
MATCH (slot:{WRITE_LEASE} {{id: $id}}) SET slot.written = timestamp()
WITH slot WHERE slot.owner = $owner RETURN 1 AS one
"""
_FREE = f"MATCH (lease:{WRITE_LEASE} {{owner: $owner}}) DELETE lease"


@dataclass(frozen=True)
class Holder:
    """The process that holds the lease.

    Attributes:
        owner: a random text, new each time the lease is taken.
        holder: a description of the process, for messages.
        home: its home folder.
        since: when it took the lease, in milliseconds since 1970 by the clock of the database.
        age: milliseconds since the lease was renewed, by the clock of the database.
    """

    owner: str
    holder: str
    home: str
    since: int
    age: int

    @property
    def stale(self) -> bool:
        """Whether the lease is so old that others may take it over."""
        return self.age > STALE_SECONDS * 1000

    def describe(self) -> str:
        """The write and its start: `load of imdb by anna@mill (process 17), since 2026-11-24 18:15:00 UTC`."""
        since = datetime.fromtimestamp(self.since / 1000, UTC)
        return f"{format_value(self.holder)}, since {since:%Y-%m-%d %H:%M:%S} UTC"


class LostLeaseError(StoreError):
    """Another process took the lease over, so this one must not write any more."""


def read_lease(store: Store) -> Holder | None:
    """The holder of the graph's lease; None if it is free."""
    rows = [row for row in store.read(_READ) if row["owner"]]
    return Holder(**rows[0]) if rows else None


class Lease:
    """The lease of this process: it guards the writes of a Store (`Store.fenced`) until it is released."""

    def __init__(self, store: Store, owner: str, writers: int) -> None:
        self._store, self._owner = store, owner
        self._free: queue.SimpleQueue[str] = queue.SimpleQueue()
        for slot in _list_slots(writers):
            self._free.put(slot)
        self._ended = threading.Event()
        self._renewing = threading.Thread(target=self._renew, name="write-lease", daemon=True)

    def start(self) -> None:
        """Start the thread that renews the lease."""
        self._renewing.start()

    @contextmanager
    def guard(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The statement that runs before a write; waits if all slots are in use."""
        slot = self._free.get()
        try:
            yield _GUARD, {"id": slot, "owner": self._owner}
        finally:
            self._free.put(slot)

    def lost(self) -> StoreError:
        """The error of a write after another process took the lease over."""
        holder = read_lease(self._store)
        who = f"{holder.describe()} took over" if holder else "another writer took over and has finished"
        return LostLeaseError(
            f"this process did not answer for {STALE_SECONDS:.0f} s, so {who}; it stops, and nothing is written twice: "
            "run the command again, which completes the work"
        )

    def release(self) -> None:
        """Release the lease, if this process still holds it."""
        self._ended.set()
        self._renewing.join()
        with suppress(StoreError):  # a lost database was reported already; the lease becomes stale
            self._store.write(_FREE, {"owner": self._owner})

    def _renew(self) -> None:
        while not self._ended.wait(RENEWAL_INTERVAL):
            try:
                if not self._store.write(_RENEW, {"owner": self._owner}):
                    return  # lost: the next write raises
            except StoreError as error:
                logger.debug("the write lease could not be renewed: %s", error)


@contextmanager
def hold_lease(
    store: Store, purpose: str, home: str = "", alone: bool = False, writers: int = 1, progress: StageProgress = silent
) -> Iterator[Store]:
    """A context manager with a Store that writes under the lease of the graph; it waits until other writers finish.

    `purpose` describes the write, such as "load of movielens". `home` names the home folder. `alone` asserts that no
    other process writes from this home; then a lease of this home was left by a killed process, and is taken over.
    `writers` is the number of threads that write at a time. While it waits, `progress` names the holder, and the log
    names it once.

    Raises StoreError if the database refuses or goes away.
    """
    ensure_unique(store, WRITE_LEASE)
    owner, holder = secrets.token_hex(8), f"{purpose} by {_get_user()}@{socket.gethostname()} (process {os.getpid()})"
    claim = {"owner": owner, "holder": holder, "home": home, "stale": int(STALE_SECONDS * 1000), "instead_of": ""}
    reported = waiting = ""
    while True:
        current = read_lease(store)
        left_over = current is not None and alone and bool(home) and current.home == home
        claim["instead_of"] = current.owner if current is not None and left_over else ""
        if (current is None or current.stale or left_over) and _take(store, claim, writers):
            break
        if current is not None:
            if current.owner != reported:
                logger.warning("waiting for another writer: %s", current.describe())
                reported = current.owner
            waiting = f"waiting for {current.describe()}"
            progress(waiting, 0, 1)
        time.sleep(CHECK_INTERVAL)
    if waiting:
        progress(waiting, 1, 1)
    lease = Lease(store, owner, writers)
    lease.start()
    try:
        yield store.fenced(lease)
    finally:
        lease.release()


def _take(store: Store, claim: Mapping[str, Any], writers: int) -> bool:
    """Try to take the lease; False if another process took it at the same time or still has running transactions."""

    def take(run: RunStatement) -> list[Row]:
        rows = run(_TAKE, claim)
        if rows:
            run(_TAKE_SLOTS, {"owner": claim["owner"]})
            run(_MAKE_SLOTS, {"owner": claim["owner"], "slots": _list_slots(writers)})
        return rows

    try:
        return bool(store.transact(take, SECONDS_TO_TAKE))
    except StoreError as error:
        if is_contended(error):
            logger.debug("the write lease could not be taken: %s", error)
            return False
        raise


def _list_slots(writers: int) -> list[str]:
    return [f"{_ID}-{number}" for number in range(writers)]


def is_contended(error: StoreError) -> bool:
    """Whether another process created or held the node of a lease at the same time."""
    code = getattr(error.__cause__, "code", None) or ""
    return any(part in code for part in _CONTENDED)


def ensure_unique(store: Store, label: str) -> None:
    """Make the ids of leases of a label unique, so that two processes cannot both create one."""
    name = f"{label}_id"
    if not any(row["name"] == name for row in store.read("SHOW CONSTRAINTS YIELD name RETURN name")):
        ensure_constraint(store, label)


def _get_user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user may have no name
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "unknown user"
