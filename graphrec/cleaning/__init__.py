"""Cleaning by declared rules, with a report of all rows that were repaired, merged or rejected."""

from graphrec.cleaning.activity_filters import k_core, without_robots
from graphrec.cleaning.clean import clean, require_nothing_rejected
from graphrec.cleaning.rejected_rows import require_something_kept
from graphrec.cleaning.rules import CleaningRules

__all__ = ["CleaningRules", "clean", "k_core", "require_nothing_rejected", "require_something_kept", "without_robots"]
