"""List, retry and delete the records of streams that became no edge."""

from dataclasses import asdict
from pathlib import Path

import click

from . import _options, _terminal


@click.group(epilog="Example: graphrec rejected list --stream clicks --json")
def command() -> None:
    """Rejected records of streams (dead letters): kept in the graph with the reason until retried or deleted."""


@command.command("list", epilog="Example: graphrec rejected list --stream clicks --limit 20")
@click.option("--stream", help="Only of this stream, by the name in its TOML file.")
@click.option("--user", help="Only of this user.")
@click.option("--limit", type=_options.Number(), default=1_000, show_default=True, help="Most records to list.")
@_options.json_option
def list_(stream: str | None, user: str | None, limit: int, as_json: bool) -> None:
    """List rejected records; with --json also their content."""
    with _terminal.open_graph() as graph:
        found = graph.list_rejected(stream, user, limit)
    if as_json:
        _terminal.print_json([asdict(each) for each in found])
        return
    rows = [
        {
            "stream": each.stream,
            "partition": each.partition,
            "position": each.position,
            "held": "yes" if each.held else "no",
            "reason": each.reason,
            "record": each.record[:60],
        }
        for each in found
    ]
    _terminal.print_rows("rejected records", rows, False)


@command.command(epilog="Example: graphrec rejected retry clicks.toml")
@click.argument("stream", type=_options.InPath(dir_okay=False))
@_options.json_option
def retry(stream: Path, as_json: bool) -> None:
    """Read the rejected records of a stream again, as its TOML file STREAM says now.

    Records that become edges are deleted; the others are kept with the new reason.
    """
    with _terminal.open_graph() as graph:
        done = graph.retry_rejected(stream)
    if as_json:
        _terminal.print_json(asdict(done))
    else:
        _terminal.say(
            f"{done.accepted:,} written, {done.repeated:,} repeated, {done.ignored:,} ignored, "
            f"{done.rejected:,} rejected again"
        )


@command.command(epilog="Example: graphrec rejected delete --stream clicks")
@click.option("--stream", help="Only of this stream, by the name in its TOML file.")
@click.option("--user", help="Only of this user.")
@click.option("--all", "is_all", is_flag=True, help="Of all streams and users.")
@_options.json_option
def delete(stream: str | None, user: str | None, is_all: bool, as_json: bool) -> None:
    """Delete rejected records for good; name a stream or a user, or write --all."""
    if is_all == (stream is not None or user is not None):
        raise click.UsageError("name a stream or a user, or write --all for all rejected records, and not both")
    with _terminal.open_graph() as graph:
        number = graph.delete_rejected(stream, user)
    if as_json:
        _terminal.print_json({"deleted": number})
    else:
        _terminal.note(f"deleted {number:,} rejected record{'' if number == 1 else 's'}")
