"""sequence_filter scores next items by the formula of docs/methods.md, exactly for any user and any route."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import sparse

from graphrec.errors import DataError, GraphrecError
from graphrec.explanation.explain import explain
from graphrec.explanation.text import as_sentence
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.models.sequence_filter import SequenceFilter, search_space
from graphrec.models.sequence_filter.config import SequenceFilterConfig
from graphrec.relations import Relations, build_relations
from graphrec.runs import TrainedRun, describe
from graphrec.testing import ModelContract, checkerboard, graph_of


class TestSequenceFilter(ModelContract):
    name = "sequence_filter"


def build_sequences(rows: list[list[int]], num_items: int, step: int = 86_400) -> tuple[HeteroGraph, Interactions]:
    """Histories with one event each `step` seconds."""
    users = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    times = np.concatenate([np.arange(len(row)) for row in rows]) * step
    items = np.concatenate([np.array(row, dtype=np.int64) for row in rows])
    found = Interactions(users, items, len(rows), num_items, time=times)
    graph = graph_of(found)
    graph.data[graph.target].timestamp = torch.from_numpy(found.time)
    return graph, found


def fit(graph: HeteroGraph, found: Interactions, **settings: object) -> SequenceFilter:
    model = SequenceFilter(SequenceFilterConfig(**settings))  # type: ignore[arg-type]  # any settings
    model.fit(graph, found, np.random.default_rng(0))
    return model


def test_three_users_by_hand() -> None:
    """Users a: 0 1 2, b: 0 2, c: 1 2 3 with σ = ½, θ = ¼, ρ = ½, a = b = 0: C[0, 1] = 1, C[0, 2] = ½ + 1,
    C[1, 2] = 2, C[1, 3] = ½, C[2, 3] = 1."""
    graph, found = build_sequences([[0, 1, 2], [0, 2], [1, 2, 3]], 4)
    model = fit(graph, found, decay=0.5, backward=0.25, source_exponent=0.0, target_exponent=0.0)
    expected = [
        # ¼ M[0] + ½ M[1] + M[2] with M = C + ¼ Cᵀ
        [0.5 * 0.25 + 1.5 / 4, 0.25 * 1 + 2.0 / 4, 0.25 * 1.5 + 0.5 * 2, 0.5 * 0.5 + 1],
        [1.5 / 4, 0.5 * 1 + 2.0 / 4, 0.5 * 1.5, 1],
        [0.25 * 0.25 + 0.5 * 1.5 / 4, 0.5 * 2.0 / 4 + 0.5 / 4, 0.25 * 2 + 1.0 / 4, 0.25 * 0.5 + 0.5 * 1],
    ]
    np.testing.assert_allclose(model.score(np.arange(3)).numpy(), expected, rtol=1e-6)


def random_sequences(rng: np.random.Generator, users: int = 30, items: int = 12) -> tuple[HeteroGraph, Interactions]:
    rows = [rng.integers(items, size=rng.integers(2, 12)).tolist() for _ in range(users)]
    return build_sequences(rows, items)


def dense_memory(items: list[int], decays: list[float], num_items: int) -> np.ndarray[tuple[int, int]]:
    x = np.zeros((len(decays), num_items))
    for back, item in enumerate(reversed(items)):
        x[:, item] += np.array(decays) ** back
    return x


def test_scores_equal_dense_transitions() -> None:
    rng = np.random.default_rng(3)
    graph, found = random_sequences(rng)
    c = SequenceFilterConfig("0.7 0.2", 0.8, 0.4, 4, 0.6, 0.2, 3.0)
    model = SequenceFilter(c)
    model.fit(graph, found, rng)
    counts, rows = np.zeros((12, 12)), [found.item_index[found.user_index == u].tolist() for u in range(30)]
    for row in rows:
        for p in range(len(row)):
            for q in range(p + 1, min(len(row), p + 5)):
                counts[row[p], row[q]] += 0.8 ** (q - p - 1)
    degree = np.maximum(found.item_degree(), 1) + 3.0
    kernel = degree[:, None] ** -0.6 * (counts + 0.4 * counts.T) * degree**-0.2
    expected = [dense_memory(row, [0.7, 0.2], 12).mean(0) @ kernel for row in rows]
    np.testing.assert_allclose(model.score(np.arange(30)).numpy(), expected, rtol=1e-4)
    np.testing.assert_allclose(model.score(np.array([4])).numpy(), [expected[4]], rtol=1e-4)


def test_scores_equal_a_dense_ridge() -> None:
    rng = np.random.default_rng(4)
    graph, found = random_sequences(rng)
    decays = [0.3, 0.9]
    settings = {"memories": "0.3 0.9", "decay": 0.4, "ridge": 5.0, "target_exponent": 0.2, "degree_offset": 1.0}
    model = fit(graph, found, **settings)
    rows = [found.item_index[found.user_index == u].tolist() for u in range(30)]
    inputs, targets = [], []
    for row in rows:
        for t in range(1, len(row)):
            y = np.zeros(12)
            for later, item in enumerate(row[t:]):
                y[item] += 0.4**later
            inputs.append(dense_memory(row[:t], decays, 12).ravel())
            targets.append(y)
    x, y = np.array(inputs), np.array(targets)
    degree = np.maximum(found.item_degree(), 1) + 1.0
    penalty = np.tile(5.0 * (degree / degree.mean()) ** 0.25, 2)
    weights = np.linalg.solve(x.T @ x + np.diag(penalty), x.T @ y) * degree**-0.2
    expected = np.stack([dense_memory(row, decays, 12).ravel() for row in rows]) @ weights
    np.testing.assert_allclose(model.score(np.arange(30)).numpy(), expected, atol=2e-4)


def test_a_large_ridge_tends_to_the_transitions_of_its_memory() -> None:
    """λ (B D^-b) → D^-1 C D^-b: the kernel with a = 1 whose gaps decay as the memory and the targets do."""
    graph, found = random_sequences(np.random.default_rng(5))
    settings = {"memories": "0.0", "decay": 0.6, "degree_offset": 2.0, "target_exponent": 0.2}
    kernel = fit(graph, found, backward=0.0, source_exponent=1.0, **settings)
    ridge = fit(graph, found, ridge=1e7, ridge_exponent=1.0, **settings)
    ours, theirs = ridge.score(np.arange(30)), kernel.score(np.arange(30))
    torch.testing.assert_close(ours / ours.max(), theirs / theirs.max(), rtol=1e-3, atol=1e-5)


def test_a_live_history_is_folded_in_exactly() -> None:
    rng = np.random.default_rng(6)
    graph, found = random_sequences(rng)
    for settings in ({}, {"half_life": 2.0, "transition_half_life": 3.0}, {"memories": "0.2 0.9", "ridge": 3.0}):
        model = fit(graph, found, **settings)
        shuffled = found.take(rng.permutation(len(found)))  # times, not places, are the order
        torch.testing.assert_close(model.fold_in_users(shuffled, Relations()), model.score(np.arange(30)))
        one = found.take(found.user_index == 7)
        one = replace(one, user_index=np.zeros_like(one.user_index), num_users=1)
        torch.testing.assert_close(model.fold_in_users(one, Relations())[0], model.score(np.array([7]))[0])


def test_a_history_without_order_has_the_mean_over_all_orders() -> None:
    graph, found = build_sequences([[0, 1, 2], [1, 2, 3], [3, 0, 1]], 4)
    model = fit(graph, found, memories="0.5")
    matrix = sparse.csr_array(([1.0, 1.0], ([0, 0], [0, 3])), shape=(1, 4))
    orders = [
        Interactions(np.zeros(2, dtype=np.int64), np.array(order), 1, 4, time=np.arange(2))
        for order in ([0, 3], [3, 0])
    ]
    expected = sum(model.fold_in_users(order, Relations()) for order in orders) / 2
    torch.testing.assert_close(model.fold_in(matrix), expected)


def test_half_lives_of_a_day_halve_the_weight_of_each_day() -> None:
    """With an event a day, a half-life of h days is a decay of ½^(1/h) for each step."""
    graph, found = random_sequences(np.random.default_rng(7))
    by_time = fit(graph, found, memories="1.0", decay=1.0, half_life=1.0, transition_half_life=2.0)
    by_step = fit(graph, found, memories="0.5", decay=0.5**0.5)
    ours, theirs = by_time.score(np.arange(30)), by_step.score(np.arange(30)) * 0.5**0.5
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


def fit_with_relations(**settings: object) -> tuple[SequenceFilter, HeteroGraph, Interactions]:
    graph, found = random_sequences(np.random.default_rng(8))
    graph = HeteroGraph(graph.data, {**graph.vocabularies, "Genre": graph.items}, graph.target)
    user, _, item = graph.target
    views = graph.data[user, "VIEWED", item]
    views.edge_index = torch.tensor([[0, 0, 1, 2, 3], [5, 1, 2, 3, 4]])
    views.timestamp = torch.tensor([3, 90_000, 5, 100_000, 7])
    items = torch.arange(found.num_items)
    graph.data["Genre"].num_nodes = 3
    graph.data[item, "IN", "Genre"].edge_index = torch.stack([items, items % 3])
    graph.data[item, "ALSO", item].edge_index = torch.tensor([[0, 2], [1, 3]])
    graph.data[user, "FOLLOWS", user].edge_index = torch.tensor([[0, 0, 4], [1, 2, 5]])
    return fit(graph, found, social_weight=0.3, **settings), graph, found


def test_users_with_relations_are_folded_in_exactly() -> None:
    model, graph, found = fit_with_relations(half_life=5.0)
    torch.testing.assert_close(model.fold_in_users(found, build_relations(graph)), model.score(np.arange(30)))


@pytest.mark.parametrize(
    "settings", [{}, {"half_life": 5.0, "transition_half_life": 3.0}, {"ridge": 4.0, "transition_weight": 0.5}]
)
def test_contributions_add_up_to_the_score(settings: dict[str, float]) -> None:
    model, _, _ = fit_with_relations(**settings)
    scores = model.score(np.arange(30)).double().numpy()
    for user, item in ((0, 4), (0, 5), (4, 1), (17, 3)):
        parts = model.explain_score(user, item)
        assert parts.amount.sum() == pytest.approx(scores[user, item], abs=1e-5)
        walks = model.explain_paths(user, item)
        if "ridge" in settings:
            assert walks is None
        else:
            assert walks is not None
            assert float((walks.starts.carried @ walks.total).sum()) == pytest.approx(scores[user, item], abs=1e-5)
    assert {"history", "FOLLOWS"} <= {name for user in (0, 4) for name in model.explain_score(user, 3).origin}
    assert {"users", "IN", "ALSO"} <= {name for item in range(12) for name in model.explain_score(0, item).via}


def test_walks_lead_over_the_users_who_made_the_transition() -> None:
    graph, found = build_sequences([[0], [0, 1], [0, 2, 1], [1, 0], [2, 1]], 3)
    model = fit(graph, found, decay=0.5, backward=0.25, source_exponent=0.0, target_exponent=0.0)
    walks = model.explain_paths(0, 1)
    assert walks is not None
    shares = dict(zip(walks.ends.value.tolist(), walks.ends.amount.toarray().ravel().tolist(), strict=True))
    assert shares == pytest.approx({1: 1.0, 2: 0.5, 3: 0.25})


def test_the_strongest_reason_is_the_largest_contribution() -> None:
    model, _, _ = fit_with_relations()
    items = np.arange(12)
    found = model.top_reason_finder()(0, items)
    for item, relation, node in zip(items.tolist(), found.relation, found.node.tolist(), strict=True):
        parts = model.explain_score(0, item)
        sums: dict[tuple[str, int], float] = {}
        for origin, place, amount in zip(parts.origin, parts.node.tolist(), parts.amount.tolist(), strict=True):
            sums[origin, place] = sums.get((origin, place), 0.0) + amount
        assert sums[relation, node] == pytest.approx(max(sums.values()), rel=1e-5)


def test_views_with_times_are_part_of_the_history() -> None:
    model, _, _ = fit_with_relations()
    assert model.counts_behaviour("VIEWED")
    assert not fit_with_relations(weights="VIEWED=0")[0].counts_behaviour("VIEWED")
    user, _ = model.explain_score(0, 4).by_node()
    assert {5, 1} <= set(user.tolist())


def test_a_variant_is_the_model_fitted_with_its_settings() -> None:
    model, graph, found = fit_with_relations()
    for change in ({"backward": 0.7}, {"ridge": 2.0, "decay": 0.5}, {"onward": 0.0, "attribute_weight": 0.9}):
        config = replace(model.config, **change)  # type: ignore[arg-type]  # any settings
        variant = model.variant(config)
        assert variant is not None
        fitted = SequenceFilter(config)
        fitted.fit(graph, found, np.random.default_rng(0))
        torch.testing.assert_close(variant.score(np.arange(30)), fitted.score(np.arange(30)))
    assert model.variant(replace(model.config, behaviour_weight=0.5)) is None
    assert model.nbytes > 0
    model.forget_variants()
    assert model.variant(model.config) is None


def test_an_explanation_says_who_went_on_and_how_many_steps_ago() -> None:
    graph, found = build_sequences([[0, 2], [0, 1], [0, 1], [1, 0]], 3)
    model = fit(graph, found)
    run = TrainedRun(describe("sequence_filter", model, graph.target, {}, 0.0), model, graph.users, graph.items, found)
    sentence = as_sentence(explain(run, "u0", "i1"))
    assert sentence == "Because you bought Item i0 (100 %, 2 steps ago), and 2 users went from Item i0 to Item i1."


def test_the_search_tries_what_the_graph_has() -> None:
    rng = np.random.default_rng(9)
    dense, _ = build_sequences([rng.permutation(12)[:11].tolist() for _ in range(60)], 12)
    assert SequenceFilter.candidates(dense)[0].ridge > 0
    assert "transition_weight" in SequenceFilter.space(dense)
    sparse, _ = random_sequences(rng)
    assert all(config.ridge == 0 for config in SequenceFilter.candidates(sparse))
    assert not {"ridge", "onward", "social_weight"} & SequenceFilter.space(sparse).keys()
    _, related, _ = fit_with_relations()
    names = {
        "attribute_weights.IN",
        "item_relation_weights.ALSO",
        "weights.VIEWED",
        "onward",
        "social_weight",
        "half_life",
    }
    assert names <= SequenceFilter.space(related).keys()
    untimed, _, _ = checkerboard()
    assert "half_life" not in SequenceFilter.space(untimed)
    positions, _ = build_sequences([[0, 1, 2], [2, 1]], 3, step=1)
    assert "half_life" not in SequenceFilter.space(positions)


def test_many_events_of_a_dense_graph_have_few_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ridge with its changes, and the default of the sparse transitions."""
    rng = np.random.default_rng(9)
    dense, _ = build_sequences([rng.permutation(12)[:11].tolist() for _ in range(60)], 12)
    number = len(SequenceFilter.candidates(dense))
    monkeypatch.setattr(search_space, "MANY_EVENTS", 600)
    few = SequenceFilter.candidates(dense)
    assert len(few) < number
    assert [config.ridge > 0 for config in few] == [True, True, True, True, False]


