"""Node features: what the numbers, texts, categories, times and edges of a property graph say about each node."""

from graphrec.features.nodes import node_features

__all__ = ["node_features"]
