"""Entity resolution: groups records into nodes and gives each node its id and values, from the records alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.fusion.link import DEFAULT_LINKS, Links, find_links, rule_name
from graphrec.fusion.linkable_values import UNUSED
from graphrec.fusion.provenance import BY_HAND, SourceManifest, sort_by_precedence
from graphrec.fusion.records import (
    KEY,
    NATIVE_ID,
    SHARED,
    SOURCE_NAME,
    add_columns,
    make_declares,
    source_property,
)
from graphrec.fusion.verdicts import Verdict, add_verdicts
from graphrec.schema import LinkRule

LINK_COLUMNS = ["left_key", "right_key", "rule", "confidence", "evidence"]


def _make_empty_links() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype="float64" if name == "confidence" else "str") for name in LINK_COLUMNS})


@dataclass(frozen=True)
class Decisions:
    """The links of one label by decision, with columns left_key, right_key, rule, confidence, evidence.

    Attributes:
        made: the links whose records are one node.
        proposed: links whose confidence is below the threshold of their rule.
        refused: links that would merge two records of one source.
        ambiguous: candidate pairs between which a rule could not decide.
        unused: values that were not compared, such as placeholders: columns source, property, value, records, reason.
    """

    made: pd.DataFrame = field(default_factory=_make_empty_links)
    proposed: pd.DataFrame = field(default_factory=_make_empty_links)
    refused: pd.DataFrame = field(default_factory=_make_empty_links)
    ambiguous: pd.DataFrame = field(default_factory=_make_empty_links)
    unused: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=UNUSED))

    def table(self, label: str) -> pd.DataFrame:
        """All links in one table: columns label, decision (made, proposed, refused, ambiguous) and LINK_COLUMNS."""
        by_decision = {name: getattr(self, name) for name in ("made", "proposed", "refused", "ambiguous")}
        table: pd.DataFrame = pd.concat(
            [links.assign(decision=name) for name, links in by_decision.items()], ignore_index=True
        )
        return table.assign(label=label)[["label", "decision", *LINK_COLUMNS]]


@dataclass(frozen=True)
class Resolved:
    """The target nodes of one label.

    Attributes:
        nodes: one row per node: columns id, keys (sorted; empty for a node made by hand), the properties, and
            `source:property` for nodes of several sources.
        node: for each record, the row of its node.
        decisions: the links by decision.
    """

    nodes: pd.DataFrame
    node: npt.NDArray[np.int64]
    decisions: Decisions


def resolve(label: str, records: pd.DataFrame, sources: Sequence[SourceManifest], names: Sequence[str]) -> Resolved:
    """The nodes of the records of one label.

    Shared records with equal native ids are one node; other records are one node if a link between them is made. The
    id of a node is the native id of its first record by precedence. If two nodes would have the same id, both get
    their source's name as a prefix, so that an id never moves to another node. Nodes made by hand keep their id.

    Args:
        label: the label of all records.
        records: columns `IDENTITY` and the properties `names`, as objects; keys are unique.
        sources: the manifest of every source of the records.
        names: the names of the properties.
    """
    order = {name: rank for rank, name in enumerate(sort_by_precedence(each.source for each in sources))}
    # The sort keys are a frame of their own: a property may be called rank.
    sort_keys = pd.DataFrame({"rank": records[SOURCE_NAME].map(order).astype("int64"), "native": records[NATIVE_ID]})
    position = sort_keys.reset_index(drop=True).sort_values(["rank", "native"]).index.to_numpy()
    records = records.iloc[position].reset_index(drop=True)
    verdicts = [each for source in sources for each in source.verdicts if each.label == label]
    group, decisions = _group_records(label, records, collect_rules(label, sources), verdicts)
    node = pd.factorize(group)[0].astype(np.int64)
    is_first = ~pd.Series(node).duplicated().to_numpy()  # records are in order of precedence
    nodes = pd.DataFrame({"id": _assign_ids(records[is_first])})
    nodes["keys"] = _collect_keys(records, node, len(nodes))
    columns = _merge_values(records, node, len(nodes), names)
    declares = make_declares(label, sources)
    for name in names:
        if source_property(BY_HAND, name) in columns:
            declaring = [each.source.name for each in sources if declares(each.source.name, name)]
            undeclared = np.setdiff1d(np.arange(len(nodes)), node[records[SOURCE_NAME].isin(declaring).to_numpy()])
            columns[source_property(BY_HAND, name)][undeclared] = None  # the property itself has the value by hand
    # With dtype object: pandas would convert texts, and None to another missing value.
    nodes = add_columns(nodes, {name: pd.Series(cells, dtype=object) for name, cells in columns.items()})
    node_by_record = np.empty(len(records), dtype=np.int64)
    node_by_record[position] = node
    return Resolved(nodes, node_by_record, decisions)


def collect_rules(label: str, sources: Sequence[SourceManifest]) -> list[LinkRule]:
    """The rules of a label: the default rules, replaced and extended by those of the sources.

    If several sources declare one rule, the lowest threshold counts.
    """
    declared: dict[str, LinkRule] = {}
    for rule in sorted(
        {rule for each in sources if each.node(label) for rule in each.links},
        key=lambda rule: (-rule.threshold, repr(rule)),
    ):
        if rule.label == label:
            declared[rule_name(rule)] = rule
    default = {rule_name(rule): rule for rule in DEFAULT_LINKS if rule.label == label}
    return list((default | declared).values())


def _group_records(
    label: str, records: pd.DataFrame, rules: Sequence[LinkRule], verdicts: Sequence[Verdict]
) -> tuple[npt.NDArray[np.int64], Decisions]:
    """A group number for each record, equal for records of one node, and the decisions on the links."""
    group = np.arange(len(records))
    shared = (records[SHARED] | (records[SOURCE_NAME] == BY_HAND)).to_numpy()
    if records[SHARED].any():
        codes = pd.factorize(records.loc[shared, NATIVE_ID])[0]
        group[shared] = pd.Series(group[shared]).groupby(codes).transform("first").to_numpy()
    linkable = records[~records[SHARED]]
    if linkable[SOURCE_NAME].nunique() < 2 or not rules:
        return group, Decisions()
    links = find_links(label, linkable.drop(columns=[NATIVE_ID, SHARED]), rules)
    return _merge_groups(group, records, links, rules, verdicts)


def _merge_groups(
    group: npt.NDArray[np.int64],
    records: pd.DataFrame,
    links: Links,
    rules: Sequence[LinkRule],
    verdicts: Sequence[Verdict],
) -> tuple[npt.NDArray[np.int64], Decisions]:
    """Make the links in descending order of confidence, unless a link would merge two records of one source.

    Rules that are not one to one may merge such records, but never two nodes made by hand. A link below the threshold
    of its rule is made if a verdict confirms it, after all others.
    """
    by_name = {rule_name(rule): rule for rule in rules}
    pairs = add_verdicts(links.pairs, verdicts).sort_values(
        ["confidence", "left_key", "right_key"], ascending=[False, True, True], ignore_index=True
    )
    threshold = pairs["rule"].map({name: rule.threshold for name, rule in by_name.items()}).astype("float64")
    confident = (pairs["confidence"] >= threshold) | pairs["confirmed"]
    pairs = pairs.drop(columns="confirmed")
    position = pd.Series(np.arange(len(records)), index=records[KEY].to_numpy())
    made = np.zeros(len(pairs), dtype=bool)
    source = records[SOURCE_NAME].to_numpy()
    sources: dict[int, set[str]] = {}
    members: dict[int, list[int]] = {}
    for at in np.flatnonzero(pd.Series(group).duplicated(keep=False)):  # shared records, some perhaps made by hand
        sources.setdefault(int(group[at]), set()).add(str(source[at]))
        members.setdefault(int(group[at]), []).append(int(at))
    ends = [position.reindex(pairs[side]).to_numpy(dtype=np.int64) for side in ("left_key", "right_key")]
    one_to_one = pairs["rule"].map({name: rule.one_to_one for name, rule in by_name.items()}).to_numpy(dtype=bool)
    for row in np.flatnonzero(confident):
        left, right = (int(group[end[row]]) for end in ends)
        if left != right:
            for each in (left, right):
                sources.setdefault(each, {str(source[each])})
                members.setdefault(each, [each])
            common = sources[left] & sources[right]
            if (one_to_one[row] and common) or BY_HAND in common:
                continue
            group[members[right]] = left
            members[left] += members.pop(right)
            sources[left] |= sources.pop(right)
        made[row] = True
    decisions = Decisions(pairs[made], pairs[~confident], pairs[confident & ~made], links.ambiguous, links.unused)
    return group, decisions


def _assign_ids(first: pd.DataFrame) -> "pd.Series[str]":
    """The id of each node by its first record: the native id, with the source's name as a prefix if ids clash."""
    native = first[NATIVE_ID].astype("str").reset_index(drop=True)
    prefix = first[SOURCE_NAME].astype("str").reset_index(drop=True) + ":"
    fixed = (first[SHARED] | (first[SOURCE_NAME] == BY_HAND)).to_numpy()
    ids, num_prefixes = native, pd.Series(np.where(fixed, -1, 0))
    while (clash := ids.duplicated(keep=False)).any():
        fewest = num_prefixes.groupby(ids).transform("min")
        is_only = (num_prefixes == fewest).groupby(ids).transform("sum") == 1
        changes = clash & ~((num_prefixes == fewest) & is_only)
        ids, num_prefixes = ids.mask(changes, prefix + ids), num_prefixes + changes
    return ids


