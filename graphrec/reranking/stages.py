"""The rules that judge each item by itself, as stages over the rows of a table of candidates."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from graphrec.interactions import FloatArray
from graphrec.reranking.item_features import BoolArray, holds, recencies
from graphrec.reranking.spec import Allow, Boost, RerankingRules
from graphrec.reranking.trace import MOVED, REMOVED, Step
from graphrec.store import Store
from graphrec.vocabulary import IndexArray


@dataclass(frozen=True, eq=False)
class Stage:
    """One rule over n rows: those that it touches, and the factor [n] on their scores; without one they are removed."""

    title: str
    touched: BoolArray
    factor: FloatArray | None = None

    def carry_out(self, kept: BoolArray, score: FloatArray) -> tuple[BoolArray, FloatArray]:
        """Which rows are still there after it, and their scores."""
        if self.factor is None:
            return kept & ~self.touched, score
        # of a model whose scores may be negative, a factor above 1 must raise those too
        scaled = np.where(score >= 0, score * self.factor, score / np.maximum(self.factor, 1e-12))
        return kept, np.where(self.touched, scaled, score).astype(np.float32)


def stages(rules: RerankingRules, store: Store, frame: pd.DataFrame) -> Iterator[Stage]:
    """What deny, allow, boost and recency do to a table with user_id and item_id, in this order."""
    for rule in (*rules.deny, *rules.allow, *rules.boost):
        true = holds(store, rule, frame)
        if isinstance(rule, Boost):
            yield Stage(rule.title, true, np.full(len(frame), rule.factor, dtype=np.float32))
        else:
            yield Stage(rule.title, ~true if isinstance(rule, Allow) else true)
    if rules.recency is not None:
        code, ids = pd.factorize(frame["item_id"])
        factor = recencies(store, rules.recency, list(ids))[code]
        yield Stage(rules.recency.title, factor < 1.0, factor)


def steps(done: list[Stage], frame: pd.DataFrame, rows: IndexArray, k: int) -> Iterator[Step]:
    """What each stage did to the rows of one user: every item that it removed, and those that it moved into, out of or
    within the first k places."""
    kept, score = np.ones(len(frame), dtype=bool), frame["score"].to_numpy(dtype=np.float32)
    items, user = frame["item_id"].to_numpy(), str(frame["user_id"].iloc[rows[0]])
    before = _places(rows, kept, score)
    for stage in done:
        old, (kept, score) = score, stage.carry_out(kept, score)
        after = _places(rows, kept, score)
        for row, place in before.items():
            if not kept[row]:
                yield Step(user, items[row], stage.title, REMOVED, place, None, float(old[row]), None)
            elif (
                stage.factor is not None and stage.touched[row] and place != after[row] and min(place, after[row]) <= k
            ):
                yield Step(user, items[row], stage.title, MOVED, place, after[row], float(old[row]), float(score[row]))
        before = after


def _places(rows: IndexArray, kept: BoolArray, score: FloatArray) -> dict[int, int]:
    """The place, from 1, of each row of a user that is kept; of equal scores in the order of the rows."""
    mine = rows[kept[rows]]
    return {int(row): place for place, row in enumerate(mine[np.argsort(-score[mine], kind="stable")], start=1)}
