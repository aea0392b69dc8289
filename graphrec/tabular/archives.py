"""Opens compressed files and members of zip archives; detects the compression by content and limits unpacked sizes."""

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

#: Compression by magic bytes.
_MAGIC: dict[bytes, Compression] = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
}
#: Errors of zipfile besides BadZipFile: names that are not text, invalid offsets.
_BAD_ZIP = (ValueError, OverflowError, IndexError)
#: Maximum number of nested compressions, such as a gzip file in a zip archive.
_MAX_NESTING = 3
#: Maximum compression ratio (logs reach 100, zip bombs 1,000 and more), and the unpacked bytes up to which it is not
#: checked.
_MAX_RATIO = 500
_UNCHECKED_SIZE = 1 << 30
#: Minimum free disk space in bytes that unpacking leaves.
_MIN_FREE = 256 << 20
#: Buffer size in bytes.
_BLOCK = 1 << 20
#: Maximum number of members of a zip archive: each is looked up in the directory, at quadratic total cost.
_MAX_MEMBERS = 2_000
#: Names of files that accompany data, such as readmes, pictures and programs.
_ANCILLARY = re.compile(
    r"(readme|licen[cs]e|changelog|notice|copying|thumbs|desktop)(\.\w+)?|[._].*|.*\.(md|rst|html?|pdf|png|jpe?g|gif|svg|"
    r"py|ipynb|sh|toml|ya?ml|ini|sql|docx?|crc|md5|sha256)",
    re.IGNORECASE,
)


def detect_compression(path: Path) -> Compression | None:
    """The compression of a file by its content, not its name; None if uncompressed. DataError if it cannot be read."""
    with _open_raw(path) as stream:
        return _match_magic(stream.read(8))


def is_ancillary(name: str) -> bool:
    """Whether a path is not a data file by its name: hidden, a readme, a picture, a program."""
    parts = PurePosixPath(name).parts
    return bool(_ANCILLARY.fullmatch(parts[-1])) or any(part.startswith((".", "__")) for part in parts[:-1])


def find_members(path: Path) -> list[Path]:
    """Paths of the data files in a zip archive (archive path / member name), sorted.

    Raises DataError if the archive is damaged, has no data file, or has a member name that points outside.
    """
    with open_archive(path) as archive:
        names = [info.filename for info in archive.infolist() if not info.is_dir()]
    for name in names:
        if re.match(r"[/\\]|.:", name) or ".." in re.split(r"[/\\]", name):
            raise DataError(
                f"{path} has the member {first_few([name])}, which points outside of it; unpack it yourself"
            )
    members = sorted(path / name for name in names if not is_ancillary(name))
    if not members:
        raise DataError(f"{path} has no data file (it has {first_few(names) or 'no files'}); check the archive")
    if len(members) > _MAX_MEMBERS:
        raise DataError(f"{path} has {len(members):,} files, more than {_MAX_MEMBERS:,}; unpack it, and give a pattern")
    return members


def find_archive(path: Path) -> Path | None:
    """The zip archive that a path points into; None for a path of the file system."""
    return None if path.exists() else next((parent for parent in path.parents if parent.is_file()), None)


def detect_workbook(path: Path) -> Literal["xlsx", "ods"] | None:
    """The workbook format of a zip archive; None if it is not a workbook."""
    with open_archive(path) as archive:
        names = set(archive.namelist())
    if names & {"xl/workbook.xml", "xl/workbook.bin"}:
        return "xlsx"
    return "ods" if {"mimetype", "content.xml"} <= names else None


@contextmanager
def open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """Context manager of an open zip archive; DataError if it is damaged."""
    with translate_errors(path):
        try:
            archive = zipfile.ZipFile(path)
        except _BAD_ZIP as error:
            raise zipfile.BadZipFile(str(error)) from error
    with archive:  # errors of a member name the member
        yield archive


@contextmanager
def open_file(path: Path) -> Iterator[IO[bytes]]:
    """Context manager of the decompressed bytes of a file or member of a zip archive.

    Raises DataError if they cannot be read to the end, or exceed the maximum compression ratio.
    """
    with ExitStack() as stack:
        stack.enter_context(translate_errors(path))
        stream = stack.enter_context(_open_raw(path))
        for _ in range(_MAX_NESTING):
            kind = _match_magic(stream.peek(8))
            if kind is None or kind == "zip":
                break
            plain = stack.enter_context(_open_decompressed(stream, kind))
            stream = stack.enter_context(io.BufferedReader(_SizeLimitedReader(plain, path), _BLOCK))
        yield stream


