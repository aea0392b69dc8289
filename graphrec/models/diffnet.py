"""DiffNet: embeddings propagated over interactions and social relations."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph
from graphrec.linalg.autograd import Product, normalise_sums
from graphrec.models.base import Range, Space
from graphrec.models.embedding import EmbeddingModel, TrainingData
from graphrec.models.embedding_config import EmbeddingConfig
from graphrec.relations import build_relations
from graphrec.training.objectives import Encode
from graphrec.vocabulary import IndexArray

#: Constant added to the cosine of two histories, so that social edges of users without a common item keep a weight.
MINIMUM_SIMILARITY = 0.01


@dataclass(frozen=True)
class DiffNetConfig(EmbeddingConfig):
    """Settings of diffnet, besides those that `EmbeddingConfig` describes.

    num_layers: L, number of propagation steps, at least 0; steps 0 … L are averaged, the embeddings being step 0.
    social_share: s from 0 to 1, share of friends in the next step of a user; the user's items have the rest.
    homophily: h, exponent of the cosine of two users' histories in the weight of their social edge, at least 0; 0
        weighs all edges equally.
    """

    embedding_dim: int = 128
    loss: str = "softmax"
    negatives: str = "all"
    temperature: float = 0.2
    cosine: bool = True
    learning_rate: float = 0.004
    final_rate: float = 0.1
    weight_decay: float = 0.0
    epochs: int = 30
    warm_start: bool = True
    num_layers: int = 2
    social_share: float = 0.5
    homophily: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.num_layers < 0 or not 0 <= self.social_share <= 1 or self.homophily < 0:
            raise DataError("diffnet: num_layers and homophily are at least 0, and social_share is between 0 and 1")


class DiffNet(EmbeddingModel[DiffNetConfig]):
    """score(u, i) = e_u · e_i, where e is the mean of the vectors x after steps 0 … L of

    x_u ← (1 − s_u) Σ_{i ∈ I_u} x_i / √(d_u d_i) + s_u Σ_{v ∈ F(u)} w_uv x_v / √(w_u w_v),
    x_i ← Σ_{u ∈ U_i} x_u / √(d_u d_i).

    I_u are the items and F(u) the friends of user u, U_i the users of item i, d_u = |I_u| and d_i = |U_i|. w_uv is the
    weight of the social edge times (cos(u, v) + 0.01)^h with the cosine of both histories and the homophily h; w_u and
    w_v are the sums of row u and column v. s_u is the social share s, but 0 for a user without friends and 1 for a user
    with friends only. Several social relations are averaged.

    DiffNet++ (Wu et al., TKDE 2022) without its weight matrices, as LightGCN is NGCF without them: the share is a
    setting instead of an attention network, and steps are averaged instead of concatenated. Edge weights are cosines
    instead of the motif counts of MHCN (Yu et al., WWW 2021). A user without interactions has x_u = 0 at step 0 and is
    represented by their friends.
    """

    config_class = DiffNetConfig
    damping = 0.5

    def build_encoder(self, training: TrainingData, x: Tensor) -> Encode:
        """A function that propagates x [num_nodes, dim]. Raises DataError if the graph has no social edge."""
        step = self._build_step(training)
        mask = training.has_interactions().unsqueeze(1)

        def encode(rows: IndexArray | None) -> Tensor:
            states = propagate_steps(x * mask, step, self.config.num_layers)  # [num_nodes, dim] each
            mean = torch.stack(states).mean(0)
            return mean if rows is None else mean[torch.from_numpy(rows).to(mean.device)]

        return encode

    def item_messages(self, x: Tensor, training: TrainingData) -> Tensor:
        """Messages of items to a user without friends: an item's sum of steps 0 … L − 1, over √degree and L + 1."""
        mask = training.has_interactions().unsqueeze(1)
        states = propagate_steps(x * mask, self._build_step(training), self.config.num_layers)[:-1]
        if not states:
            return torch.zeros_like(self.items)
        degree = np.bincount(training.matrix.indices, minlength=training.matrix.shape[1]).astype(np.float32)
        root = torch.from_numpy(np.sqrt(np.maximum(degree, 1))).to(x.device).unsqueeze(1)
        return torch.stack(states).sum(0)[training.num_users :] / root / (self.config.num_layers + 1)

    def finish(self, x: Tensor, encode: Encode, training: TrainingData) -> None:
        """Store the vectors, including those of users with friends but without interactions."""
        super().finish(x, encode, training)
        with torch.no_grad():
            users = self.config.objective.scale_vectors(encode(None))[: training.num_users]
            no_items = torch.from_numpy(np.diff(training.matrix.indptr) == 0).to(users.device).unsqueeze(1)
            self.users = torch.where(no_items, users, self.users)  # 0 without friends

    def _build_step(self, training: TrainingData) -> Product:
        c = self.config
        social = build_social_matrix(training.graph, training.matrix, c.homophily)
        return Product.of(build_step_matrix(training.matrix, social, c.social_share), training.device)

    @classmethod
    def space(cls, graph: HeteroGraph) -> Space:  # noqa: ARG003  # the same for every graph
        """The social share, the homophily, and the size and training of the vectors.

        Temperatures start at 0.1: on Last.fm, validation recall@20 was 0.238 at 0.07, 0.260 at 0.1 and 0.290 at 0.2.
        """
        return {
            "social_share": Range(0.05, 0.7),
            "homophily": Range(0.0, 2.0),
            "embedding_dim": (64, 128, 256),
            "num_layers": (1, 2, 3),
            "temperature": Range(0.1, 0.4, log=True),
            "learning_rate": Range(0.0005, 0.01, log=True),
            "epochs": Range(5, 60),
        }


