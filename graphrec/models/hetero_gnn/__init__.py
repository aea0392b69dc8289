"""A heterogeneous graph neural network over all node and edge types."""

from graphrec.models.hetero_gnn.model import HeteroGNN, HeteroGNNConfig

__all__ = ["HeteroGNN", "HeteroGNNConfig"]
