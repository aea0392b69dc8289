"""The rules that treat each item by itself (deny, allow, boost, recency) as stages over a table of candidates."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from graphrec.interactions import FloatArray
from graphrec.reranking.item_features import BoolArray, evaluate_predicate, recency_factors
from graphrec.reranking.spec import Allow, Boost, RerankingRules
from graphrec.reranking.trace import MOVED, REMOVED, TraceStep
from graphrec.store import Store
from graphrec.vocabulary import IndexArray

#: Lower bound of a factor that a negative score is divided by.
MIN_FACTOR = 1e-12


@dataclass(frozen=True, eq=False)
class Stage:
    """One rule over n rows: `touched` [n] and the `factor` [n] on the scores of touched rows; None removes them."""

    title: str
    touched: BoolArray
    factor: FloatArray | None = None

    def apply(self, kept: BoolArray, score: FloatArray) -> tuple[BoolArray, FloatArray]:
        """Which rows [n] are kept after the stage, and their scores [n]."""
        if self.factor is None:
            return kept & ~self.touched, score
        # negative scores are divided, so that a factor above 1 raises them too
        scaled = np.where(score >= 0, score * self.factor, score / np.maximum(self.factor, MIN_FACTOR))
        return kept, np.where(self.touched, scaled, score).astype(np.float32)


def build_stages(rules: RerankingRules, store: Store, frame: pd.DataFrame) -> Iterator[Stage]:
    """The stages of deny, allow, boost and recency, in this order, for a table with user_id and item_id."""
    for rule in (*rules.deny, *rules.allow, *rules.boost):
        true = evaluate_predicate(store, rule, frame)
        if isinstance(rule, Boost):
            yield Stage(rule.title, true, np.full(len(frame), rule.factor, dtype=np.float32))
        else:
            yield Stage(rule.title, ~true if isinstance(rule, Allow) else true)
    if rules.recency is not None:
        code, ids = pd.factorize(frame["item_id"])
        factor = recency_factors(store, rules.recency, list(ids))[code]
        yield Stage(rules.recency.title, factor < 1.0, factor)


def trace_stages(stages: list[Stage], frame: pd.DataFrame, rows: IndexArray, k: int) -> Iterator[TraceStep]:
    """The steps of each stage on the rows of one user: every item that it removed, and every item that it moved into,
    out of or within the first k ranks."""
    kept, score = np.ones(len(frame), dtype=bool), frame["score"].to_numpy(dtype=np.float32)
    items, user = frame["item_id"].to_numpy(), str(frame["user_id"].iloc[rows[0]])
    before = _ranks(rows, kept, score)
    for stage in stages:
        old, (kept, score) = score, stage.apply(kept, score)
        after = _ranks(rows, kept, score)
        for row, rank in before.items():
            if not kept[row]:
                yield TraceStep(user, items[row], stage.title, REMOVED, rank, None, float(old[row]), None)
            elif stage.factor is not None and stage.touched[row] and rank != after[row] and min(rank, after[row]) <= k:
                yield TraceStep(
                    user, items[row], stage.title, MOVED, rank, after[row], float(old[row]), float(score[row])
                )
        before = after


def _ranks(rows: IndexArray, kept: BoolArray, score: FloatArray) -> dict[int, int]:
    """The rank, from 1, of each kept row of a user; equal scores keep the order of the rows."""
    mine = rows[kept[rows]]
    return {int(row): rank for rank, row in enumerate(mine[np.argsort(-score[mine], kind="stable")], start=1)}
