"""The named paths of an explanation as one Cypher statement that shows exactly them."""

from dataclasses import replace

from graphrec.explanation.model import Explanation, Node, Path, Step
from graphrec.schema import USER
from graphrec.store.connection import quote

#: How a text stands between quotes: what would end it, or does not print, is written as an escape.
_ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def as_cypher(explanation: Explanation) -> str:
    """A statement without parameters that returns each named path as `path`, with its `number` in the explanation
    (from 1) and its `contribution`; it runs as it is in Neo4j Browser and on both stores.

    One row is one path. Where a path goes over no relationship (two artists share the text of a tag, or a model finds
    two items alike), its pieces are rows of the same number. Without paths there are the two nodes. Paths of
    one shape share a part of the statement, since a server takes longer to plan many parts than to run them; for the
    same reason each step of behaviour may be any behaviour that is named: other than the named ones there are none.
    """
    shapes: dict[str, list[str]] = {}
    did = tuple(dict.fromkeys(name for path in explanation.paths for hop in _behaviour(path) for name in hop.relations))
    for number, path in enumerate(explanation.paths, start=1):
        any_did = tuple(replace(hop, relations=did) if hop in _behaviour(path) else hop for hop in path.hops)
        for pattern, ids in patterns(replace(path, hops=any_did)):
            shapes.setdefault(pattern, []).append(_row(number, path.contribution, ids))
    if not shapes:
        for node in (explanation.user, explanation.item):
            shapes.setdefault(_node(node.label, 0), []).append(_row(0, 0.0, [node.id]))
    return "\nUNION ALL\n".join(_part(pattern, rows) for pattern, rows in shapes.items())


def _behaviour(path: Path) -> list[Step]:
    """The hops between users and items, which lead on or back; those of social relations lead to another user."""
    ends = zip(path.nodes, path.hops, path.nodes[1:], strict=False)
    return [hop for one, hop, other in ends if hop.forward is not None and hop.relations and one.label != other.label]


def _part(pattern: str, rows: list[str]) -> str:
    inside = ",\n  ".join(rows)
    return (
        f"UNWIND [\n  {inside}\n] AS row\nCALL (row) {{\n  MATCH path = {pattern}\n  RETURN path LIMIT 1\n}}\n"
        "RETURN path, row.number AS number, row.contribution AS contribution"
    )


def _row(number: int, contribution: float, ids: list[str]) -> str:
    names = ", ".join(f"n{place}: {literal(name)}" for place, name in enumerate(ids))
    return f"{{number: {number}, contribution: {contribution!r}, {names}}}"


def patterns(path: Path) -> list[tuple[str, list[str]]]:
    """The patterns of the pieces of a path that are in the graph, and the ids that stand for row.n0, row.n1, … in each.

    A piece ends where no relationship leads on. A text is on a relationship of each of its two ends, which are pieces
    of their own: it may be the one that the path comes over, and no pattern takes a relationship twice.
    """
    found: list[tuple[str, list[str]]] = []
    current, ids, whole = _node(path.nodes[0].label, 0), [path.nodes[0].id], True
    for before, hop, after in zip(path.nodes, path.hops, path.nodes[1:], strict=False):
        if after.is_text:
            found += [(current, ids)] if len(ids) > 1 else []
            found.append((_node(before.label, 0) + _texted(before, hop, after), [before.id, after.id]))
        elif before.is_text:
            found.append((_node(after.label, 0) + _texted(after, hop, before), [after.id, before.id]))
            current, ids, whole = _node(after.label, 0), [after.id], False
        elif not hop.relations:
            found.append((current, ids))
            current, ids, whole = _node(after.label, 0), [after.id], True
        else:
            current += _arrow(hop) + _node(after.label, len(ids))
            ids = [*ids, after.id]
    return found + ([(current, ids)] if whole or len(ids) > 1 else [])


def literal(text: str) -> str:
    """A text as it may stand in a statement, whatever is in it."""
    inside = "".join(
        _ESCAPES.get(sign) or (sign if sign.isprintable() else "".join(f"\\u{unit:04x}" for unit in _units(sign)))
        for sign in text
    )
    return f"'{inside}'"


def _units(sign: str) -> list[int]:
    """The UTF-16 units of a character, of which Cypher's escapes have four digits each."""
    data = sign.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(data[start : start + 2], "big") for start in range(0, len(data), 2)]


def _node(label: str, place: int) -> str:
    return f"(:{_name(label)} {{id: row.n{place}}})"


def _arrow(hop: Step) -> str:
    inside = f"[:{'|'.join(map(_name, hop.relations))}]"
    return {True: f"-{inside}->", False: f"<-{inside}-", None: f"-{inside}-"}[hop.forward]


def _texted(node: Node, hop: Step, text: Node) -> str:
    """A relationship with a text at the node before it; it leads from users to items."""
    inside = f"-[:{'|'.join(map(_name, hop.relations))} {{{_name(text.label)}: row.n1}}]-"
    return f"{inside}>()" if node.label == USER else f"<{inside}()"


def _name(name: str) -> str:
    """A label, type or property name, quoted where it must be."""
    return name if name.isidentifier() and name.isascii() else quote(name)
