"""Reads the rows of any input (files, frames, queries) in batches."""

from collections.abc import Iterator, Sequence
from typing import Any

from graphrec.tabular import file_queries, files, frames, reshaping, sql
from graphrec.tabular.spec import FileInput, FileQueryInput, QueryInput, TableInput


def read_batches(source: TableInput, columns: Sequence[str]) -> Iterator[Any]:  # of pyarrow.Table or BadLine
    """The rows of an input in batches with these columns, and a BadLine for each malformed line.

    Raises:
        DataError: a file, frame, database or query is invalid or lacks a column.
        GraphrecError: a database driver or the reader of workbooks is not installed.
    """
    if isinstance(source, QueryInput):
        return sql.read_batches(source, columns)
    if isinstance(source, FileQueryInput):
        return file_queries.read_batches(source, columns)
    if isinstance(source, FileInput):
        return files.read_batches(source, columns)
    return reshaping.melt_wide(source, columns) if source.shape == "wide" else frames.read_batches(source, columns)
