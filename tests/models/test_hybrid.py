"""hybrid: candidates and inputs by hand, trees that are learned on held-out items, and parts that add up."""

import io
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
import torch
from scipy import sparse

from graphrec.errors import DataError, GraphrecError
from graphrec.explanation import as_sentence, as_svg, explain, reasons_frame
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.models import make
from graphrec.models.hybrid.candidates import MAX_RANK, find_candidates
from graphrec.models.hybrid.inputs import GraphInputs
from graphrec.models.hybrid.model import Hybrid, HybridConfig
from graphrec.models.hybrid.trees import RankingData, TreeChoice, TreeSettings, choose_settings
from graphrec.ranking.topk import top_k
from graphrec.relations import build_relations
from graphrec.runs import TrainedRun, describe
from graphrec.testing import ModelContract, checkerboard, graph_of

pytest.importorskip("lightgbm", reason="candidates are ranked by the extra graphrec[hybrid]")

DAY = 86_400

Season = tuple[Hybrid, HeteroGraph, Interactions]


class TestHybrid(ModelContract):
    name = "hybrid"
    config: ClassVar[dict[str, object]] = {"members": "item_knn, ials(factors=4)", "trees": 10}


@pytest.fixture(scope="module")
def season() -> Season:
    """A hybrid of two members that rank at random, where users take what was popular in the last days.

    Sixty users have six of ten popular items and two of thirty others; then each takes three of the five items that are
    in season.
    """
    rng = np.random.default_rng(0)
    early = [
        (user, item, user % 30)
        for user in range(60)
        for item in [*rng.permutation(10)[:6], *10 + rng.permutation(30)[:2]]
    ]
    late = [(user, 40 + item, 40 + place) for user in range(60) for place, item in enumerate(rng.permutation(5)[:3])]
    user, item, day = np.array([*early, *late]).T
    pairs = Interactions(user, item, 60, 45, time=day * DAY + user)
    model = Hybrid(HybridConfig(members="item_knn(neighbours=3), rp3beta", validation="last", min_leaf=20))
    graph = graph_of(pairs)
    model.fit(graph, pairs, np.random.default_rng(0))
    return model, graph, pairs


