"""Candidate items for one user, with titles, scores and the strategy that found them; and their reranking."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from graphrec.interactions import FloatArray
from graphrec.reranking import RerankingRules, Trace
from graphrec.reranking.item_features import ItemVectors
from graphrec.reranking.rerank import rerank
from graphrec.schema import ITEM
from graphrec.serving.answer import Strategy
from graphrec.store import Store
from graphrec.store.connection import Row
from graphrec.vocabulary import IndexArray

_TITLES = f"UNWIND $ids AS id MATCH (item:{ITEM} {{id: id}}) RETURN item.id AS item, item.title AS title"


@dataclass(frozen=True)
class Candidate:
    """An item with its title and score, the strategy that found it with a detail, and the run that scored it if any."""

    item: str
    title: str | None
    score: float
    strategy: Strategy
    detail: str | None = None
    run: str | None = None


def from_records(rows: Iterable[Row], strategy: Strategy, detail: str) -> list[Candidate]:
    """The candidates of records with item, title and score, in their order."""
    return [Candidate(str(row["item"]), row["title"], float(row["score"]), strategy, detail) for row in rows]


def read_titles(store: Store, ids: Sequence[str]) -> dict[str, Any]:
    """The title (or None) by id, of those items that are in the graph."""
    return {str(row["item"]): row["title"] for row in store.read(_TITLES, {"ids": list(ids)})}


def add_titles(
    titles: Mapping[str, Any], scores: Sequence[tuple[str, float]], strategy: Strategy, detail: str, run: str
) -> list[Candidate]:
    """The candidates of (id, score) pairs; items that are not in `titles`, as they left the graph, are left out."""
    return [Candidate(item, titles[item], score, strategy, detail, run) for item, score in scores if item in titles]


def top_positions(
    scores: FloatArray, limit: int, order: IndexArray | None, has_signed_scores: bool, rounding_error: float
) -> IndexArray:
    """The positions of the `limit` highest scores [num_items] that are preferences, best first; equal ones by `order`.

    A score is a preference if it is finite and above `rounding_error`; if scores are signed, also if it is below
    -`rounding_error`.
    """
    size = np.abs(scores) if has_signed_scores else scores
    preferred = np.flatnonzero(np.isfinite(scores) & (size > rounding_error))
    if len(preferred) > limit:
        threshold = np.partition(scores[preferred], len(preferred) - limit)[len(preferred) - limit]
        preferred = preferred[scores[preferred] >= threshold]  # keeps all items tied with the last one
    ranks = preferred if order is None else order[preferred]
    top: IndexArray = preferred[np.lexsort((ranks, -scores[preferred]))][:limit]
    return top


def rerank_candidates(
    store: Store, rules: RerankingRules, user: str, candidates: Sequence[Candidate], k: int, vectors: ItemVectors | None
) -> tuple[list[Candidate], Trace]:
    """The k best candidates of one user under the rules, and what each rule did.

    Scores of different strategies, such as a model's scores and counts of friends, are not comparable. So the rules get
    the scores of the first strategy and, for the candidates of the others, decreasing scores below those. Only
    candidates of the first strategy show the score that the rules changed.
    """
    if not candidates:
        return [], Trace()
    frame = pd.DataFrame(
        {
            "user_id": user,
            "item_id": [each.item for each in candidates],
            "score": _make_comparable(candidates),
            "rank": range(1, len(candidates) + 1),
        }
    )
    reranked, trace = rerank(rules, store, frame, k, vectors, trace=True)
    by_id = {each.item: each for each in candidates}
    pairs = [(by_id[item], float(score)) for item, score in zip(reranked["item_id"], reranked["score"], strict=True)]
    first = candidates[0].strategy
    return [replace(each, score=score) if each.strategy is first else each for each, score in pairs], trace


def _make_comparable(candidates: Sequence[Candidate]) -> list[float]:
    """The scores of the first strategy, then decreasing scores below them for the candidates of the others."""
    scores = [each.score for each in candidates if each.strategy is candidates[0].strategy]
    lowest = min(scores)
    places = range(1, len(candidates) - len(scores) + 1)
    return [*scores, *(lowest / (1 + place) if lowest > 0 else lowest - place for place in places)]
