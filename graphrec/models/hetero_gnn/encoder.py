"""The encoder of hetero_gnn: embeddings plus projected features of all nodes, passed through PyG's layers."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch_geometric.nn.module_dict import ModuleDict
from torch_geometric.nn.parameter_dict import ParameterDict

from graphrec.models.hetero_gnn.layers import LAYERS, Edges, Nodes
from graphrec.schema import Triple


class HeteroEncoder(nn.Module):
    """z = (h₀ + … + h_L)/(L + 1) with h₀ = embedding + features · W, h₁ = layer₁(h₀) and h_l = layer_l(GELU(h_(l−1))).

    W is a projection of features for each node type, learned from 0 on; L is the number of layers. A node type that no
    edge reaches keeps h_l = h_(l−1).

    Args:
        layer: name of the layers, a key of LAYERS.
        num_layers: L.
        heads: number of attention heads.
        triples: the edge types.
        start: initial embeddings [num_nodes, dim] of every node type.
        features: constant features [num_nodes, num_features] of the node types that have any.
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
            nn.init.zeros_(projection.weight)  # embeddings are ten times smaller than features: noise would mask them
        self.features = dict(features)  # on the device that the caller chose, like the edges
        self.layers = nn.ModuleList(LAYERS[layer](self.labels, triples, dim, heads) for _ in range(num_layers))

    def embed(self, rows: Mapping[str, Tensor] | None = None) -> Nodes:
        """h₀ of all nodes, or of some rows of each node type: [num_nodes or rows, dim] by node type."""
        embedded: Nodes = {}
        for label in self.labels:
            embedding, features = self.embedding[label], self.features.get(label)
            if rows is not None:
                embedding = embedding[rows[label]]
                features = None if features is None else features[rows[label]]
            embedded[label] = embedding if features is None else embedding + self.projection[label](features)
        return embedded

    def forward(self, edges: Edges, rows: Mapping[str, Tensor] | None = None) -> Nodes:
        """z of all nodes, or of the `rows` that `edges` join: [num_nodes or rows, dim] by node type."""
        h = self.embed(rows)
        total = dict(h)
        for depth, layer in enumerate(self.layers):
            inputs = {label: nn.functional.gelu(x) for label, x in h.items()} if depth else h
            outputs = layer(inputs, edges)
            h = {label: outputs.get(label, h[label]) for label in self.labels}
            total = {label: total[label] + h[label] for label in self.labels}
        return {label: x / (1 + len(self.layers)) for label, x in total.items()}


def init_embeddings(
    sizes: Mapping[str, int], shape: tuple[int, float], initial: Nodes, generator: torch.Generator
) -> Nodes:
    """Initial embeddings: `initial` for its node types, else normal vectors of `shape` (length, standard deviation)."""
    dim, std = shape
    return {
        label: initial[label] if label in initial else std * torch.randn(size, dim, generator=generator)
        for label, size in sizes.items()
    }


def flatten_parameters(module: nn.Module) -> Tensor:
    """All parameters of a module concatenated, [num_parameters]."""
    return torch.cat([parameter.detach().flatten() for parameter in module.parameters()])


def unflatten_parameters(module: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """x [num_parameters] as the parameters of a module by name; the inverse of `flatten_parameters`."""
    named = dict(module.named_parameters())
    pieces = torch.split(x, [parameter.numel() for parameter in named.values()])
    return {name: piece.view_as(named[name]) for name, piece in zip(named, pieces, strict=True)}
