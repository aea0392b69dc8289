"""Load a source into the graph: read, clean, fuse with what is there, write what changed."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import _terminal

if TYPE_CHECKING:
    from graphrec.fusion import FusionReport, LabelReport
    from graphrec.ingest import Loaded, Options
    from graphrec.tables import GraphTables


class Load(click.Command):
    """The command with the sources that there are at the end of its help."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The example, then the list of sources with what each one is."""
        from graphrec import loading

        with formatter.section("Sources"):
            formatter.write_dl(list(loading.summaries().items()))
        super().format_epilog(ctx, formatter)


@click.command(cls=Load, epilog="Example: graphrec load lastfm ~/data/hetrec2011-lastfm-2k")
@click.argument("source")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--check", "mode", flag_value="check", help="Read and clean, and do not look at the graph.")
@click.option("--dry-run", "mode", flag_value="dry_run", help="Say what would be written, and write nothing.")
@click.option("--append", is_flag=True, help="FOLDER has only what is new: add it, and take nothing away.")
@click.option("--strict", is_flag=True, help="A rejected row is an error.")
@click.option("--max-per-day", type=click.IntRange(min=1), help="Leave out users with more events on one day: robots.")
@click.option("--min-interactions", type=click.IntRange(min=1), help="Leave out users and items with fewer (k-core).")
@click.option("--precedence", type=int, help="Where sources disagree, the one with the highest wins.")
@click.option(
    "--threshold", type=click.FloatRange(0, 1), help="Make links from this confidence on; propose the others."
)
@click.option("--writers", type=click.IntRange(1, 16), default=1, show_default=True, help="Write edges side by side.")
@click.option(
    "--import-files",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write files for `neo4j-admin database import` to this folder, instead of the graph.",
)
@_terminal.json_option
def command(  # one parameter for each option: click's way
    source: str, folder: Path | None, mode: str | None, import_files: Path | None, as_json: bool, **options: Any
) -> None:
    """Load SOURCE from FOLDER into the graph, fused with what is there.

    SOURCE is a name of the list below, or a TOML file that describes files or databases of your own (`graphrec sniff`
    proposes one). Loading again writes only what is new or changed, and takes away what the source no longer has.
    """
    from graphrec import loading
    from graphrec.ingest import Options

    if source.endswith(".toml"):
        source, folder = "table", Path(source)
    loading.get(source)  # a wrong name is said before a store is started for it
    chosen = Options(**options, dry_run=mode == "dry_run")
    if mode == "check":
        _check(source, folder, chosen, as_json)
    elif import_files:
        _import_files(source, folder, chosen, import_files, as_json)
    else:
        _load(source, folder, chosen, as_json)


def _load(source: str, folder: Path | None, options: "Options", as_json: bool) -> None:
    from graphrec import ingest

    with _terminal.open_store() as (store, settings), _terminal.progress_bar() as progress:
        loaded = ingest.load(store, source, folder, settings.home, options, progress)
        place = ingest.save_report(settings.loads, loaded.source.name, as_dict(loaded), loaded.cleaning)
    if as_json:
        _terminal.print_json(as_dict(loaded) | {"report": str(place)})
    else:
        show(loaded)
        _tell_rejected(loaded.cleaning.dropped, place)


def _check(source: str, folder: Path | None, options: "Options", as_json: bool) -> None:
    from graphrec import config, ingest

    with _terminal.progress_bar() as progress:
        tables = ingest.read(source, folder, options, progress)
    name = tables.sources[0].name
    place = ingest.save_report(config.Settings().loads, name, tables.cleaning.to_dict(), tables.cleaning)
    if as_json:
        _terminal.print_json(
            {"source": asdict(tables.sources[0]), "cleaning": tables.cleaning.to_dict(), "report": str(place)}
        )
        return
    rows = [[t.type.label, "", len(t.frame), ", ".join(t.type.properties)] for t in tables.nodes]
    rows += [
        [f"{t.type.source} {t.type.relation}", t.type.target, len(t.frame), ", ".join(t.type.properties)]
        for t in tables.edges
    ]
    _terminal.print_table(f"{name} can be loaded", ["", "to", "rows", "properties"], rows)
    show_cleaning(tables)
    _tell_rejected(tables.cleaning.dropped, place)


def _import_files(source: str, folder: Path | None, options: "Options", out: Path, as_json: bool) -> None:
    from graphrec import ingest

    with _terminal.progress_bar() as progress:
        tables = ingest.read(source, folder, options, progress)
        written = ingest.write_import_files(tables, out, progress)
    if as_json:
        _terminal.print_json(asdict(written))
    else:
        _terminal.print_table(
            "Files for neo4j-admin", ["file", "rows"], [[name, n] for name, n in written.files.items()]
        )
        _terminal.note(f"with the database stopped, on the server's machine: sh {written.script}")


def as_dict(loaded: "Loaded") -> dict[str, Any]:
    """What a load did, as plain values."""
    return {
        "source": asdict(loaded.source),
        "rows": loaded.rows,
        "cleaning": loaded.cleaning.to_dict(),
        "fusion": loaded.fusion.to_dict(),
        "dry_run": loaded.dry_run,
        "written": [asdict(written) for written in loaded.written],
        "seconds": round(loaded.seconds, 3),
    }


def show(loaded: "Loaded") -> None:
    """What a load did, as tables."""
    rows = [
        [written.name, written.target or "", written.created, written.changed, written.deleted]
        for written in loaded.written
    ]
    if loaded.dry_run:
        title, columns = f"{loaded.source.name}: nothing is written; a load would", ["create", "change", "delete"]
    else:
        title = f"{loaded.source.name} loaded in {loaded.seconds:.1f} s"
        columns = ["created", "changed", "deleted"]
    show_cleaning(loaded)
    _terminal.print_table(title, ["", "to", *columns], rows)
    show_fusion(loaded.fusion)


def show_cleaning(cleaned: "Loaded | GraphTables") -> None:
    """What cleaning did to the rows; nothing where it did nothing."""
    rows = [
        [table.name, table.rows, table.kept, rule.rule, rule.action, rule.rows, "\n".join(rule.examples[:2])]
        for table in cleaned.cleaning.tables
        for rule in table.rules
    ]
    if rows:
        columns = ["", "rows in", "kept", "rule", "did", "rows", "for example"]
        _terminal.print_table("Cleaning", columns, rows)


def show_fusion(report: "FusionReport") -> None:
    """What was matched with other sources; nothing where no label met another source."""
    met = [label for label in report.labels if label.matched or label.ambiguous or label.proposed or label.refused]
    if not met:
        return
    columns = ["", "matched", "ambiguous", "proposed", "unmatched", "new nodes", "for example"]
    rows = [
        [each.label, each.matched, each.ambiguous, each.proposed, each.unmatched, each.new, "\n".join(_examples(each))]
        for each in met
    ]
    _terminal.print_table(f"{report.source} fused with the graph", columns, rows)


def _examples(label: "LabelReport") -> list[str]:
    return [
        *label.matched_examples[:2],
        *label.ambiguous_examples[:2],
        *label.proposed_examples[:2],
        *label.refused_examples[:2],
    ]


def _tell_rejected(number: int, place: Path) -> None:
    if number:
        _terminal.note(f"{number:,} rows were rejected; they stand with their reasons in {place / 'rejected.csv'}")
