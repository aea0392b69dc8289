"""hetero_gnn: a graph neural network over all node and edge types of the property graph, with PyG's layers."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call

from graphrec.errors import DataError
from graphrec.features import node_features
from graphrec.hetero import HeteroGraph
from graphrec.models.base import Range, Space
from graphrec.models.embedding import EmbeddingModel, TrainingData
from graphrec.models.embedding_config import EmbeddingConfig
from graphrec.models.hetero_gnn.encoder import HeteroEncoder, flatten_parameters, init_embeddings, unflatten_parameters
from graphrec.models.hetero_gnn.layers import LAYERS, Edges, Nodes
from graphrec.models.hetero_gnn.neighbour_sampling import (
    Neighbourhood,
    Sampler,
    check_sampler,
    count_edges,
    edge_positions,
    list_edge_types,
    mask_connected,
    mean_products,
)
from graphrec.models.spectral_init import compute_spectral_init
from graphrec.models.vectors import fit_history_map
from graphrec.train_view import restrict
from graphrec.training.losses import in_batch_softmax_loss
from graphrec.training.objectives import Batch, Encode
from graphrec.vocabulary import IndexArray


@dataclass(frozen=True)
class HeteroGNNConfig(EmbeddingConfig):
    """Settings of hetero_gnn, besides those that `EmbeddingConfig` describes.

    layer: sage (means of neighbours), rgcn (means with weights per edge type) or hgt (attention).
    num_layers: L, number of layers, at least 1; a node receives messages from nodes up to L edges away.
    heads: number of attention heads of hgt, at least 1; embedding_dim is a multiple of it.
    features: whether numbers, times, categories and degrees of nodes are used besides the learned embeddings.
    warm_start: whether the embeddings of users and items start from the leading singular vectors of the interactions.
    init_std: standard deviation of the other initial embeddings, above 0.
    batch_size: number of interactions per step, at most a sixteenth of all on the whole graph.
    full_graph_edges: maximum number of edges, counting both directions, of a graph that each step passes as a whole;
        larger graphs are trained on sampled neighbourhoods, with the items of the batch as negatives.
    num_neighbors: maximum number of edges of each type that a sampled node keeps in each layer, at least 1.
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
            raise DataError(f"hetero_gnn: there is no layer '{self.layer}'; use one of {', '.join(LAYERS)}")
        if min(self.num_layers, self.heads, self.num_neighbors) < 1 or self.embedding_dim % self.heads:
            raise DataError(
                "hetero_gnn: num_layers, heads and num_neighbors are at least 1, "
                "and embedding_dim is a multiple of heads"
            )
        if self.full_graph_edges < 0:
            raise DataError("hetero_gnn: full_graph_edges is at least 0")


@dataclass(frozen=True, eq=False)
class TrainingGraph:
    """The graph that a training may see, its edges on the model's device, and the encoder."""

    graph: HeteroGraph
    edges: Edges
    network: HeteroEncoder


