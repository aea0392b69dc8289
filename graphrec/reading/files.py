"""Files of a folder, plain or compressed, and their lines; defects are reported by line number."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from graphrec.errors import DataError, first_few

#: How files begin that are no text, or no data, and what to do; a web page is what a failed download leaves.
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
    """How often one defect was met, and the first places."""

    count: int = 0
    places: list[str] = field(default_factory=list)

    def add(self, place: str) -> None:
        """Counts one more, at a place like "line 3: 'x'"."""
        self.count += 1
        if len(self.places) < 6:  # one more than examples() shows, to know whether there are more
            self.places.append(place)


def has(folder: Path, name: str) -> bool:
    """Whether the folder holds the file, plain or gzip-compressed; DataError if there is no such folder."""
    require_folder(folder)
    return (folder / name).is_file() or (folder / f"{name}.gz").is_file()


def find(folder: Path, name: str) -> Path:
    """The path of a file in a folder, plain (`u.data`) or compressed (`u.data.gz`); DataError if neither is there."""
    if has(folder, name):
        plain = folder / name
        return plain if plain.is_file() else folder / f"{name}.gz"
    there = sorted(path.name for path in folder.iterdir() if path.is_file())
    raise DataError(
        f"folder {folder} has no file {name} and no {name}.gz; "
        f"{f'it has {first_few(there, 10)}' if there else 'it is empty'}"
    )


def require_file(path: Path) -> Path:
    """The path itself; where it is no file, the error of `find`, which says what is there."""
    if not path.exists():
        find(path.parent, path.name)
    return path


def undecodable(path: Path, encoding: str = "utf-8") -> Tally:
    """The lines of a file that are not in an encoding; DataError where it cannot be read to its end."""
    tally = Tally()
    for number, line in lines(path):
        try:
            line.decode(encoding)
        except UnicodeDecodeError as error:
            tally.add(f"line {number} (byte {error.start + 1}: 0x{line[error.start]:02x})")
    return tally


def lines_text(tally: Tally) -> str:
    """How many lines, and the first of them: "2 lines: line 3, line 7"."""
    return f"{tally.count:,} line{'' if tally.count == 1 else 's'}: {first_few(tally.places)}"


def lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of each line; DataError where the file cannot be read to its end."""
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
    """Raise DataError if a file begins as an archive or a web page does, or is compressed without saying so."""
    lower = start[:64].lstrip().lower()
    for magic, what in _FOREIGN.items():
        if start.startswith(magic) or (magic.startswith(b"<") and lower.startswith(magic)):
            raise DataError(f"{path} {what.format(name=path.name)}")


def open_file(path: Path) -> IO[bytes]:
    """The file as a stream of its bytes, decompressed where its name ends in .gz."""
    return cast(IO[bytes], gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def require_folder(folder: Path) -> None:
    """Raise DataError if it is not a folder."""
    if not folder.exists():
        raise DataError(f"there is no folder {folder}; check the path")
    if not folder.is_dir():
        raise DataError(f"{folder} is a file, but the folder that holds the source's files is needed")
