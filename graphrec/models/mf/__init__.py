"""Matrix factorisation by gradient descent or by Gibbs sampling."""

from graphrec.models.mf.model import MF, MFConfig

__all__ = ["MF", "MFConfig"]