def test_memories_of_candidates_are_in_the_space() -> None:
    """A search moves a text outside of the space to the first one, which may be far away."""
    rng = np.random.default_rng(9)
    dense, _ = build_sequences([rng.permutation(12)[:11].tolist() for _ in range(60)], 12)
    for graph in (dense, random_sequences(rng)[0]):
        memories = SequenceFilter.space(graph)["memories"]
        assert isinstance(memories, tuple)
        assert {config.memories for config in SequenceFilter.candidates(graph)} <= set(memories)


def test_a_behaviour_that_training_did_not_have_counts_nothing_in_fold_in() -> None:
    graph, found = build_sequences([[0, 1, 2], [1, 2, 0]], 4)
    model = fit(graph, found)
    liked = Interactions(np.array([0, 1]), np.array([3, 1]), 2, 4, time=np.array([5, 6]))
    with_it = model.fold_in_users(found, Relations({"LIKED": liked}, {}, {}, {}, {}))
    assert torch.equal(with_it, model.fold_in_users(found, Relations({}, {}, {}, {}, {})))


def test_a_ridge_needs_times() -> None:
    graph, train, _ = checkerboard()
    with pytest.raises(DataError, match="needs the times"):
        fit(graph, train, ridge=10.0)


def test_a_ridge_that_is_too_small_says_what_to_do() -> None:
    graph, found = build_sequences([[0, 0, 1], [0, 0, 2]], 5)
    with pytest.raises(GraphrecError, match="needs a ridge above 1e-30"):
        fit(graph, found, ridge=1e-30, memories="1.0 1.0")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"memories": "0.5 often"}, "memories takes numbers"),
        ({"memories": "1.5"}, "from 0 to 1"),
        ({"memories": ""}, "from 0 to 1"),
        ({"decay": 1.0, "ridge": 1.0}, "below 1 with a ridge"),
        ({"window": 0}, "at least 1"),
        ({"onward": -1.0}, "onward must not be negative"),
        ({"ridge": float("nan")}, "ridge must be a finite number"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        SequenceFilterConfig(**settings)  # type: ignore[arg-type]  # wrong on purpose
