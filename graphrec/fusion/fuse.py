"""Fusion of one source with the graph: the writes for a load, and those for unlinking a source."""

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from graphrec.errors import DataError, first_few
from graphrec.fusion.append import merge_appended
from graphrec.fusion.plan import NodePlan, StoredNodes, plan
from graphrec.fusion.provenance import SourceManifest
from graphrec.fusion.records import (
    IDENTITY,
    KEY,
    NATIVE_ID,
    NODE,
    SHARED,
    SOURCE_NAME,
    add_columns,
    build_records,
    list_properties,
    restore_records,
    stored_names,
    to_objects,
)
from graphrec.fusion.remap_edges import remap_edges
from graphrec.fusion.report import FusionReport, LabelReport, build_label_report
from graphrec.fusion.resolve import collect_rules, resolve
from graphrec.fusion.rule_outcomes import find_rule_outcomes
from graphrec.schema import NodeType
from graphrec.tables import ENDS, EdgeTable, GraphTables, NodeTable, Repeats


@dataclass(frozen=True)
class GraphState:
    """The sources of the graph, and for each label its nodes, with columns id, keys and `stored_names`."""

    sources: tuple[SourceManifest, ...] = ()
    nodes: Mapping[str, pd.DataFrame] = field(default_factory=dict)


@dataclass(frozen=True)
class Fused:
    """The writes of a load or unlinking, and its report.

    Attributes:
        source: the name of the source.
        nodes: the plan of each label.
        edges: the source's edges between ids of the graph.
        report: counts and examples by label.
        links: all links between records of the labels: columns label, decision (made, proposed, refused or ambiguous),
            left_key, right_key, rule, confidence and evidence.
        known: by label the number of records that the source had in the graph, and how many of them are removed.
    """

    source: str
    nodes: tuple[NodePlan, ...]
    edges: tuple[EdgeTable, ...]
    report: FusionReport
    links: pd.DataFrame
    known: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def fuse(known: GraphState, incoming: GraphTables, append: bool = False) -> Fused:
    """The writes by which the graph contains these tables of one source, besides the data of the other sources.

    The resulting graph depends only on the data of its sources, not on the order in which they were loaded.

    Args:
        known: the graph's sources and the nodes of the incoming labels (and of labels that the source no longer has).
        incoming: the tables that a loader returned, of exactly one source.
        append: keep records of the source that are in the graph and not in `incoming`.

    Raises:
        DataError: incoming has no source or several, a property has a name that graphrec uses for its own, or two
            nodes of the graph have the same key.
    """
    if len(incoming.sources) != 1:
        raise DataError(
            f"fusion takes the tables of one source, but these have {len(incoming.sources)}; fuse each alone"
        )
    manifest = SourceManifest.of(incoming)
    name = manifest.source.name
    earlier = next((each for each in known.sources if each.source.name == name), None)
    merged = manifest.merge(earlier)
    sources = [*(each for each in known.sources if each.source.name != name), merged]
    _require_free_names(sources, incoming)
    tables = {table.type.label: table for table in incoming.nodes}
    removed = [kind.label for kind in earlier.nodes if kind.label not in tables] if earlier and not append else []
    valid = merged if append else manifest
    changes = [
        _SourceChange(name, label, tables.get(label), valid, append, incoming.repeats.get(label))
        for label in (*tables, *removed)
    ]
    labels = [_fuse_label(known, sources, change) for change in changes]
    new_ids = {each.plan.label: each.new_ids for each in labels}
    edges = tuple(remap_edges(table, new_ids) for table in incoming.edges)
    return _combine_labels(name, labels, edges, tables)


def _require_free_names(sources: Sequence[SourceManifest], incoming: GraphTables) -> None:
    """Raise DataError if a property has a name that graphrec itself writes, such as `keys` or `imdb:title`."""
    names = {table.type.label: ["id", *stored_names(table.type.label, sources)] for table in incoming.nodes}
    names |= {table.type.relation: ["source", *ENDS, *table.type.properties] for table in incoming.edges}
    for table, stored in names.items():
        if len(set(stored)) < len(stored):
            taken = [name for name, count in Counter(stored).items() if count > 1]
            raise DataError(
                f"{table}: a property cannot be called {first_few(taken)}, which graphrec itself writes; rename it"
            )


