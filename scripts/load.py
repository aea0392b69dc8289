"""Load a source into the graph: read, clean, fuse with what is there, write what changed."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from . import _completion, _load_report, _terminal

if TYPE_CHECKING:
    from graphrec.ingest import Options

#: The options that say nothing beside another one.
_MEANINGLESS: Mapping[str, tuple[str, ...]] = {
    "check": ("dry_run", "import_files", "append", "again", "writers", "threshold", "max_removal"),
    "import_files": ("dry_run", "append", "again", "writers", "threshold", "max_removal"),
    "append": ("allow_removal", "max_removal", "max_per_day", "min_interactions"),
}


class Load(click.Command):
    """The command with the sources that there are at the end of its help."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The example, then the list of sources with what each one is."""
        from graphrec import loader_registry

        with formatter.section("Sources"):
            formatter.write_dl(list(loader_registry.summaries().items()))
        super().format_epilog(ctx, formatter)


@click.command(cls=Load, epilog="Example: graphrec load lastfm ~/data/hetrec2011-lastfm-2k")
@click.argument("source", shell_complete=_completion.sources)
@click.argument("folder", required=False, type=_terminal.InPath())
@click.option("--check", is_flag=True, help="Read and clean, and do not look at the graph.")
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@click.option("--append", is_flag=True, help="FOLDER has only what is new: add it, and take nothing away.")
@click.option("--again", is_flag=True, help="Append rows that are summed, though the same ones were appended before.")
@click.option("--allow-removal", is_flag=True, help="Load even if a table comes out empty or most of a table goes.")
@click.option(
    "--max-removal",
    type=_terminal.Decimal(0, 1),
    default=0.5,
    show_default=True,
    help="The share of its nodes of a label, or edges of a type, that a load may delete.",
)
@click.option("--strict", is_flag=True, help="A rejected row is an error.")
@click.option("--max-per-day", type=_terminal.Number(), help="Leave out users with more events on one day: robots.")
@click.option("--min-interactions", type=_terminal.Number(), help="Leave out users and items with fewer (k-core).")
@click.option(
    "--precedence",
    type=_terminal.Number(-_terminal.LARGEST),
    help="Where sources disagree, the highest wins (said anew at each load).",
)
@click.option(
    "--threshold", type=_terminal.Decimal(0, 1), help="Make links from this confidence on; propose the others."
)
@click.option("--writers", type=_terminal.Number(1, 16), default=1, show_default=True, help="Write edges side by side.")
@click.option(
    "--import-files",
    type=_terminal.OutPath(file_okay=False),
    help="Write files for `neo4j-admin database import` to this folder, instead of the graph.",
)
@click.option(
    "--csv-safe",
    is_flag=True,
    help="In rejected.csv and links.csv, put an apostrophe before texts that a spreadsheet runs as formulas.",
)
@_terminal.json_option
@click.pass_context
def command(
    context: click.Context,
    /,
    source: str,
    folder: Path | None,
    check: bool,
    csv_safe: bool,
    as_json: bool,
    **options: Any,
) -> None:  # Any: the types of the other options
    """Load SOURCE from FOLDER into the graph, fused with what is there.

    SOURCE is a name of the list below, or a TOML file that describes files or databases of your own (`graphrec sniff`
    proposes one). Loading again writes only what is new or changed, and takes away what the source no longer has. A
    load that would take away most of a table is refused unless --allow-removal is said.
    """
    from graphrec.ingest import Options

    _need_meaning(context)
    source, folder = _named(source, folder)
    out: Path | None = options.pop("import_files")
    chosen = Options(**options)
    if check:
        _check(source, folder, chosen, csv_safe, as_json)
    elif out:
        _import_files(source, folder, chosen, out, csv_safe, as_json)
    else:
        _load(source, folder, chosen, csv_safe, as_json)


def _need_meaning(context: click.Context) -> None:
    """Raise UsageError if an option has no meaning beside another one."""
    given = {name for name in context.params if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    for option, others in _MEANINGLESS.items():
        for other in others:
            if {option, other} <= given:
                names = [f"--{name.replace('_', '-')}" for name in (option, other)]
                raise click.UsageError(f"{names[1]} has no meaning with {names[0]}; leave out one of them")


def _named(source: str, folder: Path | None) -> tuple[str, Path | None]:
    """The source and its folder; a TOML file is a source of its own. A wrong name is said before a store is started."""
    from graphrec import loader_registry
    from graphrec.errors import UnknownNameError

    if source.endswith(".toml"):
        if folder is not None:
            raise click.UsageError(f"{source} says itself where its files are; leave out {folder}")
        return "table", Path(source)
    try:
        loader_registry.get(source)
    except UnknownNameError:
        if not Path(source).exists():
            raise
        raise click.UsageError(
            f"{source} is a path, and the name of its source must stand before it: graphrec load SOURCE {source}; "
            "`graphrec sniff FILE…` describes files of your own"
        ) from None
    return source, folder


def _load(source: str, folder: Path | None, options: "Options", csv_safe: bool, as_json: bool) -> None:
    from graphrec import ingest
    from graphrec.errors import RefusedError

    with _terminal.open_graph() as graph, _terminal.progress_bar() as progress:
        loaded = graph.load(source, folder, progress, **asdict(options))
        told = _load_report.as_dict(loaded)
        place = ingest.save_report(
            graph.settings.loads, loaded.source.name, told, loaded.cleaning, loaded.links, csv_safe
        )
    if as_json:
        _terminal.print_json(told | {"report": str(place)})
    else:
        _load_report.show_loaded(loaded, place)
    if loaded.refused:
        raise RefusedError(loaded.refused)


def _check(source: str, folder: Path | None, options: "Options", csv_safe: bool, as_json: bool) -> None:
    from graphrec import config, ingest

    with _terminal.progress_bar() as progress:
        tables = ingest.read(source, folder, options, progress)
    told = _load_report.checked_as_dict(tables)
    place = ingest.save_report(
        config.Settings().loads, tables.sources[0].name, told, tables.cleaning, csv_safe=csv_safe
    )
    if as_json:
        _terminal.print_json(told | {"report": str(place)})
    else:
        _load_report.show_checked(tables, place)


def _import_files(
    source: str, folder: Path | None, options: "Options", out: Path, csv_safe: bool, as_json: bool
) -> None:
    from graphrec import config, ingest

    with _terminal.progress_bar() as progress:
        tables = ingest.read(source, folder, options, progress)
        written = ingest.write_import_files(tables, out, progress)
    told = asdict(written) | {"cleaning": tables.cleaning.to_dict()}
    place = ingest.save_report(
        config.Settings().loads, tables.sources[0].name, told, tables.cleaning, csv_safe=csv_safe
    )
    if as_json:
        _terminal.print_json(told | {"report": str(place)})
        return
    _load_report.show_cleaning(tables.cleaning)
    _terminal.print_table("Files for neo4j-admin", ["file", "rows"], [[name, n] for name, n in written.files.items()])
    _load_report.tell_rejected(tables.cleaning, place)
    _terminal.note(f"next, with the database stopped, on the server's machine: sh {written.script}")
