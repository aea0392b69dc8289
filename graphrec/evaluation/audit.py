"""Whether what a model sees tells anything of what it is tested on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One kind of leak that was looked for: how many edges were looked at, how many of them leak, and the first few."""

    kind: str
    looked_at: int
    leaks: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Audit:
    """The checks of one split, in a fixed order."""

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether no check found a leak."""
        return not any(check.leaks for check in self.checks)
