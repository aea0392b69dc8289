"""Items that may be recommended, of one way: with their titles and scores, best first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphrec.interactions import FloatArray
from graphrec.schema import ITEM
from graphrec.store import Store
from graphrec.store.connection import Row
from graphrec.vocabulary import IndexArray

_TITLES = f"UNWIND $ids AS id MATCH (item:{ITEM} {{id: id}}) RETURN item.id AS item, item.title AS title"


@dataclass(frozen=True)
class Candidate:
    """An item with its title and score, the way it came, and the run whose score it is, if any."""

    item: str
    title: str | None
    score: float
    way: str
    run: str | None = None


def of_rows(rows: Iterable[Row], way: str) -> list[Candidate]:
    """The candidates of records with item, title and score, in their order."""
    return [Candidate(str(row["item"]), row["title"], float(row["score"]), way) for row in rows]


def titles(store: Store, ids: Sequence[str]) -> dict[str, Any]:
    """The titles, or None, of those items that are in the graph."""
    return {str(row["item"]): row["title"] for row in store.read(_TITLES, {"ids": list(ids)})}


def with_titles(store: Store, found: Sequence[tuple[str, float]], way: str, run: str) -> list[Candidate]:
    """The candidates of ids with scores, with their titles; those that have left the graph are left out."""
    known = titles(store, [item for item, _ in found])
    return [Candidate(item, known[item], score, way, run) for item, score in found if item in known]


def best(scores: FloatArray, limit: int, order: IndexArray | None, signed: bool, error: float) -> IndexArray:
    """The positions of the `limit` highest scores [num_items] that say anything, best first; equal ones by `order`.

    A score says something if it is finite and larger than `error`, for a signed model also if it is less than -`error`.
    """
    known = np.flatnonzero(np.isfinite(scores) & ((np.abs(scores) if signed else scores) > error))
    if len(known) > limit:
        least = np.partition(scores[known], len(known) - limit)[len(known) - limit]
        known = known[scores[known] >= least]  # with all that share the last place
    ranks = known if order is None else order[known]
    found: IndexArray = known[np.lexsort((ranks, -scores[known]))][:limit]
    return found
