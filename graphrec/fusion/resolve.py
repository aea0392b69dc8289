"""Records become nodes: which are one, what that node is called and what it says. A function of the records alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.fusion.link import DEFAULT_LINKS, Links, find_links, rule_name
from graphrec.fusion.linkable_values import UNUSED
from graphrec.fusion.provenance import BY_HAND, SourceManifest, by_precedence
from graphrec.fusion.records import declaring, own_name, widened
from graphrec.schema import LinkRule

LINK_COLUMNS = ["left_key", "right_key", "rule", "confidence", "evidence"]


def _no_links() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype="float64" if name == "confidence" else "str") for name in LINK_COLUMNS})


@dataclass(frozen=True)
class Decisions:
    """What became of the links that were found, with columns left_key, right_key, rule, confidence, evidence.

    Attributes:
        made: the links whose records are one node.
        proposed: links whose confidence is below the threshold of their rule.
        refused: links that would have put two records of one source into one node.
        ambiguous: candidates between which a rule could not decide.
        unused: values that link nothing, such as placeholders: columns source, property, value, records, reason.
    """

    made: pd.DataFrame = field(default_factory=_no_links)
    proposed: pd.DataFrame = field(default_factory=_no_links)
    refused: pd.DataFrame = field(default_factory=_no_links)
    ambiguous: pd.DataFrame = field(default_factory=_no_links)
    unused: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=UNUSED))

    def table(self, label: str) -> pd.DataFrame:
        """All of them in one table: columns label, decision (made, proposed, refused, ambiguous), then their own."""
        each = {name: getattr(self, name) for name in ("made", "proposed", "refused", "ambiguous")}
        table: pd.DataFrame = pd.concat(
            [links.assign(decision=name) for name, links in each.items()], ignore_index=True
        )
        return table.assign(label=label)[["label", "decision", *LINK_COLUMNS]]


@dataclass(frozen=True)
class Resolved:
    """The nodes of one label as they are to be, one row each: columns id, keys (sorted; empty for a node made by hand),
    the properties, and `source:property` for nodes of several sources; and the row `node` of each record."""

    nodes: pd.DataFrame
    node: npt.NDArray[np.int64]
    decisions: Decisions


def resolve(label: str, records: pd.DataFrame, sources: Sequence[SourceManifest], names: Sequence[str]) -> Resolved:
    """The nodes that the records of a label make.

    Records that are shared are one where their native ids are; others where a link between them was made. A node is
    called by the native id of its first record by precedence, unless two nodes would be called the same: then each
    has its source's name before it, so that an id never changes hands. Nodes made by hand keep their id.

    Args:
        label: the label that all the records have.
        records: columns key, source, native, shared and the properties `names`, as objects; keys are unique.
        sources: the manifest of every source of the records.
        names: the properties.
    """
    order = {name: rank for rank, name in enumerate(by_precedence(each.source for each in sources))}
    records = records.assign(rank=records["source"].map(order).astype("int64"), at=np.arange(len(records)))
    records = records.sort_values(["rank", "native"], ignore_index=True)
    joined, decisions = _unite(label, records, rules_of(label, sources))
    node = pd.factorize(joined)[0].astype(np.int64)
    first = ~pd.Series(node).duplicated().to_numpy()  # in order of precedence: the first record of a node names it
    nodes = pd.DataFrame({"id": _ids(records[first])})
    nodes["keys"] = _keys(records, node, len(nodes))
    # Said to be objects, or pandas makes texts of them, in which a missing value is no None.
    columns = _values(records, node, len(nodes), names)
    declares = declaring(label, sources)
    for name in names:
        if own_name(BY_HAND, name) in columns:
            said = [each.source.name for each in sources if declares(each.source.name, name)]
            unsaid = np.setdiff1d(np.arange(len(nodes)), node[records["source"].isin(said).to_numpy()])
            columns[own_name(BY_HAND, name)][unsaid] = None  # the property itself is the one that was made by hand
    nodes = widened(nodes, {name: pd.Series(cells, dtype=object) for name, cells in columns.items()})
    back = np.empty(len(records), dtype=np.int64)
    back[records["at"].to_numpy()] = node
    return Resolved(nodes, back, decisions)


def rules_of(label: str, sources: Sequence[SourceManifest]) -> list[LinkRule]:
    """The rules of a label: the sources' own (the lowest threshold where several declare one), and the default ones."""
    own: dict[str, LinkRule] = {}
    for rule in sorted(
        {rule for each in sources if each.node(label) for rule in each.links},
        key=lambda rule: (-rule.threshold, repr(rule)),
    ):
        if rule.label == label:
            own[rule_name(rule)] = rule
    default = {rule_name(rule): rule for rule in DEFAULT_LINKS if rule.label == label}
    return list((default | own).values())


