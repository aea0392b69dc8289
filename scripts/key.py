"""Create, list and revoke the API keys of the server."""

import click

from . import _options, _terminal

SCOPES = ("read", "write", "admin")


@click.group(epilog="Example: graphrec key create shop --scope read --scope write")
def command() -> None:
    """Create, list and revoke the API keys of `graphrec serve`; they are kept as salted hashes in GRAPHREC_HOME."""


@command.command(epilog="Example: graphrec key create shop --scope read --scope write --days 90 --rate 100")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(SCOPES),
    help="What the key may do: read (default); write events, users and items; admin: runs, delete users. Repeatable.",
)
@click.option(
    "--days", type=_options.Decimal(0, 36_500, min_open=True), help="Lifetime in days; by default without end."
)
@click.option(
    "--rate", type=_options.Decimal(0), default=200.0, show_default=True, help="Requests a second (0: no limit)."
)
@_options.json_option
def create(name: str, scopes: tuple[str, ...], days: float | None, rate: float, as_json: bool) -> None:
    """Create a key, and print it: stdout has the key alone. It is shown this once, and kept nowhere."""
    with _terminal.open_graph() as graph:
        made = graph.create_key(name, scopes or ("read",), days, rate)
    if as_json:
        _terminal.print_json({"key": made.text, **made.key.as_dict()})
        return
    _terminal.say(made.text)
    _terminal.note(f"key {made.key.id} with {', '.join(made.key.scopes)}; keep it now, it is not shown again")


@command.command("list", epilog="Example: graphrec key list --json")
@_options.json_option
def list_(as_json: bool) -> None:
    """List all keys, without their secrets."""
    with _terminal.open_graph() as graph:
        rows = [key.as_dict() for key in graph.list_keys()]
    _terminal.print_rows("API keys", rows, as_json)


@command.command(epilog="Example: graphrec key revoke shop")
@click.argument("key")
@_options.json_option
def revoke(key: str, as_json: bool) -> None:
    """Revoke a key, by its id or its name; running servers refuse it within a second."""
    with _terminal.open_graph() as graph:
        revoked = graph.revoke_key(key)
    if as_json:
        _terminal.print_json(revoked.as_dict())
    else:
        _terminal.note(f"revoked the key {revoked.name} ({revoked.id})")
