"""Blends of scores by hand, and weights that are learned on held-out items."""

import numpy as np
import pytest
import torch
from scipy import sparse

from graphrec.evaluation.metrics import per_user
from graphrec.models.ensemble.blending import (
    BlendData,
    gain_over_equal_weights,
    learn_group_weights,
    learn_weights,
    normalise_scores,
)


def histories(*rows: list[int]) -> sparse.csr_array:
    return sparse.csr_array(np.array(rows, dtype=np.float32))


HISTORY = histories([0, 0, 0, 0, 1], [0, 0, 0, 0, 0])


def test_scores_are_divided_by_their_spread_over_new_items() -> None:
    """Items 0..3 and a zero in the place of the history: mean 2, squares (4 + 0 + 4 + 4 + 4)/5 = 3.2."""
    scores = torch.tensor([[4.0, 2.0, 4.0, 0.0, 50.0], [0.0, 0.0, 0.0, 0.0, 0.0]])
    found = normalise_scores(scores, HISTORY, False, "score")
    torch.testing.assert_close(found[0], torch.tensor([4.0, 2.0, 4.0, 0.0, 50.0]) / 3.2**0.5)
    assert not found[1].any()


def test_negative_scores_count_only_where_a_member_is_signed() -> None:
    scores = torch.tensor([[-1.0, 1.0, 0.0, 0.0, 0.0]])
    history = histories([0, 0, 0, 0, 0])
    unsigned = normalise_scores(scores.clone(), history, False, "score")
    signed = normalise_scores(scores.clone(), history, True, "score")
    torch.testing.assert_close(unsigned, torch.tensor([[0.0, 2.5, 0.0, 0.0, 0.0]]))
    torch.testing.assert_close(signed, torch.tensor([[-1.0, 1.0, 0.0, 0.0, 0.0]]) / 0.4**0.5)


def test_equal_scores_of_rounding_are_not_blown_up() -> None:
    scores = torch.tensor([[1.0, 1.0 + 1e-7, 1.0]])
    found = normalise_scores(scores.clone(), histories([0, 0, 0]), True, "score")
    torch.testing.assert_close(found, scores)


@pytest.mark.parametrize("blend", ["score", "rank"])
def test_rounding_errors_beside_a_large_score_of_the_history_say_nothing(blend: str) -> None:
    scores = torch.tensor([[6e-17, 0.0, 3e-8, -6e-17, 0.5]])
    found = normalise_scores(scores, histories([0, 0, 0, 0, 1]), True, blend)
    assert float(found[0, :4].abs().max()) < 1e-6


@pytest.mark.parametrize("blend", ["score", "rank"])
def test_many_users_are_treated_as_each_alone(blend: str) -> None:
    rng = np.random.default_rng(5)
    history = sparse.csr_array((rng.random((70, 30)) < 0.1).astype(np.float32))
    scores = torch.from_numpy(rng.normal(0, 1, (70, 30)).astype(np.float32))
    scores[3, 4], scores[69, 5] = torch.nan, torch.inf
    together = normalise_scores(scores.clone(), history, True, blend)
    alone = [normalise_scores(scores[[u]].clone(), history[[u]], True, blend) for u in range(70)]
    torch.testing.assert_close(together, torch.cat(alone))


def test_ranks_by_hand() -> None:
    scores = torch.tensor([[3.0, 7.0, 0.0, 5.0, 99.0], [1.0, -2.0, 0.0, 0.0, 0.5]])
    found = normalise_scores(scores.clone(), HISTORY, True, "rank")
    expected = [[1 / 63, 1 / 61, 0, 1 / 62, 0], [1 / 61, 1 / 63, 0, 0, 1 / 62]]
    torch.testing.assert_close(found, torch.tensor(expected))


def held_out(parts: list[list[list[float]]], relevant: list[list[float]], degree: list[int]) -> BlendData:
    hits = torch.tensor(relevant)
    wanted = hits.sum(dim=1).long()
    return BlendData(torch.tensor(parts), hits, torch.ones_like(hits, dtype=torch.bool), wanted, torch.tensor(degree))


def test_the_quality_of_weights_by_hand() -> None:
    """One user, two candidates, one held out: first place 1, second 1/log₂ 3; unknown ones are not ranked."""
    held = held_out([[[2.0, 1.0, 0.0], [0.0, 4.0, 0.0]]], [[1.0, 0.0, 0.0]], [1])
    assert held.ndcg(torch.tensor([1.0, 0.0])) == 1.0
    assert held.ndcg(torch.tensor([0.5, 0.5])) == pytest.approx(1 / np.log2(3))
    assert held.ndcg(torch.tensor([0.0, 1.0])) == 0.0


