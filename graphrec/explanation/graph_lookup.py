"""What the graph knows of the nodes of an explanation: titles, and which relationships two of them really have."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from graphrec.explanation.model import Explanation, Node, Path, Reason, Route, Step
from graphrec.store import Store
from graphrec.store.connection import quote

#: One look at each user's edges of these types, whatever the number of items: an active user has thousands.
_TYPES = """
UNWIND $rows AS row
MATCH (user:{user} {{id: row.user}})-[edge:{types}]->(item:{item})
WHERE item.id IN row.items
RETURN row.user AS user, item.id AS item, collect(DISTINCT type(edge)) AS types
"""

Titles = Mapping[tuple[str, str], str]
Types = Mapping[tuple[str, str], frozenset[str]]


def described(explanation: Explanation, store: Store, behaviours: Iterable[str] = ()) -> Explanation:
    """The explanation with titles, and with the relationship types that each user and item of a path really have.

    `behaviours` are those that count for the model; without any, the types that the explanation names are looked for. A
    hop that the graph has no more keeps its types and says that it is `gone`.
    """
    split, user, item = explanation.split, explanation.user, explanation.item
    nodes = {node for path in split.paths for node in path.nodes} | {user, item}
    for reason in split.reasons:
        nodes |= {reason.node, *(part.node for part in reason.through if part.node is not None)}
    titles = _titles(store, nodes)
    own = {(user.id, reason.node.id) for reason in split.reasons if reason.kind == "history"}
    allowed = tuple(behaviours)
    named = {name for path in split.paths for hop in path.hops if hop.forward is not None for name in hop.relations}
    names = allowed or sorted(named | {explanation.relation})
    pairs = own | {pair for path in split.paths for pair in _pairs(path)}
    types = _types(store, (user.label, item.label), names, pairs)
    paths = tuple(_described(path, titles, types, user.label, allowed) for path in split.paths)
    reasons = tuple(_reason(reason, user, titles, types, allowed) for reason in split.reasons)
    return replace(
        explanation,
        user=_titled(user, titles),
        item=_titled(item, titles),
        split=replace(split, paths=paths, reasons=reasons),
    )


def _titles(store: Store, nodes: Iterable[Node]) -> Titles:
    found: dict[tuple[str, str], str] = {}
    labels: dict[str, list[str]] = {}
    for node in nodes:
        if not node.is_text:
            labels.setdefault(node.label, []).append(node.id)
    for label, ids in labels.items():
        rows = store.read(
            f"MATCH (n:{quote(label)}) WHERE n.id IN $ids RETURN n.id AS id, coalesce(n.title, n.name) AS title",
            {"ids": ids},
        )
        found |= {(label, row["id"]): str(row["title"]) for row in rows if row["title"]}
    return found


def _types(store: Store, ends: tuple[str, str], names: Iterable[str], pairs: Iterable[tuple[str, str]]) -> Types:
    """Which of some relationship types each pair of a user and an item has."""
    items: dict[str, list[str]] = {}
    for user, item in pairs:
        items.setdefault(user, []).append(item)
    user, item = map(quote, ends)
    statement = _TYPES.format(user=user, item=item, types="|".join(map(quote, names)))
    rows = store.read(statement, {"rows": [{"user": user, "items": some} for user, some in items.items()]})
    return {(row["user"], row["item"]): frozenset(row["types"]) for row in rows}


def _pairs(path: Path) -> list[tuple[str, str]]:
    """The (user, item) of each hop of behaviour, which is the one that leads from one label to another and back."""
    found = []
    for before, hop, after in zip(path.nodes, path.hops, path.nodes[1:], strict=False):
        if hop.forward is not None and before.label != after.label:
            found.append((before.id, after.id) if hop.forward else (after.id, before.id))
    return found


def _described(path: Path, titles: Titles, types: Types, user: str, allowed: tuple[str, ...]) -> Path:
    hops = []
    for before, hop, after in zip(path.nodes, path.hops, path.nodes[1:], strict=False):
        if hop.forward is None or before.label == after.label:
            hops.append(hop)
            continue
        pair = (before.id, after.id) if before.label == user else (after.id, before.id)
        hops.append(_real(hop, types.get(pair, frozenset()), allowed))
    return replace(path, nodes=tuple(_titled(node, titles) for node in path.nodes), hops=tuple(hops))


def _real(hop: Step, there: frozenset[str], allowed: tuple[str, ...]) -> Step:
    """The hop with the types that are there, in the order of those that count."""
    kept = tuple(name for name in allowed or hop.relations if name in there)
    return replace(hop, relations=kept) if kept else replace(hop, gone=True)


def _reason(reason: Reason, user: Node, titles: Titles, types: Types, allowed: tuple[str, ...]) -> Reason:
    relations = reason.relations
    if reason.kind == "history":
        hop = _real(Step(relations, True), types.get((user.id, reason.node.id), frozenset()), allowed)
        relations = hop.relations
    through: tuple[Route, ...] = tuple(
        part if part.node is None else replace(part, node=_titled(part.node, titles)) for part in reason.through
    )
    return replace(reason, node=_titled(reason.node, titles), relations=relations, through=through)


def _titled(node: Node, titles: Titles) -> Node:
    return replace(node, title=titles.get((node.label, node.id), node.title)) if not node.is_text else node
