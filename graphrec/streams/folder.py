"""Reads JSON-lines files that grow; each file is a partition, and a position is a number of bytes."""

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from graphrec.errors import GraphrecError
from graphrec.streams.record import MAX_BYTES, LostRecordsError, ReadPositions, Record
from graphrec.streams.spec import FolderInputSpec

#: Interval in seconds at which the folder is looked at while nothing arrives.
POLL_INTERVAL = 0.05

#: Batch size: bytes that are read from a file at once.
_CHUNK = 2**20


class FolderInput:
    """The lines of all files of a folder, in the order of their names. A line counts when it ends in a line break."""

    def __init__(self, spec: FolderInputSpec, read_positions: ReadPositions, ended: threading.Event) -> None:
        self._spec, self._ended = spec, ended
        if not spec.folder.is_dir():
            raise GraphrecError(f"there is no folder {spec.folder}; create it, or correct the key folder")
        self._next = {name: int(position or 0) for name, position in read_positions().items()}

    def poll(self, limit: int, seconds: float) -> Sequence[Record]:
        """The next lines of all files; see `RecordInput.poll`."""
        deadline = time.monotonic() + seconds
        while True:
            records: list[Record] = []
            for path in self._list_files():
                if len(records) >= limit:
                    break
                records += self._read(path, limit - len(records))
            if records or self._ended.is_set() or time.monotonic() >= deadline:
                return records
            self._ended.wait(min(POLL_INTERVAL, max(0.0, deadline - time.monotonic())))

    def seek(self, positions: Mapping[str, str]) -> None:
        """Read on from these positions."""
        self._next |= {name: int(position or 0) for name, position in positions.items()}

    def committed(self, positions: Mapping[str, str]) -> None:
        """A folder keeps no statistics."""

    def wait(self, seconds: float) -> None:
        """Wait, at most until the end of the process is wished."""
        self._ended.wait(seconds)

    def is_drained(self, positions: Mapping[str, str]) -> bool:  # noqa: ARG002  # a RecordInput's signature
        """True: a folder gives all complete lines at once."""
        return True

    def measure_lag(self, positions: Mapping[str, str]) -> dict[str, int]:
        """The bytes of each file after its position."""
        sizes = {_name(path): path.stat().st_size for path in self._list_files()}
        return {name: max(0, size - int(positions.get(name) or 0)) for name, size in sizes.items()}

    def close(self) -> None:
        """No file stays open."""

    def _list_files(self) -> list[Path]:
        return sorted(path for path in self._spec.folder.glob(self._spec.pattern) if path.is_file())

    def _read(self, path: Path, limit: int) -> list[Record]:
        """At most `limit` complete lines of a file from its position on; an empty line is no record."""
        name = _name(path)
        start = self._next.get(name, 0)
        try:
            size = path.stat().st_size
            if size < start:
                raise LostRecordsError(
                    f"{path} has {size:,} bytes, and {start:,} were read before: it was cut off or replaced. Give new "
                    "files new names, or read it from its beginning with --skip-lost"
                )
            if size == start:
                return []
            with path.open("rb") as file:
                file.seek(start)
                return self._split(name, start, file.read(_CHUNK), path, limit)
        except FileNotFoundError:  # it was removed meanwhile
            return []
        except OSError as error:
            raise GraphrecError(f"{path} cannot be read: {error.strerror}; let this user read it") from error

    def _split(self, name: str, start: int, data: bytes, path: Path, limit: int) -> list[Record]:
        records: list[Record] = []
        begin = 0
        while len(records) < limit and (end := data.find(b"\n", begin)) >= 0:
            line, place = data[begin:end].rstrip(b"\r"), start + begin
            begin = end + 1
            self._next[name] = start + begin
            if line.strip():
                records.append(Record(name, name, str(place), str(start + begin), line))
        if not records and begin == 0 and len(data) >= MAX_BYTES and (length := _find_line_end(path, start)):
            self._next[name] = start + length
            records.append(Record(name, name, str(start), str(start + length), None))
        return records


def find_lost(spec: FolderInputSpec, positions: Mapping[str, str]) -> list[str]:
    """The files that are shorter than their positions."""
    return [
        name
        for name, position in positions.items()
        if (spec.folder / name).is_file() and (spec.folder / name).stat().st_size < int(position or 0)
    ]


def _name(path: Path) -> str:
    """The name of a file, with bytes that are no UTF-8 escaped, as no database stores them."""
    return path.name.encode("utf-8", "backslashreplace").decode()


def _find_line_end(path: Path, start: int) -> int:
    """The bytes from `start` to the end of its line, also if it is long; 0 if it has no end yet."""
    with path.open("rb") as file:
        file.seek(start)
        length = 0
        while chunk := file.read(_CHUNK):
            if (end := chunk.find(b"\n")) >= 0:
                return length + end + 1
            length += len(chunk)
    return 0
