"""Remove a source from the graph; the data of the other sources stay."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import _completion, _load_report, _options, _terminal

if TYPE_CHECKING:
    from graphrec.ingest import Unlinked


@click.command(epilog="Example: graphrec unlink imdb")
@click.argument("source", shell_complete=_completion.loaded_sources)
@click.option("--dry-run", is_flag=True, help="Show what would be deleted, and change nothing.")
@_options.json_option
def command(source: str, dry_run: bool, as_json: bool) -> None:
    """Remove SOURCE from the graph: its edges, its values, and the nodes that no other source has.

    The graph is then as if only the other sources had been loaded. Impressions (SHOWN) and recommendations of deleted
    nodes are deleted with them, and so is the last report of the source with its rejected rows. A node with edges that
    another program wrote stays, without the properties of the source. Saved runs that were trained on it still
    contain its users and items, and are listed. `graphrec schema` lists the sources.
    """
    with _terminal.open_graph() as graph, _terminal.progress_bar() as progress:
        unlinked = graph.unlink(source, dry_run, progress)
    if as_json:
        _terminal.print_json(asdict(unlinked))
        return
    if dry_run:
        title = f"{source}: nothing is changed; unlinking would"
        _load_report.show_written(title, unlinked.written, ("create", "change", "delete"))
        _show_kept(unlinked, "would keep")
        _terminal.note("the same command without --dry-run removes it")
    else:
        _load_report.show_written(f"{source} removed in {unlinked.seconds:.1f} s", unlinked.written)
        _show_kept(unlinked, "kept")
        if unlinked.report_deleted:
            _terminal.note(f"its last report is deleted, with the rejected rows ({graph.settings.loads})")
        _terminal.note(f"next: `graphrec schema` shows what is left; {unlinked.undo}")
    _show_runs(unlinked, graph.settings.runs)


def _show_kept(unlinked: "Unlinked", verb: str) -> None:
    """Print a note on the nodes of each label that other programs' edges hold."""
    for label, number in unlinked.kept.items():
        _terminal.note(
            f"{verb} {number:,} {label} node{'' if number == 1 else 's'} because other programs' edges end there; "
            "only the id and the properties of other programs stay"
        )


def _show_runs(unlinked: "Unlinked", folder: Path) -> None:
    """Print a note on the saved runs that were trained on the source, and one on those that may have been."""
    from graphrec.errors import first_few

    source = unlinked.source.name
    if unlinked.runs:
        _terminal.note(
            f"these runs were trained on {source}, and contain its users and items until you delete them from "
            f"{folder}: {first_few(unlinked.runs)}"
        )
    if unlinked.runs_that_do_not_say:
        _terminal.note(
            f"these runs were saved by an earlier version, and may contain {source} too: "
            f"{first_few(unlinked.runs_that_do_not_say)}"
        )
