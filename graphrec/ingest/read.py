"""The tables of a source as they are to be loaded: read from its files, cleaned, and with the options of the load."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from graphrec import cleaning, loader_registry, tabular
from graphrec.cleaning.load_context import InGraph, LoadContext, load_context
from graphrec.errors import DataError, RefusedError
from graphrec.fusion.link import DEFAULT_LINKS
from graphrec.store.read import Progress, silent
from graphrec.tables import GraphTables


@dataclass(frozen=True)
class LoadConfig:
    """How a source is to be loaded.

    Attributes:
        strict: a rejected row is an error.
        max_per_day: users with more events on a day are robots, and left out.
        min_interactions: users and items with fewer are left out, again and again until none has fewer (the k-core).
        precedence: whose word counts where sources disagree, in place of what the source declares.
        threshold: the confidence from which links are made, in place of what the rules declare.
        append: the files have only what is new: nothing is taken away, and rows that are the same node or edge as one
            in the graph become one with it, as `repeated` of their table says.
        again: append rows although the same rows were appended before; where counts are summed, they count twice.
        allow_removal: load a source of which a table comes out empty, or that takes away more than `max_removal`.
        max_removal: the share of the source's nodes of a label, or edges of a type, that a load may take away.
        dry_run: say what would be written, and write nothing.
        writers: how many write edges side by side.
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


#: Nothing out of the ordinary.
USUAL = LoadConfig()


def read(
    name: str,
    folder: Path | tabular.Description | None,
    options: LoadConfig = USUAL,
    progress: Progress = silent,
    in_graph: InGraph | None = None,
) -> GraphTables:
    """The cleaned tables of a source, nothing else: what `load` would bring.

    `folder` may be a description of tables instead, and `name` is then what progress is told. `in_graph` says which
    nodes the graph has of the source, at which appended edges may end.

    Raises:
        UnknownNameError: there is no such source.
        DataError: the files do not hold what they must, a table had rows and none is left, a row is rejected and
            `options.strict` is set, or the options contradict each other.
    """
    _need_consistent(options)
    progress(f"reading {name}", 0, 1)
    context = LoadContext(options.append, options.allow_removal, in_graph if options.append else None)
    with load_context(context):
        tables = _loaded(name, folder)
    if options.strict:
        cleaning.need_nothing_rejected(tables.cleaning)
    if options.max_per_day is not None:
        tables = cleaning.without_robots(tables, options.max_per_day)
    if options.min_interactions is not None:
        tables = cleaning.k_core(tables, options.min_interactions)
    if not options.allow_removal:
        with naming(folder):
            cleaning.need_something_kept(tables.cleaning, context)
    for table in tables.edges:
        if table.type.key is None:
            raise DataError(
                f"{table.type.relation}: source '{name}' does not say what tells its edges apart; give the type a key"
            )
    progress(f"reading {name}", 1, 1)
    return _with_options(tables, options)


def _need_consistent(options: LoadConfig) -> None:
    """Raise DataError if an option counts over all rows of a source, of which an appended file has only some."""
    if options.append and (options.max_per_day is not None or options.min_interactions is not None):
        raise DataError(
            "max_per_day and min_interactions count all rows of a source, and what is appended has only the new ones; "
            "load all files together without append"
        )


def _loaded(name: str, folder: Path | tabular.Description | None) -> GraphTables:
    """What the loader gives; an error that a check of the tables raised, which know no files, names the folder too."""
    if isinstance(folder, tabular.Description):
        return tabular.read(folder)
    loader = loader_registry.get(name)
    with naming(folder):
        return loader.load(folder)


@contextmanager
def naming(folder: Path | tabular.Description | None) -> Iterator[None]:
    """A `with` block whose errors about data name the folder or file that was loaded, unless they do already."""
    try:
        yield
    except (DataError, RefusedError) as error:
        if not isinstance(folder, Path) or str(folder) in str(error):
            raise
        raise type(error)(f"{folder}: {error}") from error


def _with_options(tables: GraphTables, options: LoadConfig) -> GraphTables:
    if options.precedence is not None:
        tables = replace(tables, sources=tuple(replace(each, precedence=options.precedence) for each in tables.sources))
    if options.threshold is not None:
        rules = {*DEFAULT_LINKS, *tables.links}
        tables = replace(
            tables, links=tuple(replace(rule, threshold=options.threshold) for rule in sorted(rules, key=repr))
        )
    return tables
