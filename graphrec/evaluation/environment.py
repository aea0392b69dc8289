"""The environment of a measurement: versions, the machine, and its memory and load."""

import os
import platform
import resource
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

#: Packages whose versions are recorded, so that a measurement can be repeated.
PACKAGES = ("graphrec", "torch", "torch_geometric", "numpy", "scipy")


def peak_mib() -> int:
    """The peak resident memory of this process, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak / (1 << 20 if sys.platform == "darwin" else 1 << 10))  # bytes on macOS, KiB on Linux


def versions() -> dict[str, str]:
    """The versions of Python and of the PACKAGES that are installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def machine() -> str:
    """The processor, as far as the system reports it, and the number of cores."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{name}, {os.cpu_count()} cores"


def load() -> float:
    """The load average of the machine over one minute; -1 if the system does not report it."""
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else -1.0