def _unite(label: str, records: pd.DataFrame, rules: Sequence[LinkRule]) -> tuple[npt.NDArray[np.int64], Decisions]:
    """A number for each record, the same for records that are one node, and what became of the links."""
    joined = np.arange(len(records))
    shared = (records["shared"] | (records["source"] == BY_HAND)).to_numpy()
    if records["shared"].any():
        codes = pd.factorize(records.loc[shared, "native"])[0]
        first = pd.Series(joined[shared]).groupby(codes).transform("first").to_numpy()
        joined[shared] = first
    own = records[~records["shared"]]
    if own["source"].nunique() < 2 or not rules:
        return joined, Decisions()
    found = find_links(label, own.drop(columns=["native", "shared", "rank", "at"]), rules)
    return _follow_links(joined, records, found, rules)


def _follow_links(
    joined: npt.NDArray[np.int64], records: pd.DataFrame, found: Links, rules: Sequence[LinkRule]
) -> tuple[npt.NDArray[np.int64], Decisions]:
    """Make the links, the surest first, unless two records of one source would become one node by it.

    Two nodes that were made by hand stay two, whatever the rule.
    """
    known = {rule_name(rule): rule for rule in rules}
    pairs = found.pairs.sort_values(
        ["confidence", "left_key", "right_key"], ascending=[False, True, True], ignore_index=True
    )
    threshold = pairs["rule"].map({name: rule.threshold for name, rule in known.items()}).astype("float64")
    sure = pairs["confidence"] >= threshold
    position = pd.Series(np.arange(len(records)), index=records["key"].to_numpy())
    made = np.zeros(len(pairs), dtype=bool)
    source = records["source"].to_numpy()
    owners: dict[int, set[str]] = {}
    members: dict[int, list[int]] = {}
    for at in np.flatnonzero(pd.Series(joined).duplicated(keep=False)):  # a shared node may have one made by hand
        owners.setdefault(int(joined[at]), set()).add(str(source[at]))
        members.setdefault(int(joined[at]), []).append(int(at))
    ends = [position.reindex(pairs[side]).to_numpy(dtype=np.int64) for side in ("left_key", "right_key")]
    one_to_one = pairs["rule"].map({name: rule.one_to_one for name, rule in known.items()}).to_numpy(dtype=bool)
    for row in np.flatnonzero(sure):
        left, right = (int(joined[end[row]]) for end in ends)
        if left != right:
            for part in (left, right):
                owners.setdefault(part, {str(source[part])})
                members.setdefault(part, [part])
            both = owners[left] & owners[right]
            if (one_to_one[row] and both) or BY_HAND in both:
                continue
            joined[members[right]] = left
            members[left] += members.pop(right)
            owners[left] |= owners.pop(right)
        made[row] = True
    decisions = Decisions(pairs[made], pairs[~sure], pairs[sure & ~made], found.ambiguous, found.unused)
    return joined, decisions


def _ids(first: pd.DataFrame) -> "pd.Series[str]":
    """The id of each node by its first record: the native one, with the source's name before it where another node
    would be called the same."""
    native = first["native"].astype("str").reset_index(drop=True)
    prefix = first["source"].astype("str").reset_index(drop=True) + ":"
    fixed = (first["shared"] | (first["source"] == BY_HAND)).to_numpy()
    ids, times = native, pd.Series(np.where(fixed, -1, 0))  # how often each got its source's name
    while (clash := ids.duplicated(keep=False)).any():
        fewest = times.groupby(ids).transform("min")
        alone = (times == fewest).groupby(ids).transform("sum") == 1
        moves = clash & ~((times == fewest) & alone)
        ids, times = ids.mask(moves, prefix + ids), times + moves
    return ids


def _keys(records: pd.DataFrame, node: npt.NDArray[np.int64], count: int) -> list[list[str]]:
    keys: list[list[str]] = [[] for _ in range(count)]
    for key, at in zip(records["key"].tolist(), node.tolist(), strict=True):
        keys[at].append(key)
    for at, cell in enumerate(keys):
        if len(cell) > 1:
            cell.sort()
        elif cell[0].startswith(":"):  # created by hand, in no other source
            keys[at] = []
    return keys


def _values(
    records: pd.DataFrame, node: npt.NDArray[np.int64], count: int, names: Sequence[str]
) -> dict[str, npt.NDArray[np.object_]]:
    """The columns of properties: of each node the first value by precedence, and each source's own if there are
    several sources."""
    columns = {}
    first = np.unique(node, return_index=True)[1]
    sources = pd.DataFrame({"node": node, "source": records["source"]}).drop_duplicates()
    several = (np.bincount(sources["node"], minlength=count) > 1)[node]
    groups = [
        (source, np.flatnonzero(several & (records["source"] == source).to_numpy()))
        for source in records.loc[several, "source"].unique()
    ]
    more = np.flatnonzero((np.bincount(node, minlength=count) > 1)[node])
    for name in names:
        values = records[name].to_numpy(dtype=object)
        columns[name] = values[first]
        for rows, column in ((more, name), *((rows, own_name(source, name)) for source, rows in groups)):
            there = rows[pd.notna(values[rows])] if len(rows) else rows
            nodes, at = np.unique(node[there], return_index=True)
            filled = columns.setdefault(column, np.full(count, None, dtype=object))
            filled[nodes] = values[there[at]]
    return columns
