"""Take a source out of the graph again, and leave what the others brought."""

from dataclasses import asdict

import click

from . import _terminal


@click.command(epilog="Example: graphrec unlink imdb")
@click.argument("source")
@click.option("--dry-run", is_flag=True, help="Say what would go, and change nothing.")
@_terminal.json_option
def command(source: str, dry_run: bool, as_json: bool) -> None:
    """Take SOURCE out of the graph: its edges, its values, and the nodes that it alone brought.

    What is left is the graph that the other sources make. Recommendations to or from nodes that go, go with them.
    """
    from graphrec import ingest

    with _terminal.open_store() as (store, settings), _terminal.progress_bar() as progress:
        unlinked = ingest.take_out(store, source, settings.home, dry_run, progress)
    if as_json:
        _terminal.print_json({**asdict(unlinked), "dry_run": dry_run})
        return
    rows = [[each.name, each.target or "", each.changed, each.deleted] for each in unlinked.written]
    if dry_run:
        title, columns = f"{source}: nothing is changed; unlinking would", ["change", "delete"]
    else:
        title, columns = f"{source} taken out in {unlinked.seconds:.1f} s", ["changed", "deleted"]
    _terminal.print_table(title, ["", "to", *columns], rows)
