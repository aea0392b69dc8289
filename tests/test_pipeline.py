"""Training as the command does it: what a run knows, how it was measured, and whether it may be published."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor

from graphrec import TrainConfig
from graphrec.errors import DataError, RefusedError
from graphrec.evaluation.trial import Contender
from graphrec.hetero import interactions
from graphrec.interactions import Interactions
from graphrec.models.graph_filter.config import GraphFilterConfig
from graphrec.models.graph_filter.model import GraphFilter
from graphrec.pipeline.comparison import list_contenders
from graphrec.pipeline.publication import require_publishable
from graphrec.pipeline.training import train, tune
from graphrec.ranking.topk import top_k
from graphrec.runs import Run, Verdict, list_saved, save
from graphrec.splitting import SplitRecord
from graphrec.testing import graph_of
from tests.evaluation.timed import timed


def test_a_run_is_judged_by_what_it_gains_over_simple_models() -> None:
    trained = train(timed(), "graph_filter", np.random.default_rng(0), TrainConfig({}))
    verdict = trained.run.verdict
    assert verdict is not None
    assert set(verdict.gains) == {"popularity", "item_knn"}
    gain, low, high = verdict.gains["popularity"]
    assert 0 < low < gain < high
    assert verdict.leaks == ""
    assert trained.run.split is not None
    assert trained.run.split.spec.startswith("time")


def test_a_baseline_is_compared_with_the_other_one_and_the_better_one_may_be_published() -> None:
    """Whoever follows the advice of a refusal gets a run that may be published."""
    rng = np.random.default_rng
    popular = train(timed(), "popularity", rng(0)).run
    assert popular.verdict is not None
    assert set(popular.verdict.gains) == {"item_knn"}
    with pytest.raises(RefusedError, match=r"item_knn beats it: .*`graphrec train --model item_knn --split time`"):
        require_publishable(popular)
    assert not any("--split random" in remedy for remedy in popular.remedies), "more users would not help it"
    near = train(timed(), "item_knn", rng(0)).run
    assert near.verdict is not None
    assert set(near.verdict.gains) == {"popularity"}
    require_publishable(near)


def test_a_run_whose_evaluation_was_not_clean_may_not_be_published() -> None:
    """All users are one person, so what one of them is to find another one has in training."""
    same = {"User": np.zeros(24, dtype=np.int64)}
    run = train(timed(), "graph_filter", np.random.default_rng(0), TrainConfig({}, aliases=same)).run
    assert run.verdict is not None
    assert "duplicates of test interactions" in run.verdict.leaks
    with pytest.raises(RefusedError, match="its evaluation was not clean: .*duplicates of test interactions"):
        require_publishable(run)


def run_of(verdict: Verdict | None) -> Run:
    return Run("mine", "mf", {}, {}, "2026-01-01T00:00:00Z", ("User", "RATED", "Item"), 0.1, verdict)


def test_only_a_run_that_gains_beyond_its_interval_may_be_published() -> None:
    good = Verdict("ndcg@10", {"popularity": (0.1, 0.05, 0.15), "item_knn": (0.02, 0.001, 0.04)}, 50)
    require_publishable(run_of(good))
    bad = replace(good, gains={**good.gains, "item_knn": (0.02, -0.001, 0.04)})
    words = (
        r"run mine is not published: it does not beat item_knn: ndcg@10 \+0.0200 \(95 % interval -0.0010 to \+0.0400\)"
    )
    with pytest.raises(RefusedError, match=words):
        require_publishable(run_of(bad))
    with pytest.raises(RefusedError, match="evaluation was not clean: 3 test interactions"):
        require_publishable(run_of(replace(good, leaks="3 test interactions are in training")))
    with pytest.raises(RefusedError, match=r"was not measured.*--force"):
        require_publishable(run_of(None))
    for verdict in (None, bad):
        require_publishable(run_of(verdict), force=True)


def test_the_advice_of_a_refusal_leads_to_the_strongest_baseline_on_the_same_split() -> None:
    verdict = Verdict("ndcg@10", {"popularity": (0.1, -0.05, 0.15), "item_knn": (0.02, -0.01, 0.04)}, 50)
    by_time = SplitRecord("time(validation=0.1, test=0.1)", 9, ())
    run = replace(run_of(verdict), split=by_time)
    assert run.remedies[:2] == (
        "`graphrec train --model item_knn --split time` makes a run that may be published",
        "`--split random` measures it on more users",
    )
    other = replace(run, split=SplitRecord("random(validation=0.1, test=0.3)", None, ()))
    assert other.remedies[0].startswith("`graphrec train --model item_knn --split 'random(validation=0.1, test=0.3)'`")
    assert len(other.remedies) == 2
    many = replace(run, verdict=replace(verdict, num_users=5000))
    assert len(many.remedies) == 2
    assert run_of(None).advice == (
        "it was not measured. `graphrec train --model mf` makes a measured run, or publish it anyway with --force "
        "(in Python force=True)"
    )


def test_one_test_user_is_no_reason_to_publish_anything() -> None:
    verdict = Verdict("ndcg@10", {"popularity": (0.3, 0.3, 0.3)}, 1, model="item_knn", value=0.8)
    assert verdict.objections == ("one test user is not enough: an interval needs two or more",)
    run = replace(run_of(verdict), split=SplitRecord("time(validation=0.1, test=0.1)", 9, ()))
    assert run.remedies == (
        "`--split random` measures it on more users",
        "publish it anyway with --force (in Python force=True)",
    )


def test_ties_of_baselines_may_be_published_and_of_other_models_not() -> None:
    tie = {"item_knn": (0.0, 0.0, 0.0)}
    assert Verdict("ndcg@10", tie, 31, model="popularity", value=0.0).objections == ()
    assert Verdict("ndcg@10", {"popularity": (0.0, -0.1, 0.1)}, 31, model="item_knn", value=0.2).objections == ()
    blend = Verdict("ndcg@10", {"popularity": (0.1, 0.05, 0.2), **tie}, 31, model="ensemble", value=0.3)
    assert len(blend.objections) == 1
    assert "does not beat item_knn" in blend.objections[0]


def test_if_no_model_finds_anything_the_run_is_refused_and_popularity_may_be_published() -> None:
    nothing = {"popularity": (0.0, 0.0, 0.0), "item_knn": (0.0, 0.0, 0.0)}
    verdict = Verdict("ndcg@10", nothing, 31, model="graph_filter", value=0.0)
    assert verdict.objections == (
        "no model finds anything: neither it nor popularity nor item_knn has a test item of the 31 test users among "
        "its first 10, too little to measure",
    )
    assert "--model popularity" in run_of(verdict).remedies[0]


def test_a_verdict_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    run = train(timed(), "popularity", np.random.default_rng(0), TrainConfig({}, measured=False))
    save(tmp_path, run)
    path = tmp_path / run.run.id / "run.json"
    record = json.loads(path.read_text())
    record["verdict"] = {"metric": "ndcg@10", "gains": {"item_knn": [0.1, 0.0, 0.2]}, "num_users": 5, "leaks": ""}
    path.write_text(json.dumps(record))
    (found,) = list_saved(tmp_path)
    assert found.verdict == Verdict("ndcg@10", {"item_knn": (0.1, 0.0, 0.2)}, 5, "", "popularity", None)


def test_one_split_is_what_a_run_is_measured_on() -> None:
    with pytest.raises(DataError, match=r"k-fold\(folds=3\) makes 3 splits, and one is needed here"):
        train(timed(), "item_knn", np.random.default_rng(0), TrainConfig(split="k-fold(folds=3)"))


def test_a_search_without_anything_to_choose_says_so() -> None:
    with pytest.raises(DataError, match="popularity has no settings to search"):
        tune(timed(), "popularity")


def test_a_trained_run_knows_everything_and_was_measured_without_test() -> None:
    graph = timed()
    told: list[str] = []
    trained = train(graph, "graph_filter", np.random.default_rng(0), progress=lambda what, _d, _t: told.append(what))
    assert trained.run.model == "graph_filter"
    assert trained.run.metrics["ndcg@10"] > 0.2
    assert len(trained.seen) == len(interactions(graph))
    assert list(dict.fromkeys(told)) == ["tune", "measure", "fit"]
    best = top_k(trained.model, trained.seen, np.arange(4), 1).item_index[:, 0]
    assert ((best + np.arange(4)) % 2 == 0).all()


def test_a_measured_run_is_fitted_to_everything() -> None:
    graph = timed()
    trained = train(graph, "popularity", np.random.default_rng(0))
    assert trained.run.metrics
    expected = interactions(graph).matrix().sum(axis=0)
    np.testing.assert_array_equal(trained.model.score(np.array([0]))[0], expected)


def test_a_saved_run_is_compared_with_its_own_settings(tmp_path: Path) -> None:
    run = train(timed(), "item_knn", np.random.default_rng(0), TrainConfig({"neighbours": 3}, measured=False))
    save(tmp_path, run)
    settings = {**run.run.config, "neighbours": 3}
    assert list_contenders((), run.run, tmp_path)[2:] == [Contender("item_knn", settings, run.run.id)]


def test_without_settings_a_model_has_the_default_for_its_graph() -> None:
    """With `{}` nothing is searched; a setting changes a value of the config class, not of that default."""
    pairs = Interactions(np.repeat(np.arange(12), 4), np.arange(48) % 9, 12, 9)
    graph = graph_of(pairs)
    default = GraphFilter.candidates(graph)[0]
    assert default != GraphFilterConfig()
    for settings, expected in (({}, default), ({"rank": "3"}, GraphFilterConfig(rank=3))):
        config = TrainConfig(settings=settings, measured=False)
        assert train(graph, "graph_filter", np.random.default_rng(0), config).run.config == asdict(expected)


def test_settings_that_are_given_are_kept() -> None:
    trained = train(timed(), "graph_filter", np.random.default_rng(0), TrainConfig({"rank": "3"}, measured=False))
    assert (trained.run.config["rank"], trained.run.metrics) == (3, {})


def test_a_graph_without_interactions_cannot_be_trained_on() -> None:
    none = graph_of(Interactions(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), 2, 2))
    with pytest.raises(DataError, match="no PURCHASED edges"):
        train(none, "popularity", np.random.default_rng(0))


def test_a_tensor_state_is_all_that_a_run_keeps() -> None:
    trained = train(timed(), "item_knn", np.random.default_rng(0), TrainConfig({}, measured=False))
    assert all(isinstance(value, Tensor) for value in trained.model.state().values())
