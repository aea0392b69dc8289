"""hybrid: candidates of several models, ranked by gradient-boosted trees."""

from graphrec.models.hybrid.model import Hybrid, HybridConfig

__all__ = ["Hybrid", "HybridConfig"]
