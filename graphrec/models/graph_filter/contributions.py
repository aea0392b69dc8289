"""A score as an exact sum over the walks that it comes from."""

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
    """The users [m] who have an item, their normalised rows N [m, num_items], and N at the item itself, [m]."""

    user_index: IndexArray
    rows: sparse.csr_array
    target: Amounts

    @classmethod
    def of(cls, behaviour: sparse.csr_array, degree: FloatArray, c: GraphFilterConfig, item_index: int) -> "CoUsers":
        """The co_users of an item in a behaviour B [num_users, num_items], whose item degrees are given."""
        users = np.unique(behaviour[:, [item_index]].nonzero()[0]).astype(np.int64)
        rows = normalise(sparse.csr_array(behaviour[users]), degree, c.user_exponent, c.item_exponent)
        return cls(users, rows, rows[:, [item_index]].toarray().ravel().astype(np.float64))


@dataclass(frozen=True, eq=False)
class ItemInfluence:
    """What one unit of signal on each item adds to the score of a target item.

    spectrum and paths [num_items]: over the spectrum, and over all paths. Of the paths, `attributes` [num_items,
    num_values] by relation are those over each value, and `links` [num_items] by relation those over an item-item
    relation; the rest is over the `co_users` of the target. What sharpening takes from the paths of an item it takes
    from all of them in proportion. `scale` [num_items] is D^{-p} D_j^{q}, times the factor of an item met otherwise.
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
        """The part of the paths that leads over users, [num_items]."""
        others = sum((part.sum(axis=1) for part in self.attributes.values()), np.zeros_like(self.paths))
        return self.paths - others - sum(self.links.values(), np.zeros_like(self.paths))

    def times(self, factor: float) -> "ItemInfluence":
        """All amounts multiplied."""
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
    vectors = scores.vectors.cpu()  # D^q V, so q is taken out of the item that a walk comes from
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
    """The parts of a user's score of the target that `influence` leads to; parts of exactly zero are left out."""
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
    """(via, value, amount) of a signal [1, num_items]."""
    row = carried.astype(np.float64)
    walked = float((row @ influence.paths)[0])
    spread = (SPECTRUM, -1, float((row @ influence.spectrum)[0]))
    found = [(relation, -1, float((row @ part)[0])) for relation, part in influence.links.items()]
    for relation, shared in influence.attributes.items():
        amounts = (row @ shared).tocoo()
        pairs = zip(amounts.coords[1].tolist(), amounts.data.tolist(), strict=True)
        found += [(relation, value, amount) for value, amount in pairs]
    return [(USERS, -1, walked - sum(amount for _, _, amount in found)), spread, *found]
