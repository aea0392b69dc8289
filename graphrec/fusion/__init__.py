"""Fusion: the records of several sources are linked and merged into nodes, and a report counts the links."""

from graphrec.fusion.fuse import Fused, GraphState, fuse, unlink
from graphrec.fusion.report import FusionReport, LabelReport

__all__ = ["Fused", "FusionReport", "GraphState", "LabelReport", "fuse", "unlink"]
