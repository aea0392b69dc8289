"""The listed paths of an explanation as one Cypher statement that shows exactly them."""

from dataclasses import replace

from graphrec.explanation.model import Explanation, Node, Path, Step
from graphrec.schema import USER
from graphrec.store.connection import quote

#: Escape sequences of a Cypher string literal, for characters that would end it or are not printed.
_ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def as_cypher(explanation: Explanation) -> str:
    """A statement without parameters that returns each listed path as `path`, with its `number` in the explanation
    (from 1) and its `contribution`. It runs unchanged in Neo4j Browser and on both stores.

    Each row is one path. A path with a step without relationship (two artists share the text of a tag, or a model
    finds two items similar) is split into pieces, which are rows with the same number. Without paths the rows are the
    user and the item. Paths of one shape share a part of the statement, and a step of behaviour matches any behaviour
    that the explanation names, because a server plans few parts faster than many.
    """
    shapes: dict[str, list[str]] = {}
    names = dict.fromkeys(
        name for path in explanation.paths for step in _find_behaviour_steps(path) for name in step.relations
    )
    for number, path in enumerate(explanation.paths, start=1):
        behaviour = _find_behaviour_steps(path)
        steps = tuple(replace(step, relations=tuple(names)) if step in behaviour else step for step in path.steps)
        for pattern, ids in build_patterns(replace(path, steps=steps)):
            shapes.setdefault(pattern, []).append(_row(number, path.contribution, ids))
    if not shapes:
        for node in (explanation.user, explanation.item):
            shapes.setdefault(_node(node.label, 0), []).append(_row(0, 0.0, [node.id]))
    return "\nUNION ALL\n".join(_build_part(pattern, rows) for pattern, rows in shapes.items())


def _find_behaviour_steps(path: Path) -> list[Step]:
    """The directed steps between a user and an item; steps of social relations are between two users."""
    triples = zip(path.nodes, path.steps, path.nodes[1:], strict=False)
    return [
        step for one, step, other in triples if step.forward is not None and step.relations and one.label != other.label
    ]


def _build_part(pattern: str, rows: list[str]) -> str:
    inside = ",\n  ".join(rows)
    return (
        f"UNWIND [\n  {inside}\n] AS row\nCALL (row) {{\n  MATCH path = {pattern}\n  RETURN path LIMIT 1\n}}\n"
        "RETURN path, row.number AS number, row.contribution AS contribution"
    )


def _row(number: int, contribution: float, ids: list[str]) -> str:
    names = ", ".join(f"n{place}: {literal(name)}" for place, name in enumerate(ids))
    return f"{{number: {number}, contribution: {contribution!r}, {names}}}"


def build_patterns(path: Path) -> list[tuple[str, list[str]]]:
    """The patterns of the pieces of a path that are in the graph, with the ids of row.n0, row.n1, … of each.

    A piece ends at a step without relationship. A text is a property of one relationship at each of its two neighbours.
    These relationships are separate pieces, because the path may arrive over one of them, and no pattern contains a
    relationship twice.
    """
    pieces: list[tuple[str, list[str]]] = []
    current, ids, whole = _node(path.nodes[0].label, 0), [path.nodes[0].id], True
    for before, step, after in zip(path.nodes, path.steps, path.nodes[1:], strict=False):
        if after.is_text:
            pieces += [(current, ids)] if len(ids) > 1 else []
            pieces.append((_node(before.label, 0) + _text_relationship(before, step, after), [before.id, after.id]))
        elif before.is_text:
            pieces.append((_node(after.label, 0) + _text_relationship(after, step, before), [after.id, before.id]))
            current, ids, whole = _node(after.label, 0), [after.id], False
        elif not step.relations:
            pieces.append((current, ids))
            current, ids, whole = _node(after.label, 0), [after.id], True
        else:
            current += _arrow(step) + _node(after.label, len(ids))
            ids = [*ids, after.id]
    return pieces + ([(current, ids)] if whole or len(ids) > 1 else [])


def literal(text: str) -> str:
    """A Cypher string literal of any text."""
    inside = "".join(
        _ESCAPES.get(sign) or (sign if sign.isprintable() else "".join(f"\\u{unit:04x}" for unit in _units(sign)))
        for sign in text
    )
    return f"'{inside}'"


def _units(sign: str) -> list[int]:
    """The UTF-16 units of a character; Cypher writes each with four hexadecimal digits."""
    data = sign.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(data[start : start + 2], "big") for start in range(0, len(data), 2)]


def _node(label: str, place: int) -> str:
    return f"(:{_name(label)} {{id: row.n{place}}})"


def _arrow(step: Step) -> str:
    inside = f"[:{'|'.join(map(_name, step.relations))}]"
    return {True: f"-{inside}->", False: f"<-{inside}-", None: f"-{inside}-"}[step.forward]


def _text_relationship(node: Node, step: Step, text: Node) -> str:
    """The pattern of a node's relationship that has a text; such relationships lead from users to items."""
    inside = f"-[:{'|'.join(map(_name, step.relations))} {{{_name(text.label)}: row.n1}}]-"
    return f"{inside}>()" if node.label == USER else f"<{inside}()"


def _name(name: str) -> str:
    """A label, type or property name, quoted if necessary."""
    return name if name.isidentifier() and name.isascii() else quote(name)
