"""sequence_filter, a directed, time-aware and typed item filter in closed form (docs/methods.md)."""

from graphrec.models.sequence_filter.model import SequenceFilter

__all__ = ["SequenceFilter"]
