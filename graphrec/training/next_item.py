"""The softmax loss of next items: one positive per state, over all items or a sample that all states share."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from graphrec.training.softmax import Sample

#: Chunk size in scores: 4 MB on a CPU, where each chunk is read several times, and 512 MB on other devices.
CHUNK_SCORES = {"cpu": 1 << 20}
DEFAULT_CHUNK_SCORES = 1 << 27


def next_item_softmax_loss(
    states: Tensor, items: Tensor, bias: Tensor, target: Tensor, sample: Sample | None = None
) -> Tensor:
    """The mean of −log(e^{s⁺} / Σⱼ e^{sⱼ}) with the scores s = states · itemsᵀ + bias and s⁺ that of the target.

    The full cross entropy of SASRec+ (Klenitskiy and Vasilev, RecSys 2023) if j runs over all items. With a sample, it
    is the `sampled_softmax_loss` of negatives that all states share: Σⱼ runs over the target and the sampled items
    that differ from it, with their logits corrected by −log q. The gradient is computed with the loss, in chunks of
    states, so the scores are never stored.

    Args:
        states: [n, d].
        items: [num_items, d].
        bias: [num_items].
        target: the next items, [n] int64.
        sample: sampled items and the logarithms of their expected frequencies; None for all items.
    """
    arguments = (states, items, bias, target, sample)
    result: Tensor = _NextItemSoftmax.apply(*arguments)  # type: ignore[no-untyped-call]
    return result


class _NextItemSoftmax(Function):
    @staticmethod
    def forward(
        ctx: Any,  # torch's own
        states: Tensor,
        items: Tensor,
        bias: Tensor,
        target: Tensor,
        sample: Sample | None,
    ) -> Tensor:
        gradients = [torch.empty_like(states), torch.zeros_like(items), torch.zeros_like(bias)]
        if sample is None:
            loss = _full(states, items, bias, target, gradients)
        else:
            loss = _sampled(states, items, bias, target, sample, gradients)
        ctx.save_for_backward(*gradients)
        return loss

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:  # ctx: torch's own
        states, items, bias = ctx.saved_tensors
        return states * gradients[0], items * gradients[0], bias * gradients[0], None, None


def _full(states: Tensor, items: Tensor, bias: Tensor, target: Tensor, gradients: list[Tensor]) -> Tensor:
    """The loss over all items; `gradients` of states, items and bias are filled."""
    loss, weight = states.new_zeros(()), 1.0 / len(states)
    for start, end in _chunks(states, len(items)):
        x, index = states[start:end], target[start:end].unsqueeze(1)
        z = torch.addmm(bias, x, items.T)  # [chunk, num_items]
        top = z.amax(1, keepdim=True)
        loss -= z.gather(1, index).sum() - top.sum()
        z.sub_(top).exp_()
        total = z.sum(1, keepdim=True)
        loss += total.log().sum()
        z.mul_(weight / total)
        z.scatter_add_(1, index, z.new_full((len(x), 1), -weight))
        torch.mm(z, items, out=gradients[0][start:end])
        gradients[1].addmm_(z.T, x)
        gradients[2].add_(z.sum(0))
    return loss * weight


def _sampled(
    states: Tensor, items: Tensor, bias: Tensor, target: Tensor, sample: Sample, gradients: list[Tensor]
) -> Tensor:
    """The loss over the target and a sample; `gradients` of states, items and bias are filled."""
    index = torch.from_numpy(sample.item_index).to(states.device)
    negatives = items[index]
    offset = bias[index] - torch.from_numpy(sample.log_q).to(states)
    positives = items[target]  # [n, d]
    positive = (states * positives).sum(1) + bias[target]
    negative_gradient, offset_gradient = torch.zeros_like(negatives), torch.zeros_like(offset)
    loss, weight = states.new_zeros(()), 1.0 / len(states)
    pull = torch.empty_like(positive)  # derivative of the loss by the score of the target
    for start, end in _chunks(states, len(index)):
        x, s = states[start:end], positive[start:end].unsqueeze(1)
        z = torch.addmm(offset, x, negatives.T)  # [chunk, num_negatives]
        z.masked_fill_(index == target[start:end].unsqueeze(1), -torch.inf)
        top = torch.maximum(z.amax(1, keepdim=True), s)
        z.sub_(top).exp_()
        share = (s - top).exp()
        total = z.sum(1, keepdim=True) + share
        loss += (total.log() + top - s).sum()
        z.mul_(weight / total)
        torch.mm(z, negatives, out=gradients[0][start:end])
        negative_gradient.addmm_(z.T, x)
        offset_gradient.add_(z.sum(0))
        pull[start:end] = (share / total - 1.0).squeeze(1) * weight
    gradients[0].addcmul_(positives, pull.unsqueeze(1))
    gradients[1].index_add_(0, index, negative_gradient).index_add_(0, target, states * pull.unsqueeze(1))
    gradients[2].index_add_(0, index, offset_gradient).index_add_(0, target, pull)
    return loss * weight


def _chunks(states: Tensor, num_scores: int) -> list[tuple[int, int]]:
    size = max(CHUNK_SCORES.get(states.device.type, DEFAULT_CHUNK_SCORES) // max(num_scores, 1), 1)
    return [(start, min(start + size, len(states))) for start in range(0, len(states), size)]
