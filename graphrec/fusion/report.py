"""What fusion did, in numbers and examples."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from graphrec.cleaning.working_table import shortened
from graphrec.fusion.records import own_name
from graphrec.fusion.resolve import Resolved
from graphrec.fusion.rule_outcomes import RuleOutcome, same_ids

#: How many examples of a kind a report keeps.
SHOWN = 5


@dataclass(frozen=True)
class LabelReport:
    """How the incoming nodes of one label met those that were there; matched + ambiguous + unmatched = incoming.

    Args:
        label: the node label.
        matched: incoming nodes that are one node with a node of another source.
        ambiguous: incoming nodes that could be several nodes, or of which several could be one; not linked.
        unmatched: the other incoming nodes.
        new: incoming nodes that were not in the graph, so that a node is added for each.
        proposed: links with other sources that are too unsure to be made.
        refused: links that were not made because they would have put two records of one source into one node.
        disagreements: property values of this source that others contradict, or of others that this one contradicts.
        unused: values of any source by which nothing was linked: placeholders, wrong check digits, shared by very many.
        matched_examples: "source:id → id in the graph (by what, with which confidence)".
        ambiguous_examples: "source:id ? key of a candidate".
        unmatched_examples: "source:id".
        proposed_examples: "source:id ~ other key (by what, with which confidence: evidence)".
        refused_examples: the same.
        disagreement_examples: "id: property 'kept value' over 'value of the source' (source)".
        rules: what came of each link rule between this source and the others.
        same_ids: ids of this source that another source has too, for other nodes.
        same_ids_sources: the names of these sources.
        unused_examples: "source: property 'value' of so many records, with the reason".
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
    """The report of one source, by label."""

    source: str
    labels: tuple[LabelReport, ...]

    def label(self, label: str) -> LabelReport:
        """The report of one label; KeyError if the source does not bring it."""
        return {report.label: report for report in self.labels}[label]

    def to_dict(self) -> dict[str, object]:
        """The report as plain values, ready for JSON: {"source": …, "labels": {label: {"matched": …}}}."""
        labels = {}
        for report in self.labels:
            values = {
                name: list(value) if isinstance(value, tuple) else value for name, value in asdict(report).items()
            }
            labels[values.pop("label")] = values
        return {"source": self.source, "labels": labels}


def label_report(
    label: str,
    source: str,
    known: "pd.Series[str]",
    records: pd.DataFrame,
    resolved: Resolved,
    outcomes: tuple[RuleOutcome, ...] = (),
) -> LabelReport:
    """The report of one label: `records` are those of `resolved`, `known` the keys that the graph had."""
    own = (records["source"] == source).to_numpy()
    count, decisions = len(resolved.nodes), resolved.decisions
    others = np.bincount(resolved.node[~own], minlength=count) > 0
    there = np.bincount(resolved.node[records["key"].isin(known).to_numpy()], minlength=count) > 0
    keys, node = records["key"][own], resolved.node[own]
    matched = others[node]
    unsure = pd.concat([decisions.ambiguous["left_key"], decisions.ambiguous["right_key"]])
    ambiguous = ~matched & keys.isin(unsure).to_numpy()
    unmatched = ~matched & ~ambiguous
    final = resolved.nodes["id"].to_numpy()[node]
    proposed, refused = (_of(source, links) for links in (decisions.proposed, decisions.refused))
    disagreements = list(_disagreements(source, records, resolved))
    clashes, others_with_them = same_ids(source, records, resolved)
    return LabelReport(
        label=label,
        matched=int(matched.sum()),
        ambiguous=int(ambiguous.sum()),
        unmatched=int(unmatched.sum()),
        new=int((~there[node]).sum()),
        proposed=len(proposed),
        refused=len(refused),
        disagreements=len(disagreements),
        unused=len(decisions.unused),
        matched_examples=tuple(
            f"{a} → {b}" for a, b in zip(keys[matched][:SHOWN], final[matched][:SHOWN], strict=True)
        ),
        ambiguous_examples=tuple(" ? ".join(pair) for pair in _pairs(source, _of(source, decisions.ambiguous))),
        unmatched_examples=tuple(keys[unmatched][:SHOWN]),
        proposed_examples=tuple(_links(source, proposed)),
        refused_examples=tuple(_links(source, refused)),
        disagreement_examples=tuple(disagreements[:SHOWN]),
        rules=outcomes,
        same_ids=clashes,
        same_ids_sources=others_with_them,
        unused_examples=tuple(_unused(source, decisions.unused)),
    )


def _of(source: str, links: pd.DataFrame) -> pd.DataFrame:
    """The links that a source has a part in."""
    prefix = f"{source}:"
    sides = [links[side].str.startswith(prefix).astype(bool) for side in ("left_key", "right_key")]
    return links[sides[0] | sides[1]]


def _pairs(source: str, links: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """The first few pairs of keys, the source's own first."""
    for left, right in zip(links["left_key"][:SHOWN], links["right_key"][:SHOWN], strict=True):
        yield (left, right) if left.startswith(f"{source}:") else (right, left)


def _links(source: str, links: pd.DataFrame) -> Iterator[str]:
    shown = links.head(SHOWN)
    columns = (shown["rule"], shown["confidence"], shown["evidence"])
    for (own, other), rule, confidence, evidence in zip(_pairs(source, shown), *columns, strict=True):
        yield f"{own} ~ {other} ({rule}, {confidence:.2f}: {evidence})"


def _unused(source: str, values: pd.DataFrame) -> Iterator[str]:
    """The first values that linked nothing, those of the incoming source before the others."""
    own = values["source"] == source
    for row in pd.concat([values[own], values[~own]]).head(SHOWN).itertuples(index=False):
        records = "1 record" if row.records == 1 else f"{row.records:,} records"
        yield f"{row.source}: {row.property} {shortened(row.value)!r} of {records}: {row.reason}"


def _disagreements(source: str, records: pd.DataFrame, resolved: Resolved) -> Iterator[str]:
    """A line for each value of a source that its node does not have, or that replaced the value of another source."""
    nodes = resolved.nodes
    mine = np.bincount(resolved.node[(records["source"] == source).to_numpy()], minlength=len(nodes)) > 0
    fused = nodes[mine & (np.bincount(resolved.node, minlength=len(nodes)) > 1)]
    ids = fused["id"].to_numpy()
    for other in records["source"].unique():
        for column in (name for name in fused.columns if name.startswith(own_name(other, ""))):
            name = column.removeprefix(own_name(other, ""))
            said, kept = fused[column].to_numpy(dtype=object), fused[name].to_numpy(dtype=object)
            differ = pd.notna(said) & np.asarray(said != kept, dtype=bool)
            for at in np.flatnonzero(differ):
                yield _line(ids[at], name, kept[at], said[at], other)


def _line(id_: str, name: str, kept: Any, said: Any, source: str) -> str:  # Any: values of a property
    return f"{id_}: {name} {kept!r} kept over {said!r} of {source or 'the graph'}"
