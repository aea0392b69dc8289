"""A score of graph_filter is the sum of its walks: each a walk of the graph, with the weight of the formula."""

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import numpy.typing as npt
import pytest

from graphrec.explanation import Explanation, Path, ReasonFinder, explain, explain_fold_in
from graphrec.explanation.model import RemainderKind
from graphrec.hetero import HeteroGraph, interactions
from graphrec.interactions import Interactions
from graphrec.linalg.csr import empty_csr
from graphrec.models.graph_filter.config import GraphFilterConfig
from graphrec.models.graph_filter.model import GraphFilter
from graphrec.relations import Relations, build_relations
from graphrec.runs import TrainedRun
from tests.sizes import EVERYTHING

from .worlds import FULL, run_of, tables

CONFIGS = {
    "all": FULL,
    "sharpened": replace(FULL, sharpening=1.5),
    "cut": replace(FULL, neighbours=3),
    "ridge": replace(FULL, ridge=2.0, neighbours=6),
    "sharpened and cut": replace(FULL, sharpening=0.7, neighbours=4),
    "paths alone": replace(FULL, rank=0),
    "spectrum alone": replace(FULL, path_weight=0.0, rank=1000),
    "revisit": replace(FULL, revisit=2.0),
    "never again": replace(FULL, revisit=0.0),
    "behaviour alone": GraphFilterConfig(
        weights="VIEWED=0 FRIEND=0 FOLLOWS=0 IN_GENRE=0 LIVES_IN=0 ALSO_BOUGHT=0 TAGGED=0 TAGGED.tag=0"
    ),
}


def some(trained: TrainedRun, top: int = 10_000, step: int = 19 if EVERYTHING else 61) -> list[Explanation]:
    """Explanations of some pairs of a user and an item, among them some that are in the history."""
    pairs = list(product(trained.users.ids, trained.items.ids))[::step]
    return [explain(trained, user, item, top) for user, item in pairs]


def rows_of(graph: HeteroGraph, user: int) -> tuple[Interactions, Relations]:
    """All edges of a user, as those of somebody who is not in the training."""
    relations = build_relations(graph)

    def take(part: Interactions) -> Interactions:
        items = part.item_index[part.user_index == user]
        return Interactions(np.zeros(len(items), dtype=np.int64), items, 1, part.num_items)

    rows = {
        "social": {name: matrix[[user]] for name, matrix in relations.social.items()},
        "user_attributes": {name: matrix[[user]] for name, matrix in relations.user_attributes.items()},
        "item_attributes": dict.fromkeys(relations.item_attributes, empty_csr()),
        "item_items": dict.fromkeys(relations.item_items, empty_csr()),
    }
    behaviours = {name: take(part) for name, part in relations.behaviours.items()}
    return take(interactions(graph)), Relations(behaviours=behaviours, **rows)


@pytest.mark.parametrize("name", ["sharpened and cut", "ridge", "revisit", "behaviour alone"])
def test_parts_of_a_score_that_was_folded_in_are_the_score(world: HeteroGraph, name: str) -> None:
    trained = run_of(world, GraphFilter(CONFIGS[name]))
    reasons = ReasonFinder(trained)
    for user in (3, 7):
        target, relations = rows_of(world, user)
        scores = trained.model.fold_in_users(target, relations)[0].numpy().astype(float)
        items = np.arange(1, len(trained.items), 5)
        strongest = reasons.find_for_fold_in(target, relations, items)[:, 0]
        for item, reason in zip(items.tolist(), strongest.tolist(), strict=True):
            found = explain_fold_in(trained, "somebody", target, relations, str(trained.items.ids[item]), 10_000)
            size = max(abs(scores[item]), 0.05)
            assert found.score == pytest.approx(scores[item], abs=1e-5 * size)
            assert sum(path.contribution for path in found.paths) + found.rest == pytest.approx(
                scores[item], abs=1e-5 * size
            )
            assert found.attribution.rest[0].amount == pytest.approx(0, abs=1e-4 * size), "all walks are named"
            assert all(path.nodes[0].id == "somebody" for path in found.paths)
            assert sum(each.amount for each in found.reasons) == pytest.approx(scores[item], abs=1e-4 * size)
            if reason is not None and found.reasons:  # there are none for an item that is ranked last, never again
                named = max(each.amount for each in found.reasons if each.node.id == reason)
                assert named == pytest.approx(max(each.amount for each in found.reasons), abs=1e-4 * size)


