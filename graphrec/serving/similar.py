"""Items similar to one item: published ones, else by the model, else by common users."""

from typing import Any

from graphrec.errors import GraphrecError
from graphrec.schema import ITEM, RUN, SIMILAR, WITHDRAWN
from graphrec.serving.snapshot import Snapshot
from graphrec.store import Store, queries

_PUBLISHED = f"""
MATCH (item:{ITEM} {{id: $item_id}})-[edge:{SIMILAR}]->(other:{ITEM})
WHERE edge.version IN $layers AND NOT EXISTS {{ (item)-[:{WITHDRAWN}]->(:{RUN} {{id: $run}}) }}
RETURN edge.version AS version, other.id AS item, edge.score AS score, edge.rank AS rank
"""


def find_similar(store: Store, snapshot: Snapshot, item_id: str, k: int) -> tuple[str, list[dict[str, Any]]]:
    """The strategy (`published`, `model` or `common_users`) and the k most similar items: item, title, score, rank."""
    pairs = _read_published(store, snapshot, item_id)
    if pairs:
        return "published", _build_rows(snapshot, pairs, k)
    pairs = _find_by_model(snapshot, item_id, k)
    if pairs:
        return "model", _build_rows(snapshot, pairs, k)
    query = queries.get("find_similar_items")
    rows = store.read(query.statement, {"item_id": item_id, "k": k})
    return "common_users", _build_rows(snapshot, [(row["item"], row["similarity"]) for row in rows], k)


def _read_published(store: Store, snapshot: Snapshot, item_id: str) -> list[tuple[str, float]]:
    """The list of the newest layer of the snapshot's run that has one."""
    if snapshot.run is None:
        return []
    layers = list(snapshot.run.layers)
    rows = store.read(_PUBLISHED, {"item_id": item_id, "layers": layers, "run": snapshot.run.id})
    newest = min((row["version"] for row in rows), key=layers.index, default=None)
    chosen = sorted((row for row in rows if row["version"] == newest), key=lambda row: row["rank"])
    return [(row["item"], float(row["score"])) for row in chosen]


def _find_by_model(snapshot: Snapshot, item_id: str, k: int) -> list[tuple[str, float]]:
    if snapshot.fold_in is None:
        return []
    from graphrec.ranking.similar_items import find_similar_to

    trained = snapshot.fold_in.trained
    position = int(trained.items.find_few([item_id])[0])
    if position < 0 or not trained.model.is_personal:
        return []
    try:
        return find_similar_to(trained, position, k)
    except GraphrecError:  # the model has no similar items
        return []


def _build_rows(snapshot: Snapshot, pairs: list[tuple[str, float]], k: int) -> list[dict[str, Any]]:
    """The first k items that are in the graph, with titles and ranks."""
    present = [(item, score) for item, score in pairs if item in snapshot.titles][:k]
    return [
        {"item": item, "title": snapshot.titles[item], "score": score, "rank": rank}
        for rank, (item, score) in enumerate(present, start=1)
    ]
