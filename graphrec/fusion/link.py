"""Which records of several sources are the same thing: by identifiers, by title and year, by several fields."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import pandas as pd

from graphrec.fusion.candidate_pairs import SIDES, Divided, as_pairs, divide, gathered
from graphrec.fusion.identifiers import differing_identifiers, match_values
from graphrec.fusion.linkable_values import without_unusable
from graphrec.fusion.probabilistic import match_fields
from graphrec.fusion.title_links import match_titles
from graphrec.schema import ITEM, LinkRule

#: What all items are recognised by; a source adds rules of its own, and users have none that fit everybody.
DEFAULT_LINKS: tuple[LinkRule, ...] = (
    LinkRule(ITEM, "normalised", ("imdb_id",)),
    LinkRule(ITEM, "exact", ("tmdb_id",)),
    LinkRule(ITEM, "normalised", ("isbn",)),
    LinkRule(ITEM, "normalised", ("gtin",)),
    LinkRule(ITEM, "normalised", ("asin",)),
    LinkRule(ITEM, "normalised", ("musicbrainz_id",)),
    LinkRule(ITEM, "normalised", ("wikidata_id",)),
    LinkRule(ITEM, "title", ("title", "year")),
)

_MATCHERS = {"exact": match_values, "normalised": match_values, "title": match_titles, "fields": match_fields}


@dataclass(frozen=True)
class Links:
    """Pairs of records of two sources that are one thing, pairs between which a rule could not decide, and the values
    that were not compared because they identify nothing (columns `identity.UNUSED`).

    The other frames have the columns left_key and right_key ("source:id", the left source before the right by name),
    rule (its `rule_name`), confidence (0 to 1) and evidence (text: what agrees, and what speaks against an ambiguous
    pair).
    """

    pairs: pd.DataFrame
    ambiguous: pd.DataFrame
    unused: pd.DataFrame


def rule_name(rule: LinkRule) -> str:
    """What a rule is called in links, another name for each: "title and year", "imdb_id, normalised"."""
    name = " and ".join(rule.on)
    return name if rule.by == "title" else f"{name}, {'similar' if rule.by == 'fields' else rule.by}"


def find_links(label: str, records: pd.DataFrame, rules: Sequence[LinkRule]) -> Links:
    """The links between records of different sources by the rules of a label, whatever the order of the records.

    Every rule is applied to every pair of sources that have its columns, and sees only the rows with a value in each.
    Of a pair that several rules find, the most confident one is given. By rules that are one to one a record has at
    most one partner in each other source: the one of the most confident rule, while the others become ambiguous. A
    title never links records that an identifier distinguishes. Placeholders, numbers with a wrong check digit, and
    values that very many records of one source have, link nothing. Pairs below a rule's threshold are given too.

    Args:
        label: what the records are, which says which rules apply.
        records: columns key ("source:id", unique), source, and properties of any dtype.
        rules: rules of any labels.

    Raises:
        GraphrecError: a rule compares several fields, and splink is not installed.
        DataError: a value of a rule that is not one to one links more than twenty million pairs.
    """
    chosen = sorted({rule for rule in rules if rule.label == label}, key=repr)
    records = records.sort_values("key", ignore_index=True)
    # A column without a value is one that the source does not have.
    sides = {
        str(name): frame.dropna(axis="columns", how="all").reset_index(drop=True)
        for name, frame in records.groupby("source", sort=True)
    }
    sides, unused = without_unusable(sides, chosen)
    found = [_between(sides[left], sides[right], chosen) for left, right in combinations(sides, 2)]
    pairs, ambiguous = gathered([each.clear for each in found]), gathered([each.ambiguous for each in found])
    tidy = [as_pairs(frame).sort_values(SIDES, ignore_index=True) for frame in (pairs, ambiguous)]
    return Links(tidy[0], tidy[1], unused)


def _between(left: pd.DataFrame, right: pd.DataFrame, rules: Sequence[LinkRule]) -> Divided:
    """The links of two sources by all rules together."""
    single: list[pd.DataFrame] = []
    multiple: list[pd.DataFrame] = []
    ambiguous: list[pd.DataFrame] = []
    for rule in rules:
        clear, doubtful = _MATCHERS[rule.by](rule, left, right)
        if clear.empty and doubtful.empty:
            continue
        clear = clear.assign(rule=rule_name(rule), made=clear["confidence"] >= rule.threshold)
        ambiguous.append(doubtful.assign(rule=rule_name(rule), made=False))
        if rule.by == "title":
            remark = differing_identifiers(clear, left, right, rules)
            ambiguous.append(_remarked(clear, remark))
            clear = clear[remark == ""]
        (single if rule.one_to_one else multiple).append(clear)
    kept, lost = _decided(_strongest(gathered(single)))
    doubtful = gathered(ambiguous)
    settled = doubtful["left_key"].isin(kept["left_key"]) | doubtful["right_key"].isin(kept["right_key"])
    return Divided(_strongest(gathered([kept, *multiple])), _strongest(gathered([doubtful[~settled], lost])))


def _remarked(pairs: pd.DataFrame, remark: "pd.Series[str]") -> pd.DataFrame:
    """The pairs that something speaks against, with that at the end of their evidence."""
    against = pairs[remark != ""]
    return against.assign(evidence=against["evidence"] + "; but " + remark[remark != ""])


def _strongest(pairs: pd.DataFrame) -> pd.DataFrame:
    """Each pair once, by its most confident rule, whose evidence is followed by that of the others."""
    order = pairs.sort_values([*SIDES, "made", "confidence", "rule"], ascending=[True, True, False, False, True])
    twice = order.duplicated(SIDES, keep=False)
    if not twice.any():
        return order
    several = order[twice]
    joined = several.groupby(SIDES)["evidence"].agg(lambda texts: "; ".join(dict.fromkeys(texts)))
    return gathered([order[~twice], several.drop_duplicates(SIDES).assign(evidence=joined.to_numpy())])


def _decided(pairs: pd.DataFrame) -> Divided:
    """The pairs of a one-to-one relation, the strongest first, and those that lose against them or tie."""
    clear, contested = divide(pairs)
    kept, lost, partner = [clear], [], pd.Series(dtype="str")
    levels = contested.groupby(["made", "confidence"], sort=True)
    for _, level in reversed(list(levels)):
        taken = level["left_key"].isin(partner.index) | level["right_key"].isin(partner.index)
        winners, tied = divide(level[~taken])
        kept.append(winners)
        said = _linked_otherwise(level, partner)
        lost += [tied, _remarked(level[taken], said[taken])]
        ends = winners[SIDES].to_numpy()
        partner = pd.concat([partner, pd.Series(ends[:, 1], ends[:, 0]), pd.Series(ends[:, 0], ends[:, 1])])
    return Divided(gathered(kept), gathered(lost))


def _linked_otherwise(pairs: pd.DataFrame, partner: "pd.Series[str]") -> "pd.Series[str]":
    """What is said of pairs of which a record has another partner: "imdb:1 is linked with movielens:2"."""
    rows = pairs[SIDES].itertuples(index=False, name=None)
    said = [[f"{key} is linked with {partner[key]}" for key in row if key in partner.index] for row in rows]
    return pd.Series([" and ".join(each) for each in said], index=pairs.index, dtype="str")
