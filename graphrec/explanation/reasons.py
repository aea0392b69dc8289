"""Walks summed up by where they begin: each item of the history, each friend and each shared value, in all."""

import numpy as np

from graphrec.explanation.names import Names
from graphrec.explanation.parts import Node, Reason, Through
from graphrec.explanation.selection import direct
from graphrec.models.contributions import HISTORY, USERS
from graphrec.models.filter_walks import Walks

#: Shared values of one relation that a reason names; the others are counted.
VALUES = 3


def reasons(names: Names, walks: Walks) -> tuple[Reason, ...]:
    """All reasons, the strongest first; their amounts add up to the score."""
    own = walks.origins.carried[[0]]
    found = [
        _of_history(names, walks, int(place), float(weight))
        for place, weight in zip(own.indices, own.data, strict=True)
    ]
    groups: dict[tuple[str, int], list[int]] = {}
    for row, key in enumerate(zip(walks.origins.relation, walks.origins.node.tolist(), strict=True)):
        if key[0] != HISTORY:
            groups.setdefault(key, []).append(row)
    straight, everything = direct(walks), walks.origins.carried @ walks.total
    for (relation, node), rows in groups.items():
        total, near = float(everything[rows].sum()), float(straight[rows].sum())
        through = [Through("onward", total - near)]
        if near:
            through.insert(0, Through("direct", near, int((straight[rows] != 0).sum())))
        found.append(_beside(names, relation, node, total, tuple(through)))
    return tuple(sorted((each for each in found if each.amount), key=lambda each: -each.amount))


def _beside(names: Names, relation: str, node: int, amount: float, through: tuple[Through, ...]) -> Reason:
    """The reason of a friend or of a value; runs of before do not know the names of values."""
    kind = names.kind(relation)
    if not names.has(kind, relation):
        return Reason("attribute", Node(relation, f"number {node}", is_text=True), (relation,), amount, through)
    if kind == "social":
        return Reason("social", names.user(node), names.hop(kind, relation).relations, amount, through)
    return Reason("attribute", names.value(kind, relation, node), names.hop(kind, relation).relations, amount, through)


def _of_history(names: Names, walks: Walks, place: int, weight: float) -> Reason:
    """The reason of one item of the history, by its place among the items of the walks."""
    item = int(walks.items[place])
    relations = names.did(walks.user_index, item, True).relations
    amount = weight * float(walks.total[place])
    if item == walks.item_index:
        return Reason("history", names.item(item), relations, amount, (Through("direct", amount),))
    column = walks.ways.amount[:, [place]].tocoo()
    found: dict[str, list[tuple[float, int]]] = {}
    for way, value in zip(column.coords[0].tolist(), column.data.tolist(), strict=True):
        own = walks.ways.via[way] == USERS and int(walks.ways.value[way]) == walks.user_index
        found.setdefault("own" if own else walks.ways.via[way], []).append((weight * value, int(walks.ways.value[way])))
    through = [part for via, parts in found.items() for part in _through(names, via, parts)]
    through.append(Through("longer", weight * float(walks.longer[place])))
    kept = tuple(sorted((part for part in through if part.amount), key=lambda part: -part.amount))
    return Reason("history", names.item(item), relations, amount, kept)


def _through(names: Names, via: str, parts: list[tuple[float, int]]) -> list[Through]:
    """How an item of the history leads on by one kind of way, from what each user or value adds."""
    amounts = np.array([amount for amount, _ in parts])
    if via == USERS:
        return [Through("people", float(amounts.sum()), len(parts))]
    if via == "own":
        return [Through("direct", float(amounts.sum()))]
    if parts[0][1] < 0:
        return [Through("link", float(amounts.sum()), relation=_type(names, "item_items", via))]
    relation = _type(names, "item_attributes", via)
    order = np.argsort(-amounts, kind="stable")
    named = order[:VALUES] if names.has("item_attributes", via) else order[:0]
    found = [
        Through("value", float(amounts[k]), node=names.value("item_attributes", via, parts[k][1]), relation=relation)
        for k in named
    ]
    others = order[len(named) :]
    if len(others):
        found.append(Through("values", float(amounts[others].sum()), len(others), relation=relation))
    return found


def _type(names: Names, kind: str, name: str) -> str:
    return names.hop(kind, name).relations[0] if names.has(kind, name) else name
