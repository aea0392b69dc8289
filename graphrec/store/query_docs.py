"""Render query files for users: one query to paste into Neo4j Browser, and the page docs/cypher.md of all queries."""

from collections.abc import Iterable, Mapping

from graphrec.store.queries import Parameter, Query, Value, parse_arguments

_HEAD = """# The query library

Each file of `cypher/` is one Cypher statement that runs unchanged on the embedded store and on Neo4j 5.26 or newer.
`graphrec query NAME --param KEY=VALUE` runs one and prints a table, or JSON (`--json`), or CSV (`--csv`). With `--show`
it prints the file with its parameters instead, to paste into Neo4j Browser (enable *Multi statement query editor* in
its settings) or `cypher-shell`.

Conventions:

- An id may also be a `source:key`. The values of a list are separated by commas. A time is a date (`2018-09-24`, in UTC
  if it has no offset) or Unix seconds; in Cypher it is always Unix seconds.
- *Behaviour* is every relationship type from User to Item except `RECOMMENDED` and `SHOWN`. In Cypher it is
  `[:!RECOMMENDED&!SHOWN]`, which includes behaviour types of your own.
- *Liked* items have behaviour of the user and no rating below the mean of the user's ratings.
- An *attribute* is a node other than User and Item to which an item or a user points, such as a Genre.
- The *published list* of a user is that in the active run, the run with the greatest `activated_at`. Items that the
  user has had since its publication are left out when the list is read.
- Rows with equal values are ordered by id, so the same graph gives the same result.

This page is written by `graphrec query --list --markdown > docs/cypher.md`.
"""


def render_query(query: Query, given: Mapping[str, str]) -> str:
    """A query to paste into Neo4j Browser or cypher-shell: `:param` lines, then the file, then a semicolon.

    The placeholder of a parameter that is not given and has no default is its name in capitals.
    Raises UnknownNameError for a parameter that the query does not have, GraphrecError for a value of the wrong type.
    """
    values = parse_arguments(query, given)
    lines = [
        f":param {p.name} => {_format_literal(values.get(p.name, _make_placeholder(p)))};" for p in query.parameters
    ]
    return "\n".join([*lines, *([""] if lines else []), f"{query.text.strip()};"])


def render_page(queries: Iterable[Query]) -> str:
    """The page `docs/cypher.md`: conventions, a table of the queries, and a section for each with its parameters."""
    known = list(queries)
    rows = [f"| [`{query.name}`](#{query.name}) | {query.sentence} |" for query in known]
    table = "\n".join(["| query | result |", "|---|---|", *rows])
    return "\n".join([_HEAD, table, "", *(_render_section(query) for query in known)])


def _render_section(query: Query) -> str:
    rows = [
        f"| `{p.name}` | {p.type} | {'–' if p.default is None else f'`{p.default}`'} | {p.text} |"
        for p in query.parameters
    ]
    table = ["", "| parameter | type | default | |", "|---|---|---|---|", *rows] if rows else []
    columns = ", ".join(f"`{column}`" for column in query.returns)
    return "\n".join([f"## {query.name}", "", query.sentence, *table, "", f"Returns {columns}.", ""])


def _make_placeholder(parameter: Parameter) -> Value:
    name = parameter.name.upper()
    return [name] if parameter.type == "list" else name


def _format_literal(value: Value) -> str:
    """A value as a Cypher literal."""
    if isinstance(value, list):
        return f"[{', '.join(map(_format_literal, value))}]"
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return repr(value)
