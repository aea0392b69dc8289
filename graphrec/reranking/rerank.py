"""Reranking: rules applied to the candidates of one user or of many at once."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from graphrec.interactions import FloatArray
from graphrec.reranking.item_features import ItemVectors, build_similarity, read_categories
from graphrec.reranking.mmr import Selection, select
from graphrec.reranking.spec import RerankingRules
from graphrec.reranking.stages import build_stages, trace_stages
from graphrec.reranking.trace import MOVED, REMOVED, Trace, TraceStep
from graphrec.store import Store
from graphrec.vocabulary import IndexArray

if TYPE_CHECKING:  # `ranking.topk` imports torch, which reranking a published list does not need
    from graphrec.ranking.topk import Recommendations


@dataclass(frozen=True)
class RerankedLists:
    """Recommendations after reranking, and what each rule did."""

    recommendations: "Recommendations"
    trace: Trace


def rerank_lists(
    rules: RerankingRules,
    store: Store,
    candidates: "Recommendations",
    k: int,
    vectors: ItemVectors | None = None,
    trace: bool = False,
) -> RerankedLists:
    """The k best items of each user under the rules, out of `k · rules.depth` candidates per user.

    Scores include boosts and recency. `rank` is the position in the list, which caps and diversity may order otherwise
    than by score. `vectors` returns the item vectors of the run, for diversity by vectors. Without `trace` the trace
    has counts only.

    Raises DataError, with the rule's name, if the database rejects a predicate.
    """
    frame, rule_trace = rerank(rules, store, candidates.frame, k, vectors, trace)
    return RerankedLists(replace(candidates, frame=frame), rule_trace)


def rerank(
    rules: RerankingRules,
    store: Store,
    frame: pd.DataFrame,
    k: int,
    vectors: ItemVectors | None = None,
    trace: bool = False,
) -> tuple[pd.DataFrame, Trace]:
    """As `rerank_lists`, for a table of candidates user_id, item_id, score, rank."""
    frame = frame.sort_values(["user_id", "rank"], kind="stable", ignore_index=True)

    # Rules that treat each item by itself: deny, allow, boost, recency.
    stages = list(build_stages(rules, store, frame))
    counts = {stage.title: int(stage.touched.sum()) for stage in stages}
    kept, score = np.ones(len(frame), dtype=bool), frame["score"].to_numpy(dtype=np.float32)
    for stage in stages:
        kept, score = stage.apply(kept, score)
    user = pd.factorize(frame["user_id"])[0]
    steps: dict[int, list[TraceStep]] = {}
    if trace:
        steps = {
            code: list(trace_stages(stages, frame, rows, k))
            for code, rows in _split_by_user(user, np.arange(len(frame)))
        }

    # Rules about a whole list: caps and diversity.
    order = np.lexsort((-score, user))  # stable: equal scores keep the order of the rows
    chosen: list[IndexArray] = []
    builder = _ListBuilder(rules, store, frame, score, vectors)
    for code, rows in _split_by_user(user, order[kept[order]]):
        selection = builder.select(rows, k)
        chosen.append(rows[selection.chosen])
        for title in (*selection.capped.values(), *builder.find_moved(selection)):
            counts[title] = counts.get(title, 0) + 1
        if trace:
            steps[code] += builder.trace_selection(rows, selection)

    rows = np.concatenate(chosen) if chosen else np.empty(0, dtype=np.int64)
    reranked = frame.iloc[rows].assign(score=score[rows])
    reranked["rank"] = reranked.groupby("user_id", sort=False).cumcount().to_numpy() + 1
    return reranked.reset_index(drop=True), Trace(tuple(step for each in steps.values() for step in each), counts)


class _ListBuilder:
    """Applies caps and diversity to each user's rows of a table; categories and similarities are read once."""

    def __init__(
        self, rules: RerankingRules, store: Store, frame: pd.DataFrame, score: FloatArray, vectors: ItemVectors | None
    ) -> None:
        self._frame, self._score, self._diversity = frame, score, rules.diversity
        self._code, ids = pd.factorize(frame["item_id"])
        self._caps = [(cap, read_categories(store, cap, list(ids))) for cap in rules.cap]
        diversity = rules.diversity
        self._similarity = None if diversity is None else build_similarity(store, diversity.by, list(ids), vectors)

    def select(self, rows: IndexArray, k: int) -> Selection:
        """The Selection from a user's rows, which are sorted by score."""
        if not self._caps and self._similarity is None:
            return Selection(list(range(min(k, len(rows)))), {})
        codes = self._code[rows]
        caps = [(cap, [categories[code] for code in codes]) for cap, categories in self._caps]
        similarity = None if self._similarity is None else self._similarity.among(codes)
        return select(self._score[rows], k, caps, similarity, self._diversity.lambda_ if self._diversity else 1.0)

    def find_moved(self, selection: Selection) -> list[str]:
        """The title of the diversity rule, once for each item that it moved from its rank by score."""
        if self._diversity is None:
            return []
        return [self._diversity.title for old, new in _ranks(selection) if old != new]

    def trace_selection(self, rows: IndexArray, selection: Selection) -> Iterator[TraceStep]:
        """The steps of caps and diversity on a user's rows."""
        frame, score = self._frame, self._score
        user, items = str(frame["user_id"].iloc[rows[0]]), frame["item_id"].to_numpy()
        for position, title in sorted(selection.capped.items()):
            row = rows[position]
            yield TraceStep(user, items[row], title, REMOVED, position + 1, None, float(score[row]), None)
        for position, (old, new) in zip(selection.chosen, _ranks(selection), strict=True):
            if self._diversity is not None and old != new:
                row = rows[position]
                yield TraceStep(
                    user, items[row], self._diversity.title, MOVED, old, new, float(score[row]), float(score[row])
                )


def _ranks(selection: Selection) -> list[tuple[int, int]]:
    """For each chosen item: its rank by score among the items that no cap removed, and its rank in the list."""
    return [
        (position + 1 - sum(other < position for other in selection.capped), rank)
        for rank, position in enumerate(selection.chosen, start=1)
    ]


def _split_by_user(user: IndexArray, rows: IndexArray) -> Iterator[tuple[int, IndexArray]]:
    """The rows of each user; `rows` must have the rows of one user next to each other."""
    if not len(rows):
        return
    codes = user[rows]
    starts = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]]))
    for part in np.split(rows, starts[1:]):
        yield int(user[part[0]]), part
