"""Losses: each takes scores and returns the mean over the batch."""

import torch.nn.functional as F
from torch import Tensor


def bpr_loss(positive: Tensor, negative: Tensor) -> Tensor:
    """The mean of −log σ(positive − negative), both [batch] or negative [batch, num_negatives].

    Rendle et al., UAI 2009, without its regulariser.
    """
    if negative.dim() == positive.dim() + 1:
        positive = positive.unsqueeze(-1)
    return F.softplus(negative - positive).mean()  # −log σ(x) = softplus(−x), without overflow
