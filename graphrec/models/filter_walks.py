"""A score of graph_filter as an exact sum over single walks: from whom, to which item, and on through whom or what."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from graphrec.interactions import FloatArray
from graphrec.models.contributions import HISTORY, USERS, Amounts, Reach
from graphrec.models.filter_kernel import Kernel, scaled
from graphrec.models.filter_scores import FilterScores
from graphrec.models.filter_signal import Signal
from graphrec.vocabulary import IndexArray

#: Eigenvalues below this are rounding where a walk divides by them; what belongs to them counts as longer walks.
LEAST_EIGENVALUE = 1e-4

#: Users whose part of the spectrum is made at one time.
BLOCK = 4096


@dataclass(frozen=True, eq=False)
class Origins:
    """Where walks begin [n]: the user's own history first, then each friend, then each person with the same value.

    relation: `history`, or the social or user-attribute relation; node: the position of the friend or value, -1 for the
    history; person: whose behaviour is carried; carried [n, m]: the signal that it puts on m items.
    """

    relation: tuple[str, ...]
    node: IndexArray
    person: IndexArray
    carried: sparse.csr_array


@dataclass(frozen=True, eq=False)
class Ways:
    """How walks go on to the target [n]: over a user who has both items, over a value that both have, or over an
    item-item relation.

    via: `users` or the relation; value: the position of the user or value, -1 for item-item relations; amount [n, m]:
    what one unit of signal on each of m items adds to the score.
    """

    via: tuple[str, ...]
    value: IndexArray
    amount: sparse.csr_array


@dataclass(frozen=True, eq=False)
class Walks:
    """A score as Σ_h Σ_o carried[o, h] · (Σ_w amount[w, h] + longer[h]) over items h, origins o and ways w.

    `items` [m] are the positions of the items h. The spectrum reaches the target over its neighbours, since
    V g Vᵀ = (V g Λ⁻¹ Vᵀ N'ᵀ) N'/σ₁²: what its last step makes from users and values that have h too is a part of their
    ways, and what comes over others, who are further from h, is `longer` [m].
    """

    user_index: int
    item_index: int
    items: IndexArray
    origins: Origins
    ways: Ways
    longer: Amounts

    @property
    def total(self) -> Amounts:
        """What one unit of signal on each item adds to the score, [m]."""
        found: Amounts = self.ways.amount.sum(axis=0) + self.longer
        return found

    def __len__(self) -> int:
        return len(self.items)


def walks(signal: Signal, kernel: Kernel, scores: FilterScores, user_index: int, reach: Reach) -> Walks:
    """The Walks of a user to the target that `reach` leads to."""
    origins = _origins(signal, user_index)
    items = np.unique(origins.carried.indices).astype(np.int64)
    carried = sparse.csr_array(origins.carried[:, items]).astype(np.float64)
    origins = Origins(origins.relation, origins.node, origins.person, carried)
    ways = _ways(kernel, scores, items, reach)
    longer = reach.paths[items] + reach.spectrum[items] - ways.amount.sum(axis=0)
    return Walks(user_index, reach.item_index, items, origins, ways, longer)


def _origins(signal: Signal, user_index: int) -> Origins:
    """All origins of a user's signal over all items; what others with the user's own values owe to the user's own
    behaviour is a part of the history."""
    relation, node, person = [HISTORY], [-1], [user_index]
    rows = [sparse.csr_array(signal.behaviour[[user_index]])]
    for name, matrix in {**signal.social, **signal.values}.items():
        kept = np.zeros(signal.behaviour.shape[1], dtype=np.float32)
        kept[signal.around[name][[user_index]].indices] = 1.0
        related = matrix[[user_index]].tocoo()
        for value, weight in zip(related.coords[1].tolist(), related.data.tolist(), strict=True):
            people, theirs = _carried(signal, name, value)
            theirs = scaled(theirs, kept * np.float32(weight))
            own = people == user_index
            if own.any() and name in signal.values:
                rows[0] = sparse.csr_array(rows[0] + theirs[np.flatnonzero(own)])
                people, theirs = people[~own], sparse.csr_array(theirs[np.flatnonzero(~own)])
            relation += [name] * len(people)
            node += [value] * len(people)
            person += people.tolist()
            rows.append(theirs)
    carried = sparse.csr_array(sparse.vstack(rows, format="csr"))
    carried.eliminate_zeros()
    return Origins(tuple(relation), np.array(node, dtype=np.int64), np.array(person, dtype=np.int64), carried)


def _carried(signal: Signal, name: str, node: int) -> tuple[IndexArray, sparse.csr_array]:
    """The people [n] behind a friend (who is one) or a value, and what one unit of the relation carries of each."""
    if name in signal.social:
        return np.array([node]), sparse.csr_array(signal.behaviour[[node]])
    people = np.unique(signal.values[name][:, [node]].nonzero()[0]).astype(np.int64)
    rows = sparse.csr_array(signal.behaviour[people])
    profile = signal.profiles[name][[node]].toarray().ravel()
    total = np.asarray(rows.sum(axis=0), dtype=np.float32)
    return people, scaled(rows, np.divide(profile, total, out=np.zeros_like(profile), where=total > 0))


def _ways(kernel: Kernel, scores: FilterScores, items: IndexArray, reach: Reach) -> Ways:
    """The ways from some items [m] to the target, with their parts of the spectrum."""
    over_users = reach.over_users[items]
    shared = sparse.csr_array(sparse.diags_array(reach.holders.target) @ reach.holders.rows[:, items])
    shared.eliminate_zeros()
    plain = np.asarray(shared.sum(axis=0), dtype=np.float64)
    each = np.divide(over_users, plain, out=np.zeros_like(plain), where=plain > 0)
    walked = sparse.csr_array(shared @ sparse.diags_array(each))
    last = _LastStep.of(kernel, scores, items, reach)
    amounts = [walked + last.through(reach.holders.rows, reach.holders.target, shared)]
    via, value = [USERS] * len(reach.holders.user_index), [reach.holders.user_index]
    for name, part in kernel.attributes.items():
        row = part.factor[[reach.item_index]]
        values = row.indices.astype(np.int64)
        both = sparse.csr_array(part.factor[items][:, values].T)
        walked = sparse.csr_array(reach.attributes[name][items][:, values].T)
        amounts.append(walked + last.through(sparse.csr_array(part.factor[:, values].T), row.data, both))
        via += [name] * len(values)
        value.append(values)
    for name, link in reach.links.items():
        amounts.append(sparse.csr_array(link[items][None]))
        via.append(name)
        value.append(np.array([-1]))
    return Ways(tuple(via), np.concatenate(value), sparse.csr_array(sparse.vstack(amounts, format="csr")))


@dataclass(frozen=True, eq=False)
class _LastStep:
    """What the spectrum gives from some items to the target by its last step."""

    left: FloatArray  # D^{-p} V g Λ⁻¹ D_j^q / σ₁² [m, k]
    vectors: FloatArray  # V [num_items, k]

    @classmethod
    def of(cls, kernel: Kernel, scores: FilterScores, items: IndexArray, reach: Reach) -> "_LastStep":
        """The last steps from some items to the target."""
        eigenvalues = kernel.eigenvalues.cpu().double().numpy()
        vectors = scores.plain_vectors().numpy()
        usable = eigenvalues >= LEAST_EIGENVALUE
        inverse = np.divide(scores.response().cpu().numpy(), eigenvalues, out=np.zeros_like(eigenvalues), where=usable)
        left = vectors[items] * inverse * (reach.scale[items] / kernel.strongest)[:, None]
        return cls(left.astype(np.float32), vectors)

    def through(self, rows: sparse.csr_array, target: Amounts, both: sparse.csr_array) -> sparse.csr_array:
        """The part [n, m] of n users or values, whose rows of N' [n, num_items] and entries at the target [n] are
        given, where the pattern of `both` [n, m] says that they have the item too."""
        found = sparse.csr_array(both, copy=True).astype(np.float64)
        for start in range(0, both.shape[0], BLOCK):
            some = slice(start, start + BLOCK)
            dense = ((rows[some] @ self.vectors) @ self.left.T) * np.asarray(target)[some, None]
            first, last = both.indptr[start], both.indptr[min(start + BLOCK, both.shape[0])]
            row = np.repeat(np.arange(dense.shape[0]), np.diff(both.indptr[start : start + BLOCK + 1]))
            found.data[first:last] = dense[row, both.indices[first:last]]
        return found
