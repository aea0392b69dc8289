"""Exact contributions to a score of graph_filter: the influence of every item on it, times the user's signal."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from graphrec.interactions import FloatArray
from graphrec.linalg.sparse import normalise
from graphrec.models.attribution import HISTORY, SPECTRUM, USERS, Amounts, Contributions
from graphrec.models.graph_filter.config import GraphFilterConfig
from graphrec.models.graph_filter.kernel import Kernel
from graphrec.models.graph_filter.scoring import FilterScores
from graphrec.models.graph_filter.signal import Signal
from graphrec.vocabulary import IndexArray


@dataclass(frozen=True, eq=False)
class CoUsers:
    """The users who have the target item.

    user_index: their positions, [m].
    rows: their rows of the normalised behaviour N, [m, num_items].
    target: their entries of N at the target item, [m].
    """

    user_index: IndexArray
    rows: sparse.csr_array
    target: Amounts

    @classmethod
    def of(cls, behaviour: sparse.csr_array, degree: FloatArray, c: GraphFilterConfig, item_index: int) -> "CoUsers":
        """The users who have an item in behaviour B [num_users, num_items] with item degrees [num_items]."""
        users = np.unique(behaviour[:, [item_index]].nonzero()[0]).astype(np.int64)
        rows = normalise(sparse.csr_array(behaviour[users]), degree, c.user_exponent, c.item_exponent)
        return cls(users, rows, rows[:, [item_index]].toarray().ravel().astype(np.float64))


@dataclass(frozen=True, eq=False)
class ItemInfluence:
    """The contribution of one unit of signal on each item to the score of the target item.

    item_index: the target item.
    spectrum: contribution over the eigenvectors, [num_items].
    paths: contribution over all paths, [num_items].
    attributes: the part of `paths` over each attribute value, [num_items, num_values] by relation.
    links: the part of `paths` over an item-item relation, [num_items] by relation.
    co_users: the users who have the target, over whom the other paths lead.
    scale: D_h^-p D_j^q of each item h and the target j, [num_items]; times `revisit` if the user has j by other
        behaviours only.

    Sharpening reduces all paths of an item in proportion.
    """

    item_index: int
    spectrum: Amounts
    paths: Amounts
    attributes: Mapping[str, sparse.csr_array]
    links: Mapping[str, Amounts]
    co_users: CoUsers
    scale: Amounts

    @property
    def user_paths(self) -> Amounts:
        """The part of `paths` that leads over users, [num_items]."""
        attribute_paths = sum((part.sum(axis=1) for part in self.attributes.values()), np.zeros_like(self.paths))
        return self.paths - attribute_paths - sum(self.links.values(), np.zeros_like(self.paths))

    def multiply(self, factor: float) -> "ItemInfluence":
        """All contributions multiplied by a factor."""
        return replace(
            self,
            spectrum=self.spectrum * factor,
            paths=self.paths * factor,
            attributes={name: part * factor for name, part in self.attributes.items()},
            links={name: part * factor for name, part in self.links.items()},
            scale=self.scale * factor,
        )


def compute_influence(
    kernel: Kernel, scores: FilterScores, behaviour: sparse.csr_array, item_index: int
) -> ItemInfluence:
    """The ItemInfluence on one item, through the vectors and the cut paths of `scores` and the users of `behaviour`."""
    c, degree = scores.config, kernel.degree.astype(np.float64)
    scale = degree**-c.source_exponent * degree[item_index] ** c.target_exponent
    vectors = scores.vectors.cpu()  # D^q V; `damped` divides D^q out for both items
    damped = scale / degree**c.target_exponent / degree[item_index] ** c.target_exponent
    spectrum = damped * (vectors @ (vectors[item_index] * scores.response().float().cpu())).numpy()
    column = scores.paths[:, [item_index]].toarray().ravel() / degree[item_index] ** c.target_exponent
    co_users = CoUsers.of(behaviour, kernel.degree, c, item_index)
    factors = {name: part.narrow() for name, part in kernel.attributes.items()}
    attribute_paths = {
        name: sparse.csr_array(part.multiply(part[[item_index]])).astype(np.float64) / kernel.top_squared_singular_value
        for name, part in factors.items()
    }
    link_paths = {
        name: matrix[:, [item_index]].toarray().ravel().astype(float) for name, matrix in kernel.links.items()
    }
    uncut = (co_users.target @ co_users.rows) / kernel.top_squared_singular_value
    uncut = uncut + sum(part.sum(axis=1) for part in attribute_paths.values()) + sum(link_paths.values())
    paths = column * scale * c.path_weight
    ratio = np.divide(paths, uncut, out=np.zeros_like(paths), where=uncut > 0)
    return ItemInfluence(
        item_index,
        spectrum,
        paths,
        {name: sparse.csr_array(sparse.diags_array(ratio) @ part) for name, part in attribute_paths.items()},
        {name: ratio * part for name, part in link_paths.items()},
        co_users,
        scale,
    )


def find_contributions(signal: Signal, user_index: int, influence: ItemInfluence) -> Contributions:
    """The contributions to a user's score of the target item of `influence`, without those that are exactly zero."""
    rows: list[tuple[str, int, str, int, float]] = []
    user = signal.rows_of(user_index)
    history = user.behaviour.tocoo()
    for item, weight in zip(history.coords[1].tolist(), history.data.tolist(), strict=True):
        item_signal = sparse.csr_array(([weight], ([0], [item])), shape=(1, signal.behaviour.shape[1]))
        rows += [(HISTORY, item, *part) for part in _split_signal(item_signal, influence)]
    for relation, row in user.related.items():
        carried = signal.behaviour if relation in signal.social else signal.profiles[relation]
        mask = (user.relation_signals[relation] > 0).astype(np.float32)
        related = row.tocoo()
        for node, weight in zip(related.coords[1].tolist(), related.data.tolist(), strict=True):
            rows += [
                (relation, node, *part)
                for part in _split_signal(sparse.csr_array(carried[[node]].multiply(mask)) * weight, influence)
            ]
    nonzero = [row for row in rows if row[4] != 0.0]
    return Contributions(
        tuple(row[0] for row in nonzero),
        np.array([row[1] for row in nonzero], dtype=np.int64),
        tuple(row[2] for row in nonzero),
        np.array([row[3] for row in nonzero], dtype=np.int64),
        np.array([row[4] for row in nonzero], dtype=np.float64),
    )


def _split_signal(carried: sparse.csr_array, influence: ItemInfluence) -> list[tuple[str, int, float]]:
    """The contributions (via, value, amount) of a signal [1, num_items] to the score."""
    row = carried.astype(np.float64)
    path_total = float((row @ influence.paths)[0])
    spectral = (SPECTRUM, -1, float((row @ influence.spectrum)[0]))
    parts = [(relation, -1, float((row @ part)[0])) for relation, part in influence.links.items()]
    for relation, paths in influence.attributes.items():
        amounts = (row @ paths).tocoo()
        pairs = zip(amounts.coords[1].tolist(), amounts.data.tolist(), strict=True)
        parts += [(relation, value, amount) for value, amount in pairs]
    return [(USERS, -1, path_total - sum(amount for _, _, amount in parts)), spectral, *parts]
