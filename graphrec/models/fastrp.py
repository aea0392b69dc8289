"""Random projections of the neighbourhoods in the typed graph: vectors without training, in seconds."""

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

#: A random entry is zero but once in so many (Achlioptas, 2003).
SPARSITY = 3


@dataclass(frozen=True)
class FastRPConfig:
    """Settings of fastrp.

    embedding_dim: length of the vectors.
    steps: weights of the neighbourhoods at distance 1, 2, … as `0 1 1`; as many products as there are weights.
    own_weight: weight of a node's own random vector.
    degree_exponent: r, a node's random vector is multiplied by degree^r.
    cosine: whether scores are cosines instead of dot products.
    behaviour_weight: of the edges of each behaviour beside the target, whose edges have 1.
    social_weight: of the edges of each social relation.
    attribute_weight: of the edges of each relation to or among attributes.
    item_relation_weight: of the edges of each item-item relation.
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
        """The weights of the distances 1, 2, …; DataError if the text has another form."""
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
    """E = w₀ E₀ + Σ_k w_k E_k with E₀ = D^r R, E_k = (D⁻¹A) E_{k−1}, each row of each E_k scaled to length 1.

    R is a sparse random projection, A the adjacency of all labels (Chen et al., CIKM 2019). The rows are scaled in
    every step as in Neo4j's Graph Data Science, which the paper does not.
    """

    config_class = FastRPConfig

    def __init__(self, config: FastRPConfig, device: torch.device | str = "cpu") -> None:
        super().__init__(config, device)
        self.steps = torch.empty(0, 0, 0)  # [steps, num_items, dim]: what an item sends to a new user in each step

    def fit(
        self, graph: HeteroGraph, interactions: Interactions, rng: np.random.Generator, progress: Progress | None = None
    ) -> None:
        """Multiply a random matrix by the adjacency, once for each step."""
        user, _, item = graph.target
        whole = typed_graph(graph, interactions, self.config.kind_weights)
        found = powers(whole.adjacency, self.config, rng, self.device)
        vectors = combined(found, self.config)
        self.users, self.items = whole.part(user, vectors), whole.part(item, vectors)
        # the mean of E₀ over a user's items is the user's E₁ up to its length, and so on
        self.steps = torch.stack([whole.part(item, x) for x in found[:-1]])
        if progress is not None:
            progress(1, 1)

    def fold_in(self, history: sparse.csr_array) -> Tensor:
        """Scores [batch, num_items] float32 of new users, exact but for the user's own random vector and for relations
        other than the target."""
        sent = [normalize(mean_rows(history, step)) for step in self.steps]
        vectors = sum(weight * x for weight, x in zip(self.config.step_weights, sent, strict=True))
        assert isinstance(vectors, Tensor)  # there is at least one step
        return _scaled(vectors, self.config) @ self.items.T

    def state(self) -> State:
        """The vectors, and what items send to new users."""
        return {**super().state(), "steps": self.steps.cpu()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take over what `state` gave."""
        super().restore(state)
        self.steps = state["steps"].to(self.device)

    @classmethod
    def candidates(cls, graph: HeteroGraph) -> list[FastRPConfig]:  # noqa: ARG003  # the same for every graph
        """The default, and dot products of damped and undamped vectors."""
        return [FastRPConfig(), FastRPConfig(degree_exponent=0.0), FastRPConfig(cosine=False)]

    @classmethod
    def space(cls, graph: HeteroGraph) -> Space:
        """The exponent and the weights of the steps and of other relations, if any."""
        others = len(graph.data.edge_types) > 2
        relation = {name: Range(0.01, 1.0, log=True) for name in ("attribute_weight", "social_weight")}
        steps = ("1 1", "1 1 1", "0 1 1", "1 1 1 1", "0 0 1 1", "1 1 1 1 1")
        return {"degree_exponent": Range(-1.0, 0.5), "steps": steps, **(relation if others else {})}


def fastrp_vectors(
    graph: HeteroGraph, rng: np.random.Generator, config: FastRPConfig | None = None, device: torch.device | str = "cpu"
) -> dict[str, Tensor]:
    """Vectors [num_nodes, dim] of the nodes of each label, for use as features; 0 for nodes without edges.

    `graph` must hold what may be seen, as after `restrict`. Labels are those of the graph and of `TypedGraph`.
    """
    config = config or FastRPConfig()
    whole = typed_graph(graph, interactions_of(graph), config.kind_weights)
    vectors = combined(powers(whole.adjacency, config, rng, torch.device(device)), config)
    return {label: whole.part(label, vectors) for label in whole.start}


def projection(num_nodes: int, dim: int, rng: np.random.Generator) -> Tensor:
    """R [num_nodes, dim]: ±√s with a chance of 1/(2s) each, else 0; s = 3 (Chen et al., eq. 2)."""
    drawn = rng.integers(2 * SPARSITY, size=(num_nodes, dim), dtype=np.int8)
    signs = (drawn == 0).astype(np.float32) - (drawn == 1)
    return torch.from_numpy(signs * np.float32(SPARSITY**0.5))


def powers(
    adjacency: sparse.csr_array, config: FastRPConfig, rng: np.random.Generator, device: torch.device
) -> list[Tensor]:
    """E₀, E₁, … [steps + 1] matrices [num_nodes, dim]; the rows of nodes without edges are 0."""
    degree = np.asarray(adjacency.sum(axis=1), dtype=np.float64)
    known = degree > 0
    scale = np.where(known, np.where(known, degree, 1.0) ** config.degree_exponent, 0.0)
    x = projection(adjacency.shape[0], config.embedding_dim, rng) * torch.from_numpy(scale).float().unsqueeze(1)
    walk = sparse.csr_array(sparse.diags_array(np.where(known, 1.0 / np.where(known, degree, 1.0), 0.0)) @ adjacency)
    step = csr_tensor(walk).to(device)
    found = [x.to(device)]
    for _ in config.step_weights:
        found.append(normalize(step @ found[-1]))
    return found


def combined(found: list[Tensor], config: FastRPConfig) -> Tensor:
    """The weighted sum of the powers [num_nodes, dim], of length one where scores are cosines."""
    vectors = config.own_weight * normalize(found[0])
    for weight, x in zip(config.step_weights, found[1:], strict=True):
        vectors = vectors + weight * x
    return _scaled(vectors, config)


def _scaled(vectors: Tensor, config: FastRPConfig) -> Tensor:
    return normalize(vectors) if config.cosine else vectors
