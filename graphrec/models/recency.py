"""Histories weighted by age, and scores of items that users met by other behaviours: shared by closed-form models."""

from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Self, TypeVar

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.linalg.csr import State, append_row, empty_csr, pack, unpack
from graphrec.linalg.sparse import flat_positions
from graphrec.models.attribution import HistoryAttribution, score_single_items
from graphrec.models.base import Model, Space
from graphrec.relations import Relations, build_relations
from graphrec.vocabulary import IndexArray

#: Seconds of a day.
DAY = 86_400.0

#: Smallest weight: an interaction counts even after twenty half-lives.
MIN_WEIGHT = 1e-6

#: Half-lives in days that a search tries, 0 for no decay, and factors of items met by other behaviours.
HALF_LIVES, REVISITS = (0.0, 30.0, 180.0, 720.0), (0.0, 0.5, 1.0, 2.0)


@dataclass(frozen=True, kw_only=True)
class RecencyConfig:
    """Settings of models whose scores are sums over a weighted history.

    half_life: days after which an interaction of the history counts half, before the user's last one; 0: all count
        the same. It has no effect without times.
    revisit: factor of the scores of items that the user met by other behaviours only, such as views; 0 ranks them last.
    """

    half_life: float = 0.0
    revisit: float = 1.0

    def __post_init__(self) -> None:
        if self.half_life < 0 or self.revisit < 0:
            raise DataError("half_life and revisit must not be negative")


Config = TypeVar("Config", bound=RecencyConfig)


