"""Load a source into the graph, fused with what is there."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import _terminal

if TYPE_CHECKING:
    from graphrec.fusion import FusionReport, LabelReport
    from graphrec.ingest import Loaded


class Load(click.Command):
    """The command, whose help lists the sources there are."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The sources with the first line of each loader, then an example."""
        from graphrec import loading

        with formatter.section("Sources"):
            formatter.write_dl(list(loading.summaries().items()))
        super().format_epilog(ctx, formatter)


@click.command(cls=Load, epilog="Example: graphrec load lastfm ~/data/hetrec2011-lastfm-2k")
@click.argument("source")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@_terminal.json_option
def command(source: str, folder: Path | None, as_json: bool) -> None:
    """Load SOURCE from FOLDER into the graph, fused with what is there.

    Loading again writes only what is new or changed, and takes away the source's edges that its files no longer have.
    """
    from graphrec import ingest, loading

    loading.get(source)  # a wrong name is said before a store is started for it
    with _terminal.open_store() as (store, settings), _terminal.progress_bar() as progress:
        loaded = ingest.load(store, source, folder, settings.home, progress)
    if as_json:
        _terminal.print_json(as_dict(loaded))
    else:
        show(loaded)


def as_dict(loaded: "Loaded") -> dict[str, object]:
    """What a load did, as plain values."""
    return {
        "source": asdict(loaded.source),
        "rows": loaded.rows,
        "written": [asdict(written) for written in loaded.written],
        "fusion": loaded.fusion.to_dict(),
        "seconds": round(loaded.seconds, 3),
    }


def show(loaded: "Loaded") -> None:
    """What a load did, as tables."""
    rows = [
        [written.name, written.target or "", written.created, written.changed, written.deleted]
        for written in loaded.written
    ]
    title = f"{loaded.source.name} loaded in {loaded.seconds:.1f} s"
    _terminal.print_table(title, ["", "to", "created", "changed", "deleted"], rows)
    show_fusion(loaded.fusion)


def show_fusion(report: "FusionReport") -> None:
    """What was matched with other sources; nothing where no label met another source."""
    met = [label for label in report.labels if label.matched or label.ambiguous]
    if not met:
        return
    columns = ["", "matched", "ambiguous", "unmatched", "new nodes", "for example"]
    rows = [
        [label.label, label.matched, label.ambiguous, label.unmatched, label.new, "\n".join(_examples(label))]
        for label in met
    ]
    _terminal.print_table(f"{report.source} fused with the graph", columns, rows)


def _examples(label: "LabelReport") -> list[str]:
    return [*label.matched_examples[:2], *label.ambiguous_examples[:2]]
