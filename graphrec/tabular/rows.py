"""The rows of a table from wherever they come: files of any form and shape, frames, queries."""

from collections.abc import Iterator, Sequence
from typing import Any

from graphrec.tabular import file_queries, files, frames, sql, wide_tables
from graphrec.tabular.spec import FileQuery, Files, Origin, Query


def pieces(origin: Origin, columns: Sequence[str]) -> Iterator[Any]:  # of pyarrow.Table or BadLine
    """The rows of an origin in batches, tables of these columns, and between them the lines that are no rows.

    Raises:
        DataError: a file, frame, database or query does not hold what it must.
        GraphrecError: a driver or a reader is not installed.
    """
    if isinstance(origin, Query):
        return sql.pieces(origin, columns)
    if isinstance(origin, FileQuery):
        return file_queries.pieces(origin, columns)
    if isinstance(origin, Files):
        return files.pieces(origin, columns)
    return wide_tables.wide(origin, columns) if origin.shape == "wide" else frames.pieces(origin, columns)
