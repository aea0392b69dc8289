"""The softmax loss over all items for whole histories, computed in chunks of users."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor
from torch.autograd import Function

from graphrec.interactions import FloatArray
from graphrec.vocabulary import IndexArray

#: Chunk size in scores: 16 MB on a CPU, where they should fit the cache, and 512 MB on other devices.
CHUNK_SCORES = {"cpu": 1 << 22}
DEFAULT_CHUNK_SCORES = 1 << 27


@dataclass(frozen=True, eq=False)
class Sample:
    """Sampled items [n], and the logarithms of their expected frequencies in the sample, [n]."""

    item_index: IndexArray
    log_q: FloatArray


def catalogue_softmax_loss(
    users: Tensor,
    items: Tensor,
    history: sparse.csr_array,
    temperature: float,
    sample: Sample | None = None,
    positive_temperature: float = 0.0,
) -> Tensor:
    """The mean over all interactions of −log(e^{s⁺/τ⁺} / Σⱼ e^{sⱼ/τ}), j over all items, s = users · itemsᵀ.

    With τ⁺ = τ, the multinomial likelihood of Liang et al., WWW 2018, eq. 2, with a temperature; otherwise the
    bilateral softmax loss of Wu et al., ICDE 2024, in the form of `sampled_softmax_loss`. All interactions of a user
    share the sum Σⱼ, so it is exact and still cheaper than a few hundred sampled negatives per interaction. The
    gradient is computed with the loss, in chunks of users.

    Args:
        users: [batch, d].
        items: [num_items, d].
        history: interactions of the users, weighted by their values, [batch, num_items].
        temperature: τ.
        sample: items that the sum is estimated from (Bengio and Senécal, 2008); None for the sum over all items.
        positive_temperature: τ⁺, by which the scores of positives are divided in the numerator; 0 for τ.
    """
    arguments = (users, items, history, temperature, sample, positive_temperature or temperature)
    result: Tensor = _CatalogueSoftmax.apply(*arguments)  # type: ignore[no-untyped-call]
    return result


class _CatalogueSoftmax(Function):
    @staticmethod
    def forward(
        ctx: Any,  # torch's own
        users: Tensor,
        items: Tensor,
        history: sparse.csr_array,
        temperature: float,
        sample: Sample | None,
        positive_temperature: float,
    ) -> Tensor:
        index = None if sample is None else torch.from_numpy(sample.item_index).to(items.device)
        log_q = None if sample is None else torch.from_numpy(sample.log_q).to(items)
        negatives = items if index is None else items[index]
        counts = torch.from_numpy(history.sum(axis=1).astype(np.float32)).to(users)
        total = float(history.sum())
        normalisers, user_gradient, negative_gradient = _log_partition(
            users / temperature, negatives, counts / total, log_q
        )
        item_gradient = (
            negative_gradient if index is None else torch.zeros_like(items).index_add_(0, index, negative_gradient)
        )
        rows, columns, weight = _entries(history, users.device)
        weight = (weight.to(users) / (positive_temperature * total)).unsqueeze(1)
        chosen = items[columns] * weight  # [interactions, d]
        loss = normalisers @ counts / total - (users[rows] * chosen).sum()
        user_gradient = (user_gradient / temperature).index_add_(0, rows, chosen, alpha=-1)
        item_gradient.index_add_(0, columns, users[rows] * weight, alpha=-1)
        ctx.save_for_backward(user_gradient, item_gradient)
        return loss

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None, None, None]:  # ctx: torch's own
        user_gradient, item_gradient = ctx.saved_tensors
        return user_gradient * gradients[0], item_gradient * gradients[0], None, None, None, None


def _log_partition(users: Tensor, items: Tensor, weight: Tensor, log_q: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """log Σⱼ e^{u·iⱼ − log qⱼ} [batch] of users [batch, d] and items [n, d], and the gradients [batch, d] and [n, d] of
    its sum over the users with weights [batch]."""
    normalisers, user_gradient, item_gradient = (
        users.new_empty(len(users)),
        torch.empty_like(users),
        torch.zeros_like(items),
    )
    size = max(CHUNK_SCORES.get(users.device.type, DEFAULT_CHUNK_SCORES) // max(len(items), 1), 1)
    for start in range(0, len(users), size):
        end = start + size
        z = users[start:end] @ items.T  # [chunk, n]
        if log_q is not None:
            z.sub_(log_q)
        top = z.amax(1, keepdim=True)
        z.sub_(top).exp_()
        total = z.sum(1, keepdim=True)
        normalisers[start:end] = (total.log() + top).squeeze(1)
        scale = weight[start:end].unsqueeze(1) / total
        torch.mul(z @ items, scale, out=user_gradient[start:end])
        item_gradient.addmm_(z.T, users[start:end] * scale)
    return normalisers, user_gradient, item_gradient


def _entries(history: sparse.csr_array, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Rows, columns and values of the entries of a CSR matrix, each [num_entries]."""
    rows = np.repeat(np.arange(history.shape[0], dtype=np.int64), np.diff(history.indptr))
    values = history.data.astype(np.float32)
    arrays = (rows, history.indices.astype(np.int64), values)
    row, column, value = (torch.from_numpy(array).to(device) for array in arrays)
    return row, column, value
