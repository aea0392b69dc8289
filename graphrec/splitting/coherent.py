"""Parts of histories that belong together, such as a trip or an author: what a random part leaves the neighbours of."""

import numpy as np
import numpy.typing as npt

from graphrec.interactions import Interactions
from graphrec.linalg.sparse import normalise
from graphrec.linalg.svd import spectrum

#: The share of each history that belongs together.
COHERENT = 0.2

#: Directions that decide which items of a history belong together, and the cap on their share of all.
DIRECTIONS, DIRECTIONS_SHARE = 64, 1 / 16

Mask = npt.NDArray[np.bool_]


def coherent_holdout(known: Interactions, rng: np.random.Generator) -> Mask:
    """A fifth of each user's interactions [len(known)]: a random one, and those with the items most like its own.

    What a user chooses next is often something new: another town, another author. A random part holds out single items
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
