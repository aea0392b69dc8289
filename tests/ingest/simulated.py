"""A graph in memory that carries out the plans of fusion to the letter, and shows what it then holds."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from graphrec.fusion import Fused, GraphState, fuse, unlink
from graphrec.fusion.plan import NodePlan
from graphrec.fusion.provenance import SourceManifest
from graphrec.fusion.records import stored_names
from graphrec.store.edges import to_python
from graphrec.tables import GraphTables

from .generated import Made

#: What a graph holds: nodes by (label, id) with their properties, and edges with theirs, counted.
Shown = tuple[dict[tuple[str, str], dict[str, Any]], Counter[tuple[Any, ...]]]


@dataclass
class Node:
    """A node; edges mean the object, whatever its id."""

    label: str
    properties: dict[str, Any]


@dataclass
class Edge:
    """An edge of a source; of nobody's where `source` is empty."""

    start: Node
    relation: str
    end: Node
    source: str
    properties: tuple[tuple[str, Any], ...] = ()


@dataclass
class Graph:
    """Sources, nodes and edges in memory."""

    sources: dict[str, SourceManifest] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)

    @classmethod
    def of(cls, made: Iterable[Made]) -> "Graph":
        """A graph of nodes that were made by hand."""
        return cls(nodes=[Node(each.label, {"id": each.id, **each.properties}) for each in made])

    def known(self, brought: SourceManifest) -> GraphState:
        """What fusion is told of the graph, as the store reads it."""
        sources = tuple(self.sources[name] for name in sorted(self.sources))
        every = [*(each for each in sources if each.source.name != brought.source.name), brought]
        labels = [kind.label for kind in brought.nodes]
        return GraphState(sources, {label: self._frame(label, stored_names(label, every)) for label in labels})

    def _frame(self, label: str, names: Sequence[str]) -> pd.DataFrame:
        nodes = [node.properties for node in self.nodes if node.label == label]
        columns = {name: pd.Series([each.get(name) for each in nodes], dtype=object) for name in ("id", *names)}
        return pd.DataFrame(columns)

    def load(self, tables: GraphTables) -> Fused:
        """Load the tables of a source; the plan that was carried out."""
        brought = SourceManifest.of(tables)
        name = brought.source.name
        united = brought.merge(self.sources.get(name))
        fused = fuse(self.known(united), tables)
        for plan in fused.nodes:
            self._carry_out(plan)
        self._replace_edges(fused)
        for plan in fused.nodes:
            self._delete(plan)
        self.sources[name] = brought
        return fused

    def unlink(self, name: str) -> Fused:
        """Take a source out."""
        fused = unlink(self.known(self.sources[name]), name)
        for plan in fused.nodes:
            self._carry_out(plan)
        self._replace_edges(fused)
        for plan in fused.nodes:
            self._delete(plan)
        del self.sources[name]
        return fused

    def at(self, label: str) -> dict[str, Node]:
        """The nodes of a label by id; each id stands once."""
        nodes = [node for node in self.nodes if node.label == label]
        found = {node.properties["id"]: node for node in nodes}
        assert len(found) == len(nodes)
        return found

    def _carry_out(self, plan: NodePlan) -> None:
        there = self.at(plan.label)
        assert {*plan.changed, *plan.deleted, *plan.moved["from_id"]} <= there.keys()
        final = {plan.renamed.get(id_, id_): node for id_, node in there.items() if id_ not in plan.deleted}
        for row in plan.created.to_dict("records"):
            node = Node(plan.label, {str(name): value for name, value in row.items() if _is_there(value)})
            assert row["id"] not in final
            final[row["id"]] = node
            self.nodes.append(node)
        moves = {(source, id(there[old])): final[new] for source, old, new in plan.moved.itertuples(index=False)}
        assert len(moves) == len(plan.moved)  # else the edges of a record could go to two nodes
        for edge in self.edges:
            edge.start = moves.get((edge.source, id(edge.start)), edge.start)
            edge.end = moves.get((edge.source, id(edge.end)), edge.end)
        for id_, new in plan.changed.items():
            node = there[id_]
            node.properties |= new
            node.properties = {name: value for name, value in node.properties.items() if _is_there(value)}
        self._gone = {**getattr(self, "_gone", {}), plan.label: [there[id_] for id_ in plan.deleted]}

    def _replace_edges(self, fused: Fused) -> None:
        kept = [edge for edge in self.edges if edge.source != fused.source]
        by_id: dict[str, dict[str, Node]] = {label: {} for label in ("User", "Item", "Genre")} | {
            plan.label: self._final(plan.label) for plan in fused.nodes
        }
        for table in fused.edges:
            kind = table.type
            columns = [to_python(table.frame[name]) for name in ("source_id", "target_id", *kind.properties)]
            for start, end, *cells in zip(*columns, strict=True):
                properties = [pair for pair in zip(kind.properties, cells, strict=True) if pair[1] is not None]
                ends = by_id[kind.source][start], by_id[kind.target][end]
                kept.append(Edge(ends[0], kind.relation, ends[1], fused.source, tuple(sorted(properties))))
        self.edges = kept

    def _final(self, label: str) -> dict[str, Node]:
        gone = {id(node) for node in self._gone.get(label, [])}
        return {n.properties["id"]: n for n in self.nodes if n.label == label and id(n) not in gone}

    def _delete(self, plan: NodePlan) -> None:
        used = {id(node) for edge in self.edges for node in (edge.start, edge.end)}
        for node in self._gone.pop(plan.label):
            node.properties.pop("keys", None)
            if id(node) not in used:
                self.nodes = [other for other in self.nodes if other is not node]

    def shown(self) -> Shown:
        """All nodes and edges with all their properties."""
        return (
            {(node.label, node.properties["id"]): _plain(node.properties) for node in self.nodes},
            Counter(
                (*_name(edge.start), edge.relation, *_name(edge.end), edge.source, edge.properties)
                for edge in self.edges
            ),
        )


def _name(node: Node) -> tuple[str, str]:
    return node.label, node.properties["id"]


def _is_there(value: Any) -> bool:  # any property
    return value is not None and value != []


def _plain(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in properties.items()}
