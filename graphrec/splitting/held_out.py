"""Parts of the interactions to hold out for the selection of settings and weights; one function for each kind."""

from dataclasses import replace

import numpy as np

from graphrec.interactions import Interactions
from graphrec.splitting.coherent import Mask
from graphrec.splitting.time_and_random import count_later

#: Share of the interactions in a random part, and share of each history in the newest part.
RANDOM_SHARE, NEWEST_SHARE = 0.1, 0.2


def hold_out_last(interactions: Interactions, rng: np.random.Generator) -> Mask:
    """Mask [len(interactions)] of the last interaction of each user with at least two; a random one without times."""
    mask: Mask = (count_later(interactions, rng) == 0) & (interactions.user_degree()[interactions.user_index] >= 2)
    return mask


def hold_out_one(interactions: Interactions, rng: np.random.Generator) -> Mask:
    """Mask [len(interactions)] of a random interaction of each user with at least two."""
    return hold_out_last(replace(interactions, time=None), rng)


def hold_out_newest(interactions: Interactions, rng: np.random.Generator) -> Mask:
    """Mask [len(interactions)] of the newest fifth of each history, rounded down; ties are in random order."""
    share = (NEWEST_SHARE * interactions.user_degree()).astype(np.int64)
    mask: Mask = count_later(interactions, rng) < share[interactions.user_index]
    return mask


def hold_out_at_random(interactions: Interactions, rng: np.random.Generator) -> Mask:
    """Mask [len(interactions)] of a random tenth, rounded down."""
    mask = np.zeros(len(interactions), dtype=bool)
    mask[rng.permutation(len(interactions))[: int(RANDOM_SHARE * len(interactions))]] = True
    return mask
