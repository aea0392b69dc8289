"""Run one of the Cypher query files."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from . import _completion, _options, _terminal, _times

if TYPE_CHECKING:
    from graphrec.store.queries import Query


@click.command(epilog="Example: graphrec query explain_recommendation --param user_id=2 --param item_id=51")
@click.argument("name", required=False, shell_complete=_completion.queries)
@click.option("--param", "parameters", multiple=True, metavar="KEY=VALUE", help="Parameter of the query; repeatable.")
@click.option("--list", "list_all", is_flag=True, help="List all queries with their parameters.")
@click.option("--show", is_flag=True, help="Print the query for Neo4j Browser and cypher-shell instead of running it.")
@click.option("--markdown", is_flag=True, help="With --list: print the page docs/cypher.md.")
@click.option(
    "--csv",
    "as_csv",
    is_flag=True,
    help="Print the result as CSV. Texts that look like formulas are escaped only with --csv-safe.",
)
@_options.csv_safe_option
@_options.json_option
def command(
    name: str | None,
    parameters: tuple[str, ...],
    list_all: bool,
    show: bool,
    markdown: bool,
    as_csv: bool,
    csv_safe: bool,
    as_json: bool,
) -> None:
    """Run the Cypher query file NAME; without a name, list them.

    Ids of users and items may be `source:key`, and a run may be given by the first letters of its id. Tables show times
    in UTC; JSON and CSV keep Unix seconds.
    """
    if sum((as_csv, as_json, markdown)) > 1:
        raise click.UsageError("--csv, --json and --markdown are different forms of the result; give one of them")
    if csv_safe and not as_csv:
        raise click.UsageError("--csv-safe changes CSV only; give --csv as well")
    if show and (name is None or list_all or as_csv):
        raise click.UsageError("--show prints one query: graphrec query NAME --show")
    if markdown and name is not None and not list_all:
        raise click.UsageError("--markdown is a form of the list: graphrec query --list --markdown")
    given = dict(_options.parse_pair(text, "--param") for text in parameters)
    if list_all or name is None:
        _list(markdown, as_csv, as_json)
    elif show:
        _show(name, given, as_json)
    else:
        _run(name, given, as_csv, csv_safe, as_json)


def _run(name: str, given: dict[str, str], as_csv: bool, csv_safe: bool, as_json: bool) -> None:
    from graphrec.store import queries

    query = queries.get(name)
    with _terminal.open_graph() as graph:
        rows = graph.rows(query, given)
    if as_csv:
        _terminal.print_csv(query.returns, rows, csv_safe)
    else:
        _terminal.print_rows(query.sentence, rows if as_json else _times.format_times(rows), as_json)


def _show(name: str, given: dict[str, str], as_json: bool) -> None:
    from graphrec.store import queries, query_docs

    query = queries.get(name)
    text = query_docs.render_query(query, given)
    if as_json:
        _terminal.print_json({**_describe(query), "returns": query.returns, "text": text})
        return
    _terminal.say(text)
    missing = [p.name for p in query.parameters if p.default is None and p.name not in given]
    if missing:
        _terminal.note(f"set {' and '.join(missing)} in the first lines, or here with --param KEY=VALUE")


def _list(markdown: bool, as_csv: bool, as_json: bool) -> None:
    from graphrec.store import queries, query_docs

    found = [queries.get(name) for name in queries.names()]
    if markdown:
        _terminal.say(query_docs.render_page(found), end="")
        return
    rows: Sequence[dict[str, Any]] = [_describe(query) for query in found]  # a row's values are any JSON
    if as_csv:
        _terminal.print_csv(list(rows[0]), rows)
    else:
        _terminal.print_rows("", rows, as_json)


def _describe(query: "Query") -> dict[str, object]:
    return {
        "query": query.name,
        "what it does": query.sentence,
        "parameters": [p.name if p.default is None else f"{p.name}={p.default}" for p in query.parameters],
    }
