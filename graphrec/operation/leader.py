"""The leader among operators: at most one process decides at a time, on all machines.

The node Operator has an owner and a heartbeat, both by the clock of the database, and a number that increases with each
leader (a fencing number). A leader that was not heard of for STALE_SECONDS is replaced; one whose process has ended on
this machine, at once. It may still be alive: paused, or without network. So each of its decisions, and the write that
makes a run active, first write to the node and then compare the owner, in one transaction: after a takeover they fail.
What the leader is doing (`stage`) is on the node too, so that its successor can finish it.
"""

import logging
import os
import secrets
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from graphrec.errors import StoreError, format_value
from graphrec.schema import OPERATOR
from graphrec.store import Store
from graphrec.store.lease import ensure_unique, is_contended
from graphrec.time_format import moment_text

logger = logging.getLogger(__name__)

#: Age in seconds from which on a leader that was not heard of is replaced.
STALE_SECONDS = 60.0

#: Interval in seconds of the heartbeat.
RENEWAL_INTERVAL = 10.0

#: What a leader may be doing: nothing that a successor has to finish, a training, a publication, or a rollback.
IDLE, TRAINING, PUBLISHING, ROLLING_BACK = "", "training", "publishing", "rolling back"

_ID = "operator"

_READ = f"""
MATCH (o:{OPERATOR} {{id: '{_ID}'}})
RETURN coalesce(o.owner, '') AS owner, coalesce(o.holder, '') AS holder, coalesce(o.place, '') AS place,
       coalesce(o.process, 0) AS process, coalesce(o.started, 0.0) AS started, coalesce(o.number, 0) AS number,
       coalesce(o.since, 0) AS since, timestamp() - coalesce(o.renewed, 0) AS age, coalesce(o.stage, '') AS stage,
       coalesce(o.run, '') AS run
"""

#: The first SET takes the lock, and only then the owner is compared.
_TAKE = f"""
MERGE (o:{OPERATOR} {{id: '{_ID}'}}) SET o.lock = $owner
WITH o WHERE o.owner IS NULL OR o.renewed < timestamp() - $stale OR o.owner = $instead_of
SET o.owner = $owner, o.holder = $holder, o.place = $place, o.process = $process, o.started = $started,
    o.since = timestamp(), o.renewed = timestamp(), o.number = coalesce(o.number, 0) + 1
RETURN o.number AS number
"""

_GUARD = f"""
MATCH (o:{OPERATOR} {{id: '{_ID}'}}) SET o.lock = $owner
WITH o WHERE o.owner = $owner SET o.renewed = timestamp() RETURN o.number AS number
"""

_MARK = f"MATCH (o:{OPERATOR} {{id: '{_ID}'}}) SET o.stage = $stage, o.run = $run"
_FREE = f"MATCH (o:{OPERATOR} {{id: '{_ID}'}}) SET o.lock = $owner WITH o WHERE o.owner = $owner REMOVE o.owner"


class LostLeadershipError(StoreError):
    """Another operator leads now, so this one must not decide any more."""


@dataclass(frozen=True)
class LeaderState:
    """The node of the leader.

    owner: a random text, new with each leader; "" if no process leads.
    holder: the process, for messages.
    place, process, started: machine and container, process id, and start time of the process.
    number: of this leader; each has a greater one.
    since: when it became the leader, in milliseconds since 1970. age: milliseconds since its last heartbeat.
    stage, run: what it is doing, or was doing when it was killed, and the run that it publishes or returns to.
    """

    owner: str = ""
    holder: str = ""
    place: str = ""
    process: int = 0
    started: float = 0.0
    number: int = 0
    since: int = 0
    age: int = 0
    stage: str = IDLE
    run: str = ""

    @property
    def has_ended(self) -> bool:
        """Whether its process ran on this machine and has ended."""
        if not self.owner or not self.place or self.place != _describe_place():
            return False
        try:
            return bool(abs(psutil.Process(self.process).create_time() - self.started) > 1)
        except psutil.Error:
            return True

    def describe(self) -> str:
        """The process and since when it leads."""
        return f"{format_value(self.holder)}, since {moment_text(self.since // 1000)} UTC"


def read_leader(store: Store) -> LeaderState:
    """The leader of a graph."""
    rows = store.read(_READ)
    return LeaderState(**rows[0]) if rows else LeaderState()


class Leader:
    """The leadership of this process, which guards writes (`Store.fenced`).

    number: its fencing number. before: the leader before it, which may have been killed at work.
    """

    def __init__(self, store: Store, owner: str, number: int, before: LeaderState) -> None:
        self.number, self.before = number, before
        self._store, self._owner = store, owner
        self._ended = threading.Event()
        self._renewing = threading.Thread(target=self._renew, name="operator-lease", daemon=True)
        self._renewing.start()

    @contextmanager
    def guard(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The statement that runs before a write, in its transaction."""
        yield _GUARD, {"owner": self._owner}

    def lost(self) -> StoreError:
        """The error of a write after another operator has become the leader."""
        state = read_leader(self._store)
        who = state.describe() if state.owner else "another operator led and has finished"
        return LostLeadershipError(f"this operator did not answer for {STALE_SECONDS:.0f} s and was replaced: {who}")

    def mark(self, stage: str, run: str = "") -> tuple[str, Mapping[str, Any]]:
        """The statement that notes what the leader is doing; run it in a guarded transaction."""
        return _MARK, {"stage": stage, "run": run}

    def release(self) -> None:
        """End the leadership, if this process still has it."""
        self._ended.set()
        self._renewing.join()
        with suppress(StoreError):  # the database may be lost; then the node becomes stale
            self._store.write(_FREE, {"owner": self._owner})

    def _renew(self) -> None:
        while not self._ended.wait(RENEWAL_INTERVAL):
            try:
                if not self._store.write(_GUARD, {"owner": self._owner}):
                    return  # lost: the next decision raises
            except StoreError as error:
                logger.debug("the leadership could not be renewed: %s", error)


@contextmanager
def lead(store: Store) -> Iterator[Leader | None]:
    """A context in which this process is the leader; None if another one is."""
    ensure_unique(store, OPERATOR)
    before = read_leader(store)
    leader = None
    if not before.owner or before.age > STALE_SECONDS * 1000 or before.has_ended:
        leader = _take(store, before)
    try:
        yield leader
    finally:
        if leader is not None:
            leader.release()


def _take(store: Store, before: LeaderState) -> Leader | None:
    """Become the leader; None if another process has become it at the same time."""
    owner = secrets.token_hex(8)
    values = {
        "owner": owner,
        "holder": f"operator {socket.gethostname()} (process {os.getpid()})",
        "place": _describe_place(),
        "process": os.getpid(),
        "started": psutil.Process().create_time(),
        "stale": int(STALE_SECONDS * 1000),
        "instead_of": before.owner if before.has_ended else "",
    }
    try:
        rows = store.write(_TAKE, values)
    except StoreError as error:
        if is_contended(error):
            logger.debug("the leadership could not be taken: %s", error)
            return None
        raise
    return Leader(store, owner, int(rows[0]["number"]), before) if rows else None


def _describe_place() -> str:
    """The machine, its boot and the namespace of its process ids, by which a process id is meant; "" if unknown."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{socket.gethostname()} {boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""
