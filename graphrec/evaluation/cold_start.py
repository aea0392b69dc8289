"""Metrics of cold start: rankings of cold items alone and of warm items alone, beside those of all items."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from graphrec.evaluation.metrics import per_user
from graphrec.evaluation.protocol import warm_users
from graphrec.interactions import Interactions
from graphrec.models.base import Model
from graphrec.ranking.memory import MEMORY_BUDGET
from graphrec.ranking.options import TopKOptions
from graphrec.ranking.topk import search_top_k
from graphrec.vocabulary import IndexArray


def evaluate_cold_items(
    model: Model[Any],  # of any config
    train: Interactions,
    test: Interactions,
    cold_items: IndexArray,
    ks: tuple[int, ...],
    memory_budget: int = MEMORY_BUDGET,
) -> Mapping[str, float]:
    """The metrics of rankings of cold items only (`cold ndcg@20`, …) and of all others only (`warm ndcg@20`, …).

    A user counts in a group if they have training interactions and a test item of the group; only test items of the
    group count. An empty group has no metrics. Protocol: Heater (SIGIR 2020), GAR (SIGIR 2022); all users.
    """
    is_cold = np.zeros(train.num_items, dtype=bool)
    is_cold[cold_items] = True
    metrics: dict[str, float] = {}
    for group, members in (("cold", is_cold), ("warm", ~is_cold)):
        part = test.take(members[test.item_index])
        users, _ = warm_users(train, part) if len(part) else (np.empty(0, dtype=np.int64), 0)
        if not len(users):
            continue
        options = TopKOptions(candidates=members, memory_budget=memory_budget)
        best = search_top_k(model, train, users, max(ks), options).item_index
        pairs = part.matrix()
        new = (pairs - pairs.multiply(train.matrix())).tocsr()
        new.eliminate_zeros()
        values = per_user(best, new[users], ks)
        metrics |= {f"{group} {name}": float(value.mean()) for name, value in values.items()}
    return metrics
