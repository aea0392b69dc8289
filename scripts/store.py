"""Start, stop or look at the graph database that graphrec uses."""

from dataclasses import asdict

import click

from . import _terminal


@click.group(epilog="Example: graphrec store status --json")
def command() -> None:
    """Start, stop or look at the graph database that graphrec uses.

    Without NEO4J_URI that is the embedded store in GRAPHREC_HOME; every other command starts it if it must.
    """


@command.command(epilog="Example: graphrec store start --port 7687")
@click.option("--port", type=_terminal.Number(1, 65_535), help="Bolt port on loopback; without it a free one is taken.")
@_terminal.json_option
def start(port: int | None, as_json: bool) -> None:
    """Start the embedded store, or find it running."""
    from graphrec import config
    from graphrec.errors import StoreError

    settings = config.Settings()
    if settings.neo4j_uri is not None:
        raise StoreError(
            f"NEO4J_URI is set to {settings.neo4j_uri}, so that database is used; start it with its own tools, "
            "or unset NEO4J_URI for the embedded store"
        )
    settings.embedded.start(port)
    _show(as_json)


@command.command(epilog="Example: graphrec store stop")
@_terminal.json_option
def stop(as_json: bool) -> None:
    """Stop the embedded store cleanly."""
    from graphrec import config

    stopped = config.Settings().embedded.stop()
    if as_json:
        _terminal.print_json({"stopped": stopped})
    else:
        click.echo("stopped the embedded store" if stopped else "the embedded store does not run")


@command.command(epilog="Example: graphrec store status --json")
@_terminal.json_option
def status(as_json: bool) -> None:
    """Say whether the store runs, where it answers, and where its password lies."""
    _show(as_json)


def _show(as_json: bool) -> None:
    from graphrec import config

    state = asdict(config.store_status(config.Settings()))
    if as_json:
        _terminal.print_json(state)
    else:
        _terminal.print_table(
            "", ["store", ""], [[name, "–" if value is None else value] for name, value in state.items()]
        )
