"""Data frames of pandas, and of any library with the Arrow PyCapsule interface, as Arrow tables."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import pandas as pd
import pyarrow as pa

from graphrec.errors import DataError, first_few
from graphrec.tabular import duckdb_engine
from graphrec.tabular.file_format import make_unique
from graphrec.tabular.spec import FrameInput

#: Name of a frame in messages.
FRAME_NAME = "the frame"


class ArrowFrame(Protocol):
    """A table with the Arrow PyCapsule interface, such as those of pandas, polars, pyarrow and DuckDB."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The rows as an Arrow stream."""


def is_frame(value: object) -> bool:
    """Whether a value is a table in memory: a pandas or polars frame, a pyarrow.Table, a DuckDB relation …"""
    return isinstance(value, pd.DataFrame) or hasattr(value, "__arrow_c_stream__")


def to_arrow(frame: Any, place: str) -> Any:  # of any library, to a pyarrow.Table
    """The frame as a pyarrow.Table with unique column names; a named index is a column, too.

    Raises DataError naming `place` if it cannot be converted.
    """
    if isinstance(frame, pd.DataFrame):
        return _convert_pandas(frame)
    try:
        table = pa.table(frame)
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise DataError(f"{place}: the frame cannot be read ({first_few([error])}); convert it first") from error
    return table.rename_columns(make_unique(table.column_names))


def describe_frame(frame: Any, keys: Mapping[str, Any]) -> dict[str, Any]:  # of any library; of the keys of TOML
    """The specification of one frame, as a mapping; `keys` are those of its table, and `name`.

    `nodes` or `edges` gives the label or relationship type; `from_` is the key `from`, a reserved word in Python.
    Raises DataError if it has neither or both.
    """
    known = {"from" if key == "from_" else key: value for key, value in keys.items()}
    kinds = [key for key in ("nodes", "edges") if isinstance(known.get(key), str)]
    if len(kinds) != 1:
        names = to_arrow(frame, FRAME_NAME).column_names
        raise DataError(
            f"it is unknown what the rows of the frame with the columns {first_few(names)} are; write load(frame, "
            'name="shop", edges="RATED", from_="User:user_id", to="Item:item_id") or nodes="User", id="user_id"'
        )
    top: dict[str, Any] = {key: known.pop(key) for key in ("name", "version", "url", "licence") if key in known}
    return {**top, kinds[0]: {known.pop(kinds[0]): {"file": frame, **known}}}


def read_batches(frame: FrameInput, columns: Sequence[str] | None = None) -> Iterator[Any]:  # of pyarrow.Table
    """The rows of a frame in batches with these columns (None: all), in the types of a Parquet file of it.

    Raises DataError if it lacks a column.
    """
    with TemporaryDirectory(prefix="graphrec-") as scratch, duckdb_engine.connect(Path(scratch)) as connection:
        names = frame.table.column_names
        connection.register("frame", frame.table.rename_columns([f"c{number}" for number in range(len(names))]))
        yield from duckdb_engine.read_typed_batches(connection, "frame", FRAME_NAME, columns, frame, names)


def _convert_pandas(frame: pd.DataFrame) -> Any:  # a pyarrow.Table
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index(allow_duplicates=True)
    names = make_unique(["" if name is None else str(name) for name in frame.columns])
    return pa.table([_to_array(frame.iloc[:, place]) for place in range(len(names))], names)


def _to_array(values: "pd.Series[Any]") -> Any:  # a pyarrow.Array
    """The values as an array of one Arrow type, else as text."""
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        missing = values.isna()
        return pa.array(
            [None if gone else str(value) for value, gone in zip(values, missing, strict=True)], pa.string()
        )
