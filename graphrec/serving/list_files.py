"""Writes recommendations for many users to a CSV, JSON lines or Parquet file while they are computed."""

import csv
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from graphrec.atomic_write import atomic_write
from graphrec.characters import disarm
from graphrec.errors import GraphrecError
from graphrec.serving.answer import COLUMNS, Answer

#: Batch size: rows held in memory before they are written.
ROWS_AT_ONCE = 50_000

Rows = list[tuple[object, ...]]


@dataclass(frozen=True)
class RecommendationFile:
    """Counts of a written file: `users` answered, `empty` of them without items and `short` with 1 to k − 1 items."""

    file: str
    users: int
    rows: int
    empty: int
    short: int
    bytes: int
    seconds: float


def write_answers(answers: Iterable[Answer], path: Path, csv_safe: bool = False) -> RecommendationFile:
    """Write answers as a table with the columns `COLUMNS`, and return what was written.

    The ending of `path` selects the format. The file is complete or absent, and at most ROWS_AT_ONCE rows and one
    answer are in memory at a time. With `csv_safe`, an apostrophe is put before texts that a spreadsheet would run as
    formulas.

    Raises GraphrecError if the ending is not one of `ENDINGS`, `csv_safe` is used with a format other than CSV, or the
    file cannot be written.
    """
    open_table, start = _select_format(path), time.perf_counter()
    if csv_safe and open_table is not _open_csv:
        raise GraphrecError(f"{path.name} is no CSV file, and only CSV can be made safe for spreadsheets; write .csv")
    users = rows = empty = short = 0
    with atomic_write(path) as partial, open_table(partial) as append:
        buffer: Rows = []
        for answer in answers:
            users += 1
            rows += len(answer.items)
            empty += not answer.items
            short += 0 < len(answer.items) < answer.k
            rows_of_user = answer.rows()
            buffer += [tuple(map(disarm, row)) for row in rows_of_user] if csv_safe else rows_of_user
            if len(buffer) >= ROWS_AT_ONCE:
                append(buffer)
                buffer = []
        append(buffer)
    return RecommendationFile(
        str(path), users, rows, empty, short, path.stat().st_size, round(time.perf_counter() - start, 3)
    )


Append = Callable[[Rows], None]


@contextmanager
def _open_csv(path: Path) -> Iterator[Append]:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        yield writer.writerows


@contextmanager
def _open_json_lines(path: Path) -> Iterator[Append]:
    with path.open("w", encoding="utf-8", newline="") as file:

        def append(rows: Rows) -> None:
            for row in rows:
                file.write(json.dumps(dict(zip(COLUMNS, row, strict=True)), ensure_ascii=False) + "\n")

        yield append


@contextmanager
def _open_parquet(path: Path) -> Iterator[Append]:
    import pyarrow as pa
    from pyarrow import parquet

    kinds = (pa.string(), pa.string(), pa.float64(), pa.int64(), *[pa.string()] * (len(COLUMNS) - 4))
    schema = pa.schema(list(zip(COLUMNS, kinds, strict=True)))
    with path.open("wb") as file, parquet.ParquetWriter(file, schema) as writer:

        def append(rows: Rows) -> None:
            columns: Sequence[Sequence[object]] = list(zip(*rows, strict=True)) or [()] * len(COLUMNS)
            arrays = [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
            writer.write_batch(pa.record_batch(arrays, schema=schema))

        yield append


_FORMATS: dict[str, Callable[[Path], AbstractContextManager[Append]]] = {
    ".csv": _open_csv,
    ".jsonl": _open_json_lines,
    ".parquet": _open_parquet,
}

#: File endings of the formats.
ENDINGS = tuple(_FORMATS)


def is_stream(path: Path) -> bool:
    """Whether a path is a pipe or a device, such as /dev/stdout (also if the shell redirects it to a file)."""
    return path.is_relative_to("/dev") or (path.exists() and not path.is_file() and not path.is_dir())


def _select_format(path: Path) -> Callable[[Path], AbstractContextManager[Append]]:
    if path.suffix.lower() in _FORMATS:
        return _FORMATS[path.suffix.lower()]
    if is_stream(path):
        return _open_csv  # a stream has no ending
    raise GraphrecError(
        f"{path.name}: recommendations are written as {', '.join(ENDINGS)}; choose one of these endings"
    )
