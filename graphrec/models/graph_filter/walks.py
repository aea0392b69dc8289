"""A score of graph_filter as an exact sum over single walks from a user through items to the target."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from graphrec.interactions import FloatArray
from graphrec.linalg.sparse import scale_columns
from graphrec.models.attribution import HISTORY, USERS, Amounts, WalkEnds, Walks, WalkStarts
from graphrec.models.graph_filter.contributions import ItemInfluence
from graphrec.models.graph_filter.kernel import Kernel
from graphrec.models.graph_filter.scoring import FilterScores
from graphrec.models.graph_filter.signal import Signal, UserRows
from graphrec.vocabulary import IndexArray

#: Threshold of eigenvalues: smaller ones are rounding errors and not divided by; their part counts as longer walks.
MIN_EIGENVALUE = 1e-4

#: Batch size in users whose part of the spectrum is computed at once.
BLOCK = 4096


def find_walks(
    signal: Signal, kernel: Kernel, scores: FilterScores, user_index: int, influence: ItemInfluence
) -> Walks:
    """The Walks of a user to the target of `influence`.

    Since V g Vᵀ = (V g Λ⁻¹ Vᵀ N'ᵀ) N'/σ₁², the last step of the spectrum leads over users and values that have the
    target. Its part over those that also have the item h is added to their walk ends; its other part is `longer`.
    """
    starts = _walk_starts(signal, user_index)
    items = np.unique(starts.carried.indices).astype(np.int64)
    carried = sparse.csr_array(starts.carried[:, items]).astype(np.float64)
    starts = WalkStarts(starts.relation, starts.node, starts.person, carried)
    ends = _walk_ends(kernel, scores, items, influence)
    longer = influence.paths[items] + influence.spectrum[items] - ends.amount.sum(axis=0)
    return Walks(user_index, influence.item_index, items, starts, ends, longer)


def _walk_starts(signal: Signal, user_index: int) -> WalkStarts:
    """The walk starts of a user with signals over all items. The mean behaviour of an attribute value includes the
    user's own behaviour, which counts as history."""
    relation, node, person = [HISTORY], [np.array([-1])], [np.array([user_index])]
    user = signal.rows_of(user_index)
    rows = [sparse.csr_array(user.behaviour)]
    for name in user.related:
        users, values, signals = _relation_walks(signal, name, user)
        own_rows = np.flatnonzero((users == user_index) & (name in signal.values))
        rows[0] = sparse.csr_array(rows[0] + signals[own_rows].sum(axis=0)[None]) if len(own_rows) else rows[0]
        other_rows = np.setdiff1d(np.arange(len(users)), own_rows)
        relation += [name] * len(other_rows)
        node.append(values[other_rows])
        person.append(users[other_rows])
        rows.append(sparse.csr_array(signals[other_rows]))
    carried = sparse.csr_array(sparse.vstack(rows, format="csr"))
    carried.eliminate_zeros()
    return WalkStarts(tuple(relation), np.concatenate(node), np.concatenate(person), carried)


def _relation_walks(signal: Signal, name: str, user: UserRows) -> tuple[IndexArray, IndexArray, sparse.csr_array]:
    """The users [n] whose behaviour a relation adds to a user's signal, the friend or attribute value that leads to
    each [n], and the signal from each, [n, num_items]."""
    items = user.relation_signals[name].indices.astype(np.int64)
    related = user.related[name]
    values, weight = related.indices.astype(np.int64), related.data.astype(np.float64)
    if name in signal.social:
        users, source = values, np.arange(len(values))
        in_profile = np.ones((len(values), len(items)))
    else:
        value_users = sparse.csc_array(signal.values[name])[:, values]
        users, counts = value_users.indices.astype(np.int64), np.diff(value_users.indptr)
        source, weight = np.repeat(np.arange(len(values)), counts), weight / np.maximum(counts, 1)
        in_profile = signal.profiles[name][values][:, items].toarray() != 0  # profiles are cut
    behaviour = sparse.csr_array(signal.behaviour[users][:, items])
    row = np.repeat(np.arange(len(users)), np.diff(behaviour.indptr))
    data = behaviour.data * weight[source[row]] * in_profile[source[row], behaviour.indices]
    shape = (len(users), signal.behaviour.shape[1])
    return users, values[source], sparse.csr_array((data, items[behaviour.indices], behaviour.indptr), shape=shape)


def _walk_ends(kernel: Kernel, scores: FilterScores, items: IndexArray, influence: ItemInfluence) -> WalkEnds:
    """The walk ends from items [m] to the target, including their part of the spectrum."""
    user_paths = influence.user_paths[items]
    shared = sparse.csr_array(sparse.diags_array(influence.co_users.target) @ influence.co_users.rows[:, items])
    shared.eliminate_zeros()
    total = np.asarray(shared.sum(axis=0), dtype=np.float64)
    ratio = np.divide(user_paths, total, out=np.zeros_like(total), where=total > 0)
    paths = sparse.csr_array(shared @ sparse.diags_array(ratio))
    last = _LastStep.of(kernel, scores, items, influence)
    amounts = [paths + last.compute_part(influence.co_users.rows, influence.co_users.target, shared)]
    via, value = [USERS] * len(influence.co_users.user_index), [influence.co_users.user_index]
    for name, part in kernel.attributes.items():
        row = part.factor[[influence.item_index]]
        values = row.indices.astype(np.int64)
        both = sparse.csr_array(part.factor[items][:, values].T)
        paths = sparse.csr_array(influence.attributes[name][items][:, values].T)
        amounts.append(paths + last.compute_part(sparse.csr_array(part.factor[:, values].T), row.data, both))
        via += [name] * len(values)
        value.append(values)
    for name, link in influence.links.items():
        amounts.append(sparse.csr_array(link[items][None]))
        via.append(name)
        value.append(np.array([-1]))
    return WalkEnds(tuple(via), np.concatenate(value), sparse.csr_array(sparse.vstack(amounts, format="csr")))


@dataclass(frozen=True, eq=False)
class _LastStep:
    """The part of the spectrum whose last step leads from items [m] to the target."""

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
        usable = eigenvalues >= MIN_EIGENVALUE
        inverse_response = np.divide(
            scores.response().cpu().numpy(), eigenvalues, out=np.zeros_like(eigenvalues), where=usable
        )
        left = (
            vectors[items]
            * inverse_response
            * (powers[items] * influence.scale[items] / kernel.top_squared_singular_value)[:, None]
        )
        return cls(left.astype(np.float32), vectors, powers)

    def compute_part(self, rows: sparse.csr_array, target: Amounts, both: sparse.csr_array) -> sparse.csr_array:
        """The part [n, m] over n users or values that have both an item and the target.

        Args:
            rows: their rows of N', [n, num_items].
            target: their entries of N' at the target, [n].
            both: has an entry if the user or value has the item, [n, m].
        """
        part = sparse.csr_array(both, copy=True).astype(np.float64)
        rows = scale_columns(rows, self.inverse)
        for start in range(0, both.shape[0], BLOCK):
            batch = slice(start, start + BLOCK)
            dense = ((rows[batch] @ self.vectors) @ self.left.T) * np.asarray(target)[batch, None]
            first, last = both.indptr[start], both.indptr[min(start + BLOCK, both.shape[0])]
            row = np.repeat(np.arange(dense.shape[0]), np.diff(both.indptr[start : start + BLOCK + 1]))
            part.data[first:last] = dense[row, both.indices[first:last]]
        return part
