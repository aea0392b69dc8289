"""Recognise a full disk and too little memory in the errors of systems, Java and databases."""

import errno
import re
from pathlib import Path

#: Minimum free space in bytes with which a store starts and a database commits.
MIN_FREE_DISK = 20_000_000

_DISK = re.compile(
    r"no space left|disk ?quota exceeded|quota exceeded|disk is full|not enough space|OutOfDiskSpace", re.I
)
_MEMORY = re.compile(
    r"cannot allocate memory|could not reserve enough space|insufficient memory|failed to map segment|"
    r"unable to allocate|not enough memory|can't allocate memory|out of memory|OutOfMemoryError|"
    r"unable to create native thread|cannot create thread|failed to start thread|can't start new thread",
    re.I,
)

MEMORY = (
    "the machine has too little free memory; end other programs, raise the limit of this process (ulimit -v), "
    "or use a larger machine"
)
DISK = "the disk is full; free some space and run the command again"


def shortage(text: str) -> str:
    """The shortage and its remedy if a message reports a full disk or too little memory; else ""."""
    if _DISK.search(text):
        return DISK
    return MEMORY if _MEMORY.search(text) else ""


def shortage_of(error: BaseException | None) -> str:
    """The shortage and its remedy if an error or one of its causes is due to one; else ""."""
    while error is not None:
        if isinstance(error, MemoryError):
            return MEMORY
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            defect = f"the disk of {error.filename} is full" if error.filename else "the disk is full"
            return f"{defect}; free some space and run the command again"
        if isinstance(error, OSError) and error.errno == errno.ENOMEM:
            return MEMORY
        if isinstance(error, OSError | ImportError | RuntimeError) and (cause := shortage(str(error))):
            return cause
        error = error.__cause__ or error.__context__
    return ""


def describe_full_disk(folder: Path, free: int) -> str:
    """The shortage of a disk with `free` bytes and its remedy."""
    return (
        f"the disk of {folder} has {free / 1e6:,.0f} MB left, and at least {MIN_FREE_DISK / 1e6:,.0f} MB are needed; "
        "free some space, or set GRAPHREC_HOME to a folder on another disk"
    )
