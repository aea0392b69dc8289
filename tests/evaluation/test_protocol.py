"""Who is measured, and that a config is chosen for good reasons."""

from dataclasses import asdict

import numpy as np
import pytest

from graphrec.errors import DataError, UnknownNameError
from graphrec.evaluation.protocol import evaluate, validation_measure, warm_users
from graphrec.interactions import Interactions
from graphrec.models import make
from graphrec.models.graph_filter.config import GraphFilterConfig
from graphrec.models.graph_filter.model import GraphFilter
from graphrec.models.item_knn import ItemKNN
from graphrec.models.lightgcn import LightGCNConfig
from graphrec.testing import checkerboard, graph_of
from graphrec.tuning import TuningBudget, choose, select
from graphrec.tuning.trial import Quality
from graphrec.tuning.tune import num_trials


def pairs(*found: tuple[int, int], users: int = 4, items: int = 4) -> Interactions:
    user, item = ([p[end] for p in found] for end in (0, 1))
    return Interactions(np.array(user, dtype=np.int64), np.array(item, dtype=np.int64), users, items)


def test_cold_users_are_counted_and_seen_items_are_no_truth() -> None:
    """u0 is warm; u1 has nothing new; u2 has no training; u3 has no test."""
    seen = pairs((0, 0), (1, 1), (3, 0), (3, 1))
    truth = pairs((0, 0), (0, 1), (1, 1), (2, 0))
    users, num_cold = warm_users(seen, truth)
    assert (users.tolist(), num_cold) == ([0], 1)
    model = make("popularity")
    model.fit(graph_of(seen), seen, np.random.default_rng(0))
    found = evaluate(model, seen, truth, (1, 2))
    assert (found.user_index.tolist(), found.num_cold) == ([0], 1)
    assert found.metrics["recall@1"] == 1.0  # item 1 of u0; item 0, seen in training, counts nowhere
    assert found.metrics["coverage@1"] == 0.25
    assert found.per_user["ndcg@2"].tolist() == [1.0]


def test_a_perfect_model_gets_full_marks() -> None:
    graph, train, withheld = checkerboard()
    model = make("graph_filter")
    model.fit(graph, train, np.random.default_rng(0))
    metrics = evaluate(model, train, withheld, (1, 10)).metrics
    assert {metrics[name] for name in ("recall@1", "ndcg@1", "hit_rate@10", "mrr@10")} == {1.0}


def test_nobody_to_measure_is_an_error() -> None:
    seen, truth = pairs((0, 0)), pairs((1, 1))
    model = make("popularity")
    model.fit(graph_of(seen), seen, np.random.default_rng(0))
    with pytest.raises(DataError, match="none of the 1 users with test interactions has any in training"):
        evaluate(model, seen, truth)
    with pytest.raises(DataError, match="both training and validation"):
        validation_measure(seen, truth, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("qualities", "whole", "best"),
    [
        ([(0.10, 0.1), (0.12, 0.09)], [True, True], 1),  # the best plain one, whatever the other measure says
        ([(0.10, 0.1), (0.10, 0.2)], [True, True], 0),  # equal: the first
        ([(0.10, 0.1), (0.12, 0.1), (0.11, 0.1)], [True, False, True], 2),  # what was given up is no choice
    ],
)
def test_selection(qualities: list[tuple[float, float]], whole: list[bool], best: int) -> None:
    assert select([Quality(*pair) for pair in qualities], whole) == best


def test_a_wary_choice_tries_what_validation_orders_reliably() -> None:
    graph, train, withheld = checkerboard()
    measure = validation_measure(train, withheld, np.random.default_rng(0))
    tried = {}
    for wary in (True, False):
        effort = TuningBudget(3, robust_only=wary)
        tuning = choose("graph_filter", graph, train, measure, np.random.default_rng(0), None, effort)
        assert len(tuning.trials) == num_trials(GraphFilter, graph, effort)
        tried[wary] = [GraphFilterConfig(**trial.config) for trial in tuning.trials]
    assert all(config.is_symmetric for config in tried[True])
    assert not all(config.is_symmetric for config in tried[False])


def test_the_default_stays_where_the_gain_is_noise() -> None:
    default = np.full(20, 0.10)
    lucky, better = default.copy(), default + np.linspace(0.01, 0.03, 20)
    lucky[0] = 0.9  # one user of twenty
    uneven = default + np.tile([0.06, -0.02], 10)  # a gain of 0.02: half a deviation, and two standard errors
    for values, best in ((lucky, 0), (better, 1), (uneven, 1)):
        found = [Quality(float(v.mean()), 0.1, v) for v in (default, values)]
        assert select(found, [True, True]) == best


def test_tuning_tries_each_candidate_and_takes_the_best() -> None:
    graph, train, withheld = checkerboard()
    measure = validation_measure(train, withheld, np.random.default_rng(0))
    told: list[tuple[int, int]] = []
    tuning = choose(
        "item_knn",
        graph,
        train,
        measure,
        np.random.default_rng(0),
        lambda done, total: told.append((done, total)),
        TuningBudget(num_trials=5),
    )
    candidates = ItemKNN.candidates(graph)
    assert [trial.config for trial in tuning.trials[: len(candidates)]] == [asdict(config) for config in candidates]
    assert len(candidates) < len(tuning.trials) <= len(candidates) + 5
    assert told[-1][1] == len(candidates) + 5
    assert tuning.config == tuning.trials[0].config
    assert tuning.trials[0].quality.ndcg == pytest.approx(1.0)


def test_a_model_with_one_candidate_is_not_tried() -> None:
    graph, train, withheld = checkerboard()
    measure = validation_measure(train, withheld, np.random.default_rng(0))
    tuning = choose("lightgcn", graph, train, measure, np.random.default_rng(0))
    assert (tuning.trials, tuning.seconds) == ((), 0.0)
    assert tuning.config == asdict(LightGCNConfig())
    with pytest.raises(UnknownNameError, match="did you mean item_knn"):
        choose("item_kn", graph, train, measure, np.random.default_rng(0))