class RecencyModel(Model[Config]):
    """Weights histories by age and scores by `revisit`; a subclass fits to the 0/1 matrix, calls `read_history`, and
    defines a `fold_in` that is linear in the history.

    The history row r_u has ½^(age/half-life) for each item, counted from the user's last interaction, as in the
    predictions of Ding and Li, CIKM 2005. Counted from the end of train instead, all weights of a user would have
    another common factor, which changes no ranking of scores that are linear in r_u.
    """

    def __init__(self, config: Config, device: torch.device | str = "cpu") -> None:
        super().__init__(config, device)
        self.history = empty_csr()  # r_u, [num_users, num_items]
        self.other_pairs = empty_csr()  # 1 for items met by other behaviours only; empty if `revisit` is 1

    def read_history(self, graph: HeteroGraph, interactions: Interactions) -> sparse.csr_array:
        """The 0/1 matrix to fit to; sets the weighted histories, and the pairs of other behaviours if `revisit` needs
        them."""
        pairs = interactions.matrix()
        self.history = weigh_by_age(interactions, self.config.half_life) if self.config.half_life > 0 else pairs
        self.other_pairs = empty_csr()
        if self.config.revisit != 1.0:
            self.other_pairs = find_other_pairs(interactions, build_relations(graph).behaviours.values())
        return pairs

    def score(self, user_index: IndexArray) -> Tensor:
        """The scores [batch, num_items] float32 of the weighted histories."""
        return self.revisit(self.fold_in(self.history[user_index]), user_index)

    def revisit(self, scores: Tensor, user_index: IndexArray) -> Tensor:
        """Scores [batch, num_items] of users in training, with those of items met otherwise multiplied, in place."""
        return apply_revisit(
            scores, self.other_pairs[user_index] if self.other_pairs.nnz else None, self.config.revisit
        )

    def fold_in_users(self, target: Interactions, relations: Relations) -> Tensor:
        """Scores [batch, num_items] float32 of users who were not in training, exactly as in training."""
        scores = self.fold_in(weigh_by_age(target, self.config.half_life))
        if self.config.revisit == 1.0:
            return scores
        return apply_revisit(scores, find_other_pairs(target, relations.behaviours.values()), self.config.revisit)

    def with_user(self, target: Interactions, relations: Relations) -> Self:
        """The model with the weighted history of one more user, and the user's items of other behaviours."""
        extended = copy(self)
        extended.history = append_row(self.history, weigh_by_age(target, self.config.half_life))
        if self.config.revisit != 1.0:
            pairs = self.other_pairs if self.other_pairs.nnz else empty_csr(*self.history.shape)
            extended.other_pairs = append_row(pairs, find_other_pairs(target, relations.behaviours.values()))
        return extended

    def explain_history(self, history: sparse.csr_array, user_index: int, item_index: int) -> HistoryAttribution:
        """The exact contribution of each item of the history, with its weight."""
        weights = self.history[[user_index]].toarray().ravel()[history.indices]
        weighted = sparse.csr_array((weights, history.indices, history.indptr), shape=history.shape)
        amounts = score_single_items(self.fold_in, weighted, item_index)
        return HistoryAttribution(amounts * self.revisit_factor(user_index, item_index), exact=True)

    def revisit_factor(self, user_index: int, item_index: int) -> float:
        """The factor by which `revisit` multiplies this score."""
        return self.config.revisit if self.has_other_behaviour(user_index, item_index) else 1.0

    def has_other_behaviour(self, user_index: int, item_index: int) -> bool:
        """Whether the user has the item by other behaviours only; False if `revisit` is 1."""
        return bool(self.other_pairs.nnz and self.other_pairs[[user_index], [item_index]][0])

    def state(self) -> State:
        """The weighted histories, and the pairs of other behaviours if there are any."""
        other = pack("other_pairs", self.other_pairs) if self.other_pairs.nnz else {}
        return pack("history", self.history) | other

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Restore histories and pairs."""
        self.history = unpack("history", state)
        self.other_pairs = unpack("other_pairs", state) if "other_pairs.shape" in state else empty_csr()


def weigh_by_age(interactions: Interactions, half_life: float, now: int | None = None) -> sparse.csr_array:
    """½^(age/half-life) of the latest interaction of each pair, at least 1e-6, [num_users, num_items] float32.

    Ages in days are counted from `now` in Unix seconds, or without it from the user's last interaction; 1 without times
    or with a half-life of 0.
    """
    if half_life <= 0 or interactions.time is None or not len(interactions):
        return interactions.matrix()
    user, time = interactions.user_index, interactions.time
    latest = np.lexsort((time, interactions.item_index, user))
    key = user[latest] * interactions.num_items + interactions.item_index[latest]
    latest = latest[np.append(key[1:] != key[:-1], True)]  # the latest interaction of each pair
    if now is None:
        last = np.full(interactions.num_users, np.iinfo(np.int64).min)
        np.maximum.at(last, user, time)
        age = last[user[latest]] - time[latest]
    else:
        age = now - time[latest]
    weight = np.maximum(0.5 ** (age / (half_life * DAY)), MIN_WEIGHT).astype(np.float32)
    shape = (interactions.num_users, interactions.num_items)
    return sparse.csr_array((weight, (user[latest], interactions.item_index[latest])), shape=shape)


def find_other_pairs(target: Interactions, others: Iterable[Interactions]) -> sparse.csr_array:
    """1 for each pair of other behaviours that the target behaviour does not have, [num_users, num_items] float32."""
    pairs = empty_csr(target.num_users, target.num_items)
    for part in others:
        pairs = sparse.csr_array(pairs.maximum(part.matrix()))
    if not pairs.nnz:  # as for most users, one at a time
        return pairs
    pairs = sparse.csr_array(pairs - pairs.multiply(target.matrix()))
    pairs.eliminate_zeros()
    return pairs


def apply_revisit(scores: Tensor, other_pairs: sparse.csr_array | None, factor: float) -> Tensor:
    """Scores [batch, num_items] after multiplying those at `other_pairs` [batch, num_items] by a factor, in place."""
    if factor != 1.0 and other_pairs is not None and other_pairs.nnz:
        scores.view(-1)[torch.from_numpy(flat_positions(other_pairs)).to(scores.device)] *= factor
    return scores


def has_days(graph: HeteroGraph) -> bool:
    """Whether the target behaviour has times that are days apart; positions in a history are not."""
    times = graph.data[graph.target].get("timestamp")
    if times is None or not len(times):
        return False
    known = times.double()[times.double().isfinite()]
    return bool(len(known) and float(known.max() - known.min()) >= DAY)


def recency_space(graph: HeteroGraph) -> Space:
    """The search space of `half_life` and `revisit`: what a graph has times and other behaviours for."""
    space: dict[str, tuple[object, ...]] = {"half_life": HALF_LIVES} if has_days(graph) else {}
    if build_relations(graph).behaviours:
        space["revisit"] = REVISITS
    return space
