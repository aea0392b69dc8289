"""What an audit found, and the error that it becomes."""

from collections.abc import Mapping
from dataclasses import dataclass

from graphrec.errors import LeakError, first_few

GIVEN = "test interactions given to train on"
BACKWARDS = "test interactions read backwards"
LATE = "interactions after the cut"
LATE_ELSEWHERE = "other events after the cut"
OTHERWISE = "test pairs under another behaviour"
COPIES = "copies of test interactions"
DERIVED = "attributes made from later events"

#: The kinds of leaks in the order of the checks.
KINDS: tuple[str, ...] = (GIVEN, BACKWARDS, LATE, LATE_ELSEWHERE, OTHERWISE, COPIES, DERIVED)

#: What to do about each kind.
_REMEDIES: Mapping[str, str] = {
    GIVEN: "fit to `restrict(graph, known, cut, held)` and to a part that `splits` divides from the test part",
    BACKWARDS: "cut the graph with `restrict(graph, known, cut, held)`, which cuts reverse edges too",
    LATE: "cut the graph and the interactions at the first test interaction, or split by time",
    LATE_ELSEWHERE: "give `restrict` the cut, so that no relation goes beyond it",
    OTHERWISE: "give `restrict` the held part, so that no other behaviour tells its pairs",
    COPIES: "make one node of the copies (load with a rule that links them), or take these pairs out of the test part",
    DERIVED: "give `restrict` the cut and the held part, or leave the relation out",
}


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


def require_clean(audit: Audit) -> None:
    """Nothing where no check found a leak, else LeakError: the first kind with examples and remedy, and all others."""
    leaking = [check for check in audit.checks if check.leaks]
    if not leaking:
        return
    first, others = leaking[0], leaking[1:]
    shown = first_few(first.examples) + (", …" if first.leaks > len(first.examples) else "")
    more = "".join(f", and {check.leaks:,} {check.kind}" for check in others)
    raise LeakError(
        f"what the model sees tells of what it is tested on: {first.leaks:,} {first.kind} among {first.looked_at:,} "
        f"({shown}){more}; {_REMEDIES[first.kind]}"
    )
