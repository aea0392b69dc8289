"""fastrp: the powers against dense products, the typed graph, and vectors for others."""

from typing import ClassVar

import numpy as np
import pytest
import torch
from torch_geometric.data import HeteroData

from graphrec import hetero
from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.models.fastrp import FastRP, FastRPConfig, combine_powers, compute_powers, draw_projection, fastrp_vectors
from graphrec.models.typed_graph import typed_graph
from graphrec.testing import ModelContract, graph_of
from graphrec.vocabulary import Vocabulary


class TestFastRP(ModelContract):
    name = "fastrp"
    config: ClassVar[dict[str, object]] = {"embedding_dim": 128}


class TestFastRPWithDotProducts(ModelContract):
    name = "fastrp"
    config: ClassVar[dict[str, object]] = {"embedding_dim": 128, "cosine": False, "steps": "0.5 1 1"}


@pytest.fixture
def typed() -> HeteroGraph:
    """Two users, three items, two genres, a friendship, distrust, a tag; the last item has only a genre."""
    data = HeteroData()
    data["User"].num_nodes, data["Item"].num_nodes, data["Genre"].num_nodes = 2, 3, 2
    edges = {
        ("User", "RATED", "Item"): [[0, 1], [0, 1]],
        ("User", "TAGGED", "Item"): [[0, 0], [1, 1]],
        ("User", "TRUSTS", "User"): [[0, 1], [1, 0]],
        ("Item", "IN_GENRE", "Genre"): [[0, 2], [0, 0]],
    }
    for (source, relation, target), pairs in edges.items():
        data[source, relation, target].edge_index = torch.tensor(pairs)
        data[target, f"rev_{relation}", source].edge_index = torch.tensor(pairs).flip(0)
    data["User", "TRUSTS", "User"].value = torch.tensor([3.0, -2.0])
    data["User", "TAGGED", "Item"].tag = torch.tensor([0, 0])
    names = {"User": ["a", "b"], "Item": ["x", "y", "z"], "Genre": ["g", "h"], "TAGGED.tag": ["rock"]}
    return HeteroGraph(
        data, {label: Vocabulary.of(label, ids) for label, ids in names.items()}, ("User", "RATED", "Item")
    )


WEIGHTS = {"behaviour": 0.5, "social": 0.25, "attribute": 2.0, "item_relation": 1.0}


def test_the_typed_graph_by_hand(typed: HeteroGraph) -> None:
    """Nodes: a b | x y z | g h | rock."""
    whole = typed_graph(typed, hetero.interactions(typed), WEIGHTS)
    assert whole.start == {"User": 0, "Item": 2, "Genre": 5, "TAGGED.tag": 7}
    half = np.zeros((8, 8))
    half[0, 2] = half[1, 3] = 1.0  # RATED
    half[0, 3] = 0.5  # TAGGED, twice, counts once
    half[0, 1] = 0.25  # TRUSTS; the distrust is left out
    half[2, 5] = half[4, 5] = 2.0  # IN_GENRE
    half[0, 7] = half[3, 7] = 2.0  # the tag of a user and of an item
    np.testing.assert_array_equal(whole.adjacency.toarray(), half + half.T)


def test_relations_of_weight_zero_are_left_out(typed: HeteroGraph) -> None:
    whole = typed_graph(typed, hetero.interactions(typed), {"social": 1.0})
    assert whole.adjacency.nnz == 2 * 3
    assert whole.start == {"User": 0, "Item": 2, "Genre": 5}


