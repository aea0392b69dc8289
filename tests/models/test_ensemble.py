"""ensemble: members as text, blends by hand, weights that are learned, and states inside a state."""

import io
from typing import ClassVar

import numpy as np
import pytest
import torch
from scipy import sparse

from graphrec.errors import DataError, UnknownNameError
from graphrec.interactions import Interactions
from graphrec.models import make
from graphrec.models.blending import HeldOut, contribution, grouped_weights, learn_weights
from graphrec.models.ensemble import Ensemble, EnsembleConfig, hold_out
from graphrec.models.members import Member, parse_members, write_members
from graphrec.testing import ModelContract, checkerboard, graph_of


class TestEnsemble(ModelContract):
    name = "ensemble"
    config: ClassVar[dict[str, object]] = {"members": "item_knn(neighbours=30), rp3beta"}


class TestEnsembleOfRanks(ModelContract):
    name = "ensemble"
    config: ClassVar[dict[str, object]] = {"members": "ials(factors=8), rp3beta", "blend": "rank", "groups": 2}


class TestEnsembleOfGivenWeights(ModelContract):
    name = "ensemble"
    config: ClassVar[dict[str, object]] = {"members": "item_knn, graph_filter(rank=4)", "weights": "1 2"}


def test_members_are_read_from_text() -> None:
    text = ' graph_filter( rank=64,path_weight = 2.5 ), ials,rp3beta(),graph_filter(weights="FRIEND=0.1, X=(2)")'
    assert parse_members(text) == [
        Member("graph_filter", {"rank": "64", "path_weight": "2.5"}),
        Member("ials"),
        Member("rp3beta"),
        Member("graph_filter", {"weights": "FRIEND=0.1, X=(2)"}),
    ]


def test_what_is_written_is_read_again() -> None:
    configs = [
        ("graph_filter", {"rank": 64, "plateau": 1.2, "weights": 'FRIEND=0.1 "odd", (thing)'}),
        ("ials", {}),
        ("fastrp", {"steps": "0 1", "cosine": False}),
    ]
    text = write_members(configs)
    assert text == (
        'graph_filter(rank=64, weights="FRIEND=0.1 \\"odd\\", (thing)"), ials, fastrp(steps="0 1", cosine=False)'
    )
    assert parse_members(text) == [
        Member("graph_filter", {"rank": "64", "weights": 'FRIEND=0.1 "odd", (thing)'}),
        Member("ials"),
        Member("fastrp", {"steps": "0 1", "cosine": "False"}),
    ]


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", DataError, r"cannot be read at ''; write models with their settings"),
        ("ials,", DataError, "cannot be read at ''"),
        ("ials; rp3beta", DataError, "cannot be read at 'ials; rp3beta'"),
        ("ials(factors)", DataError, r"cannot be read at 'factors'"),
        ("ials(factors=8", DataError, "cannot be read at 'ials"),
        ("ials(factors=8, factors=9)", DataError, "ials has factors twice"),
        ("ials(factors=many)", DataError, "ials: factors takes a whole number, not 'many'"),
        ("ails", UnknownNameError, "there is no model 'ails'; did you mean ials"),
        ("ials(factor=8)", UnknownNameError, "there is no setting of ials 'factor'; did you mean factors"),
        ("ensemble", DataError, "an ensemble cannot be a member"),
    ],
)
def test_wrong_members_are_refused(text: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        EnsembleConfig(members=text)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"blend": "vote"}, "blend is one of score, rank, not 'vote'"),
        ({"groups": 0}, "groups is at least 1"),
        ({"weights": "1 2"}, "there are 3 members, but 2 weights"),
        ({"weights": "1 x 2"}, "weights takes numbers such as `0.7 0.3`, not '1 x 2'"),
        ({"weights": "1 -1 2"}, "weights must not be negative"),
        ({"weights": "0 0 0"}, "one is above 0"),
    ],
)
def test_impossible_settings_are_refused(setting: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        EnsembleConfig(**setting)  # type: ignore[arg-type]  # each case sets another field


def histories(*rows: list[int]) -> sparse.csr_array:
    return sparse.csr_array(np.array(rows, dtype=np.float32))


HISTORY = histories([0, 0, 0, 0, 1], [0, 0, 0, 0, 0])


def test_scores_are_divided_by_their_spread_over_new_items() -> None:
    """Items 0..3 and a zero in the place of the history: mean 2, squares (4 + 0 + 4 + 4 + 4)/5 = 3.2."""
    scores = torch.tensor([[4.0, 2.0, 4.0, 0.0, 50.0], [0.0, 0.0, 0.0, 0.0, 0.0]])
    found = contribution(scores, HISTORY, False, "score")
    torch.testing.assert_close(found[0], torch.tensor([4.0, 2.0, 4.0, 0.0, 50.0]) / 3.2**0.5)
    assert not found[1].any()


def test_negative_scores_count_only_where_a_member_is_signed() -> None:
    scores = torch.tensor([[-1.0, 1.0, 0.0, 0.0, 0.0]])
    history = histories([0, 0, 0, 0, 0])
    unsigned = contribution(scores.clone(), history, False, "score")
    signed = contribution(scores.clone(), history, True, "score")
    torch.testing.assert_close(unsigned, torch.tensor([[0.0, 2.5, 0.0, 0.0, 0.0]]))
    torch.testing.assert_close(signed, torch.tensor([[-1.0, 1.0, 0.0, 0.0, 0.0]]) / 0.4**0.5)


def test_equal_scores_of_rounding_are_not_blown_up() -> None:
    scores = torch.tensor([[1.0, 1.0 + 1e-7, 1.0]])
    found = contribution(scores.clone(), histories([0, 0, 0]), True, "score")
    torch.testing.assert_close(found, scores)


def test_ranks_by_hand() -> None:
    scores = torch.tensor([[3.0, 7.0, 0.0, 5.0, 99.0], [1.0, -2.0, 0.0, 0.0, 0.5]])
    found = contribution(scores.clone(), HISTORY, True, "rank")
    expected = [[1 / 63, 1 / 61, 0, 1 / 62, 0], [1 / 61, 1 / 63, 0, 0, 1 / 62]]
    torch.testing.assert_close(found, torch.tensor(expected))


def test_scores_are_blended_by_hand() -> None:
    """Weights 1 and 3 of popularity and item_knn: a quarter and three quarters of what each contributes."""
    graph, train, _ = checkerboard(6)
    model = Ensemble(EnsembleConfig(members="popularity, item_knn", weights="1 3"))
    model.fit(graph, train, np.random.default_rng(0))
    users = np.array([0, 5])
    expected = torch.zeros(2, 7)
    for name, weight in (("popularity", 0.25), ("item_knn", 0.75)):
        member = make(name)
        member.fit(graph, train, np.random.default_rng(0))
        expected += weight * contribution(member.score(users), train.matrix()[users], False, "score")
    torch.testing.assert_close(model.score(users), expected)


def held_out(parts: list[list[list[float]]], relevant: list[list[float]], degree: list[int]) -> HeldOut:
    hits = torch.tensor(relevant)
    wanted = hits.sum(dim=1).long()
    return HeldOut(torch.tensor(parts), hits, torch.ones_like(hits, dtype=torch.bool), wanted, torch.tensor(degree))


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


def test_groups_of_users_get_weights_of_their_own() -> None:
    """The first member knows users of degree 1, the second those of degree 9; each group goes half way."""
    rng = np.random.default_rng(2)
    hits = (rng.random((200, 40)) < 0.1).astype(np.float32)
    hits[:, 0] = 1.0
    noise = rng.normal(0, 1, (200, 2, 40)).astype(np.float32)
    noise[:100, 0] += 3 * hits[:100]
    noise[100:, 1] += 3 * hits[100:]
    held = held_out(noise.tolist(), hits.tolist(), [1] * 100 + [9] * 100)
    weights, limits = grouped_weights(held, 2)
    assert limits.tolist() == [5.0]
    assert float(weights[0, 0]) > float(weights[1, 0]) + 0.3
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(2))