def test_weights_find_the_member_that_knows() -> None:
    """The first member knows, the second is noise, the third is its opposite."""
    rng = np.random.default_rng(0)
    hits = (rng.random((200, 60)) < 0.1).astype(np.float32)
    hits[:, 0] = 1.0
    good = hits + rng.normal(0, 0.5, hits.shape)
    parts = np.stack([good, rng.normal(0, 1, hits.shape), -hits - 1], axis=1).astype(np.float32)
    held = held_out(parts.tolist(), hits.tolist(), [1] * 200)
    weights = learn_weights(held)
    assert float(weights.sum()) == pytest.approx(1.0)
    assert float(weights.min()) >= 0
    assert float(weights[0]) > 0.8
    assert held.ndcg(weights) >= max(held.ndcg(single) for single in torch.eye(3))


def test_two_members_that_know_different_things_are_better_together() -> None:
    rng = np.random.default_rng(1)
    hits = (rng.random((300, 80)) < 0.1).astype(np.float32)
    hits[:, 0] = 1.0
    parts = np.stack([hits + rng.normal(0, 0.8, hits.shape) for _ in range(2)], axis=1).astype(np.float32)
    held = held_out(parts.tolist(), hits.tolist(), [1] * 300)
    weights = learn_weights(held)
    assert held.ndcg(weights) > 1.03 * max(held.ndcg(single) for single in torch.eye(2))
    assert 0.3 < float(weights[0]) < 0.7


def test_the_quality_is_that_of_the_metric() -> None:
    rng = np.random.default_rng(3)
    hits = (rng.random((50, 60)) < 0.1).astype(np.float32)
    hits[:, 0] = 1.0
    scores = rng.random((50, 1, 60)).astype(np.float32)
    held = held_out(scores.tolist(), hits.tolist(), [1] * 50)
    best = np.argsort(-scores[:, 0], axis=1)[:, :20]
    expected = per_user(best, sparse.csr_array(hits), [20])["ndcg@20"]
    assert held.per_user(torch.ones(50, 1)).tolist() == pytest.approx(expected.tolist(), rel=1e-5)
    assert held.ndcg(torch.ones(1)) == pytest.approx(expected.mean(), rel=1e-5)


def test_groups_of_users_get_weights_of_their_own() -> None:
    """The first member knows users of degree 1, the second those of degree 9; each group goes half way."""
    rng = np.random.default_rng(2)
    hits = (rng.random((200, 40)) < 0.1).astype(np.float32)
    hits[:, 0] = 1.0
    noise = rng.normal(0, 1, (200, 2, 40)).astype(np.float32)
    noise[:100, 0] += 3 * hits[:100]
    noise[100:, 1] += 3 * hits[100:]
    held = held_out(noise.tolist(), hits.tolist(), [1] * 100 + [9] * 100)
    weights, limits = learn_group_weights(held, 2)
    assert limits.tolist() == [5.0]
    assert float(weights[0, 0]) > float(weights[1, 0]) + 0.3
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(2))
    held = held_out(noise[20:].tolist(), hits[20:].tolist(), [1] * 80 + [9] * 100)
    weights, limits = learn_group_weights(held, 2)
    assert limits.tolist() == [9.0]  # the smallest degree of the second group
    assert float(weights[0, 0]) > float(weights[1, 0]) + 0.3


def two_members(num_users: int, noise: float) -> BlendData:
    """Both members know the held-out items, the second under more noise than the first."""
    rng = np.random.default_rng(2)
    hits = (rng.random((num_users, 60)) < 0.1).astype(np.float32)
    hits[:, 0] = 1.0
    scores = np.stack([hits + rng.normal(0, scale, hits.shape) for scale in (0.5, noise)], axis=1)
    return held_out(scores.astype(np.float32).tolist(), hits.tolist(), [1, 9] * (num_users // 2))


@pytest.mark.parametrize("groups", [1, 2])
def test_a_gain_is_measured_on_other_users_than_those_of_the_weights(groups: int) -> None:
    gain, error = gain_over_equal_weights(two_members(300, 5.0), groups, np.random.default_rng(0))
    assert gain > 3 * error > 0  # noise as strong as ten times the signal of the other member
    gain, error = gain_over_equal_weights(two_members(300, 0.5), groups, np.random.default_rng(0))
    assert gain < error  # both members are alike


def test_one_user_tells_nothing() -> None:
    one = two_members(2, 5.0).select(torch.tensor([0]))
    assert gain_over_equal_weights(one, 1, np.random.default_rng(0)) == (0.0, float("inf"))


def test_weights_of_users_by_hand() -> None:
    """Two users with the same scores, ranked by one member each."""
    held = held_out([[[2.0, 1.0], [1.0, 2.0]]] * 2, [[1.0, 0.0]] * 2, [1, 1])
    found = held.per_user(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    assert found.tolist() == pytest.approx([1.0, 1 / np.log2(3)])
