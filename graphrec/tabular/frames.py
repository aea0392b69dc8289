"""Data frames of any library as Arrow tables: pandas, and whatever speaks the Arrow PyCapsule interface."""

from typing import Any

import pandas as pd
import pyarrow as pa

from graphrec.errors import DataError


def is_frame(value: object) -> bool:
    """Whether the value is a table in memory: a frame of pandas or polars, a pyarrow.Table or a relation of DuckDB."""
    return isinstance(value, pd.DataFrame) or hasattr(value, "__arrow_c_stream__")


def as_table(frame: Any, place: str) -> Any:  # of any library, to a pyarrow.Table
    """The frame as a pyarrow.Table; DataError where it cannot become one."""
    try:
        if isinstance(frame, pd.DataFrame):
            return pa.Table.from_pandas(frame, preserve_index=False)
        return pa.table(frame)
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise DataError(f"{place}: the frame cannot be read: {error}; convert that column first") from error
