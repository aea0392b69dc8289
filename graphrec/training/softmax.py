"""The softmax over a whole catalogue for whole histories, without ever holding all its scores."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor
from torch.autograd import Function

from graphrec.interactions import FloatArray
from graphrec.vocabulary import IndexArray

#: Scores that exist at one time: 16 MB on a CPU, where they should stay in its cache, and 512 MB elsewhere.
SCORES_AT_ONCE = {"cpu": 1 << 22}
SCORES_ELSEWHERE = 1 << 27


@dataclass(frozen=True, eq=False)
class Sample:
    """Items that represent all, [n], and the logarithms of how often each of them is expected in the sample, [n]."""

    item_index: IndexArray
    log_q: FloatArray


def catalogue_softmax_loss(
    users: Tensor, items: Tensor, history: sparse.csr_array, temperature: float, sample: Sample | None = None
) -> Tensor:
    """The mean over all interactions of −log(e^{s⁺/τ} / Σⱼ e^{sⱼ/τ}), j over all items, s = users · itemsᵀ.

    users [batch, d], items [num_items, d], history [batch, num_items] their interactions, each weighted by its value.
    The sum belongs to a user, not to an interaction, so that a user costs the same however many items they chose:
    exact, and cheaper than a few hundred sampled negatives for each interaction. This is the multinomial likelihood
    of Liang et al., WWW 2018, eq. 2, with a temperature; a chunk of users at a time, its gradient computed with it.
    With a `sample` the sum is estimated from its items, shared by all users of the batch (Bengio and Senécal, 2008).
    """
    arguments = (users, items, history, temperature, sample)
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
    ) -> Tensor:
        index = None if sample is None else torch.from_numpy(sample.item_index).to(items.device)
        log_q = None if sample is None else torch.from_numpy(sample.log_q).to(items.device)
        rivals = items if index is None else items[index]
        counts = torch.from_numpy(history.sum(axis=1).astype(np.float32)).to(users.device)
        total = float(history.sum())
        normalisers, of_users, of_rivals = _partition(users / temperature, rivals, counts / total, log_q)
        of_items = of_rivals if index is None else torch.zeros_like(items).index_add_(0, index, of_rivals)
        rows, columns, weight = _entries(history, users.device)
        weight = (weight / (temperature * total)).unsqueeze(1)
        chosen = items[columns] * weight  # [interactions, d]
        loss = normalisers @ counts / total - (users[rows] * chosen).sum()
        of_users = (of_users / temperature).index_add_(0, rows, chosen, alpha=-1)
        of_items.index_add_(0, columns, users[rows] * weight, alpha=-1)
        ctx.save_for_backward(of_users, of_items)
        return loss

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None, None]:  # ctx: torch's own
        of_users, of_items = ctx.saved_tensors
        return of_users * gradients[0], of_items * gradients[0], None, None, None


def _partition(users: Tensor, items: Tensor, weight: Tensor, log_q: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """log Σⱼ e^{u·iⱼ − log qⱼ} [batch] of users [batch, d] and items [n, d], and the gradients of its sum over the
    users, each with its weight [batch]: [batch, d] and [n, d]."""
    normalisers, of_users, of_items = users.new_empty(len(users)), torch.empty_like(users), torch.zeros_like(items)
    size = max(SCORES_AT_ONCE.get(users.device.type, SCORES_ELSEWHERE) // max(len(items), 1), 1)
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
        torch.mul(z @ items, scale, out=of_users[start:end])
        of_items.addmm_(z.T, users[start:end] * scale)
    return normalisers, of_users, of_items


def _entries(history: sparse.csr_array, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Rows, columns and values of a CSR matrix, each [non-zeros]."""
    rows = np.repeat(np.arange(history.shape[0], dtype=np.int64), np.diff(history.indptr))
    values = history.data.astype(np.float32)
    arrays = (rows, history.indices.astype(np.int64), values)
    first, second, third = (torch.from_numpy(array).to(device) for array in arrays)
    return first, second, third
