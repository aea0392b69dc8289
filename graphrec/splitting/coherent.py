"""Topically coherent hold-out: hides a group of similar items of a history at once, such as a trip or an author.

A random hold-out leaves the neighbours of every hidden item in training.
"""

import numpy as np
import numpy.typing as npt

from graphrec.interactions import Interactions
from graphrec.linalg.sparse import normalise
from graphrec.linalg.svd import spectrum

#: Share of each history that is held out.
COHERENT_SHARE = 0.2

#: Number of spectral directions that item similarity is computed from, capped at a share of the shorter side.
RANK, RANK_SHARE = 64, 1 / 16

Mask = npt.NDArray[np.bool_]


def coherent_holdout(interactions: Interactions, rng: np.random.Generator) -> Mask:
    """Mask [len(interactions)] of a fifth of each user's interactions: a random one, and those with the items most
    similar to its item. At least one interaction of each user is not held out.

    What a user chooses next is often something new: another town, another author. A random part holds out single items
    and leaves all their neighbours in training, which favours models that follow neighbours. The similarity of items is
    the cosine of their leading spectral vectors.
    """
    matrix, degree = interactions.matrix(), np.maximum(interactions.item_degree(), 1).astype(np.float32)
    rank = min(RANK, max(int(RANK_SHARE * min(matrix.shape)), 1))
    vectors = spectrum(normalise(matrix, degree, 0.5, 0.5), rank, rng)[0].numpy()
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    users, user_of, degrees = np.unique(interactions.user_index, return_inverse=True, return_counts=True)
    starts = np.cumsum(degrees) - degrees
    by_user = np.argsort(interactions.user_index, kind="stable")
    first = by_user[starts + (rng.random(len(users)) * degrees).astype(np.int64)]
    items = interactions.item_index
    similarity = np.einsum("nk,nk->n", vectors[items], vectors[items[first]][user_of])
    similarity[first] = 2.0  # more than any cosine
    rank_in_history = np.empty(len(interactions), dtype=np.int64)
    order = np.lexsort((-similarity, user_of))
    rank_in_history[order] = np.arange(len(interactions)) - np.repeat(starts, degrees)
    num_held_out = np.minimum((COHERENT_SHARE * degrees + rng.random(len(users))).astype(np.int64), degrees - 1)
    mask: Mask = rank_in_history < num_held_out[user_of]
    return mask
