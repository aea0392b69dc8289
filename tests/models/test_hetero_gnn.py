"""hetero_gnn: the contract, its layers against dense matrices, what each relation changes, and sampled batches."""

from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
import torch
import torch_geometric.typing
from torch import Tensor
from torch.nn.functional import gelu
from torch_geometric.data import HeteroData

from graphrec.errors import DataError, GraphrecError
from graphrec.hetero import HeteroGraph, interactions
from graphrec.interactions import Interactions
from graphrec.models.embedding import TrainingData
from graphrec.models.hetero_gnn.encoder import HeteroEncoder, flatten_parameters, init_embeddings, unflatten_parameters
from graphrec.models.hetero_gnn.layers import LAYERS, MeanConv
from graphrec.models.hetero_gnn.model import HeteroGNN, HeteroGNNConfig
from graphrec.models.hetero_gnn.neighbour_sampling import (
    Neighbourhood,
    Sampler,
    count_edges,
    edge_positions,
    mean_products,
)
from graphrec.models.vectors import fit_history_map
from graphrec.schema import Triple
from graphrec.testing import ModelContract, checkerboard, graph_of
from graphrec.training.batches import PairBatch, UserBatch
from graphrec.vocabulary import Vocabulary

CPU = torch.device("cpu")
SAMPLES = torch_geometric.typing.WITH_PYG_LIB or torch_geometric.typing.WITH_TORCH_SPARSE
DIM = 4


class TestHeteroGNN(ModelContract):
    name = "hetero_gnn"
    config: ClassVar[dict[str, object]] = {"epochs": 8, "embedding_dim": 8, "learning_rate": 0.02, "batch_size": 64}
    exact_fold_in = False


class TestHeteroGNNWithAttention(ModelContract):
    name = "hetero_gnn"
    config: ClassVar[dict[str, object]] = {**TestHeteroGNN.config, "layer": "hgt", "epochs": 4, "num_layers": 1}
    exact_fold_in = False


class TestHeteroGNNWithRelationalWeights(ModelContract):
    name = "hetero_gnn"
    config: ClassVar[dict[str, object]] = {**TestHeteroGNN.config, "layer": "rgcn", "epochs": 4, "negatives": "batch"}
    exact_fold_in = False


@pytest.fixture
def graph() -> HeteroGraph:
    """Four users, five films and two genres: user 3 has a friend alone, film 3 a genre alone, film 4 nothing."""
    data = HeteroData()
    for label, size in (("User", 4), ("Item", 5), ("Genre", 2)):
        data[label].num_nodes = size
    data["Item"].year = torch.tensor([1990, 1995, 2000, 2005, 2010])
    relations = {
        ("User", "RATED", "Item"): [[0, 0, 1, 2, 2], [0, 1, 1, 0, 2]],
        ("Item", "IN_GENRE", "Genre"): [[0, 1, 2, 3], [0, 1, 1, 1]],
        ("User", "FRIEND", "User"): [[0, 2], [1, 3]],
    }
    for (source, relation, target), ends in relations.items():
        data[source, relation, target].edge_index = torch.tensor(ends)
        data[target, f"rev_{relation}", source].edge_index = torch.tensor(ends).flip(0)
    ids = {
        label: Vocabulary(label, pd.Index([str(n) for n in range(data[label].num_nodes)])) for label in data.node_types
    }
    return HeteroGraph(data, ids, ("User", "RATED", "Item"))


def encoder(graph: HeteroGraph, layer: str, num_layers: int) -> HeteroEncoder:
    """One with features of three columns on films."""
    generator = torch.Generator().manual_seed(1)
    sizes = {label: int(graph.data[label].num_nodes) for label in graph.data.node_types}
    start = init_embeddings(sizes, (DIM, 1.0), {}, generator)
    features = {"Item": torch.randn(5, 3, generator=generator)}
    torch.manual_seed(0)
    network = HeteroEncoder(layer, num_layers, 2, graph.data.edge_types, start, features)
    assert not network.projection["Item"].weight.any()  # so that a warm start is not drowned
    torch.nn.init.normal_(network.projection["Item"].weight)
    return network


def dense_mean(graph: HeteroGraph, triple: Triple) -> Tensor:
    """[num_targets, num_sources], rows of sum one or zero."""
    source, target = graph.data[triple].edge_index
    matrix = torch.zeros(graph.data[triple[2]].num_nodes, graph.data[triple[0]].num_nodes)
    matrix[target, source] = 1.0
    return matrix / matrix.sum(1, keepdim=True).clamp(min=1)


def test_two_layers_of_sage_equal_the_dense_ones(graph: HeteroGraph) -> None:
    network = encoder(graph, "sage", 2)
    h = {label: network.embedding[label] for label in network.labels}
    h["Item"] = h["Item"] + network.features["Item"] @ network.projection["Item"].weight.T
    states = [h]
    layers: Any = network.layers  # PyG's own, without types
    for depth, layer in enumerate(layers):
        before = {label: gelu(x) if depth else x for label, x in h.items()}
        h = {label: torch.zeros_like(x) for label, x in h.items()}
        for triple in graph.data.edge_types:
            conv: MeanConv = layer.convs[triple]
            source, _, target = triple
            mean = dense_mean(graph, triple) @ before[source]
            h[target] = h[target] + conv.lin_l(mean) + before[target] @ conv.lin_r.weight.T
        states.append(h)
    for edges in (mean_products(graph, CPU), edge_positions(graph, CPU)):
        found = network(edges)
        for label in network.labels:
            expected = torch.stack([state[label] for state in states]).mean(0)
            torch.testing.assert_close(found[label], expected, atol=1e-5, rtol=1e-5)


