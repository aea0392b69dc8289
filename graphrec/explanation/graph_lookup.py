"""Titles and current relationship types of an explanation's nodes, read from the graph."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from graphrec.explanation.model import Explanation, Node, Path, Reason, ReasonKind, Route, Step
from graphrec.store import Store
from graphrec.store.connection import quote

#: Reads the edges of each user once, however many items are requested: an active user has thousands of edges.
_TYPES = """
UNWIND $rows AS row
MATCH (user:{user} {{id: row.user}})-[edge:{types}]->(item:{item})
WHERE item.id IN row.items
RETURN row.user AS user, item.id AS item, collect(DISTINCT type(edge)) AS types
"""

#: (label, id) -> title.
Titles = Mapping[tuple[str, str], str]

#: (user id, item id) -> relationship types between the two.
Types = Mapping[tuple[str, str], frozenset[str]]


def add_titles(
    explanation: Explanation, store: Store, behaviours: Iterable[str] = (), supposed: Iterable[str] = ()
) -> Explanation:
    """The explanation with titles, and with the relationship types that each user and item of a path have now.

    A step whose relationship is no longer in the graph keeps its types and is marked as `gone`.

    Args:
        explanation: what `explain` returned.
        store: the graph.
        behaviours: relationship types that the model counts (`counted_behaviours`); if empty, those that the
            explanation names.
        supposed: items that the explanation was made with as if the user had them, such as those of a visit.
    """
    attribution, user, item = explanation.attribution, explanation.user, explanation.item
    nodes = {node for path in attribution.paths for node in path.nodes} | {user, item}
    for reason in attribution.reasons:
        nodes |= {reason.node, *(route.node for route in reason.through if route.node is not None)}
    titles = _read_titles(store, nodes)
    history = {(user.id, reason.node.id) for reason in attribution.reasons if reason.kind is ReasonKind.HISTORY}
    counted = tuple(behaviours)
    steps = [step for path in attribution.paths for step in path.steps if step.forward is not None]
    named = {name for step in steps for name in step.relations}
    names = counted or sorted(named | {explanation.relation})
    pairs = history | {pair for path in attribution.paths for pair in _find_behaviour_pairs(path)}
    types = _read_types(store, (user.label, item.label), names, pairs)
    of_supposed = {(user.id, each): frozenset([explanation.relation]) for each in supposed}
    types = {pair: types.get(pair, frozenset()) | of_supposed.get(pair, frozenset()) for pair in {*types, *of_supposed}}
    paths = tuple(_update_path(path, titles, types, user.label, counted) for path in attribution.paths)
    reasons = tuple(_update_reason(reason, user, titles, types, counted) for reason in attribution.reasons)
    return replace(
        explanation,
        user=_add_title(user, titles),
        item=_add_title(item, titles),
        attribution=replace(attribution, paths=paths, reasons=reasons),
    )


def _read_titles(store: Store, nodes: Iterable[Node]) -> Titles:
    titles: dict[tuple[str, str], str] = {}
    labels: dict[str, list[str]] = {}
    for node in nodes:
        if not node.is_text:
            labels.setdefault(node.label, []).append(node.id)
    for label, ids in labels.items():
        rows = store.read(
            f"MATCH (n:{quote(label)}) WHERE n.id IN $ids RETURN n.id AS id, coalesce(n.title, n.name) AS title",
            {"ids": ids},
        )
        titles |= {(label, row["id"]): str(row["title"]) for row in rows if row["title"]}
    return titles


def _read_types(store: Store, labels: tuple[str, str], names: Iterable[str], pairs: Iterable[tuple[str, str]]) -> Types:
    """The given relationship types that each pair of a user and an item has, with the labels of the two."""
    items: dict[str, list[str]] = {}
    for user, item in pairs:
        items.setdefault(user, []).append(item)
    user, item = map(quote, labels)
    statement = _TYPES.format(user=user, item=item, types="|".join(map(quote, names)))
    rows = store.read(statement, {"rows": [{"user": user, "items": some} for user, some in items.items()]})
    return {(row["user"], row["item"]): frozenset(row["types"]) for row in rows}


def _find_behaviour_pairs(path: Path) -> list[tuple[str, str]]:
    """The (user, item) of each step of behaviour: a directed step between nodes of different labels."""
    pairs = []
    for before, step, after in zip(path.nodes, path.steps, path.nodes[1:], strict=False):
        if step.forward is not None and before.label != after.label:
            pairs.append((before.id, after.id) if step.forward else (after.id, before.id))
    return pairs


def _update_path(path: Path, titles: Titles, types: Types, user: str, counted: tuple[str, ...]) -> Path:
    """The path with titles and, on its steps of behaviour, the types in the graph; `user` is the users' label."""
    steps = []
    for before, step, after in zip(path.nodes, path.steps, path.nodes[1:], strict=False):
        if step.forward is None or before.label == after.label:
            steps.append(step)
            continue
        pair = (before.id, after.id) if before.label == user else (after.id, before.id)
        steps.append(_update_step(step, types.get(pair, frozenset()), counted))
    return replace(path, nodes=tuple(_add_title(node, titles) for node in path.nodes), steps=tuple(steps))


def _update_step(step: Step, present: frozenset[str], counted: tuple[str, ...]) -> Step:
    """The step with the types that are in the graph, in the order of the counted behaviours."""
    relations = tuple(name for name in counted or step.relations if name in present)
    return replace(step, relations=relations) if relations else replace(step, gone=True)


def _update_reason(reason: Reason, user: Node, titles: Titles, types: Types, counted: tuple[str, ...]) -> Reason:
    relations = reason.relations
    if reason.kind is ReasonKind.HISTORY:
        present = types.get((user.id, reason.node.id), frozenset())
        relations = _update_step(Step(relations, True), present, counted).relations
    through: tuple[Route, ...] = tuple(
        route if route.node is None else replace(route, node=_add_title(route.node, titles)) for route in reason.through
    )
    return replace(reason, node=_add_title(reason.node, titles), relations=relations, through=through)


def _add_title(node: Node, titles: Titles) -> Node:
    return replace(node, title=titles.get((node.label, node.id), node.title)) if not node.is_text else node
