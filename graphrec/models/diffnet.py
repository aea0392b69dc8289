"""DiffNet: embeddings that spread along the interactions and along who follows, trusts or befriends whom."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph
from graphrec.linalg.autograd import Product, normalised
from graphrec.models.base import Range, Space
from graphrec.models.embedding import EmbeddingModel, TrainingData
from graphrec.models.embedding_config import EmbeddingConfig
from graphrec.relations import build_relations
from graphrec.training.objectives import Encode
from graphrec.vocabulary import IndexArray

#: What a tie counts between two users without a common item, beside the cosine of two histories.
MINIMUM_SIMILARITY = 0.01


@dataclass(frozen=True)
class DiffNetConfig(EmbeddingConfig):
    """Settings of diffnet.

    embedding_dim: length of the vectors.
    loss: softmax, bpr or mse.
    negatives: of softmax: all items, the items of the batch, or uniform ones shared by the batch.
    num_negatives: uniform negatives, of each interaction for bpr and mse, of a batch for softmax.
    temperature: scores are divided by it in the softmax.
    cosine: scores are cosines instead of dot products.
    correction: whether the softmax over a sample estimates that over all items (log Q).
    learning_rate: of Adam, in the first epoch.
    final_rate: what is left of it in the last epoch.
    weight_decay: weight of the squared parameters of a batch.
    batch_size: interactions in one step.
    epochs: passes over all interactions, at most.
    patience: 0 trains all epochs; n > 0 holds a twentieth of the interactions out and stops when their recall@20
        has not improved in n measures, five epochs apart.
    init_std: standard deviation of the initial embeddings.
    warm_start: whether they are the leading singular vectors of the interactions instead of random.
    num_layers: how many steps an embedding spreads; all steps are averaged, with the embeddings as step 0.
    social_share: how much of a user's next step comes from friends; the rest comes from their items.
    homophily: ties count as the cosine of two users' histories to this power; 0 makes all ties equal.
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
            raise DataError("diffnet: num_layers and homophily are not negative, and social_share is between 0 and 1")


class DiffNet(EmbeddingModel[DiffNetConfig]):
    """score(u, i) = e_u · e_i with e the mean of the steps 0 … num_layers of

    x_u ← (1 − s_u) Σ_{i ∈ N(u)} x_i / √(d_u d_i) + s_u Σ_{v ∈ F(u)} w_uv x_v / √(w_u w_v),
    x_i ← Σ_{u ∈ N(i)} x_u / √(d_u d_i)

    with s_u = social_share, but 0 for a user without friends and 1 for one with friends alone; w_u = Σ_v w_uv.
    DiffNet++ (Wu et al., TKDE 2022) without its weight matrices, as LightGCN is NGCF without them: the share is a
    setting instead of an attention network, and the steps are averaged instead of concatenated. The weight of an edge
    depends on the items that both users chose, instead of the motifs of MHCN (Yu et al., WWW 2021). Several social
    relations are averaged. A user without interactions has no vector of their own and is scored by their friends'.
    """

    config_class = DiffNetConfig
    damping = 0.5

    def build_encoder(self, training: TrainingData, x: Tensor) -> Encode:
        """Spreads x [num_nodes, dim]; raises DataError where the graph has no social relation."""
        step = self._step(training)
        own = training.has_interactions().unsqueeze(1)

        def encode(rows: IndexArray | None) -> Tensor:
            found = spread(x * own, step, self.config.num_layers)  # [num_nodes, dim]
            mean = torch.stack(found).mean(0)
            return mean if rows is None else mean[torch.from_numpy(rows).to(mean.device)]

        return encode

    def item_messages(self, x: Tensor, training: TrainingData) -> Tensor:
        """The steps of an item [num_items, dim] that reach a new user without friends, over the root of its degree."""
        found = spread(x * training.has_interactions().unsqueeze(1), self._step(training), self.config.num_layers)[:-1]
        if not found:
            return torch.zeros_like(self.items)
        degree = np.bincount(training.matrix.indices, minlength=training.matrix.shape[1]).astype(np.float32)
        root = torch.from_numpy(np.sqrt(np.maximum(degree, 1))).to(x.device).unsqueeze(1)
        return torch.stack(found).sum(0)[training.num_users :] / root / (self.config.num_layers + 1)

    def finish(self, x: Tensor, encode: Encode, training: TrainingData) -> None:
        """Keep the vectors, those of users with friends but without interactions among them."""
        super().finish(x, encode, training)
        with torch.no_grad():
            users = self.config.objective.scaled(encode(None))[: training.num_users]
            alone = torch.from_numpy(np.diff(training.matrix.indptr) == 0).to(users.device).unsqueeze(1)
            self.users = torch.where(alone, users, self.users)  # still 0 without friends

    def _step(self, training: TrainingData) -> Product:
        c = self.config
        social = ties(training.graph, training.matrix, c.homophily)
        return Product.of(one_step(training.matrix, social, c.social_share), training.device)

    @classmethod
    def space(cls, graph: HeteroGraph) -> Space:  # noqa: ARG003  # the same for every graph
        """The share of friends, how their ties count, and the usual of training.

        No temperature below 0.1: on Last.fm validation recall@20 was 0.238 at 0.07, 0.260 at 0.1 and 0.290 at 0.2.
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


def spread(x: Tensor, step: Product, num_layers: int) -> list[Tensor]:
    """x and what it becomes in each step, [num_layers + 1] matrices of the shape of x [num_nodes, dim]."""
    found = [x]
    for _ in range(num_layers):
        found.append(step @ found[-1])
    return found


def ties(graph: HeteroGraph, matrix: sparse.csr_array, homophily: float) -> sparse.csr_array:
    """The mean of all social relations [num_users, num_users], each tie times (cosine + 0.01)^homophily of its users'
    histories, and each relation normalised by the roots of its row and column sums.

    Raises DataError where the graph has no social edge.
    """
    social = [relation for relation in build_relations(graph).social.values() if relation.nnz]
    if not social:
        raise DataError(
            "diffnet: the graph has no edges between users, so there are no friends to learn from; load "
            "friends, trust or followers, or train lightgcn"
        )
    histories = normalised(matrix, 0.5, 0.0)  # of length 1, since entries are 0 or 1
    found = []
    for relation in social:
        rows, columns = relation.nonzero()
        cosine = np.asarray(histories[rows].multiply(histories[columns]).sum(axis=1)).ravel()
        weight = relation.data * (cosine + MINIMUM_SIMILARITY) ** homophily
        weighted = sparse.csr_array((weight * (rows != columns), (rows, columns)), shape=relation.shape)
        weighted.eliminate_zeros()
        found.append(normalised(weighted, 0.5, 0.5) / np.float32(len(social)))
    return sparse.csr_array(sum(found[1:], start=found[0]))


def one_step(matrix: sparse.csr_array, social: sparse.csr_array, share: float) -> sparse.csr_array:
    """The matrix [num_nodes, num_nodes] of one step, users first: [[s S̃, (1 − s) R̃], [R̃ᵀ, 0]] with s by user."""
    friends, items = np.diff(social.indptr) > 0, np.diff(matrix.indptr) > 0
    shares = np.where(items, share * friends, 1.0).astype(np.float32)
    smooth = normalised(matrix, 0.5, 0.5)
    upper = [sparse.diags_array(shares) @ social, sparse.diags_array(1 - shares) @ smooth]
    return sparse.csr_array(sparse.block_array([upper, [smooth.T, None]], format="csr"))
