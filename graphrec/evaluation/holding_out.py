"""What is held out of a published split's known part to choose settings by: a part made as the test part is."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from graphrec.evaluation.datasets import Dataset
from graphrec.hetero import HeteroGraph, restrict
from graphrec.interactions import Interactions, join
from graphrec.models.filter_kernel import normalise
from graphrec.models.spectrum import spectrum
from graphrec.splitting import leave_last_out

#: The share that is held out at random, and that of each user where what is held out belongs together.
AT_RANDOM, COHERENT = 0.1, 0.2

#: Items with fewer interactions say nothing of how a test part was drawn.
SUPPORTED = 20

#: Items whose shares in the test part spread wider than chance by this factor were not drawn by chance.
SPREAD = 1.5

#: Directions by which items of a history are told to belong together, and their largest share of all there are.
DIRECTIONS, DIRECTIONS_SHARE = 64, 1 / 16

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Validation:
    """The graph that a config may be tried on, its interactions `rest`, the `part` to choose by, and its `likeness`:
    whether that was drawn as the test part was, and is not only more like it than a random part."""

    graph: HeteroGraph
    rest: Interactions
    part: Interactions
    likeness: bool


def hold_out(dataset: Dataset, rng: np.random.Generator) -> Validation:
    """A part of what is known to choose a config by.

    Where the test part has one interaction of each user: one of each, the last where there are times. Where it is a
    random part, a random tenth. Else `coherent` parts of the histories. What is held out is cut from the other
    behaviours too, as the test part is.
    """
    known, likeness = dataset.known, True
    if dataset.truth.user_degree().max() == 1:
        parts = leave_last_out(known, rng)
        rest, part = join(parts.train, parts.validation), parts.test
    else:
        likeness = is_random_part(known, dataset.truth)
        held = at_random(known, rng) if likeness else coherent(known, rng)
        rest, part = known.take(~held), known.take(held)
    return Validation(restrict(dataset.graph, rest, None, part), rest, part, likeness)


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


def coherent(known: Interactions, rng: np.random.Generator) -> Mask:
    """A fifth of each user's interactions [len(known)]: a random one, and those with the items most like its own.

    What somebody does next is often something new: another town, another author. A random part holds out single items
    whose neighbours all stay, and flatters models that follow neighbours. Items are alike by the cosine of their
    leading spectral vectors. At least one interaction of each user stays.
    """
    matrix, degree = known.matrix(), np.maximum(known.item_degree(), 1).astype(np.float32)
    rank = min(DIRECTIONS, max(int(DIRECTIONS_SHARE * min(matrix.shape)), 1))
    vectors = spectrum(normalise(matrix, degree, 0.5, 0.5), rank, rng)[0].numpy()
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    users, place_of_user, degrees = np.unique(known.user_index, return_inverse=True, return_counts=True)
    starts = np.cumsum(degrees) - degrees
    by_user = np.argsort(known.user_index, kind="stable")
    first = by_user[starts + (rng.random(len(users)) * degrees).astype(np.int64)]
    alike = np.einsum("nk,nk->n", vectors[known.item_index], vectors[known.item_index[first]][place_of_user])
    alike[first] = 2.0  # more than any cosine
    place = np.empty(len(known), dtype=np.int64)
    place[np.lexsort((-alike, place_of_user))] = np.arange(len(known)) - np.repeat(starts, degrees)
    number = np.minimum((COHERENT * degrees + rng.random(len(users))).astype(np.int64), degrees - 1)
    held: Mask = place < number[place_of_user]
    return held
