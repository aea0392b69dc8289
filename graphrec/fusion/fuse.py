"""Several sources become one graph: what a load, or taking a source out, must write."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from graphrec.errors import DataError
from graphrec.fusion.append import completed
from graphrec.fusion.plan import NodePlan, Stored, plan
from graphrec.fusion.provenance import SourceManifest
from graphrec.fusion.records import IDENTITY, incoming_records, objects, properties, stored_records, widened
from graphrec.fusion.remap_edges import follow
from graphrec.fusion.report import FusionReport, LabelReport, label_report
from graphrec.fusion.resolve import resolve, rules_of
from graphrec.fusion.rule_outcomes import rule_outcomes
from graphrec.schema import NodeType
from graphrec.tables import EdgeTable, GraphTables, NodeTable, Repeats


@dataclass(frozen=True)
class GraphState:
    """What the graph has: its sources, and for each label the nodes, with columns id, keys and `stored_names`."""

    sources: tuple[SourceManifest, ...] = ()
    nodes: Mapping[str, pd.DataFrame] = field(default_factory=dict)


@dataclass(frozen=True)
class Fused:
    """What is to be written: per label a plan, the source's edges with final ends, and what happened to the nodes.

    `links` has every link between records of the labels: label, decision (made, proposed, refused or ambiguous),
    left_key, right_key, rule, confidence and evidence. `known` has by label how many records the source had in the
    graph, and how many of these it no longer has.
    """

    source: str
    nodes: tuple[NodePlan, ...]
    edges: tuple[EdgeTable, ...]
    report: FusionReport
    links: pd.DataFrame
    known: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def fuse(known: GraphState, incoming: GraphTables, append: bool = False) -> Fused:
    """The writes that make the graph hold what these tables of one source say, beside what the others say.

    The graph that results depends on what its sources say alone, not on the order in which they came.

    Args:
        known: the graph's sources and the nodes of the incoming labels (and of labels that the source no longer has).
        incoming: what a loader returned; of exactly one source.
        append: keep what the source said before and is not in `incoming`.

    Raises:
        DataError: incoming has no source or several, or two nodes of the graph carry the same key.
    """
    if len(incoming.sources) != 1:
        raise DataError(
            f"fusion takes the tables of one source, but these have {len(incoming.sources)}; fuse each alone"
        )
    manifest = SourceManifest.of(incoming)
    name = manifest.source.name
    earlier = next((each for each in known.sources if each.source.name == name), None)
    united = manifest.united(earlier)
    sources = [*(each for each in known.sources if each.source.name != name), united]
    tables = {table.type.label: table for table in incoming.nodes}
    gone = [kind.label for kind in earlier.nodes if kind.label not in tables] if earlier and not append else []
    says = united if append else manifest
    changes = [
        _Change(name, label, tables.get(label), says, append, incoming.repeats.get(label)) for label in (*tables, *gone)
    ]
    labels = [_fuse_label(known, sources, change) for change in changes]
    finals = {each.plan.label: each.final for each in labels}
    edges = tuple(follow(table, finals) for table in incoming.edges)
    return _fused(name, labels, edges, tables)


def unlink(known: GraphState, source: str) -> Fused:
    """The writes that take a source's nodes and values out of the graph and keep those of the other sources."""
    (earlier,) = (each for each in known.sources if each.source.name == source)
    changes = [_Change(source, kind.label, None) for kind in earlier.nodes]
    return _fused(source, [_fuse_label(known, list(known.sources), change) for change in changes], (), ())


@dataclass(frozen=True)
class _Label:
    """What becomes of a label: the plan, the report, the links, and the final id of each incoming node by its own."""

    plan: NodePlan
    report: LabelReport
    links: pd.DataFrame
    final: "pd.Series[str]"
    known: tuple[int, int]


def _fused(source: str, labels: Sequence[_Label], edges: tuple[EdgeTable, ...], reported: Container[str]) -> Fused:
    reports = tuple(each.report for each in labels if each.plan.label in reported)
    links = pd.concat([each.links for each in labels], ignore_index=True)
    known = {each.plan.label: each.known for each in labels}
    return Fused(source, tuple(each.plan for each in labels), edges, FusionReport(source, reports), links, known)


@dataclass(frozen=True)
class _Change:
    """A source's new table of a label, None if it no longer has one; and its new manifest, None if it is unlinked."""

    source: str
    label: str
    table: NodeTable | None
    manifest: SourceManifest | None = None
    append: bool = False
    repeats: Repeats | None = None

    def apply(self, records: pd.DataFrame) -> pd.DataFrame:
        """The records of all sources, those of this source replaced (or, where it appends, completed) by the new."""
        own = (records["source"] == self.source).to_numpy()
        if self.table is None:
            return records[~own].reset_index(drop=True)
        new = incoming_records(self.table, self.source)
        if self.append:
            own = own & records["key"].isin(new["key"]).to_numpy()
            new = completed(self.label, new, records[own], self.repeats)
        kept = records[~own]
        return pd.concat([new, kept], ignore_index=True) if len(kept) else new


def _fuse_label(known: GraphState, sources: Sequence[SourceManifest], change: _Change) -> _Label:
    """What becomes of one label when a source changes what it says of it."""
    label = change.label
    names = properties(label, sources)
    empty = pd.DataFrame({"id": pd.Series(dtype=object), "keys": pd.Series(dtype=object)})
    nodes = known.nodes.get(label, empty)
    before = stored_records(label, nodes, sources)
    after = change.apply(before.drop(columns="node")).reindex(columns=[*IDENTITY, *names])
    after = widened(after[IDENTITY].astype({"shared": bool}), {name: objects(after[name]) for name in names})
    speaking = [each for each in sources if each.source.name != change.source]
    speakers = [*speaking, change.manifest] if change.manifest else speaking
    resolved = resolve(label, after, speakers, names)
    node_plan = plan(NodeType(label, names), sources, Stored(nodes, before), after, resolved)
    declared = change.manifest.links if change.manifest else ()
    outcomes = rule_outcomes(change.source, after, resolved, rules_of(label, speakers), declared)
    report = label_report(label, change.source, before["key"], after, resolved, outcomes)
    own = (after["source"] == change.source).to_numpy()
    had = before["key"][before["source"] == change.source]
    ids = resolved.nodes["id"].to_numpy()[resolved.node[own]]
    final = pd.Series(ids, index=pd.Index(after["native"][own], dtype="str"), dtype="str")
    counts = (len(had), int((~had.isin(after["key"][own])).sum()))
    return _Label(node_plan, report, resolved.decisions.table(label), final, counts)
