"""XSimGCL: LightGCN whose layers are blurred by noise and must agree with each other."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from graphrec.errors import DataError
from graphrec.models.embedding import EmbeddingModel, TrainingData, decay
from graphrec.models.embedding_config import EmbeddingConfig
from graphrec.models.propagation import Adjacency, layers, product
from graphrec.training.batches import PairBatch
from graphrec.training.losses import info_nce_loss
from graphrec.training.objectives import Batch, Encode


@dataclass(frozen=True)
class XSimGCLConfig(EmbeddingConfig):
    """Settings of xsimgcl.

    embedding_dim: length of the vectors.
    num_layers: products with the adjacency whose results are averaged, without the embeddings themselves.
    noise: ε, the length of the noise that is added to a node's vector in each layer.
    contrast: λ, the weight of the contrastive loss.
    contrast_layer: the layer, from 1, whose vectors are the second view beside the final ones.
    contrast_temperature: τ of the contrastive loss.
    loss: bpr, softmax or mse (against 1 for interactions and 0 for negatives).
    negatives: of the softmax: all (every item, whole users in a batch), batch (the items of the other interactions
        of the batch) or uniform (num_negatives shared by the batch); bpr and mse have uniform ones.
    num_negatives: uniform negatives of each interaction for bpr and mse, of a batch for softmax.
    temperature: of the softmax.
    cosine: whether scores are cosines instead of dot products.
    correction: whether a softmax over a sample of items is corrected by the log of how often they are drawn.
    learning_rate: of Adam.
    final_rate: the share of the learning rate that is left in the last epoch; it falls linearly.
    weight_decay: weight of the squared embeddings of a batch, before any layer.
    batch_size: interactions in one step, at most a sixteenth of all.
    epochs: passes over all interactions, at most.
    patience: 0 trains all epochs; n > 0 holds a twentieth of the interactions out and stops when their recall@20
        has not improved in n measures, five epochs apart.
    init_std: standard deviation of the initial embeddings, or their root mean square after a warm start.
    warm_start: whether to begin with the singular vectors of the interaction matrix instead of noise.
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
            raise DataError("xsimgcl: contrast_layer lies between 1 and num_layers")
        if min(self.noise, self.contrast) < 0 or self.contrast_temperature <= 0:
            raise DataError("xsimgcl: noise and contrast are at least 0, contrast_temperature is above 0")


class XSimGCL(EmbeddingModel[XSimGCLConfig]):
    """score(u, i) = e_u · e_i with e the mean of the layers Ãˡ E, l = 1..num_layers (Yu et al., TKDE 2023).

    In training each layer adds ε · sign(e) ⊙ r/‖r‖ with r uniform in [0, 1)^dim (eq. 6), and the loss is that of the
    pairs plus λ · InfoNCE between the final vectors and those of one layer, over the users and over the items of a
    batch (eq. 9 and 10). As in the authors' code; L2 is on the embeddings before any layer, as in LightGCN.
    """

    config_class = XSimGCLConfig
    damping: ClassVar[float] = 0.5

    def build_encoder(self, training: TrainingData, x: Tensor) -> Encode:
        """The smoothed vectors without noise."""

        def encode(rows: np.ndarray | None) -> Tensor:
            final = torch.stack(layers(x, training.adjacency, self.config.num_layers)[1:]).mean(0)
            return final if rows is None else final[torch.from_numpy(rows).to(x.device)]

        return encode

    def loss(self, x: Tensor, encode: Encode, batch: Batch, training: TrainingData, rng: np.random.Generator) -> Tensor:  # noqa: ARG002  # training has its own encoder
        """The objective of a batch on blurred vectors, the contrast between two layers, and the squared parameters."""
        c = self.config
        generator = torch.Generator(x.device).manual_seed(int(rng.integers(1 << 62)))
        final, view = self.views(x, training.adjacency, generator)
        value = c.objective.value(
            lambda rows: final if rows is None else final[torch.from_numpy(rows).to(x.device)], batch, training.matrix
        )
        items = batch.positive if isinstance(batch, PairBatch) else np.flatnonzero(batch.history.sum(axis=0))
        for nodes in (np.unique(batch.user), training.num_users + np.unique(items)):
            index = torch.from_numpy(nodes).to(x.device)
            value = value + c.contrast * info_nce_loss(final[index], view[index], c.contrast_temperature)
        return value + c.weight_decay * decay(x, batch, training.num_users)

    def views(self, x: Tensor, adjacency: Adjacency, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """The final vectors and those of the contrast layer, both blurred, [num_nodes, dim] each."""
        found, z = [], x
        for _ in range(self.config.num_layers):
            z = product(z, adjacency)
            noise = torch.rand(z.shape, generator=generator, device=z.device)
            z = z + z.detach().sign() * F.normalize(noise, dim=-1) * self.config.noise
            found.append(z)
        return torch.stack(found).mean(0), found[self.config.contrast_layer - 1]

    def item_messages(self, x: Tensor, training: TrainingData) -> Tensor:
        """The smoothing of a user from the layers of their items: Σ layers 0..num_layers − 1, by √degree."""
        sent = torch.stack(layers(x, training.adjacency, self.config.num_layers - 1)).sum(0)[training.num_users :]
        degree = torch.from_numpy(training.matrix.sum(axis=0)).to(self.device).clamp(min=1)
        return sent * degree.rsqrt().unsqueeze(1) / self.config.num_layers
