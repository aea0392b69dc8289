"""A score as an exact sum over the walks that it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from torch import Tensor

from graphrec.models.filter_kernel import Kernel
from graphrec.models.filter_settings import GraphFilterConfig
from graphrec.models.filter_signal import Signal
from graphrec.vocabulary import IndexArray

#: Where a walk begins when it begins at an item of the user's own history.
HISTORY = "history"

#: How a walk goes on from an item to the target: over other users, over an item-attribute relation, or over the
#: leading directions of the whole graph.
USERS, SPECTRUM = "users", "spectrum"

Amounts = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Contributions:
    """Parts [n] that add up to a score.

    origin: `history`, or the social or user-attribute relation that a walk begins with; node: the position of the
    history item, friend or attribute value; via: `users`, `spectrum` or an item-attribute relation; value: the position
    of the shared attribute value, -1 for the others; amount: what the walks of this kind add.
    """

    origin: tuple[str, ...]
    node: IndexArray
    via: tuple[str, ...]
    value: IndexArray
    amount: Amounts

    def __len__(self) -> int:
        return len(self.amount)

    def by_node(self, origin: str = HISTORY) -> tuple[IndexArray, Amounts]:
        """The nodes [m] of one origin in ascending order and what each adds in all, [m]."""
        mine = np.array([name == origin for name in self.origin], dtype=bool)
        nodes, place = np.unique(self.node[mine], return_inverse=True)
        return nodes.astype(np.int64), np.bincount(place, self.amount[mine], minlength=len(nodes)).astype(np.float64)


@dataclass(frozen=True, eq=False)
class Reach:
    """What one unit of signal on each item adds to the target's score: over the spectrum and over paths [num_items];
    and which part of the paths [num_items, num_values] runs over each value of an item-attribute relation."""

    spectrum: Amounts
    paths: Amounts
    attributes: Mapping[str, sparse.csr_array]


def reach(kernel: Kernel, c: GraphFilterConfig, vectors: Tensor, paths: sparse.csr_array, item_index: int) -> Reach:
    """The Reach of one item: from the vectors V [num_items, k] and the cut paths P D^q [num_items, num_items]."""
    plain = vectors.double()
    favour = float(kernel.degree[item_index]) ** c.target_exponent
    damping = kernel.degree.astype(np.float64) ** -c.source_exponent
    target = plain[item_index] * (c.plateau - kernel.eigenvalues.cpu().double()).clamp(min=0)
    column = paths[:, [item_index]].toarray().ravel().astype(np.float64)
    kept = sparse.diags_array((column != 0) * damping * c.path_weight * favour / kernel.strongest)
    shared = {
        name: sparse.csr_array(kept @ part.narrow().multiply(part.narrow()[[item_index]]))
        for name, part in kernel.attributes.items()
    }
    return Reach(damping * (plain @ target).numpy() * favour, damping * column * c.path_weight, shared)


def contributions(signal: Signal, user_index: int, reach: Reach) -> Contributions:
    """The parts of a user's score of the target that `reach` leads to; parts of exactly zero are left out."""
    rows: list[tuple[str, int, str, int, float]] = []
    own = signal.behaviour[[user_index]].tocoo()
    for item, weight in zip(own.coords[1].tolist(), own.data.tolist(), strict=True):
        ones = sparse.csr_array(([weight], ([0], [item])), shape=(1, signal.behaviour.shape[1]))
        rows += [(HISTORY, item, *part) for part in _parts(ones, reach)]
    for relation, matrix in {**signal.social, **signal.values}.items():
        carried = signal.behaviour if relation in signal.social else signal.profiles[relation]
        kept = (signal.around[relation][[user_index]] > 0).astype(np.float32)
        related = matrix[[user_index]].tocoo()
        for node, weight in zip(related.coords[1].tolist(), related.data.tolist(), strict=True):
            rows += [
                (relation, node, *part)
                for part in _parts(sparse.csr_array(carried[[node]].multiply(kept)) * weight, reach)
            ]
    found = [row for row in rows if row[4] != 0.0]
    return Contributions(
        tuple(row[0] for row in found),
        np.array([row[1] for row in found], dtype=np.int64),
        tuple(row[2] for row in found),
        np.array([row[3] for row in found], dtype=np.int64),
        np.array([row[4] for row in found], dtype=np.float64),
    )


def _parts(carried: sparse.csr_array, reach: Reach) -> list[tuple[str, int, float]]:
    """(via, value, amount) of a signal [1, num_items]."""
    row = carried.astype(np.float64)
    walked = float((row @ reach.paths)[0])
    found = [(SPECTRUM, -1, float((row @ reach.spectrum)[0]))]
    for relation, shared in reach.attributes.items():
        amounts = (row @ shared).tocoo()
        pairs = zip(amounts.coords[1].tolist(), amounts.data.tolist(), strict=True)
        found += [(relation, value, amount) for value, amount in pairs]
    over_attributes = sum(amount for _, _, amount in found[1:])
    return [(USERS, -1, walked - over_attributes), *found]
