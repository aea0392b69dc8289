"""Files and folders that appear whole or not at all."""

import contextlib
import errno
import os
import re
import secrets
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from graphrec.errors import GraphrecError

#: Links that are followed from one name before they are taken for a circle, as the system does.
_LINKS = 40
#: Bytes of a name that the name of its partial file repeats, and bytes that file systems allow in a name.
_REPEATED, _LONGEST = 60, 255
_PARTIAL = re.compile(r"\..*\.(?P<host>[\w-]*)\.(?P<pid>\d+)\.[0-9a-f]{8}\.partial", re.DOTALL)
#: Names of the descriptors that a process has open.
_DESCRIPTOR = re.compile(r"/(?:dev|proc/self)/fd/(?P<number>\d+)")
_STANDARD = {"/dev/stdout": 1, "/dev/stderr": 2}

#: Names that Windows keeps for devices, with any ending.
_DEVICES = {"con", "prn", "aux", "nul", *(f"{name}{k}" for name in ("com", "lpt") for k in range(1, 10))}


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A path to write a file or a folder to; what is there at the end becomes `path`, after a failure nothing does.

    A regular file is replaced at one instant and keeps its mode and owner; links are followed. What cannot be replaced
    gets the content written into it once it is whole: a device, a pipe, a descriptor such as /dev/stdout, a file that
    has several names (hard links), and a file in a folder that cannot be written.
    Raises GraphrecError if it cannot be written.
    """
    try:
        with _given_back(path) as partial:
            yield partial
    except (OSError, RuntimeError) as error:
        cause = _system_error(error)
        if cause is None:
            raise
        raise GraphrecError(f"cannot write {path}: {_reason(cause)}") from error


@contextmanager
def _given_back(path: Path) -> Iterator[Path]:
    """As `written_whole`, with the system's own errors."""
    target = _followed(path)
    there = _status(target)
    replaced = there is None or stat.S_ISDIR(there.st_mode) or (stat.S_ISREG(there.st_mode) and there.st_nlink == 1)
    if there is not None and not stat.S_ISDIR(there.st_mode) and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))
    if _descriptor(target) is not None or not replaced or (there is not None and not os.access(target.parent, os.W_OK)):
        with tempfile.TemporaryDirectory(prefix="graphrec-") as folder:
            partial = Path(folder) / (target.name[-_REPEATED:] or "partial")
            yield partial
            _pour(partial, target)
        return
    partial = target.parent / partial_name(target.name)
    _remove_left_over(target.parent)
    try:
        yield partial
        if there is not None and not partial.is_dir():
            _take_over(partial, there)
        partial.replace(target)
    finally:
        _remove(partial)


def is_stdout(path: Path) -> bool:
    """Whether what is written to the path goes where stdout goes, so that nothing else should be printed there."""
    with contextlib.suppress(OSError):
        return os.path.samestat(path.stat(), os.fstat(1)) and not path.is_dir()
    return False


def partial_name(name: str) -> str:
    """A name for a file or folder that is not whole yet: hidden, and with the machine and process that write it."""
    short = name.encode(errors="surrogateescape")[:_REPEATED].decode(errors="ignore")
    return f".{short}.{_host()}.{os.getpid()}.{secrets.token_hex(4)}.partial"


def is_left_over(path: Path) -> bool:
    """Whether a process of this machine that has ended, such as a killed one, left the partial file or folder."""
    match = _PARTIAL.fullmatch(path.name)
    return match is not None and match["host"] == _host() and not psutil.pid_exists(int(match["pid"]))


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, if they are not there. Raises GraphrecError if that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GraphrecError(f"cannot make the folder {folder}: {error.strerror}; choose another place") from error


def folder_name(name: str) -> str:
    """A name for a folder that every file system takes and that stays inside its parent, from any text.

    Letters, digits and most other signs stay as they are; a text that has to be changed ends in its hash, so that two
    texts never share a folder.

    >>> folder_name("shop"), folder_name("../a")
    ('shop', '_.._a-61b4c98b')
    """
    safe = "".join(sign if sign.isprintable() and sign not in '/\\:*?"<>|' else "_" for sign in name).rstrip(". ")
    reserved = safe.partition(".")[0].strip().lower() in _DEVICES or safe.startswith(".") or not safe
    if safe == name and not reserved and len(name.encode()) <= _LONGEST // 2:
        return name
    from hashlib import sha256

    digest = sha256(name.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{'_' if reserved else ''}{safe.encode(errors='replace')[:_REPEATED].decode(errors='ignore')}-{digest}"


def _followed(path: Path) -> Path:
    """The path that links lead to, there or not; a descriptor stays one, as the file behind it may be of others."""
    for _ in range(_LINKS):
        if _descriptor(path) is not None or not path.is_symlink():
            return path
        path = path.parent / path.readlink()
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))


def _descriptor(path: Path) -> int | None:
    """The number of the descriptor that the path is a name of."""
    match = _DESCRIPTOR.fullmatch(str(path))
    return _STANDARD.get(str(path), int(match["number"]) if match else None)


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _pour(source: Path, target: Path) -> None:
    """Write the content of a file into what is there."""
    number = _descriptor(target)
    # A descriptor is written at its position: opening its name would begin at the start of the file behind it.
    place = target if number is None else os.dup(number)
    with source.open("rb") as content, open(place, "wb") as out:  # noqa: PTH123  # takes a descriptor too
        shutil.copyfileobj(content, out)


def _take_over(partial: Path, there: os.stat_result) -> None:
    """Give a file the owner, as far as this user may, and the mode of the one that it replaces."""
    made = partial.stat()
    if hasattr(os, "chown") and (made.st_uid, made.st_gid) != (there.st_uid, there.st_gid):
        with contextlib.suppress(OSError):
            os.chown(partial, -1, there.st_gid)
        with contextlib.suppress(OSError):
            os.chown(partial, there.st_uid, -1)
    partial.chmod(stat.S_IMODE(there.st_mode))


def _remove_left_over(folder: Path) -> None:
    """Remove what killed processes left in a folder."""
    with contextlib.suppress(OSError):
        for path in folder.glob(".*.partial"):
            if is_left_over(path):
                _remove(path)


def _remove(partial: Path) -> None:
    with contextlib.suppress(OSError):
        if partial.is_symlink() or partial.is_file():
            partial.unlink(missing_ok=True)
        elif partial.is_dir():
            shutil.rmtree(partial, ignore_errors=True)


def _host() -> str:
    """The machine whose process numbers these are: containers of one name and one folder may count apart."""
    counted = Path("/proc/self/ns/pid")
    apart = str(counted.stat().st_ino) if counted.exists() else ""
    return re.sub(r"[^\w-]", "-", f"{socket.gethostname()[:40]}-{apart}")


def _reason(cause: OSError) -> str:
    """What the system says, and what to do about it."""
    said = cause.strerror or str(cause)
    if cause.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{said}; choose a place that you may write to"
    if cause.errno in (errno.ENOENT, errno.ENOTDIR):
        return f"{said}; create its folder first"
    if cause.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{said}; free some space or choose another place"
    return f"{said}; choose another place"


def _system_error(error: BaseException | None) -> OSError | None:
    """The system's word behind an error: torch closes a full disk's file with a RuntimeError of its own on top."""
    while error is not None and not isinstance(error, OSError):
        error = error.__context__
    return error
