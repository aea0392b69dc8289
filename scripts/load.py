"""Load a source into the graph: read, clean, fuse with the graph, write what changed."""

from collections.abc import Mapping
from pathlib import Path

import click
from click.core import ParameterSource

from . import _completion, _load_report, _options, _terminal

#: For an option, the other options that have no effect together with it.
_WITHOUT_EFFECT: Mapping[str, tuple[str, ...]] = {
    "check": ("dry_run", "import_files", "append", "again", "writers", "threshold", "max_removal"),
    "import_files": ("dry_run", "append", "again", "writers", "threshold", "max_removal"),
    "append": ("allow_removal", "max_removal", "max_per_day", "min_interactions"),
}


class Load(click.Command):
    """The command, with the list of sources at the end of its help."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of sources with a description each, then the example."""
        from graphrec import loader_registry

        with formatter.section("Sources"):
            formatter.write_dl(list(loader_registry.summaries().items()))
        super().format_epilog(ctx, formatter)


@click.command(cls=Load, epilog="Example: graphrec load lastfm ~/data/hetrec2011-lastfm-2k")
@click.argument("source", shell_complete=_completion.sources)
@click.argument("folder", required=False, type=_options.InPath())
@click.option("--check", is_flag=True, help="Only read and clean; the graph is not used.")
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
@click.option("--append", is_flag=True, help="Add the rows of FOLDER, and delete nothing.")
@click.option("--again", is_flag=True, help="Append rows that are summed even if the same rows were appended before.")
@click.option(
    "--allow-removal", is_flag=True, help="Load even if a table is empty or more than --max-removal would be deleted."
)
@click.option(
    "--max-removal",
    type=_options.Decimal(0, 1),
    default=0.5,
    show_default=True,
    help="Largest share of the source's nodes of a label, or edges of a type, that a load may delete.",
)
@click.option("--strict", is_flag=True, help="Fail if a row is rejected.")
@click.option("--max-per-day", type=_options.Number(), help="Leave out users with more events on one day, as robots.")
@click.option("--min-interactions", type=_options.Number(), help="Leave out users and items with fewer (k-core).")
@click.option(
    "--precedence",
    type=_options.Number(-_options.LARGEST),
    help="Precedence of the source: if sources disagree, the highest wins. Give it at each load.",
)
@click.option(
    "--threshold",
    type=_options.Decimal(0, 1),
    help="Minimum confidence of a link between sources; links below it are only proposed.",
)
@click.option(
    "--writers",
    type=_options.Number(1, 16),
    default=1,
    show_default=True,
    help="Number of connections that write edges in parallel.",
)
@click.option(
    "--import-files",
    type=_options.OutPath(file_okay=False),
    help="Folder for files of `neo4j-admin database import`, written instead of the graph.",
)
@click.option(
    "--csv-safe",
    is_flag=True,
    help="Put an apostrophe before texts in rejected.csv and links.csv that a spreadsheet would run as formulas.",
)
@_options.json_option
@click.pass_context
def command(
    context: click.Context,
    /,
    source: str,
    folder: Path | None,
    check: bool,
    dry_run: bool,
    append: bool,
    again: bool,
    allow_removal: bool,
    max_removal: float,
    strict: bool,
    max_per_day: int | None,
    min_interactions: int | None,
    precedence: int | None,
    threshold: float | None,
    writers: int,
    import_files: Path | None,
    csv_safe: bool,
    as_json: bool,
) -> None:
    """Load SOURCE from FOLDER into the graph, fused with the other sources.

    SOURCE is a name of the list below, or a TOML file that describes files or databases of your own (`graphrec sniff`
    proposes one). A repeated load writes only what is new or changed, and deletes what the source no longer has. A load
    that would delete most of a table is refused without --allow-removal.
    """
    from graphrec import LoadConfig

    _require_compatible_options(context)
    source, folder = _parse_source(source, folder)
    config = LoadConfig(
        strict=strict,
        max_per_day=max_per_day,
        min_interactions=min_interactions,
        precedence=precedence,
        threshold=threshold,
        append=append,
        again=again,
        allow_removal=allow_removal,
        max_removal=max_removal,
        dry_run=dry_run,
        writers=writers,
        csv_safe=csv_safe,
    )
    with _terminal.open_graph() as graph, _terminal.progress_bar() as progress:
        if check:
            checked = graph.check(source, folder, config, progress)
        elif import_files is not None:
            checked = graph.write_import_files(source, import_files, folder, config, progress)
        else:
            loaded = graph.load(source, folder, config, progress)
    if check or import_files is not None:
        _load_report.show_checked(checked, as_json)
    else:
        _load_report.show_loaded(loaded, as_json)
        if loaded.refused:
            from graphrec.errors import RefusedError

            raise RefusedError(loaded.refused)


def _require_compatible_options(context: click.Context) -> None:
    """Raise UsageError if two options are given of which one has no effect."""
    given = {name for name in context.params if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    for option, others in _WITHOUT_EFFECT.items():
        for other in others:
            if {option, other} <= given:
                names = [f"--{name.replace('_', '-')}" for name in (option, other)]
                raise click.UsageError(f"{names[1]} has no effect with {names[0]}; leave out one of them")


def _parse_source(source: str, folder: Path | None) -> tuple[str, Path | None]:
    """The source and its folder. Raises UsageError for a TOML file with a folder, or a path without a source."""
    from graphrec import loader_registry
    from graphrec.errors import UnknownNameError

    if source.endswith(".toml"):
        if folder is not None:
            raise click.UsageError(f"{source} names its files itself; leave out {folder}")
        return source, None
    try:
        loader_registry.get(source)
    except UnknownNameError:
        if not Path(source).exists():
            raise
        raise click.UsageError(
            f"{source} is a path, and the name of its source must come before it: graphrec load SOURCE {source}; "
            "`graphrec sniff FILE…` describes files of your own"
        ) from None
    return source, folder
