"""What a command needs of the graph, checked before it starts: one sentence says what is missing and what brings it."""

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import NoReturn

from graphrec import loader_registry
from graphrec.behaviours import BEHAVIOURS
from graphrec.errors import DataError, GraphrecError, UnknownNameError, first_few
from graphrec.schema import (
    ITEM,
    RECOMMENDED,
    SYSTEM_LABELS,
    SYSTEM_RELATIONS,
    USER,
    EdgeType,
    GraphSchema,
    NodeType,
)
from graphrec.store import Store, counts
from graphrec.store.queries import Query

#: What a newcomer is offered first, as it needs no download, and what it brings.
FIRST = "movielens"
FIRST_BRINGS = frozenset({USER, ITEM, "Genre", "RATED", "IN_GENRE"})

#: Where to start with an empty graph: with files of one's own, or with what needs none.
FIRST_STEPS = f"`graphrec sniff FILES…` describes files of your own, `graphrec load {FIRST}` brings a sample"

_COMMENT_OR_TEXT = re.compile(r"//[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"", re.DOTALL)
_CLAUSE = re.compile(
    r"\b(OPTIONAL\s+MATCH|MATCH|WHERE|WITH|RETURN|UNWIND|CALL|CREATE|MERGE|SET|DELETE|DETACH|REMOVE|FOREACH|ORDER|UNION)\b",
    re.IGNORECASE,
)
_NAME = r"(?:`(?:[^`]|``)+`|\w+)"
#: `[edge:RATED|TAGGED]`, and `(user:User {…})`; a variable of its own brings no need.
_RELATION = re.compile(rf"\[\s*{_NAME}?\s*:\s*({_NAME}(?:\s*\|\s*:?\s*{_NAME})*)\s*[\]{{*]")
#: `[edge:!RECOMMENDED&!SHOWN]`, which is how the query files write behaviour.
_BEHAVIOUR = re.compile(rf"\[\s*{_NAME}?\s*:\s*!{_NAME}(?:\s*&\s*!{_NAME})*\s*[\]{{*]")
_LABEL = re.compile(rf"\(\s*{_NAME}?\s*:\s*({_NAME}(?:\s*[:&]\s*{_NAME})*)\s*[){{]")
#: A pattern that may match nothing at all, `*0..3`, `*` after a bracket, `{0,3}` or `{,3}`.
_ZERO = re.compile(r"\*\s*0|\)\s*\*|\{\s*0?\s*,")


@dataclass(frozen=True)
class Needs:
    """What a statement cannot do without: each of `labels`, one relationship type of each group of `relations`, and
    with `behaviour` any relationship from User to Item that is not graphrec's own."""

    labels: frozenset[str] = frozenset()
    relations: frozenset[frozenset[str]] = frozenset()
    behaviour: bool = False

    def __and__(self, other: "Needs") -> "Needs":
        return Needs(self.labels & other.labels, self.relations & other.relations, self.behaviour and other.behaviour)


def need_behaviour(schema: GraphSchema, relation: str | None = None) -> None:
    """Return where the schema has behaviour from User to Item, and the behaviour `relation` if one is named.

    Raises:
        DataError: there is no behaviour; it says what the graph has and which loaders bring some.
        UnknownNameError: there is none of the name; it says which there are and which loaders bring it.
    """
    found = [edge.relation for edge in schema.behaviours()]
    if not found:
        has = [*(node.label for node in schema.nodes), *(edge.relation for edge in schema.edges)]
        raise DataError(
            "the graph has no relationships from User to Item, so there is nothing to learn from: "
            f"{_has(has, BEHAVIOURS, _own_labels(has, schema.edges))}"
        )
    if relation is not None and relation not in found:
        known = brought()
        hint = _bring([relation]) if relation in known else ""
        raise UnknownNameError("behaviour", relation, found, hint)


def need_labels(store: Store, what: str, labels: Iterable[str]) -> None:
    """Return where the graph has nodes of each label; DataError that says what it has and what brings the others."""
    missing = [label for label in sorted(labels) if not counts.has_label(store, label)]
    if missing:
        has = _present(store)
        raise DataError(
            f"{what} needs {' and '.join(missing)} nodes, and the graph has none: "
            f"{_has(has, missing, _own_labels(has) if {USER, ITEM} <= {*missing} else '')}"
        )


def need_recommendations(store: Store, what: str = "this command") -> None:
    """Return where recommendations are published; GraphrecError with the two commands that make some."""
    if RECOMMENDED in counts.known_relations(store) and counts.has_relation(store, [RECOMMENDED]):
        return
    raise GraphrecError(
        f"nothing is published yet, and {what} reads RECOMMENDED edges; "
        "`graphrec train` makes a run and `graphrec publish RUN` writes it"
    )


def need_query(store: Store, query: Query) -> None:
    """Return where the graph has every label and relationship type without which the query answers nothing.

    What stands in OPTIONAL MATCH, EXISTS, WHERE or a subquery is not needed, nor is one of several alternatives
    (`RATED|VIEWED`) while another is there. A query for graphrec's own nodes alone may answer nothing.

    Raises:
        DataError: something is missing; it says what the graph has and which loaders bring it.
        GraphrecError: nothing is published, and the query reads recommendations.
    """
    wanted, what = needs(query.statement), f"query {query.name}"
    if labels := wanted.labels - SYSTEM_LABELS:
        need_labels(store, what, labels)
    if wanted.behaviour and not counts.has_behaviour(store):
        _refuse_relations(store, what, frozenset(BEHAVIOURS))
    known = set(counts.known_relations(store)) if wanted.relations else set()
    for group in sorted(wanted.relations, key=sorted):
        if counts.has_relation(store, sorted(group & known)):
            continue
        if group == {RECOMMENDED}:
            need_recommendations(store, what)
        if group <= SYSTEM_RELATIONS:
            raise GraphrecError(
                f"the published run has no {' or '.join(sorted(group))} edges, which {what} reads; "
                "`graphrec publish --help` says how they are written"
            )
        _refuse_relations(store, what, group)


def needs(statement: str) -> Needs:
    """What the MATCH clauses of a statement name, outside braces; of several parts of a UNION what all of them name."""
    parts = [Needs()]
    for keyword, text in _clauses(statement):
        if keyword == "UNION":
            parts.append(Needs())
        elif keyword == "MATCH" and not _ZERO.search(text):
            labels = {name for found in _LABEL.findall(text) for name in _names(found, "[:&]")}
            relations = {frozenset(_names(found, r"\|\s*:?")) for found in _RELATION.findall(text)}
            behaviour = parts[-1].behaviour or _BEHAVIOUR.search(text) is not None
            parts[-1] = Needs(parts[-1].labels | labels, parts[-1].relations | relations, behaviour)
    common = parts[0]
    for part in parts[1:]:
        common = common & part
    return common


def brought() -> dict[str, list[str]]:
    """The names of the loaders that bring each label and relationship type, found in the loaders' constants.

    A loader that cannot be imported here is left out: this is read while another error is told.
    """
    found: dict[str, set[str]] = {}
    for loader in loader_registry.names():
        try:
            values = list(_constants(loader_registry.get(loader)))
        except Exception:  # a third party's module may raise anything
            continue
        for value in values:
            names = (value.label,) if isinstance(value, NodeType) else value.triple
            for name in names:
                found.setdefault(name, set()).add(loader)
    return {name: sorted(loaders) for name, loaders in sorted(found.items())}


def _constants(loader: object) -> Iterator[NodeType | EdgeType]:
    """The node and edge types among the values of a loader and of its module, and in tuples, lists and dicts there."""
    module = loader if isinstance(loader, ModuleType) else sys.modules.get(type(loader).__module__)
    values = list(vars(module).values()) if module else []
    if loader is not module:
        values += [getattr(loader, name) for name in dir(loader) if not name.startswith("__")]
    for value in values:
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, tuple | list) else [value]
        yield from (part for part in parts if isinstance(part, NodeType | EdgeType))


