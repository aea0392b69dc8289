"""Provenance: which nodes, edges and values come from which source, stored in Source nodes so that it can be undone."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

from graphrec.errors import DataError, format_value
from graphrec.fusion.verdicts import Verdict
from graphrec.schema import EdgeType, LinkRule, NodeType
from graphrec.tables import GraphTables, Source

Kind = TypeVar("Kind", NodeType, EdgeType)

#: The source name of nodes without `keys`, which a person or another program created, not a load.
BY_HAND = ""


@dataclass(frozen=True)
class SourceManifest:
    """A source, the types of its tables, the rules by which its nodes are linked, and its verdicts on such links."""

    source: Source
    nodes: tuple[NodeType, ...] = ()
    edges: tuple[EdgeType, ...] = ()
    links: tuple[LinkRule, ...] = ()
    verdicts: tuple[Verdict, ...] = ()

    @classmethod
    def of(cls, tables: GraphTables) -> "SourceManifest":
        """The manifest of the tables of one source."""
        return cls(tables.sources[0], tables.schema.nodes, tables.schema.edges, tables.links)

    def node(self, label: str) -> NodeType | None:
        """The source's type of a label; None if the source does not have the label."""
        return next((kind for kind in self.nodes if kind.label == label), None)

    def merge(self, earlier: "SourceManifest | None") -> "SourceManifest":
        """This manifest with the types of the earlier load added, as is valid while this load replaces that one."""
        if earlier is None:
            return self
        nodes = tuple(_add_properties(kind, earlier.node(kind.label)) for kind in self.nodes)
        earlier_edges = {kind.triple: kind for kind in earlier.edges}
        edges = tuple(_add_properties(kind, earlier_edges.pop(kind.triple, None)) for kind in self.edges)
        return replace(
            self,
            nodes=(*nodes, *(kind for kind in earlier.nodes if self.node(kind.label) is None)),
            edges=(*edges, *earlier_edges.values()),
        )

    def to_properties(self) -> dict[str, Any]:
        """The properties of the Source node; `schema` contains the types and rules as JSON text."""
        names = ("nodes", "edges", "links", *(("verdicts",) if self.verdicts else ()))
        schema = {name: [asdict(part) for part in getattr(self, name)] for name in names}
        return {
            **{("id" if name == "name" else name): value for name, value in asdict(self.source).items()},
            "labels": [kind.label for kind in self.nodes],
            "relations": sorted({kind.relation for kind in self.edges}),
            "schema": json.dumps(schema),
        }

    @classmethod
    def from_properties(cls, properties: Mapping[str, Any]) -> "SourceManifest":
        """The inverse of `to_properties`. Raises DataError if another program has changed the properties."""
        try:
            names = ("version", "url", "licence", "sha256", "precedence")
            source = Source(properties["id"], *(properties[name] for name in names))
            schema = json.loads(properties["schema"])
            return cls(
                source,
                tuple(NodeType(kind["label"], tuple(kind["properties"]), kind["shared"]) for kind in schema["nodes"]),
                tuple(_parse_edge_type(kind) for kind in schema["edges"]),
                tuple(LinkRule(**{**rule, "on": tuple(rule["on"])}) for rule in schema["links"]),
                tuple(Verdict(**verdict) for verdict in schema.get("verdicts", ())),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(
                f"the node (:Source {{id: '{format_value(str(properties.get('id')))}'}}) in the graph does not say "
                "what the source provided: another program has changed it. If no load wrote it, give it another "
                "label; else restore its property schema from a backup"
            ) from error


def _add_properties(kind: Kind, earlier: Kind | None) -> Kind:
    more: list[str] = [name for name in earlier.properties if name not in kind.properties] if earlier else []
    return replace(kind, properties=(*kind.properties, *more))


def _parse_edge_type(kind: Mapping[str, Any]) -> EdgeType:
    key = None if kind["key"] is None else tuple(kind["key"])
    return EdgeType(kind["source"], kind["relation"], kind["target"], tuple(kind["properties"]), key)


def sort_by_precedence(sources: Iterable[Source]) -> list[str]:
    """The names of sources in descending precedence: BY_HAND first, then by precedence, then by name."""
    ordered = sorted(sources, key=lambda source: (-source.precedence, source.name))
    return [BY_HAND, *(source.name for source in ordered)]