def unlink(known: GraphState, source: str) -> Fused:
    """The writes that remove a source's nodes and values from the graph and keep those of the other sources."""
    (earlier,) = (each for each in known.sources if each.source.name == source)
    changes = [_SourceChange(source, kind.label, None) for kind in earlier.nodes]
    return _combine_labels(source, [_fuse_label(known, list(known.sources), change) for change in changes], (), ())


def relink(known: GraphState, manifest: SourceManifest) -> Fused:
    """The writes by which the links of the manifest's labels are as its verdicts say; it has no records of its own."""
    others = [each for each in known.sources if each.source.name != manifest.source.name]
    name = manifest.source.name
    changes = [_SourceChange(name, kind.label, None, manifest) for kind in manifest.nodes]
    return _combine_labels(name, [_fuse_label(known, [*others, manifest], change) for change in changes], (), ())


@dataclass(frozen=True)
class _FusedLabel:
    """The parts of `Fused` for one label, and the ids of its nodes in the graph, indexed by native id."""

    plan: NodePlan
    report: LabelReport
    links: pd.DataFrame
    new_ids: "pd.Series[str]"
    known: tuple[int, int]


def _combine_labels(
    source: str, labels: Sequence[_FusedLabel], edges: tuple[EdgeTable, ...], reported: Container[str]
) -> Fused:
    reports = tuple(each.report for each in labels if each.plan.label in reported)
    # the source of events has edges only
    links = pd.concat([each.links for each in labels], ignore_index=True) if labels else pd.DataFrame()
    known = {each.plan.label: each.known for each in labels}
    return Fused(source, tuple(each.plan for each in labels), edges, FusionReport(source, reports), links, known)


@dataclass(frozen=True)
class _SourceChange:
    """The new data of a source for one label.

    Attributes:
        source: the name of the source.
        label: the label.
        table: the new table; None if the source no longer has the label.
        manifest: the new manifest; None if the source is unlinked.
        append: whether records that are not in the table are kept.
        repeats: how appended records are merged with stored ones.
    """

    source: str
    label: str
    table: NodeTable | None
    manifest: SourceManifest | None = None
    append: bool = False
    repeats: Repeats | None = None

    def apply(self, records: pd.DataFrame) -> pd.DataFrame:
        """The records of all sources, with those of this source replaced by the new ones (if appending, merged)."""
        own = (records[SOURCE_NAME] == self.source).to_numpy()
        if self.table is None:
            return records[~own].reset_index(drop=True)
        new = build_records(self.table, self.source)
        if self.append:
            own = own & records[KEY].isin(new[KEY]).to_numpy()
            new = merge_appended(self.label, new, records[own], self.repeats)
        kept = records[~own]
        return pd.concat([new, kept], ignore_index=True) if len(kept) else new


def _fuse_label(known: GraphState, sources: Sequence[SourceManifest], change: _SourceChange) -> _FusedLabel:
    """The plan, report and links of one label after the change."""
    label = change.label
    names = list_properties(label, sources)
    empty = pd.DataFrame({"id": pd.Series(dtype=object), "keys": pd.Series(dtype=object)})
    nodes = known.nodes.get(label, empty)
    before = restore_records(label, nodes, sources)
    after = change.apply(before.drop(columns=NODE)).reindex(columns=[*IDENTITY, *names])
    after = add_columns(after[IDENTITY].astype({SHARED: bool}), {name: to_objects(after[name]) for name in names})
    others = [each for each in sources if each.source.name != change.source]
    remaining = [*others, change.manifest] if change.manifest else others
    resolved = resolve(label, after, remaining, names)
    node_plan = plan(NodeType(label, names), sources, StoredNodes(nodes, before), after, resolved)
    declared = change.manifest.links if change.manifest else ()
    outcomes = find_rule_outcomes(change.source, after, resolved, collect_rules(label, remaining), declared)
    report = build_label_report(label, change.source, before[KEY], after, resolved, outcomes)
    own = (after[SOURCE_NAME] == change.source).to_numpy()
    stored_keys = before[KEY][before[SOURCE_NAME] == change.source]
    new_ids = resolved.nodes["id"].iloc[resolved.node[own]].set_axis(after[NATIVE_ID][own])
    counts = (len(stored_keys), int((~stored_keys.isin(after[KEY][own])).sum()))
    return _FusedLabel(node_plan, report, resolved.decisions.table(label), new_ids, counts)