def test_products_have_the_gradients_of_positions(graph: HeteroGraph) -> None:
    network = encoder(graph, "sage", 2)
    gradients = []
    for edges in (mean_products(graph, CPU), edge_positions(graph, CPU)):
        total = sum((x.square().sum() for x in network(edges).values()), start=torch.zeros(()))
        gradients.append(torch.cat([g.flatten() for g in torch.autograd.grad(total, list(network.parameters()))]))
    torch.testing.assert_close(gradients[0], gradients[1], atol=1e-4, rtol=1e-4)


def test_relational_weights_equal_the_dense_ones(graph: HeteroGraph) -> None:
    """x W₀ + b + Σ_r mean_r W_r, one W₀ for all node types."""
    network = encoder(graph, "rgcn", 1)
    layers: Any = network.layers  # PyG's own, without types
    first, conv = network.embed(), layers[0].conv
    found = network(edge_positions(graph, CPU))
    for label in network.labels:
        expected = first[label] @ conv.root + conv.bias
        for kind, triple in enumerate(graph.data.edge_types):
            if triple[2] == label:
                expected = expected + dense_mean(graph, triple) @ first[triple[0]] @ conv.weight[kind]
        torch.testing.assert_close(found[label], (first[label] + expected) / 2, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("layer", LAYERS)
def test_every_relation_changes_the_result(graph: HeteroGraph, layer: str) -> None:
    network, edges = encoder(graph, layer, 2), edge_positions(graph, CPU)
    whole = network(edges)
    assert {label: tuple(x.shape) for label, x in whole.items()} == {
        "User": (4, DIM),
        "Item": (5, DIM),
        "Genre": (2, DIM),
    }
    for triple in graph.data.edge_types:
        less = network({**edges, triple: edges[triple][:, :0]})
        assert float((less[triple[2]] - whole[triple[2]]).detach().abs().max()) > 1e-4, triple


def test_the_parts_of_a_flat_vector_are_the_parameters_again(graph: HeteroGraph) -> None:
    network = encoder(graph, "hgt", 1)
    found = unflatten_parameters(network, flatten_parameters(network))
    assert found.keys() == dict(network.named_parameters()).keys()
    assert all(torch.equal(found[name], parameter) for name, parameter in network.named_parameters())


def test_users_and_films_are_answered_from_whatever_edges_they_have(graph: HeteroGraph) -> None:
    model = HeteroGNN(HeteroGNNConfig(epochs=2, embedding_dim=DIM))
    model.fit(graph, interactions(graph), np.random.default_rng(0))
    assert bool((model.users.norm(dim=1) > 0.99).all())  # user 3 has a friend
    torch.testing.assert_close(model.items.norm(dim=1), torch.tensor([1.0, 1.0, 1.0, 1.0, 0.0]))


def test_training_changes_layers_and_vectors(graph: HeteroGraph) -> None:
    """All parameters move but those that reach neither users nor films: what genres are told in the last layer."""
    model = HeteroGNN(HeteroGNNConfig(embedding_dim=DIM, warm_start=False))
    training = training_data_of(graph)
    x = model.initial_parameters(training, np.random.default_rng(0)).requires_grad_()
    encode = model.build_encoder(training, x)
    batch = UserBatch(np.arange(3), training.matrix[:3])
    (gradient,) = torch.autograd.grad(model.loss(x, encode, batch, training, np.random.default_rng(0)), x)
    assert model._training_graph is not None
    gradients = unflatten_parameters(model._training_graph.network, gradient)
    still = [name for name, part in gradients.items() if not part.any()]
    assert still
    assert all(name.startswith("layers.1.") and "Genre" in name for name in still), still


def test_weight_decay_is_half_the_squared_parameters(graph: HeteroGraph) -> None:
    plain, decayed = (HeteroGNN(HeteroGNNConfig(embedding_dim=DIM, weight_decay=w)) for w in (0.0, 0.5))
    training, losses = training_data_of(graph), []
    for model in (plain, decayed):
        x = model.initial_parameters(training, np.random.default_rng(0))
        batch = next(iter(model.batches(training, np.random.default_rng(0))))
        losses.append(model.loss(x, model.build_encoder(training, x), batch, training, np.random.default_rng(0)))
    torch.testing.assert_close(losses[1] - losses[0], 0.25 * x.square().sum(), rtol=1e-4, atol=1e-5)


def training_data_of(graph: HeteroGraph) -> TrainingData:
    pairs = interactions(graph)
    return TrainingData(graph, pairs, pairs.matrix(), pairs.take(np.empty(0, dtype=np.int64)), CPU)


@pytest.mark.parametrize("loss", ["softmax", "bpr", "mse"])
def test_a_neighbourhood_that_holds_everything_has_the_loss_of_the_whole_graph(graph: HeteroGraph, loss: str) -> None:
    """As PyG's loader gives it, with the nodes of each type in another order."""
    negatives = "batch" if loss == "softmax" else "uniform"
    positive_temperature = 0.25 if loss == "softmax" else 0.0
    model = HeteroGNN(
        HeteroGNNConfig(embedding_dim=DIM, loss=loss, negatives=negatives, positive_temperature=positive_temperature)
    )
    training = training_data_of(graph)
    x = model.initial_parameters(training, np.random.default_rng(0))
    assert model._training_graph is not None
    sample, place = HeteroData(), {}
    for label in graph.data.node_types:
        order = torch.arange(int(graph.data[label].num_nodes)).flip(0)
        sample[label].n_id, place[label] = order, order.argsort()
    for source, relation, target in graph.data.edge_types:
        ends = graph.data[source, relation, target].edge_index
        sample[source, relation, target].edge_index = torch.stack([place[source][ends[0]], place[target][ends[1]]])
    user, item = np.array([0, 1, 2]), np.array([0, 1, 2])
    sample[graph.target].edge_label_index = torch.stack(
        [place[label][torch.from_numpy(index)] for label, index in (("User", user), ("Item", item))]
    )
    batch = Sampler(graph, 2, 10, 3, CPU)._build_neighbourhood(sample)
    np.testing.assert_array_equal(batch.user, user)
    np.testing.assert_array_equal(batch.positive, item)
    around = model.sampled_loss(x, batch, model._training_graph, training)
    negative = np.empty((3, 0), dtype=np.int64) if loss == "softmax" else np.array([[2], [0], [1]])  # the previous item
    whole = PairBatch(user, item, negative)
    expected = model.config.objective.value(model.build_encoder(training, x), whole, training.matrix)
    torch.testing.assert_close(around, expected)


@pytest.mark.skipif(not SAMPLES, reason="neither pyg-lib nor torch-sparse is installed")
def test_a_large_graph_is_trained_on_sampled_neighbourhoods() -> None:
    graph, train, _ = checkerboard()
    config = HeteroGNNConfig(full_graph_edges=10, num_neighbors=5, epochs=2, embedding_dim=8, batch_size=64)
    model = HeteroGNN(config)
    model.fit(graph, train, np.random.default_rng(0))
    batches = list(Sampler(graph, 2, 5, 64, CPU).batches(train.matrix(), np.random.default_rng(0)))
    assert all(isinstance(batch, Neighbourhood) for batch in batches)
    assert sorted(np.concatenate([batch.user for batch in batches])) == sorted(train.user_index)


@pytest.mark.skipif(SAMPLES, reason="pyg-lib or torch-sparse is installed")
def test_a_large_graph_without_a_sampler_says_what_to_install() -> None:
    graph, train, _ = checkerboard()
    assert count_edges(graph) == 2 * len(train) == 360
    with pytest.raises(GraphrecError, match="360 edges, more than the 10 of full_graph_edges, .* install pyg-lib"):
        HeteroGNN(HeteroGNNConfig(full_graph_edges=10)).fit(graph, train, np.random.default_rng(0))


def test_new_users_are_placed_by_the_map_of_least_squares() -> None:
    """Users that are twice the mean of their items give the map 2 · I, up to the ridge."""
    pairs = Interactions(np.array([0, 0, 1, 2]), np.array([0, 1, 2, 0]), 4, 3)
    items = torch.eye(3)
    means = torch.tensor([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    found = fit_history_map(pairs.matrix(), 2 * means, items)
    normal = means.T @ means
    expected = torch.linalg.inv(normal + 0.01 * normal.diagonal().mean() * torch.eye(3)) @ normal * 2
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"layer": "gat"}, "there is no layer 'gat'; use one of sage, hgt, rgcn"),
        ({"heads": 3}, "embedding_dim is a multiple of heads"),
        ({"num_layers": 0}, "num_layers, heads and num_neighbors are at least 1"),
        ({"full_graph_edges": -1}, "full_graph_edges is at least 0"),
        ({"loss": "hinge"}, "loss is one of"),
    ],
)
def test_an_impossible_setting_is_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        HeteroGNNConfig(**settings)  # type: ignore[arg-type]  # that is the point


def test_nothing_to_learn_from_is_an_error() -> None:
    none = Interactions(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), 2, 2)
    with pytest.raises(DataError, match="no interactions to learn from"):
        HeteroGNN(HeteroGNNConfig()).fit(graph_of(none), none, np.random.default_rng(0))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("layer", LAYERS)
def test_it_runs_on_a_gpu(graph: HeteroGraph, layer: str) -> None:
    model = HeteroGNN(HeteroGNNConfig(epochs=2, embedding_dim=DIM, layer=layer), "cuda")
    model.fit(graph, interactions(graph), np.random.default_rng(0))
    assert model.score(np.arange(4)).device.type == "cuda"
    assert bool(model.fold_in(interactions(graph).matrix()).isfinite().all())
