"""Reads files of any format and shape in batches of rows."""

from collections.abc import Iterator, Sequence
from typing import Any

from graphrec.tabular import reshaping, table_files
from graphrec.tabular.spec import FileInput
from graphrec.tabular.table_files import BadLine as BadLine  # read_batches yields it


def read_batches(
    files: FileInput, columns: Sequence[str] | None = None
) -> Iterator[Any]:  # of pyarrow.Table or BadLine
    """The rows of all files in batches with these columns (None: all), and a BadLine for each malformed line.

    Columns of text files are text; those of Parquet files and sheets keep their types. A missing value is null.

    Raises:
        DataError: a file does not exist, is empty, truncated or damaged, or lacks a column.
        GraphrecError: the reader of workbooks is not installed.
    """
    if files.shape == "wide":
        return reshaping.melt_wide(files, reshaping.WIDE_COLUMNS if columns is None else columns)
    if files.shape == "basket":
        return reshaping.explode_baskets(files, reshaping.basket_columns(files) if columns is None else columns)
    return table_files.read_batches(files, columns)