@pytest.mark.parametrize("name", CONFIGS)
def test_contributions_and_rest_are_the_score(world: HeteroGraph, name: str) -> None:
    model = GraphFilter(CONFIGS[name])
    trained = run_of(world, model)
    scores = model.score(np.arange(len(trained.users))).numpy().astype(float)
    for found, few in zip(some(trained), some(trained, 3), strict=True):
        score = scores[trained.users.find(found.user.id), trained.items.find(found.item.id)]
        size = max(abs(score), 0.05)
        for each in (found, few):
            assert each.score == pytest.approx(score, abs=1e-5 * size)
            assert sum(path.contribution for path in each.paths) + each.rest == pytest.approx(score, abs=1e-5 * size)
        assert sum(reason.amount for reason in found.reasons) == pytest.approx(score, abs=1e-4 * size)
        for reason in found.reasons:
            assert sum(part.amount for part in reason.through) == pytest.approx(reason.amount, abs=1e-5 * size)
        assert len(few.paths) == min(3, len(found.paths))
        assert few.attribution.rest[0].count == len(found.paths) - len(few.paths)
        unnamed = found.attribution.rest[0]  # all walks are named, so what is left is rounding
        assert unnamed.count == 0
        assert unnamed.amount == pytest.approx(0, abs=1e-4 * size)


def test_a_restored_model_gives_the_same_paths(trained: TrainedRun) -> None:
    other = GraphFilter(FULL)
    other.restore(trained.model.state())
    again = replace(trained, model=other)
    for user, item in (("User3", "Item4"), ("User7", "Item9")):
        mine, theirs = explain(trained, user, item), explain(again, user, item)
        assert [path.nodes for path in mine.paths] == [path.nodes for path in theirs.paths]
        amounts = [[path.contribution for path in found.paths] for found in (mine, theirs)]
        np.testing.assert_allclose(amounts[0], amounts[1], rtol=1e-4)


def test_every_path_is_a_walk_of_the_graph_that_takes_no_relationship_twice(trained: TrainedRun) -> None:
    edges: dict[tuple[str, str, str], set[str]] = {}
    for table in tables().edges:
        for row in table.frame.itertuples():
            edges.setdefault((str(row.source_id), table.type.relation, str(row.target_id)), set()).add(
                getattr(row, "tag", "")
            )
    tagged = {
        (end, tag)
        for (source, relation, target), tags in edges.items()
        if relation == "TAGGED"
        for tag in tags
        for end in (source, target)
    }
    seen: set[str] = set()
    for found in some(trained, 300, 7 if EVERYTHING else 17):
        for path in found.paths:
            assert (path.nodes[0], path.nodes[-1]) == (found.user, found.item)
            taken = []
            for (before, after), step in zip(pairwise(path.nodes), path.steps, strict=True):
                seen |= set(step.relations)
                if before.is_text or after.is_text:
                    text, node = (before, after) if before.is_text else (after, before)
                    assert (node.id, text.id) in tagged
                    continue
                ways = {True: [(before, after)], False: [(after, before)], None: [(before, after), (after, before)]}
                there = [
                    (one.id, relation, other.id)
                    for one, other in ways[step.forward]
                    for relation in step.relations
                    if (one.id, relation, other.id) in edges
                ]
                assert there, (before, step, after)
                taken += there[:1]
            assert len(taken) == len(set(taken))
    assert seen == {"PURCHASED", "VIEWED", "FRIEND", "FOLLOWS", "IN_GENRE", "LIVES_IN", "ALSO_BOUGHT", "TAGGED"}


