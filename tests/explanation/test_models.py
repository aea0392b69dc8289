"""Every model of the registry has an answer: parts that add up to its score, called exact only where they are."""

from functools import cache

import numpy as np
import pytest
import torch

from graphrec.explanation import (
    Explanation,
    ReasonFinder,
    as_cypher,
    as_record,
    as_sentence,
    as_svg,
    explain,
    explain_fold_in,
    with_reasons,
)
from graphrec.interactions import Interactions
from graphrec.models import MODELS, make
from graphrec.models.item_knn import ItemKNN
from graphrec.ranking.topk import recommend
from graphrec.relations import Relations
from graphrec.runs import TrainedRun, describe
from graphrec.testing import checkerboard

QUICK: dict[str, dict[str, object]] = {
    "lightgcn": {"epochs": 3},
    "xsimgcl": {"epochs": 3},
    "mf": {"epochs": 3},
    "ultragcn": {"epochs": 3},
    "neumf": {"epochs": 3},
    "multvae": {"epochs": 3},
    "cfgan": {"epochs": 3},
    "hetero_gnn": {"epochs": 2},
    "diffnet": {"epochs": 3},
    "node2vec": {"epochs": 1},
    "metapath2vec": {"epochs": 1},
    "ensemble": {"members": "item_knn, graph_filter", "weights": "0.4 0.6"},
    "hybrid": {"members": "item_knn, graph_filter", "trees": 10},
}

#: Models whose score is a sum over the history; of those, all that the score consists of.
EXACT = {"popularity", "item_knn", "user_knn", "rp3beta", "ease", "slim", "ials", "graph_filter", "ensemble"} | {
    "sequence_filter",
    "content",
    "hybrid",
}
PAIRS = (("u3", "i3"), ("u4", "i10"), ("u8", "i2"))


@cache
def trained(name: str) -> TrainedRun:
    graph, train, _ = checkerboard()
    if name == "diffnet":  # it needs people who know each other
        graph.data["User", "FRIEND", "User"].edge_index = torch.tensor([[0, 2, 4, 1, 3, 5], [2, 4, 6, 3, 5, 7]])
    model = make(name, **QUICK.get(name, {}))
    model.fit(graph, train, np.random.default_rng(0))
    return TrainedRun(describe(name, model, graph.target, {}, 0.0), model, graph.users, graph.items, train)


def score(run: TrainedRun, user: str, item: str) -> float:
    return float(run.model.score(np.array([run.users.find(user)]))[0, run.items.find(item)])


@pytest.mark.parametrize("name", MODELS)
def test_the_parts_add_up_to_the_score(name: str) -> None:
    run = trained(name)
    for user, item in PAIRS:
        for top in (2, 1000):
            found = explain(run, user, item, top)
            assert found.score == pytest.approx(score(run, user, item), rel=1e-6)
            total = sum(path.contribution for path in found.paths) + found.rest
            assert total == pytest.approx(found.score, rel=1e-5, abs=1e-7)
            assert found.exact == (name in EXACT)
            assert len(found.paths) <= top
        record = as_record(found)
        assert {"user", "item", "score", "paths", "rest"} <= record.keys()
        assert all(len(path["nodes"]) == len(path["relations"]) + 1 for path in record["paths"])
        assert as_sentence(found).endswith(".")
        assert as_svg(found).startswith("<svg")
        assert as_cypher(found).startswith("UNWIND [\n  {number: ")


@pytest.mark.parametrize("name", sorted(EXACT - {"popularity", "graph_filter", "hybrid"}))
def test_exact_parts_are_the_whole_score(name: str) -> None:
    for user, item in PAIRS:
        found = explain(trained(name), user, item, 1000)
        assert sum(path.contribution for path in found.paths) == pytest.approx(found.score, rel=1e-3, abs=1e-5)
        assert sum(reason.amount for reason in found.reasons) == pytest.approx(found.score, rel=1e-3, abs=1e-5)


def test_a_part_of_an_item_model_is_its_weight() -> None:
    run = trained("item_knn")
    found = explain(run, "u4", "i4", 1000)
    assert isinstance(run.model, ItemKNN)
    weights = run.model.weights[:, [4]].toarray().ravel()
    assert {path.nodes[1].id: path.contribution for path in found.paths} == pytest.approx(
        {f"i{item}": weights[item] for item in run.seen.item_index[run.seen.user_index == 4] if weights[item]}
    )