def _clauses(statement: str) -> Iterator[tuple[str, str]]:
    """The clauses that stand outside braces, each as its keyword in capitals and the text up to the next one."""
    plain = _COMMENT_OR_TEXT.sub(lambda found: "''" if found[0][0] in "'\"" else " ", statement)
    depth, outside = 0, []
    for sign in plain:
        depth += (sign == "{") - (sign == "}")
        outside.append(depth == 0)
    starts = [found for found in _CLAUSE.finditer(plain) if outside[found.start()]]
    for position, found in enumerate(starts):
        end = starts[position + 1].start() if position + 1 < len(starts) else len(plain)
        yield " ".join(found[1].upper().split()), plain[found.end() : end]


def _names(expression: str, separator: str) -> Iterator[str]:
    for part in re.split(separator, expression):
        yield part.strip().strip("`").replace("``", "`")


def _present(store: Store) -> list[str]:
    """The labels and relationship types that a loader wrote and that have at least one node or edge."""
    labels = [name for name in counts.known_labels(store) if name not in SYSTEM_LABELS]
    relations = [name for name in counts.known_relations(store) if name not in SYSTEM_RELATIONS]
    return [
        *(label for label in labels if counts.has_label(store, label)),
        *(relation for relation in relations if counts.has_relation(store, [relation])),
    ]


