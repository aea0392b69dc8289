"""Reads sheets of workbooks (xlsx, xlsm, xlsb, xls and ods) as Arrow tables in a subprocess."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
import pyarrow as pa

from graphrec.errors import DataError, GraphrecError, first_few, nearest
from graphrec.tabular import archives
from graphrec.tabular.file_format import make_unique
from graphrec.tabular.spec import FileInput

#: Maximum rows and cells of a batch.
_BATCH = 20_000
_CELLS = 2_000_000
#: Memory limit in bytes of the subprocess; a sheet has at most 1,048,576 rows.
_MAX_MEMORY = 8 << 30
#: Maximum unpacked size of a workbook in bytes.
_MAX_UNPACKED = 4 << 30
#: Timeout of the subprocess in seconds; a million rows of ten columns need 20.
_TIMEOUT = 600


@dataclass(frozen=True)
class Sheet:
    """The column names of a sheet as written, and the Arrow files with its rows, whose columns are c0, c1 …"""

    raw_names: list[str]
    files: list[Path]

    @property
    def names(self) -> list[str]:
        """The unique names of the columns."""
        return make_unique(self.raw_names)

    def batches(self) -> Iterator[Any]:  # of pyarrow.Table
        """The rows in batches; integers, floats, booleans, times and text, with types inferred per batch."""
        for file in self.files:
            with pa.memory_map(str(file)) as stream:
                yield pa.ipc.open_file(stream).read_all()


@contextmanager
def open_sheet(path: Path, place: Path, files: FileInput, scratch: Path) -> Iterator[Sheet]:
    """Context manager of a sheet of the workbook in the file `place`; messages name it `path`.

    Raises:
        DataError: the workbook is damaged, encrypted, too large or not a workbook, or the sheet does not exist or is
            empty.
        GraphrecError: the reader of workbooks is not installed.
    """
    if find_spec("python_calamine") is None:
        raise GraphrecError(f"{path} is a workbook, which needs a reader; run pip install 'graphrec[excel]'")
    _require_small(path, place)
    with TemporaryDirectory(dir=scratch) as folder:
        result = _run_reader(path, place, files, folder)
        if result.get("problem") == "sheet":
            close = nearest(files.sheet, result["sheets"], 1)
            hint = f"did you mean {close[0]}?" if close else f"it has {first_few(result['sheets'])}"
            raise DataError(f"{path} has no sheet {first_few([files.sheet])}; {hint}")
        if result.get("problem") == "password":
            raise DataError(f"{path} is encrypted; save it without a password")
        if result.get("problem"):
            raise DataError(f"{path} is damaged or no workbook ({first_few([result['reason']])}); save it again")
        if not result["names"]:
            raise DataError(f"{path} has an empty sheet; name another by sheet, or lower skip")
        yield Sheet(result["names"], [Path(file) for file in result["files"]])


def _run_reader(path: Path, place: Path, files: FileInput, folder: str) -> dict[str, Any]:  # Any: of JSON
    """The result of the subprocess; DataError if it fails."""
    memory = min(_MAX_MEMORY, int(psutil.virtual_memory().total * 0.75))
    request = {
        "path": str(place.absolute()),
        "sheet": files.sheet,
        "skip": files.skip,
        "header": files.header,
        "folder": folder,
        "rows": _BATCH,
        "cells": _CELLS,
        "memory": memory,
    }
    command = [sys.executable, "-P", str(Path(__file__).with_name("sheet_process.py"))]
    try:
        process = subprocess.run(
            command, capture_output=True, timeout=_TIMEOUT, check=False, input=json.dumps(request).encode()
        )
    except subprocess.TimeoutExpired as error:
        raise DataError(f"{path} cannot be read in {_TIMEOUT // 60} minutes; save the sheet as CSV") from error
    if process.returncode == 0:
        result: dict[str, Any] = json.loads(process.stdout)
        return result
    if process.returncode < 0 or b"MemoryError" in process.stderr or b"alloc" in process.stderr:
        raise DataError(
            f"{path} takes more memory than {memory / 1e9:.0f} GB to read, or is damaged; save the sheet as CSV"
        )
    raise DataError(f"{path} is damaged; open it in a spreadsheet program, and save it again")


def _require_small(path: Path, place: Path) -> None:
    """Raise DataError if the unpacked size of a workbook exceeds the limit."""
    if archives.detect_compression(place) != "zip":
        return
    with archives.translate_errors(path), archives.open_archive(place) as archive:
        size = sum(info.file_size for info in archive.infolist())
    if size > _MAX_UNPACKED:
        raise DataError(f"{path} has {size / 1e9:.0f} GB when it is unpacked; save the sheet as CSV")