def unpack(path: Path, scratch: Path, gzip_too: bool = False) -> Path:
    """The path of an uncompressed file: the path itself, or that of a decompressed copy in `scratch`.

    Gzip files are only decompressed if `gzip_too`. Raises DataError if the file is damaged or the disk is full.
    """
    if find_archive(path) is None and detect_compression(path) in (None, "zip", *(() if gzip_too else ("gzip",))):
        return path
    copy = scratch / "unpacked"
    with open_file(path) as stream, open_copy(path, copy) as out:
        shutil.copyfileobj(stream, out, _BLOCK)
    return copy


@contextmanager
def open_copy(path: Path, copy: Path) -> Iterator[IO[bytes]]:
    """Context manager of a stream that writes a copy of `path`; DataError if the disk is full."""
    try:
        with copy.open("wb", buffering=0) as raw, io.BufferedWriter(_SpaceCheckedWriter(raw, copy), _BLOCK) as out:
            yield out
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise DataError(
            f"{path} cannot be unpacked: there is too little space in {copy.parent.parent}; free some, or set TMPDIR "
            "to a folder on a larger disk"
        ) from error


@contextmanager
def translate_errors(path: Path) -> Iterator[None]:
    """Context manager that raises a DataError for every error of the system or a decompressor about a file."""
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
        raise DataError(f"{path} is truncated or damaged; copy or download it again") from error
    except NotImplementedError as error:
        raise DataError(f"{path} has an unknown compression ({error}); compress it again") from error
    except RuntimeError as error:
        if "encrypted" not in str(error) and "password" not in str(error):
            raise
        raise DataError(f"{path} is encrypted; unpack it with its password") from error
    except OSError as error:
        if error.errno is None:  # bz2 and zstd report invalid bytes without errno
            raise DataError(f"{path} is truncated or damaged; copy or download it again") from error
        raise DataError(f"{path} cannot be read: {error.strerror or error}; check the file and its rights") from error


def missing_member_error(path: Path, archive: Path, members: Iterable[Path]) -> DataError:
    """The error for a member that a zip archive does not have."""
    names = [str(member.relative_to(archive)) for member in members]
    name = str(path.relative_to(archive))
    close = nearest(name, names, 1)
    return DataError(
        f"{archive} has no {name}; {f'did you mean {close[0]}?' if close else f'it has {first_few(names)}'}"
    )


@contextmanager
def _open_raw(path: Path) -> Iterator[io.BufferedReader]:
    """The stored bytes of a file, or of a member of a zip archive, without further decompression."""
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


def _match_magic(start: bytes) -> Compression | None:
    return next((kind for magic, kind in _MAGIC.items() if start.startswith(magic)), None)


def _open_decompressed(stream: io.BufferedReader, kind: Compression) -> IO[bytes]:
    if kind == "gzip":
        return cast(IO[bytes], gzip.GzipFile(fileobj=stream))
    if kind == "bzip2":
        return cast(IO[bytes], bz2.BZ2File(stream))
    if kind == "xz":
        return cast(IO[bytes], lzma.LZMAFile(stream))
    return cast(IO[bytes], pa.CompressedInputStream(pa.PythonFile(stream, "r"), "zstd"))


class _SizeLimitedReader(io.RawIOBase):
    """Reads a stream; DataError if it exceeds the maximum ratio to the size of `path`."""

    def __init__(self, stream: IO[bytes], path: Path) -> None:
        self._stream, self._path = stream, path
        self._limit = max(_UNCHECKED_SIZE, _MAX_RATIO * (find_archive(path) or path).stat().st_size)
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # any buffer, given by BufferedReader
        block = self._stream.read(len(buffer))
        buffer[: len(block)] = block
        self._read += len(block)
        if self._read > self._limit:
            raise DataError(
                f"{self._path} unpacks to more than {_MAX_RATIO} times its size, as a damaged archive or zip bomb "
                "does; unpack it yourself if you trust it"
            )
        return len(block)


class _SpaceCheckedWriter(io.RawIOBase):
    """Writes to a file; raises OSError when little disk space is left."""

    def __init__(self, raw: io.FileIO, copy: Path) -> None:
        self._raw, self._folder = raw, copy.parent

    def writable(self) -> bool:
        return True

    def write(self, block: Any) -> int:  # any buffer, given by BufferedWriter
        if shutil.disk_usage(self._folder).free < _MIN_FREE + len(block):
            raise OSError(errno.ENOSPC, "no space")
        return self._raw.write(block) or 0