def _refuse_relations(store: Store, what: str, group: frozenset[str]) -> NoReturn:
    if group >= set(BEHAVIOURS):
        wanted, offered = "behaviour of users, such as PURCHASED, RATED or VIEWED", list(BEHAVIOURS)
    else:
        offered = sorted(group)
        wanted = f"{' or '.join(offered)} relationships"
    raise DataError(f"{what} needs {wanted}, and the graph has none: {_has(_present(store), offered)}")


def _has(names: list[str], wanted: Iterable[str], hint: str = "") -> str:
    """What a graph has, and what brings what it lacks; if it is empty, where to start."""
    return f"it has {first_few(names, 12)}; {hint}{_bring(wanted)}" if names else f"it is empty; {FIRST_STEPS}"


def _own_labels(names: Iterable[str], edges: Iterable[EdgeType] = ()) -> str:
    """What to write if a graph calls its users and items by other names; nothing if it has none of these either."""
    if {USER, ITEM} & {*names} or not names:
        return ""
    start, end = next(
        ((edge.source, edge.target) for edge in edges if edge.source != edge.target), ("Customer", "Product")
    )
    goes = f"your edges go from {start} to {end}: " if edges else ""
    return (
        f'{goes}if nodes of another label are the users or the items, write role = "user" in [nodes.{start}] and '
        f'role = "item" in [nodes.{end}] of the TOML file and load again; '
    )


def _bring(names: Iterable[str]) -> str:
    """Which loaders bring these labels or relationship types, and the command that loads one of them."""
    known = brought()
    pairs = [(name, known[name]) for name in names if name in known]
    loaders = sorted({loader for _, found in pairs for loader in found}, key=_easiest)
    if not loaders:
        return f"no loader that is installed brings {' or '.join(names)}; write it with Cypher or a loader of yours"
    if {USER, ITEM} & {name for name, _ in pairs}:  # every loader brings these: who brings what says nothing
        told = f"{_and(loaders)} bring{'' if len(loaders) > 1 else 's'} some"
    else:
        told = ", ".join(
            f"{name} {'' if k else 'is brought '}by {_and(found)}" for k, (name, found) in enumerate(pairs)
        )
    easy = FIRST in loaders and FIRST_BRINGS & {name for name, _ in pairs}
    command = f"graphrec load {FIRST}" if easy else f"graphrec load {loaders[0]} FOLDER"
    return f"{told}; load one: `{command}`"


def _easiest(loader: str) -> tuple[bool, str]:
    """The order in which loaders are offered: the one that needs no download, then by name."""
    return (loader != FIRST, loader)


def _and(names: list[str]) -> str:
    """`movielens`, `lastfm and movielens`, `movielens, amazon, ciao and 4 others`."""
    shown = sorted(names, key=_easiest)
    if len(shown) > 4:
        shown = [*shown[:3], f"{len(shown) - 3} others"]
    return " and ".join([*filter(None, [", ".join(shown[:-1])]), shown[-1]])
