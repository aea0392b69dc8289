"""Write files and folders atomically: complete or not at all."""

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

#: Maximum number of links followed from one path; more are a cycle, as for the operating system.
_MAX_LINKS = 40
#: Maximum bytes of a name that the name of its partial file repeats, and that file systems allow in a name.
_REPEATED, _LONGEST = 60, 255
_PARTIAL = re.compile(r"\..*\.(?P<host>[\w-]*)\.(?P<pid>\d+)\.[0-9a-f]{8}\.partial", re.DOTALL)
#: Paths of the open file descriptors of a process.
_DESCRIPTOR = re.compile(r"/(?:dev|proc/self)/fd/(?P<number>\d+)")
_STANDARD = {"/dev/stdout": 1, "/dev/stderr": 2}

#: Names that Windows reserves for devices, with any ending.
_DEVICES = {"con", "prn", "aux", "nul", *(f"{name}{k}" for name in ("com", "lpt") for k in range(1, 10))}


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A context manager with a temporary path for a file or folder, which becomes `path` unless an error is raised.

    A regular file is replaced atomically and keeps its mode and owner; links are followed. The complete content is
    copied into targets that cannot be replaced: devices, pipes, descriptors such as /dev/stdout, files with several
    names (hard links), and files in a folder that cannot be written.

    Raises GraphrecError if `path` cannot be written.
    """
    try:
        with _open_partial(path) as partial:
            yield partial
    except (OSError, RuntimeError) as error:
        cause = _find_system_error(error)
        if cause is None:
            raise
        raise GraphrecError(f"cannot write {path}: {_describe(cause)}") from error


@contextmanager
def _open_partial(path: Path) -> Iterator[Path]:
    """As `atomic_write`, with the errors of the operating system."""
    target = _follow_links(path)
    old = _read_status(target)
    is_replaceable = old is None or stat.S_ISDIR(old.st_mode) or (stat.S_ISREG(old.st_mode) and old.st_nlink == 1)
    if old is not None and not stat.S_ISDIR(old.st_mode) and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))
    if (
        _descriptor_number(target) is not None
        or not is_replaceable
        or (old is not None and not os.access(target.parent, os.W_OK))
    ):
        with tempfile.TemporaryDirectory(prefix="graphrec-") as folder:
            partial = Path(folder) / (target.name[-_REPEATED:] or "partial")
            yield partial
            _copy_content(partial, target)
        return
    partial = target.parent / partial_name(target.name)
    _remove_left_over(target.parent)
    try:
        yield partial
        if old is not None and not partial.is_dir():
            _copy_owner_and_mode(partial, old)
        partial.replace(target)
    finally:
        _remove(partial)


def is_stdout(path: Path) -> bool:
    """Whether a path is the same file as stdout, so that nothing else should be printed."""
    with contextlib.suppress(OSError):
        return os.path.samestat(path.stat(), os.fstat(1)) and not path.is_dir()
    return False


def partial_name(name: str) -> str:
    """A hidden name for an incomplete file or folder, which contains the machine and the process that write it."""
    short = name.encode(errors="surrogateescape")[:_REPEATED].decode(errors="ignore")
    return f".{short}.{_host()}.{os.getpid()}.{secrets.token_hex(4)}.partial"


def is_left_over(path: Path) -> bool:
    """Whether a partial file or folder was left by a process of this machine that has ended, such as a killed one."""
    match = _PARTIAL.fullmatch(path.name)
    return match is not None and match["host"] == _host() and not psutil.pid_exists(int(match["pid"]))


def make_folder(folder: Path) -> None:
    """Create a folder and its missing parents. Raises GraphrecError if this fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GraphrecError(f"cannot make the folder {folder}: {error.strerror}; choose another place") from error


def folder_name(name: str) -> str:
    """A folder name for any text, which every file system accepts and which does not leave the parent folder.

    Letters, digits and most other characters are kept. If the text must be changed, its hash is appended, so that two
    texts never share a folder.

    >>> folder_name("shop"), folder_name("../a")
    ('shop', '_.._a-61b4c98b')
    """
    safe = "".join(char if char.isprintable() and char not in '/\\:*?"<>|' else "_" for char in name).rstrip(". ")
    reserved = safe.partition(".")[0].strip().lower() in _DEVICES or safe.startswith(".") or not safe
    if safe == name and not reserved and len(name.encode()) <= _LONGEST // 2:
        return name
    from hashlib import sha256

    digest = sha256(name.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{'_' if reserved else ''}{safe.encode(errors='replace')[:_REPEATED].decode(errors='ignore')}-{digest}"


def _follow_links(path: Path) -> Path:
    """The path that links lead to, which may not exist; paths of descriptors are kept, as processes may share them."""
    for _ in range(_MAX_LINKS):
        if _descriptor_number(path) is not None or not path.is_symlink():
            return path
        path = path.parent / path.readlink()
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))


def _descriptor_number(path: Path) -> int | None:
    """The number of the descriptor that a path names; None for other paths."""
    match = _DESCRIPTOR.fullmatch(str(path))
    return _STANDARD.get(str(path), int(match["number"]) if match else None)


def _read_status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _copy_content(source: Path, target: Path) -> None:
    """Copy the content of a file into an existing target."""
    number = _descriptor_number(target)
    # A descriptor is written at its position; its path would be opened at the start of its file.
    opened = target if number is None else os.dup(number)
    with source.open("rb") as content, open(opened, "wb") as out:  # noqa: PTH123  # may be a descriptor
        shutil.copyfileobj(content, out)


def _copy_owner_and_mode(partial: Path, old: os.stat_result) -> None:
    """Give a file the mode and, if this user may, the owner of the file that it replaces."""
    new = partial.stat()
    if hasattr(os, "chown") and (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        with contextlib.suppress(OSError):
            os.chown(partial, -1, old.st_gid)
        with contextlib.suppress(OSError):
            os.chown(partial, old.st_uid, -1)
    partial.chmod(stat.S_IMODE(old.st_mode))


def _remove_left_over(folder: Path) -> None:
    """Remove the partial files and folders that killed processes left in a folder."""
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
    """The host name and the process namespace, since containers with one host name may number processes separately."""
    namespace = Path("/proc/self/ns/pid")
    number = str(namespace.stat().st_ino) if namespace.exists() else ""
    return re.sub(r"[^\w-]", "-", f"{socket.gethostname()[:40]}-{number}")


def _describe(cause: OSError) -> str:
    """The message of the operating system with a remedy."""
    message = cause.strerror or str(cause)
    if cause.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{message}; choose a place that you may write to"
    if cause.errno in (errno.ENOENT, errno.ENOTDIR):
        return f"{message}; create its folder first"
    if cause.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{message}; free some space or choose another place"
    return f"{message}; choose another place"


def _find_system_error(error: BaseException | None) -> OSError | None:
    """The OSError that caused an error, if any: if the disk is full, torch raises a RuntimeError after it."""
    while error is not None and not isinstance(error, OSError):
        error = error.__context__
    return error
