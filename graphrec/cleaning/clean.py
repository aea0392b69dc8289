"""Cleaning of frames: the rules are applied in order, and the result is checked tables with a report."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain

import pandas as pd
import pyarrow.compute as pc

from graphrec.cleaning import duplicates, values
from graphrec.cleaning.casting import to_arrow
from graphrec.cleaning.float_ids import restore_whole_ids
from graphrec.cleaning.load_context import current_load
from graphrec.cleaning.rejected_rows import collect_rejected_rows, require_rows_of_each_file
from graphrec.cleaning.rules import CleaningRules
from graphrec.cleaning.text import repair_text
from graphrec.cleaning.working_table import WorkingTable, shorten
from graphrec.cleaning_report import CleaningReport
from graphrec.errors import DataError, UnknownNameError, first_few
from graphrec.schema import EdgeType, LinkRule, NodeType, Triple
from graphrec.tables import ENDS, EdgeTable, GraphTables, NodeTable, Repeats, Source

#: The nullable dtype for each dtype that has no missing value.
_NULLABLE = {"int64": "Int64", "bool": "boolean"}


def clean(
    nodes: Sequence[tuple[NodeType, pd.DataFrame]],
    edges: Sequence[tuple[EdgeType, pd.DataFrame]],
    sources: Sequence[Source],
    rules: Mapping[str, CleaningRules] | None = None,
    links: Sequence[LinkRule] = (),
) -> GraphTables:
    """The checked tables of the rows that the rules accept, and the report of repairs and rejections in `.cleaning`.

    `rules` are keyed by label or relationship type; the default is `CleaningRules()`. Ids may be numbers and are
    converted to text. A label without a node frame gets a table of the ids at the ends of the remaining edges. The
    tables have only the columns of their types.

    Raises:
        UnknownNameError: a rule is for a label or relationship type that no frame has.
        DataError: a column is missing, or the tables refuse a remaining row.
    """
    rules = rules or {}
    working_tables = [_start_table(kind, frame) for kind, frame in nodes]
    working_tables += [_start_table(kind, frame) for kind, frame in edges]
    names = [working.name for working in working_tables]
    for name in rules:
        if name not in names:
            raise UnknownNameError("table", name, names, "rules are keyed by label or relationship type")
    with_rules = [(working, rules.get(working.name, CleaningRules())) for working in working_tables]
    return clean_working_tables(with_rules[: len(nodes)], with_rules[len(nodes) :], sources, links)


def clean_working_tables(
    nodes: Iterable[tuple[WorkingTable, CleaningRules]],
    edges: Iterable[tuple[WorkingTable, CleaningRules]],
    sources: Sequence[Source],
    links: Sequence[LinkRule] = (),
) -> GraphTables:
    """As `clean`, for working tables, which may have logged earlier repairs and rejections, each with its rules."""
    texts = [(_repair_texts(working, rules), rules) for working, rules in chain(nodes, edges)]
    # Ids are restored in all tables together, so that edges and node tables keep the same ids.
    whole = restore_whole_ids([working for working, _ in texts], links)
    pending = list(zip(whole, [rules for _, rules in texts], strict=True))
    del texts, whole
    node_tables: dict[str, WorkingTable] = {}
    repeated: dict[str | Triple, Repeats] = {}
    edge_tables: list[WorkingTable] = []
    while pending:  # each table is released once it is done: together they are as large as the source
        working, rules = pending.pop(0)
        working = _apply_row_rules(working, rules)
        if isinstance(working.type, NodeType):
            if working.name in node_tables:
                raise DataError(f"label {working.name} has two tables; put its rows into one")
            node_tables[working.name] = working
            repeated[working.name] = Repeats(rules.repeated, rules.by, rules.combined)
            continue
        node_tables = _add_stored_ends(node_tables, working, sources)
        node_tables, connected = _resolve_dangling(node_tables, working, rules)
        edge_tables.append(connected)
        assert isinstance(working.type, EdgeType)
        repeated[working.type.triple] = Repeats(rules.repeated, rules.by, rules.combined)
    every = [*node_tables.values(), *edge_tables]
    return GraphTables(
        (
            *(_to_node_table(working) for working in node_tables.values()),
            *_derive_node_tables(node_tables, edge_tables),
        ),
        tuple(_to_edge_table(working) for working in edge_tables),
        tuple(sources),
        tuple(links),
        CleaningReport(tuple(working.count for working in every), collect_rejected_rows(every)),
        repeated,
    )


def require_nothing_rejected(report: CleaningReport) -> None:
    """Raise DataError if the report has rejected rows; it names table, rule, number and examples."""
    parts = [
        f"{table.name} lost {rule.rows:,} of {table.rows:,} rows by rule '{rule.rule}' ({first_few(rule.examples)})"
        for table in report.tables
        for rule in table.rules
        if rule.action == "dropped"
    ]
    if parts:
        raise DataError(
            f"{'; '.join(parts)}; correct these rows, or load without --strict (in Python strict=False) to leave them "
            "out"
        )


def _start_table(kind: NodeType | EdgeType, frame: pd.DataFrame) -> WorkingTable:
    working = WorkingTable(kind, frame.reset_index(drop=True), len(frame))
    required = [*working.ids, *kind.properties, *((kind.key or ()) if isinstance(kind, EdgeType) else ())]
    missing = [column for column in required if column not in frame.columns]
    if missing:
        raise DataError(
            f"{working.name}: the table has no column {first_few(missing)}; it has {first_few(frame.columns, 20)}"
        )
    return working


def _repair_texts(working: WorkingTable, rules: CleaningRules) -> WorkingTable:
    """The working table with ids as text and repaired texts; DataError if a rule names a missing column."""
    missing = sorted(rules.columns() - set(working.frame.columns))
    if missing:
        raise DataError(
            f"{working.name}: the rules name column {first_few(missing)}, but the table has "
            f"{first_few(working.frame.columns, 20)}"
        )
    return repair_text(values.ids_as_text(working), rules.text)


def _apply_row_rules(working: WorkingTable, rules: CleaningRules) -> WorkingTable:
    """The working table after the remaining rules that need no other table."""
    working = values.require_types(values.require_values(working, rules), rules)
    working = values.require_possible_times(values.require_ranges(working, rules), rules)
    if not current_load().allow_removal:
        require_rows_of_each_file(working)
    return duplicates.merge_repeated(values.require_no_self_loops(working, rules), rules)


def _add_stored_ends(
    nodes: dict[str, WorkingTable], edges: WorkingTable, sources: Sequence[Source]
) -> dict[str, WorkingTable]:
    """The node tables with a row for each end that is not in them but is a node of the source in the graph.

    These rows have only an id, so they change nothing on the node; without them its edges would be dangling.
    """
    kind, in_graph = edges.type, current_load().in_graph
    assert isinstance(kind, EdgeType)
    if in_graph is None:
        return nodes
    for end, label in zip(ENDS, (kind.source, kind.target), strict=True):
        if label not in nodes:
            continue
        known = pc.is_in(to_arrow(edges.frame[end]), value_set=to_arrow(nodes[label].frame["id"])).to_numpy()
        missing = edges.frame.loc[~known, end].drop_duplicates().reset_index(drop=True)
        stored = missing[in_graph(sources[0].name, label, missing).to_numpy()] if len(missing) else missing
        if len(stored):
            nodes = {**nodes, label: _append_ids(nodes[label], stored.rename("id").to_frame())}
    return nodes


def _resolve_dangling(
    nodes: dict[str, WorkingTable], edges: WorkingTable, rules: CleaningRules
) -> tuple[dict[str, WorkingTable], WorkingTable]:
    """The tables after the rule `dangling`: such edges are dropped, or their missing nodes are added, or they stay."""
    kind = edges.type
    assert isinstance(kind, EdgeType)
    if rules.dangling == "refuse":
        return nodes, edges
    for end, label in zip(ENDS, (kind.source, kind.target), strict=True):
        if label not in nodes:
            continue
        known = pc.is_in(to_arrow(edges.frame[end]), value_set=to_arrow(nodes[label].frame["id"]))
        dangling = pd.Series(~known.to_numpy())
        if rules.dangling == "drop":
            edges = edges.reject(dangling, "dangling", f"no {label} has this {end}", end)
        elif dangling.any():
            missing = edges.frame.loc[dangling, [end]].drop_duplicates().set_axis(["id"], axis=1)
            nodes = {**nodes, label: _add_missing_nodes(nodes[label], missing, edges.name)}
    return nodes, edges


def _add_missing_nodes(working: WorkingTable, missing: pd.DataFrame, relation: str) -> WorkingTable:
    """The working table with a row for each missing id, with only the id, and a log entry."""
    shown = [f"{shorten(name)}: added for {relation}" for name in missing["id"].head()]
    return _append_ids(working, missing).log("dangling", "repaired", len(missing), shown)


def _append_ids(working: WorkingTable, missing: pd.DataFrame) -> WorkingTable:
    nullable = {name: _NULLABLE[str(dtype)] for name, dtype in working.frame.dtypes.items() if str(dtype) in _NULLABLE}
    return replace(working, frame=pd.concat([working.frame.astype(nullable), missing], ignore_index=True))


def _derive_node_tables(nodes: Mapping[str, WorkingTable], edges: Sequence[WorkingTable]) -> list[NodeTable]:
    """A table of ids for each label at the end of edges that has no node table."""
    ends: dict[str, list[pd.Series[str]]] = {}
    for working in edges:
        assert isinstance(working.type, EdgeType)
        for end, label in zip(ENDS, (working.type.source, working.type.target), strict=True):
            if label not in nodes:
                ends.setdefault(label, []).append(working.frame[end])
    return [NodeTable(NodeType(label), _collect_distinct(parts)) for label, parts in ends.items()]


def _collect_distinct(ids: "Sequence[pd.Series[str]]") -> pd.DataFrame:
    """A column `id` with each id once."""
    every = pd.concat([part.drop_duplicates() for part in ids], ignore_index=True)
    return every.drop_duplicates().rename("id").to_frame().reset_index(drop=True)


def _to_node_table(working: WorkingTable) -> NodeTable:
    assert isinstance(working.type, NodeType)
    return NodeTable(working.type, working.frame[["id", *working.type.properties]])


def _to_edge_table(working: WorkingTable) -> EdgeTable:
    assert isinstance(working.type, EdgeType)
    columns = dict.fromkeys([*ENDS, *working.type.properties, *(working.type.key or ())])
    return EdgeTable(working.type, working.frame[list(columns)])
