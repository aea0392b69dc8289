"""Provenance: which nodes, edges and values each source provided, kept in Source nodes, so that it can be undone."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

from graphrec.errors import DataError, format_value
from graphrec.schema import EdgeType, LinkRule, NodeType
from graphrec.tables import GraphTables, Source

Kind = TypeVar("Kind", NodeType, EdgeType)

#: The source of nodes without `keys`, which no load created: a person or another program did.
BY_HAND = ""


@dataclass(frozen=True)
class SourceManifest:
    """A source with the types that its tables have and the rules by which its nodes are linked."""

    source: Source
    nodes: tuple[NodeType, ...] = ()
    edges: tuple[EdgeType, ...] = ()
    links: tuple[LinkRule, ...] = ()

    @classmethod
    def of(cls, tables: GraphTables) -> "SourceManifest":
        """What tables of one source bring."""
        return cls(tables.sources[0], tables.schema.nodes, tables.schema.edges, tables.links)

    def node(self, label: str) -> NodeType | None:
        """The type that the source gives a label, or None if it does not bring it."""
        return next((kind for kind in self.nodes if kind.label == label), None)

    def united(self, earlier: "SourceManifest | None") -> "SourceManifest":
        """This manifest together with that of an earlier load, which is valid while one replaces the other."""
        if earlier is None:
            return self
        nodes = tuple(_wider(kind, earlier.node(kind.label)) for kind in self.nodes)
        known = {kind.triple: kind for kind in earlier.edges}
        edges = tuple(_wider(kind, known.pop(kind.triple, None)) for kind in self.edges)
        return replace(
            self,
            nodes=(*nodes, *(kind for kind in earlier.nodes if self.node(kind.label) is None)),
            edges=(*edges, *known.values()),
        )

    def to_properties(self) -> dict[str, Any]:
        """The properties of its Source node; `schema` holds the types and rules as JSON text."""
        schema = {name: [asdict(part) for part in getattr(self, name)] for name in ("nodes", "edges", "links")}
        return {
            **{("id" if name == "name" else name): value for name, value in asdict(self.source).items()},
            "labels": [kind.label for kind in self.nodes],
            "relations": sorted({kind.relation for kind in self.edges}),
            "schema": json.dumps(schema),
        }

    @classmethod
    def from_properties(cls, properties: Mapping[str, Any]) -> "SourceManifest":
        """What `to_properties` wrote down. Raises DataError if another program has changed it since."""
        try:
            names = ("version", "url", "licence", "sha256", "precedence")
            source = Source(properties["id"], *(properties[name] for name in names))
            schema = json.loads(properties["schema"])
            return cls(
                source,
                tuple(NodeType(kind["label"], tuple(kind["properties"]), kind["shared"]) for kind in schema["nodes"]),
                tuple(_edge_type(kind) for kind in schema["edges"]),
                tuple(LinkRule(**{**rule, "on": tuple(rule["on"])}) for rule in schema["links"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(
                f"the node (:Source {{id: '{format_value(str(properties.get('id')))}'}}) in the graph does not say "
                "what the source provided: another program has changed it. If no load wrote it, give it another "
                "label; else restore its property schema from a backup"
            ) from error


def _wider(kind: Kind, earlier: Kind | None) -> Kind:
    more: list[str] = [name for name in earlier.properties if name not in kind.properties] if earlier else []
    return replace(kind, properties=(*kind.properties, *more))


def _edge_type(kind: Mapping[str, Any]) -> EdgeType:
    key = None if kind["key"] is None else tuple(kind["key"])
    return EdgeType(kind["source"], kind["relation"], kind["target"], tuple(kind["properties"]), key)


def by_precedence(sources: Iterable[Source]) -> list[str]:
    """The names of sources, those whose word counts most first: by hand, then by precedence, then by name."""
    ordered = sorted(sources, key=lambda source: (-source.precedence, source.name))
    return [BY_HAND, *(source.name for source in ordered)]
