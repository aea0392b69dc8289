"""One writer at a time among all machines: a lease in the graph, with an owner and a heartbeat.

The lease is a node WriteLease that one transaction takes and a thread renews while its owner works. A lease that was
not renewed for STALE_SECONDS, by the clock of the database, is taken over. Its owner may then be alive all the same:
paused, or cut off from the network. So every write of an owner begins by writing to a slot, a node of its own that
belongs to the lease, in the same transaction. Whoever takes the lease over writes to all slots: on Neo4j that waits for
the transactions under way, on the embedded store it makes them fail; and later ones find another owner and stop.
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

from graphrec.errors import StoreError, shown
from graphrec.schema import WRITE_LEASE
from graphrec.store.connection import Row, Run, Store
from graphrec.store.nodes import ensure_constraint
from graphrec.store.read import Progress, silent

logger = logging.getLogger(__name__)

#: A lease that was not renewed for so long may be taken by others.
STALE_SECONDS = 60.0

#: How often an owner renews its lease, and how often others look whether it is free.
SECONDS_TO_RENEW, SECONDS_TO_LOOK = 10.0, 1.0

#: How long taking a lease may wait for the transactions of the owner before; then it is looked at again.
SECONDS_TO_TAKE = 5.0

#: Parts of the codes of errors that say that others want the same: two made the node at once, or one holds a slot.
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

#: MERGE and SET take the lock of the node on Neo4j, and let all but one fail on the embedded store, before it is read.
_TAKE = f"""
MERGE (lease:{WRITE_LEASE} {{id: '{_ID}'}}) SET lease.asked = timestamp()
WITH lease WHERE lease.owner IS NULL OR lease.renewed < timestamp() - $stale OR lease.owner = $instead_of
SET lease.owner = $owner, lease.holder = $holder, lease.home = $home, lease.since = timestamp(),
    lease.renewed = timestamp()
RETURN lease.owner AS owner
"""

_TAKE_SLOTS = f"MATCH (slot:{WRITE_LEASE}) WHERE slot.id <> '{_ID}' SET slot.owner = $owner"
_MAKE_SLOTS = f"UNWIND $slots AS id MERGE (slot:{WRITE_LEASE} {{id: id}}) SET slot.owner = $owner"

_RENEW = f"MATCH (lease:{WRITE_LEASE} {{id: '{_ID}', owner: $owner}}) SET lease.renewed = timestamp() RETURN 1 AS one"
_GUARD = f"MATCH (slot:{WRITE_LEASE} {{id: $id, owner: $owner}}) SET slot.written = timestamp() RETURN 1 AS one"
_FREE = f"MATCH (lease:{WRITE_LEASE} {{owner: $owner}}) DELETE lease"


@dataclass(frozen=True)
class Holder:
    """Who has the lease: `owner` is a random text of this one taking, `holder` says in words who that is, `home` which
    home folder it works in, `since` is when it was taken, in milliseconds since 1970, and `age` how many milliseconds
    ago it was renewed; both by the clock of the database."""

    owner: str
    holder: str
    home: str
    since: int
    age: int

    @property
    def stale(self) -> bool:
        """Whether it was not renewed for so long that others may take it."""
        return self.age > STALE_SECONDS * 1000

    def describe(self) -> str:
        """Who writes and since when: `load of imdb by anna@mill (process 17), since 2026-11-24 18:15:00 UTC`."""
        return f"{shown(self.holder)}, since {datetime.fromtimestamp(self.since / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


class LostLeaseError(StoreError):
    """Another writer took the lease over, so that nothing may be written any more."""


def read_lease(store: Store) -> Holder | None:
    """Who has the lease of the graph, or None."""
    rows = [row for row in store.read(_READ) if row["owner"]]
    return Holder(**rows[0]) if rows else None


class Lease:
    """The lease that this process has taken: it guards the writes of a Store (`Store.fenced`) until it is freed."""

    def __init__(self, store: Store, owner: str, writers: int) -> None:
        self._store, self._owner = store, owner
        self._free: queue.SimpleQueue[str] = queue.SimpleQueue()
        for slot in _slots(writers):
            self._free.put(slot)
        self._ended = threading.Event()
        self._renewing = threading.Thread(target=self._renew, name="write-lease", daemon=True)

    def start(self) -> None:
        """Begin to renew it."""
        self._renewing.start()

    @contextmanager
    def guard(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The statement that goes before a write; waits while as many others write as were announced."""
        slot = self._free.get()
        try:
            yield _GUARD, {"id": slot, "owner": self._owner}
        finally:
            self._free.put(slot)

    def lost(self) -> StoreError:
        """The error of a write after the lease was lost."""
        holder = read_lease(self._store)
        who = f"{holder.describe()} took over" if holder else "another writer took over, and has ended"
        return LostLeaseError(
            f"this process did not answer for {STALE_SECONDS:.0f} s, so {who}; it stops, and nothing is doubled: "
            "run the command again, which finishes what was begun"
        )

    def release(self) -> None:
        """Give it back, if it is still ours."""
        self._ended.set()
        self._renewing.join()
        with suppress(StoreError):  # a database that went away has been told of already; the lease goes stale
            self._store.write(_FREE, {"owner": self._owner})

    def _renew(self) -> None:
        while not self._ended.wait(SECONDS_TO_RENEW):
            try:
                if not self._store.write(_RENEW, {"owner": self._owner}):
                    return  # lost: the next write says so
            except StoreError as error:
                logger.debug("the write lease could not be renewed: %s", error)