class HeteroGNN(EmbeddingModel[HeteroGNNConfig]):
    """score(u, i) = z_u · z_i with z = (h₀ + … + h_L)/(L + 1), where h₀ is an embedding plus a projection of the node's
    features and h_l the output of layer l of L (`HeteroEncoder`).

    Layers: SAGEConv (Hamilton et al., NeurIPS 2017), RGCNConv (Schlichtkrull et al., ESWC 2018) or HGTConv (Hu et al.,
    WWW 2020) of PyG, over all edge types in both directions, including the target behaviour. A node without edges has
    the vector 0; a node without interactions is represented by its other edges, such as the genres of a new film. A new
    user has the mean vector of their items, times the linear map that fits users in training best (`fit_history_map`).

    The trained parameters x are those of the encoder, concatenated, [num_parameters].
    """

    config_class = HeteroGNNConfig

    def __init__(self, config: HeteroGNNConfig, device: torch.device | str = "cpu") -> None:
        super().__init__(config, device)
        self._training_graph: TrainingGraph | None = None  # set during a fit

    def build_training_graph(self, training: TrainingData, rng: np.random.Generator) -> TrainingGraph:
        """The TrainingGraph with an untrained encoder.

        Raises GraphrecError if the graph needs sampled neighbourhoods and no library that samples is installed.
        """
        graph = restrict(training.graph, training.interactions)
        if count_edges(graph) > self.config.full_graph_edges:
            check_sampler(count_edges(graph), self.config.full_graph_edges)
        # SAGE uses means only, which products compute faster; the other layers need the positions of edges
        edges = (mean_products if self.config.layer == "sage" else edge_positions)(graph, self.device)
        return TrainingGraph(graph, edges, self._build_network(graph, training, rng))

    def initial_parameters(self, training: TrainingData, rng: np.random.Generator) -> Tensor:
        """The parameters x of an untrained encoder."""
        self._training_graph = self.build_training_graph(training, rng)
        return flatten_parameters(self._training_graph.network)

    def build_encoder(self, training: TrainingData, x: Tensor) -> Encode:
        """A function that runs the encoder with the parameters x on all edges; users first, then items."""
        training_graph = self._training_graph or self.build_training_graph(training, np.random.default_rng(0))
        user, _, item = training_graph.graph.target

        def encode(rows: IndexArray | None) -> Tensor:
            states = functional_call(
                training_graph.network, unflatten_parameters(training_graph.network, x), (training_graph.edges,)
            )
            vectors = torch.cat([states[user], states[item]])  # [num_nodes, dim]
            return vectors if rows is None else vectors[torch.from_numpy(rows).to(vectors.device)]

        return encode

    def batches(self, training: TrainingData, rng: np.random.Generator) -> Iterator[Batch]:
        """The batches of one epoch, with sampled neighbourhoods if the graph is large."""
        c, training_graph = self.config, self._training_graph
        if training_graph is None or count_edges(training_graph.graph) <= c.full_graph_edges:
            return super().batches(training, rng)
        sampler = Sampler(training_graph.graph, c.num_layers, c.num_neighbors, c.batch_size, self.device)
        return sampler.batches(training.matrix, rng)

    def loss(
        self,
        x: Tensor,
        encode: Encode,
        batch: Batch,
        training: TrainingData,
        rng: np.random.Generator,  # noqa: ARG002  # for losses that draw noise
    ) -> Tensor:
        """The objective of a batch plus weight_decay/2 · ‖x‖²."""
        if isinstance(batch, Neighbourhood) and self._training_graph is not None:
            value = self.sampled_loss(x, batch, self._training_graph, training)
        else:
            value = self.config.objective.value(encode, batch, training.matrix)
        return value + self.config.weight_decay / 2 * x.square().sum() if self.config.weight_decay else value

    def sampled_loss(
        self, x: Tensor, batch: Neighbourhood, training_graph: TrainingGraph, training: TrainingData
    ) -> Tensor:
        """The loss of a batch in its sampled neighbourhood, with the items of the batch as negatives; bpr and mse
        have one negative per interaction, the item of the previous one."""
        c, (user, _, item) = self.config, training_graph.graph.target
        states = functional_call(
            training_graph.network, unflatten_parameters(training_graph.network, x), (batch.edges, batch.rows)
        )
        users, items = (
            c.objective.scale_vectors(states[label][row]) for label, row in zip((user, item), batch.local, strict=True)
        )
        if c.loss != "softmax":
            return c.objective.pairwise_loss((users * items).sum(1), (users * items.roll(1, 0)).sum(1))
        degree = np.bincount(training.matrix.indices, minlength=training.matrix.shape[1])[batch.positive]
        log_q = torch.from_numpy(np.log(degree * (len(degree) / training.matrix.nnz)).astype(np.float32)).to(x.device)
        item_index = torch.from_numpy(batch.positive).to(x.device)
        correction = log_q if c.correction else None
        return in_batch_softmax_loss(users, items, item_index, c.temperature, correction, c.positive_temperature)

    def finish(self, x: Tensor, encode: Encode, training: TrainingData) -> None:  # noqa: ARG002  # encode holds x
        """Store the vectors of users and items, 0 for those without edges, and the messages of items to new users."""
        graph = restrict(training.graph, training.interactions)
        has_edges = torch.cat([mask_connected(graph, label) for label in graph.target[::2]]).to(self.device)
        with torch.no_grad():
            vectors = self.config.objective.scale_vectors(encode(None)) * has_edges.unsqueeze(1)
            self.users, self.items = (part.clone() for part in torch.split(vectors, list(training.matrix.shape)))
            self.incoming = self.items @ fit_history_map(training.matrix, self.users, self.items)
        self._training_graph = None

    @classmethod
    def space(cls, graph: HeteroGraph) -> Space:  # noqa: ARG003  # the same for every graph
        """Kind and number of layers, features, vector length, temperature, learning rate and epochs."""
        return {
            "layer": ("sage", "rgcn"),
            "num_layers": (1, 2, 3),
            "features": (True, False),
            "embedding_dim": (64, 128, 256),
            "temperature": Range(0.1, 0.4, log=True),
            "learning_rate": Range(0.0005, 0.01, log=True),
            "epochs": Range(5, 40),
        }

    def _build_network(self, graph: HeteroGraph, training: TrainingData, rng: np.random.Generator) -> HeteroEncoder:
        c, seed = self.config, int(rng.integers(1 << 62))
        sizes = {label: int(graph.data[label].num_nodes) for label in graph.data.node_types}
        initial: Nodes = {}
        if c.warm_start:
            spectral = compute_spectral_init(training.matrix, c.embedding_dim, c.init_std, rng)
            initial = dict(zip(graph.target[::2], torch.split(spectral, list(training.matrix.shape)), strict=True))
        features = {label: node_features(graph, label, rng) for label in sizes if c.features}
        present = {label: block.to(self.device) for label, block in features.items() if block is not None}
        generator = torch.Generator().manual_seed(seed)
        start = init_embeddings(sizes, (c.embedding_dim, c.init_std), initial, generator)
        with torch.random.fork_rng(devices=[]):  # PyG's layers draw their weights from torch's global generator
            torch.manual_seed(seed)
            network = HeteroEncoder(c.layer, c.num_layers, c.heads, list_edge_types(graph), start, present)
        return network.to(self.device)
