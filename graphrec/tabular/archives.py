"""The bytes of files that are compressed or lie in a zip archive: found by content, and unpacked in bounded space."""

import bz2
import errno
import gzip
import io
import lzma
import re
import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, Literal, cast

import pyarrow as pa

from graphrec.errors import DataError, first_few, nearest

Compression = Literal["gzip", "bzip2", "xz", "zstd", "zip"]

#: First bytes, and what compressed them.
_MAGIC: dict[bytes, Compression] = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
}
#: What zipfile raises beside BadZipFile at a name that is no text or an offset that is none.
_BAD_ZIP = (ValueError, OverflowError, IndexError)
#: Compressions around each other that are looked through, such as a gzip file in a zip archive.
_DEEPEST = 3
#: So many times its size a file may grow beyond the first GiB: logs grow a hundredfold, bombs a thousandfold and more.
_LARGEST_RATIO = 500
_SURELY_FINE = 1 << 30
#: Free space in bytes that unpacking leaves on the disk.
_KEPT_FREE = 256 << 20
_BLOCK = 1 << 20
#: A zip archive is looked up for each of its members, which takes the square of their number.
_MOST_MEMBERS = 2_000
#: Files next to the data that are none: by the name without its ending, and by the ending.
_BESIDE = re.compile(
    r"(readme|licen[cs]e|changelog|notice|copying|thumbs|desktop)(\.\w+)?|[._].*|.*\.(md|rst|html?|pdf|png|jpe?g|gif|svg|"
    r"py|ipynb|sh|toml|ya?ml|ini|sql|docx?|crc|md5|sha256)",
    re.IGNORECASE,
)


def detect_compression(path: Path) -> Compression | None:
    """What the content of a file is compressed with, whatever its name says; DataError if it cannot be read."""
    with _raw(path) as stream:
        return _magic(stream.read(8))


def is_ancillary(name: str) -> bool:
    """Whether the file of this path is no data: hidden, a read-me file, a picture, a program."""
    parts = PurePosixPath(name).parts
    return bool(_BESIDE.fullmatch(parts[-1])) or any(part.startswith((".", "__")) for part in parts[:-1])


def find_members(path: Path) -> list[Path]:
    """The data files in a zip archive, each as a path that leads into it, in the order of their names.

    Raises DataError if the archive is damaged or has no data, or has a name that leads out of it.
    """
    with open_archive(path) as archive:
        names = [info.filename for info in archive.infolist() if not info.is_dir()]
    for name in names:
        if re.match(r"[/\\]|.:", name) or ".." in re.split(r"[/\\]", name):
            raise DataError(f"{path} has the member {first_few([name])}, which leads out of it; unpack it yourself")
    found = sorted(path / name for name in names if not is_ancillary(name))
    if not found:
        raise DataError(f"{path} holds no file of data, but {first_few(names) or 'nothing'}; check the archive")
    if len(found) > _MOST_MEMBERS:
        raise DataError(
            f"{path} holds {len(found):,} files, more than {_MOST_MEMBERS:,}; unpack it, and give a pattern"
        )
    return found


def find_archive(path: Path) -> Path | None:
    """The zip archive that a path leads into; None for a path that leads into none."""
    return None if path.exists() else next((parent for parent in path.parents if parent.is_file()), None)


def detect_workbook(path: Path) -> Literal["xlsx", "ods"] | None:
    """Which kind of workbook a zip archive is; None for another archive."""
    with open_archive(path) as archive:
        names = set(archive.namelist())
    if names & {"xl/workbook.xml", "xl/workbook.bin"}:
        return "xlsx"
    return "ods" if {"mimetype", "content.xml"} <= names else None


@contextmanager
def open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip archive in a `with` block; DataError if it is damaged."""
    with translate_errors(path):
        try:
            archive = zipfile.ZipFile(path)
        except _BAD_ZIP as error:
            raise zipfile.BadZipFile(str(error)) from error
    with archive:  # what goes wrong with a member is said of the member
        yield archive


@contextmanager
def open_file(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file or of a member of a zip archive, decompressed, in a `with` block.

    Raises DataError if they cannot be read to the end, or are a thousandfold of what lies on the disk.
    """
    with ExitStack() as stack:
        stack.enter_context(translate_errors(path))
        stream = stack.enter_context(_raw(path))
        for _ in range(_DEEPEST):
            kind = _magic(stream.peek(8))
            if kind is None or kind == "zip":
                break
            plain = stack.enter_context(_decompressed(stream, kind))
            stream = stack.enter_context(io.BufferedReader(_SizeLimitedReader(plain, path), _BLOCK))
        yield stream


def unpack(path: Path, scratch: Path, gzip_too: bool = False) -> Path:
    """The path itself if its bytes lie there as they are, or in gzip unless `gzip_too`; else a copy in `scratch`.

    Raises DataError if it is damaged, or the disk has no room for the copy.
    """
    if find_archive(path) is None and detect_compression(path) in (None, "zip", *(() if gzip_too else ("gzip",))):
        return path
    copy = scratch / "unpacked"
    with open_file(path) as stream, open_copy(path, copy) as out:
        shutil.copyfileobj(stream, out, _BLOCK)
    return copy


