"""The result of a check."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "failed"]

OK: State = "ok"
WARNING: State = "warning"
FAILED: State = "failed"


@dataclass(frozen=True)
class Finding:
    """The result of one check (`seen`) and its remedy in one sentence; "failed" means that commands will fail."""

    name: str
    state: State
    seen: str
    remedy: str = ""


def format_count(number: int, noun: str, plural: str = "") -> str:
    """A count with its noun: `1 edge`, `2,000 edges`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
