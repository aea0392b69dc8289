"""Read the tables of a source: load its files, clean them, and apply the options of the load."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from graphrec import cleaning, loader_registry, tabular
from graphrec.cleaning.load_context import InGraph, LoadContext, load_context
from graphrec.errors import DataError, RefusedError
from graphrec.fusion.link import DEFAULT_LINKS
from graphrec.progress import StageProgress, silent
from graphrec.tables import GraphTables


@dataclass(frozen=True)
class LoadConfig:
    """Options of a load.

    Attributes:
        strict: raise an error if a row is rejected.
        max_per_day: threshold: users with more events on a day count as robots and are left out.
        min_interactions: k of the k-core: users and items with fewer interactions are left out repeatedly.
        precedence: precedence of the source if sources disagree, instead of the one that it declares.
        threshold: minimum confidence of links, instead of those that the rules declare.
        append: the files have only new rows: nothing is deleted, and rows of a node or edge that is in the graph are
            merged with it, as `repeated` of their table specifies.
        again: append rows even if the same rows were appended before; counts that are summed count them twice.
        allow_removal: load a source even if a table becomes empty or more than `max_removal` is deleted.
        max_removal: maximum share of the source's nodes of a label, or edges of a type, that a load may delete.
        dry_run: report what would be written, and write nothing.
        writers: number of threads that write edges.
        csv_safe: put an apostrophe before texts in rejected.csv and links.csv that a spreadsheet runs as formulas.
    """

    strict: bool = False
    max_per_day: int | None = None
    min_interactions: int | None = None
    precedence: int | None = None
    threshold: float | None = None
    append: bool = False
    again: bool = False
    allow_removal: bool = False
    max_removal: float = 0.5
    dry_run: bool = False
    writers: int = 1
    csv_safe: bool = False


#: The default options.
DEFAULT_OPTIONS = LoadConfig()


def read(
    name: str,
    folder: Path | tabular.Description | None,
    options: LoadConfig = DEFAULT_OPTIONS,
    progress: StageProgress = silent,
    in_graph: InGraph | None = None,
) -> GraphTables:
    """The cleaned tables of a source, as `load` would write them.

    `folder` may also be a description of tables; then `name` is only used for progress. `in_graph` looks up which nodes
    of the source the graph has, since appended edges may end at them.

    Raises:
        UnknownNameError: no source has this name.
        DataError: the files lack required contents, no row of a table is left, a row is rejected and `options.strict`
            is set, or the options contradict each other.
    """
    _require_consistent(options)
    progress(f"reading {name}", 0, 1)
    context = LoadContext(options.append, options.allow_removal, in_graph if options.append else None)
    with load_context(context):
        tables = _load_tables(name, folder)
    if options.strict:
        cleaning.require_nothing_rejected(tables.cleaning)
    if options.max_per_day is not None:
        tables = cleaning.without_robots(tables, options.max_per_day)
    if options.min_interactions is not None:
        tables = cleaning.k_core(tables, options.min_interactions)
    if not options.allow_removal:
        with name_in_errors(folder):
            cleaning.require_something_kept(tables.cleaning, context)
    for table in tables.edges:
        if table.type.key is None:
            raise DataError(
                f"{table.type.relation}: source '{name}' does not declare how its edges are identified; add a key"
            )
    progress(f"reading {name}", 1, 1)
    return _apply_options(tables, options)


def _require_consistent(options: LoadConfig) -> None:
    """Raise DataError if `append` is combined with an option that needs all rows of the source."""
    if options.append and (options.max_per_day is not None or options.min_interactions is not None):
        raise DataError(
            "max_per_day and min_interactions count all rows of a source, but appended files have only the new ones; "
            "load all files together without append"
        )


def _load_tables(name: str, folder: Path | tabular.Description | None) -> GraphTables:
    """The tables from the loader; errors of checks that do not know the files name the folder, too."""
    if isinstance(folder, tabular.Description):
        return tabular.read(folder)
    loader = loader_registry.get(name)
    with name_in_errors(folder):
        return loader.load(folder)


@contextmanager
def name_in_errors(folder: Path | tabular.Description | None) -> Iterator[None]:
    """A context manager that adds the folder or file to errors about data that do not name it."""
    try:
        yield
    except (DataError, RefusedError) as error:
        if not isinstance(folder, Path) or str(folder) in str(error):
            raise
        raise type(error)(f"{folder}: {error}") from error


def _apply_options(tables: GraphTables, options: LoadConfig) -> GraphTables:
    if options.precedence is not None:
        tables = replace(tables, sources=tuple(replace(each, precedence=options.precedence) for each in tables.sources))
    if options.threshold is not None:
        rules = {*DEFAULT_LINKS, *tables.links}
        tables = replace(
            tables, links=tuple(replace(rule, threshold=options.threshold) for rule in sorted(rules, key=repr))
        )
    return tables
