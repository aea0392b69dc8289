"""What came into the graph since the last training: how many events, of whom, and whether they are of other items."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from graphrec.operation.journal import read_decisions
from graphrec.operation.policy import RetrainPolicy
from graphrec.runs import Run, TrainedRun
from graphrec.schema import ITEM, RUN, USER
from graphrec.store import Store
from graphrec.store.active_run import ActiveRun
from graphrec.store.connection import quote

Floats = npt.NDArray[np.float64]

#: Samples without drift, of which the divergence of new events must exceed each.
SAMPLES = 20

_ACTIVE = f"MATCH (run:{RUN} {{id: $run}}) RETURN run.config AS config, run.created_at AS created_at"


@dataclass(frozen=True)
class LastTraining:
    """The last training that operation knows: its own, or that of the active run.

    run: its id. model, settings: name and settings of the model. relation: the behaviour that it predicts.
    at: when, and searched_at: when the settings were searched, in milliseconds since 1970.
    num_interactions: number of interactions that it was fitted to; None if unknown.
    """

    run: str
    model: str
    settings: Mapping[str, object]
    relation: str
    at: int
    searched_at: int
    num_interactions: int | None


@dataclass(frozen=True)
class Changes:
    """What came in since the last training.

    interactions: number of edges of the target behaviour now. new: how many more than at the training.
    unknown_users, unknown_items: share of the new interactions by users, and with items, that the run does not know.
    drift: see `measure_drift`. The three are None if there are too few new interactions, or if the run is not on this
        machine.
    age: seconds since the training.
    """

    interactions: int
    new: int
    age: int
    unknown_users: float | None = None
    unknown_items: float | None = None
    drift: float | None = None

    def reasons(self, policy: RetrainPolicy) -> list[str]:
        """The parts of the policy that ask for a training, as clauses; empty if none does."""
        found = []
        if self.new >= policy.events:
            found.append(f"{self.new:,} new events reach {policy.events:,}")
        for name, share in (("users", self.unknown_users), ("items", self.unknown_items)):
            if share is not None and share >= policy.unknown > 0:
                found.append(f"{share:.1%} of the new events are of unknown {name}, from {policy.unknown:.1%} on")
        if self.drift is not None and self.drift >= policy.drift > 0:
            found.append(f"drift of items {self.drift:.3f} reaches {policy.drift:g}")
        if self.age >= policy.age and self.new > 0:
            found.append(f"the last training is {self.age / 86_400:.1f} days old, from {policy.age / 86_400:.1f} on")
        return found


def find_last_training(store: Store, active: ActiveRun | None, saved: Mapping[str, Run]) -> LastTraining | None:
    """The last training in the journal, else that of the active run; None if nothing was ever trained for this graph.

    A training counts also if its run was refused, or was rolled back: the same data would make the same run again.
    """
    trained = read_decisions(store, 1, ["train"])
    if trained:
        (last,) = trained
        figures = last.figures
        return LastTraining(
            str(last.run),
            figures["model"],
            figures["settings"],
            figures["relation"],
            last.at,
            int(figures["searched_at"]),
            int(figures["interactions"]),
        )
    if active is None:
        return None
    (row,) = store.read(_ACTIVE, {"run": active.id})
    at = _milliseconds(row["created_at"])
    run = saved.get(active.trained)
    number = None if run is None else run.num_interactions
    settings = json.loads(row["config"] or "{}")
    return LastTraining(active.trained, active.model, settings, active.relation, at, at, number)


def find_changes(
    store: Store, last: LastTraining, trained: TrainedRun | None, policy: RetrainPolicy, now: int, seed: int
) -> Changes:
    """What came in since a training; `trained` is its run, or None if it is not on this machine."""
    now_there = count_interactions(store, last.relation)
    known = last.num_interactions
    if known is None:  # a run of an earlier version: its distinct pairs
        known = now_there if trained is None else len(trained.seen)
    new, age = max(0, now_there - known), max(0, now - last.at) // 1000
    if trained is None or new < policy.least:
        return Changes(now_there, new, age)
    users, items = (_count_pairs(store, last.relation, label) for label in (USER, ITEM))
    unknown_users = sum(number for id_, number in users.items() if id_ not in trained.users.ids)
    unknown_items = sum(number for id_, number in items.items() if id_ not in trained.items.ids)
    pairs = max(1, sum(items.values()) - len(trained.seen))
    before = np.bincount(trained.seen.item_index, minlength=len(trained.items)).astype(np.float64)
    there = np.array([items.get(id_, 0) for id_ in trained.items.ids], dtype=np.float64)
    drift = measure_drift(before, np.maximum(there - before, 0), np.random.default_rng(seed))
    by_users, by_items = (min(1.0, number / pairs) for number in (unknown_users, unknown_items))
    return Changes(now_there, new, age, by_users, by_items, drift)


def count_interactions(store: Store, relation: str) -> int:
    """The number of edges of a behaviour."""
    statement = f"MATCH (:{USER})-[edge:{quote(relation)}]->(:{ITEM}) RETURN count(edge) AS number"
    return int(store.read(statement)[0]["number"])


def measure_drift(before: Floats, new: Floats, rng: np.random.Generator) -> float:
    """How much the popularity of items [num_items] in new events differs from that before, from 0 to 1.

    It is the Jensen-Shannon divergence in bits (Lin, 1991: Divergence measures based on the Shannon entropy) minus the
    mean of that of SAMPLES samples of as many events drawn from the popularity before, which is what a small number of
    events differs by without any drift; 0 unless it exceeds all of these.
    """
    if not before.sum() or not new.sum():
        return 0.0
    share = before / before.sum()
    found = _divergence(share, new)
    samples = [_divergence(share, rng.multinomial(int(new.sum()), share).astype(np.float64)) for _ in range(SAMPLES)]
    return 0.0 if found <= max(samples) else float(found - np.mean(samples))


def _divergence(share: Floats, counts: Floats) -> float:
    other = counts / counts.sum()
    middle = (share + other) / 2
    parts = (np.log2(np.divide(each, middle, out=np.ones_like(each), where=each > 0)) @ each for each in (share, other))
    return float(sum(parts)) / 2


def _count_pairs(store: Store, relation: str, label: str) -> dict[str, int]:
    """The number of distinct users of each item, or of distinct items of each user."""
    statement = (
        f"MATCH (user:{USER})-[:{quote(relation)}]->(item:{ITEM}) WITH DISTINCT user, item "
        f"RETURN {label.lower()}.id AS id, count(*) AS number"
    )
    return {row["id"]: int(row["number"]) for row in store.read(statement)}


def _milliseconds(created_at: str) -> int:
    return int(datetime.fromisoformat(created_at.replace("Z", "+00:00")).timestamp() * 1000)
