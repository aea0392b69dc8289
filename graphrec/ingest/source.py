"""The tables of a source as they are to be loaded: read from its files, cleaned, and with the options of the load."""

from dataclasses import dataclass, replace
from pathlib import Path

from graphrec import cleaning, loading, tabular
from graphrec.errors import DataError
from graphrec.fusion.link import DEFAULT_LINKS
from graphrec.store.read import Progress, silent
from graphrec.tables import GraphTables


@dataclass(frozen=True)
class Options:
    """How a source is to be loaded.

    Attributes:
        strict: a rejected row is an error.
        max_per_day: users with more events on a day are robots, and left out.
        min_interactions: users and items with fewer are left out, again and again until none has fewer (the k-core).
        precedence: whose word counts where sources disagree, in place of what the source declares.
        threshold: the confidence from which links are made, in place of what the rules declare.
        append: the files have only what is new: nothing is taken away.
        dry_run: say what would be written, and write nothing.
        writers: how many write edges side by side.
    """

    strict: bool = False
    max_per_day: int | None = None
    min_interactions: int | None = None
    precedence: int | None = None
    threshold: float | None = None
    append: bool = False
    dry_run: bool = False
    writers: int = 1


#: Nothing out of the ordinary.
USUAL = Options()


def read(
    name: str, folder: Path | tabular.Description | None, options: Options = USUAL, progress: Progress = silent
) -> GraphTables:
    """The cleaned tables of a source, nothing else: what `load` would bring.

    `folder` may be a description of tables instead, and `name` is then what progress is told.

    Raises:
        UnknownNameError: there is no such source.
        DataError: the files do not hold what they must, or a row is rejected and `options.strict` is set.
    """
    progress(f"reading {name}", 0, 1)
    tables = _loaded(name, folder)
    if options.strict:
        cleaning.need_nothing_rejected(tables.cleaning)
    if options.max_per_day is not None:
        tables = cleaning.without_robots(tables, options.max_per_day)
    if options.min_interactions is not None:
        tables = cleaning.k_core(tables, options.min_interactions)
    for table in tables.edges:
        if table.type.key is None:
            raise DataError(
                f"{table.type.relation}: source '{name}' does not say what tells its edges apart; give the type a key"
            )
    progress(f"reading {name}", 1, 1)
    return _with_options(tables, options)


def _loaded(name: str, folder: Path | tabular.Description | None) -> GraphTables:
    """What the loader gives; an error that a check of the tables raised, which know no files, names the folder too."""
    if isinstance(folder, tabular.Description):
        return tabular.read(folder)
    loader = loading.get(name)
    try:
        return loader.load(folder)
    except DataError as error:
        if folder is None or str(folder) in str(error):
            raise
        raise DataError(f"{folder}: {error}") from error


def _with_options(tables: GraphTables, options: Options) -> GraphTables:
    if options.precedence is not None:
        tables = replace(tables, sources=tuple(replace(each, precedence=options.precedence) for each in tables.sources))
    if options.threshold is not None:
        rules = {*DEFAULT_LINKS, *tables.links}
        tables = replace(
            tables, links=tuple(replace(rule, threshold=options.threshold) for rule in sorted(rules, key=repr))
        )
    return tables