@contextmanager
def open_copy(path: Path, copy: Path) -> Iterator[IO[bytes]]:
    """A stream to write a copy of what `path` holds, in a `with` block; DataError if the disk has no room for it."""
    try:
        with copy.open("wb", buffering=0) as raw, io.BufferedWriter(_SpaceCheckedWriter(raw, copy), _BLOCK) as out:
            yield out
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise DataError(
            f"{path} cannot be unpacked: there is too little room in {copy.parent.parent}; free some, or let TMPDIR "
            "name a folder on a larger disk"
        ) from error


@contextmanager
def translate_errors(path: Path) -> Iterator[None]:
    """A `with` block in which the system's word about a file becomes a DataError."""
    damaged = (
        EOFError,
        zlib.error,
        gzip.BadGzipFile,
        lzma.LZMAError,
        zipfile.BadZipFile,
        struct.error,
        pa.ArrowInvalid,
    )
    try:
        yield
    except damaged as error:
        raise DataError(f"{path} is cut off or damaged; copy or download it again") from error
    except NotImplementedError as error:
        raise DataError(f"{path} is packed in a way that is not known ({error}); pack it anew") from error
    except RuntimeError as error:
        if "encrypted" not in str(error) and "password" not in str(error):
            raise
        raise DataError(f"{path} is encrypted; unpack it with its password") from error
    except OSError as error:
        if error.errno is None:  # so bz2 and zstd say that the bytes are wrong
            raise DataError(f"{path} is cut off or damaged; copy or download it again") from error
        raise DataError(f"{path} cannot be read: {error.strerror or error}; check the file and its rights") from error


def missing_member_error(path: Path, archive: Path, members: Iterable[Path]) -> DataError:
    """What is said of a member that a zip archive does not have."""
    names = [str(member.relative_to(archive)) for member in members]
    wanted = str(path.relative_to(archive))
    close = nearest(wanted, names, 1)
    return DataError(
        f"{archive} has no {wanted}; {f'did you mean {close[0]}?' if close else f'it has {first_few(names)}'}"
    )


@contextmanager
def _raw(path: Path) -> Iterator[io.BufferedReader]:
    """The bytes as they lie on the disk, or as a zip archive has them."""
    archive = find_archive(path)
    with translate_errors(path):
        if archive is None:
            with path.open("rb") as stream:
                yield stream
            return
        with open_archive(archive) as packed:
            infos = {archive / info.filename: info for info in packed.infolist() if not info.is_dir()}
            if path not in infos:
                raise missing_member_error(path, archive, infos)
            try:
                member = packed.open(infos[path])
            except _BAD_ZIP as error:
                raise zipfile.BadZipFile(str(error)) from error
            with member:
                yield io.BufferedReader(_SizeLimitedReader(member, path), _BLOCK)


def _magic(start: bytes) -> Compression | None:
    return next((kind for magic, kind in _MAGIC.items() if start.startswith(magic)), None)


def _decompressed(stream: io.BufferedReader, kind: Compression) -> IO[bytes]:
    if kind == "gzip":
        return cast(IO[bytes], gzip.GzipFile(fileobj=stream))
    if kind == "bzip2":
        return cast(IO[bytes], bz2.BZ2File(stream))
    if kind == "xz":
        return cast(IO[bytes], lzma.LZMAFile(stream))
    return cast(IO[bytes], pa.CompressedInputStream(pa.PythonFile(stream, "r"), "zstd"))


class _SizeLimitedReader(io.RawIOBase):
    """The bytes of a stream; DataError once they are more than `path` can honestly hold."""

    def __init__(self, stream: IO[bytes], path: Path) -> None:
        self._stream, self._path = stream, path
        self._limit = max(_SURELY_FINE, _LARGEST_RATIO * (find_archive(path) or path).stat().st_size)
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # any buffer, as BufferedReader gives
        block = self._stream.read(len(buffer))
        buffer[: len(block)] = block
        self._read += len(block)
        if self._read > self._limit:
            raise DataError(
                f"{self._path} grows to more than {_LARGEST_RATIO} times its size, as a damaged archive or a zip bomb "
                "does; unpack it yourself if you trust it"
            )
        return len(block)


class _SpaceCheckedWriter(io.RawIOBase):
    """A file to write to; an OSError once the disk has little room left."""

    def __init__(self, raw: io.FileIO, copy: Path) -> None:
        self._raw, self._folder = raw, copy.parent

    def writable(self) -> bool:
        return True

    def write(self, block: Any) -> int:  # any buffer, as BufferedWriter gives
        if shutil.disk_usage(self._folder).free < _KEPT_FREE + len(block):
            raise OSError(errno.ENOSPC, "no room")
        return self._raw.write(block) or 0
