"""The journal of operation: every decision is a node of the graph, with the time and the figures it was made on."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import takewhile
from typing import Any, Literal

from graphrec.operation.leader import Leader
from graphrec.schema import DECISION
from graphrec.store import Store
from graphrec.store.connection import Row
from graphrec.store.counts import known_labels
from graphrec.store.nodes import ensure_constraint

#: What may be decided, in the order of a cycle.
Kind = Literal["resume", "rollback", "keep", "watch", "wait", "retrain", "train", "refuse", "publish", "fail"]

#: Decisions that repeat while nothing happens; a repeated one is a line with the number of repeats.
REPEATED = frozenset({"watch", "wait", "fail"})

_READ = f"""
MATCH (d:{DECISION})
RETURN d.cycle AS cycle, d.sequence AS sequence, d.at AS at, d.kind AS kind, d.run AS run, d.sentence AS sentence,
       d.figures AS figures, d.since AS since, d.repeats AS repeats
ORDER BY cycle DESC, sequence DESC
"""

_CREATE = f"""
CREATE (d:{DECISION}) SET d = $properties, d.at = timestamp(), d.since = timestamp(), d.repeats = 1
RETURN d.at AS at, d.since AS since, d.repeats AS repeats
"""

_REPEAT = f"""
MATCH (d:{DECISION} {{id: $id}})
SET d.at = timestamp(), d.sentence = $sentence, d.figures = $figures, d.repeats = d.repeats + 1
RETURN d.at AS at, d.since AS since, d.repeats AS repeats
"""


@dataclass(frozen=True)
class Decision:
    """A line of the journal.

    cycle: the number of the leader that decided; with `sequence` the order of decisions.
    at: when, in milliseconds since 1970 by the clock of the database; `since` is the first time of a decision that was
        repeated `repeats` times in a row.
    kind: resume (a killed cycle is finished), retrain (the policy asks for it), train (it is done), refuse (by the
        publish gate), publish, watch (clicks do not decide
        yet), keep, rollback, wait (the policy asks for no training) or fail.
    run: the run it is about.
    figures: the numbers it was made on.
    """

    cycle: int
    sequence: int
    at: int
    kind: Kind
    run: str | None
    sentence: str
    figures: Mapping[str, Any]  # numbers, texts and lists of them
    since: int
    repeats: int = 1

    def as_dict(self) -> dict[str, Any]:
        """The decision as a JSON object."""
        return asdict(self)


def read_decisions(store: Store, limit: int | None = None, kinds: Sequence[Kind] = ()) -> list[Decision]:
    """The newest decisions, the newest first; of some kinds if named."""
    if DECISION not in known_labels(store):
        return []
    statement = _READ.replace("RETURN", "WHERE d.kind IN $kinds RETURN", 1) if kinds else _READ
    rows = store.read(f"{statement}{'' if limit is None else f'LIMIT {int(limit)}'}", {"kinds": list(kinds)})
    return [Decision(**{**row, "figures": json.loads(row["figures"])}) for row in rows]


class Journal:
    """Writes the decisions of one leader; none is written after another process has become the leader."""

    def __init__(self, store: Store, leader: Leader) -> None:
        ensure_constraint(store, DECISION)
        self._store, self._leader = store.fenced(leader), leader
        recent = read_decisions(store, 2 * len(REPEATED))
        #: what may repeat: the newest decisions, down to the first that changed something
        self._recent = list(takewhile(lambda each: each.kind in REPEATED, recent))
        self._sequence = 0
        #: what this leader decided
        self.decisions: list[Decision] = []

    def write(
        self, kind: Kind, sentence: str, figures: Mapping[str, Any], run: str | None = None, stage: str = ""
    ) -> Decision:
        """Write a decision together with what the leader does next.

        Raises LostLeadershipError if another operator leads now.
        """
        last = next((each for each in self._recent if (each.kind, each.run) == (kind, run)), None)
        values: dict[str, Any] = {"sentence": sentence, "figures": json.dumps(dict(figures), default=str)}
        if last is not None:
            cycle, sequence = last.cycle, last.sequence
            write = _REPEAT, {"id": f"{cycle}-{sequence}", **values}
        else:
            self._sequence += 1
            cycle, sequence = self._leader.number, self._sequence
            values |= {"id": f"{cycle}-{sequence}", "cycle": cycle, "sequence": sequence, "kind": kind}
            values |= {} if run is None else {"run": run}
            write = _CREATE, {"properties": values}
        marked = run or "" if stage else ""
        row: Row = self._store.write_together([self._leader.mark(stage, marked), write])[1][0]
        written = Decision(cycle, sequence, row["at"], kind, run, sentence, figures, row["since"], row["repeats"])
        self._recent = [written, *(each for each in self._recent if each is not last)] if kind in REPEATED else []
        self.decisions.append(written)
        return written
