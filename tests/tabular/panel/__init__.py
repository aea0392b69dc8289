"""Small imitations of real-world files, each with the description that a careful reader would write."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """Files by name, the arguments of sniff (by default all files), and the correct TOML.

    Keys of the TOML that are choices of policy (`repeated`, `dangling`, `by`, `zone`) are left out and
    not compared. Columns of files without a header are called by their place, `#1`.
    """

    name: str
    files: dict[str, str | bytes]
    right: str
    arguments: tuple[str, ...] = ()