def propagate_steps(x: Tensor, step: Product, num_layers: int) -> list[Tensor]:
    """x [num_nodes, dim] after 0, 1, … num_layers steps."""
    states = [x]
    for _ in range(num_layers):
        states.append(step @ states[-1])
    return states


def build_social_matrix(graph: HeteroGraph, matrix: sparse.csr_array, homophily: float) -> sparse.csr_array:
    """The mean S̃ of all social relations [num_users, num_users]: edge weights are multiplied by (cosine +
    0.01)^homophily of both histories, then divided by the square roots of the relation's row and column sums.

    Raises DataError if the graph has no social edge.
    """
    social = [relation for relation in build_relations(graph).social.values() if relation.nnz]
    if not social:
        raise DataError(
            "diffnet: the graph has no edges between users, so there are no friends to learn from; load "
            "friends, trust or followers, or train lightgcn"
        )
    histories = normalise_sums(matrix, 0.5, 0.0)  # rows of length 1, since entries are 0 or 1
    parts = []
    for relation in social:
        rows, columns = relation.nonzero()
        cosine = np.asarray(histories[rows].multiply(histories[columns]).sum(axis=1)).ravel()
        weight = relation.data * (cosine + MINIMUM_SIMILARITY) ** homophily
        weighted = sparse.csr_array((weight * (rows != columns), (rows, columns)), shape=relation.shape)
        weighted.eliminate_zeros()
        parts.append(normalise_sums(weighted, 0.5, 0.5) / np.float32(len(social)))
    return sparse.csr_array(sum(parts[1:], start=parts[0]))


def build_step_matrix(matrix: sparse.csr_array, social: sparse.csr_array, share: float) -> sparse.csr_array:
    """The matrix [num_nodes, num_nodes] of one step, users first: [[s S̃, (1 − s) R̃], [R̃ᵀ, 0]] with the social
    share s of each user, the social matrix S̃ and the normalised interactions R̃."""
    has_friends, has_items = np.diff(social.indptr) > 0, np.diff(matrix.indptr) > 0
    shares = np.where(has_items, share * has_friends, 1.0).astype(np.float32)
    normalised = normalise_sums(matrix, 0.5, 0.5)
    upper = [sparse.diags_array(shares) @ social, sparse.diags_array(1 - shares) @ normalised]
    return sparse.csr_array(sparse.block_array([upper, [normalised.T, None]], format="csr"))
