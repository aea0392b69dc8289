"""What a check found."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "failed"]

OK: State = "ok"
WARNING: State = "warning"
FAILED: State = "failed"


@dataclass(frozen=True)
class Finding:
    """What one check saw and, in one sentence, what to do about it; "failed" means that a command will fail by it."""

    name: str
    state: State
    seen: str
    remedy: str = ""


def number_of(number: int, noun: str, plural: str = "") -> str:
    """A count with its noun: `1 edge`, `2,000 edges`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