def dense(model: GraphFilter) -> npt.NDArray[np.float64]:
    """D_U^-b B D^-e."""
    b = model.signal.behaviour.toarray().astype(np.float64)
    c = model.config
    users, items = (np.where(b.sum(axis) > 0, b.sum(axis), 1.0) for axis in (1, 0))
    found: npt.NDArray[np.float64] = users[:, None] ** -c.user_exponent * b * items**-c.item_exponent
    return found


def test_a_walk_has_the_weight_of_the_formula(world: HeteroGraph) -> None:
    """With behaviour alone, of u - h - w - j: B_uh d_h^-p d_j^q [ w N_wh + (V g L^-1 V' N')_hw ] N_wj / s1^2."""
    model = GraphFilter(
        replace(
            CONFIGS["behaviour alone"], source_exponent=0.3, target_exponent=0.2, rank=5, rank_share=1.0, neighbours=0
        )
    )
    trained, c = run_of(world, model), model.config
    n, b = dense(model), model.signal.behaviour.toarray()
    degree = np.where(b.sum(0) > 0, b.sum(0), 1.0)
    _, sigma, vt = np.linalg.svd(n, full_matrices=False)
    top, vt = sigma[0] ** 2, vt[: c.rank]
    eigenvalues = sigma[: c.rank] ** 2 / top
    last = vt.T @ np.diag(np.maximum(c.plateau - eigenvalues, 0) / eigenvalues) @ vt @ n.T  # [items, users]
    user, item = 2, 5
    assert b[user, item] == 0
    found = explain(trained, str(trained.users.ids[user]), str(trained.items.ids[item]), 10_000)
    expected = {}
    for h, w in product(range(b.shape[1]), range(b.shape[0])):
        if b[user, h] and b[w, h] and b[w, item]:
            scale = b[user, h] * degree[h] ** -c.source_exponent * degree[item] ** c.target_exponent / top
            expected[str(trained.items.ids[h]), str(trained.users.ids[w])] = (
                scale * n[w, item] * (c.path_weight * n[w, h] + last[h, w])
            )
    assert {(path.nodes[1].id, path.nodes[2].id) for path in found.paths} == set(expected)
    for path in found.paths:
        assert path.contribution == pytest.approx(expected[path.nodes[1].id, path.nodes[2].id], rel=1e-3, abs=1e-6)
    longer = next(part for part in found.attribution.rest if part.kind is RemainderKind.LONGER)
    assert longer.amount == pytest.approx(found.score - sum(expected.values()), abs=1e-4)


def test_the_strongest_paths_are_those_of_all(trained: TrainedRun) -> None:
    def key(path: Path) -> tuple[str, ...]:
        return tuple(node.id for node in path.nodes)

    for user, item in (("User1", "Item2"), ("User5", "Item7"), ("User9", "Item12")):
        every = explain(trained, user, item, 10_000).paths
        strongest = sorted((abs(path.contribution) for path in every), reverse=True)
        for top in (1, 2, 7, 40):
            few = explain(trained, user, item, top).paths
            assert sorted((abs(path.contribution) for path in few), reverse=True) == pytest.approx(strongest[:top])
            assert {key(path) for path in few} <= {key(path) for path in every}


def test_a_friend_who_has_the_item_is_a_path_of_two_steps(trained: TrainedRun) -> None:
    short = [
        path for found in some(trained, 100, 3 if EVERYTHING else 13) for path in found.paths if len(path.nodes) == 3
    ]
    friends = [path for path in short if path.steps[0].relations == ("FRIEND",)]
    assert friends
    assert all(path.nodes[1].label == "User" and path.contribution > 0 for path in friends)


def test_an_item_that_the_user_has_is_explained_all_the_same(trained: TrainedRun) -> None:
    user, item = int(trained.seen.user_index[0]), int(trained.seen.item_index[0])
    found = explain(trained, str(trained.users.ids[user]), str(trained.items.ids[item]))
    assert found.seen
    assert any(len(path.nodes) == 2 for path in found.paths)
    assert found.num_holders == int((trained.seen.item_index == item).sum())