def test_the_powers_equal_dense_products(typed: HeteroGraph) -> None:
    """E₀ = D^r R, then rows of D⁻¹A E scaled to length 1, then their weighted sum scaled to length 1."""
    config = FastRPConfig(embedding_dim=16, steps="0.5 0 2", own_weight=0.25, degree_exponent=-0.3)
    adjacency = typed_graph(typed, hetero.interactions(typed), WEIGHTS).adjacency
    powers = compute_powers(adjacency, config, np.random.default_rng(7), torch.device("cpu"))
    a = adjacency.toarray().astype(np.float64)
    degree = a.sum(1)
    known = degree > 0
    e = draw_projection(8, 16, np.random.default_rng(7)).numpy().astype(np.float64)
    e = np.where(known[:, None], e * np.where(known, degree, 1)[:, None] ** -0.3, 0)

    def unit(x: np.ndarray) -> np.ndarray:
        length = np.linalg.norm(x, axis=1, keepdims=True)
        return np.asarray(np.divide(x, length, out=np.zeros_like(x), where=length > 0))

    total = 0.25 * unit(e)
    for weight in (0.5, 0, 2):
        e = unit(np.divide(a, degree[:, None], out=np.zeros_like(a), where=known[:, None]) @ e)
        total += weight * e
    np.testing.assert_allclose(combine_powers(powers, config).numpy(), unit(total), atol=1e-5)


def test_the_projection_is_sparse_and_keeps_lengths() -> None:
    r = draw_projection(2000, 300, np.random.default_rng(0)).numpy()
    values, counts = np.unique(r, return_counts=True)
    np.testing.assert_allclose(values, [-(3**0.5), 0, 3**0.5], rtol=1e-6)
    np.testing.assert_allclose(counts / r.size, [1 / 6, 2 / 3, 1 / 6], atol=0.005)
    np.testing.assert_allclose((r**2).mean(), 1.0, atol=0.01)


def test_vectors_for_others_are_those_of_the_model(typed: HeteroGraph) -> None:
    config = FastRPConfig(embedding_dim=8)
    vectors = fastrp_vectors(typed, np.random.default_rng(3), config)
    assert {label: tuple(x.shape) for label, x in vectors.items()} == {
        "User": (2, 8),
        "Item": (3, 8),
        "Genre": (2, 8),
        "TAGGED.tag": (1, 8),
    }
    assert not vectors["Genre"][1].any()  # it has no edges
    assert vectors["Item"][2].any()  # an item with nothing but a genre
    model = FastRP(config)
    model.fit(typed, hetero.interactions(typed), np.random.default_rng(3))
    torch.testing.assert_close(model.embeddings().users, vectors["User"])
    torch.testing.assert_close(model.embeddings().items, vectors["Item"])


def test_dot_products_of_short_and_long_vectors_differ_from_cosines() -> None:
    pairs = Interactions(np.array([0, 0, 1]), np.array([0, 1, 1]), 2, 2)
    models = [FastRP(FastRPConfig(embedding_dim=32, cosine=cosine)) for cosine in (True, False)]
    for model in models:
        model.fit(graph_of(pairs), pairs, np.random.default_rng(0))
    cosine, dot = (model.embeddings() for model in models)
    torch.testing.assert_close(cosine.users.norm(dim=1), torch.ones(2))
    torch.testing.assert_close(torch.nn.functional.normalize(dot.users), cosine.users)
    assert bool((dot.users.norm(dim=1) > 1.01).any())


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"embedding_dim": 0}, "embedding_dim is at least 1"),
        ({"steps": "1, 2"}, "steps takes numbers such as `0 1 1`, not '1, 2'"),
        ({"steps": "0 0"}, "at least one of the steps has a weight above 0"),
        ({"social_weight": -1.0}, "weights must not be negative"),
    ],
)
def test_impossible_settings_are_refused(setting: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        FastRPConfig(**setting)  # type: ignore[arg-type]  # each case sets another field


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_gpu_gives_the_same_scores() -> None:
    pairs = Interactions(np.array([0, 0, 1]), np.array([0, 1, 1]), 2, 2)
    scores = []
    for device in ("cpu", "cuda"):
        model = FastRP(FastRPConfig(embedding_dim=32), device)
        model.fit(graph_of(pairs), pairs, np.random.default_rng(0))
        scores.append(model.score(np.arange(2)))
    assert scores[1].device.type == "cuda"
    torch.testing.assert_close(scores[1].cpu(), scores[0], atol=1e-5, rtol=0)