def test_a_useless_member_gets_no_weight() -> None:
    graph, train, _ = checkerboard()
    model = Ensemble(EnsembleConfig(members="item_knn, popularity"))
    told: list[tuple[int, int]] = []
    model.fit(graph, train, np.random.default_rng(0), lambda done, total: told.append((done, total)))
    assert float(model.weights[0, 0]) >= 0.5
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_the_last_tenth_by_time_is_held_out_where_there_are_times() -> None:
    user, item = np.repeat(np.arange(4), 10), np.tile(np.arange(10), 4)
    timed = Interactions(user, item, 4, 10, time=np.arange(40)[::-1].copy())
    parts = hold_out(timed, np.random.default_rng(0))
    assert parts is not None
    assert parts[1].user_index.tolist() == [0, 0, 0, 0]
    assert parts[1].item_index.tolist() == [0, 1, 2, 3]
    assert len(parts[0]) == 36


def test_nothing_is_held_out_where_no_user_would_be_left_with_both() -> None:
    at_once = Interactions(np.arange(4), np.arange(4), 4, 4, time=np.zeros(4, dtype=np.int64))
    assert hold_out(at_once, np.random.default_rng(0)) is None
    assert hold_out(at_once.take(np.arange(2)), np.random.default_rng(0)) is None


def test_too_few_interactions_to_learn_from_give_equal_weights() -> None:
    pairs = Interactions(np.array([0, 1]), np.array([0, 1]), 2, 2)
    model = Ensemble(EnsembleConfig(members="item_knn, popularity"))
    model.fit(graph_of(pairs), pairs, np.random.default_rng(0))
    assert model.weights.tolist() == [[0.5, 0.5]]


def test_states_of_members_stand_side_by_side() -> None:
    """Two members of one kind with different settings come back as they were."""
    graph, train, _ = checkerboard()
    config = EnsembleConfig(members="ials(factors=4), ials(factors=6)")
    model, other = Ensemble(config), Ensemble(config)
    model.fit(graph, train, np.random.default_rng(0))
    file = io.BytesIO()
    torch.save(model.state(), file)
    file.seek(0)
    other.restore(torch.load(file, weights_only=True))
    assert [member.embeddings().items.shape[1] for member in other.members] == [4, 6]
    assert torch.equal(other.score(np.arange(21)), model.score(np.arange(21)))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_gpu_gives_the_same_scores() -> None:
    graph, train, _ = checkerboard()
    scores = []
    for device in ("cpu", "cuda"):
        model = Ensemble(EnsembleConfig(members="ials(factors=8), rp3beta"), device)
        model.fit(graph, train, np.random.default_rng(0))
        scores.append(model.score(np.arange(21)))
    assert scores[1].device.type == "cuda"
    torch.testing.assert_close(scores[1].cpu(), scores[0], atol=1e-3, rtol=0)
