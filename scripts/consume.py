"""Read a stream of events into the graph: a folder that grows, Redis Streams or Kafka."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import _options, _terminal

if TYPE_CHECKING:
    from graphrec.streams import StreamStatus


@click.command(epilog="Example: graphrec consume clicks.toml --once")
@click.argument("stream", type=_options.InPath(dir_okay=False))
@click.option("--once", is_flag=True, help="End when all records that are there are written.")
@click.option("--status", is_flag=True, help="Show how far the stream was read, and read nothing.")
@click.option(
    "--from-start", is_flag=True, help="Read all records again; events with ids of their own are not written twice."
)
@click.option(
    "--skip-lost", is_flag=True, help="Read on at the oldest record where records were deleted before they were read."
)
@click.option(
    "--batch", type=_options.Number(1, 10_000), default=1_000, show_default=True, help="Most records of a transaction."
)
@click.option("--metrics-port", type=_options.Number(1, 65_535), help="Serve metrics for Prometheus on 127.0.0.1.")
@_options.json_option
def command(
    stream: Path,
    once: bool,
    status: bool,
    from_start: bool,
    skip_lost: bool,
    batch: int,
    metrics_port: int | None,
    as_json: bool,
) -> None:
    """Read the stream that the TOML file STREAM describes into the graph, each record exactly once.

    The position is in the graph, in the transaction of the edges, so the command may be killed at any moment and
    started again. It runs until SIGTERM or Ctrl-C. Records that become no edge are kept: `graphrec rejected list`.
    Servers whose answers are to follow at once need a common cache: GRAPHREC_CACHE_URL.
    """
    with _terminal.open_graph() as graph:
        if status:
            _show_status(graph.stream_status(stream), as_json)
            return
        from graphrec.streams.options import ConsumeOptions

        consumed = graph.consume(stream, ConsumeOptions(once, from_start, skip_lost, batch, metrics_port))
    if as_json:
        _terminal.print_json(asdict(consumed))
        return
    _terminal.say(
        f"{consumed.accepted:,} events written, {consumed.repeated:,} repeated, {consumed.rejected:,} rejected, "
        f"{consumed.ignored:,} ignored, in {consumed.seconds:.1f} s"
    )
    if consumed.rejected:
        _terminal.note("`graphrec rejected list` shows the rejected records with their reasons")


def _show_status(found: "StreamStatus", as_json: bool) -> None:
    if as_json:
        _terminal.print_json(asdict(found))
        return
    from graphrec.time_format import moment_text

    columns = ["partition", "position", "lag", "accepted", "repeated", "rejected", "ignored", "last write (UTC)"]
    rows = [
        (
            each.partition,
            each.next or None,
            each.lag,
            *(each.accepted, each.repeated, each.rejected, each.ignored),
            None if each.updated is None else moment_text(each.updated // 1000),
        )
        for each in found.partitions
    ]
    _terminal.print_table(f"stream {found.stream}", columns, rows)
    _terminal.note(f"{found.num_rejected:,} rejected events are kept, {found.num_held:,} of them held")
    if found.problem:
        _terminal.note(f"the lag is unknown: {found.problem}")
