"""A score of graph_filter as named paths and a rest: exact, because the score is a sum over walks."""

import numpy as np
import numpy.typing as npt

from graphrec.explanation.labels import Labels
from graphrec.explanation.model import Attribution, Node, Path, Remainder, Step
from graphrec.explanation.reasons import reasons
from graphrec.explanation.walk_selection import Chosen, strongest
from graphrec.models.graph_filter.contributions import HISTORY, USERS
from graphrec.models.graph_filter.model import GraphFilter
from graphrec.models.graph_filter.walks import Walks
from graphrec.runs import TrainedRun

#: How the rest of a score is called.
UNNAMED, LONGER = "paths that are not named", "longer walks"


def split(trained: TrainedRun, user_index: int, item_index: int, score: float, top: int) -> Attribution:
    """The Split of a score of graph_filter: the `top` strongest walks by name, and all reasons."""
    model = trained.model
    assert isinstance(model, GraphFilter)
    walks, names = model.walks(user_index, item_index), Labels.of(trained)
    chosen = strongest(walks, top, _nameable(walks, names))
    places = zip(chosen.origin.tolist(), chosen.item.tolist(), chosen.way.tolist(), strict=True)
    paths = tuple(
        _path(names, walks, place, amount) for place, amount in zip(places, chosen.amount.tolist(), strict=True)
    )
    return Attribution(paths, _rest(walks, chosen, score), reasons(names, walks))


def _rest(walks: Walks, chosen: Chosen, score: float) -> tuple[Remainder, ...]:
    """What the chosen walks leave: other walks, and longer ones. What float32 rounds off is among the others."""
    away = (walks.items != walks.item_index).astype(np.float64)
    longer = float((walks.origins.carried @ (walks.longer * away)).sum())
    weaker = score - longer - float(chosen.amount.sum())
    return Remainder(UNNAMED, weaker, chosen.others), Remainder(LONGER, longer)


def _nameable(walks: Walks, names: Labels) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which origins and which ways have names."""
    begin = {name: name == HISTORY or names.has(names.kind(name), name) for name in set(walks.origins.relation)}
    onward = {
        name: name == USERS or names.has("item_attributes", name) or names.has("item_items", name)
        for name in set(walks.ways.via)
    }
    return (
        np.array([begin[name] for name in walks.origins.relation], dtype=bool),
        np.array([onward[name] for name in walks.ways.via], dtype=bool),
    )


def _path(names: Labels, walks: Walks, place: tuple[int, int, int], amount: float) -> Path:
    """The path of a walk by the places of its origin, its item and its way."""
    origin, item, way = place
    person = int(walks.origins.person[origin])
    nodes, hops = _beginning(names, walks, origin)
    target = names.item(walks.item_index)
    if item < 0:
        return Path((*nodes, target), (*hops, names.did(person, walks.item_index, True)), amount)
    via, value, between = walks.ways.via[way], int(walks.ways.value[way]), int(walks.items[item])
    nodes, hops = [*nodes, names.item(between)], [*hops, names.did(person, between, True)]
    if via == USERS:
        nodes.append(names.user(value))
        hops += [names.did(value, between, False), names.did(value, walks.item_index, True)]
    elif value < 0:
        hops.append(names.hop("item_items", via))
    else:
        nodes.append(names.value("item_attributes", via, value))
        hops += [names.hop("item_attributes", via)] * 2
    return Path((*nodes, target), tuple(hops), amount)


def _beginning(names: Labels, walks: Walks, origin: int) -> tuple[list[Node], list[Step]]:
    """The nodes of a walk up to the person whose behaviour it goes on with, and the hops between them."""
    user, relation = names.user(walks.user_index), walks.origins.relation[origin]
    if relation == HISTORY:
        return [user], []
    kind, node = names.kind(relation), int(walks.origins.node[origin])
    hop, person = names.hop(kind, relation), names.user(int(walks.origins.person[origin]))
    return (
        ([user, person], [hop]) if kind == "social" else ([user, names.value(kind, relation, node), person], [hop] * 2)
    )
