"""Take a source out of the graph again, and leave what the others brought."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from . import _completion, _load_report, _terminal


@click.command(epilog="Example: graphrec unlink imdb")
@click.argument("source", shell_complete=_completion.loaded_sources)
@click.option("--dry-run", is_flag=True, help="Say what would go, and change nothing.")
@_terminal.json_option
def command(source: str, dry_run: bool, as_json: bool) -> None:
    """Take SOURCE out of the graph: its edges, its values, and the nodes that it alone brought.

    What is left is the graph that the other sources make. Recommendations to or from nodes that go, go with them.
    `graphrec schema` lists the sources. The last report of the source, with the rows that were rejected, is deleted
    too. Saved runs that were trained on it still know its users and items, and are named.
    """
    from graphrec import ingest

    with _terminal.open_store() as (store, settings), _terminal.progress_bar() as progress:
        unlinked = ingest.unlink_source(store, source, settings.home, dry_run, progress)
        from graphrec import runs  # loads torch, after the work

        knowing, silent = runs.knowing(settings.runs, source)
        forgotten = not dry_run and ingest.delete_report(settings.loads, source)
    told = {"dry_run": dry_run, "report_deleted": forgotten, "runs": knowing, "runs_that_do_not_say": silent}
    if as_json:
        _terminal.print_json({**asdict(unlinked), **told})
    elif dry_run:
        title = f"{source}: nothing is changed; unlinking would"
        _load_report.show_written(title, unlinked.written, ("create", "change", "delete"))
        _terminal.note("the same command without --dry-run takes it out")
    else:
        _load_report.show_written(f"{source} taken out in {unlinked.seconds:.1f} s", unlinked.written)
        if forgotten:
            _terminal.note(f"its last report is deleted, with the rows that were rejected ({settings.loads})")
        _terminal.note("next: `graphrec schema` shows what is left; load the source again to undo this")
    if not as_json:
        _say_runs(source, knowing, silent, settings.runs)


def _say_runs(source: str, knowing: Sequence[str], silent: Sequence[str], folder: Path) -> None:
    """Which saved runs still know the source, and which may."""
    from graphrec.errors import first_few

    if knowing:
        _terminal.note(
            f"trained on {source}, and know its users and items until you delete them from {folder}: "
            f"{first_few(knowing)}"
        )
    if silent:
        _terminal.note(f"saved by an earlier version, and may know {source} as well: {first_few(silent)}")
