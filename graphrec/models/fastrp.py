"""FastRP: vectors of the typed graph by random projections of neighbourhoods, without training."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor
from torch.nn.functional import normalize

from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph
from graphrec.hetero import interactions as interactions_of
from graphrec.interactions import Interactions
from graphrec.linalg.csr import State, csr_tensor
from graphrec.models.base import Range, Space
from graphrec.models.typed_graph import typed_graph
from graphrec.models.vectors import VectorModel, mean_rows
from graphrec.progress import Progress

#: Sparsity s of the random projection: one entry in s is not zero (Achlioptas, 2003).
SPARSITY = 3


@dataclass(frozen=True)
class FastRPConfig:
    """Settings of fastrp.

    embedding_dim: length of the vectors, at least 1.
    steps: w₁ w₂ …, weights of the neighbourhoods at distance 1, 2, … as text, such as `0 1 1`; none is negative.
    own_weight: w₀, weight of a node's random vector, at least 0.
    degree_exponent: r, exponent of the degree that multiplies a node's random vector.
    cosine: whether scores are cosines instead of dot products.
    behaviour_weight: weight of the edges of each behaviour besides the target, whose edges have 1; at least 0.
    social_weight: weight of the edges of each social relation, at least 0.
    attribute_weight: weight of the edges of each relation from, to or between attributes, at least 0.
    item_relation_weight: weight of the edges of each item-item relation, at least 0.
    """

    embedding_dim: int = 256
    steps: str = "1 1 1 1"
    own_weight: float = 0.0
    degree_exponent: float = -0.5
    cosine: bool = True
    behaviour_weight: float = 0.3
    social_weight: float = 0.3
    attribute_weight: float = 0.3
    item_relation_weight: float = 0.3

    def __post_init__(self) -> None:
        if self.embedding_dim < 1:
            raise DataError("fastrp: embedding_dim is at least 1")
        if min(self.own_weight, *self.step_weights, *self.kind_weights.values()) < 0:
            raise DataError("fastrp: weights must not be negative")
        if not any(self.step_weights):
            raise DataError("fastrp: at least one of the steps has a weight above 0")

    @property
    def step_weights(self) -> list[float]:
        """The weights of the distances 1, 2, …. Raises DataError if the text is not numbers."""
        try:
            return [float(word) for word in self.steps.split()]
        except ValueError as error:
            raise DataError(f"fastrp: steps takes numbers such as `0 1 1`, not {self.steps!r}") from error

    @property
    def kind_weights(self) -> Mapping[str, float]:
        """The weight of a relation by its kind."""
        return {
            "behaviour": self.behaviour_weight,
            "social": self.social_weight,
            "attribute": self.attribute_weight,
            "item_relation": self.item_relation_weight,
        }


class FastRP(VectorModel[FastRPConfig]):
    """score(u, i) = e_u · e_i with the rows e of E = w₀ E₀ + Σ_k w_k E_k, where E₀ = D^r S and E_k = D⁻¹A E_(k−1).

    S [num_nodes, dim] is a sparse random projection, A the weighted adjacency matrix of the nodes of all labels, D its
    diagonal degree matrix, r the degree exponent, w_k the weight of distance k (Chen et al., CIKM 2019). Differs in the
    rows of each E_k, which are scaled to length 1, as in Neo4j's Graph Data Science.
    """

    config_class = FastRPConfig

    def __init__(self, config: FastRPConfig, device: torch.device | str = "cpu") -> None:
        super().__init__(config, device)
        self.steps = torch.empty(0, 0, 0)  # [steps, num_items, dim], the message of an item to a new user in each step

    def fit(
        self, graph: HeteroGraph, interactions: Interactions, rng: np.random.Generator, progress: Progress | None = None
    ) -> None:
        """Multiply a random matrix by the adjacency, once for each step."""
        user, _, item = graph.target
        whole = typed_graph(graph, interactions, self.config.kind_weights)
        powers = compute_powers(whole.adjacency, self.config, rng, self.device)
        vectors = combine_powers(powers, self.config)
        self.users, self.items = whole.part(user, vectors), whole.part(item, vectors)
        # a user's E_k is the mean of E_(k−1) over the user's items, up to its length
        self.steps = torch.stack([whole.part(item, x) for x in powers[:-1]])
        if progress is not None:
            progress(1, 1)

    def fold_in(self, history: sparse.csr_array) -> Tensor:
        """Scores [batch, num_items] float32 of new users; exact except that the user has no random vector and no
        relations besides the target behaviour."""
        messages = [normalize(mean_rows(history, step)) for step in self.steps]
        vectors = sum(weight * x for weight, x in zip(self.config.step_weights, messages, strict=True))
        assert isinstance(vectors, Tensor)  # there is at least one step
        return _scale_vectors(vectors, self.config) @ self.items.T

    def state(self) -> State:
        """The vectors, and the messages of items to new users."""
        return {**super().state(), "steps": self.steps.cpu()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Restore vectors and messages."""
        super().restore(state)
        self.steps = state["steps"].to(self.device)

    @classmethod
    def candidates(cls, graph: HeteroGraph) -> list[FastRPConfig]:  # noqa: ARG003  # the same for every graph
        """The default, and dot products of damped and undamped vectors."""
        return [FastRPConfig(), FastRPConfig(degree_exponent=0.0), FastRPConfig(cosine=False)]

    @classmethod
    def space(cls, graph: HeteroGraph) -> Space:
        """The degree exponent, the weights of the steps and, if the graph has other relations, their weights."""
        has_relations = len(graph.data.edge_types) > 2
        relation = {name: Range(0.01, 1.0, log=True) for name in ("attribute_weight", "social_weight")}
        steps = ("1 1", "1 1 1", "0 1 1", "1 1 1 1", "0 0 1 1", "1 1 1 1 1")
        return {"degree_exponent": Range(-1.0, 0.5), "steps": steps, **(relation if has_relations else {})}


