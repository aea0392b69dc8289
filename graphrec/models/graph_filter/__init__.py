"""graph_filter: a closed-form low-pass filter of the typed graph plus its strongest item-item paths."""

from graphrec.models.graph_filter.config import GraphFilterConfig
from graphrec.models.graph_filter.model import GraphFilter

__all__ = ["GraphFilter", "GraphFilterConfig"]
