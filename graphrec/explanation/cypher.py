"""The named paths of an explanation as one Cypher statement that shows exactly them."""

from graphrec.explanation.parts import Explanation, Hop, Node, Path
from graphrec.schema import USER
from graphrec.store.connection import quote

#: How a text stands between quotes: what would end it, or does not print, is written as an escape.
_ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def as_cypher(explanation: Explanation) -> str:
    """A statement without parameters that returns each named path as `path`, with its `number` in the explanation
    (from 1) and its `contribution`; it runs as it is in Neo4j Browser and on both stores.

    One row is one path. Where a path goes over no relationship (two artists share the text of a tag, or a model finds
    two items alike), each side of that gap is a row of the same number. Without paths there are the two nodes.
    """
    parts = [
        f"MATCH path = {pattern}\nRETURN path, {number} AS number, {path.contribution!r} AS contribution LIMIT 1"
        for number, path in enumerate(explanation.paths, start=1)
        for pattern in patterns(path)
    ]
    if not parts:
        parts = [
            f"MATCH path = {_node(node)}\nRETURN path, 0 AS number, 0.0 AS contribution LIMIT 1"
            for node in (explanation.user, explanation.item)
        ]
    return "\nUNION ALL\n".join(parts)


def patterns(path: Path) -> list[str]:
    """The patterns of the pieces of a path that are in the graph; a piece ends where no relationship leads on."""
    found, current = [], _node(path.nodes[0])
    for before, hop, after in zip(path.nodes, path.hops, path.nodes[1:], strict=False):
        if not hop.relations:
            found.append(current)
            current = _node(after)
        elif after.is_text:
            found.append(current + _texted(before, hop, after, onward=True) + "()")
        elif before.is_text:
            current = "()" + _texted(after, hop, before, onward=False) + _node(after)
        else:
            current += _arrow(hop) + _node(after)
    return [*found, current]


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


def _node(node: Node) -> str:
    return f"(:{_name(node.label)} {{id: {literal(node.id)}}})"


def _arrow(hop: Hop) -> str:
    inside = f"[:{'|'.join(map(_name, hop.relations))}]"
    return {True: f"-{inside}->", False: f"<-{inside}-", None: f"-{inside}-"}[hop.forward]


def _texted(node: Node, hop: Hop, text: Node, onward: bool) -> str:
    """The relationship with a text, after the node that has it or before; it leads from users to items."""
    inside = f"-[:{'|'.join(map(_name, hop.relations))} {{{_name(text.label)}: {literal(text.id)}}}]-"
    return f"{inside}>" if (node.label == USER) == onward else f"<{inside}"


def _name(name: str) -> str:
    """A label, type or property name, quoted where it must be."""
    return name if name.isidentifier() and name.isascii() else quote(name)
