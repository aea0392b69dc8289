"""ensemble: blends by hand, what weights are learned from, and states inside a state."""

import io
from typing import ClassVar

import numpy as np
import pytest
import torch

from graphrec.errors import DataError
from graphrec.interactions import Interactions
from graphrec.models import make
from graphrec.models.ensemble.blending import normalise_scores
from graphrec.models.ensemble.hold_out import hold_out
from graphrec.models.ensemble.model import Ensemble, EnsembleConfig
from graphrec.relations import build_relations
from graphrec.testing import ModelContract, checkerboard, graph_of


class TestEnsemble(ModelContract):
    name = "ensemble"
    config: ClassVar[dict[str, object]] = {"members": "item_knn(neighbours=30), rp3beta"}


class TestEnsembleOfRanks(ModelContract):
    name = "ensemble"
    config: ClassVar[dict[str, object]] = {"members": "ials(factors=8), rp3beta", "blend": "rank", "groups": 2}


class TestEnsembleOfCoherentParts(ModelContract):
    name = "ensemble"
    config: ClassVar[dict[str, object]] = {"members": "graph_filter(rank=4), user_knn", "validation": "coherent"}


class TestEnsembleOfTasteAndNextItem(ModelContract):
    name = "ensemble"
    config: ClassVar[dict[str, object]] = {"members": "sequence_filter, graph_filter(rank=4)", "validation": "last"}


