"""Row provenance: file, line and original cells of each row of a table, by row number."""

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from graphrec.errors import DataError
from graphrec.tabular import batches as batches
from graphrec.tabular import file_format, files
from graphrec.tabular.spec import FileInput, FrameInput, TableSpec


@dataclass
class InputPart:
    """One file (path None: the query or frame) of a table, with its number of rows and its malformed lines."""

    path: Path | None
    rows: int = 0
    bad: int = 0
    bad_lines: set[int] = field(default_factory=set)
    bad_texts: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class SourceRows:
    """Implements `working_table.Origin` for a table of a TOML file; row numbers run over all parts."""

    table: TableSpec
    parts: list[InputPart] = field(default_factory=list)

    @property
    def place(self) -> str:
        """Name of the table in messages."""
        return self.table.place

    def files(self) -> list[tuple[str, int, int]]:
        """Name, number of rows and number of malformed lines of each file."""
        other = "the frame" if isinstance(self.table.input, FrameInput) else "the query"
        return [(part.path.name if part.path else other, part.rows, part.bad) for part in self.parts]

    def originals(self, numbers: Sequence[int]) -> pd.DataFrame:
        """Frame with columns file, line and row of these row numbers; files are read again up to the last one.

        `line` is the line number in text files, the row number in others, and missing if uncertain. `row` is missing
        for queries, which are not repeated.
        """
        requested = np.asarray(numbers, dtype=np.int64)
        frames, begin = [], 0
        for part, (name, rows, _) in zip(self.parts, self.files(), strict=True):
            positions = requested[(requested >= begin) & (requested < begin + rows)]
            frame = pd.DataFrame({"file": name, "line": positions - begin + 1, "row": None}, index=positions)
            if part.path is None:
                frame["file"] = f"{name} of {self.table.place.rpartition(' ')[2]}"
            elif len(positions):
                frame = _read_again(self.table, part, positions - begin).set_axis(positions)
            frames.append(frame.astype({"file": "str", "line": "Int64", "row": "str"}))
            begin += rows
        return pd.concat(frames)

    def as_read(self, row: str) -> str:
        """A row of the working table (JSON) with the source's column names."""
        table = self.table
        names = dict(zip(table.id_names, table.ids, strict=True))
        names |= {column.name: column.column for column in table.columns}
        if table.time:
            names["timestamp"] = table.time.column
        return json.dumps({names.get(name, name): cell for name, cell in json.loads(row).items()}, ensure_ascii=False)


def _read_again(table: TableSpec, part: InputPart, requested: "np.ndarray[Any, np.dtype[np.int64]]") -> pd.DataFrame:
    """Frame with columns file, line and row for the rows at these positions among those that `where` keeps."""
    assert isinstance(table.input, FileInput)
    assert part.path is not None
    source = replace(table.input, paths=(part.path,), where={})
    columns = _list_columns(table, source, part.path)
    rows: list[str] = []
    places: list[int] = []  # positions among all rows of the file
    num_kept = num_read = 0  # rows so far that `where` keeps, and all rows
    for piece in batches.read_batches(source, columns):
        if isinstance(piece, files.BadLine):
            continue
        kept = np.arange(piece.num_rows)  # positions of the rows that `where` keeps
        for name, values in table.input.where.items():
            matches = pc.is_in(piece[name].cast(pa.string()), value_set=pa.array(values, pa.string())).to_numpy()
            kept = kept[np.asarray(matches, dtype=bool)[kept]]
        positions = kept[requested[(requested >= num_kept) & (requested < num_kept + len(kept))] - num_kept]
        if len(positions):
            text = (
                piece.take(positions)
                .to_pandas()
                .to_json(orient="records", lines=True, force_ascii=False, date_format="iso")
            )
            rows += text.rstrip("\n").split("\n")
            places += (positions + num_read).tolist()
        num_kept, num_read = num_kept + len(kept), num_read + piece.num_rows
        if len(rows) == len(requested):
            break
    lines = _find_lines(source, part, places, rows)
    return pd.DataFrame({"file": part.path.name, "line": pd.array(lines, "Int64"), "row": rows})


def _list_columns(table: TableSpec, source: FileInput, path: Path) -> list[str]:
    """All columns of a text file, else the columns that the table uses."""
    mapped = [*table.ids, *(column.column for column in table.columns), *([table.time.column] if table.time else [])]
    needed = list(dict.fromkeys([*mapped, *(table.input.where if isinstance(table.input, FileInput) else ())]))
    if source.format != "csv" or source.shape != "table":
        return needed
    return file_format.read_column_names(path, source)


def _find_lines(source: FileInput, part: InputPart, places: Sequence[int], rows: Sequence[str]) -> list[int | None]:
    """The line number of the rows at these positions; None if the line does not contain the values of the row."""
    if source.shape != "table" or part.path is None:
        return [None] * len(places)
    if source.format not in ("csv", "jsonl"):
        return [place + 1 for place in places]
    lines: list[int | None] = []
    pending = iter(zip(places, rows, strict=True))
    place, row = next(pending, (-1, ""))
    try:
        for number, (line, text) in enumerate(_read_records(source, part)):
            if number != place:
                continue
            lines.append(line if _has_values(text, row) else None)
            place, row = next(pending, (-1, ""))
            if place < 0:
                break
    except (UnicodeError, DataError):  # the rows were read, so only their line numbers remain unknown
        pass
    return [*lines, *[None] * (len(places) - len(lines))]


def _read_records(source: FileInput, part: InputPart) -> Iterator[tuple[int, str]]:
    """First line number and text of each row of a text file, without header, blank and malformed lines."""
    assert part.path is not None
    text_table = source.format == "csv"
    quote, header = source.quote if text_table else "", text_table and source.header is None
    escaped = source.escape + quote if source.escape else ""
    begin, record = 0, ""
    with file_format.open_file(part.path) as stream:
        for number, line in enumerate(io.TextIOWrapper(stream, source.encoding, errors="replace"), 1):
            comment = source.comment and line.removeprefix("\ufeff").startswith(source.comment)
            if number <= source.skip or (not record and comment):
                continue
            begin, record = (number, line) if not record else (begin, record + line)
            quotes = record.replace(escaped, "").count(quote) if escaped else record.count(quote) if quote else 0
            if quotes % 2 and begin not in part.bad_lines:
                continue
            text, record = record.rstrip("\n"), ""
            if not text.strip("\ufeff"):
                continue
            if header:
                header = False
            elif begin not in part.bad_lines and text not in part.bad_texts:
                yield begin, text


def _has_values(text: str, row: str) -> bool:
    """Whether a line contains every value of the row (JSON text), regardless of quoting."""
    plain = text.replace('""', '"')
    cells = [cell for cell in json.loads(row).values() if isinstance(cell, str)]
    if text.lstrip().startswith("{"):
        return True  # values in JSON lines may be escaped; only complete lines are counted
    return all(cell in plain or cell in text for cell in cells)
