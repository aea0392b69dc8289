"""LightGCN: embeddings smoothed over the user-item graph, trained with a softmax, pairwise or squared loss."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph
from graphrec.models.base import Range, Space
from graphrec.models.embedding import EmbeddingModel, TrainingData
from graphrec.models.embedding_config import EmbeddingConfig
from graphrec.models.propagation import compute_layers, propagate
from graphrec.training.objectives import Encode, Objective

#: Maximum number of interactions for which settings are searched; for more, candidates are compared.
MAX_SEARCHED = 1 << 18

#: Changes of the default for many interactions, each a candidate. Those of the share need no training of their own.
CHANGES: tuple[Mapping[str, Any], ...] = (  # fields of the config
    {"popularity_share": 0.75},
    {"popularity_share": 1.0},
    {"temperature": 0.12},
    {"temperature": 0.18},
    {"popularity": 0.4},
    {"learning_rate": 0.015},
    {"num_layers": 2},
    {"embedding_dim": 256},
    {"epochs": 40},
)


@dataclass(frozen=True)
class LightGCNConfig(EmbeddingConfig):
    """Settings of lightgcn, besides those that `EmbeddingConfig` describes.

    num_layers: L, number of layers after layer 0, at least 0; all layers are averaged.
    temperature: τ, temperature of the softmax, above 0; scores are divided by it.
    popularity: β, at least 0; β τ log(degree) of the item is added to each score, so that vectors need not learn it.
    popularity_share: share of this term that predictions keep, at least 0. The loss ranks all items of a user, but
        recommendations are new items; on sparse data these are ranked best with less.
    """

    embedding_dim: int = 128
    num_layers: int = 1
    loss: str = "softmax"
    negatives: str = "popular"
    num_negatives: int = 2048
    temperature: float = 0.12
    cosine: bool = True
    popularity: float = 0.7
    popularity_share: float = 1.0
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
        for name in ("popularity", "popularity_share"):
            if getattr(self, name) < 0:
                raise DataError(f"lightgcn: {name} is at least 0")

    @property
    def objective(self) -> Objective:
        """The loss that the settings describe."""
        return replace(super().objective, popularity=self.popularity)


#: The default for many interactions: sixteen steps an epoch, since larger batches cost less than more epochs gain.
LARGE = LightGCNConfig(num_negatives=4096, temperature=0.15, popularity_share=0.9, batch_size=1 << 17, epochs=20)


class LightGCN(EmbeddingModel[LightGCNConfig]):
    """score(u, i) = e_u · e_i with e = (E + ÃE + … + Ã^L E)/(L + 1) (He et al., SIGIR 2020, equations 3 and 4).

    E [num_users + num_items, dim] are the trained embeddings, Ã = D^-½ A D^-½ is the adjacency matrix A of users and
    items normalised by its diagonal degree matrix D, L is the number of layers.

    The default loss is the softmax of Wu et al. (TOIS 2024) on cosines, with three differences that save most of the
    epochs: the interactions of a user share one sum over the negatives, log-popularity is a term of the score instead
    of being learned, and training starts from singular vectors. The paper's LightGCN has loss=bpr, num_layers=3,
    num_negatives=1, embedding_dim=64, cosine=false, popularity=0, warm_start=false, batch_size=2048, final_rate=1,
    weight_decay=1e-4 and learning_rate=1e-3. L2 is on layer 0, as in the authors' code; unlike there, an epoch shuffles
    the interactions instead of drawing users with replacement.
    """

    config_class = LightGCNConfig
    damping: ClassVar[float] = 0.5

    def build_encoder(self, training: TrainingData, x: Tensor) -> Encode:
        """A function that returns the smoothed vectors of some rows of x, or of all."""
        return lambda rows: propagate(x, training.adjacency, self.config.num_layers, rows)

    @classmethod
    def candidates(cls, graph: HeteroGraph) -> list[LightGCNConfig]:
        """The default; for more than MAX_SEARCHED interactions another one, and changes of single settings."""
        if graph.data[graph.target].num_edges <= MAX_SEARCHED:
            return [LightGCNConfig()]
        return [LARGE, *(replace(LARGE, **change) for change in CHANGES)]

    @classmethod
    def space(cls, graph: HeteroGraph) -> Space:
        """The settings that matter most; empty for graphs of more than MAX_SEARCHED interactions."""
        if graph.data[graph.target].num_edges > MAX_SEARCHED:
            return {}
        return {
            "temperature": Range(0.05, 0.4, log=True),
            "popularity": Range(0.0, 1.5),
            "popularity_share": Range(0.4, 1.2),
            "learning_rate": Range(3e-3, 1e-1, log=True),
            "epochs": Range(5, 60, log=True),
        }

    def store_vectors(self, encode: Encode, training: TrainingData) -> None:
        """Store the vectors that the encoder computes, with the share of the popularity term that predictions keep."""
        super().store_vectors(encode, training)
        self._scale_popularity(self.config.popularity_share)

    def variant(self, config: LightGCNConfig) -> Self | None:
        """The model with another share of the popularity term in predictions; None if more differs."""
        share = self.config.popularity_share
        if not share or replace(config, popularity_share=share) != self.config:
            return None
        other = type(self)(config, self.device)
        other.users, other.items, other.incoming = self.users, self.items.clone(), self.incoming
        other.losses = self.losses
        other._scale_popularity(config.popularity_share / share)
        return other

    @property
    def nbytes(self) -> int:
        """Memory of the vectors in bytes."""
        return sum(part.nbytes for part in (self.users, self.items, self.incoming))

    def _scale_popularity(self, factor: float) -> None:
        """Multiply the column of the popularity term."""
        if self.config.popularity:
            self.items[:, -1] *= factor

    def item_messages(self, x: Tensor, training: TrainingData) -> Tensor:
        """Messages of items to a user whose layer 0 is 0: an item's sum of layers 0 … L − 1, over √degree and L + 1."""
        num_layers = self.config.num_layers
        if not num_layers:
            return super().item_messages(x, training)
        messages = torch.stack(compute_layers(x, training.adjacency, num_layers - 1)).sum(0)[training.num_users :]
        degree = torch.from_numpy(training.matrix.sum(axis=0)).to(self.device).clamp(min=1)
        return messages * degree.rsqrt().unsqueeze(1) / (num_layers + 1)
