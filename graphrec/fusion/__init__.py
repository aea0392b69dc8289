"""Several sources become one graph: identities are linked, properties completed, and a report says what happened."""

from graphrec.fusion.fuse import Fused, GraphState, fuse, unlink
from graphrec.fusion.report import FusionReport, LabelReport

__all__ = ["Fused", "FusionReport", "GraphState", "LabelReport", "fuse", "unlink"]
