"""A weighted blend of several models."""

from graphrec.models.ensemble.model import Ensemble, EnsembleConfig

__all__ = ["Ensemble", "EnsembleConfig"]
