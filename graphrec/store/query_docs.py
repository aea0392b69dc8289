"""The query files for people: one as it is pasted into Neo4j Browser, and the index of all that stands in the docs."""

from collections.abc import Iterable, Mapping

from graphrec.store.queries import Parameter, Query, Value, parse_given

_HEAD = """# The query library

Each file of `cypher/` is one Cypher statement that runs unchanged on the embedded store and on Neo4j 5.26 or newer.
`graphrec query NAME --param KEY=VALUE` runs one and prints a table, or JSON (`--json`), or CSV (`--csv`). With `--show`
it prints the file instead, with its parameters, to be pasted into Neo4j Browser (tick *Enable multi statement query
editor* in its settings) or `cypher-shell`.

What they have in common:

- An id may be a `source:key` as well. A list has commas between its values. A time is a date (`2018-09-24`, in UTC
  unless it says otherwise) or Unix seconds; in Cypher it is always Unix seconds.
- *Chose* means any behaviour: every relationship type from User to Item but `RECOMMENDED` and `SHOWN`. Cypher writes
  that `[:!RECOMMENDED&!SHOWN]`, so behaviours of your own count too.
- *Liked* means chosen, and not rated below the mean of the user's own ratings; without a rating, choosing is liking.
- An *attribute* is a node that is neither User nor Item and to which an item or a user points, such as a Genre.
- The *published list* of a user is that of the run with the greatest `activated_at`. What the user has met since it was
  published is left out when it is read.
- Equal rows are ordered by id, so the same graph gives the same answer.

This page is written by `graphrec query --list --markdown > docs/cypher.md`.
"""


def show(query: Query, given: Mapping[str, str]) -> str:
    """A query as it can be pasted into Neo4j Browser or cypher-shell: `:param` lines, then the file, then a semicolon.

    A parameter that is not given and has no default stands there as its name in capitals.
    Raises UnknownNameError for a parameter that the query does not have, GraphrecError for a value of the wrong type.
    """
    values = parse_given(query, given)
    lines = [f":param {p.name} => {_literal(values.get(p.name, _placeholder(p)))};" for p in query.parameters]
    return "\n".join([*lines, *([""] if lines else []), f"{query.text.strip()};"])


def index(queries: Iterable[Query]) -> str:
    """The page `docs/cypher.md`: what the queries have in common, a table of them, and each with its parameters."""
    known = list(queries)
    rows = [f"| [`{query.name}`](#{query.name}) | {query.sentence} |" for query in known]
    table = "\n".join(["| query | what it does |", "|---|---|", *rows])
    return "\n".join([_HEAD, table, "", *(_section(query) for query in known)])


def _section(query: Query) -> str:
    rows = [
        f"| `{p.name}` | {p.type} | {'–' if p.default is None else f'`{p.default}`'} | {p.text} |"
        for p in query.parameters
    ]
    table = ["", "| parameter | type | default | |", "|---|---|---|---|", *rows] if rows else []
    columns = ", ".join(f"`{column}`" for column in query.returns)
    return "\n".join([f"## {query.name}", "", query.sentence, *table, "", f"Returns {columns}.", ""])


def _placeholder(parameter: Parameter) -> Value:
    name = parameter.name.upper()
    return [name] if parameter.type == "list" else name


def _literal(value: Value) -> str:
    """A value as Cypher writes it."""
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return repr(value)
