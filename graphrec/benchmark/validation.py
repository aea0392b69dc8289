"""What is held out of a published split's known part to choose settings by: a part made as the test part is."""

from dataclasses import dataclass

import numpy as np

from graphrec.benchmark.datasets import Dataset
from graphrec.errors import DataError
from graphrec.evaluation.protocol import warm_users
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.splitting import from_last
from graphrec.splitting.coherent import Mask, coherent_holdout
from graphrec.train_view import restrict

#: The share that is held out at random.
AT_RANDOM = 0.1

#: Items with fewer interactions say nothing of how a test part was drawn.
SUPPORTED = 20

#: Items whose shares in the test part spread wider than chance by this factor were not drawn by chance.
SPREAD = 1.5


@dataclass(frozen=True, eq=False)
class ValidationSet:
    """The graph that a config may be tried on, its interactions `rest`, the `part` to choose by, and its `likeness`:
    whether that was drawn as the test part was, and is not only more like it than a random part."""

    graph: HeteroGraph
    rest: Interactions
    part: Interactions
    likeness: bool


def hold_out(dataset: Dataset, rng: np.random.Generator) -> ValidationSet:
    """A part of what is known to choose a config by.

    Where the test part has one interaction of each user: one of each who has two, the last where there are times. Where
    it is a random part, a random tenth. Else `coherent` parts of the histories. What is held out is cut from the other
    behaviours too, as the test part is.

    Raises DataError where no user would have interactions in both parts.
    """
    known, likeness = dataset.known, True
    if dataset.truth.user_degree().max() == 1:
        held = last_of_each(known, rng)
    elif is_random_part(known, dataset.truth):
        held = at_random(known, rng)
    else:
        held, likeness = coherent_holdout(known, rng), False
    rest, part = known.take(~held), known.take(held)
    if not len(warm_users(rest, part)[0]):
        raise DataError(
            "too few interactions are known to hold any out of a history and choose settings by them; give settings "
            "with --set NAME=VALUE, or take --defaults"
        )
    return ValidationSet(restrict(dataset.graph, rest, None, part), rest, part, likeness)


def last_of_each(known: Interactions, rng: np.random.Generator) -> Mask:
    """The last interaction of each user who has another one [len(known)], a random one where there are no times."""
    held: Mask = (from_last(known, rng) == 0) & (known.user_degree()[known.user_index] >= 2)
    return held


def at_random(known: Interactions, rng: np.random.Generator) -> Mask:
    """A tenth of all interactions [len(known)]."""
    held = np.zeros(len(known), dtype=bool)
    held[rng.permutation(len(known))[: int(AT_RANDOM * len(known))]] = True
    return held


def is_random_part(known: Interactions, truth: Interactions) -> bool:
    """Whether the test part may have been drawn at random: the items' shares in it spread as they do by chance.

    The mean over items of (t − n p)² / (n p (1 − p)), for t of an item's n interactions in the test part and p of all,
    is 1 for a random part, with a deviation of √(2 / items). In the published test part of Gowalla, which has what each
    user did last, it is 2.7; in those of Last.fm and Douban-Book 1.1 and 1.0.
    """
    in_test = truth.item_degree()
    number = known.item_degree() + in_test
    supported = number >= SUPPORTED
    if not supported.any():
        return True
    in_test, number = in_test[supported], number[supported]
    share = in_test.sum() / number.sum()
    if share in (0, 1):  # nothing is shared out
        return True
    spread = np.mean((in_test - number * share) ** 2 / (number * share * (1 - share)))
    return bool(spread < max(SPREAD, 1 + 6 * np.sqrt(2 / len(number))))
