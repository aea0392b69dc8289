"""Data frames of any library as Arrow tables: pandas, and whatever speaks the Arrow PyCapsule interface."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pyarrow as pa

from graphrec.errors import DataError, examples
from graphrec.tabular import engine
from graphrec.tabular.inspection import unique_names
from graphrec.tabular.spec import Frame

#: What messages call a frame.
PLACE = "the frame"


def is_frame(value: object) -> bool:
    """Whether the value is a table in memory: a frame of pandas or polars, a pyarrow.Table, a relation of DuckDB …"""
    return isinstance(value, pd.DataFrame) or hasattr(value, "__arrow_c_stream__")


def as_table(frame: Any, place: str) -> Any:  # of any library, to a pyarrow.Table
    """The frame as a pyarrow.Table, each column with a name of its own; an index with a name is a column, too.

    Raises DataError naming `place` if it cannot become one.
    """
    if isinstance(frame, pd.DataFrame):
        return _from_pandas(frame)
    try:
        table = pa.table(frame)
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise DataError(f"{place}: the frame cannot be read ({examples([error])}); convert it first") from error
    return table.rename_columns(unique_names(table.column_names))


def pieces(frame: Frame, columns: Sequence[str] | None = None) -> Iterator[Any]:  # of pyarrow.Table
    """The rows of a frame in batches of these columns, or of all, with the types that a Parquet file of it would have.

    Raises DataError if it lacks a column.
    """
    with TemporaryDirectory(prefix="graphrec-") as scratch, engine.connected(Path(scratch)) as connection:
        names = frame.table.column_names
        connection.register("frame", frame.table.rename_columns([f"c{number}" for number in range(len(names))]))
        yield from engine.typed_batches(connection, "frame", PLACE, columns, frame, names)


def _from_pandas(frame: pd.DataFrame) -> Any:  # a pyarrow.Table
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    names = unique_names(["" if name is None else str(name) for name in frame.columns])
    return pa.table([_array(frame.iloc[:, place]) for place in range(len(names))], names)


def _array(values: "pd.Series[Any]") -> Any:  # a pyarrow.Array
    """The values as one type that Arrow knows, else as text."""
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        missing = values.isna()
        return pa.array(
            [None if gone else str(value) for value, gone in zip(values, missing, strict=True)], pa.string()
        )