@contextmanager
def hold_lease(
    store: Store, purpose: str, home: str = "", alone: bool = False, writers: int = 1, progress: Progress = silent
) -> Iterator[Store]:
    """A Store that writes under the lease of the graph, in a `with` block; waits for another writer to end.

    `purpose` says what is written, such as "load of movielens". `home` names the home folder, and `alone` says that no
    other process can be writing from it, so that a lease of this home is left over from one that was killed, and is
    taken at once. `writers` is how many threads write at a time. While it waits, `progress` hears for whom, and the log
    once.

    Raises StoreError where the database refuses or goes away.
    """
    _ensure_constraint(store)
    owner, holder = secrets.token_hex(8), f"{purpose} by {_user()}@{socket.gethostname()} (process {os.getpid()})"
    mine = {"owner": owner, "holder": holder, "home": home, "stale": int(STALE_SECONDS * 1000), "instead_of": ""}
    told = waiting = ""
    while True:
        current = read_lease(store)
        left_over = current is not None and alone and bool(home) and current.home == home
        mine["instead_of"] = current.owner if current is not None and left_over else ""
        if (current is None or current.stale or left_over) and _take(store, mine, writers):
            break
        if current is not None:
            if current.owner != told:
                logger.warning("waiting for another writer: %s", current.describe())
                told = current.owner
            waiting = f"waiting for {current.describe()}"
            progress(waiting, 0, 1)
        time.sleep(SECONDS_TO_LOOK)
    if waiting:
        progress(waiting, 1, 1)
    lease = Lease(store, owner, writers)
    lease.start()
    try:
        yield store.fenced(lease)
    finally:
        lease.release()


def _take(store: Store, mine: Mapping[str, Any], writers: int) -> bool:
    """Whether the lease is ours now; not if another writer took it in the same moment, or has not ended its writes."""

    def steps(run: Run) -> list[Row]:
        taken = run(_TAKE, mine)
        if taken:
            run(_TAKE_SLOTS, {"owner": mine["owner"]})
            run(_MAKE_SLOTS, {"owner": mine["owner"], "slots": _slots(writers)})
        return taken

    try:
        return bool(store.transact(steps, SECONDS_TO_TAKE))
    except StoreError as error:
        code = getattr(error.__cause__, "code", None) or ""
        if any(part in code for part in _CONTENDED):
            logger.debug("the write lease could not be taken: %s", error)
            return False
        raise


def _slots(writers: int) -> list[str]:
    return [f"{_ID}-{number}" for number in range(writers)]


def _ensure_constraint(store: Store) -> None:
    """Hold the ids of leases unique, so that two takers cannot both make one."""
    name = f"{WRITE_LEASE}_id"
    if not any(row["name"] == name for row in store.read("SHOW CONSTRAINTS YIELD name RETURN name")):
        ensure_constraint(store, WRITE_LEASE)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user may have no name
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "unknown user"
