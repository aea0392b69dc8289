"""An online experiment: the active run and another published run at once, users assigned by a salted hash.

An experiment holds while its run stays active without a break: a publication or a rollback ends it in the same write.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from graphrec.schema import EXPERIMENT, RUN
from graphrec.store.active_run import ACTIVE_RUN, COLUMNS, ActiveRun
from graphrec.store.connection import Store
from graphrec.store.counts import known_labels

#: split: some users get the other run. interleave: some users get items of both runs in one list.
Mode = Literal["split", "interleave"]

#: Whether the run that `ACTIVE_RUN` binds is in an experiment; a column of the query that answers read.
IS_COMPARED = f"""EXISTS {{
    MATCH (e:{EXPERIMENT}) WHERE e.active = run.id AND e.activated_at = run.activated_at AND e.ended_at IS NULL }}"""

_READ = f"""{ACTIVE_RUN}
WITH run.id AS active, run.activated_at AS activated_at
MATCH (e:{EXPERIMENT}) WHERE e.active = active AND e.activated_at = activated_at AND e.ended_at IS NULL
MATCH (run:{RUN} {{id: e.other}}) WHERE run.layers IS NOT NULL
RETURN e.id AS id, e.mode AS mode, e.salt AS salt, e.share AS share, e.active AS active, e.started_at AS started_at,
       {COLUMNS}
ORDER BY started_at DESC, id LIMIT 1
"""


_LIST = f"""
MATCH (e:{EXPERIMENT})
RETURN e.id AS id, e.mode AS mode, e.salt AS salt, e.share AS share, e.active AS active, e.other AS other,
       e.started_at AS started_at, e.ended_at AS ended_at
ORDER BY started_at DESC, id
"""

_AT = f"""
MATCH (e:{EXPERIMENT}) WHERE e.active = $active AND e.activated_at = $activated_at AND e.started_at <= $at
    AND (e.ended_at IS NULL OR e.ended_at > $at)
RETURN e.id AS id, e.mode AS mode, e.salt AS salt, e.share AS share, e.active AS active, e.other AS other,
       e.started_at AS started_at, e.ended_at AS ended_at
ORDER BY started_at DESC, id LIMIT 1
"""


@dataclass(frozen=True)
class Assignment:
    """What an experiment compares, and who takes part.

    salt: makes the assignment of users independent of that of other experiments.
    share: of users who get the other run, or items of both.
    active: the id of the active run.
    started_at: milliseconds since 1970.
    """

    id: str
    mode: Mode
    salt: str
    share: float
    active: str
    started_at: int

    def is_assigned(self, user_id: str) -> bool:
        """Whether a user gets the other run (split), or items of both runs (interleave)."""
        return hash_fraction(self.salt, user_id) < self.share


@dataclass(frozen=True)
class Experiment(Assignment):
    """A running experiment; `other` is the run that the active one is compared with."""

    other: ActiveRun


@dataclass(frozen=True)
class ListedExperiment(Assignment):
    """An experiment, running or not.

    other: the id of the other run.
    ended_at: milliseconds since 1970; None while it runs, and if a publication or a rollback ended it.
    """

    other: str
    ended_at: int | None
    running: bool


def hash_fraction(salt: str, text: str) -> float:
    """A number from 0 to below 1, uniform over texts: the first 53 bits of the SHA-256 of salt and text."""
    digest = hashlib.sha256(f"{salt}:{text}".encode("utf-8", "surrogatepass")).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53


def find_experiment(store: Store) -> Experiment | None:
    """The running experiment; None if no experiment is running, or if its other run has no lists any more."""
    rows = store.read(_READ)
    return _build(rows[0]) if rows else None


def _build(row: Mapping[str, Any]) -> Experiment:
    names = ("id", "mode", "salt", "share", "active", "started_at")
    return Experiment(other=ActiveRun.from_row(row), **{name: row[name] for name in names})


def list_experiments(store: Store) -> list[ListedExperiment]:
    """All experiments, the newest first."""
    if EXPERIMENT not in known_labels(store):
        return []
    running = find_experiment(store)
    return [
        ListedExperiment(**row, running=running is not None and running.id == row["id"]) for row in store.read(_LIST)
    ]


def find_experiment_at(store: Store, active: str, activated_at: int, at: int) -> ListedExperiment | None:
    """The experiment that ran at a time while a run was active since `activated_at` (milliseconds since 1970)."""
    if EXPERIMENT not in known_labels(store):
        return None
    rows = store.read(_AT, {"active": active, "activated_at": activated_at, "at": at})
    return ListedExperiment(**rows[0], running=rows[0]["ended_at"] is None) if rows else None
