"""XSimGCL: LightGCN with noise added to each layer and a contrastive loss between two layers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph
from graphrec.models.base import Range, Space
from graphrec.models.embedding import EmbeddingModel, TrainingData, compute_l2_penalty
from graphrec.models.embedding_config import EmbeddingConfig
from graphrec.models.lightgcn import MAX_SEARCHED
from graphrec.models.propagation import Adjacency, compute_layers, multiply
from graphrec.training.batches import PairBatch
from graphrec.training.losses import info_nce_loss
from graphrec.training.objectives import Batch, Encode

#: Changes from BPR and noise to the softmax of lightgcn and a start from singular vectors.
SOFTMAX: Mapping[str, Any] = {  # fields of the config
    "loss": "softmax",
    "negatives": "popular",
    "num_negatives": 2048,
    "temperature": 0.12,
    "cosine": True,
    "learning_rate": 0.03,
    "final_rate": 0.05,
    "weight_decay": 0.0,
    "batch_size": 28_000,
    "epochs": 12,
    "warm_start": True,
}

#: Changes of the candidate with a softmax, each a further candidate.
CHANGES: tuple[Mapping[str, Any], ...] = (
    {"contrast": 0.05},
    {"contrast": 1.0},
    {"noise": 0.1},
    {"temperature": 0.18},
    {"embedding_dim": 128},
)


@dataclass(frozen=True)
class XSimGCLConfig(EmbeddingConfig):
    """Settings of xsimgcl, besides those that `EmbeddingConfig` describes.

    num_layers: L, number of layers, at least 1; layers 1 … L are averaged, without the embeddings themselves.
    noise: ε, length of the noise that each layer adds to a node's vector, at least 0.
    contrast: λ, weight of the contrastive loss, at least 0.
    contrast_layer: layer l* from 1 to L whose vectors are the second view; the first view are the final vectors.
    contrast_temperature: τ, temperature of the contrastive loss, above 0.
    """

    learning_rate: float = 0.002
    epochs: int = 20
    num_layers: int = 2
    noise: float = 0.2
    contrast: float = 0.2
    contrast_layer: int = 1
    contrast_temperature: float = 0.15

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.contrast_layer <= self.num_layers:
            raise DataError("xsimgcl: contrast_layer is between 1 and num_layers")
        if min(self.noise, self.contrast) < 0 or self.contrast_temperature <= 0:
            raise DataError("xsimgcl: noise and contrast are at least 0, contrast_temperature is above 0")


class XSimGCL(EmbeddingModel[XSimGCLConfig]):
    """score(u, i) = e_u · e_i with e = (ÃE + … + Ã^L E)/L (Yu et al., TKDE 2023).

    E [num_users + num_items, dim] are the trained embeddings, Ã is the normalised adjacency of users and items, L the
    number of layers. In training, each layer adds ε · sign(z) ⊙ r/‖r‖ to each vector z, with r uniform in [0, 1)^dim
    (equation 6). The loss is that of the interactions plus λ · InfoNCE between the final vectors and those of layer l*,
    over the users and over the items of a batch (equations 9 and 10), as in the authors' code. L2 is on E, as in
    LightGCN.
    """

    config_class = XSimGCLConfig
    damping: ClassVar[float] = 0.5

    def build_encoder(self, training: TrainingData, x: Tensor) -> Encode:
        """A function that returns the vectors e, without noise, of some nodes or of all."""

        def encode(rows: np.ndarray | None) -> Tensor:
            final = torch.stack(compute_layers(x, training.adjacency, self.config.num_layers)[1:]).mean(0)
            return final if rows is None else final[torch.from_numpy(rows).to(x.device)]

        return encode

    def loss(self, x: Tensor, encode: Encode, batch: Batch, training: TrainingData, rng: np.random.Generator) -> Tensor:  # noqa: ARG002  # training has its own encoder
        """The objective of a batch on vectors with noise, plus the contrastive loss and the squared parameters."""
        c = self.config
        generator = torch.Generator(x.device).manual_seed(int(rng.integers(1 << 62)))
        final, view = self.compute_views(x, training.adjacency, generator)
        value = c.objective.value(
            lambda rows: final if rows is None else final[torch.from_numpy(rows).to(x.device)], batch, training.matrix
        )
        items = batch.positive if isinstance(batch, PairBatch) else np.flatnonzero(batch.history.sum(axis=0))
        for nodes in (np.unique(batch.user), training.num_users + np.unique(items)):
            index = torch.from_numpy(nodes).to(x.device)
            value = value + c.contrast * info_nce_loss(final[index], view[index], c.contrast_temperature)
        return value + c.weight_decay * compute_l2_penalty(x, batch, training.num_users)

    def compute_views(self, x: Tensor, adjacency: Adjacency, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """The final vectors and those of the contrast layer, both with noise, [num_nodes, dim] each."""
        states, z = [], x
        for _ in range(self.config.num_layers):
            z = multiply(adjacency, z)
            noise = torch.rand(z.shape, generator=generator, device=z.device)
            z = z + z.detach().sign() * F.normalize(noise, dim=-1) * self.config.noise
            states.append(z)
        return torch.stack(states).mean(0), states[self.config.contrast_layer - 1]

    def item_messages(self, x: Tensor, training: TrainingData) -> Tensor:
        """Messages of items to a user: the sum of layers 0 … L − 1 of an item, over √degree and L."""
        messages = torch.stack(compute_layers(x, training.adjacency, self.config.num_layers - 1)).sum(0)[
            training.num_users :
        ]
        degree = torch.from_numpy(training.matrix.sum(axis=0)).to(self.device).clamp(min=1)
        return messages * degree.rsqrt().unsqueeze(1) / self.config.num_layers

    @classmethod
    def candidates(cls, graph: HeteroGraph) -> list[XSimGCLConfig]:  # noqa: ARG003  # the same for every graph
        """The default, which is the paper's, then the softmax of lightgcn with changes of single settings."""
        softmax = XSimGCLConfig(**SOFTMAX)
        return [XSimGCLConfig(), softmax, *(replace(softmax, **change) for change in CHANGES)]

    @classmethod
    def space(cls, graph: HeteroGraph) -> Space:
        """The settings that matter most; empty for graphs of more than MAX_SEARCHED interactions."""
        if graph.data[graph.target].num_edges > MAX_SEARCHED:
            return {}
        return {
            "contrast": Range(0.02, 2.0, log=True),
            "contrast_temperature": Range(0.1, 0.4, log=True),
            "noise": Range(0.02, 0.5, log=True),
            "temperature": Range(0.05, 0.4, log=True),
            "learning_rate": Range(1e-3, 1e-1, log=True),
            "epochs": Range(5, 60, log=True),
        }
