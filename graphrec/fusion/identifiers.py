"""Exact and normalised link rules: pairs of records whose identifiers are equal, as stored or after normalisation."""

from collections.abc import Sequence

import pandas as pd

from graphrec.fusion.candidate_pairs import (
    JOINED_KEYS,
    SIDES,
    MatchedPairs,
    concat_pairs,
    join,
    split_clear_and_ambiguous,
)
from graphrec.fusion.normalisation import get_text, list_columns, normalise_values
from graphrec.fusion.records import KEY
from graphrec.schema import LinkRule

_CONFIDENCE = {"exact": 1.0, "normalised": 0.995}


def match_values(rule: LinkRule, left: pd.DataFrame, right: pd.DataFrame) -> MatchedPairs:
    """The pairs that agree in all properties of a rule; for a one-to-one rule, a value of several records is ambiguous.

    Both frames have a column `KEY`, are sorted by it, and have the properties as columns.
    """
    sides = [select_values(rule, side) for side in (left, right)]
    if any(side is None for side in sides):
        return MatchedPairs(concat_pairs([]), concat_pairs([]))
    frames = [side for side in sides if side is not None]
    candidates = join(frames[0], frames[1], rule.on, rule.one_to_one)
    parts = [_describe_value(name, candidates[name], candidates[f"{_raw(name)}_x"]) for name in rule.on]
    evidence = parts[0]
    for part in parts[1:]:
        evidence = evidence + ", " + part
    pairs = candidates[JOINED_KEYS].set_axis(SIDES, axis=1).assign(confidence=_CONFIDENCE[rule.by], evidence=evidence)
    return split_clear_and_ambiguous(pairs) if rule.one_to_one else MatchedPairs(pairs, pairs.head(0))


def _describe_value(name: str, value: "pd.Series[str]", left: "pd.Series[str]") -> "pd.Series[str]":
    return f"{name} " + left.where(left == value, left + " (" + value + ")")


def _raw(name: str) -> str:
    """The column with the stored values of a property; the NUL distinguishes it from properties."""
    return f"\0raw {name}"


def select_values(rule: LinkRule, records: pd.DataFrame) -> pd.DataFrame | None:
    """Columns `KEY`, and each property as compared and (`_raw`) as stored; None if a column is missing."""
    columns: dict[str, pd.Series[str]] = {KEY: records[KEY]}
    for name in rule.on:
        text = get_text(records, name)
        if text is None:
            return None
        columns[name] = normalise_values(name, text) if rule.by == "normalised" else text
        columns[_raw(name)] = text
    return pd.DataFrame(columns).dropna()


def describe_identifier_conflicts(
    pairs: pd.DataFrame, left: pd.DataFrame, right: pd.DataFrame, rules: Sequence[LinkRule]
) -> "pd.Series[str]":
    """For each pair the identifiers in which its records differ ("imdb_id tt1 is not tt2"), empty if they agree.

    Identifiers are the properties of one-to-one rules on a single exact or normalised property.
    """
    conflicts = pd.Series("", index=pairs.index, dtype="str")
    for rule in rules:
        if rule.by not in ("exact", "normalised") or not rule.one_to_one or len(rule.on) != 1 or pairs.empty:
            continue
        name = rule.on[0]
        if not all(set(list_columns(name)) & set(side.columns) for side in (left, right)):
            continue
        sides = [(select_values(rule, side), key) for side, key in ((left, "left_key"), (right, "right_key"))]
        left_values, right_values = (
            pairs[key].map(side.set_index(KEY)[name]).astype("str") for side, key in sides if side is not None
        )
        differ = left_values.notna() & right_values.notna() & (left_values != right_values)
        conflict = conflicts.where(conflicts == "", conflicts + ", ") + f"{name} " + left_values
        conflicts = conflicts.mask(differ, (conflict + " is not " + right_values)[differ])
    return conflicts
