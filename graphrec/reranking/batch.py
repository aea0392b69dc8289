"""Reranked lists for all users of a run: what `publish` writes if it is given a rules file."""

from collections.abc import Mapping
from functools import cache, partial

import numpy as np
import pandas as pd

from graphrec.arguments import count
from graphrec.interactions import FloatArray
from graphrec.progress import Progress
from graphrec.ranking.memory import MEMORY_BUDGET
from graphrec.ranking.topk import Recommendations, recommend
from graphrec.reranking.rerank import RerankedLists, rerank_lists
from graphrec.reranking.spec import RerankingRules
from graphrec.reranking.trace import Trace, TraceStep
from graphrec.reranking.validation import require_applicable
from graphrec.runs import TrainedRun
from graphrec.store import Store
from graphrec.vocabulary import IndexArray, Vocabulary

#: Batch size: users whose candidates are ranked and reranked together as one table.
USERS_AT_ONCE = 4096

#: Factor by which the candidate pool grows for users to whom the rules leave fewer than k items.
POOL_GROWTH = 4


def rerank_all_users(
    store: Store,
    trained: TrainedRun,
    rules: RerankingRules,
    k: int,
    memory_budget: int = MEMORY_BUDGET,
    progress: Progress | None = None,
    trace: bool = False,
) -> RerankedLists:
    """The k best items of every user under the rules, and what each rule did.

    A list is shorter than k only if the rules leave fewer than k of all items that the user has not seen.

    Raises:
        UnknownNameError, DataError: a rule names what the graph does not have, or the database rejects a predicate.
        DataError: `k` is not an integer of at least 1.
    """
    k = min(count(k), max(len(trained.items), 1))
    require_applicable(rules, store)
    frames: list[pd.DataFrame] = []
    steps: list[TraceStep] = []
    counts: dict[str, int] = {}
    num_users, vectors = len(trained.users), cache(partial(item_vectors, trained))
    for start in range(0, num_users, USERS_AT_ONCE):
        users = np.arange(start, min(start + USERS_AT_ONCE, num_users))
        depth = k * rules.depth
        while len(users):
            candidates = recommend(trained, users, min(depth, len(trained.items)), memory_budget)
            reranked = rerank_lists(rules, store, candidates, k, vectors, trace)
            short = (
                np.empty(0, dtype=np.int64) if depth >= len(trained.items) else _find_short(reranked, trained, users, k)
            )
            is_complete = ~reranked.recommendations.frame["user_id"].isin(trained.users.id(short))
            frames.append(reranked.recommendations.frame[is_complete])
            _add_counts(counts, reranked.trace.counts if not len(short) else {})
            repeated = set(trained.users.id(short))
            steps += [step for step in reranked.trace.steps if step.user not in repeated]
            users, depth = short, depth * POOL_GROWTH
        if progress is not None:
            progress(min(start + USERS_AT_ONCE, num_users), num_users)
    frame = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    return RerankedLists(Recommendations(frame, trained.run.model, trained.run.id), Trace(tuple(steps), counts))


def item_vectors(trained: TrainedRun) -> tuple[Vocabulary, FloatArray]:
    """The items of a run and their vectors [num_items, dim]. Raises GraphrecError if its model has no vectors."""
    return trained.items, trained.model.embeddings().items.float().cpu().numpy()


def _find_short(reranked: RerankedLists, trained: TrainedRun, users: IndexArray, k: int) -> IndexArray:
    """The positions of the users with fewer than k items."""
    lengths = reranked.recommendations.frame["user_id"].value_counts()
    short: IndexArray = users[lengths.reindex(trained.users.id(users), fill_value=0).to_numpy() < k]
    return short


def _add_counts(counts: dict[str, int], more: Mapping[str, int]) -> None:
    for title, number in more.items():
        counts[title] = counts.get(title, 0) + number
