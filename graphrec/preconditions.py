"""Check what a command requires of the graph before it starts; errors name what is missing and how to load it."""

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import NoReturn

from graphrec import loader_registry
from graphrec.behaviours import BEHAVIOURS
from graphrec.errors import DataError, GraphrecError, UnknownNameError, first_few, join_words
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
from graphrec.store.active_run import require_readable_lists
from graphrec.store.queries import Query

#: The loader that new users are referred to first, as it needs no download, and the labels and types it provides.
SAMPLE_LOADER = "movielens"
SAMPLE_PROVIDES = frozenset({USER, ITEM, "Genre", "RATED", "IN_GENRE"})

#: First steps with an empty graph: with the user's files, or with the sample.
FIRST_STEPS = f"`graphrec sniff FILES…` describes files of your own, `graphrec load {SAMPLE_LOADER}` loads a sample"

_COMMENT_OR_TEXT = re.compile(r"//[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"", re.DOTALL)
_CLAUSE = re.compile(
    r"\b(OPTIONAL\s+MATCH|MATCH|WHERE|WITH|RETURN|UNWIND|CALL|CREATE|MERGE|SET|DELETE|DETACH|REMOVE|FOREACH|ORDER|UNION)\b",
    re.IGNORECASE,
)
_NAME = r"(?:`(?:[^`]|``)+`|\w+)"
#: Relationship types, as in `[edge:RATED|TAGGED]`. Variables without a type require nothing.
_RELATION = re.compile(rf"\[\s*{_NAME}?\s*:\s*({_NAME}(?:\s*\|\s*:?\s*{_NAME})*)\s*[\]{{*]")
#: Behaviour, which the query files write as `[edge:!RECOMMENDED&!SHOWN]`.
_BEHAVIOUR = re.compile(rf"\[\s*{_NAME}?\s*:\s*!{_NAME}(?:\s*&\s*!{_NAME})*\s*[\]{{*]")
#: Labels, as in `(user:User {…})`.
_LABEL = re.compile(rf"\(\s*{_NAME}?\s*:\s*({_NAME}(?:\s*[:&]\s*{_NAME})*)\s*[){{]")
#: A pattern that may be empty: `*0..3`, `*` after a bracket, `{0,3}` or `{,3}`.
_ZERO = re.compile(r"\*\s*0|\)\s*\*|\{\s*0?\s*,")


@dataclass(frozen=True)
class Requirements:
    """The contents that a graph must have so that a statement can return rows.

    Attributes:
        labels: all of these labels.
        relations: one relationship type of each of these groups.
        behaviour: whether it must have any behaviour from User to Item.
    """

    labels: frozenset[str] = frozenset()
    relations: frozenset[frozenset[str]] = frozenset()
    behaviour: bool = False

    def __and__(self, other: "Requirements") -> "Requirements":
        return Requirements(
            self.labels & other.labels, self.relations & other.relations, self.behaviour and other.behaviour
        )


def require_behaviour(schema: GraphSchema, relation: str | None = None) -> None:
    """Raise unless the schema has behaviour from User to Item, and the behaviour `relation` if one is named.

    Raises:
        DataError: the graph has no behaviour; the message names what it has and which loaders provide some.
        UnknownNameError: no behaviour has this name; the message names those that exist and loaders that provide it.
    """
    behaviours = [edge.relation for edge in schema.behaviours()]
    if not behaviours:
        names = [*(node.label for node in schema.nodes), *(edge.relation for edge in schema.edges)]
        if not names:
            raise DataError(f"the graph is empty; load a source first: {FIRST_STEPS}")
        raise DataError(
            "the graph has no relationships from User to Item, so there is nothing to learn from: "
            f"{_describe_contents(names, BEHAVIOURS, _suggest_roles(names, schema.edges))}"
        )
    if relation is not None and relation not in behaviours:
        known = find_loaders()
        hint = _suggest_loaders([relation]) if relation in known else ""
        raise UnknownNameError("behaviour", relation, behaviours, hint)


def require_labels(store: Store, what: str, labels: Iterable[str]) -> None:
    """Raise DataError unless the graph has nodes of each label; it names the contents and how to load the rest."""
    missing = [label for label in sorted(labels) if not counts.has_label(store, label)]
    if missing:
        names = _list_contents(store)
        raise DataError(
            f"{what} needs {' and '.join(missing)} nodes, and the graph has none: "
            f"{_describe_contents(names, missing, _suggest_roles(names) if {USER, ITEM} <= {*missing} else '')}"
        )


def require_recommendations(store: Store, what: str = "this command") -> None:
    """Raise unless a run is published in a form that this version of graphrec can read.

    Raises:
        GraphrecError: no run is published; the message names the two commands that publish one.
        DataError: the recommendations were published by an earlier version of graphrec.
    """
    require_readable_lists(store)
    if RECOMMENDED in counts.known_relations(store) and counts.has_relation(store, [RECOMMENDED]):
        return
    raise GraphrecError(
        f"nothing is published yet, and {what} reads RECOMMENDED edges; "
        "`graphrec train` trains a run and `graphrec publish RUN` publishes it"
    )


def require_query(store: Store, query: Query) -> None:
    """Raise unless the graph has all labels and relationship types without which the query returns no rows.

    Not required are parts of OPTIONAL MATCH, EXISTS, WHERE or a subquery, and further alternatives (`RATED|VIEWED`) if
    the graph has one of them. A query that reads only graphrec's own nodes may return no rows.

    Raises:
        DataError: something is missing; the message names what the graph has and which loaders provide the rest. Or the
            recommendations were published by an earlier version of graphrec.
        GraphrecError: the query reads recommendations, and no run is published.
    """
    required, what = find_requirements(query.statement), f"query {query.name}"
    if "run.layers" in query.statement:
        require_readable_lists(store)
    if labels := required.labels - SYSTEM_LABELS:
        require_labels(store, what, labels)
    if required.behaviour and not counts.has_behaviour(store):
        _refuse_relations(store, what, frozenset(BEHAVIOURS))
    known = set(counts.known_relations(store)) if required.relations else set()
    for group in sorted(required.relations, key=sorted):
        if counts.has_relation(store, sorted(group & known)):
            continue
        if group == {RECOMMENDED}:
            require_recommendations(store, what)
        if group <= SYSTEM_RELATIONS:
            raise GraphrecError(
                f"the published run has no {' or '.join(sorted(group))} edges, which {what} reads; "
                "`graphrec publish --help` describes how to publish them"
            )
        _refuse_relations(store, what, group)


def find_requirements(statement: str) -> Requirements:
    """The names in the MATCH clauses of a statement outside braces; for a UNION only the names that all parts have."""
    parts = [Requirements()]
    for keyword, text in _split_clauses(statement):
        if keyword == "UNION":
            parts.append(Requirements())
        elif keyword == "MATCH" and not _ZERO.search(text):
            labels = {name for match in _LABEL.findall(text) for name in _split_names(match, "[:&]")}
            relations = {frozenset(_split_names(match, r"\|\s*:?")) for match in _RELATION.findall(text)}
            behaviour = parts[-1].behaviour or _BEHAVIOUR.search(text) is not None
            parts[-1] = Requirements(parts[-1].labels | labels, parts[-1].relations | relations, behaviour)
    common = parts[0]
    for part in parts[1:]:
        common = common & part
    return common


def find_loaders() -> dict[str, list[str]]:
    """The names of the loaders that provide each label and relationship type, read from the loaders' constants.

    A loader that cannot be imported is left out, because this is called while another error is reported.
    """
    by_name: dict[str, set[str]] = {}
    for loader in loader_registry.names():
        try:
            values = list(_iterate_types(loader_registry.get(loader)))
        except Exception:  # a third party's module may raise anything
            continue
        for value in values:
            names = (value.label,) if isinstance(value, NodeType) else value.triple
            for name in names:
                by_name.setdefault(name, set()).add(loader)
    return {name: sorted(loaders) for name, loaders in sorted(by_name.items())}


def _iterate_types(loader: object) -> Iterator[NodeType | EdgeType]:
    """The node and edge types among the values of a loader and of its module, and in tuples, lists and dicts there."""
    module = loader if isinstance(loader, ModuleType) else sys.modules.get(type(loader).__module__)
    values = list(vars(module).values()) if module else []
    if loader is not module:
        values += [getattr(loader, name) for name in dir(loader) if not name.startswith("__")]
    for value in values:
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, tuple | list) else [value]
        yield from (part for part in parts if isinstance(part, NodeType | EdgeType))


