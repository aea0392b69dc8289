"""Outcomes of link rules for one source: matched records, likely causes of no match, and ids of several sources."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from graphrec.fusion.identifiers import select_values
from graphrec.fusion.link import rule_name
from graphrec.fusion.linkable_values import mask_unusable_values
from graphrec.fusion.normalisation import list_columns
from graphrec.fusion.provenance import BY_HAND
from graphrec.fusion.records import KEY, NATIVE_ID, SHARED, SOURCE_NAME
from graphrec.fusion.resolve import Resolved
from graphrec.schema import LinkRule

#: Maximum pairs of values in a hint.
_MAX_EXAMPLES = 3
_FRACTION = re.compile(r"\.0+$")


@dataclass(frozen=True)
class RuleOutcome:
    """The outcome of one link rule for the records of a source.

    Attributes:
        rule: the rule's name; "id" for labels whose ids are shared between sources.
        records: records with a value for the rule.
        matched: those of them that the rule links.
        hint: the likely cause if no record matches, else empty.
    """

    rule: str
    records: int
    matched: int
    hint: str = ""


def find_rule_outcomes(
    source: str, records: pd.DataFrame, resolved: Resolved, rules: Iterable[LinkRule], declared: Iterable[LinkRule]
) -> tuple[RuleOutcome, ...]:
    """The outcome of each rule between a source and the others; empty if no other source has records.

    A rule that the source did not declare (`declared`) has an outcome only if both sides have values for it.
    """
    rules = list(rules)
    if records[SOURCE_NAME].isin([source, BY_HAND]).all():
        return ()
    usable, _ = mask_unusable_values({str(name): frame for name, frame in records.groupby(SOURCE_NAME)}, rules)
    records = pd.concat(usable.values()) if usable else records
    own = (records[SOURCE_NAME] == source).to_numpy()
    mine, others = records[own], records[~own & (records[SOURCE_NAME] != BY_HAND).to_numpy()]
    if mine.empty or others.empty:
        return ()
    declared_names = {rule_name(rule) for rule in declared}
    made = resolved.decisions.made
    ends = pd.concat([made[[side, "rule"]].set_axis(["key", "rule"], axis=1) for side in ("left_key", "right_key")])
    ends = ends[ends["key"].isin(mine[KEY])]
    outcomes = [_match_shared_ids(mine, others)] if mine[SHARED].any() else []
    for rule in rules:
        name = rule_name(rule)
        here, there = (_select_compared(rule, side) for side in (mine, others))
        if name not in declared_names and (here.empty or there.empty):
            continue
        linked = set(ends.loc[ends["rule"] == name, "key"])
        if rule.by in ("exact", "normalised"):
            # A pair that several rules find is listed only with the most confident one.
            linked |= set(ends["key"]) & set(here.index[here.isin(there)])
        hint = "" if linked else _explain_no_match(here, there, rule.on)
        outcomes.append(RuleOutcome(name, len(here), len(linked), hint))
    return tuple(outcomes)


def find_same_ids(source: str, records: pd.DataFrame, resolved: Resolved) -> tuple[int, tuple[str, ...]]:
    """The number of ids of a source that another source has for another node, and the names of these sources."""
    own = (records[SOURCE_NAME] == source).to_numpy()
    other = ~own & (records[SOURCE_NAME] != BY_HAND).to_numpy()
    if not own.any() or not other.any():
        return 0, ()
    mine = pd.DataFrame({"native": records[NATIVE_ID][own], "node": resolved.node[own]})
    theirs = pd.DataFrame(
        {"native": records[NATIVE_ID][other], "other": resolved.node[other], "source": records[SOURCE_NAME][other]}
    )
    both = mine.merge(theirs, on="native")
    apart = both[~both["native"].isin(both.loc[both["node"] == both["other"], "native"])]
    return int(apart["native"].nunique()), tuple(sorted(apart["source"].unique()))


def _match_shared_ids(mine: pd.DataFrame, others: pd.DataFrame) -> RuleOutcome:
    here = mine.loc[mine[SHARED].to_numpy(dtype=bool), NATIVE_ID]
    there = others.loc[others[SHARED].to_numpy(dtype=bool), NATIVE_ID]
    matched = int(here.isin(there).sum())
    if there.empty:
        hint = "no other source has shared = true for this label; write it in the TOML file of each"
    else:
        hint = "" if matched else _explain_no_match(here, there, ("id",))
    return RuleOutcome("id", len(here), matched, hint)


def _select_compared(rule: LinkRule, records: pd.DataFrame) -> "pd.Series[str]":
    """The compared values by key, for records with a value in all properties; empty texts for title and fields."""
    if rule.by in ("exact", "normalised"):
        values = select_values(rule, records)
        if values is None:
            return pd.Series(dtype="str")
        joined: pd.Series[str] = values[rule.on[0]]
        for name in rule.on[1:]:
            joined = joined + "\0" + values[name]
        return joined.set_axis(values[KEY])
    present = [name for name in rule.on if set(list_columns(name)) & set(records.columns)]
    needed = present[:1] if rule.by == "title" else present
    has_values = records[needed].notna().all(axis=1) if needed else pd.Series(False, index=records.index)
    return pd.Series("", index=records[KEY][has_values], dtype="str")


def _explain_no_match(here: "pd.Series[str]", there: "pd.Series[str]", on: Sequence[str]) -> str:
    """The likely cause if no record matched: no values, or values that differ only in notation; else empty."""
    name = " and ".join(on)
    if here.empty:
        return f"no record of this source has a value of {name} that identifies anything"
    if there.empty:
        return f"no record of another source has a value of {name} that identifies anything"
    for notation, remedy in _NOTATIONS.items():
        left, right = (_index_by_notation(side, notation) for side in (here, there))
        common = left.index.intersection(right.index)
        if len(common):
            pairs = [f"{left[key]} here, {right[key]} there" for key in common[:_MAX_EXAMPLES]]
            return f"{len(common):,} would match {remedy} ({'; '.join(pairs)})"
    return ""


#: Remedy by the difference in notation that it removes.
_NOTATIONS = {
    "fraction": 'if whole numbers were read as such: export the column without ".0", or write type = "int"',
    "zeros": "without zeros at the beginning: write the numbers alike in both sources",
    "case": 'without case and punctuation: write by = "normalised" (ids: write them alike in both sources)',
    "all": "if numbers, case and punctuation were written alike in both sources",
}


def _index_by_notation(texts: "pd.Series[str]", notation: str) -> "pd.Series[str]":
    """The distinct texts, indexed by the text without a difference in notation (a key of _NOTATIONS)."""
    distinct = pd.Series(texts.unique(), dtype="str")
    plain = distinct.str.strip()
    if notation in ("fraction", "all"):
        plain = plain.str.replace(_FRACTION, "", regex=True)
    if notation in ("zeros", "all"):
        plain = plain.str.replace(r"^0+(?=.)", "", regex=True)
    if notation in ("case", "all"):
        plain = plain.str.casefold().str.replace(r"[\W_]+", "", regex=True)
    indexed = pd.Series(distinct.to_numpy(), index=np.asarray(plain, dtype=object))
    return indexed[~indexed.index.duplicated() & (indexed.index != "")]