def _collect_keys(records: pd.DataFrame, node: npt.NDArray[np.int64], count: int) -> list[list[str]]:
    keys: list[list[str]] = [[] for _ in range(count)]
    for key, at in zip(records[KEY].tolist(), node.tolist(), strict=True):
        keys[at].append(key)
    for at, cell in enumerate(keys):
        if len(cell) > 1:
            cell.sort()
        elif cell[0].startswith(":"):  # created by hand, in no other source
            keys[at] = []
    return keys


def _merge_values(
    records: pd.DataFrame, node: npt.NDArray[np.int64], count: int, names: Sequence[str]
) -> dict[str, npt.NDArray[np.object_]]:
    """The columns of properties: each node's first value by precedence, and for nodes of several sources the value of
    each source."""
    columns = {}
    first = np.unique(node, return_index=True)[1]
    sources = pd.DataFrame({"node": node, "source": records[SOURCE_NAME]}).drop_duplicates()
    several = (np.bincount(sources["node"], minlength=count) > 1)[node]
    groups = [
        (source, np.flatnonzero(several & (records[SOURCE_NAME] == source).to_numpy()))
        for source in records.loc[several, SOURCE_NAME].unique()
    ]
    merged = np.flatnonzero((np.bincount(node, minlength=count) > 1)[node])
    for name in names:
        values = records[name].to_numpy(dtype=object)
        columns[name] = values[first]
        for rows, column in ((merged, name), *((rows, source_property(source, name)) for source, rows in groups)):
            with_value = rows[pd.notna(values[rows])] if len(rows) else rows
            nodes, first_row = np.unique(node[with_value], return_index=True)
            cells = columns.setdefault(column, np.full(count, None, dtype=object))
            cells[nodes] = values[with_value[first_row]]
    return columns