def _split_clauses(statement: str) -> Iterator[tuple[str, str]]:
    """The clauses outside braces: each as its keyword in capitals and the text up to the next keyword."""
    plain = _COMMENT_OR_TEXT.sub(lambda match: "''" if match[0][0] in "'\"" else " ", statement)
    depth, outside = 0, []
    for character in plain:
        depth += (character == "{") - (character == "}")
        outside.append(depth == 0)
    keywords = [match for match in _CLAUSE.finditer(plain) if outside[match.start()]]
    for position, match in enumerate(keywords):
        end = keywords[position + 1].start() if position + 1 < len(keywords) else len(plain)
        yield " ".join(match[1].upper().split()), plain[match.end() : end]


def _split_names(expression: str, separator: str) -> Iterator[str]:
    for part in re.split(separator, expression):
        yield part.strip().strip("`").replace("``", "`")


def _list_contents(store: Store) -> list[str]:
    """The loaded labels and relationship types that have at least one node or edge."""
    labels = [name for name in counts.known_labels(store) if name not in SYSTEM_LABELS]
    relations = [name for name in counts.known_relations(store) if name not in SYSTEM_RELATIONS]
    return [
        *(label for label in labels if counts.has_label(store, label)),
        *(relation for relation in relations if counts.has_relation(store, [relation])),
    ]


