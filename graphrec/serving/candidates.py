"""Candidate items for one user, with titles, scores and the strategy that found them; and their reranking."""

from collections.abc import Iterable, Sequence
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
    store: Store, found: Sequence[tuple[str, float]], strategy: Strategy, detail: str, run: str
) -> list[Candidate]:
    """The candidates of (id, score) pairs, with titles from the graph; items that are no longer in it are left out."""
    known = read_titles(store, [item for item, _ in found])
    return [Candidate(item, known[item], score, strategy, detail, run) for item, score in found if item in known]


def top_positions(
    scores: FloatArray, limit: int, order: IndexArray | None, has_signed_scores: bool, rounding_error: float
) -> IndexArray:
    """The positions of the `limit` highest scores [num_items] that are preferences, best first; equal ones by `order`.

    A score is a preference if it is finite and above `rounding_error`; if scores are signed, also if it is below
    -`rounding_error`.
    """
    size = np.abs(scores) if has_signed_scores else scores
    known = np.flatnonzero(np.isfinite(scores) & (size > rounding_error))
    if len(known) > limit:
        least = np.partition(scores[known], len(known) - limit)[len(known) - limit]
        known = known[scores[known] >= least]  # keeps all that share the last place
    ranks = known if order is None else order[known]
    found: IndexArray = known[np.lexsort((ranks, -scores[known]))][:limit]
    return found


def rerank_candidates(
    store: Store, rules: RerankingRules, user: str, candidates: Sequence[Candidate], k: int, vectors: ItemVectors | None
) -> tuple[list[Candidate], Trace]:
    """The k best candidates of one user under the rules, and what each rule did.

    Scores of different strategies are not comparable, such as a model's scores and counts of friends. So the rules get
    the scores of the first strategy, and for the candidates after it decreasing scores below those. A candidate shows
    the score that rules changed only if it is one of the first strategy.
    """
    if not candidates:
        return [], Trace()
    frame = pd.DataFrame(
        {
            "user_id": user,
            "item_id": [each.item for each in candidates],
            "score": _comparable_scores(candidates),
            "rank": range(1, len(candidates) + 1),
        }
    )
    found, trace = rerank(rules, store, frame, k, vectors, trace=True)
    by_id = {each.item: each for each in candidates}
    kept = [(by_id[item], float(score)) for item, score in zip(found["item_id"], found["score"], strict=True)]
    first = candidates[0].strategy
    return [replace(each, score=score) if each.strategy is first else each for each, score in kept], trace


def _comparable_scores(candidates: Sequence[Candidate]) -> list[float]:
    """The scores of the first strategy, then decreasing scores below them for the candidates after it."""
    scores = [each.score for each in candidates if each.strategy is candidates[0].strategy]
    least = min(scores)
    later = range(1, len(candidates) - len(scores) + 1)
    return [*scores, *(least / (1 + place) if least > 0 else least - place for place in later)]
