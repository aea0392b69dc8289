"""Records of two sources with equal values: identifiers unchanged, or in one spelling."""

from collections.abc import Sequence

import pandas as pd

from graphrec.fusion.candidate_pairs import Divided, divide, gathered, join
from graphrec.fusion.normalisation import canonical, columns_of, raw
from graphrec.schema import LinkRule

_CONFIDENCE = {"exact": 1.0, "normalised": 0.995}


def match_values(rule: LinkRule, left: pd.DataFrame, right: pd.DataFrame) -> Divided:
    """The pairs that agree in all properties of a rule; where it is one to one, values of several are ambiguous.

    Both are frames with a column key, sorted by it, and the properties as columns.
    """
    sides = [values_of(rule, side) for side in (left, right)]
    if any(side is None for side in sides):
        return Divided(gathered([]), gathered([]))
    frames = [side for side in sides if side is not None]
    pairs = join(frames[0], frames[1], rule.on, rule.one_to_one)
    parts = [_evidence(name, pairs[name], pairs[f"raw {name}_x"]) for name in rule.on]
    evidence = parts[0]
    for part in parts[1:]:
        evidence = evidence + ", " + part
    found = pairs[["left_key", "right_key"]].assign(confidence=_CONFIDENCE[rule.by], evidence=evidence)
    return divide(found) if rule.one_to_one else Divided(found, found.head(0))


def _evidence(name: str, value: "pd.Series[str]", left: "pd.Series[str]") -> "pd.Series[str]":
    return f"{name} " + left.where(left == value, left + " (" + value + ")")


def values_of(rule: LinkRule, records: pd.DataFrame) -> pd.DataFrame | None:
    """Columns key, and for each property its value as compared and as stored; None without a column."""
    columns: dict[str, pd.Series[str]] = {"key": records["key"]}
    for name in rule.on:
        text = raw(records, name)
        if text is None:
            return None
        columns[name] = canonical(name, text) if rule.by == "normalised" else text
        columns[f"raw {name}"] = text
    return pd.DataFrame(columns).dropna()


def differing_identifiers(
    pairs: pd.DataFrame, left: pd.DataFrame, right: pd.DataFrame, rules: Sequence[LinkRule]
) -> "pd.Series[str]":
    """For each pair what identifiers of its records differ ("imdb_id tt1 is not tt2"), empty where none does.

    Identifiers are the one-to-one rules by a single exact or normalised property.
    """
    said = pd.Series("", index=pairs.index, dtype="str")
    for rule in rules:
        if rule.by not in ("exact", "normalised") or not rule.one_to_one or len(rule.on) != 1 or pairs.empty:
            continue
        name = rule.on[0]
        if not all(set(columns_of(name)) & set(side.columns) for side in (left, right)):
            continue
        sides = [(values_of(rule, side), key) for side, key in ((left, "left_key"), (right, "right_key"))]
        ours, theirs = (
            pairs[key].map(side.set_index("key")[name]).astype("str") for side, key in sides if side is not None
        )
        differ = ours.notna() & theirs.notna() & (ours != theirs)
        remark = (said.where(said == "", said + ", ") + f"{name} " + ours + " is not " + theirs)[differ]
        said = said.mask(differ, remark)
    return said
