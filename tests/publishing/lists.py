"""A graph of users and items, runs, lists for them, and what a reader and the graph itself say of these."""

import numpy as np
import pandas as pd

from graphrec.publishing import Publication, PublishResult, publish
from graphrec.ranking.topk import Recommendations
from graphrec.runs import Run
from graphrec.store import Store, queries
from graphrec.vocabulary import Vocabulary

USERS, ITEMS = 24, 40

#: A list: (item, score, rank), best first.
List = list[tuple[str, float, int]]


def make_graph(store: Store, users: int = USERS, items: int = ITEMS) -> None:
    """Users 0, 1, … who have rated nothing, and items i0, i1, …"""
    for label, number, prefix in (("User", users, ""), ("Item", items, "i")):
        store.write(f"CREATE CONSTRAINT {label}_id IF NOT EXISTS FOR (n:{label}) REQUIRE n.id IS UNIQUE")
        store.write(
            f"UNWIND range(0, $n - 1) AS k CREATE (:{label} {{id: $prefix + toString(k)}})",
            {"n": number, "prefix": prefix},
        )


def run(name: str) -> Run:
    """A run that was not measured."""
    return Run(name, "popularity", {}, {"ndcg@10": 0.5}, "2026-01-01T00:00:00Z", ("User", "RATED", "Item"), 0.1)


def lists(shift: int = 0, k: int = 5, users: int = USERS, changed: int | None = None) -> pd.DataFrame:
    """For user u the k items from i(u + shift) on; with `changed` the others than the first so many have shift 0."""
    user, rank = np.repeat(np.arange(users), k), np.tile(np.arange(1, k + 1), users)
    turned = shift if changed is None else np.where(user < changed, shift, 0)
    item = (user + rank + turned) % ITEMS
    frame = pd.DataFrame({"user_id": user, "item_id": [f"i{i}" for i in item], "score": (1 / rank).astype("float32")})
    return frame.assign(rank=rank).astype({"user_id": "str", "item_id": "str"})


def publication(name: str, frame: pd.DataFrame, users: int = USERS, similar: pd.DataFrame | None = None) -> Publication:
    """A run that knows all users and items, with these recommendations."""
    known, items = (
        Vocabulary.of("User", [str(k) for k in range(users)]),
        Vocabulary.of("Item", [f"i{k}" for k in range(ITEMS)]),
    )
    return Publication(run(name), Recommendations(frame, "popularity", name), known, items, similar)


def put(
    store: Store, name: str, frame: pd.DataFrame, keep: int = 1, similar: pd.DataFrame | None = None
) -> PublishResult:
    """Publish a run with these recommendations."""
    return publish(store, publication(name, frame, similar=similar), keep)


def wanted(frame: pd.DataFrame) -> dict[str, List]:
    """The lists of a table by user."""
    found: dict[str, List] = {}
    for user, item, score, rank in frame[["user_id", "item_id", "score", "rank"]].itertuples(index=False):
        found.setdefault(user, []).append((item, round(float(score), 4), int(rank)))
    return found


def read(store: Store, user: str) -> List:
    """What the query file says to a reader."""
    rows = store.read(queries.get("recommend_for_user").statement, {"user_id": user, "k": 100})
    return [(row["item"], round(row["score"], 4), row["rank"]) for row in rows]


def read_all(store: Store, users: int = USERS) -> dict[str, List]:
    """The lists of all users who have one, as readers see them."""
    found = {str(user): read(store, str(user)) for user in range(users)}
    return {user: rows for user, rows in found.items() if rows}


def edges_by_layer(store: Store, relation: str = "RECOMMENDED") -> dict[str | None, int]:
    """How many edges each layer has, by the id of the version that wrote it, `gone N` where the graph has no such node.

    Those of somebody else, without a number, stand under None.
    """
    rows = store.read(
        f"MATCH ()-[r:{relation}]->() WITH r.version AS layer, count(*) AS number "
        "OPTIONAL MATCH (run:Run {version: layer}) RETURN coalesce(run.id, 'gone ' + toString(layer)) AS id, number"
    )
    return {row["id"]: row["number"] for row in rows}
