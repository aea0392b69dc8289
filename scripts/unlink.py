"""Take a source out of the graph again, and leave what the others brought."""

from dataclasses import asdict

import click

from . import _completion, _load_report, _terminal


@click.command(epilog="Example: graphrec unlink imdb")
@click.argument("source", shell_complete=_completion.loaded_sources)
@click.option("--dry-run", is_flag=True, help="Say what would go, and change nothing.")
@_terminal.json_option
def command(source: str, dry_run: bool, as_json: bool) -> None:
    """Take SOURCE out of the graph: its edges, its values, and the nodes that it alone brought.

    What is left is the graph that the other sources make. Recommendations to or from nodes that go, go with them.
    `graphrec schema` lists the sources.
    """
    from graphrec import ingest

    with _terminal.open_store() as (store, settings), _terminal.progress_bar() as progress:
        unlinked = ingest.take_out(store, source, settings.home, dry_run, progress)
    if as_json:
        _terminal.print_json({**asdict(unlinked), "dry_run": dry_run})
    elif dry_run:
        title = f"{source}: nothing is changed; unlinking would"
        _load_report.show_written(title, unlinked.written, ("create", "change", "delete"))
        _terminal.note("the same command without --dry-run takes it out")
    else:
        _load_report.show_written(f"{source} taken out in {unlinked.seconds:.1f} s", unlinked.written)
        _terminal.note("next: `graphrec schema` shows what is left; load the source again to undo this")
