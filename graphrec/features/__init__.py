"""Node features from the numbers, texts, attributes, times and edges of a property graph."""

from graphrec.features.nodes import node_features

__all__ = ["node_features"]