def fastrp_vectors(
    graph: HeteroGraph, rng: np.random.Generator, config: FastRPConfig | None = None, device: torch.device | str = "cpu"
) -> dict[str, Tensor]:
    """Vectors [num_nodes, dim] of the nodes of each label, for use as features; 0 for nodes without edges.

    `graph` must contain only what a model may see, as after `restrict`. Labels are those of `TypedGraph`.
    """
    config = config or FastRPConfig()
    whole = typed_graph(graph, interactions_of(graph), config.kind_weights)
    vectors = combine_powers(compute_powers(whole.adjacency, config, rng, torch.device(device)), config)
    return {label: whole.part(label, vectors) for label in whole.start}


def draw_projection(num_nodes: int, dim: int, rng: np.random.Generator) -> Tensor:
    """S [num_nodes, dim]: √s and −√s with probability 1/(2s) each, else 0; s = 3 (Chen et al., equation 2)."""
    drawn = rng.integers(2 * SPARSITY, size=(num_nodes, dim), dtype=np.int8)
    signs = (drawn == 0).astype(np.float32) - (drawn == 1)
    return torch.from_numpy(signs * np.float32(SPARSITY**0.5))


def compute_powers(
    adjacency: sparse.csr_array, config: FastRPConfig, rng: np.random.Generator, device: torch.device
) -> list[Tensor]:
    """[E₀, E₁, …], one more matrix [num_nodes, dim] than there are steps; rows of nodes without edges are 0."""
    degree = np.asarray(adjacency.sum(axis=1), dtype=np.float64)
    has_edges = degree > 0
    scale = np.where(has_edges, np.where(has_edges, degree, 1.0) ** config.degree_exponent, 0.0)
    x = draw_projection(adjacency.shape[0], config.embedding_dim, rng) * torch.from_numpy(scale).float().unsqueeze(1)
    inverse_degree = np.where(has_edges, 1.0 / np.where(has_edges, degree, 1.0), 0.0)
    transition = sparse.csr_array(sparse.diags_array(inverse_degree) @ adjacency)
    step = csr_tensor(transition).to(device)
    powers = [x.to(device)]
    for _ in config.step_weights:
        powers.append(normalize(step @ powers[-1]))
    return powers


def combine_powers(powers: list[Tensor], config: FastRPConfig) -> Tensor:
    """The weighted sum of the powers, [num_nodes, dim]; rows of length 1 if scores are cosines."""
    vectors = config.own_weight * normalize(powers[0])
    for weight, x in zip(config.step_weights, powers[1:], strict=True):
        vectors = vectors + weight * x
    return _scale_vectors(vectors, config)


def _scale_vectors(vectors: Tensor, config: FastRPConfig) -> Tensor:
    return normalize(vectors) if config.cosine else vectors
