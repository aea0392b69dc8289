"""Notes reported after a load: numbers stored as text, link rules without matches, ids kept apart."""

import re
from collections.abc import Iterator

import pandas as pd

from graphrec.errors import first_few
from graphrec.fusion import FusionReport, LabelReport
from graphrec.schema import ITEM, USER
from graphrec.tables import EdgeTable, GraphTables, NodeTable

#: Properties of edges that query files and models use as numbers.
EDGE_NUMBERS = ("rating", "count", "hours", "value", "weight", "timestamp", "quantity")
#: Properties of nodes that are compared as numbers; if most values are not numbers, the property is meant as text.
NODE_NUMBERS = ("year", "price")
_WHOLE = ("count", "timestamp", "quantity", "year")
#: Texts that programs and people write for missing values.
_MISSING = {"null", r"\n", "na", "n/a", "nan", "none", "nil", "-", "--", "?", "unknown", "#n/a", "(null)", "."}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_SHOWN = 5


def check_tables(tables: GraphTables) -> tuple[str, ...]:
    """Notes on the tables of a source, independent of the graph; each is one sentence."""
    all_tables: list[NodeTable | EdgeTable] = [*tables.edges, *tables.nodes]
    text_numbers = [note for table in all_tables for note in _check_text_numbers(table)]
    return (*text_numbers, *_check_roles(tables))


def check_fusion(report: FusionReport) -> tuple[str, ...]:
    """Notes on how the nodes of a source were linked with those of others; each is one sentence."""
    return tuple(
        note for label in report.labels for note in (*_check_links(label), *_check_same_ids(report.source, label))
    )


def _check_text_numbers(table: NodeTable | EdgeTable) -> Iterator[str]:
    """A sentence for each property that is text although queries need a number."""
    edges = isinstance(table, EdgeTable)
    name = table.type.relation if isinstance(table, EdgeTable) else table.type.label
    place = f"[edges.{name}]" if edges else f"[nodes.{name}]"
    for column in (each for each in table.type.properties if each in (EDGE_NUMBERS if edges else NODE_NUMBERS)):
        values = table.frame[column].dropna()
        if values.empty or not pd.api.types.is_string_dtype(values.dtype):
            continue
        counts = values.value_counts()
        odd = counts[[_NUMBER.fullmatch(text.strip()) is None for text in counts.index]]
        if not edges and odd.sum() * 2 > len(values):
            continue
        kind = "int" if column in _WHOLE else "float"
        line = f'write {{ name = "{column}", type = "{kind}" }} in properties of {place}'
        if odd.empty:
            yield f"{name}.{column} is text, but queries and models use it as a number: no type is declared; {line}"
            continue
        missing = [text for text in odd.index if text.strip().casefold() in _MISSING]
        listed = ", ".join(f'"{text}"' for text in ["", *missing[:_SHOWN]])
        more = f" and missing = [{listed}]" if missing else ""
        rest = "" if len(missing) == len(odd) else "; then rows with other values are rejected"
        shown = first_few((repr(text) for text in odd.index), _SHOWN)
        yield (
            f"{name}.{column} is text, but queries and models use it as a number: {shown} in {int(odd.sum()):,} of "
            f"{len(table.frame):,} rows {'is' if len(odd) == 1 else 'are'} not a number; {line}{more}{rest}"
        )


def _check_roles(tables: GraphTables) -> Iterator[str]:
    """A sentence if a source has relationships but neither users nor items."""
    labels = [table.type.label for table in tables.nodes]
    if not tables.edges or {USER, ITEM} & {*labels}:
        return
    triples = [table.type.triple for table in tables.edges]
    shown = first_few((f"{relation} goes from {start} to {end}" for start, relation, end in triples), 3)
    start, _, end = next((triple for triple in triples if triple[0] != triple[2]), triples[0])
    yield (
        f"graphrec recommends Item nodes to User nodes, and this source has neither: {shown}; if {start} are the users "
        f'and {end} the items, write role = "user" in [nodes.{start}] and role = "item" in [nodes.{end}] of the '
        "TOML file"
    )


def _check_links(label: LabelReport) -> Iterator[str]:
    """A sentence for each link rule without a match."""
    for rule in label.rules:
        if not rule.matched:
            by = "its id, which is shared" if rule.rule == "id" else rule.rule
            hint = f"; {rule.hint}" if rule.hint else ""
            yield f"0 of {rule.records:,} {label.label} matched those of other sources by {by}{hint}"


def _check_same_ids(source: str, label: LabelReport) -> Iterator[str]:
    """A sentence if other sources use ids of new nodes for other nodes."""
    if label.same_ids and label.new:
        others = " and ".join(label.same_ids_sources[:3])
        many = "1 id" if label.same_ids == 1 else f"{label.same_ids:,} ids"
        yield (
            f"{many} of {label.label} in {source}, found in {others} too, kept apart with the source's name before it "
            f"({source}:…); if one id means the same {label.label} in both sources, write shared = true in "
            f"[nodes.{label.label}] of both TOML files and load both again"
        )