def _refuse_relations(store: Store, what: str, group: frozenset[str]) -> NoReturn:
    if group >= set(BEHAVIOURS):
        required, names = "behaviour of users, such as PURCHASED, RATED or VIEWED", list(BEHAVIOURS)
    else:
        names = sorted(group)
        required = f"{' or '.join(names)} relationships"
    raise DataError(
        f"{what} needs {required}, and the graph has none: {_describe_contents(_list_contents(store), names)}"
    )


def _describe_contents(names: list[str], missing: Iterable[str], hint: str = "") -> str:
    """The contents of a graph and how to load missing names; the first steps if it is empty."""
    return (
        f"it has {first_few(names, 12)}; {hint}{_suggest_loaders(missing)}" if names else f"it is empty; {FIRST_STEPS}"
    )


def _suggest_roles(names: Iterable[str], edges: Iterable[EdgeType] = ()) -> str:
    """How to declare roles if the graph has users and items under other labels; "" if it has none."""
    if {USER, ITEM} & {*names} or not names:
        return ""
    start, end = next(
        ((edge.source, edge.target) for edge in edges if edge.source != edge.target), ("Customer", "Product")
    )
    direction = f"your edges go from {start} to {end}: " if edges else ""
    return (
        f'{direction}if nodes of another label are the users or the items, write role = "user" in [nodes.{start}] and '
        f'role = "item" in [nodes.{end}] of the TOML file and load again; '
    )


def _suggest_loaders(names: Iterable[str]) -> str:
    """Which loaders provide these labels or relationship types, and a command that loads one of them."""
    known = find_loaders()
    pairs = [(name, known[name]) for name in names if name in known]
    loaders = sorted({loader for _, providers in pairs for loader in providers}, key=_sort_key)
    if not loaders:
        return f"no installed loader provides {' or '.join(names)}; write it with Cypher or a loader of yours"
    if {USER, ITEM} & {name for name, _ in pairs}:  # every loader provides these, so they are not listed one by one
        provided = f"{_join_loaders(loaders)} provide{'' if len(loaders) > 1 else 's'} some"
    else:
        provided = ", ".join(
            f"{name} {'' if k else 'is provided '}by {_join_loaders(providers)}"
            for k, (name, providers) in enumerate(pairs)
        )
    is_in_sample = SAMPLE_LOADER in loaders and SAMPLE_PROVIDES & {name for name, _ in pairs}
    command = f"graphrec load {SAMPLE_LOADER}" if is_in_sample else f"graphrec load {loaders[0]} FOLDER"
    return f"{provided}; load one: `{command}`"


def _sort_key(loader: str) -> tuple[bool, str]:
    """The sort key of loaders in messages: the sample first, then by name."""
    return (loader != SAMPLE_LOADER, loader)


def _join_loaders(names: list[str]) -> str:
    """`movielens`, `lastfm and movielens`, `movielens, amazon, ciao and 4 others`."""
    shown = sorted(names, key=_sort_key)
    if len(shown) > 4:
        shown = [*shown[:3], f"{len(shown) - 3} others"]
    return join_words(shown)
