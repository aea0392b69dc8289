"""Losses of scores or vectors; each returns the mean over the batch, a scalar tensor."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from scipy import sparse
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
    positive_temperature: float = 0.0,
) -> Tensor:
    """The mean of −log(e^{s⁺/τ⁺} / (e^{s⁺/τ} + Σⱼ e^{sⱼ/τ})) over positive scores s⁺ [batch], negatives s [batch, n].

    Wu et al., TOIS 2024 (SSM), with τ⁺ = τ; Jean et al., ACL 2015, for the correction.

    With τ⁺ ≠ τ it is the bilateral softmax loss (BSL) of Wu et al., ICDE 2024, as their code computes it for a single
    positive (mode "reweight"): −log(e^{s⁺/τ} / (Σⱼ e^{sⱼ/τ})^t) with a power t = τ⁺/τ. It differs from that in that it
    is divided by t, which changes only its size relative to a weight decay, and in that Σⱼ includes the positive. There
    is no log-mean-exp over the positives of a user, as in their mode "multi"; with single positives, a factor τ/τ⁺
    before log Σⱼ would make the loss a multiple of the plain softmax loss.

    Args:
        positive: s⁺, [batch].
        negative: s, [batch, n].
        temperature: τ.
        log_q: the logarithms of the expected frequencies of the negatives in the sample, [n] or [batch, n]; subtracting
            them from the logits makes Σⱼ an unbiased estimate of the sum over all items (Bengio and Senécal, 2008).
        hits: mask of the negatives that are positives of their row, which are left out, [batch, n].
        positive_temperature: τ⁺, by which the scores of positives are divided in the numerator; 0 for τ.
    """
    logits = negative / temperature  # [batch, n]
    if log_q is not None:
        logits = logits - log_q
    if hits is not None:
        logits = logits.masked_fill(hits, -math.inf)
    positive_logit = positive / temperature  # [batch]
    all_logits = torch.cat([positive_logit.unsqueeze(-1), logits], dim=-1)  # [batch, 1 + n]
    numerator = positive / positive_temperature if positive_temperature else positive_logit
    return (torch.logsumexp(all_logits, dim=-1) - numerator).mean()


def in_batch_softmax_loss(
    users: Tensor,
    items: Tensor,
    item_index: Tensor,
    temperature: float,
    log_q: Tensor | None = None,
    positive_temperature: float = 0.0,
) -> Tensor:
    """The softmax loss of interactions with the items of the other interactions of the batch as negatives.

    Yi et al., RecSys 2019. Differs in that the logit of the positive is not corrected, as in `sampled_softmax_loss`.

    Args:
        users: vectors of the users, [batch, d].
        items: vectors of their items, [batch, d].
        item_index: the items, [batch]; negatives that equal the positive of a row are left out.
        temperature: τ, by which scores are divided.
        log_q: the logarithms of the expected frequencies of the items in a batch, [batch]; subtracting them from the
            logits of negatives avoids that popular items, which are drawn more often, get too low scores.
        positive_temperature: τ⁺, as in `sampled_softmax_loss`; 0 for τ.
    """
    logits = users @ items.T / temperature  # [batch, batch]
    positive = logits.diagonal()
    if log_q is not None:
        logits = logits - log_q
    is_same = item_index.unsqueeze(0) == item_index.unsqueeze(1)  # [batch, batch], True on the diagonal
    logits = logits.masked_fill(is_same, -math.inf)
    all_logits = torch.cat([positive.unsqueeze(-1), logits], dim=-1)
    numerator = positive * (temperature / positive_temperature) if positive_temperature else positive
    return (torch.logsumexp(all_logits, dim=-1) - numerator).mean()


def multinomial_loss(logits: Tensor, history: sparse.csr_array) -> Tensor:
    """The mean over rows of −Σᵢ xᵢ log softmaxᵢ(logits) with logits [batch, n] and 0/1 rows x [batch, n].

    Liang et al., WWW 2018, equation 2. For vectors of less than 100 numbers, `catalogue_softmax_loss` is faster.
    """
    counts = np.diff(history.indptr)
    flat = np.repeat(np.arange(len(counts), dtype=np.int64) * logits.shape[1], counts) + history.indices
    chosen = logits.reshape(-1)[torch.from_numpy(flat).to(logits.device)].sum()
    return (torch.logsumexp(logits, dim=1) @ torch.from_numpy(counts).to(logits) - chosen) / len(counts)


def info_nce_loss(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """The mean of −log(e^{cos(aᵢ, bᵢ)/τ} / Σⱼ e^{cos(aᵢ, bⱼ)/τ}) of two views a, b [batch, d] of the same nodes.

    InfoNCE (Oord et al., 2018) in the form of SimGCL and XSimGCL (Yu et al., SIGIR 2022 and TKDE 2023).
    """
    logits = F.normalize(first, dim=-1) @ F.normalize(second, dim=-1).T / temperature  # [batch, batch]
    return (torch.logsumexp(logits, dim=-1) - logits.diagonal()).mean()


def gbce_loss(positive: Tensor, negative: Tensor, power: float, hits: Tensor) -> Tensor:
    """The mean of −(β log σ(s⁺) + Σⱼ log(1 − σ(sⱼ))) / (n + 1) over scores s⁺ [batch] and negatives s [batch, n].

    The generalised binary cross-entropy of gSASRec (Petrov and Macdonald, RecSys 2023); with β = 1 it is the
    binary cross-entropy of SASRec. It differs in that negatives may be shared by the batch.

    Args:
        positive: s⁺, [batch].
        negative: s, [batch, n].
        power: β, of `gbce_power`.
        hits: mask of the negatives that are the positive of their row, which are left out, [batch, n].
    """
    total = power * F.softplus(-positive) + F.softplus(negative).masked_fill(hits, 0.0).sum(1)
    return total.mean() / (negative.shape[1] + 1)


def gbce_power(num_negatives: int, num_items: int, calibration: float) -> float:
    """β = α (t (1 − 1/α) + 1/α), with the sampling rate α = num_negatives / (num_items − 1) and the calibration t.

    t = 0 is the binary cross-entropy (β = 1), which overestimates probabilities; with t = 1, σ(s) is a calibrated
    probability (gSASRec).
    """
    rate = min(num_negatives / max(num_items - 1, 1), 1.0)
    return rate * (calibration * (1.0 - 1.0 / rate) + 1.0 / rate)
