"""Files as people have them, written anew and tiny, each with the description that a careful reader would write."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """Files by name, the arguments of sniff (by default all files), and the right TOML beside them.

    The TOML says what matters: keys that are choices of policy (`repeated`, `dangling`, `by`, `zone`) are left out and
    not compared. Columns of files without a header are called by their place, `#1`.
    """

    name: str
    files: dict[str, str | bytes]
    right: str
    arguments: tuple[str, ...] = ()
