"""Exact contributions to scores of sequence_filter: they are linear in the events of the user and of friends."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from graphrec.models.attribution import HISTORY, SPECTRUM, USERS, Amounts, Contributions, TopReasons
from graphrec.models.sequence_filter.history import UserSignal
from graphrec.models.sequence_filter.scoring import SequenceScores, average
from graphrec.vocabulary import IndexArray


def find_origins(
    signal: UserSignal, decays: Sequence[float], user_index: int
) -> tuple[tuple[str, ...], IndexArray, list[sparse.csr_array]]:
    """The history items and friends of a user: relation and node of each [n], and for each memory its signal
    [n, num_items]; the sum of these rows is the signal of the user."""
    history, social = signal.rows_of(user_index)
    own = history.rows(decays)
    pattern = own[0].indices  # each memory has an entry for every item of the history
    diagonal = [sparse.csr_array((m.data, m.indices, np.arange(m.nnz + 1)), shape=(m.nnz, m.shape[1])) for m in own]
    relation, node, parts = [HISTORY] * len(pattern), [pattern.astype(np.int64)], [diagonal]
    for name, row in social.items():
        rows = signal.of_friends(row.indices.astype(np.int64), decays)
        parts.append([sparse.csr_array(sparse.diags_array(row.data) @ part) for part in rows])
        relation += [name] * row.nnz
        node.append(row.indices.astype(np.int64))
    stacked = [sparse.csr_array(sparse.vstack(list(each), format="csr")) for each in zip(*parts, strict=True)]
    return tuple(relation), np.concatenate(node), stacked


def find_contributions(
    signal: UserSignal, scores: SequenceScores, decays: Sequence[float], user_index: int, item_index: int
) -> Contributions:
    """The contributions to the score of one item by history item or friend, and by transition or relation.

    Those that are exactly zero are left out. Ridge coefficients and transitions of similar items have `via` spectrum.
    """
    relation, node, signals = find_origins(signal, decays, user_index)
    mean, kernel, weight = average(signals).astype(np.float64), scores.kernel, scores.transition_weight
    transitions = kernel.transitions[:, [item_index]].toarray().ravel().astype(np.float64)
    via: dict[str, Amounts] = {USERS: weight * (mean @ transitions)}
    for name, similarity in kernel.similarities.items():
        via[name] = weight * (mean @ similarity.matrix[:, [item_index]].toarray().ravel().astype(np.float64))
    other = np.zeros(len(node))
    if kernel.onward.nnz:
        other += weight * (mean @ (kernel.onward @ transitions))
    if scores.ridge.numel():
        column = scores.ridge[:, item_index].double().numpy().reshape(len(signals), -1)
        other += sum((part.astype(np.float64) @ column[k] for k, part in enumerate(signals)), np.zeros(len(node)))
    via[SPECTRUM] = other
    rows = [(n, name, amounts[n]) for name, amounts in via.items() for n in np.flatnonzero(amounts).tolist()]
    index = np.array([row[0] for row in rows], dtype=np.int64)
    return Contributions(
        tuple(relation[n] for n in index),
        node[index],
        tuple(row[1] for row in rows),
        np.full(len(rows), -1, dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.float64),
    )


def find_top_reasons(
    signal: UserSignal, scores: SequenceScores, decays: Sequence[float], user_index: int, items: IndexArray
) -> TopReasons:
    """The history item or friend with the largest contribution to each of m scores of a user."""
    relation, node, signals = find_origins(signal, decays, user_index)
    if not relation:
        return TopReasons(("",) * len(items), np.full(len(items), -1, dtype=np.int64))
    amount = scores.score(signals).numpy()[:, items]  # [n, m]
    best = amount.argmax(axis=0)
    is_positive = amount[best, np.arange(len(items))] > 0
    pairs = zip(best.tolist(), is_positive.tolist(), strict=True)
    names = tuple(relation[row] if positive else "" for row, positive in pairs)
    return TopReasons(names, np.where(is_positive, node[best], -1))
