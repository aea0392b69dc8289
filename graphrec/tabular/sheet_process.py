"""Subprocess that reads one sheet of a workbook into Arrow files: `python -P sheet_process.py < REQUEST`.

A damaged or malicious workbook can exhaust memory or crash the reader, which ends only this process. The request is
JSON: `path`, `sheet` ("" for the first), `skip`, `header` (or null), output `folder`, maximum `rows` and `cells` of a
file, and `memory` limit in bytes. The result is printed as JSON: `names` and `files`, or `problem` with `sheets` or
`reason`.
"""

import json
import sys
from collections.abc import Iterator
from datetime import date, datetime, time
from importlib.abc import MetaPathFinder
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
from python_calamine import CalamineError, CalamineWorkbook, PasswordError

#: Largest value up to which all integers are exact as floats.
_LARGEST_WHOLE = 2**53


def read(request: dict[str, Any]) -> dict[str, object]:  # Any: of JSON
    """The column names and the written files, or the problem that occurred."""
    try:
        with Path(request["path"]).open("rb") as stream:
            book = CalamineWorkbook.from_filelike(stream)
            name = request["sheet"] or next(iter(book.sheet_names), "")
            if name not in book.sheet_names:
                return {"problem": "sheet", "sheets": book.sheet_names}
            rows = book.get_sheet_by_name(name).iter_rows()
            return _write_files(islice(rows, request["skip"], None), request)
    except PasswordError:
        return {"problem": "password"}
    except (CalamineError, ValueError, TypeError, OverflowError) as error:
        return {"problem": "damaged", "reason": f"{type(error).__name__} {error}"}


def _write_files(rows: Iterator[list[Any]], request: dict[str, Any]) -> dict[str, object]:  # Any: cells, and of JSON
    rows = (row for row in rows if any(cell != "" for cell in row))
    names = request["header"] or [_to_text(cell) for cell in next(rows, [])]
    files: list[str] = []
    size = max(1, min(request["rows"], request["cells"] // len(names))) if names else 1
    while block := list(islice(rows, size)):
        columns = [_to_array([row[place] if place < len(row) else "" for row in block]) for place in range(len(names))]
        table = pa.table(columns, [f"c{place}" for place in range(len(names))])
        files.append(str(Path(request["folder"]) / f"{len(files)}.arrow"))
        with pa.OSFile(files[-1], "wb") as out, pa.ipc.new_file(out, table.schema) as writer:
            writer.write_table(table)
    return {"names": names, "files": files}


def _to_array(cells: list[Any]) -> Any:  # cells of a sheet, to a pyarrow.Array
    """The cells as an array of one type: integers, floats, booleans or times, else text. Empty cells are null."""
    values = [None if cell == "" else cell for cell in cells]
    kinds = {type(value) for value in values} - {type(None)}
    if kinds and kinds <= {int, float}:
        whole = all(value is None or (float(value).is_integer() and abs(value) <= _LARGEST_WHOLE) for value in values)
        kind, make = (pa.int64(), int) if whole else (pa.float64(), float)
        return pa.array([None if value is None else make(value) for value in values], kind)
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    if kinds and kinds <= {date, datetime}:
        moments = [
            value if value is None or isinstance(value, datetime) else datetime.combine(value, time())
            for value in values
        ]
        return pa.array(moments, pa.timestamp("us"))
    return pa.array([None if value is None else _to_text(value) for value in values], pa.large_string())


def _to_text(cell: Any) -> str:  # of a sheet
    """The text of a cell as the sheet shows it: 7.0 is 7."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) <= _LARGEST_WHOLE:
        return str(int(cell))
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)


class _NoPandas(MetaPathFinder):
    """Prevents pyarrow from importing pandas, which takes longer than reading most sheets."""

    def find_spec(self, name: str, *_: object) -> None:
        if name == "pandas":
            raise ImportError(name)


def _limit_memory(memory: int) -> None:
    """Limit the memory of this process, on systems that support it."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    sys.meta_path.insert(0, _NoPandas())
    request = json.load(sys.stdin)
    _limit_memory(request["memory"])
    print(json.dumps(read(request)))  # noqa: T201  # the parent process reads it
