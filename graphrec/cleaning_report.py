"""What cleaning did to the rows of a source: per table and rule, with examples and the rejected rows themselves."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import pandas as pd

#: repaired: the row stays with a corrected value; merged: it went into another row; dropped: it was rejected; noted:
#: the row stays as it is, but how it was read is worth a look.
Action = Literal["repaired", "merged", "dropped", "noted"]

#: The columns of `CleaningReport.rejected`, one row for each rejected row of the source. `file` and `line` say where it
#: is (the number of the row in a Parquet file or a query; both missing for tables that a loader made), `row` is the row
#: as JSON text: an object by the columns of the source, or a text if the line could not be divided into columns.
REJECTED = ["table", "file", "line", "rule", "reason", "row"]


@dataclass(frozen=True)
class RuleCount:
    """How many rows a rule touched, what it did to them, the first few as text, and what to do about them if known."""

    rule: str
    action: Action
    rows: int
    examples: tuple[str, ...] = ()
    hint: str = ""


@dataclass(frozen=True)
class TableCount:
    """How many rows of a table came in and were kept, and what each rule did; `name` is a label or a relation."""

    name: str
    rows: int
    kept: int
    rules: tuple[RuleCount, ...] = ()

    @property
    def repaired(self) -> int:
        """Repairs made; a row that two rules repaired counts twice."""
        return sum(rule.rows for rule in self.rules if rule.action == "repaired")

    @property
    def dropped(self) -> int:
        """Rows of this table rejected; a row of the source that several tables reject is once in `rejected`."""
        return sum(rule.rows for rule in self.rules if rule.action == "dropped")


@dataclass(frozen=True)
class CleaningReport:
    """What cleaning did, table by table, and the rejected rows: columns `REJECTED`."""

    tables: tuple[TableCount, ...] = ()
    rejected: pd.DataFrame | None = None

    @property
    def dropped(self) -> int:
        """All rows of the source that a table rejected; a row that several tables are made of counts once."""
        return sum(table.dropped for table in self.tables) if self.rejected is None else len(self.rejected)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values, without the rejected rows, which go to a file of their own."""
        return {
            "tables": [
                {**asdict(table), "repaired": table.repaired, "dropped": table.dropped} for table in self.tables
            ],
            "rejected_rows": self.dropped,
        }
