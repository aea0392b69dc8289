"""ensemble: a weighted blend of the scores or ranks of several models."""

from graphrec.models.ensemble.model import Ensemble, EnsembleConfig

__all__ = ["Ensemble", "EnsembleConfig"]
