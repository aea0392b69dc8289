"""Several sources become one graph: identities are linked, properties completed, and a report says what happened."""

from graphrec.fusion.merge import Fused, Known, fuse, unlink
from graphrec.fusion.report import FusionReport, LabelReport

__all__ = ["Fused", "FusionReport", "Known", "LabelReport", "fuse", "unlink"]
