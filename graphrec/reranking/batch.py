"""The lists of all users of a run under rules: what `publish` writes where a rules file is given."""

from collections.abc import Mapping
from functools import cache, partial

import numpy as np
import pandas as pd

from graphrec.arguments import count
from graphrec.interactions import FloatArray
from graphrec.models.base import Progress
from graphrec.ranking.memory import MEMORY_BUDGET
from graphrec.ranking.topk import Recommendations, recommend
from graphrec.reranking.rerank import Applied, apply
from graphrec.reranking.spec import RerankingRules
from graphrec.reranking.trace import Step, Trace
from graphrec.reranking.validation import check
from graphrec.runs import TrainedRun
from graphrec.store import Store
from graphrec.vocabulary import IndexArray, Vocabulary

#: So many users are ranked and ruled at one time: their candidates are a table.
USERS_AT_ONCE = 4096

#: Users whose list the rules leave short are looked at again with so many times the candidates.
DEEPER = 4


def ruled_lists(
    store: Store,
    trained: TrainedRun,
    rules: RerankingRules,
    k: int,
    memory_budget: int = MEMORY_BUDGET,
    progress: Progress | None = None,
    trace: bool = False,
) -> Applied:
    """The k best items of every user under the rules, and what the rules did.

    A list is short only where the rules leave no more of all items that the user has not seen.

    Raises:
        UnknownNameError, DataError: the graph lacks what a rule names, or does not understand it.
        DataError: `k` is no integer from 1 on.
    """
    k = min(count(k), max(len(trained.items), 1))
    check(rules, store)
    frames: list[pd.DataFrame] = []
    steps: list[Step] = []
    counts: dict[str, int] = {}
    num_users, vectors = len(trained.users), cache(partial(vectors_of, trained))
    for start in range(0, num_users, USERS_AT_ONCE):
        users = np.arange(start, min(start + USERS_AT_ONCE, num_users))
        depth = k * rules.depth
        while len(users):
            found = recommend(trained, users, min(depth, len(trained.items)), memory_budget)
            applied = apply(rules, store, found, k, vectors, trace)
            short = np.empty(0, dtype=np.int64) if depth >= len(trained.items) else _short(applied, trained, users, k)
            ready = ~applied.recommendations.frame["user_id"].isin(trained.users.id(short))
            frames.append(applied.recommendations.frame[ready])
            _add(counts, applied.trace.counts if not len(short) else {})
            left = set(trained.users.id(short))
            steps += [step for step in applied.trace.steps if step.user not in left]
            users, depth = short, depth * DEEPER
        if progress is not None:
            progress(min(start + USERS_AT_ONCE, num_users), num_users)
    frame = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    return Applied(Recommendations(frame, trained.run.model, trained.run.id), Trace(tuple(steps), counts))


def vectors_of(trained: TrainedRun) -> tuple[Vocabulary, FloatArray]:
    """The items of a run and their vectors [num_items, dim]. Raises GraphrecError where its model has none."""
    return trained.items, trained.model.embeddings().items.float().cpu().numpy()


def _short(applied: Applied, trained: TrainedRun, users: IndexArray, k: int) -> IndexArray:
    """The users with fewer than k items."""
    lengths = applied.recommendations.frame["user_id"].value_counts()
    found = lengths.reindex(trained.users.id(users), fill_value=0).to_numpy()
    short: IndexArray = users[found < k]
    return short


def _add(counts: dict[str, int], more: Mapping[str, int]) -> None:
    for title, number in more.items():
        counts[title] = counts.get(title, 0) + number
