"""Your own files and databases: a TOML file maps files and SQL queries to labels and relationship types."""

from pathlib import Path

from graphrec import tabular
from graphrec.errors import GraphrecError
from graphrec.tables import GraphTables


def load(folder: Path | None = None) -> GraphTables:
    """The tables that a TOML file describes: `folder` is its path, or that of a folder with no other TOML file.

    Raises:
        DataError: the TOML file or a data file is invalid.
        GraphrecError: folder is None, or a package for a database is missing.
    """
    if folder is None:
        raise GraphrecError(
            "source table needs a TOML file that describes your data; `graphrec sniff FILE…` proposes one"
        )
    return tabular.read(folder)
