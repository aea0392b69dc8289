"""Results of the leak audit, and the error raised for leaks."""

from collections.abc import Mapping
from dataclasses import dataclass

from graphrec.errors import LeakError, first_few

IN_TRAINING = "test interactions in the training data"
REVERSED = "test interactions as reverse edges"
LATE = "interactions after the cut"
LATE_ELSEWHERE = "other events after the cut"
OTHER_BEHAVIOUR = "test pairs under another behaviour"
DUPLICATES = "duplicates of test interactions"
DERIVED = "attributes derived from later events"

#: Kinds of leaks in the order of the checks.
KINDS: tuple[str, ...] = (IN_TRAINING, REVERSED, LATE, LATE_ELSEWHERE, OTHER_BEHAVIOUR, DUPLICATES, DERIVED)

#: Remedy for each kind.
_REMEDIES: Mapping[str, str] = {
    IN_TRAINING: "fit to `restrict(graph, train, cut, test)` and to a train part from the same split as the test part",
    REVERSED: "cut the graph with `restrict(graph, train, cut, test)`, which also removes reverse edges",
    LATE: "cut the graph and the interactions at the first test interaction, or split by time",
    LATE_ELSEWHERE: "pass the cut to `restrict`, so that no relation has later edges",
    OTHER_BEHAVIOUR: "pass the test part to `restrict`, so that no other behaviour joins its pairs",
    DUPLICATES: "merge the duplicates into one node (load with a rule that links them), or remove these test pairs",
    DERIVED: "pass the cut and the test part to `restrict`, or leave the relation out",
}


@dataclass(frozen=True)
class Check:
    """One check of the audit.

    kind: what was checked, one of KINDS.
    num_checked: number of edges checked.
    leaks: number of edges that leak.
    examples: the first few leaking edges as text.
    """

    kind: str
    num_checked: int
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
    """Raise LeakError if a check found a leak; it has the first kind with examples and remedy, and all other kinds."""
    leaking = [check for check in audit.checks if check.leaks]
    if not leaking:
        return
    first, others = leaking[0], leaking[1:]
    shown = first_few(first.examples) + (", …" if first.leaks > len(first.examples) else "")
    more = "".join(f", and {check.leaks:,} {check.kind}" for check in others)
    raise LeakError(
        f"the graph that the model sees reveals test interactions: {first.leaks:,} {first.kind} among "
        f"{first.num_checked:,} ({shown}){more}; {_REMEDIES[first.kind]}"
    )