def with_candidates(model: Hybrid, candidates: int) -> Hybrid:
    """The same fit with fewer candidates, through its state."""
    file = io.BytesIO()
    torch.save(model.state(), file)
    file.seek(0)
    other = Hybrid(replace(model.config, candidates=candidates))
    other.restore(torch.load(file, weights_only=True))
    return other


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"validation": "half"}, "validation is one of auto, latest"),
        ({"objective": "rank"}, "objective is one of auto, lambdarank, binary, not 'rank'"),
        ({"candidates": 0}, "candidates, trees and min_leaf are at least 1"),
        ({"leaves": 1}, "leaves at least 2"),
        ({"learning_rate": 0.0}, "learning_rate must be positive"),
        ({"members": "item_knn, ensemble"}, "an ensemble cannot be a member"),
        ({"members": "hybrid"}, "a hybrid cannot be a member"),
    ],
)
def test_impossible_settings_are_refused(setting: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        HybridConfig(**setting)  # type: ignore[arg-type]  # each case sets another field


def test_without_lightgbm_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    graph, train, _ = checkerboard()
    with pytest.raises(GraphrecError, match=r"package lightgbm, which is not installed; run pip install 'graphrec\[hy"):
        make("hybrid").fit(graph, train, np.random.default_rng(0))


def test_candidates_are_the_best_new_items_of_each_member() -> None:
    """Item 0 is in the history; the members rank 3, 1 and 2, 4."""
    members = [make("item_knn"), make("rp3beta")]
    scores = {
        id(members[0]): torch.tensor([[9.0, 1.0, 0.0, 2.0, 0.0]]),
        id(members[1]): torch.tensor([[9.0, 0.0, 4.0, 0.5, 3.0]]),
    }
    history = sparse.csr_array(np.array([[1, 0, 0, 0, 0]], dtype=np.float32))
    found = find_candidates(members, lambda member: scores[id(member)].clone(), history, 1)
    assert (found.row.tolist(), found.item.tolist()) == ([0, 0], [2, 3])
    none = MAX_RANK + 1
    assert found.ranks.tolist() == [[none, 1], [1, 3]]
    expected = [0, 61 / 62 / 2, 1 / 2, (1 + 61 / 63) / 2, 61 / 62 / 2]
    assert found.fused[0].tolist() == pytest.approx(expected)


def test_inputs_from_the_graph_by_hand(graph: HeteroGraph) -> None:
    """Of a graph with every kind of relation, on dense matrices."""
    rng = np.random.default_rng(1)
    user, item = np.nonzero(rng.random((12, 15)) < 0.3)
    time = rng.permutation(len(user)) * DAY
    pairs = Interactions(user, item, 12, 15, time=time)
    inputs = GraphInputs.build(graph, pairs)
    row, column = np.divmod(np.arange(12 * 15), 15)
    found = inputs.compute(inputs.training_rows(np.arange(12)), row, column)
    names = [each.name for each in inputs.inputs]
    assert found.shape == (180, len(names))
    by_name = {name: found[:, place].reshape(12, 15) for place, name in enumerate(names)}
    history, relations = pairs.matrix().toarray(), build_relations(graph)
    np.testing.assert_allclose(
        by_name["interactions of the item"][0], history.sum(0) / history.sum(0).mean(), rtol=1e-5
    )
    np.testing.assert_allclose(by_name["paths over users with common items"], history @ history.T @ history)
    np.testing.assert_allclose(by_name["FOLLOWS"], relations.social["FOLLOWS"].toarray() @ history)
    np.testing.assert_allclose(by_name["VIEWED"], relations.behaviours["VIEWED"].matrix().toarray())
    genres = relations.item_attributes["IN_GENRE"].toarray()
    genres /= np.maximum(np.linalg.norm(genres, axis=1, keepdims=True), 1e-9)
    taste = history @ genres
    taste /= np.maximum(np.linalg.norm(taste, axis=1, keepdims=True), 1e-9)
    np.testing.assert_allclose(by_name["IN_GENRE"], taste @ genres.T, atol=1e-6)
    has_view = relations.behaviours["VIEWED"].matrix().toarray() > 0
    assert (by_name["distance"][has_view] == 1).all()
    assert (by_name["distance"][~has_view] > 1).all()
    # Of the last tenth before the user's last interaction, and that of the item relative to it.
    num, window = len(time), int(0.1 * len(time))
    last = np.array([time[user == u].max() // DAY + 1 if (user == u).any() else num for u in range(12)])
    recent = [
        [((item == i) & (time // DAY < last[u]) & (time // DAY >= last[u] - window)).sum() for i in range(15)]
        for u in range(12)
    ]
    mean = 0.1 * num / 15
    name = "interactions of the item before the user's last one"
    np.testing.assert_allclose(by_name[name] * mean, recent, atol=1e-4)
    first = np.array([time[item == i].min() // DAY if (item == i).any() else np.nan for i in range(15)])
    np.testing.assert_allclose(by_name["first interaction of the item"], (first[None] - last[:, None]) / num, atol=1e-5)


def test_trees_learn_what_the_members_do_not_know(season: Season) -> None:
    """The items of the season come first, which item_knn and rp3beta rank no better than the others."""
    model, _, pairs = season
    assert model.trees is not None
    best = top_k(model, pairs, np.arange(60), 2).item_index
    alone = [top_k(member, pairs, np.arange(60), 2).item_index for member in model.members]
    assert (best >= 40).mean() > 0.9
    assert all((other >= 40).mean() < 0.6 for other in alone)


def test_items_that_are_no_candidates_rank_after_all_that_are(season: Season) -> None:
    few = with_candidates(season[0], 2)
    users = np.arange(60)
    scores, history = few.score(users), few.inputs.history[users]
    found = find_candidates(few.members, lambda member: member.score(users), history, 2)
    is_candidate = np.zeros(scores.shape, dtype=bool)
    is_candidate[found.row, found.item] = True
    others = ~is_candidate & (scores.numpy() != 0)
    assert others.sum() > 100
    for row in range(60):
        assert scores[row].numpy()[is_candidate[row]].min() > scores[row].numpy()[others[row]].max(initial=-np.inf)
    assert not scores.numpy()[history.toarray() > 0].any()


def test_the_parts_of_candidates_and_of_others_add_up(season: Season) -> None:
    model, graph, pairs = with_candidates(season[0], 2), *season[1:]
    run = describe("hybrid", model, graph.target, {}, 0.0)
    trained = TrainedRun(run, model, graph.users, graph.items, pairs)
    scores = model.score(np.array([3]))[0]
    best, worst = int(scores.argmax()), int(scores.argmin())
    for item in (best, worst):
        found = explain(trained, "u3", f"i{item}")
        assert sum(reason.amount for reason in found.reasons) == pytest.approx(float(scores[item]), rel=1e-5)
        assert sum(path.contribution for path in found.paths) + found.rest == pytest.approx(found.score)
        for reason in found.reasons:
            assert sum(route.amount for route in reason.through) == pytest.approx(reason.amount)
    assert any("no place among the first 2 of any model" in reason.node.id for reason in found.reasons)
    top = explain(trained, "u3", f"i{best}")
    texts = {reason.node.id for reason in top.reasons}
    assert {"its popularity", "the time of its interactions"} & texts
    assert f"for Item i{best}" in as_sentence(top)
    assert set(reasons_frame(top)["because"]) == texts
    assert as_svg(top).startswith("<svg")


def test_new_users_are_ranked_by_all_that_is_known_of_them(season: Season) -> None:
    model, graph, pairs = season
    relations = build_relations(graph)
    torch.testing.assert_close(model.fold_in_users(pairs, relations), model.score(np.arange(60)))
    assert not torch.equal(model.fold_in(pairs.matrix()), model.score(np.arange(60))), "times count"


def test_trees_gain_nothing_where_relevance_is_random() -> None:
    rng = np.random.default_rng(2)
    row = np.repeat(np.arange(40), 20)
    relevant = (rng.random(800) < 0.1).astype(np.float32)
    data = RankingData(
        rng.random((800, 3)).astype(np.float32), relevant, row, np.maximum(np.bincount(row, relevant), 1).astype(int)
    )
    settings = TreeSettings("binary", 20, 4, 20, 0.1)
    noise = choose_settings(data, [settings], rng.random(800), rng)
    known = choose_settings(data, [settings], relevant, rng)
    assert known is not None
    assert known.gain < -0.3
    assert noise is not None
    assert noise.gain < 0.15


@pytest.mark.parametrize(("gain", "is_used"), [(0.02, False), (0.01, False), (0.03, True)])
def test_trees_are_used_if_they_gain_more_than_a_standard_error(
    gain: float, is_used: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def choose(_data: RankingData, tried: Sequence[TreeSettings], *_: object) -> TreeChoice:
        return TreeChoice(tried[0], gain, 0.02)

    monkeypatch.setattr("graphrec.models.hybrid.model.choose_settings", choose)
    graph, train, _ = checkerboard()
    model = Hybrid(HybridConfig(members="item_knn", trees=10))
    model.fit(graph, train, np.random.default_rng(0))
    assert (model.trees is not None) == is_used


def test_without_validation_users_there_are_no_trees() -> None:
    pairs = Interactions(np.array([0, 1]), np.array([0, 1]), 2, 2)
    model = Hybrid(HybridConfig(members="item_knn"))
    model.fit(graph_of(pairs), pairs, np.random.default_rng(0))
    assert model.trees is None


def test_states_without_trees_are_restored() -> None:
    graph, train, _ = checkerboard()
    model = Hybrid(HybridConfig(members="item_knn"))
    model.fit(graph, train, np.random.default_rng(0))
    model.trees = None
    other = with_candidates(model, 100)
    assert torch.equal(other.score(np.arange(21)), model.score(np.arange(21)))
    assert float(model.score(np.array([4])).max()) == pytest.approx(1.0)
