"""The report of fusion: counts and examples by label."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from graphrec.cleaning.working_table import shorten
from graphrec.fusion.records import KEY, SOURCE_NAME, source_property
from graphrec.fusion.resolve import Resolved
from graphrec.fusion.rule_outcomes import RuleOutcome, find_same_ids

#: Maximum examples of each kind in a report.
MAX_EXAMPLES = 5


@dataclass(frozen=True)
class LabelReport:
    """The result of fusion for one label; matched + ambiguous + unmatched is the number of incoming nodes.

    Attributes:
        label: the node label.
        matched: incoming nodes that are one node with a node of another source.
        ambiguous: incoming nodes with several candidates, or that share a candidate; they are not linked.
        unmatched: the remaining incoming nodes.
        new: incoming nodes that were not in the graph; each adds a node.
        proposed: links with other sources whose confidence is below the threshold of their rule; they are not made.
        refused: links that are not made because they would merge two records of one source.
        disagreements: property values that differ from the kept value, on nodes of this source and others.
        unused: values of any source that were not compared: placeholders, wrong check digits, shared by many records.
        matched_examples: "source:id → id in the graph".
        ambiguous_examples: "source:id ? key of a candidate".
        unmatched_examples: "source:id".
        proposed_examples: "source:id ~ other key (rule, confidence: evidence)".
        refused_examples: as proposed_examples.
        disagreement_examples: "id: property 'kept value' kept over 'other value' of source".
        rules: the outcome of each link rule between this source and the others.
        same_ids: number of ids of this source that another source has for another node.
        same_ids_sources: the names of these sources.
        unused_examples: "source: property 'value' of n records: reason".
    """

    label: str
    matched: int
    ambiguous: int
    unmatched: int
    new: int
    proposed: int = 0
    refused: int = 0
    disagreements: int = 0
    unused: int = 0
    matched_examples: tuple[str, ...] = ()
    ambiguous_examples: tuple[str, ...] = ()
    unmatched_examples: tuple[str, ...] = ()
    proposed_examples: tuple[str, ...] = ()
    refused_examples: tuple[str, ...] = ()
    disagreement_examples: tuple[str, ...] = ()
    rules: tuple[RuleOutcome, ...] = ()
    same_ids: int = 0
    same_ids_sources: tuple[str, ...] = ()
    unused_examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class FusionReport:
    """The report of one source by label."""

    source: str
    labels: tuple[LabelReport, ...]

    def label(self, label: str) -> LabelReport:
        """The report of one label. Raises KeyError if the source does not have the label."""
        return {report.label: report for report in self.labels}[label]

    def to_dict(self) -> dict[str, object]:
        """The report as values for JSON: {"source": …, "labels": {label: {"matched": …}}}."""
        labels = {}
        for report in self.labels:
            values = {
                name: list(value) if isinstance(value, tuple) else value for name, value in asdict(report).items()
            }
            labels[values.pop("label")] = values
        return {"source": self.source, "labels": labels}


def build_label_report(
    label: str,
    source: str,
    known: "pd.Series[str]",
    records: pd.DataFrame,
    resolved: Resolved,
    outcomes: tuple[RuleOutcome, ...] = (),
) -> LabelReport:
    """The report of a source on one label.

    Args:
        label: the label.
        source: the incoming source.
        known: the keys in the graph before the load.
        records: the records of `resolved`, in its order.
        resolved: the nodes after the load.
        outcomes: the outcomes of the link rules.
    """
    own = (records[SOURCE_NAME] == source).to_numpy()
    count, decisions = len(resolved.nodes), resolved.decisions
    others = np.bincount(resolved.node[~own], minlength=count) > 0
    existing = np.bincount(resolved.node[records[KEY].isin(known).to_numpy()], minlength=count) > 0
    keys, node = records[KEY][own], resolved.node[own]
    matched = others[node]
    ambiguous_keys = pd.concat([decisions.ambiguous["left_key"], decisions.ambiguous["right_key"]])
    ambiguous = ~matched & keys.isin(ambiguous_keys).to_numpy()
    unmatched = ~matched & ~ambiguous
    ids = resolved.nodes["id"].to_numpy()[node]
    proposed, refused = (_select_links(source, links) for links in (decisions.proposed, decisions.refused))
    disagreements = list(_describe_disagreements(source, records, resolved))
    num_same_ids, same_ids_sources = find_same_ids(source, records, resolved)
    return LabelReport(
        label=label,
        matched=int(matched.sum()),
        ambiguous=int(ambiguous.sum()),
        unmatched=int(unmatched.sum()),
        new=int((~existing[node]).sum()),
        proposed=len(proposed),
        refused=len(refused),
        disagreements=len(disagreements),
        unused=len(decisions.unused),
        matched_examples=tuple(
            f"{key} → {id_}" for key, id_ in zip(keys[matched][:MAX_EXAMPLES], ids[matched][:MAX_EXAMPLES], strict=True)
        ),
        ambiguous_examples=tuple(
            " ? ".join(pair) for pair in _iter_pairs(source, _select_links(source, decisions.ambiguous))
        ),
        unmatched_examples=tuple(keys[unmatched][:MAX_EXAMPLES]),
        proposed_examples=tuple(_describe_links(source, proposed)),
        refused_examples=tuple(_describe_links(source, refused)),
        disagreement_examples=tuple(disagreements[:MAX_EXAMPLES]),
        rules=outcomes,
        same_ids=num_same_ids,
        same_ids_sources=same_ids_sources,
        unused_examples=tuple(_describe_unused(source, decisions.unused)),
    )


def _select_links(source: str, links: pd.DataFrame) -> pd.DataFrame:
    """The links with a record of a source on either side."""
    prefix = f"{source}:"
    sides = [links[side].str.startswith(prefix).astype(bool) for side in ("left_key", "right_key")]
    return links[sides[0] | sides[1]]


def _iter_pairs(source: str, links: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """The first pairs of keys, each with the key of the source first."""
    for left, right in zip(links["left_key"][:MAX_EXAMPLES], links["right_key"][:MAX_EXAMPLES], strict=True):
        yield (left, right) if left.startswith(f"{source}:") else (right, left)


def _describe_links(source: str, links: pd.DataFrame) -> Iterator[str]:
    shown = links.head(MAX_EXAMPLES)
    columns = (shown["rule"], shown["confidence"], shown["evidence"])
    for (own, other), rule, confidence, evidence in zip(_iter_pairs(source, shown), *columns, strict=True):
        yield f"{own} ~ {other} ({rule}, {confidence:.2f}: {evidence})"


def _describe_unused(source: str, values: pd.DataFrame) -> Iterator[str]:
    """Lines on the first unusable values, those of the incoming source before the others."""
    own = values["source"] == source
    for row in pd.concat([values[own], values[~own]]).head(MAX_EXAMPLES).itertuples(index=False):
        records = "1 record" if row.records == 1 else f"{row.records:,} records"
        yield f"{row.source}: {row.property} {shorten(row.value)!r} of {records}: {row.reason}"


def _describe_disagreements(source: str, records: pd.DataFrame, resolved: Resolved) -> Iterator[str]:
    """A line for each value that differs from the kept value of its node, for nodes with a record of the source."""
    nodes = resolved.nodes
    mine = np.bincount(resolved.node[(records[SOURCE_NAME] == source).to_numpy()], minlength=len(nodes)) > 0
    fused = nodes[mine & (np.bincount(resolved.node, minlength=len(nodes)) > 1)]
    ids = fused["id"].to_numpy()
    for other in records[SOURCE_NAME].unique():
        for column in (name for name in fused.columns if name.startswith(source_property(other, ""))):
            name = column.removeprefix(source_property(other, ""))
            values, kept = fused[column].to_numpy(dtype=object), fused[name].to_numpy(dtype=object)
            differ = pd.notna(values) & np.asarray(values != kept, dtype=bool)
            for at in np.flatnonzero(differ):
                yield f"{ids[at]}: {name} {kept[at]!r} kept over {values[at]!r} of {other or 'the graph'}"
