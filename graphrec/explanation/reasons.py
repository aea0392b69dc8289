"""Walks summed up by where they start: each item of the history, each friend and each shared attribute value."""

from dataclasses import replace

import numpy as np
from scipy import sparse

from graphrec.explanation.labels import Labels
from graphrec.explanation.model import Node, Reason, ReasonKind, Route, RouteKind
from graphrec.explanation.walk_selection import direct_contributions
from graphrec.models.attribution import HISTORY, SPECTRUM, USERS, Walks

#: Maximum number of shared values of one relation that a reason names; further ones are counted.
VALUES = 3

#: Key of the walk end at the user, which exists if the user has the target already.
OWN = "own"


def collect_reasons(labels: Labels, walks: Walks) -> tuple[Reason, ...]:
    """All reasons, the largest amount first; their amounts add up to the score."""
    own, ends = walks.starts.carried[[0]], sparse.csc_array(walks.ends.amount)
    amounts = walks.total[own.indices] * own.data
    reasons = [
        _build_history_reason(
            labels, walks, int(place), float(amount), _group_by_via(walks, ends, int(place), float(weight))
        )
        for place, amount, weight in zip(own.indices, amounts, own.data, strict=True)
    ]
    groups: dict[tuple[str, int], list[int]] = {}
    for row, key in enumerate(zip(walks.starts.relation, walks.starts.node.tolist(), strict=True)):
        if key[0] != HISTORY:
            groups.setdefault(key, []).append(row)
    direct, everything = direct_contributions(walks), walks.starts.carried @ walks.total
    for (relation, node), rows in groups.items():
        total, near = float(everything[rows].sum()), float(direct[rows].sum())
        routes = [Route(RouteKind.ONWARD, total - near)]
        if near:
            routes.insert(0, Route(RouteKind.DIRECT, near, int((direct[rows] != 0).sum())))
        reasons.append(_build_related_reason(labels, relation, node, total, tuple(routes)))
    return tuple(sorted((each for each in reasons if each.amount), key=lambda each: -each.amount))


def _build_related_reason(labels: Labels, relation: str, node: int, amount: float, routes: tuple[Route, ...]) -> Reason:
    """The reason of a friend or of an attribute value; runs saved by versions before 0.1 have no names of values."""
    kind = labels.kind(relation)
    if not labels.has_names(kind, relation):
        unnamed = Node(relation, f"number {node}", is_text=True)
        return Reason(ReasonKind.ATTRIBUTE, unnamed, (relation,), amount, routes)
    relations = labels.relation_step(kind, relation).relations
    if kind == "social":
        return Reason(ReasonKind.SOCIAL, labels.user(node), relations, amount, routes)
    return Reason(ReasonKind.ATTRIBUTE, labels.value(kind, relation, node), relations, amount, routes)


def _group_by_via(
    walks: Walks, ends: sparse.csc_array, place: int, weight: float
) -> dict[str, list[tuple[float, int]]]:
    """(contribution, user or value) of each walk end from one item, by the end's `via`; OWN is the end at the user."""
    by_via: dict[str, list[tuple[float, int]]] = {}
    column = slice(ends.indptr[place], ends.indptr[place + 1])
    for end, amount in zip(ends.indices[column].tolist(), (weight * ends.data[column]).tolist(), strict=True):
        via, value = walks.ends.via[end], int(walks.ends.value[end])
        own = via == USERS and value == walks.user_index
        by_via.setdefault(OWN if own else via, []).append((amount, value))
    by_via.setdefault(SPECTRUM, []).append((weight * float(walks.longer[place]), -1))
    return by_via


def _build_history_reason(
    labels: Labels, walks: Walks, place: int, amount: float, by_via: dict[str, list[tuple[float, int]]]
) -> Reason:
    """The reason of one item of the history, given by its place among the items of the walks."""
    item = int(walks.items[place])
    relations = labels.behaviour_step(walks.user_index, item, True).relations
    if item == walks.item_index:
        direct = Route(RouteKind.DIRECT, amount)
        return Reason(ReasonKind.HISTORY, labels.item(item), relations, amount, (direct,))
    routes = [route for via, parts in by_via.items() for route in _build_routes(labels, via, parts)]
    order = walks.order
    steps, followers = (0, 0) if order is None else (int(order.steps[place]), int(order.followers[place]))
    if followers:  # the amount includes the users who made the transition in the opposite order
        routes = [
            replace(route, kind=RouteKind.NEXT, count=followers) if route.kind is RouteKind.PEOPLE else route
            for route in routes
        ]
    kept = tuple(sorted((route for route in routes if route.amount), key=lambda route: -route.amount))
    return Reason(ReasonKind.HISTORY, labels.item(item), relations, amount, kept, steps)


def _build_routes(labels: Labels, via: str, parts: list[tuple[float, int]]) -> list[Route]:
    """The routes of an item of the history through one `via`, from the contribution of each user or value."""
    amounts = np.array([amount for amount, _ in parts])
    total = float(amounts.sum())
    if via == USERS:
        return [Route(RouteKind.PEOPLE, total, len(parts))]
    if via in (OWN, SPECTRUM):
        return [Route(RouteKind.DIRECT if via == OWN else RouteKind.LONGER, total)]
    if parts[0][1] < 0:
        return [Route(RouteKind.LINK, total, relation=_relation_type(labels, "item_items", via))]
    relation = _relation_type(labels, "item_attributes", via)
    order = np.argsort(-amounts, kind="stable")
    named = order[:VALUES] if labels.has_names("item_attributes", via) else order[:0]
    routes = [
        Route(
            RouteKind.VALUE,
            float(amounts[k]),
            node=labels.value("item_attributes", via, parts[k][1]),
            relation=relation,
        )
        for k in named
    ]
    others = order[len(named) :]
    if len(others):
        routes.append(Route(RouteKind.VALUES, float(amounts[others].sum()), len(others), relation=relation))
    return routes


def _relation_type(labels: Labels, kind: str, name: str) -> str:
    return labels.relation_step(kind, name).relations[0] if labels.has_names(kind, name) else name
