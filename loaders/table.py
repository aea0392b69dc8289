"""Your own files and databases: a TOML file says which file or SQL query fills which label or relationship type."""

from pathlib import Path

from graphrec import tabular
from graphrec.errors import GraphrecError
from graphrec.tables import GraphTables


def load(folder: Path | None = None) -> GraphTables:
    """The tables that a TOML file describes: `folder` is its path, or that of a folder with no other TOML file.

    Raises:
        DataError: the TOML file or a file of data does not hold what it must.
        GraphrecError: folder is None, or a package for a database is missing.
    """
    if folder is None:
        raise GraphrecError(
            "source table needs a TOML file that describes your data; `graphrec sniff FILE…` proposes one"
        )
    return tabular.read(folder)
