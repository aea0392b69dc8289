"""What a measured number depends on beside the model: versions, the machine, and its memory and load."""

import os
import platform
import resource
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

#: Whose versions a reader needs to repeat the numbers.
PACKAGES = ("graphrec", "torch", "torch_geometric", "numpy", "scipy")


def peak_mib() -> int:
    """The largest resident memory that this process has had, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak / (1 << 20 if sys.platform == "darwin" else 1 << 10))  # bytes on macOS, KiB on Linux


def versions() -> dict[str, str]:
    """The versions of Python and of the packages that numbers depend on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def machine() -> str:
    """The processor and the number of cores, as far as the system reports them."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{name}, {os.cpu_count()} cores"


def load() -> float:
    """How many processes want to run on the machine, on average over a minute; -1 if the system does not report it."""
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else -1.0
