"""The rows of a table from wherever they come: files of any form and shape, frames, queries."""

from collections.abc import Iterator, Sequence
from typing import Any

from graphrec.tabular import file_queries, files, frames, reshaping, sql
from graphrec.tabular.spec import FileInput, FileQueryInput, QueryInput, TableInput


def read_batches(origin: TableInput, columns: Sequence[str]) -> Iterator[Any]:  # of pyarrow.Table or BadLine
    """The rows of an origin in batches, tables of these columns, and between them the lines that are no rows.

    Raises:
        DataError: a file, frame, database or query does not hold what it must.
        GraphrecError: a driver or a reader is not installed.
    """
    if isinstance(origin, QueryInput):
        return sql.read_batches(origin, columns)
    if isinstance(origin, FileQueryInput):
        return file_queries.read_batches(origin, columns)
    if isinstance(origin, FileInput):
        return files.read_batches(origin, columns)
    return reshaping.melt_wide(origin, columns) if origin.shape == "wide" else frames.read_batches(origin, columns)
