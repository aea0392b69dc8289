"""Line numbers of CSV records: DuckDB counts a record over several lines as one."""

import csv
import io
from collections.abc import Iterator
from typing import IO

from graphrec.tabular.spec import FileInput


class LineNumbers:
    """Maps record to line numbers in one pass over a UTF-8 CSV file; blank and skipped lines count as records."""

    def __init__(self, stream: IO[bytes], files: FileInput) -> None:
        self._lines = iter(io.TextIOWrapper(stream, "utf-8", errors="replace"))
        self._files = files
        self._line = self._record = 0
        self._lost = False

    def find_line(self, record: int) -> int:
        """The line on which a record begins, both counted from 1; 0 if it is uncertain.

        Records must be requested in ascending order. The record itself is assumed to be one line, because it is
        malformed.
        """
        while self._record < record - 1 and (line := self._read_line()):
            self._record += 1
            if self._record > self._files.skip and self._files.quote and self._files.quote in line:
                self._skip_record(line)
        self._record += 1
        return self._line if self._read_line() and not self._lost else 0

    def _read_line(self) -> str:
        line = next(self._lines, "")
        self._line += bool(line)
        return line

    def _skip_record(self, line: str) -> None:
        """Advance to the end of the record that begins with this line."""
        files = self._files
        if len(files.separator) > 1:
            while line and line.count(files.quote) % 2:
                more = self._read_line()
                line = line + more if more else ""
            return
        reader = csv.reader(
            self._iterate_from(line),
            delimiter=files.separator,
            quotechar=files.quote,
            escapechar=files.escape or None,
            doublequote=not files.escape,
        )
        try:
            next(reader, None)
        except csv.Error:  # a field exceeds the limit of the reader
            self._lost = True

    def _iterate_from(self, line: str) -> Iterator[str]:
        while line:
            yield line
            line = self._read_line()
