"""Access to the files of a folder, plain or gzip-compressed, and to their lines, with errors by line number."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from graphrec.errors import DataError, first_few

#: First bytes of files that are not tables in UTF-8, with the end of the error message.
_FOREIGN = {
    b"\x1f\x8b": "is gzip-compressed; rename it to {name}.gz, or decompress it",
    b"PK\x03\x04": "is a zip archive; unpack it",
    b"PAR1": "is a Parquet file; describe it in a TOML file for `graphrec load table`",
    b"<!doctype html": "is a web page, as a failed download leaves one; download it again",
    b"<html": "is a web page, as a failed download leaves one; download it again",
    b"\xff\xfe": "is UTF-16; save it as UTF-8",
    b"\xfe\xff": "is UTF-16; save it as UTF-8",
}


@dataclass
class Tally:
    """The number of occurrences of a defect, and the first places."""

    count: int = 0
    places: list[str] = field(default_factory=list)

    def add(self, place: str) -> None:
        """Count an occurrence at a place such as "line 3: 'x'"."""
        self.count += 1
        if len(self.places) < 6:  # one more than first_few() shows, so that it can indicate more
            self.places.append(place)


def has(folder: Path, name: str) -> bool:
    """Whether the folder contains the file, plain or gzip-compressed. Raises DataError if there is no such folder."""
    require_folder(folder)
    return (folder / name).is_file() or (folder / f"{name}.gz").is_file()


def find(folder: Path, name: str) -> Path:
    """The path of a file in a folder, plain (`u.data`) or compressed (`u.data.gz`). Raises DataError if missing."""
    if has(folder, name):
        plain = folder / name
        return plain if plain.is_file() else folder / f"{name}.gz"
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    raise DataError(
        f"folder {folder} has no file {name} and no {name}.gz; "
        f"{f'it has {first_few(names, 10)}' if names else 'it is empty'}"
    )


def require_file(path: Path) -> Path:
    """The path. Raises the DataError of `find`, which names the files of the folder, if it does not exist."""
    if not path.exists():
        find(path.parent, path.name)
    return path


def find_undecodable_lines(path: Path, encoding: str = "utf-8") -> Tally:
    """The lines of a file that are invalid in an encoding. Raises DataError if it cannot be read to its end."""
    tally = Tally()
    for number, line in read_lines(path):
        try:
            line.decode(encoding)
        except UnicodeDecodeError as error:
            tally.add(f"line {number} (byte {error.start + 1}: 0x{line[error.start]:02x})")
    return tally


def describe_lines(tally: Tally) -> str:
    """The number of lines and the first of them: "2 lines: line 3, line 7"."""
    return f"{tally.count:,} line{'' if tally.count == 1 else 's'}: {first_few(tally.places)}"


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The number and bytes of each line. Raises DataError if the file cannot be read to its end."""
    number = 0
    try:
        with open_file(path) as stream:
            for number, line in enumerate(stream, 1):
                if number == 1:
                    refuse_foreign(path, line)
                yield number, line
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is cut off or damaged after line {number:,}; copy or download it again") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}; check the file and its rights") from error


def refuse_foreign(path: Path, start: bytes) -> None:
    """Raise DataError if a file begins like an archive or a web page, or is compressed without a suffix for it."""
    lower = start[:64].lstrip().lower()
    for magic, what in _FOREIGN.items():
        if start.startswith(magic) or (magic.startswith(b"<") and lower.startswith(magic)):
            raise DataError(f"{path} {what.format(name=path.name)}")


def open_file(path: Path) -> IO[bytes]:
    """The file as a stream of bytes, decompressed if its name ends in .gz."""
    return cast(IO[bytes], gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def require_folder(folder: Path) -> None:
    """Raise DataError if the path is not a folder."""
    if not folder.exists():
        raise DataError(f"there is no folder {folder}; check the path")
    if not folder.is_dir():
        raise DataError(f"{folder} is a file, but the folder with the source's files is needed")
