"""Run one of the Cypher query files."""

import click

from . import _terminal


@click.command(epilog="Example: graphrec query explain_recommendation --param user_id=2 --param item_id=51")
@click.argument("name", required=False)
@click.option("--param", "parameters", multiple=True, metavar="KEY=VALUE", help="A parameter of the query; repeatable.")
@click.option("--list", "list_all", is_flag=True, help="Show all queries with their parameters.")
@_terminal.json_option
def command(name: str | None, parameters: tuple[str, ...], list_all: bool, as_json: bool) -> None:
    """Run the Cypher query file NAME; without a name, list them."""
    from graphrec.store import queries

    if list_all or name is None:
        _list(as_json)
        return
    query = queries.get(name)
    given = dict(_terminal.pair(text, "--param") for text in parameters)
    with _terminal.open_graph() as graph:
        rows = graph.rows(query, given)
    _terminal.print_rows(query.sentence, rows, as_json)


def _list(as_json: bool) -> None:
    from graphrec.store import queries

    found = [queries.get(name) for name in queries.names()]
    rows = [
        {
            "query": query.name,
            "what it does": query.sentence,
            "parameters": [p.name if p.default is None else f"{p.name}={p.default}" for p in query.parameters],
        }
        for query in found
    ]
    _terminal.print_rows("", rows, as_json)
