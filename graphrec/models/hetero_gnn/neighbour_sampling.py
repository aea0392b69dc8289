"""The edges that a hetero_gnn passes over: all of them, or a sampled neighbourhood of a batch."""

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
from graphrec.linalg.autograd import Product, normalised
from graphrec.models.hetero_gnn.layers import Edges
from graphrec.schema import Triple
from graphrec.training.batches import PairBatch


@dataclass(frozen=True, eq=False)
class Neighbourhood(PairBatch):
    """Interactions, without negatives, and what is around them.

    local: the user and the item of each interaction as positions in `rows`, [2, batch].
    rows: the nodes of each type that are around.
    edges: the edges between them, as positions in `rows`.
    """

    local: Tensor
    rows: Mapping[str, Tensor]
    edges: Edges


def edge_types(graph: HeteroGraph) -> list[Triple]:
    """The edge types that have edges, reversed ones among them."""
    triples: list[Triple] = graph.data.edge_types
    return [triple for triple in triples if graph.data[triple].edge_index.shape[1]]


def num_edges(graph: HeteroGraph) -> int:
    """The number of edges of all types, each counted in both directions."""
    return sum(int(graph.data[triple].edge_index.shape[1]) for triple in edge_types(graph))


def connected(graph: HeteroGraph, label: str) -> Tensor:
    """1 [num_nodes] float32 for the nodes of a label that have an edge of any type, else 0."""
    found = torch.zeros(graph.data[label].num_nodes)
    for triple in edge_types(graph):
        if triple[0] == label:
            found[graph.data[triple].edge_index[0]] = 1.0
    return found


def positions(graph: HeteroGraph, device: torch.device) -> dict[Triple, Tensor]:
    """The edges of each type [2, num_edges] on a device, sorted by target, so that a scatter writes in order."""
    found = {}
    for triple in edge_types(graph):
        edge_index = graph.data[triple].edge_index
        found[triple] = edge_index[:, edge_index[1].argsort(stable=True)].to(device)
    return found


def products(graph: HeteroGraph, device: torch.device) -> dict[Triple, Product]:
    """The mean over the edges of each type, as a product [num_targets, num_sources] on a device."""
    found = {}
    for triple in edge_types(graph):
        source, target = graph.data[triple].edge_index.numpy()
        shape = (graph.data[triple[2]].num_nodes, graph.data[triple[0]].num_nodes)
        ones = np.ones(len(source), dtype=np.float32)
        matrix = sparse.csr_array((ones, (target, source)), shape=shape)  # parallel edges count as often as they are
        found[triple] = Product.of(normalised(matrix, 1.0, 0.0), device)
    return found


def check_sampler(edges: int, limit: int) -> None:
    """Raise GraphrecError where neither pyg-lib nor torch-sparse is installed, which sample neighbours for PyG."""
    if not (torch_geometric.typing.WITH_PYG_LIB or torch_geometric.typing.WITH_TORCH_SPARSE):
        raise GraphrecError(
            f"hetero_gnn: the graph has {edges:,} edges, more than the {limit:,} of full_graph_edges that are passed "
            "over whole in each step, and batches of neighbourhoods need pyg-lib or torch-sparse, which are not "
            "installed; install pyg-lib for your version of torch (see PyG's installation page), or raise "
            "full_graph_edges"
        )


@dataclass(frozen=True, eq=False)
class Sampler:
    """Interactions of the target behaviour, with at most `num_neighbors` edges of each type for each node and layer."""

    graph: HeteroGraph
    num_layers: int
    num_neighbors: int
    batch_size: int
    device: torch.device

    def batches(self, pairs: sparse.csr_array, rng: np.random.Generator) -> Iterator[Neighbourhood]:
        """All interactions of a matrix [num_users, num_items] in random order, amid sampled neighbourhoods."""
        lean = HeteroData()
        for label in self.graph.data.node_types:
            lean[label].num_nodes = self.graph.data[label].num_nodes
        for triple, edge_index in positions(self.graph, torch.device("cpu")).items():
            lean[triple].edge_index = edge_index
        ends = torch.from_numpy(np.stack(pairs.nonzero()).astype(np.int64))
        seed = int(rng.integers(1 << 62))
        with torch.random.fork_rng(devices=[]):  # the samplers in C++ draw from torch's own generator alone
            torch.manual_seed(seed)
            loader = LinkNeighborLoader(
                lean,
                [self.num_neighbors] * self.num_layers,
                edge_label_index=(self.graph.target, ends),
                batch_size=self.batch_size,
                shuffle=True,
            )
            yield from (self._neighbourhood(sample.to(self.device)) for sample in loader)

    def _neighbourhood(self, sample: HeteroData) -> Neighbourhood:
        rows = {label: sample[label].n_id for label in sample.node_types}
        local = sample[self.graph.target].edge_label_index  # [2, batch]
        ends = [rows[label][part].cpu().numpy() for label, part in zip(self.graph.target[::2], local, strict=True)]
        edges = {triple: sample[triple].edge_index for triple in sample.edge_types}
        return Neighbourhood(ends[0], ends[1], np.empty(0, dtype=np.int64), local, rows, edges)
