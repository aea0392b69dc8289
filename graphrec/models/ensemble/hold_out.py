"""The interactions in two parts: members are fitted to one, and what combines them is learned on the other."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from graphrec.interactions import Interactions
from graphrec.splitting import by_time
from graphrec.splitting.coherent import coherent_holdout
from graphrec.splitting.held_out import hold_out_at_random, hold_out_last, hold_out_newest, hold_out_one
from graphrec.vocabulary import IndexArray

#: Kinds of held-out parts, each with functions whose parts are held out together.
HELD_OUT = {
    "random": (hold_out_at_random, hold_out_one),
    "newest": (hold_out_newest, hold_out_last),
    "last": (hold_out_last,),
    "coherent": (coherent_holdout,),
}
VALIDATIONS = ("auto", "latest", *HELD_OUT)

#: Share of the interactions that `latest` holds out.
LATEST_SHARE = 0.1


@dataclass(frozen=True, eq=False)
class HoldOut:
    """The interactions in two parts, to learn from a part that members were not fitted to.

    train: the part that the members are fitted to.
    validation: the part to learn on.
    cut: the time that divides the parts; None if they are not divided by time.
    """

    train: Interactions
    validation: Interactions
    cut: int | None = None


def hold_out(interactions: Interactions, validation: str, rng: np.random.Generator) -> HoldOut | None:
    """The interactions divided as a setting `validation` says; None if no user has items in both parts, as in a
    graph of few interactions."""
    if len(interactions) < 3:
        return None
    if validation == "auto":
        validation = "random" if interactions.time is None else "latest"
    if validation == "latest":
        split = by_time(interactions, rng, validation=0.0, test=LATEST_SHARE)
        parts = HoldOut(split.train, split.test, split.cut)
    else:
        mask = np.logical_or.reduce([draw(interactions, rng) for draw in HELD_OUT[validation]])
        parts = HoldOut(interactions.take(~mask), interactions.take(mask))
    return parts if len(find_common_users(parts.train.matrix(), parts.validation.matrix())) else None


def find_common_users(train: sparse.csr_array, validation: sparse.csr_array) -> IndexArray:
    """The users with items in both parts."""
    return np.flatnonzero((np.diff(train.indptr) > 0) & (np.diff(validation.indptr) > 0))
