"""Models side by side, and what they see of the graph."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from graphrec.errors import LeakError, UnknownNameError
from graphrec.evaluation import report
from graphrec.evaluation.compare import compare
from graphrec.evaluation.result import Comparison
from graphrec.evaluation.trial import Contender, EvaluationConfig
from graphrec.hetero import HeteroGraph, interactions
from graphrec.interactions import Interactions
from graphrec.models import popularity
from graphrec.progress import Progress
from graphrec.tuning import TuningBudget

from .timed import FRIEND, timed

MODELS = ("popularity", "item_knn", "graph_filter")


def compared(graph: HeteroGraph | None = None, models: Sequence[Contender | str] = MODELS, **terms: Any) -> Comparison:
    return compare(
        timed() if graph is None else graph, models, EvaluationConfig(**{"effort": TuningBudget(budget=3), **terms})
    )


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compared()


def test_models_that_know_the_blocks_beat_popularity(comparison: Comparison) -> None:
    assert [result.name for result in comparison.results] == list(MODELS)
    found = {r.name: r.metrics["ndcg@10"] for r in comparison.results}
    compared = [d for d in comparison.differences if d.metric == "ndcg@10"]
    assert comparison.differences[: len(compared)] == tuple(compared)  # the headline comes first
    against = {d.first: d for d in compared if d.second == "popularity"}
    assert set(against) == {"item_knn", "graph_filter"}
    for name, difference in against.items():
        estimate = difference.estimate
        assert estimate.value == pytest.approx(found[name].value - found["popularity"].value, abs=1e-6)
        assert 0 < (estimate.low or 0.0) < estimate.value < (estimate.high or 0.0)
        assert difference.verdict == "better"
        assert (found[name].low or 0.0) <= found[name].value <= (found[name].high or 0.0)
    assert [len(result.rounds[0].trials) for result in comparison.results] == [0, 3, 3]


def test_every_metric_is_there_at_every_k(comparison: Comparison) -> None:
    names = {"recall", "precision", "ndcg", "map", "mrr", "hit_rate", "coverage", "gini", "novelty", "diversity"}
    names |= {"personalisation", "tail_share"}
    for result in comparison.results:
        assert {f"{name}@{k}" for name in names for k in (10, 20)} <= set(result.metrics)
        assert all(np.isfinite(estimate.value) for estimate in result.metrics.values())
        assert [k for k, _ in result.curve["ndcg"]] == [1, 2, 3, 5, 10, 20]
        assert dict(result.curve["ndcg"])[10] == pytest.approx(result.metrics["ndcg@10"].value)


def test_models_are_compared_in_every_metric_of_accuracy(comparison: Comparison) -> None:
    names = [f"{name}@{k}" for k in (10, 20) for name in ("recall", "precision", "ndcg", "map", "mrr", "hit_rate")]
    told = {name: [d for d in comparison.differences if d.metric == name] for name in names}
    assert sum(map(len, told.values())) == len(comparison.differences)
    for name, found in told.items():
        values = {r.name: r.metrics[name].value for r in comparison.results}
        best = max(values, key=lambda model: values[model])
        assert len(found) == 2 + (best != "popularity")
        assert {best} | {d.second for d in found if d.first == best} | {d.first for d in found} == set(MODELS)
        for difference in found:
            gain = values[difference.first] - values[difference.second]
            assert difference.estimate.value == pytest.approx(gain, abs=1e-6)


def test_the_parts_are_recorded_and_audited(comparison: Comparison) -> None:
    data, (division,) = comparison.data, comparison.splits
    total = len(interactions(timed()))
    assert (data.relation, data.num_users, data.num_items, data.num_interactions) == ("PURCHASED", 24, 24, total)
    sizes = {part.name: part.num_interactions for part in division.record.parts}
    assert sum(sizes.values()) == total
    assert sizes["test"] == pytest.approx(total / 10, abs=1)
    assert division.record.spec.startswith("time")
    assert 0 < division.num_warm <= 24
    assert sum(part.train + part.validation + part.test for part in division.timeline) == total
    assert division.audit.passed
    assert len(division.audit.checks) == 7


def test_users_and_items_are_grouped(comparison: Comparison) -> None:
    for result in comparison.results:
        kinds = {group.kind: 0 for group in result.groups}
        for group in result.groups:
            kinds[group.kind] += group.num_users
        assert kinds["user activity"] == comparison.splits[0].num_warm
        assert "item popularity" in kinds


def without_costs(comparison: Comparison) -> list[Any]:
    return [
        [replace(r, rounds=()) for r in comparison.results],
        [(r.seed, r.config, r.metrics, [t.quality for t in r.trials]) for m in comparison.results for r in m.rounds],
        comparison.differences,
        comparison.splits,
    ]


def test_the_same_seed_gives_the_same_comparison(comparison: Comparison) -> None:
    assert without_costs(compared()) == without_costs(comparison)


def test_a_model_that_draws_is_measured_alike_each_time() -> None:
    noisy = Contender("lightgcn", {"epochs": 1, "embedding_dim": 4, "warm_start": False}, "noisy")
    first, second = (compared(models=[noisy]).results[0] for _ in range(2))
    assert (first.metrics, first.learning) == (second.metrics, second.learning)


def test_a_model_is_measured_alike_whatever_stands_beside_it(comparison: Comparison) -> None:
    alone = compared(models=["graph_filter"]).results[0]
    assert alone.rounds[0].metrics == comparison.results[-1].rounds[0].metrics


def test_several_seeds_and_folds_are_rounds_of_their_own() -> None:
    found = compared(models=MODELS[:2], split="k-fold(folds=3)", seeds=(0, 1))
    assert [(d.num, d.seed) for d in found.splits] == [(split, seed) for seed in (0, 1) for split in range(3)]
    assert len({part.sha256 for d in found.splits for part in d.record.parts}) == 18
    assert found.num_users == 24
    rows = report.as_json(found)["splits"]
    assert [(row["num"], row["seed"]) for row in rows] == [(d.num, d.seed) for d in found.splits]
    assert len(compared(models=MODELS[:1], seeds=(0, 1)).splits) == 1  # by time, every seed makes the same
    for result in found.results:
        assert [(r.split, r.seed) for r in result.rounds] == [(s, seed) for seed in (0, 1) for s in range(3)]
        values = [r.metrics["ndcg@10"] for r in result.rounds]
        assert min(values) <= result.metrics["ndcg@10"].value <= max(values)
    assert len({r.metrics["recall@10"] for r in found.results[1].rounds}) > 1


def test_a_run_takes_part_with_its_own_settings() -> None:
    settings = {"neighbours": 3}
    found = compared(models=["item_knn", Contender("item_knn", settings, "item_knn-20261124-181500-ab12")])
    assert [r.name for r in found.results] == ["item_knn", "item_knn-20261124-181500-ab12"]
    assert found.results[1].rounds[0].config["neighbours"] == 3
    assert found.results[1].rounds[0].trials == ()
    assert found.baseline == "item_knn"


def test_users_without_training_are_a_group_of_their_own() -> None:
    graph = timed()
    target = graph.data[graph.target]
    target.timestamp[target.edge_index[0] == 5] += 10_000  # user 5 comes last of all
    found = compared(graph, ["popularity"])
    groups = {g.name: g.num_users for g in found.results[0].groups if g.kind == "warmth"}
    assert groups == {"warm users": found.splits[0].num_warm, "cold users": 1}
    everyone = [g.num_users for g in found.results[0].groups if g.kind == "all users"]
    assert everyone == [found.splits[0].num_warm + 1]
    assert found.splits[0].num_cold == 1
    assert found.num_users == found.splits[0].num_warm


def test_items_without_training_are_a_group_of_their_own() -> None:
    found = compared(models=["popularity"], split="cold-items(test=0.2)")
    groups = {g.name: g.metrics for g in found.results[0].groups if g.kind == "item warmth"}
    assert list(groups) == ["cold items"]
    assert groups["cold items"].keys() == {"recall@10"}
    kinds = {g.kind for g in compared(models=["popularity"], split="random").results[0].groups}
    assert "item popularity" in kinds


def test_where_all_test_users_are_cold_they_are_measured() -> None:
    found = compared(models=["popularity"], split="cold-users(test=0.2)")
    assert found.splits[0].num_warm == 0
    assert found.results[0].metrics["recall@20"].value > 0
    assert [g.name for g in found.results[0].groups if g.kind == "warmth"] == ["cold users"]


def test_a_learning_curve_has_a_point_for_each_epoch() -> None:
    found = compared(models=["popularity", Contender("lightgcn", {"epochs": 4, "embedding_dim": 4}, "mine")])
    assert [point.number for point in found.results[1].learning] == [1, 2, 3, 4]
    assert found.results[0].learning == ()


def test_examples_say_why_by_paths_that_end_at_the_item() -> None:
    found = compared(models=["popularity", "graph_filter"], num_examples=2)
    assert [example.model for example in found.examples] == ["graph_filter"] * 2
    for example in found.examples:
        assert 0 < len(example.history) == min(example.num_history, 12)
        assert example.wanted
        for shown in example.shown:
            assert shown.item not in example.history
            assert shown.hit == (shown.item in example.wanted)
            for reason in shown.reasons:
                assert (reason.steps[0], reason.steps[-1]) == (example.user, shown.item)
                assert reason.items[-1] == len(reason.steps) - 1
                assert (2 in reason.items) == (reason.steps[1] == "PURCHASED")
                assert len(reason.steps) % 2 == 1
            assert sum(reason.share for reason in shown.reasons) <= 1.0001
    assert any(shown.reasons for example in found.examples for shown in example.shown)


def test_examples_are_users_for_whom_something_was_found_beside_one_for_whom_nothing_was() -> None:
    for number, wanted in ((1, [True]), (3, [True, True, False])):
        found = compared(models=["popularity"], num_examples=number).examples
        assert [any(shown.hit for shown in example.shown) for example in found] == wanted


def test_nothing_as_late_as_test_is_in_what_a_model_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    """The graph at the last fit has only edges before the first test interaction, of every relation."""
    seen: list[HeteroGraph] = []
    original = popularity.Popularity.fit

    def fit(
        self: popularity.Popularity,
        graph: HeteroGraph,
        pairs: Interactions,
        rng: np.random.Generator,
        progress: Progress | None = None,
    ) -> None:
        seen.append(graph)
        original(self, graph, pairs, rng, progress)

    monkeypatch.setattr(popularity.Popularity, "fit", fit)
    graph = timed()
    compared(graph, ["popularity"])
    time = graph.data[graph.target].timestamp.sort().values
    first_test = int(time[round(len(time) * 0.9)])
    for triple in (graph.target, FRIEND):
        assert int(seen[-1].data[triple].timestamp.max()) < first_test
        assert seen[-1].data[triple].edge_index.shape[1] == seen[-1].data[triple].timestamp.shape[0]
    assert 0 < seen[-1].data[FRIEND].timestamp.shape[0] < 200


@pytest.mark.parametrize("split", ["next-item", "next-basket"])
def test_what_users_choose_next_is_compared_with_intervals(split: str) -> None:
    """Each interaction is at its own second, so that a basket of 0 hours is one item, as the next item is."""
    options = "hours=0, " if split == "next-basket" else ""
    found = compared(models=["popularity", "item_knn"], split=f"{split}({options}validation=0.3, test=0.3)")
    test = found.splits[0].record.parts[2]
    assert test.num_interactions == test.num_users == found.num_users
    for result in found.results:
        assert result.metrics["recall@10"].value == result.metrics["hit_rate@10"].value
        assert result.metrics["recall@10"].low is not None
    assert found.differences


def test_a_graph_that_tells_of_the_test_part_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the cut of the graph is broken, the audit says so before any model is fitted."""
    monkeypatch.setattr("graphrec.evaluation.preparation.restrict", lambda graph, *_: graph)
    with pytest.raises(LeakError, match="test"):
        compared(models=["popularity"])


def test_unknown_names_are_found_before_any_work() -> None:
    with pytest.raises(UnknownNameError, match="did you mean graph_filter"):
        compared(models=["popularity", "graph_filtre"])
    with pytest.raises(UnknownNameError, match="no split 'tiem'; did you mean time"):
        compared(models=["popularity"], split="tiem")
