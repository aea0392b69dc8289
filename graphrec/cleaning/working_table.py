"""The table that cleaning rules work on: its remaining rows, and the log of repairs and rejections."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np
import pandas as pd

from graphrec.cleaning_report import REJECTED, Action, RuleCount, TableCount
from graphrec.schema import EdgeType, NodeType
from graphrec.tables import ENDS
from graphrec.time_format import moment_text

_EXAMPLES = 5
_LONGEST_HINT = 500

#: Column with the number of the source's row, from 0 over all files, if the table comes from files or a query. No name
#: of a property has a NUL in it.
ROW = "\0row"


class Origin(Protocol):
    """Where the rows of a working table come from, which finds a row of the source again by its number (`ROW`)."""

    @property
    def place(self) -> str:
        """How messages call the table."""

    def files(self) -> Sequence[tuple[str, int, int]]:
        """The name of each file, how many of the rows are its own, in the order of the numbers, and how many of its
        lines are no rows."""

    def originals(self, numbers: Sequence[int]) -> pd.DataFrame:
        """Columns file, line and row (as in `REJECTED`) of the rows with these numbers, by number as index."""

    def as_read(self, row: str) -> str:
        """A row of the working table, a JSON object, by the names of the source's columns."""


@dataclass(frozen=True)
class WorkingTable:
    """The rows of one table that are left, how many came in, and what each rule did to them."""

    type: NodeType | EdgeType
    frame: pd.DataFrame
    rows: int
    rules: tuple[RuleCount, ...] = ()
    rejected: tuple[pd.DataFrame, ...] = ()
    origin: Origin | None = None

    @property
    def name(self) -> str:
        """The label or the relationship type."""
        return self.type.label if isinstance(self.type, NodeType) else self.type.relation

    @property
    def ids(self) -> list[str]:
        """The columns that name nodes."""
        return ["id"] if isinstance(self.type, NodeType) else ENDS

    @property
    def count(self) -> TableCount:
        """What was done so far."""
        return TableCount(self.name, self.rows, len(self.frame), self.rules)

    def log(self, rule: str, action: Action, rows: int, examples: Iterable[str], hint: str = "") -> "WorkingTable":
        """The working table with one more entry in its log; entries of the same rule and action are added up."""
        return replace(self, rules=noted(self.rules, RuleCount(rule, action, rows, tuple(examples), hint)))

    def reject(
        self, bad: "pd.Series[bool]", rule: str, reason: str, column: str | None = None, hint: str = ""
    ) -> "WorkingTable":
        """The working table without the rows marked `bad`, which are rejected; the examples show the value of `column`.

        `hint` says what to do about them, for the report.
        """
        return self.reject_each([Rejection(bad, rule, reason, column, hint)])

    def reject_each(self, rejections: "Sequence[Rejection]") -> "WorkingTable":
        """As `without`, for several reasons at once: a row is rejected for the first that it has."""
        working, left = self, pd.Series(True, index=self.frame.index)
        for each in rejections:
            wrong = left & each.bad
            if not wrong.any():
                continue
            left &= ~wrong
            rows = self.frame[wrong]
            shown = describe(rows.head(_EXAMPLES), self.ids, each.column)
            table = rejection_table(self.name, each.rule, each.reason, rows)
            working = replace(working, rejected=(*working.rejected, table))
            working = working.log(each.rule, "dropped", len(rows), shown, each.hint)
        return self if working is self else replace(working, frame=self.frame[left].reset_index(drop=True))


class Rejection(NamedTuple):
    """Rows that break a rule, with the reason; see `WorkingTable.without`."""

    bad: "pd.Series[bool]"
    rule: str
    reason: str
    column: str | None = None
    hint: str = ""


def noted(rules: tuple[RuleCount, ...], new: RuleCount) -> tuple[RuleCount, ...]:
    """The counts with one more; of one rule and action there is one count, with at most five examples.

    One hint is kept for each subject, the text before the colon.
    """
    for position, old in enumerate(rules):
        if (old.rule, old.action) == (new.rule, new.action):
            shown = (*old.examples, *new.examples)[:_EXAMPLES]
            both = replace(old, rows=old.rows + new.rows, examples=shown, hint=_both_hints(old.hint, new.hint))
            return (*rules[:position], both, *rules[position + 1 :])
    return (*rules, replace(new, examples=new.examples[:_EXAMPLES]))


def _both_hints(old: str, new: str) -> str:
    known = {hint.partition(": ")[0] for hint in old.split("; ")}
    if not old or not new or new.partition(": ")[0] in known or len(old) > _LONGEST_HINT:
        return old or new
    return f"{old}; {new}"


def rejection_table(table: str, rule: str, reason: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Columns `REJECTED` of rejected rows; until they are found, `line` is their number (`ROW`) and `file` missing."""
    columns = rows.drop(columns=ROW, errors="ignore")
    text = columns.to_json(orient="records", lines=True, force_ascii=False, double_precision=15)
    lines = text.rstrip("\n").split("\n")  # not splitlines(): a text may hold U+2028
    made = pd.DataFrame({"row": lines}, dtype="str").assign(table=table, file=None, rule=rule, reason=reason)
    made["line"] = rows[ROW].to_numpy() if ROW in rows else None
    return typed_rejections(made)


def typed_rejections(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns `REJECTED` of a frame in their dtypes: text, and Int64 for `line`."""
    return frame[REJECTED].astype({name: "Int64" if name == "line" else "str" for name in REJECTED})


def describe(rows: pd.DataFrame, ids: list[str], column: str | None = None) -> list[str]:
    """Each row as a short text: its id or ends, and the value of a column."""
    subjects = [" → ".join(map(shortened, row)) for row in rows[ids].itertuples(index=False)]
    if column is None or column in ids:
        return subjects
    shown = _moment if column == "timestamp" else shortened
    values = map(shown, rows[column])
    return [f"{subject}: {column} {value}" for subject, value in zip(subjects, values, strict=True)]


def _moment(value: object) -> str:
    """Seconds as a time, with the number; other values of a column of times unchanged."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return f"{moment_text(int(value))} ({value})" if whole else shortened(value)  # type: ignore[call-overload]


def shortened(value: object, limit: int = 60) -> str:
    """A value as text of at most `limit` characters; ∅ where it is missing."""
    text = "∅" if value is None or value is pd.NA or value != value else str(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
