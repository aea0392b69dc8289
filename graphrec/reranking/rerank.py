"""RerankingRules applied to the candidates of many users at once, or of one."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from graphrec.interactions import FloatArray
from graphrec.reranking.item_features import Vectors, categories, likeness
from graphrec.reranking.mmr import Selection, select
from graphrec.reranking.spec import RerankingRules
from graphrec.reranking.stages import stages, steps
from graphrec.reranking.trace import MOVED, REMOVED, Step, Trace
from graphrec.store import Store
from graphrec.vocabulary import IndexArray

if TYPE_CHECKING:  # what is published needs torch; a live answer may not
    from graphrec.ranking.topk import Recommendations


@dataclass(frozen=True)
class Applied:
    """The recommendations under the rules, and what each rule did."""

    recommendations: "Recommendations"
    trace: Trace


def apply(
    rules: RerankingRules,
    store: Store,
    found: "Recommendations",
    k: int,
    vectors: Vectors | None = None,
    trace: bool = False,
) -> Applied:
    """The k best items of each user under the rules, from candidates that are `k · rules.depth` deep.

    Scores are those after boosts and recency; ranks are the places in the lists, which caps and diversity may order
    otherwise than by score. `vectors` gives the item vectors of the run, for diversity by them. Without `trace` the
    trace has counts only.

    Raises DataError, with the rule's name, where the graph does not understand a rule.
    """
    frame, told = rerank(rules, store, found.frame, k, vectors, trace)
    return Applied(replace(found, frame=frame), told)


def rerank(
    rules: RerankingRules,
    store: Store,
    frame: pd.DataFrame,
    k: int,
    vectors: Vectors | None = None,
    trace: bool = False,
) -> tuple[pd.DataFrame, Trace]:
    """As `apply`, for the table user_id, item_id, score, rank alone."""
    frame = frame.sort_values(["user_id", "rank"], kind="stable", ignore_index=True)
    done = list(stages(rules, store, frame))
    counts = {stage.title: int(stage.touched.sum()) for stage in done}
    kept, score = np.ones(len(frame), dtype=bool), frame["score"].to_numpy(dtype=np.float32)
    for stage in done:
        kept, score = stage.carry_out(kept, score)
    user = pd.factorize(frame["user_id"])[0]
    told: dict[int, list[Step]] = {}
    if trace:
        told = {code: list(steps(done, frame, rows, k)) for code, rows in _by_user(user, np.arange(len(frame)))}
    order = np.lexsort((-score, user))  # stable: of equal scores the row that came first
    chosen: list[IndexArray] = []
    places = _Places(rules, store, frame, score, vectors)
    for code, rows in _by_user(user, order[kept[order]]):
        selection = places.select(rows, k)
        chosen.append(rows[selection.chosen])
        for title in (*selection.capped.values(), *places.moved(selection)):
            counts[title] = counts.get(title, 0) + 1
        if trace:
            told[code] += places.steps(rows, selection)
    rows = np.concatenate(chosen) if chosen else np.empty(0, dtype=np.int64)
    found = frame.iloc[rows].assign(score=score[rows])
    found["rank"] = found.groupby("user_id", sort=False).cumcount().to_numpy() + 1
    return found.reset_index(drop=True), Trace(tuple(step for each in told.values() for step in each), counts)


class _Places:
    """Caps and diversity over the rows of a table: what they need of its items is read once."""

    def __init__(
        self, rules: RerankingRules, store: Store, frame: pd.DataFrame, score: FloatArray, vectors: Vectors | None
    ) -> None:
        self._frame, self._score, self._diversity = frame, score, rules.diversity
        self._code, ids = pd.factorize(frame["item_id"])
        self._caps = [(cap, categories(store, cap, list(ids))) for cap in rules.cap]
        self._alike = likeness(store, rules.diversity.by, list(ids), vectors) if rules.diversity else None

    def select(self, rows: IndexArray, k: int) -> Selection:
        """The Selection among a user's rows, which are sorted by score."""
        if not self._caps and self._alike is None:
            return Selection(list(range(min(k, len(rows)))), {})
        codes = self._code[rows]
        caps = [(cap, [of[code] for code in codes]) for cap, of in self._caps]
        alike = None if self._alike is None else self._alike.among(codes)
        return select(self._score[rows], k, caps, alike, self._diversity.lambda_ if self._diversity else 1.0)

    def moved(self, selection: Selection) -> list[str]:
        """The title of diversity for each item that it puts elsewhere than its score would."""
        if self._diversity is None:
            return []
        return [self._diversity.title for old, new in _ranks(selection) if old != new]

    def steps(self, rows: IndexArray, selection: Selection) -> Iterator[Step]:
        """What caps and diversity did to a user's rows."""
        frame, score = self._frame, self._score
        user, items = str(frame["user_id"].iloc[rows[0]]), frame["item_id"].to_numpy()
        for position, title in sorted(selection.capped.items()):
            row = rows[position]
            yield Step(user, items[row], title, REMOVED, position + 1, None, float(score[row]), None)
        for position, (old, new) in zip(selection.chosen, _ranks(selection), strict=True):
            if self._diversity is not None and old != new:
                row = rows[position]
                yield Step(
                    user, items[row], self._diversity.title, MOVED, old, new, float(score[row]), float(score[row])
                )


def _ranks(selection: Selection) -> list[tuple[int, int]]:
    """Of each chosen item its rank by score, without those that a cap took out, and its place."""
    return [
        (position + 1 - sum(other < position for other in selection.capped), place)
        for place, position in enumerate(selection.chosen, start=1)
    ]


def _by_user(user: IndexArray, rows: IndexArray) -> Iterator[tuple[int, IndexArray]]:
    """The rows of each user, which stand together."""
    if not len(rows):
        return
    codes = user[rows]
    starts = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]]))
    for part in np.split(rows, starts[1:]):
        yield int(user[part[0]]), part
