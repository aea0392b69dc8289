"""Vectors of all nodes of a property graph: learned ones and projected features, smoothed by PyG's layers."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch_geometric.nn.module_dict import ModuleDict
from torch_geometric.nn.parameter_dict import ParameterDict

from graphrec.models.hetero_gnn.layers import LAYERS, Edges, Nodes
from graphrec.schema import Triple


class HeteroEncoder(nn.Module):
    """h₀ = embedding + features · W; h_l = layer(σ(h_{l−1})) with σ = GELU from the second layer on; the result is the
    mean of h₀ … h_L, so that a node whose neighbours say nothing keeps what is its own.

    start: the embeddings to begin with, by node type, [num_nodes, dim] each.
    features: [num_nodes, any] for the node types that have any; they are not learned, and W begins at 0.
    """

    def __init__(
        self,
        layer: str,
        num_layers: int,
        heads: int,
        triples: list[Triple],
        start: Nodes,
        features: Mapping[str, Tensor],
    ) -> None:
        super().__init__()
        self.labels = list(start)
        dim = start[self.labels[0]].shape[1]
        self.embedding = ParameterDict({label: nn.Parameter(values.clone()) for label, values in start.items()})
        self.projection = ModuleDict(
            {label: nn.Linear(x.shape[1], dim, bias=False) for label, x in features.items() if label in start}
        )
        for projection in self.projection.values():
            nn.init.zeros_(projection.weight)  # random ones would drown a warm start, which is a tenth of a feature
        self.features = dict(features)  # where they are is the caller's to decide, like the edges
        self.layers = nn.ModuleList(LAYERS[layer](self.labels, triples, dim, heads) for _ in range(num_layers))

    def first(self, rows: Mapping[str, Tensor] | None = None) -> Nodes:
        """h₀ of all nodes, or of some rows of each type: [num_nodes or rows, dim] by node type."""
        found: Nodes = {}
        for label in self.labels:
            own, features = self.embedding[label], self.features.get(label)
            if rows is not None:
                own = own[rows[label]]
                features = None if features is None else features[rows[label]]
            found[label] = own if features is None else own + self.projection[label](features)
        return found

    def forward(self, edges: Edges, rows: Mapping[str, Tensor] | None = None) -> Nodes:
        """The mean of h₀ … h_L, [num_nodes or rows, dim] by node type; `edges` are between the rows, where given."""
        h = self.first(rows)
        total = dict(h)
        for depth, layer in enumerate(self.layers):
            before = {label: nn.functional.gelu(x) for label, x in h.items()} if depth else h
            reached = layer(before, edges)
            h = {label: reached.get(label, h[label]) for label in self.labels}
            total = {label: total[label] + h[label] for label in self.labels}
        return {label: x / (1 + len(self.layers)) for label, x in total.items()}


def start_vectors(
    sizes: Mapping[str, int], shape: tuple[int, float], known: Nodes, generator: torch.Generator
) -> Nodes:
    """The embeddings to begin with: those of `known` node types, normal ones of `shape` (dim, deviation) of others."""
    dim, deviation = shape
    return {
        label: known[label] if label in known else deviation * torch.randn(size, dim, generator=generator)
        for label, size in sizes.items()
    }


def flat(module: nn.Module) -> Tensor:
    """All parameters of a module one after the other, [number of parameters]."""
    return torch.cat([parameter.detach().flatten() for parameter in module.parameters()])


def parts(module: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """The parts of x [number of parameters] as the parameters of a module, by name; the inverse of `flat`."""
    named = dict(module.named_parameters())
    pieces = torch.split(x, [parameter.numel() for parameter in named.values()])
    return {name: piece.view_as(named[name]) for name, piece in zip(named, pieces, strict=True)}
