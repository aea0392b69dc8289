"""The report of cleaning: counts and examples per table and rule, and the rejected rows."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import pandas as pd

#: repaired: the row is kept with a corrected value; merged: it became part of another row; dropped: it was rejected;
#: noted: the row is kept unchanged, but its interpretation should be checked.
Action = Literal["repaired", "merged", "dropped", "noted"]

#: The columns of `CleaningReport.rejected`, one row for each rejected row of the source. `file` and `line` are its
#: location (`line` is the number of the row in a Parquet file or a query; both are missing for tables from a loader).
#: `row` is the row as JSON text: an object by the columns of the source, or a text if the line could not be split into
#: columns.
REJECTED = ["table", "file", "line", "rule", "reason", "row"]


@dataclass(frozen=True)
class RuleCount:
    """The number of rows that a rule touched, its action, the first few rows as text, and a remedy if one is known."""

    rule: str
    action: Action
    rows: int
    examples: tuple[str, ...] = ()
    hint: str = ""


@dataclass(frozen=True)
class TableCount:
    """The numbers of rows of a table that were read and kept, and the counts of each rule.

    `name` is a label or a relationship type.
    """

    name: str
    rows: int
    kept: int
    rules: tuple[RuleCount, ...] = ()

    @property
    def repaired(self) -> int:
        """The number of repairs; a row that two rules repaired counts twice."""
        return sum(rule.rows for rule in self.rules if rule.action == "repaired")

    @property
    def dropped(self) -> int:
        """The number of rejected rows; `CleaningReport.dropped` counts a source row that several tables reject once."""
        return sum(rule.rows for rule in self.rules if rule.action == "dropped")


@dataclass(frozen=True)
class CleaningReport:
    """The counts of each table, and the rejected rows with the columns `REJECTED`."""

    tables: tuple[TableCount, ...] = ()
    rejected: pd.DataFrame | None = None

    @property
    def dropped(self) -> int:
        """The number of rejected rows of the source; a row that several tables reject counts once."""
        return sum(table.dropped for table in self.tables) if self.rejected is None else len(self.rejected)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values, without the rejected rows, which are saved in a separate file."""
        return {
            "tables": [
                {**asdict(table), "repaired": table.repaired, "dropped": table.dropped} for table in self.tables
            ],
            "rejected_rows": self.dropped,
        }
