"""Early stopping of sequence networks: the last items of some users are held out and ranked."""

import numpy as np
import torch
from torch import Tensor

from graphrec.histories import Histories
from graphrec.vocabulary import IndexArray

#: Number of users whose last items are held out.
STOPPING_USERS = 1000


def choose_users(histories: Histories, rng: np.random.Generator) -> IndexArray:
    """Up to STOPPING_USERS users with at least three items, whose last items are held out."""
    users = np.flatnonzero(histories.lengths >= 3)
    return rng.permutation(users)[:STOPPING_USERS]


def without_last_of(histories: Histories, users: IndexArray) -> Histories:
    """The histories without the last items of some users."""
    retained = np.ones(histories.num_events, dtype=bool)
    retained[histories.indptr[users + 1] - 1] = False
    lengths = histories.lengths
    lengths[users] -= 1
    indptr = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
    return Histories(indptr, histories.items[retained], histories.num_items)


def ndcg_of_last(scores: Tensor, histories: Histories) -> float:
    """NDCG@10 of the last item of each history by scores [num_users, num_items], which are overwritten.

    Items that are earlier in the history are not ranked.
    """
    earlier, target = histories.without_last(), torch.from_numpy(histories.items[histories.indptr[1:] - 1]).long()
    scores[torch.from_numpy(earlier.users), torch.from_numpy(earlier.items).long()] = -torch.inf
    rank = (scores > scores.gather(1, target.unsqueeze(1))).sum(1)
    return float(((rank < 10) / torch.log2(rank + 2.0)).mean())
