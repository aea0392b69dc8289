"""Example test users: their history, their test items, a model's recommendations, and the paths that explain these."""

from collections.abc import Sequence

import numpy as np
import torch

from graphrec.evaluation.preparation import PreparedSplit
from graphrec.evaluation.protocol import RankedLists
from graphrec.evaluation.result import ExampleUser, ReasonPath, RecommendedItem
from graphrec.hetero import HeteroGraph
from graphrec.models.attribution import HISTORY, SPECTRUM, USERS, Contributions
from graphrec.models.base import Model
from graphrec.schema import Triple

#: Caps on the items of a history and of a test part, on the recommendations, and on the reasons of one.
MAX_HISTORY, MAX_TEST_ITEMS, MAX_RECOMMENDED, MAX_REASONS = 12, 12, 5, 3

#: Minimum interactions of an example user, ignored if too few users have as many.
MIN_INTERACTIONS = 5


def pick_examples(
    model: Model[object], prepared: PreparedSplit, lists: RankedLists, name: str, number: int
) -> tuple[ExampleUser, ...]:
    """`number` test users with a history and their recommendations by a model, the same users each time.

    A third of them, rounded down, are users without a test item among the recommendations, the others have a hit, as
    far as there are such users.
    """
    degree = prepared.train_validation.user_degree()[lists.user_index]
    rows = np.flatnonzero(degree >= MIN_INTERACTIONS)
    rows = rows if len(rows) >= number else np.arange(len(lists.user_index))
    # a fixed shuffle, independent of the order of ids
    order = rows[np.argsort(lists.user_index[rows] * 2_654_435_761 % (1 << 32), kind="stable")]
    if not number or not len(order):
        return ()
    shown = lists.item_index[order, :MAX_RECOMMENDED]
    pairs = np.repeat(order, shown.shape[1]), np.maximum(shown, 0).ravel()
    hit = ((np.asarray(lists.test[pairs]).reshape(shown.shape) > 0) & (shown >= 0)).any(axis=1)
    with_hit, without_hit = order[hit], order[~hit]
    num_without = min(max(number // 3, number - len(with_hit)), len(without_hit))
    picked = [*with_hit[: number - num_without], *without_hit[:num_without]]
    return tuple(_make_example(model, prepared, lists, name, int(row)) for row in picked)


def _make_example(
    model: Model[object], prepared: PreparedSplit, lists: RankedLists, name: str, row: int
) -> ExampleUser:
    graph, user = prepared.visible, int(lists.user_index[row])
    train = prepared.train_validation
    rows = np.flatnonzero(train.user_index == user)
    if train.time is not None:
        rows = rows[np.argsort(-train.time[rows], kind="stable")]
    test_items = lists.test[[row]].indices
    items = [int(item) for item in lists.item_index[row, :MAX_RECOMMENDED] if item >= 0]
    shown = [
        RecommendedItem(_item_id(graph, item), item in test_items, _find_reasons(model, graph, user, item))
        for item in items
    ]
    history = tuple(_item_id(graph, item) for item in dict.fromkeys(train.item_index[rows].tolist()))
    wanted = tuple(_item_id(graph, item) for item in test_items.tolist())
    return ExampleUser(
        str(graph.users.ids[user]),
        name,
        history[:MAX_HISTORY],
        wanted[:MAX_TEST_ITEMS],
        tuple(shown),
        len(history),
        len(wanted),
    )


def _item_id(graph: HeteroGraph, item: int) -> str:
    return str(graph.items.ids[item])


def _find_reasons(model: Model[object], graph: HeteroGraph, user: int, item: int) -> tuple[ReasonPath, ...]:
    """The strongest paths of a score, for a model with exact explanations; shares are of the positive contributions,
    since some nodes of a history contribute negatively."""
    contributions = model.explain_score(user, item)
    if contributions is None:
        return ()
    by_node: dict[tuple[str, int], list[int]] = {}
    for row, key in enumerate(zip(contributions.origin, contributions.node.tolist(), strict=True)):
        by_node.setdefault(key, []).append(row)
    amounts = [(float(contributions.amount[rows].sum()), rows) for rows in by_node.values()]
    positive = sorted((pair for pair in amounts if pair[0] > 0), key=lambda pair: -pair[0])
    total = sum(amount for amount, _ in positive)
    ends = (user, item)
    return tuple(
        _make_reason(graph, contributions, ends, rows, amount / total) for amount, rows in positive[:MAX_REASONS]
    )


def _make_reason(
    graph: HeteroGraph, contributions: Contributions, ends: tuple[int, int], rows: Sequence[int], share: float
) -> ReasonPath:
    """The walk with the largest of some contributions, from the user to the item as alternating nodes and relations."""
    user, item = ends
    strongest = max(rows, key=lambda row: contributions.amount[row])
    origin, node = contributions.origin[strongest], int(contributions.node[strongest])
    first = _item_id(graph, node) if origin == HISTORY else _name_node(graph, origin, node)
    steps = [str(graph.users.ids[user]), graph.target[1] if origin == HISTORY else origin, first]
    via, value = contributions.via[strongest], int(contributions.value[strongest])
    if via == SPECTRUM:
        steps += ["similar taste"]
    elif via == USERS:
        steps += [graph.target[1], _count_shared_users(graph, node, item, origin), graph.target[1]]
    elif value < 0:  # an item-item relation
        steps += [via]
    else:
        steps += [via, _name_node(graph, via, value), via]
    items = (2, len(steps)) if origin == HISTORY else (len(steps),)
    return ReasonPath((*steps, _item_id(graph, item)), share, items)


def _count_shared_users(graph: HeteroGraph, node: int, item: int, origin: str) -> str:
    """The number of users of both an item of the history and the target item, as text."""
    if origin != HISTORY:
        return "other users"
    users, items = graph.data[graph.target].edge_index
    shared = torch.isin(users[items == node].unique(), users[items == item].unique())
    return f"{int(shared.sum()):,} users"


def _name_node(graph: HeteroGraph, relation: str, node: int) -> str:
    """The id of a node at the far end of a relation, or the text of a code such as a tag."""
    if relation in graph.vocabularies:
        return str(graph.vocabularies[relation].ids[node])
    name, _, label = relation.partition(":")
    labels = [_far_label(graph, triple) for triple in graph.data.edge_types if triple[1] == name]
    labels = [far for far in labels if not label or far == label]
    return str(graph.vocabularies[labels[0]].ids[node]) if labels else relation


def _far_label(graph: HeteroGraph, triple: Triple) -> str:
    return triple[0] if triple[2] in (graph.target[0], graph.target[2]) and triple[0] != triple[2] else triple[2]
