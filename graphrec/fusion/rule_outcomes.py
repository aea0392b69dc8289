"""What came of each rule that links the records of a source with others, and ids that several sources have."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from graphrec.fusion.identifiers import values_of
from graphrec.fusion.link import rule_name
from graphrec.fusion.linkable_values import without_unusable
from graphrec.fusion.normalisation import columns_of
from graphrec.fusion.provenance import BY_HAND
from graphrec.fusion.resolve import Resolved
from graphrec.schema import LinkRule

_SHOWN = 3
_FRACTION = re.compile(r"\.0+$")


@dataclass(frozen=True)
class RuleOutcome:
    """How many records of a source have a value for a link rule, how many of these it linked, and what may be wrong.

    `rule` is the rule's name, "id" for labels whose ids mean the same in every source. `hint` is empty unless nothing
    matched.
    """

    rule: str
    records: int
    matched: int
    hint: str = ""


def rule_outcomes(
    source: str, records: pd.DataFrame, resolved: Resolved, rules: Iterable[LinkRule], declared: Iterable[LinkRule]
) -> tuple[RuleOutcome, ...]:
    """The outcome of each rule between a source and the others; none if no other source has records.

    A rule that the source did not declare (`declared`) has an outcome only if both sides have values for it.
    """
    rules = list(rules)
    usable, _ = without_unusable({str(name): frame for name, frame in records.groupby("source")}, rules)
    records = pd.concat(usable.values()) if usable else records
    own = (records["source"] == source).to_numpy()
    mine, others = records[own], records[~own & (records["source"] != BY_HAND).to_numpy()]
    if mine.empty or others.empty:
        return ()
    own_rules = {rule_name(rule) for rule in declared}
    made = resolved.decisions.made
    ends = pd.concat([made[[side, "rule"]].set_axis(["key", "rule"], axis=1) for side in ("left_key", "right_key")])
    ends = ends[ends["key"].isin(mine["key"])]
    found = [_shared_ids(mine, others)] if mine["shared"].any() else []
    for rule in rules:
        name = rule_name(rule)
        here, there = (_texts(rule, side) for side in (mine, others))
        if name not in own_rules and (here.empty or there.empty):
            continue
        linked = set(ends.loc[ends["rule"] == name, "key"])
        if rule.by in ("exact", "normalised"):  # a pair that several rules find has the name of the most confident one
            linked |= set(ends["key"]) & set(here.index[here.isin(there)])
        hint = "" if linked else _hint(here, there, rule.on)
        found.append(RuleOutcome(name, len(here), len(linked), hint))
    return tuple(found)


def same_ids(source: str, records: pd.DataFrame, resolved: Resolved) -> tuple[int, tuple[str, ...]]:
    """How many ids of a source are ids of another source too without being one node, and which sources these are."""
    own = (records["source"] == source).to_numpy()
    other = ~own & (records["source"] != BY_HAND).to_numpy()
    mine = pd.DataFrame({"native": records["native"][own], "node": resolved.node[own]})
    theirs = pd.DataFrame(
        {"native": records["native"][other], "other": resolved.node[other], "source": records["source"][other]}
    )
    both = mine.merge(theirs, on="native")
    apart = both[~both["native"].isin(both.loc[both["node"] == both["other"], "native"])]
    return int(apart["native"].nunique()), tuple(sorted(apart["source"].unique()))


def _shared_ids(mine: pd.DataFrame, others: pd.DataFrame) -> RuleOutcome:
    here = mine.loc[mine["shared"].to_numpy(dtype=bool), "native"]
    there = others.loc[others["shared"].to_numpy(dtype=bool), "native"]
    matched = int(here.isin(there).sum())
    if there.empty:
        hint = "no other source says shared = true of this label; write it in the TOML file of each"
    else:
        hint = "" if matched else _hint(here, there, ("id",))
    return RuleOutcome("id", len(here), matched, hint)


def _texts(rule: LinkRule, records: pd.DataFrame) -> "pd.Series[str]":
    """What the rule compares of each record that has a value in all its properties, by key."""
    if rule.by in ("exact", "normalised"):
        values = values_of(rule, records)
        if values is None:
            return pd.Series(dtype="str")
        joined: pd.Series[str] = values[rule.on[0]]
        for name in rule.on[1:]:
            joined = joined + "\0" + values[name]
        return joined.set_axis(values["key"])
    there = [name for name in rule.on if set(columns_of(name)) & set(records.columns)]
    needed = there[:1] if rule.by == "title" else there
    has = records[needed].notna().all(axis=1) if needed else pd.Series(False, index=records.index)
    return pd.Series("", index=records["key"][has], dtype="str")


def _hint(here: "pd.Series[str]", there: "pd.Series[str]", on: Sequence[str]) -> str:
    """Why nothing matched, if it can be seen: no values, or values that differ in their notation alone."""
    name = " and ".join(on)
    if here.empty:
        return f"no record of this source has a value of {name} that identifies anything"
    if there.empty:
        return f"no record of another source has a value of {name} that identifies anything"
    for how, alike in _NOTATIONS.items():
        left, right = (_by_notation(side, how) for side in (here, there))
        common = left.index.intersection(right.index)
        if len(common):
            pairs = [f"{left[key]} here, {right[key]} there" for key in common[:_SHOWN]]
            return f"{len(common):,} would match {alike} ({'; '.join(pairs)})"
    return ""


#: By how texts are made alike, what must be done so that they are.
_NOTATIONS = {
    "fraction": 'if whole numbers were read as such: export the column without ".0", or write type = "int"',
    "zeros": "without zeros at the beginning: write the numbers alike in both sources",
    "case": 'without case and punctuation: write by = "normalised" (ids: write them alike in both sources)',
    "all": "if numbers, case and punctuation were written alike in both sources",
}


def _by_notation(texts: "pd.Series[str]", how: str) -> "pd.Series[str]":
    """The texts by what they are once made alike."""
    distinct = pd.Series(texts.unique(), dtype="str")
    plain = distinct.str.strip()
    if how in ("fraction", "all"):
        plain = plain.str.replace(_FRACTION, "", regex=True)
    if how in ("zeros", "all"):
        plain = plain.str.replace(r"^0+(?=.)", "", regex=True)
    if how in ("case", "all"):
        plain = plain.str.casefold().str.replace(r"[\W_]+", "", regex=True)
    alike = pd.Series(distinct.to_numpy(), index=np.asarray(plain, dtype=object))
    return alike[~alike.index.duplicated() & (alike.index != "")]
