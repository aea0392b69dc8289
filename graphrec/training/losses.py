"""Losses: each takes scores or vectors and returns the mean over the batch, a tensor without dimensions."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def bpr_loss(positive: Tensor, negative: Tensor) -> Tensor:
    """The mean of −log σ(positive − negative), both [batch] or negative [batch, num_negatives].

    Rendle et al., UAI 2009, without its regulariser.
    """
    if negative.dim() == positive.dim() + 1:
        positive = positive.unsqueeze(-1)
    return F.softplus(negative - positive).mean()  # −log σ(x) = softplus(−x), without overflow


def mse_loss(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean of (prediction − target)², both [batch]."""
    return (prediction - target).square().mean()


def sampled_softmax_loss(
    positive: Tensor,
    negative: Tensor,
    temperature: float,
    log_q: Tensor | None = None,
    hits: Tensor | None = None,
) -> Tensor:
    """The mean of −log(e^{s⁺/τ} / (e^{s⁺/τ} + Σⱼ e^{sⱼ/τ})) over positive scores s⁺ [batch], negatives s [batch, n].

    log_q: the logarithms of how often each negative is expected in the sample, [n] or [batch, n]; subtracting them
        from the logits makes Σⱼ an unbiased estimate of the sum over all items (Bengio and Senécal, 2008).
    hits: True [batch, n] where a negative is a positive of the row by accident; it is left out.
    Wu et al., TOIS 2024 (SSM); Jean et al., ACL 2015, for the correction.
    """
    logits = negative / temperature  # [batch, n]
    if log_q is not None:
        logits = logits - log_q
    if hits is not None:
        logits = logits.masked_fill(hits, -math.inf)
    first = positive / temperature  # [batch]
    everything = torch.cat([first.unsqueeze(-1), logits], dim=-1)  # [batch, 1 + n]
    return (torch.logsumexp(everything, dim=-1) - first).mean()


def in_batch_softmax_loss(
    users: Tensor,
    items: Tensor,
    item_index: Tensor,
    temperature: float,
    log_q: Tensor | None = None,
) -> Tensor:
    """The softmax loss of pairs (users [batch, d], items [batch, d]) with the other pairs' items as negatives.

    item_index: the item of each row [batch]; other rows with the row's own item are left out.
    log_q: the logarithms of the expected number of times an item is in the batch, [batch]. Subtracted from all
        logits but the row's own, which counts as itself, so that popular items, which are drawn more often, are not
        pushed down (Yi et al., RecSys 2019, who correct the positive too; with it both sides would differ from
        `sampled_softmax_loss`).
    """
    logits = users @ items.T / temperature  # [batch, batch]
    positive = logits.diagonal()
    if log_q is not None:
        logits = logits - log_q
    same = item_index.unsqueeze(0) == item_index.unsqueeze(1)  # [batch, batch], true on the diagonal
    logits = logits.masked_fill(same, -math.inf)
    everything = torch.cat([positive.unsqueeze(-1), logits], dim=-1)
    return (torch.logsumexp(everything, dim=-1) - positive).mean()


def info_nce_loss(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """The mean of −log(e^{aᵢ·bᵢ/τ} / Σⱼ e^{aᵢ·bⱼ/τ}) of two views a, b [batch, d] of the same nodes, by cosine.

    Oord et al., 2018; the form of SimGCL and XSimGCL (Yu et al., SIGIR 2022 and TKDE 2023).
    """
    logits = F.normalize(first, dim=-1) @ F.normalize(second, dim=-1).T / temperature  # [batch, batch]
    return (torch.logsumexp(logits, dim=-1) - logits.diagonal()).mean()
