"""Serve recommendations over HTTP."""

from pathlib import Path

import click

from . import _options, _terminal


@click.command(epilog="Example: graphrec serve --port 8080 --rules shop=rules.toml")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port", type=_options.Number(0, 65_535), default=8080, show_default=True, help="Port (0: any free one)."
)
@click.option(
    "--workers",
    type=_options.Number(1, 256),
    default=1,
    show_default=True,
    help="Server processes with a common cache.",
)
@click.option("--open", "is_open", is_flag=True, help="Serve without keys; only on a loopback address.")
@click.option(
    "--rules", multiple=True, metavar="NAME=FILE", help="TOML file of re-ranking rules for ?rules=NAME; repeatable."
)
@click.option(
    "--unknown-users",
    type=click.Choice(["create", "reject"]),
    default="create",
    show_default=True,
    help="What becomes of events of users that the graph does not have.",
)
@click.option(
    "--unknown-items",
    type=click.Choice(["create", "reject"]),
    default="reject",
    show_default=True,
    help="What becomes of events with items that the graph does not have.",
)
@click.option(
    "--timeout",
    type=_options.Decimal(0.1, 600),
    default=10.0,
    show_default=True,
    help="Time limit of a request in seconds.",
)
def command(
    host: str,
    port: int,
    workers: int,
    is_open: bool,
    rules: tuple[str, ...],
    unknown_users: str,
    unknown_items: str,
    timeout: float,
) -> None:
    """Serve recommendations, explanations and events over HTTP, for clients with an API key (`graphrec key create`).

    A new publication is taken over without a restart. The cache is in the process; GRAPHREC_CACHE_URL names a Valkey or
    Redis. Logs are JSON lines on stderr. SIGTERM ends the server after the requests in progress.
    """
    files = {}
    for text in rules:
        name, file = _options.parse_pair(text, "--rules")
        files[name] = str(Path(file).absolute())
    from graphrec.api.options import ServeOptions

    creates = (unknown_users == "create", unknown_items == "create")
    with _terminal.open_graph() as graph:
        graph.serve(ServeOptions(host, port, workers, is_open, files, *creates, timeout))