def test_near_users_are_named_with_what_they_have_in_common() -> None:
    run = trained("user_knn")
    history = {user: set(run.seen.item_index[run.seen.user_index == user].tolist()) for user in range(20)}
    found = explain(run, "u4", "i4", 1000)
    assert found.paths
    for path in found.paths:
        user, shared, other, target = (int(node.id[1:]) for node in path.nodes)
        assert (user, target) == (4, 4)
        assert shared in history[user] & history[other]
        assert target in history[other]


def test_learned_vectors_find_what_is_alike() -> None:
    """In the checkerboard all that speaks for an item is of its colour, and the model says that it estimates."""
    found = explain(trained("lightgcn"), "u4", "i4")
    assert int(found.reasons[0].node.id[1:]) % 2 == 0
    assert as_sentence(found).startswith("Approximately, because you bought")


def test_popularity_gives_no_other_reason() -> None:
    found = explain(trained("popularity"), "u4", "i4")
    assert (found.paths, found.reasons) == ((), ())
    assert as_sentence(found) == "Item i4 is popular: 9 users bought it."


def test_the_strongest_reason_of_a_recommendation_is_that_of_its_explanation() -> None:
    for name in ("item_knn", "ease", "slim"):
        run = trained(name)
        frame = with_reasons(run, recommend(run, k=3)).frame
        assert set(frame["because_label"].dropna()) == {"Item"}
        for row in frame[frame["score"] > 0].itertuples():
            found: Explanation = explain(run, str(row.user_id), str(row.item_id))
            best = max(reason.amount for reason in found.reasons)
            mine = next(reason.amount for reason in found.reasons if reason.node.id == row.because)
            assert mine == pytest.approx(best, rel=1e-4)
    run = trained("popularity")
    assert with_reasons(run, recommend(run, k=3)).frame["because"].isna().all()


def test_the_reasons_of_one_user_need_the_histories_of_this_users_items_only() -> None:
    run, told = trained("ease"), []
    one = recommend(run, np.array([4]), k=3)
    frame = with_reasons(run, one, lambda done, total: told.append((done, total))).frame
    size = len(run.seen.matrix()[[4]].indices)
    assert 0 < size < len(run.items)
    assert told == [(size, size)]
    everyone = with_reasons(run, recommend(run, k=3)).frame
    assert frame["because"].tolist() == everyone.loc[everyone["user_id"] == "u4", "because"].tolist()


@pytest.mark.parametrize("name", MODELS)
def test_a_score_that_was_folded_in_is_explained_like_one_of_the_training(name: str) -> None:
    run = trained(name)
    if not run.model.supports_fold_in():
        pytest.skip("the model cannot fold in users")
    user = 4
    rows = np.flatnonzero(run.seen.user_index == user)
    part = run.seen.take(rows)
    target = Interactions(np.zeros(len(rows), dtype=np.int64), part.item_index, 1, part.num_items, None, part.time)
    nothing = Relations({}, {}, {}, {}, {})
    for item in ("i4", "i10"):
        found = explain_fold_in(run, "someone new", target, nothing, item, 1000)
        expected = float(run.model.fold_in_users(target, nothing)[0, run.items.find(item)])
        assert (found.user.id, found.folded_in) == ("someone new", True)
        assert found.score == pytest.approx(expected, rel=1e-6)
        total = sum(path.contribution for path in found.paths) + found.rest
        assert total == pytest.approx(found.score, rel=1e-5, abs=1e-7)
        if name in EXACT - {"popularity"}:
            assert found.exact
            assert sum(reason.amount for reason in found.reasons) == pytest.approx(found.score, rel=1e-3, abs=1e-5)
            if name != "ensemble":  # whose blend depends on the users of its members
                known = explain(run, "u4", item, 1000)
                assert {each.node.id: each.amount for each in found.reasons} == pytest.approx(
                    {each.node.id: each.amount for each in known.reasons}, rel=1e-3, abs=1e-6
                )
    reason = ReasonFinder(run).find_for_fold_in(target, nothing, np.array([run.items.find("i4")]))[0, 0]
    if name in EXACT - {"popularity", "ensemble", "hybrid"}:  # hybrid's reasons are its inputs
        amounts = {each.node.id: each.amount for each in explain_fold_in(run, "x", target, nothing, "i4", 1000).reasons}
        assert amounts[reason] == pytest.approx(max(amounts.values()), rel=1e-4)
