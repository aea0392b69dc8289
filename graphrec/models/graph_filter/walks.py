"""One score of graph_filter as an exact sum over single walks from a user through items to the target."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from graphrec.interactions import FloatArray
from graphrec.linalg.sparse import scale_columns
from graphrec.models.attribution import HISTORY, USERS, Amounts, WalkEnds, Walks, WalkStarts
from graphrec.models.graph_filter.contributions import ItemInfluence
from graphrec.models.graph_filter.kernel import Kernel
from graphrec.models.graph_filter.scoring import FilterScores
from graphrec.models.graph_filter.signal import Signal
from graphrec.vocabulary import IndexArray

#: Threshold of eigenvalues: smaller ones are rounding errors to divide by, and their part counts as longer walks.
LEAST_EIGENVALUE = 1e-4

#: Batch size of users whose part of the spectrum is computed.
BLOCK = 4096


def find_walks(
    signal: Signal, kernel: Kernel, scores: FilterScores, user_index: int, influence: ItemInfluence
) -> Walks:
    """The Walks of a user to the target of `influence`.

    The spectrum reaches the target over its neighbours, since V g Vᵀ = (V g Λ⁻¹ Vᵀ N'ᵀ) N'/σ₁². The part of its last
    step over users and values that have the item h too belongs to their walk ends; the part over others, which are
    further from h, is `longer`.
    """
    starts = _walk_starts(signal, user_index)
    items = np.unique(starts.carried.indices).astype(np.int64)
    carried = sparse.csr_array(starts.carried[:, items]).astype(np.float64)
    starts = WalkStarts(starts.relation, starts.node, starts.person, carried)
    ends = _walk_ends(kernel, scores, items, influence)
    longer = influence.paths[items] + influence.spectrum[items] - ends.amount.sum(axis=0)
    return Walks(user_index, influence.item_index, items, starts, ends, longer)


def _walk_starts(signal: Signal, user_index: int) -> WalkStarts:
    """The starts of a user's signal over all items. The mean behaviour of an attribute value includes the user's own
    behaviour, which counts as history."""
    relation, node, person = [HISTORY], [np.array([-1])], [np.array([user_index])]
    rows = [sparse.csr_array(signal.behaviour[[user_index]])]
    for name in {**signal.social, **signal.values}:
        people, values, theirs = _carried(signal, name, user_index)
        own = np.flatnonzero((people == user_index) & (name in signal.values))
        rows[0] = sparse.csr_array(rows[0] + theirs[own].sum(axis=0)[None]) if len(own) else rows[0]
        others = np.setdiff1d(np.arange(len(people)), own)
        relation += [name] * len(others)
        node.append(values[others])
        person.append(people[others])
        rows.append(sparse.csr_array(theirs[others]))
    carried = sparse.csr_array(sparse.vstack(rows, format="csr"))
    carried.eliminate_zeros()
    return WalkStarts(tuple(relation), np.concatenate(node), np.concatenate(person), carried)


def _carried(signal: Signal, name: str, user_index: int) -> tuple[IndexArray, IndexArray, sparse.csr_array]:
    """The users [n] behind the friends or attribute values of a user, the position of the friend or value of each [n],
    and the part of the signal that comes from each, [n, num_items]."""
    kept = signal.around[name][[user_index]].indices.astype(np.int64)
    related = {**signal.social, **signal.values}[name][[user_index]]
    values, weight = related.indices.astype(np.int64), related.data.astype(np.float64)
    if name in signal.social:
        people, place = values, np.arange(len(values))
        there = np.ones((len(values), len(kept)))
    else:
        holders = sparse.csc_array(signal.values[name])[:, values]
        people, counts = holders.indices.astype(np.int64), np.diff(holders.indptr)
        place, weight = np.repeat(np.arange(len(values)), counts), weight / np.maximum(counts, 1)
        there = signal.profiles[name][values][:, kept].toarray() != 0  # profiles are cut to their most frequent items
    some = sparse.csr_array(signal.behaviour[people][:, kept])
    row = np.repeat(np.arange(len(people)), np.diff(some.indptr))
    data = some.data * weight[place[row]] * there[place[row], some.indices]
    shape = (len(people), signal.behaviour.shape[1])
    return people, values[place], sparse.csr_array((data, kept[some.indices], some.indptr), shape=shape)


def _walk_ends(kernel: Kernel, scores: FilterScores, items: IndexArray, influence: ItemInfluence) -> WalkEnds:
    """The ends from items [m] to the target, including their part of the spectrum."""
    over_users = influence.over_users[items]
    shared = sparse.csr_array(sparse.diags_array(influence.co_users.target) @ influence.co_users.rows[:, items])
    shared.eliminate_zeros()
    plain = np.asarray(shared.sum(axis=0), dtype=np.float64)
    each = np.divide(over_users, plain, out=np.zeros_like(plain), where=plain > 0)
    walked = sparse.csr_array(shared @ sparse.diags_array(each))
    last = _LastStep.of(kernel, scores, items, influence)
    amounts = [walked + last.through(influence.co_users.rows, influence.co_users.target, shared)]
    via, value = [USERS] * len(influence.co_users.user_index), [influence.co_users.user_index]
    for name, part in kernel.attributes.items():
        row = part.factor[[influence.item_index]]
        values = row.indices.astype(np.int64)
        both = sparse.csr_array(part.factor[items][:, values].T)
        walked = sparse.csr_array(influence.attributes[name][items][:, values].T)
        amounts.append(walked + last.through(sparse.csr_array(part.factor[:, values].T), row.data, both))
        via += [name] * len(values)
        value.append(values)
    for name, link in influence.links.items():
        amounts.append(sparse.csr_array(link[items][None]))
        via.append(name)
        value.append(np.array([-1]))
    return WalkEnds(tuple(via), np.concatenate(value), sparse.csr_array(sparse.vstack(amounts, format="csr")))


@dataclass(frozen=True, eq=False)
class _LastStep:
    """The part of the spectrum that reaches the target from items [m] in one last step."""

    left: FloatArray  # D^-p V g Λ⁻¹ D_j^q / σ₁² [m, k]
    vectors: FloatArray  # D^q V [num_items, k]
    inverse: Amounts  # D^-q [num_items]

    @classmethod
    def of(cls, kernel: Kernel, scores: FilterScores, items: IndexArray, influence: ItemInfluence) -> "_LastStep":
        """The last steps from items [m] to the target."""
        eigenvalues = kernel.eigenvalues.cpu().double().numpy()
        vectors, powers = (
            scores.vectors.cpu().numpy(),
            scores.degree.astype(np.float64) ** -scores.config.target_exponent,
        )
        usable = eigenvalues >= LEAST_EIGENVALUE
        longer = np.divide(scores.response().cpu().numpy(), eigenvalues, out=np.zeros_like(eigenvalues), where=usable)
        left = (
            vectors[items]
            * longer
            * (powers[items] * influence.scale[items] / kernel.top_squared_singular_value)[:, None]
        )
        return cls(left.astype(np.float32), vectors, powers)

    def through(self, rows: sparse.csr_array, target: Amounts, both: sparse.csr_array) -> sparse.csr_array:
        """The part [n, m] through n users or values that have both an item and the target.

        Args:
            rows: their rows of N', [n, num_items].
            target: their entries of N' at the target, [n].
            both: has an entry if the user or value has the item, [n, m].
        """
        found = sparse.csr_array(both, copy=True).astype(np.float64)
        rows = scale_columns(rows, self.inverse)
        for start in range(0, both.shape[0], BLOCK):
            some = slice(start, start + BLOCK)
            dense = ((rows[some] @ self.vectors) @ self.left.T) * np.asarray(target)[some, None]
            first, last = both.indptr[start], both.indptr[min(start + BLOCK, both.shape[0])]
            row = np.repeat(np.arange(dense.shape[0]), np.diff(both.indptr[start : start + BLOCK + 1]))
            found.data[first:last] = dense[row, both.indices[first:last]]
        return found
