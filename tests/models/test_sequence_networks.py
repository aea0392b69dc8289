"""Sequence networks: contract, causality, padding, warm start, order, checkpoints and early stopping."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from scipy import sparse

from graphrec.errors import DataError
from graphrec.histories import Histories, build_histories
from graphrec.interactions import Interactions
from graphrec.models import make, model_class
from graphrec.models.base import EpochCallback
from graphrec.models.sequence_network import SequenceNetworkModel
from graphrec.models.sequence_network.network import Dropout
from graphrec.models.sequence_network.stopping import choose_users, ndcg_of_last, without_last_of
from graphrec.models.sequence_network.transitions import compute_transition_init, sum_undirected
from graphrec.relations import Relations
from graphrec.testing import ModelContract, graph_of
from graphrec.training.checkpoints import Checkpoints

Settings = Mapping[str, object]

SMALL: Settings = {"embedding_dim": 16, "num_negatives": 0, "warmup_steps": 0, "epochs": 4}

#: Settings with which `cycle` is learned without an error.
LONGER: Settings = {"epochs": 8, "learning_rate": 0.01}

NETWORKS = [
    ("gru4rec", {}),
    ("gru4rec", {"cell": "lstm", "num_layers": 2}),
    ("nextitnet", {}),
    ("nextitnet", {"num_layers": 4, "kernel_size": 2}),
    ("sasrec", {}),
    ("sasrec", {"recency": False}),
    ("sasrec", {"gated": True, "num_heads": 4}),
]


class TestGRU4Rec(ModelContract):
    name = "gru4rec"
    config: ClassVar[Settings] = SMALL


class TestNextItNet(ModelContract):
    name = "nextitnet"
    config: ClassVar[Settings] = {**SMALL, "num_layers": 1}


class TestSASRec(ModelContract):
    name = "sasrec"
    config: ClassVar[Settings] = SMALL


def cycle(num_users: int = 30, num_items: int = 12, length: int = 8) -> Interactions:
    """Each user begins at another item of a circle and goes around it; times say so, rows are shuffled."""
    user = np.repeat(np.arange(num_users), length)
    step = np.tile(np.arange(length), num_users)
    order = np.random.default_rng(0).permutation(len(user))
    item = (user * 5 + step) % num_items
    return Interactions(user[order], item[order], num_users, num_items, time=(100 * step + 7)[order])


def fitted(name: str, settings: Settings, seed: int = 0) -> SequenceNetworkModel[Any]:
    """A model of `cycle`, trained with dropout."""
    model: SequenceNetworkModel[Any] = make(name, **{**SMALL, "max_length": 10, **settings})  # type: ignore[assignment]
    pairs = cycle()
    model.fit(graph_of(pairs), pairs, np.random.default_rng(seed))
    return model


@pytest.fixture(scope="module", params=NETWORKS, ids=lambda param: f"{param[0]} {param[1]}")
def trained(request: pytest.FixtureRequest) -> SequenceNetworkModel[Any]:
    """One model of each network; tests leave it as it is."""
    name, settings = request.param
    return fitted(name, {**settings, **LONGER})


@pytest.fixture(scope="module")
def sasrec() -> SequenceNetworkModel[Any]:
    """A trained sasrec; tests leave it as it is."""
    return fitted("sasrec", LONGER)


def test_a_later_item_never_changes_an_earlier_state(trained: SequenceNetworkModel[Any]) -> None:
    network = trained.network
    assert network is not None
    item = torch.tensor([[3, 1, 4, 1, 5, 9, 2, 6]])
    with torch.no_grad():
        states = network.eval()(item)
        for place in range(8):
            other = item.clone()
            other[0, place] = 0 if item[0, place] else 7
            changed = (network(other) - states).abs().amax(2)[0]
            assert bool((changed[:place] < 1e-5).all())
            assert float(changed[place]) > 1e-3


def test_padding_never_matters(trained: SequenceNetworkModel[Any]) -> None:
    """Histories of all lengths, in one batch and each alone."""
    rng = np.random.default_rng(1)
    lengths = np.array([5, 0, 1, 10, 23, 2])
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    histories = Histories(indptr, rng.integers(0, 12, indptr[-1]).astype(np.int32), 12)
    together = trained.fold_in_histories(histories)
    for user in range(len(lengths)):
        alone = trained.fold_in_histories(histories.take(np.array([user])))
        torch.testing.assert_close(together[user : user + 1], alone, rtol=1e-4, atol=1e-5)
    assert float(together[1].abs().max()) == 0.0


def test_it_learns_what_comes_next(trained: SequenceNetworkModel[Any]) -> None:
    """On a circle the next item is certain."""
    history = Histories(np.array([0, 3, 5]), np.array([4, 5, 6, 11, 0], dtype=np.int32), 12)
    assert trained.fold_in_histories(history).argmax(1).tolist() == [7, 1]


def test_order_is_that_of_the_times_and_of_a_row_of_a_matrix(sasrec: SequenceNetworkModel[Any]) -> None:
    """`fold_in_users` sorts by time, `fold_in` reads `indices` as stored."""
    model = sasrec
    pairs = Interactions(np.zeros(3, dtype=np.int64), np.array([5, 3, 4]), 1, 12, time=np.array([30, 10, 20]))
    by_time = model.fold_in_users(pairs, Relations())
    in_order = sparse.csr_array((np.ones(3), np.array([3, 4, 5]), np.array([0, 3])), shape=(1, 12))
    reverse = sparse.csr_array((np.ones(3), np.array([5, 4, 3]), np.array([0, 3])), shape=(1, 12))
    torch.testing.assert_close(model.fold_in(in_order), by_time)
    assert int(by_time.argmax()) == 6
    assert float((model.fold_in(reverse) - by_time).abs().max()) > 0.1


def test_fold_in_of_a_history_in_training_gives_its_training_score() -> None:
    """Of the last `max_length` items, which alone count."""
    model = fitted("sasrec", {"max_length": 5})
    torch.testing.assert_close(model.fold_in_users(cycle(), Relations()), model.score(np.arange(30)))
    histories = build_histories(cycle())
    torch.testing.assert_close(model.fold_in_histories(histories.last(5)), model.score(np.arange(30)))


def test_scores_are_dot_products_of_vectors_with_biases() -> None:
    model = fitted("gru4rec", {})
    found = model.embeddings()
    torch.testing.assert_close(found.users @ found.items.T, model.score(np.arange(30)))
    torch.testing.assert_close(found.users[:, -1], torch.ones(30))
    assert model.similarity_vectors().shape == (12, 16)


@pytest.mark.parametrize(
    "settings", [{"loss": "gbce", "num_negatives": 4}, {"num_negatives": 6, "negative_exponent": 0.5}]
)
def test_sampled_losses_learn_what_comes_next(settings: Settings) -> None:
    model = fitted("nextitnet", {**settings, **LONGER})
    expected = (torch.arange(30) * 5 + 8) % 12
    assert float((model.score(np.arange(30)).argmax(1) == expected).float().mean()) > 0.9


def test_explanations_read_a_history_in_the_order_of_time(sasrec: SequenceNetworkModel[Any]) -> None:
    """User 2 has 10, 11, 0, 1, …, 5 in this order, so 6 is due to 5; a matrix has the order 0, …, 5, 10, 11."""
    model = sasrec
    assert model.histories.row(2).tolist() == [10, 11, 0, 1, 2, 3, 4, 5]
    found = model.explain_history(cycle().matrix()[[2]], 2, 6)
    assert found.amount is not None
    assert int(found.amount.argmax()) == 5
    row = sparse.csr_array((np.ones(8), model.histories.row(2), np.array([0, 8])), shape=(1, 12))
    in_order = model.explain_history(row, 2, 6)
    assert in_order.amount is not None
    np.testing.assert_allclose(in_order.amount[[2, 3, 4, 5, 6, 7, 0, 1]], found.amount, rtol=1e-3, atol=1e-4)


def test_transitions_by_hand() -> None:
    """Histories 0 1 2 and 2 0 with decay ½: 0→1, 1→2, 2→0 count 1, and 0→2 counts ½; the sum of both directions."""
    histories = Histories(np.array([0, 3, 5]), np.array([0, 1, 2, 2, 0], dtype=np.int32), 4)
    expected = np.zeros((4, 4))
    expected[[0, 1, 2], [1, 2, 0]], expected[0, 2] = 1.0, 0.5
    np.testing.assert_array_equal(sum_undirected(histories, 0.5).toarray(), expected + expected.T)
    expected[0, 2] = 0.0
    np.testing.assert_array_equal(sum_undirected(histories, 0.0).toarray(), expected + expected.T)


def test_transitions_below_the_smallest_weight_are_left_out() -> None:
    """With decay ½ a transition over six steps weighs 1/32, over seven less than 0.02."""
    histories = Histories(np.array([0, 8]), np.arange(8, dtype=np.int32), 8)
    found = sum_undirected(histories, 0.5).toarray()
    np.testing.assert_array_equal(found[0], [0, 1, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 0])


def test_a_repeated_item_follows_itself() -> None:
    histories = Histories(np.array([0, 3]), np.array([1, 1, 0], dtype=np.int32), 2)
    np.testing.assert_array_equal(sum_undirected(histories, 0.5).toarray(), [[0.0, 1.5], [1.5, 2.0]])


def test_a_warm_start_has_the_singular_vectors_of_the_normalised_transitions() -> None:
    """Against a dense decomposition, up to the signs of columns; the rows have equal lengths."""
    rng = np.random.default_rng(0)
    histories = Histories(np.arange(0, 61, 6), rng.integers(0, 9, 60).astype(np.int32), 10)  # item 9 has no events
    found = compute_transition_init(histories, 5, 0.5, 0.125, rng).double()
    both = sum_undirected(histories, 0.5).toarray()[:9, :9].astype(np.float64)
    scale = both.sum(1) ** -0.5
    u, s, _ = np.linalg.svd(scale[:, None] * both * scale)
    rows = u[:, :5] * np.sqrt(s[:5])
    rows *= 0.125 * 5**0.5 / np.linalg.norm(rows, axis=1, keepdims=True)
    np.testing.assert_allclose(found[:9].abs().numpy(), np.abs(rows), atol=1e-4)
    assert 0 < float(found[9].norm()) < 1.0


def test_dropout_keeps_the_mean_and_its_seed_decides() -> None:
    dropout, x = Dropout(0.25), torch.ones(200, 300)
    first, second = (dropout(x) for _ in range(2))
    assert not torch.equal(first, second)
    assert first.unique().tolist() == pytest.approx([0.0, 4 / 3])
    assert float(first.mean()) == pytest.approx(1.0, abs=0.02)
    dropout.seed(0)
    assert torch.equal(dropout(x), first)
    assert dropout.eval()(x) is x


def test_the_ndcg_of_early_stopping_by_hand() -> None:
    """User 0: item 2 is second behind 3, as 1 is in the history. User 1: item 0 is first."""
    histories = Histories(np.array([0, 2, 4]), np.array([1, 2, 3, 0], dtype=np.int32), 4)
    scores = torch.tensor([[0.0, 9.0, 1.0, 2.0], [3.0, 1.0, 2.0, 9.0]])
    assert ndcg_of_last(scores, histories) == pytest.approx((1 / np.log2(3) + 1) / 2)


def test_held_out_items_are_the_last_ones_of_some_users() -> None:
    histories = Histories(np.array([0, 2, 5, 9]), np.arange(9, dtype=np.int32), 9)
    assert sorted(choose_users(histories, np.random.default_rng(0))) == [
        1,
        2,
    ]  # a history keeps two items to learn from
    retained = without_last_of(histories, np.array([2, 0]))
    assert [retained.row(user).tolist() for user in range(3)] == [[0], [2, 3, 4], [5, 6, 7]]


def test_candidates_and_space_follow_the_length_of_histories_and_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, layers in (("gru4rec", 1), ("nextitnet", 2), ("sasrec", 1)):
        kind = model_class(name)
        found = kind.candidates(graph_of(cycle()))
        assert (found[0].max_length, found[0].dropout, found[0].num_layers) == (50, 0.3, layers)
        assert len(set(found)) == len(found) > 1
        names = {field.name for field in fields(kind.config_class)}
        assert kind.space(graph_of(cycle())).keys() <= names
    long = model_class("sasrec").candidates(graph_of(cycle(length=50)))[0]
    assert (long.max_length, long.dropout, long.num_layers) == (200, 0.1, 2)
    monkeypatch.setattr("graphrec.models.sequence_network.search_space.MAX_SEARCHED", 239)  # of 240 events
    assert len(model_class("sasrec").candidates(graph_of(cycle()))) == 1
    assert model_class("sasrec").space(graph_of(cycle())) == {}


class Killed(Exception):
    """Ends a training between two epochs."""


@pytest.mark.parametrize(("name", "settings"), [("sasrec", {"num_negatives": 5}), ("gru4rec", {"patience": 4})])
def test_a_killed_training_resumes_to_the_identical_result(name: str, settings: Settings, tmp_path: Path) -> None:
    def train(path: Path, death: int | None = None) -> SequenceNetworkModel[Any]:
        model: SequenceNetworkModel[Any] = make(name, **{**SMALL, "warmup_steps": 30, **settings})  # type: ignore[assignment]
        model.keep_checkpoints(Checkpoints(path))

        def progress(done: int, _total: int) -> None:
            if done == death:
                raise Killed

        model.fit(graph_of(cycle()), cycle(), np.random.default_rng(8), progress)
        return model

    whole = train(tmp_path / "whole.pt").state()
    with pytest.raises(Killed):
        train(tmp_path / "cut.pt", 2)
    resumed = train(tmp_path / "cut.pt").state()
    for key, value in whole.items():
        assert torch.equal(resumed[key], value), key


def test_a_checkpoint_of_other_times_is_refused(tmp_path: Path) -> None:
    """Times are the order, so the same pairs at other times are another training."""
    pairs = cycle()
    assert pairs.time is not None
    other = Interactions(pairs.user_index, pairs.item_index, 30, 12, time=pairs.time[::-1].copy())
    for data, message in ((pairs, ""), (other, "is of another training")):
        model = make("nextitnet", **SMALL)
        model.keep_checkpoints(Checkpoints(tmp_path / "a.pt"))
        if not message:
            model.fit(graph_of(data), data, np.random.default_rng(0))
            continue
        with pytest.raises(DataError, match=message):
            model.fit(graph_of(data), data, np.random.default_rng(0))


def test_patience_finds_the_number_of_epochs_of_a_second_training() -> None:
    """On all items, so every user has the state after their last one."""
    model = fitted("nextitnet", {"epochs": 30, "patience": 2, "learning_rate": 0.02})
    assert 1 <= len(model.losses) == model.config.stop_epoch < 30
    torch.testing.assert_close(model.score(np.arange(30)), model.fold_in_users(cycle(), Relations()))


def test_intermediate_evaluation_scores_with_current_parameters() -> None:
    model: SequenceNetworkModel[Any] = make("sasrec", **SMALL)  # type: ignore[assignment]
    seen: list[torch.Tensor] = []
    model.watch_training(EpochCallback(2, lambda _: seen.append(model.score(np.arange(30)))))
    model.fit(graph_of(cycle()), cycle(), np.random.default_rng(0))
    assert len(seen) == 1
    assert float((seen[0] - model.score(np.arange(30))).abs().max()) > 1e-3


def test_histories_of_one_item_are_nothing_to_learn_from() -> None:
    single = Interactions(np.arange(4), np.arange(4), 4, 4)
    with pytest.raises(DataError, match="sasrec: no history has two items, so there is no next item to learn"):
        make("sasrec").fit(graph_of(single), single, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("sasrec", {"num_heads": 3}, "sasrec: num_heads must divide embedding_dim 64, not 3"),
        ("gru4rec", {"cell": "rnn"}, "gru4rec: cell is one of gru, lstm, not 'rnn'"),
        ("gru4rec", {"hidden_dim": 0}, "gru4rec: hidden_dim is at least 1"),
        ("nextitnet", {"kernel_size": 1}, "nextitnet: kernel_size is at least 2"),
        ("sasrec", {"max_length": 0}, "sasrec: embedding_dim, num_layers, max_length, batch_size and epochs"),
        ("sasrec", {"dropout": 1.0}, "dropout and transition_decay are from 0 to below 1"),
        ("sasrec", {"loss": "bpr"}, "loss is one of softmax, gbce, not 'bpr'"),
        ("sasrec", {"loss": "gbce", "num_negatives": 0}, "gbce needs num_negatives of at least 1"),
        ("sasrec", {"learning_rate": 0.0}, "learning_rate and init_std are above 0"),
        ("sasrec", {"negative_exponent": -1.0}, "num_negatives, negative_exponent, warmup_steps, patience"),
        ("sasrec", {"warmup_steps": -1}, "warmup_steps, patience, final_rate and weight_decay are at least 0"),
    ],
)
def test_impossible_settings_are_refused(name: str, settings: Settings, message: str) -> None:
    with pytest.raises(DataError, match=message):
        make(name, **settings)
