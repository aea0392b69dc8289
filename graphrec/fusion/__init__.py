"""Several sources become one graph: identities are linked, properties completed, and a report says what happened."""

from graphrec.fusion.merge import Fused, fuse
from graphrec.fusion.report import FusionReport, LabelReport

__all__ = ["Fused", "FusionReport", "LabelReport", "fuse"]