class TestEnsembleOfGivenWeights(ModelContract):
    name = "ensemble"
    config: ClassVar[dict[str, object]] = {"members": "item_knn, graph_filter(rank=4)", "weights": "1 2"}


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"blend": "vote"}, "blend is one of score, rank, not 'vote'"),
        ({"validation": "half"}, "validation is one of auto, latest, random, newest, last, coherent, not 'half'"),
        ({"groups": 0}, "groups is at least 1"),
        ({"weights": "1 2"}, "there are 3 members, but 2 weights"),
        ({"weights": "1 x 2"}, "weights takes numbers such as `0.7 0.3`, not '1 x 2'"),
        ({"weights": "1 -1 2"}, "weights must not be negative"),
        ({"weights": "0 0 0"}, "at least one must be positive"),
        ({"weights": "1 1 1", "groups": 2}, "leave out either weights or groups"),
    ],
)
def test_impossible_settings_are_refused(setting: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        EnsembleConfig(**setting)  # type: ignore[arg-type]  # each case sets another field


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
        expected += weight * normalise_scores(member.score(users), train.matrix()[users], False, "score")
    torch.testing.assert_close(model.score(users), expected)


def test_members_are_told_all_that_is_known_of_newcomers() -> None:
    graph, train, _ = checkerboard()
    ties = torch.stack([torch.arange(18), torch.arange(18) + 2])
    graph.data["User", "FOLLOWS", "User"].edge_index = ties
    model = Ensemble(EnsembleConfig(members="item_knn, graph_filter(rank=4, social_weight=0.5)", weights="1 1"))
    model.fit(graph, train, np.random.default_rng(0))
    found = model.fold_in_users(train, build_relations(graph))
    torch.testing.assert_close(found, model.score(np.arange(train.num_users)), atol=1e-5, rtol=1e-4)
    assert not torch.allclose(found, model.fold_in(train.matrix())), "friends count"


def test_a_useless_member_gets_no_weight() -> None:
    graph, train, _ = checkerboard()
    model = Ensemble(EnsembleConfig(members="item_knn, popularity"))
    told: list[tuple[int, int]] = []
    model.fit(graph, train, np.random.default_rng(0), lambda done, total: told.append((done, total)))
    assert float(model.weights[0, 0]) >= 0.5
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize(("gain", "blend"), [(0.01, "rank"), (0.02, "rank"), (0.03, "score"), (-0.01, "rank")])
def test_ranks_are_averaged_unless_learned_weights_gain_a_standard_error(
    gain: float, blend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graphrec.models.ensemble.model.gain_over_equal_weights", lambda *_: (gain, 0.02))
    learned = torch.tensor([[0.9, 0.1]]), torch.empty(0)
    monkeypatch.setattr("graphrec.models.ensemble.model.learn_group_weights", lambda *_: learned)
    graph, train, _ = checkerboard()
    model = Ensemble(EnsembleConfig(members="item_knn, popularity"))
    model.fit(graph, train, np.random.default_rng(0))
    assert model.config.blend == blend
    weights = [0.9, 0.1] if blend == "score" else [0.5, 0.5]
    assert model.weights[0].tolist() == pytest.approx(weights)
    expected = torch.zeros(1, train.num_items)
    for member, weight in zip(model.members, weights, strict=True):
        expected += weight * normalise_scores(member.score(np.array([2])), train.matrix()[[2]], False, blend)
    torch.testing.assert_close(model.score(np.array([2])), expected)


def test_the_latest_tenth_is_held_out_where_there_are_times() -> None:
    user, item = np.repeat(np.arange(4), 10), np.tile(np.arange(10), 4)
    timed = Interactions(user, item, 4, 10, time=np.arange(40)[::-1].copy())
    for validation in ("auto", "latest"):
        parts = hold_out(timed, validation, np.random.default_rng(0))
        assert parts is not None
        assert parts.validation.user_index.tolist() == [0, 0, 0, 0]
        assert parts.validation.item_index.tolist() == [0, 1, 2, 3]
        assert (len(parts.train), parts.cut) == (36, 36)


@pytest.mark.parametrize(("validation", "of_each"), [("newest", [2, 2]), ("last", [1, 1]), ("coherent", [2, 2])])
def test_parts_of_each_history_are_held_out(validation: str, of_each: list[int]) -> None:
    """Two histories of ten items; newest and last are the first ones of the file, since time runs backwards."""
    user, item = np.repeat(np.arange(2), 10), (np.arange(20) + 5 * (np.arange(20) // 10)) % 15
    timed = Interactions(user, item, 2, 15, time=np.arange(20)[::-1].copy())
    parts = hold_out(timed, validation, np.random.default_rng(0))
    assert parts is not None
    assert (parts.validation.user_degree().tolist(), parts.cut) == (of_each, None)
    assert len(parts.train) == 20 - sum(of_each)
    if validation != "coherent":
        assert parts.validation.item_index.tolist() == [*item[: of_each[0]], *item[10 : 10 + of_each[1]]]


@pytest.mark.parametrize("validation", ["auto", "random"])
def test_a_random_tenth_and_one_of_each_user_are_held_out_together(validation: str) -> None:
    user, item = np.repeat(np.arange(40), 10), np.tile(np.arange(10), 40)
    parts = hold_out(Interactions(user, item, 40, 10), validation, np.random.default_rng(0))
    assert parts is not None
    assert parts.validation.user_degree().min() == 1
    assert 40 < len(parts.validation) <= 80
    assert len(parts.train) == 400 - len(parts.validation)


def test_coherent_parts_trust_followers_of_neighbours_less(travellers: Interactions) -> None:
    """What is held out at random has its neighbours left, which item_knn follows; the mean of three seeds."""
    weights = {}
    for validation in ("random", "coherent"):
        model = Ensemble(EnsembleConfig(members="item_knn, popularity", validation=validation))
        found = []
        for seed in range(3):
            model.fit(graph_of(travellers), travellers, np.random.default_rng(seed))
            found.append(float(model.weights[0, 0]))
        weights[validation] = np.mean(found)
    assert weights["coherent"] < weights["random"] - 0.05


def test_nothing_is_held_out_where_no_user_would_be_left_with_both() -> None:
    at_once = Interactions(np.arange(4), np.arange(4), 4, 4, time=np.zeros(4, dtype=np.int64))
    assert hold_out(at_once, "latest", np.random.default_rng(0)) is None
    assert hold_out(at_once.take(np.arange(2)), "auto", np.random.default_rng(0)) is None
    assert hold_out(at_once, "coherent", np.random.default_rng(0)) is None


def test_too_few_interactions_to_learn_from_give_equal_weights() -> None:
    pairs = Interactions(np.array([0, 1]), np.array([0, 1]), 2, 2)
    model = Ensemble(EnsembleConfig(members="item_knn, popularity"))
    model.fit(graph_of(pairs), pairs, np.random.default_rng(0))
    assert model.weights.tolist() == [[0.5, 0.5]]


def test_states_of_members_stand_side_by_side() -> None:
    """Two members of one kind with different settings come back as they were."""
    graph, train, _ = checkerboard()
    config = EnsembleConfig(members="ials(factors=4), ials(factors=6)")
    model = Ensemble(config)
    model.fit(graph, train, np.random.default_rng(0))
    other = Ensemble(model.config)
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
