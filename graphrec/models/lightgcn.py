"""LightGCN: embeddings smoothed over the user-item graph, trained by softmax, pairwise ranking or squared errors."""

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph
from graphrec.models.base import Range, Space
from graphrec.models.embedding import EmbeddingModel, TrainingData
from graphrec.models.embedding_config import EmbeddingConfig
from graphrec.models.propagation import layers, propagate
from graphrec.training.objectives import Encode, Objective

#: Interactions up to which settings are searched.
SEARCHED = 1 << 18


@dataclass(frozen=True)
class LightGCNConfig(EmbeddingConfig):
    """Settings of lightgcn.

    embedding_dim: length of the vectors.
    num_layers: products with the adjacency whose results are averaged, with the embeddings as layer 0.
    loss: bpr, softmax or mse (against 1 for interactions and 0 for negatives).
    negatives: of the softmax: all (every item, exact), popular (num_negatives drawn by √degree), both with whole users
        in a batch; batch (the items of the other interactions of the batch) or uniform (num_negatives shared by the
        batch); bpr and mse have uniform ones.
    num_negatives: uniform negatives of each interaction for bpr and mse, of a batch for softmax.
    temperature: of the softmax.
    cosine: whether scores are cosines instead of dot products.
    popularity: β, scores have β · temperature · log(degree of the item) added, so that the vectors need not learn it.
    correction: whether a softmax over a sample of items is corrected by the log of how often they are drawn.
    learning_rate: of Adam.
    final_rate: the share of the learning rate that is left in the last epoch; it falls linearly.
    weight_decay: weight of the squared layer-0 embeddings of a batch.
    batch_size: interactions in one step, at most a sixteenth of all.
    epochs: passes over all interactions, at most.
    patience: 0 trains all epochs; n > 0 holds a twentieth of the interactions out and stops when their recall@20
        has not improved in n measures, five epochs apart.
    init_std: standard deviation of the initial embeddings, or their root mean square after a warm start.
    warm_start: whether to begin with the singular vectors of the interaction matrix instead of noise.
    """

    embedding_dim: int = 128
    num_layers: int = 1
    loss: str = "softmax"
    negatives: str = "popular"
    num_negatives: int = 2048
    temperature: float = 0.12
    cosine: bool = True
    popularity: float = 0.7
    learning_rate: float = 0.03
    final_rate: float = 0.05
    weight_decay: float = 0.0
    batch_size: int = 28_000
    epochs: int = 12
    warm_start: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.num_layers < 0:
            raise DataError("lightgcn: num_layers is at least 0")
        if self.popularity < 0:
            raise DataError("lightgcn: popularity is at least 0")

    @property
    def objective(self) -> Objective:
        """The loss that the settings describe."""
        return replace(super().objective, popularity=self.popularity)


class LightGCN(EmbeddingModel[LightGCNConfig]):
    """score(u, i) = e_u · e_i with e the mean of the layers Ãˡ E, l = 0..num_layers (He et al., SIGIR 2020, eq. 4).

    The default is the softmax loss of Wu et al. (TOIS 2024) on cosines, with three differences that save most of its
    epochs: a user's sum over rival items is shared by all their interactions, log-popularity is part of the scores
    instead of being learned, and training begins with singular vectors. The paper's own LightGCN is loss=bpr,
    num_layers=3, num_negatives=1, embedding_dim=64, cosine=false, popularity=0, warm_start=false, batch_size=2048,
    final_rate=1, weight_decay=1e-4 and learning_rate=1e-3, with L2 on layer 0 as in the authors' code; each epoch
    shuffles the interactions instead of drawing users with replacement.
    """

    config_class = LightGCNConfig
    damping: ClassVar[float] = 0.5

    def build_encoder(self, training: TrainingData, x: Tensor) -> Encode:
        """The smoothed vectors of some rows of x, or of all."""
        return lambda rows: propagate(x, training.adjacency, self.config.num_layers, rows)

    @classmethod
    def space(cls, graph: HeteroGraph) -> Space:
        """What matters most, for graphs on which a search takes minutes; larger ones keep the default."""
        if graph.data[graph.target].edge_index.shape[1] > SEARCHED:
            return {}
        return {
            "temperature": Range(0.05, 0.4, log=True),
            "popularity": Range(0.0, 1.5),
            "learning_rate": Range(3e-3, 1e-1, log=True),
            "epochs": Range(5, 60, log=True),
        }

    def item_messages(self, x: Tensor, training: TrainingData) -> Tensor:
        """The smoothing of a user whose own layer 0 is 0, from the layers of their items: Σ layers / √degree."""
        num_layers = self.config.num_layers
        if not num_layers:
            return super().item_messages(x, training)
        sent = torch.stack(layers(x, training.adjacency, num_layers - 1)).sum(0)[training.num_users :]
        degree = torch.from_numpy(training.matrix.sum(axis=0)).to(self.device).clamp(min=1)
        return sent * degree.rsqrt().unsqueeze(1) / (num_layers + 1)
