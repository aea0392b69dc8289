"""The edges of a step of hetero_gnn: those of the whole graph, or of sampled neighbourhoods of a batch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
import torch_geometric.typing
from scipy import sparse
from torch import Tensor
from torch_geometric.data import HeteroData
from torch_geometric.loader import LinkNeighborLoader

from graphrec.errors import GraphrecError
from graphrec.hetero import HeteroGraph
from graphrec.linalg.autograd import Product, normalise_sums
from graphrec.models.hetero_gnn.layers import Edges
from graphrec.schema import Triple
from graphrec.training.batches import PairBatch


@dataclass(frozen=True, eq=False)
class Neighbourhood(PairBatch):
    """A batch of interactions without negatives, and the sampled neighbourhood of their users and items.

    local: user and item of each interaction as positions in `rows`, [2, batch].
    rows: nodes of the neighbourhood by node type.
    edges: edges between these nodes, as positions in `rows`.
    """

    local: Tensor
    rows: Mapping[str, Tensor]
    edges: Edges


def list_edge_types(graph: HeteroGraph) -> list[Triple]:
    """The edge types that have edges, including reverse ones."""
    triples: list[Triple] = graph.data.edge_types
    return [triple for triple in triples if graph.data[triple].edge_index.shape[1]]


def count_edges(graph: HeteroGraph) -> int:
    """The number of edges of all types, counting both directions."""
    return sum(int(graph.data[triple].edge_index.shape[1]) for triple in list_edge_types(graph))


def mask_connected(graph: HeteroGraph, label: str) -> Tensor:
    """Mask [num_nodes] float32: 1 for nodes of a label that have an edge of any type, else 0."""
    mask = torch.zeros(graph.data[label].num_nodes)
    for triple in list_edge_types(graph):
        if triple[0] == label:
            mask[graph.data[triple].edge_index[0]] = 1.0
    return mask


def edge_positions(graph: HeteroGraph, device: torch.device) -> dict[Triple, Tensor]:
    """The edges [2, num_edges] of each type on a device, sorted by target so that a scatter writes in order."""
    positions = {}
    for triple in list_edge_types(graph):
        edge_index = graph.data[triple].edge_index
        positions[triple] = edge_index[:, edge_index[1].argsort(stable=True)].to(device)
    return positions


def mean_products(graph: HeteroGraph, device: torch.device) -> dict[Triple, Product]:
    """For each edge type, the product [num_targets, num_sources] that computes means over edges, on a device."""
    products = {}
    for triple in list_edge_types(graph):
        source, target = graph.data[triple].edge_index.numpy()
        shape = (graph.data[triple[2]].num_nodes, graph.data[triple[0]].num_nodes)
        ones = np.ones(len(source), dtype=np.float32)
        matrix = sparse.csr_array((ones, (target, source)), shape=shape)  # parallel edges are summed
        products[triple] = Product.of(normalise_sums(matrix, 1.0, 0.0), device)
    return products


def check_sampler(edges: int, limit: int) -> None:
    """Raise GraphrecError if neither pyg-lib nor torch-sparse, one of which PyG needs to sample, is installed."""
    if not (torch_geometric.typing.WITH_PYG_LIB or torch_geometric.typing.WITH_TORCH_SPARSE):
        raise GraphrecError(
            f"hetero_gnn: the graph has {edges:,} edges, more than the {limit:,} of full_graph_edges, so training "
            "samples neighbourhoods, for which neither pyg-lib nor torch-sparse is installed; install pyg-lib for your "
            "version of torch (see PyG's installation page), or raise full_graph_edges"
        )


@dataclass(frozen=True, eq=False)
class Sampler:
    """Samples the neighbourhoods of batches: at most `num_neighbors` edges per edge type, node and layer."""

    graph: HeteroGraph
    num_layers: int
    num_neighbors: int
    batch_size: int
    device: torch.device

    def batches(self, pairs: sparse.csr_array, rng: np.random.Generator) -> Iterator[Neighbourhood]:
        """All interactions of a matrix [num_users, num_items] in random order, with sampled neighbourhoods."""
        data = HeteroData()
        for label in self.graph.data.node_types:
            data[label].num_nodes = self.graph.data[label].num_nodes
        for triple, edge_index in edge_positions(self.graph, torch.device("cpu")).items():
            data[triple].edge_index = edge_index
        ends = torch.from_numpy(np.stack(pairs.nonzero()).astype(np.int64))
        seed = int(rng.integers(1 << 62))
        with torch.random.fork_rng(devices=[]):  # the C++ samplers draw from torch's global generator
            torch.manual_seed(seed)
            loader = LinkNeighborLoader(
                data,
                [self.num_neighbors] * self.num_layers,
                edge_label_index=(self.graph.target, ends),
                batch_size=self.batch_size,
                shuffle=True,
            )
            yield from (self._build_neighbourhood(sample.to(self.device)) for sample in loader)

    def _build_neighbourhood(self, sample: HeteroData) -> Neighbourhood:
        rows = {label: sample[label].n_id for label in sample.node_types}
        local = sample[self.graph.target].edge_label_index  # [2, batch]
        ends = [rows[label][index].cpu().numpy() for label, index in zip(self.graph.target[::2], local, strict=True)]
        edges = {triple: sample[triple].edge_index for triple in sample.edge_types}
        return Neighbourhood(ends[0], ends[1], np.empty(0, dtype=np.int64), local, rows, edges)
