"""Walks summed up by where they begin: each item of the history, each friend and each shared value, in all."""

import numpy as np
from scipy import sparse

from graphrec.explanation.labels import Labels
from graphrec.explanation.model import Node, Reason, Route
from graphrec.explanation.walk_selection import direct
from graphrec.models.graph_filter.contributions import HISTORY, SPECTRUM, USERS
from graphrec.models.graph_filter.walks import Walks

#: Shared values of one relation that a reason names; the others are counted.
VALUES = 3

#: The way over the user, who has the target already.
OWN = "own"


def reasons(names: Labels, walks: Walks) -> tuple[Reason, ...]:
    """All reasons, the strongest first; their amounts add up to the score."""
    own, onward = walks.origins.carried[[0]], sparse.csc_array(walks.ways.amount)
    amounts = walks.total[own.indices] * own.data
    found = [
        _of_history(names, walks, int(place), float(amount), _ways(walks, onward, int(place), float(weight)))
        for place, amount, weight in zip(own.indices, amounts, own.data, strict=True)
    ]
    groups: dict[tuple[str, int], list[int]] = {}
    for row, key in enumerate(zip(walks.origins.relation, walks.origins.node.tolist(), strict=True)):
        if key[0] != HISTORY:
            groups.setdefault(key, []).append(row)
    straight, everything = direct(walks), walks.origins.carried @ walks.total
    for (relation, node), rows in groups.items():
        total, near = float(everything[rows].sum()), float(straight[rows].sum())
        through = [Route("onward", total - near)]
        if near:
            through.insert(0, Route("direct", near, int((straight[rows] != 0).sum())))
        found.append(_beside(names, relation, node, total, tuple(through)))
    return tuple(sorted((each for each in found if each.amount), key=lambda each: -each.amount))


def _beside(names: Labels, relation: str, node: int, amount: float, through: tuple[Route, ...]) -> Reason:
    """The reason of a friend or of a value; runs of before do not know the names of values."""
    kind = names.kind(relation)
    if not names.has(kind, relation):
        return Reason("attribute", Node(relation, f"number {node}", is_text=True), (relation,), amount, through)
    if kind == "social":
        return Reason("social", names.user(node), names.hop(kind, relation).relations, amount, through)
    return Reason("attribute", names.value(kind, relation, node), names.hop(kind, relation).relations, amount, through)


def _ways(walks: Walks, onward: sparse.csc_array, place: int, weight: float) -> dict[str, list[tuple[float, int]]]:
    """What each way from one item adds, and over whom or what it leads, by the kind of way; `own` is that over the
    user."""
    found: dict[str, list[tuple[float, int]]] = {}
    column = slice(onward.indptr[place], onward.indptr[place + 1])
    for way, value in zip(onward.indices[column].tolist(), (weight * onward.data[column]).tolist(), strict=True):
        via, over = walks.ways.via[way], int(walks.ways.value[way])
        own = via == USERS and over == walks.user_index
        found.setdefault(OWN if own else via, []).append((value, over))
    found.setdefault(SPECTRUM, []).append((weight * float(walks.longer[place]), -1))
    return found


def _of_history(
    names: Labels, walks: Walks, place: int, amount: float, ways: dict[str, list[tuple[float, int]]]
) -> Reason:
    """The reason of one item of the history, by its place among the items of the walks."""
    item = int(walks.items[place])
    relations = names.did(walks.user_index, item, True).relations
    if item == walks.item_index:
        return Reason("history", names.item(item), relations, amount, (Route("direct", amount),))
    through = [part for via, parts in ways.items() for part in _through(names, via, parts)]
    kept = tuple(sorted((part for part in through if part.amount), key=lambda part: -part.amount))
    return Reason("history", names.item(item), relations, amount, kept)


def _through(names: Labels, via: str, parts: list[tuple[float, int]]) -> list[Route]:
    """How an item of the history leads on by one kind of way, from what each user or value adds."""
    amounts = np.array([amount for amount, _ in parts])
    if via == USERS:
        return [Route("people", float(amounts.sum()), len(parts))]
    if via in (OWN, SPECTRUM):
        return [Route("direct" if via == OWN else "longer", float(amounts.sum()))]
    if parts[0][1] < 0:
        return [Route("link", float(amounts.sum()), relation=_type(names, "item_items", via))]
    relation = _type(names, "item_attributes", via)
    order = np.argsort(-amounts, kind="stable")
    named = order[:VALUES] if names.has("item_attributes", via) else order[:0]
    found = [
        Route("value", float(amounts[k]), node=names.value("item_attributes", via, parts[k][1]), relation=relation)
        for k in named
    ]
    others = order[len(named) :]
    if len(others):
        found.append(Route("values", float(amounts[others].sum()), len(others), relation=relation))
    return found


def _type(names: Labels, kind: str, name: str) -> str:
    return names.hop(kind, name).relations[0] if names.has(kind, name) else name
