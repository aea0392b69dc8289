"""The rows of a table's files or query by their number: which file, which line, and what the source has in them."""

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
from graphrec.tabular import batches as rows_of
from graphrec.tabular import file_format, files
from graphrec.tabular.spec import FileInput, FrameInput, TableSpec


@dataclass
class InputPart:
    """One file (None: the query) of a table: how many rows it gave, how many lines were no rows, and which."""

    path: Path | None
    rows: int = 0
    bad: int = 0
    bad_lines: set[int] = field(default_factory=set)
    bad_texts: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class SourceRows:
    """The `Origin` of a draft that was read for a table of a TOML file; a row's number counts over all parts."""

    table: TableSpec
    parts: list[InputPart] = field(default_factory=list)

    @property
    def place(self) -> str:
        """How messages call the table."""
        return self.table.place

    def files(self) -> list[tuple[str, int, int]]:
        """The name of each file, how many rows were read from it, and how many of its lines are no rows."""
        other = "the frame" if isinstance(self.table.input, FrameInput) else "the query"
        return [(part.path.name if part.path else other, part.rows, part.bad) for part in self.parts]

    def originals(self, numbers: Sequence[int]) -> pd.DataFrame:
        """Columns file, line and row of these rows, by number; a file is read again up to its last row asked for.

        `line` is the line of a text file, the number of the row in any other; it is missing if it is not certain. `row`
        is missing for a query, which is not asked twice.
        """
        wanted = np.asarray(numbers, dtype=np.int64)
        found, begin = [], 0
        for part, (name, rows, _) in zip(self.parts, self.files(), strict=True):
            own = wanted[(wanted >= begin) & (wanted < begin + rows)]
            frame = pd.DataFrame({"file": name, "line": own - begin + 1, "row": None}, index=own)
            if part.path is None:
                frame["file"] = f"{name} of {self.table.place.rpartition(' ')[2]}"
            elif len(own):
                frame = _reread(self.table, part, own - begin).set_axis(own)
            found.append(frame.astype({"file": "str", "line": "Int64", "row": "str"}))
            begin += rows
        return pd.concat(found)

    def as_read(self, row: str) -> str:
        """A row of the draft by the names of the source's columns; times are times again."""
        table = self.table
        names = dict(zip(table.id_names, table.ids, strict=True))
        names |= {column.name: column.column for column in table.columns}
        if table.time:
            names["timestamp"] = table.time.column
        return json.dumps({names.get(name, name): cell for name, cell in json.loads(row).items()}, ensure_ascii=False)


def _reread(table: TableSpec, part: InputPart, wanted: "np.ndarray[Any, np.dtype[np.int64]]") -> pd.DataFrame:
    """Columns file, line and row of the rows of a file at these positions among those that the table reads."""
    assert isinstance(table.input, FileInput)
    assert part.path is not None
    origin = replace(table.input, paths=(part.path,), where={})
    columns = _columns(table, origin, part.path)
    rows: list[str] = []
    places: list[int] = []  # among all rows of the file
    chosen = before = 0  # rows so far that the table reads, and all
    for piece in rows_of.read_batches(origin, columns):
        if isinstance(piece, files.BadLine):
            continue
        among = np.arange(piece.num_rows)
        for name, values in table.input.where.items():
            fits = pc.is_in(piece[name].cast(pa.string()), value_set=pa.array(values, pa.string())).to_numpy()
            among = among[np.asarray(fits, dtype=bool)[among]]
        own = among[wanted[(wanted >= chosen) & (wanted < chosen + len(among))] - chosen]
        if len(own):
            text = (
                piece.take(own).to_pandas().to_json(orient="records", lines=True, force_ascii=False, date_format="iso")
            )
            rows += text.rstrip("\n").split("\n")
            places += (own + before).tolist()
        chosen, before = chosen + len(among), before + piece.num_rows
        if len(rows) == len(wanted):
            break
    lines = _lines(origin, part, places, rows)
    return pd.DataFrame({"file": part.path.name, "line": pd.array(lines, "Int64"), "row": rows})


def _columns(table: TableSpec, origin: FileInput, path: Path) -> list[str]:
    """All columns of a text table, else those that the table reads."""
    read = [*table.ids, *(column.column for column in table.columns), *([table.time.column] if table.time else [])]
    needed = list(dict.fromkeys([*read, *(table.input.where if isinstance(table.input, FileInput) else ())]))
    if origin.format != "csv" or origin.shape != "table":
        return needed
    return file_format.read_column_names(path, origin)


def _lines(origin: FileInput, part: InputPart, places: Sequence[int], rows: Sequence[str]) -> list[int | None]:
    """The line of each of the rows at these places of a file, None if the line does not have the values of the row."""
    if origin.shape != "table" or part.path is None:
        return [None] * len(places)
    if origin.format not in ("csv", "jsonl"):
        return [place + 1 for place in places]
    lines: list[int | None] = []
    asked = iter(zip(places, rows, strict=True))
    place, row = next(asked, (-1, ""))
    try:
        for number, (line, text) in enumerate(_records(origin, part)):
            if number != place:
                continue
            lines.append(line if _has_values(text, row) else None)
            place, row = next(asked, (-1, ""))
            if place < 0:
                break
    except (UnicodeError, DataError):  # the rows were read, so this is only a line that stays unknown
        pass
    return [*lines, *[None] * (len(places) - len(lines))]


def _records(origin: FileInput, part: InputPart) -> Iterator[tuple[int, str]]:
    """The first line and the text of each row of a text file: no header, no blank line, no line that is no row."""
    assert part.path is not None
    text_table = origin.format == "csv"
    quote, header = origin.quote if text_table else "", text_table and origin.header is None
    escaped = origin.escape + quote if origin.escape else ""
    begin, record = 0, ""
    with file_format.open_file(part.path) as stream:
        for number, line in enumerate(io.TextIOWrapper(stream, origin.encoding, errors="replace"), 1):
            comment = origin.comment and line.removeprefix("\ufeff").startswith(origin.comment)
            if number <= origin.skip or (not record and comment):
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
    """Whether a line holds every value of the row (JSON text), however it is quoted there."""
    plain = text.replace('""', '"')
    cells = [cell for cell in json.loads(row).values() if isinstance(cell, str)]
    if text.lstrip().startswith("{"):
        return True  # the values of JSON lines are written with escapes; no line but whole ones is counted
    return all(cell in plain or cell in text for cell in cells)
