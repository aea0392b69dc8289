"""FileInput of any form and shape as batches of rows, and between them the lines that are no rows."""

from collections.abc import Iterator, Sequence
from typing import Any

from graphrec.tabular import reshaping, table_files
from graphrec.tabular.spec import FileInput
from graphrec.tabular.table_files import BadLine as BadLine  # a part of what pieces gives


def read_batches(
    files: FileInput, columns: Sequence[str] | None = None
) -> Iterator[Any]:  # of pyarrow.Table or BadLine
    """The rows of all files in batches, tables of these columns, and between them the lines that are no rows.

    Without `columns` each file gives all that it has. Columns of text files are text, those of Parquet files and sheets
    as they are; a missing value is null.

    Raises:
        DataError: a file is empty, cut off, damaged or no such file, or lacks a column.
        GraphrecError: the reader of workbooks is not installed.
    """
    if files.shape == "wide":
        return reshaping.melt_wide(files, reshaping.WIDE_COLUMNS if columns is None else columns)
    if files.shape == "basket":
        return reshaping.explode_baskets(files, reshaping.basket_columns(files) if columns is None else columns)
    return table_files.read_batches(files, columns)
