"""Test users with what they had, what they were to find, what a model gave them, and the paths that led there."""

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

#: So many items of a history and of a test part, recommendations, and reasons of one, are shown.
HISTORY_SHOWN, WANTED_SHOWN, SHOWN, REASONS = 12, 12, 5, 3

#: Minimum interactions of an example user; if no user has as many, any user is taken.
ENOUGH = 5


def pick_examples(
    model: Model[object], prepared: PreparedSplit, lists: RankedLists, name: str, number: int
) -> tuple[ExampleUser, ...]:
    """Some test users with a history as Examples, the same users each time: of three, two for whom one of the items
    shown is a test item, and then one for whom none is, as far as there are such."""
    degree = prepared.train_validation.user_degree()[lists.user_index]
    rows = np.flatnonzero(degree >= ENOUGH)
    rows = rows if len(rows) >= number else np.arange(len(lists.user_index))
    order = rows[np.argsort(lists.user_index[rows] * 2_654_435_761 % (1 << 32), kind="stable")]  # no order of ids
    if not number or not len(order):
        return ()
    shown = lists.item_index[order, :SHOWN]
    places = np.repeat(order, shown.shape[1]), np.maximum(shown, 0).ravel()
    hit = ((np.asarray(lists.test[places]).reshape(shown.shape) > 0) & (shown >= 0)).any(axis=1)
    found, missed = order[hit], order[~hit]
    num_missed = min(max(number // 3, number - len(found)), len(missed))
    chosen = [*found[: number - num_missed], *missed[:num_missed]]
    return tuple(_example(model, prepared, lists, name, int(row)) for row in chosen)


def _example(model: Model[object], prepared: PreparedSplit, lists: RankedLists, name: str, row: int) -> ExampleUser:
    graph, user = prepared.visible, int(lists.user_index[row])
    known = prepared.train_validation
    mine = np.flatnonzero(known.user_index == user)
    if known.time is not None:
        mine = mine[np.argsort(-known.time[mine], kind="stable")]
    wanted = lists.test[[row]].indices
    items = [int(item) for item in lists.item_index[row, :SHOWN] if item >= 0]
    shown = [RecommendedItem(_id(graph, item), item in wanted, _reasons(model, graph, user, item)) for item in items]
    history = tuple(_id(graph, item) for item in dict.fromkeys(known.item_index[mine].tolist()))
    found = tuple(_id(graph, item) for item in wanted.tolist())
    return ExampleUser(
        str(graph.users.ids[user]),
        name,
        history[:HISTORY_SHOWN],
        found[:WANTED_SHOWN],
        tuple(shown),
        len(history),
        len(found),
    )


def _id(graph: HeteroGraph, item: int) -> str:
    return str(graph.items.ids[item])


def _reasons(model: Model[object], graph: HeteroGraph, user: int, item: int) -> tuple[ReasonPath, ...]:
    """The strongest paths of a score that splits exactly; their shares are of all that speaks for the item, since some
    nodes of a history speak against it."""
    found = model.explain_score(user, item)
    if found is None:
        return ()
    grouped: dict[tuple[str, int], list[int]] = {}
    for place, key in enumerate(zip(found.origin, found.node.tolist(), strict=True)):
        grouped.setdefault(key, []).append(place)
    amounts = [(float(found.amount[places].sum()), places) for places in grouped.values()]
    speaking = sorted((pair for pair in amounts if pair[0] > 0), key=lambda pair: -pair[0])
    total = sum(amount for amount, _ in speaking)
    return tuple(_reason(graph, found, (user, item), places, amount / total) for amount, places in speaking[:REASONS])


def _reason(
    graph: HeteroGraph, found: Contributions, ends: tuple[int, int], places: Sequence[int], share: float
) -> ReasonPath:
    """A walk from the user to the item as nodes and relations in turn; it goes on by the strongest way."""
    user, item = ends
    strongest = max(places, key=lambda place: found.amount[place])
    origin, node = found.origin[strongest], int(found.node[strongest])
    first = _id(graph, node) if origin == HISTORY else _node(graph, origin, node)
    steps = [str(graph.users.ids[user]), graph.target[1] if origin == HISTORY else origin, first]
    via, value = found.via[strongest], int(found.value[strongest])
    if via == SPECTRUM:
        steps += ["similar taste"]
    elif via == USERS:
        steps += [graph.target[1], _shared(graph, node, item, origin), graph.target[1]]
    elif value < 0:  # an item-item relation
        steps += [via]
    else:
        steps += [via, _node(graph, via, value), via]
    items = (2, len(steps)) if origin == HISTORY else (len(steps),)
    return ReasonPath((*steps, _id(graph, item)), share, items)


def _shared(graph: HeteroGraph, node: int, item: int, origin: str) -> str:
    """How many users lie between an item of the history and the target."""
    if origin != HISTORY:
        return "other users"
    users, items = graph.data[graph.target].edge_index
    between = torch.isin(users[items == node].unique(), users[items == item].unique())
    return f"{int(between.sum()):,} users"


def _node(graph: HeteroGraph, relation: str, node: int) -> str:
    """The id of a node at the far end of a relation, or the text behind a code such as a tag."""
    if relation in graph.vocabularies:
        return str(graph.vocabularies[relation].ids[node])
    name, _, label = relation.partition(":")
    ends = [_far_end(graph, triple) for triple in graph.data.edge_types if triple[1] == name]
    ends = [end for end in ends if not label or end == label]
    return str(graph.vocabularies[ends[0]].ids[node]) if ends else relation


def _far_end(graph: HeteroGraph, triple: Triple) -> str:
    return triple[0] if triple[2] in (graph.target[0], graph.target[2]) and triple[0] != triple[2] else triple[2]
