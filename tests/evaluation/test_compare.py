"""Models side by side, what training sees of the graph, and the page about it."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from graphrec.errors import DataError, GraphrecError, UnknownNameError
from graphrec.evaluation import report
from graphrec.evaluation.compare import Comparison, compare
from graphrec.hetero import HeteroGraph, interactions
from graphrec.interactions import Interactions
from graphrec.models import popularity
from graphrec.models.base import Progress
from graphrec.pipeline import Training, train
from graphrec.recommend.topk import top_k
from graphrec.testing import graph_of

FRIEND = ("User", "FRIEND", "User")


def timed(size: int = 24) -> HeteroGraph:
    """Two blocks of users and items, each interaction at its own second, and friendships made all along."""
    rng = np.random.default_rng(0)
    user, item = np.nonzero(
        (np.add.outer(np.arange(size), np.arange(size)) % 2 == 0) & (rng.random((size, size)) < 0.8)
    )
    graph = graph_of(Interactions(user.astype(np.int64), item.astype(np.int64), size, size))
    graph.data[graph.target].timestamp = torch.from_numpy(rng.permutation(len(user)).astype(np.int64))
    graph.data[FRIEND].edge_index = torch.from_numpy(rng.integers(size, size=(2, 200)))
    graph.data[FRIEND].timestamp = torch.from_numpy(rng.integers(len(user), size=200))
    return graph


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compare(timed(), ["popularity", "item_knn", "graph_filter"], "time", np.random.default_rng(0))


def test_models_that_know_the_blocks_beat_popularity(comparison: Comparison) -> None:
    assert [result.name for result in comparison.results] == ["popularity", "item_knn", "graph_filter"]
    baseline, *others = comparison.results
    assert (baseline.difference, baseline.difference_interval) == (None, None)
    for result in others:
        low, high = result.difference_interval or (0.0, 0.0)
        assert result.difference == pytest.approx(result.metrics["ndcg@10"] - baseline.metrics["ndcg@10"], abs=1e-6)
        assert 0 < low < (result.difference or 0.0) < high
        assert result.interval[0] <= result.metrics["ndcg@10"] <= result.interval[1]
        assert len(result.trials) > 1


def test_facts_count_the_parts(comparison: Comparison) -> None:
    facts = comparison.facts
    total = len(interactions(timed()))
    assert (facts.relation, facts.split, facts.num_users, facts.num_items) == ("PURCHASED", "time", 24, 24)
    assert facts.num_train + facts.num_validation + facts.num_test == total
    assert facts.num_test == pytest.approx(total / 10, abs=1)
    assert 0 < facts.num_test_users <= 24


def test_the_same_seed_gives_the_same_comparison(comparison: Comparison) -> None:
    again = compare(timed(), ["popularity", "item_knn", "graph_filter"], "time", np.random.default_rng(0))
    assert [r.metrics for r in again.results] == [r.metrics for r in comparison.results]
    assert [r.difference_interval for r in again.results] == [r.difference_interval for r in comparison.results]


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
    compare(graph, ["popularity"], "time", np.random.default_rng(0))
    time = graph.data[graph.target].timestamp.sort().values
    first_test = int(time[round(len(time) * 0.9)])
    for triple in (graph.target, FRIEND):
        assert int(seen[-1].data[triple].timestamp.max()) < first_test
        assert seen[-1].data[triple].edge_index.shape[1] == seen[-1].data[triple].timestamp.shape[0]
    assert 0 < seen[-1].data[FRIEND].timestamp.shape[0] < 200


def test_unknown_names_are_found_before_any_work() -> None:
    graph = timed()
    with pytest.raises(UnknownNameError, match="did you mean graph_filter"):
        compare(graph, ["popularity", "graph_filtre"], "time", np.random.default_rng(0))
    with pytest.raises(UnknownNameError, match="no split 'tiem'; did you mean time"):
        compare(graph, ["popularity"], "tiem", np.random.default_rng(0))


class Collector(HTMLParser):
    """Checks that tags nest, and collects what a browser would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found: Mapping[str, str | None] = dict(attrs)
        self.fetched += [str(found[name]) for name in ("src", "href") if name in found]
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_stands_alone_and_says_what_was_found(comparison: Comparison, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    report.write(comparison, path, datetime(2026, 11, 24, tzinfo=UTC))
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]
    page = path.read_text(encoding="utf-8")
    collector = Collector()
    collector.feed(page)
    assert (collector.open, collector.fetched) == ([], [])
    assert not re.search(r"https?://|@import|url\(", page)
    for result in comparison.results:
        for value in result.metrics.values():
            assert f"{value:.4f}" in page
    best = max(result.metrics["ndcg@10"] for result in comparison.results)
    assert f"<b>{best:.4f}</b>" in page
    assert "prefers-color-scheme: dark" in page
    assert "by global time" in page
    assert "2026-11-24" in page


def test_a_page_that_cannot_be_written_is_an_error(comparison: Comparison, tmp_path: Path) -> None:
    with pytest.raises(GraphrecError, match="cannot write"):
        report.write(comparison, tmp_path / "missing" / "report.html")


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


def test_settings_that_are_given_are_kept() -> None:
    trained = train(timed(), "graph_filter", np.random.default_rng(0), Training({"rank": "3"}, measured=False))
    assert (trained.run.config["rank"], trained.run.metrics) == (3, {})


def test_a_graph_without_interactions_cannot_be_trained_on() -> None:
    none = graph_of(Interactions(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), 2, 2))
    with pytest.raises(DataError, match="no PURCHASED edges"):
        train(none, "popularity", np.random.default_rng(0))


def test_a_tensor_state_is_all_that_a_run_keeps() -> None:
    trained = train(timed(), "item_knn", np.random.default_rng(0), Training({}, measured=False))
    assert all(isinstance(value, Tensor) for value in trained.model.state().values())
