"""The influence of every item on one score, and the exact contributions that it gives a user's score."""

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
    scale: D_h^-p D_j^q of each item h and the target j, [num_items], times `revisit` if the user met j otherwise.

    What sharpening subtracts from the paths of an item is subtracted from all of them in proportion.
    """

    item_index: int
    spectrum: Amounts
    paths: Amounts
    attributes: Mapping[str, sparse.csr_array]
    links: Mapping[str, Amounts]
    co_users: CoUsers
    scale: Amounts

    @property
    def over_users(self) -> Amounts:
        """The part of `paths` that leads over users, [num_items]."""
        others = sum((part.sum(axis=1) for part in self.attributes.values()), np.zeros_like(self.paths))
        return self.paths - others - sum(self.links.values(), np.zeros_like(self.paths))

    def times(self, factor: float) -> "ItemInfluence":
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
    vectors = scores.vectors.cpu()  # D^q V, so D^q is divided out of the item that a walk comes from
    damped = scale / degree**c.target_exponent / degree[item_index] ** c.target_exponent
    spectrum = damped * (vectors @ (vectors[item_index] * scores.response().float().cpu())).numpy()
    column = scores.paths[:, [item_index]].toarray().ravel() / degree[item_index] ** c.target_exponent
    co_users = CoUsers.of(behaviour, kernel.degree, c, item_index)
    narrow = {name: part.narrow() for name, part in kernel.attributes.items()}
    shared = {
        name: sparse.csr_array(part.multiply(part[[item_index]])).astype(np.float64) / kernel.top_squared_singular_value
        for name, part in narrow.items()
    }
    linked = {name: matrix[:, [item_index]].toarray().ravel().astype(float) for name, matrix in kernel.links.items()}
    plain = (co_users.target @ co_users.rows) / kernel.top_squared_singular_value
    plain = plain + sum(part.sum(axis=1) for part in shared.values()) + sum(linked.values())
    paths = column * scale * c.path_weight
    each = np.divide(paths, plain, out=np.zeros_like(paths), where=plain > 0)
    return ItemInfluence(
        item_index,
        spectrum,
        paths,
        {name: sparse.csr_array(sparse.diags_array(each) @ part) for name, part in shared.items()},
        {name: each * part for name, part in linked.items()},
        co_users,
        scale,
    )


def find_contributions(signal: Signal, user_index: int, influence: ItemInfluence) -> Contributions:
    """The contributions to a user's score of the target item of `influence`, without those that are exactly zero."""
    rows: list[tuple[str, int, str, int, float]] = []
    own = signal.behaviour[[user_index]].tocoo()
    for item, weight in zip(own.coords[1].tolist(), own.data.tolist(), strict=True):
        ones = sparse.csr_array(([weight], ([0], [item])), shape=(1, signal.behaviour.shape[1]))
        rows += [(HISTORY, item, *part) for part in _parts(ones, influence)]
    for relation, matrix in {**signal.social, **signal.values}.items():
        carried = signal.behaviour if relation in signal.social else signal.profiles[relation]
        kept = (signal.around[relation][[user_index]] > 0).astype(np.float32)
        related = matrix[[user_index]].tocoo()
        for node, weight in zip(related.coords[1].tolist(), related.data.tolist(), strict=True):
            rows += [
                (relation, node, *part)
                for part in _parts(sparse.csr_array(carried[[node]].multiply(kept)) * weight, influence)
            ]
    found = [row for row in rows if row[4] != 0.0]
    return Contributions(
        tuple(row[0] for row in found),
        np.array([row[1] for row in found], dtype=np.int64),
        tuple(row[2] for row in found),
        np.array([row[3] for row in found], dtype=np.int64),
        np.array([row[4] for row in found], dtype=np.float64),
    )


def _parts(carried: sparse.csr_array, influence: ItemInfluence) -> list[tuple[str, int, float]]:
    """The contributions (via, value, amount) of a signal [1, num_items]."""
    row = carried.astype(np.float64)
    walked = float((row @ influence.paths)[0])
    spread = (SPECTRUM, -1, float((row @ influence.spectrum)[0]))
    found = [(relation, -1, float((row @ part)[0])) for relation, part in influence.links.items()]
    for relation, shared in influence.attributes.items():
        amounts = (row @ shared).tocoo()
        pairs = zip(amounts.coords[1].tolist(), amounts.data.tolist(), strict=True)
        found += [(relation, value, amount) for value, amount in pairs]
    return [(USERS, -1, walked - sum(amount for _, _, amount in found)), spread, *found]
