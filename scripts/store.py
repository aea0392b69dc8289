"""Start, stop or inspect the graph database that graphrec uses."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from . import _options, _terminal

if TYPE_CHECKING:
    from graphrec.config import StoreStatus


@click.group(epilog="Example: graphrec store status --json")
def command() -> None:
    """Start, stop or inspect the graph database that graphrec uses.

    Without NEO4J_URI it is the embedded store in GRAPHREC_HOME, which other commands start if it does not run.
    """


@command.command(epilog="Example: graphrec store start --port 7687")
@click.option("--port", type=_options.Number(1, 65_535), help="Bolt port on loopback; by default a free one.")
@_options.json_option
def start(port: int | None, as_json: bool) -> None:
    """Start the embedded store, if it does not run."""
    with _terminal.open_graph() as graph:
        _show(graph.start_store(port), as_json)


@command.command(epilog="Example: graphrec store stop")
@_options.json_option
def stop(as_json: bool) -> None:
    """Stop the embedded store cleanly."""
    with _terminal.open_graph() as graph:
        stopped = graph.stop_store()
    if as_json:
        _terminal.print_json({"stopped": stopped})
    else:
        click.echo("stopped the embedded store" if stopped else "the embedded store does not run")


@command.command(epilog="Example: graphrec store status --json")
@_options.json_option
def status(as_json: bool) -> None:
    """Show whether the store runs, its address, and its password file."""
    with _terminal.open_graph() as graph:
        _show(graph.store_status(), as_json)


def _show(status: "StoreStatus", as_json: bool) -> None:
    state = asdict(status)
    if as_json:
        _terminal.print_json(state)
    else:
        _terminal.print_table(
            "", ["store", ""], [[name, "–" if value is None else value] for name, value in state.items()]
        )
