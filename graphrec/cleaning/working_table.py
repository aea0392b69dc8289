"""The working table of cleaning: its remaining rows, and the log of repairs and rejections."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np
import pandas as pd

from graphrec.cleaning_report import REJECTED, Action, RuleCount, TableCount
from graphrec.schema import EdgeType, NodeType
from graphrec.tables import ENDS
from graphrec.time_format import moment_text

_MAX_EXAMPLES = 5
_MAX_HINT_LENGTH = 500

#: Column with the row number in the source, from 0 over all files, if the table comes from files or a query. The NUL
#: distinguishes it from properties.
ROW = "\0row"


class Origin(Protocol):
    """The source of a working table's rows, which looks up original rows by their number (`ROW`)."""

    @property
    def place(self) -> str:
        """The name of the table in messages."""

    def files(self) -> Sequence[tuple[str, int, int]]:
        """The name of each file, its number of rows, in the order of row numbers, and its number of lines that could
        not be parsed."""

    def originals(self, numbers: Sequence[int]) -> pd.DataFrame:
        """Columns file, line and row (as in `REJECTED`) of the rows with these numbers, indexed by number."""

    def as_read(self, row: str) -> str:
        """A row of the working table (a JSON object) with the column names of the source."""


@dataclass(frozen=True)
class WorkingTable:
    """The remaining rows of one table, the number of its input rows, the counts of each rule, and the rejected rows."""

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
        """The columns with node ids."""
        return ["id"] if isinstance(self.type, NodeType) else ENDS

    @property
    def count(self) -> TableCount:
        """The counts of the rules applied so far."""
        return TableCount(self.name, self.rows, len(self.frame), self.rules)

    def log(self, rule: str, action: Action, rows: int, examples: Iterable[str], hint: str = "") -> "WorkingTable":
        """The working table with another log entry; entries of the same rule and action are added up."""
        return replace(self, rules=add_rule_count(self.rules, RuleCount(rule, action, rows, tuple(examples), hint)))

    def reject(
        self, bad: "pd.Series[bool]", rule: str, reason: str, column: str | None = None, hint: str = ""
    ) -> "WorkingTable":
        """The working table without the rows in the mask `bad`; the examples in the log show the value of `column`.

        `hint` is a remedy for the report.
        """
        return self.reject_each([Rejection(bad, rule, reason, column, hint)])

    def reject_each(self, rejections: "Sequence[Rejection]") -> "WorkingTable":
        """As `reject`, for several rejections at once; a row is rejected with the first that applies."""
        working, remaining = self, pd.Series(True, index=self.frame.index)
        for each in rejections:
            wrong = remaining & each.bad
            if not wrong.any():
                continue
            remaining &= ~wrong
            rows = self.frame[wrong]
            shown = describe(rows.head(_MAX_EXAMPLES), self.ids, each.column)
            table = build_rejection_table(self.name, each.rule, each.reason, rows)
            working = replace(working, rejected=(*working.rejected, table))
            working = working.log(each.rule, "dropped", len(rows), shown, each.hint)
        return self if working is self else replace(working, frame=self.frame[remaining].reset_index(drop=True))


class Rejection(NamedTuple):
    """The arguments of `WorkingTable.reject`."""

    bad: "pd.Series[bool]"
    rule: str
    reason: str
    column: str | None = None
    hint: str = ""


def add_rule_count(rules: tuple[RuleCount, ...], new: RuleCount) -> tuple[RuleCount, ...]:
    """The counts with another one added; counts of one rule and action are summed, with at most five examples.

    One hint is kept for each subject (the text before the colon).
    """
    for position, old in enumerate(rules):
        if (old.rule, old.action) == (new.rule, new.action):
            shown = (*old.examples, *new.examples)[:_MAX_EXAMPLES]
            total = replace(old, rows=old.rows + new.rows, examples=shown, hint=_join_hints(old.hint, new.hint))
            return (*rules[:position], total, *rules[position + 1 :])
    return (*rules, replace(new, examples=new.examples[:_MAX_EXAMPLES]))


def _join_hints(old: str, new: str) -> str:
    known = {hint.partition(": ")[0] for hint in old.split("; ")}
    if not old or not new or new.partition(": ")[0] in known or len(old) > _MAX_HINT_LENGTH:
        return old or new
    return f"{old}; {new}"


def build_rejection_table(table: str, rule: str, reason: str, rows: pd.DataFrame) -> pd.DataFrame:
    """The columns `REJECTED` of rejected rows; until they are located, `line` is their `ROW` and `file` is missing."""
    columns = rows.drop(columns=ROW, errors="ignore")
    text = columns.to_json(orient="records", lines=True, force_ascii=False, double_precision=15)
    lines = text.rstrip("\n").split("\n")  # not splitlines(): a text may contain U+2028
    rejected = pd.DataFrame({"row": lines}, dtype="str").assign(table=table, file=None, rule=rule, reason=reason)
    rejected["line"] = rows[ROW].to_numpy() if ROW in rows else None
    return set_rejection_dtypes(rejected)


def set_rejection_dtypes(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns `REJECTED` of a frame with their dtypes: Int64 for `line`, else str."""
    return frame[REJECTED].astype({name: "Int64" if name == "line" else "str" for name in REJECTED})


def describe(rows: pd.DataFrame, ids: list[str], column: str | None = None) -> list[str]:
    """Each row as a short text: its id or ends, and the value of `column`."""
    subjects = [" → ".join(map(shorten, row)) for row in rows[ids].itertuples(index=False)]
    if column is None or column in ids:
        return subjects
    describe_value = _describe_time if column == "timestamp" else shorten
    values = map(describe_value, rows[column])
    return [f"{subject}: {column} {value}" for subject, value in zip(subjects, values, strict=True)]


def _describe_time(value: object) -> str:
    """Unix seconds as a time with the number; other values as text."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return f"{moment_text(int(value))} ({value})" if whole else shorten(value)  # type: ignore[call-overload]


def shorten(value: object, limit: int = 60) -> str:
    """A value as text of at most `limit` characters; ∅ if it is missing."""
    text = "∅" if value is None or value is pd.NA or value != value else str(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
