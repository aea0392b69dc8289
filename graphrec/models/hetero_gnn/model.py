"""A graph neural network over all node and edge types of the property graph, with PyG's own layers."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor
from torch.func import functional_call

from graphrec.errors import DataError
from graphrec.features import node_features
from graphrec.hetero import HeteroGraph
from graphrec.linalg.autograd import normalised
from graphrec.linalg.csr import csr_tensor
from graphrec.models.base import Range, Space
from graphrec.models.embedding import EmbeddingModel, TrainingData
from graphrec.models.embedding_config import EmbeddingConfig
from graphrec.models.hetero_gnn.encoder import HeteroEncoder, flat, parts, start_vectors
from graphrec.models.hetero_gnn.layers import LAYERS, Edges, Nodes
from graphrec.models.hetero_gnn.neighbour_sampling import (
    Neighbourhood,
    Sampler,
    check_sampler,
    connected,
    edge_types,
    num_edges,
    positions,
    products,
)
from graphrec.models.spectral_init import spectral_start
from graphrec.train_view import restrict
from graphrec.training.losses import bpr_loss, in_batch_softmax_loss
from graphrec.training.objectives import Batch, Encode
from graphrec.vocabulary import IndexArray

#: Ridge of the map for new users, as a share of the mean eigenvalue of its normal matrix.
RIDGE = 1e-2


@dataclass(frozen=True)
class HeteroGNNConfig(EmbeddingConfig):
    """Settings of hetero_gnn.

    layer: sage (means of neighbours), rgcn (means with weights for each edge type) or hgt (attention).
    num_layers: how many edges far a node sees.
    heads: of the attention of hgt; embedding_dim is a multiple of it.
    features: whether numbers, times, categories and degrees of the nodes are read beside the learned vectors.
    embedding_dim: length of the vectors.
    warm_start: whether users and items begin with the leading singular vectors of the interactions.
    init_std: standard deviation of the initial vectors.
    loss: softmax, bpr or mse.
    negatives: of softmax: all items, the items of the batch, or uniform ones shared by the batch.
    num_negatives: uniform negatives, of each interaction for bpr and mse, of a batch for softmax.
    temperature: scores are divided by it in the softmax.
    cosine: scores are cosines instead of dot products.
    correction: whether the softmax over a sample estimates that over all items (log Q).
    learning_rate: of Adam, in the first epoch.
    final_rate: what is left of it in the last epoch.
    weight_decay: weight of the squared parameters, vectors and layers alike.
    batch_size: interactions in one step.
    epochs: passes over all interactions, at most.
    patience: 0 trains all epochs; n > 0 holds a twentieth of the interactions out and stops when their recall@20
        has not improved in n measures, five epochs apart.
    full_graph_edges: a graph with more edges, counted in both directions, is trained on sampled neighbourhoods, where
        negatives are the items of the batch.
    num_neighbors: edges of each type that a node of a sampled neighbourhood keeps in each layer.
    """

    embedding_dim: int = 128
    layer: str = "sage"
    num_layers: int = 2
    heads: int = 2
    features: bool = True
    warm_start: bool = True
    loss: str = "softmax"
    negatives: str = "all"
    temperature: float = 0.2
    cosine: bool = True
    learning_rate: float = 0.002
    final_rate: float = 0.1
    weight_decay: float = 0.0
    epochs: int = 20
    full_graph_edges: int = 4_000_000
    num_neighbors: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.layer not in LAYERS:
            raise DataError(f"hetero_gnn: there is no layer '{self.layer}'; take one of {', '.join(LAYERS)}")
        if min(self.num_layers, self.heads, self.num_neighbors) < 1 or self.embedding_dim % self.heads:
            raise DataError(
                "hetero_gnn: num_layers, heads and num_neighbors are at least 1, "
                "and embedding_dim is a multiple of heads"
            )
        if self.full_graph_edges < 0:
            raise DataError("hetero_gnn: full_graph_edges is not negative")


@dataclass(frozen=True, eq=False)
class Setting:
    """What one training works on: the graph that it may see, its edges, and the encoder."""

    graph: HeteroGraph
    edges: Edges
    network: HeteroEncoder


class HeteroGNN(EmbeddingModel[HeteroGNNConfig]):
    """score(u, i) = z_u · z_i with z the mean of a node's own vector and its states after each layer.

    A node's own vector is learned, plus a projection of its features. All edge types of the graph are passed over in
    both directions, the target behaviour among them. A node without any edge gets the vector 0: nothing is known of
    it; one without interactions but with other edges (a new film with its genres) is answered from those.
    A new user is placed by the mean of their items' vectors and the linear map that places training users best.

    The parameters x of a training are those of the encoder one after the other, [number of parameters].
    """

    config_class = HeteroGNNConfig

    def __init__(self, config: HeteroGNNConfig, device: torch.device | str = "cpu") -> None:
        super().__init__(config, device)
        self._setting: Setting | None = None  # from the start of a fit to its end

    def setting(self, training: TrainingData, rng: np.random.Generator) -> Setting:
        """The graph, the edges and an encoder that is not trained yet, on this model's device.

        Raises GraphrecError where the graph needs sampled neighbourhoods and nothing is installed that samples.
        """
        graph = restrict(training.graph, training.interactions)
        if num_edges(graph) > self.config.full_graph_edges:
            check_sampler(num_edges(graph), self.config.full_graph_edges)
        # means are products, which are fast; the other layers need the positions of edges
        edges = (products if self.config.layer == "sage" else positions)(graph, self.device)
        return Setting(graph, edges, self._network(graph, training, rng))

    def initial_parameters(self, training: TrainingData, rng: np.random.Generator) -> Tensor:
        """The parameters x of a new encoder."""
        self._setting = self.setting(training, rng)
        return flat(self._setting.network)

    def build_encoder(self, training: TrainingData, x: Tensor) -> Encode:
        """Runs the encoder with the parameters x amid all edges; users first, then items."""
        setting = self._setting or self.setting(training, np.random.default_rng(0))
        user, _, item = setting.graph.target

        def encode(rows: IndexArray | None) -> Tensor:
            found = functional_call(setting.network, parts(setting.network, x), (setting.edges,))
            vectors = torch.cat([found[user], found[item]])  # [num_nodes, dim]
            return vectors if rows is None else vectors[torch.from_numpy(rows).to(vectors.device)]

        return encode

    def batches(self, training: TrainingData, rng: np.random.Generator) -> Iterator[Batch]:
        """The batches of one epoch; amid sampled neighbourhoods where the graph is large."""
        c, setting = self.config, self._setting
        if setting is None or num_edges(setting.graph) <= c.full_graph_edges:
            return super().batches(training, rng)
        sampler = Sampler(setting.graph, c.num_layers, c.num_neighbors, c.batch_size, self.device)
        return sampler.batches(training.matrix, rng)

    def loss(
        self,
        x: Tensor,
        encode: Encode,
        batch: Batch,
        training: TrainingData,
        rng: np.random.Generator,  # noqa: ARG002  # for losses that draw noise
    ) -> Tensor:
        """The objective of a batch plus weight_decay/2 · |x|²."""
        if isinstance(batch, Neighbourhood) and self._setting is not None:
            value = self.sampled_loss(x, batch, self._setting, training)
        else:
            value = self.config.objective.value(encode, batch, training.matrix)
        return value + self.config.weight_decay / 2 * x.square().sum() if self.config.weight_decay else value

    def sampled_loss(self, x: Tensor, batch: Neighbourhood, setting: Setting, training: TrainingData) -> Tensor:
        """The loss of a batch amid its neighbourhood; the negatives are the batch's own items, for bpr the next one."""
        c, (user, _, item) = self.config, setting.graph.target
        found = functional_call(setting.network, parts(setting.network, x), (batch.edges, batch.rows))
        users, items = (
            c.objective.scaled(found[label][row]) for label, row in zip((user, item), batch.local, strict=True)
        )
        if c.loss != "softmax":
            return bpr_loss((users * items).sum(1), (users * items.roll(1, 0)).sum(1))
        count = np.bincount(training.matrix.indices, minlength=training.matrix.shape[1])[batch.positive]
        log_q = torch.from_numpy(np.log(count * (len(count) / training.matrix.nnz)).astype(np.float32)).to(x.device)
        chosen = torch.from_numpy(batch.positive).to(x.device)
        return in_batch_softmax_loss(users, items, chosen, c.temperature, log_q if c.correction else None)

    def finish(self, x: Tensor, encode: Encode, training: TrainingData) -> None:  # noqa: ARG002  # encode knows x
        """Keep the vectors of all nodes that have an edge, and what an item sends to a new user."""
        graph = restrict(training.graph, training.interactions)
        there = torch.cat([connected(graph, label) for label in graph.target[::2]]).to(self.device)
        with torch.no_grad():
            vectors = self.config.objective.scaled(encode(None)) * there.unsqueeze(1)
            self.users, self.items = (part.clone() for part in torch.split(vectors, list(training.matrix.shape)))
            self.incoming = self.items @ fit_history_map(training.matrix, self.users, self.items)
        self._setting = None

    @classmethod
    def space(cls, graph: HeteroGraph) -> Space:  # noqa: ARG003  # the same for every graph
        """Layers, depth, size, temperature, rate and length of training."""
        return {
            "layer": ("sage", "rgcn"),
            "num_layers": (1, 2, 3),
            "features": (True, False),
            "embedding_dim": (64, 128, 256),
            "temperature": Range(0.1, 0.4, log=True),
            "learning_rate": Range(0.0005, 0.01, log=True),
            "epochs": Range(5, 40),
        }

    def _network(self, graph: HeteroGraph, training: TrainingData, rng: np.random.Generator) -> HeteroEncoder:
        c, seed = self.config, int(rng.integers(1 << 62))
        sizes = {label: int(graph.data[label].num_nodes) for label in graph.data.node_types}
        known: Nodes = {}
        if c.warm_start:
            found = spectral_start(training.matrix, c.embedding_dim, c.init_std, rng)
            known = dict(zip(graph.target[::2], torch.split(found, list(training.matrix.shape)), strict=True))
        features = {label: node_features(graph, label, rng) for label in sizes if c.features}
        there = {label: block.to(self.device) for label, block in features.items() if block is not None}
        generator = torch.Generator().manual_seed(seed)
        start = start_vectors(sizes, (c.embedding_dim, c.init_std), known, generator)
        with torch.random.fork_rng(devices=[]):  # PyG's layers draw their weights from torch's own generator alone
            torch.manual_seed(seed)
            network = HeteroEncoder(c.layer, c.num_layers, c.heads, edge_types(graph), start, there)
        return network.to(self.device)


def fit_history_map(history: sparse.csr_array, users: Tensor, items: Tensor) -> Tensor:
    """W [dim, dim] that maps the mean item vectors of histories [num_users, num_items] nearest to the trained users:
    the ridge solution of |M W − users|² over the users with a history."""
    known = torch.from_numpy(np.diff(history.indptr) > 0).to(users.device)
    means = (csr_tensor(normalised(history, 1.0, 0.0)).to(items.device) @ items)[known]  # [users known, dim]
    normal = means.T @ means
    ridge = RIDGE * normal.diagonal().mean().clamp(min=1e-12)
    identity = torch.eye(len(normal), device=users.device)
    found: Tensor = torch.linalg.solve(normal + ridge * identity, means.T @ users[known])
    return found
