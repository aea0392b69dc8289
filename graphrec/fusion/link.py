"""Links between records of several sources: by identifiers, by title and year, or by several fields."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import pandas as pd

from graphrec.fusion.candidate_pairs import (
    SIDES,
    MatchedPairs,
    concat_pairs,
    select_link_columns,
    split_clear_and_ambiguous,
)
from graphrec.fusion.identifiers import describe_identifier_conflicts, match_values
from graphrec.fusion.linkable_values import mask_unusable_values
from graphrec.fusion.probabilistic import match_fields
from graphrec.fusion.records import KEY, SOURCE_NAME
from graphrec.fusion.title_links import match_titles
from graphrec.schema import ITEM, LinkRule

#: The rules that apply to the items of all sources; a source can add rules. No default rule fits all users.
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
    """The links between records of different sources.

    Attributes:
        pairs: linked pairs, with columns left_key, right_key ("source:id", the left source first by name), rule (its
            `rule_name`), confidence (0 to 1) and evidence (text: the equal values, and for ambiguous pairs what
            contradicts them).
        ambiguous: pairs between which a rule could not decide, with the same columns.
        unused: values that identify nothing and were not compared (columns `linkable_values.UNUSED`).
    """

    pairs: pd.DataFrame
    ambiguous: pd.DataFrame
    unused: pd.DataFrame


def rule_name(rule: LinkRule) -> str:
    """The name of a rule in links and reports, unique per label: "title and year", "imdb_id, normalised"."""
    name = " and ".join(rule.on)
    return name if rule.by == "title" else f"{name}, {'similar' if rule.by == 'fields' else rule.by}"


def find_links(label: str, records: pd.DataFrame, rules: Sequence[LinkRule]) -> Links:
    """The links between records of different sources by the rules of a label, independent of the order of records.

    Every rule is applied to every pair of sources that have its columns, and only to records with a value in each.
    A pair that several rules find has the rule with the highest confidence. For one-to-one rules a record has at most
    one partner in each other source, the one with the highest confidence; its other pairs are ambiguous. A title
    never links records with different identifiers. Placeholders, numbers with a wrong check digit, and values that
    many records of one source share are not compared. Pairs below a rule's threshold are included.

    Args:
        label: the label of the records; rules of other labels are ignored.
        records: columns `KEY` ("source:id", unique), `SOURCE_NAME`, and properties of any dtype.
        rules: rules of any labels.

    Raises:
        GraphrecError: a rule compares several fields, and splink is not installed.
        DataError: a rule that is not one to one gives more than twenty million pairs.
    """
    applicable = sorted({rule for rule in rules if rule.label == label}, key=repr)
    records = records.sort_values(KEY, ignore_index=True)
    # A source has only the columns in which one of its records has a value.
    sides = {
        str(name): frame.dropna(axis="columns", how="all").reset_index(drop=True)
        for name, frame in records.groupby(SOURCE_NAME, sort=True)
    }
    sides, unused = mask_unusable_values(sides, applicable)
    matches = [_link_sources(sides[left], sides[right], applicable) for left, right in combinations(sides, 2)]
    pairs = concat_pairs([each.clear for each in matches])
    ambiguous = concat_pairs([each.ambiguous for each in matches])
    frames = [select_link_columns(frame).sort_values(SIDES, ignore_index=True) for frame in (pairs, ambiguous)]
    return Links(frames[0], frames[1], unused)


def _link_sources(left: pd.DataFrame, right: pd.DataFrame, rules: Sequence[LinkRule]) -> MatchedPairs:
    """The links between two sources by all rules."""
    one_to_one: list[pd.DataFrame] = []
    many_to_many: list[pd.DataFrame] = []
    ambiguous: list[pd.DataFrame] = []
    for rule in rules:
        clear, unclear = _MATCHERS[rule.by](rule, left, right)
        if clear.empty and unclear.empty:
            continue
        clear = clear.assign(rule=rule_name(rule), made=clear["confidence"] >= rule.threshold)
        ambiguous.append(unclear.assign(rule=rule_name(rule), made=False))
        if rule.by == "title":
            conflicts = describe_identifier_conflicts(clear, left, right, rules)
            ambiguous.append(_select_contradicted(clear, conflicts))
            clear = clear[conflicts == ""]
        (one_to_one if rule.one_to_one else many_to_many).append(clear)
    assigned, rejected = _assign_one_to_one(_merge_duplicates(concat_pairs(one_to_one)))
    unclear = concat_pairs(ambiguous)
    settled = unclear["left_key"].isin(assigned["left_key"]) | unclear["right_key"].isin(assigned["right_key"])
    return MatchedPairs(
        _merge_duplicates(concat_pairs([assigned, *many_to_many])),
        _merge_duplicates(concat_pairs([unclear[~settled], rejected])),
    )


def _select_contradicted(pairs: pd.DataFrame, contradiction: "pd.Series[str]") -> pd.DataFrame:
    """The pairs with a contradiction, which is appended to their evidence."""
    contradicted = pairs[contradiction != ""]
    return contradicted.assign(evidence=contradicted["evidence"] + "; but " + contradiction[contradiction != ""])


def _merge_duplicates(pairs: pd.DataFrame) -> pd.DataFrame:
    """Each pair once, with the rule of the highest confidence and the evidence of all rules, that rule's first."""
    order = pairs.sort_values([*SIDES, "made", "confidence", "rule"], ascending=[True, True, False, False, True])
    is_duplicate = order.duplicated(SIDES, keep=False)
    if not is_duplicate.any():
        return order
    duplicates = order[is_duplicate]
    evidence = duplicates.groupby(SIDES)["evidence"].agg(lambda texts: "; ".join(dict.fromkeys(texts)))
    return concat_pairs([order[~is_duplicate], duplicates.drop_duplicates(SIDES).assign(evidence=evidence.to_numpy())])


def _assign_one_to_one(pairs: pd.DataFrame) -> MatchedPairs:
    """A one-to-one assignment, in descending order of confidence; pairs that lose or tie are ambiguous."""
    clear, contested = split_clear_and_ambiguous(pairs)
    assigned, rejected = [clear], []
    partner: dict[str, str] = {}
    levels = contested.groupby(["made", "confidence"], sort=True)
    for _, level in reversed(list(levels)):
        has_partner = level["left_key"].isin(partner.keys()) | level["right_key"].isin(partner.keys())
        winners, tied = split_clear_and_ambiguous(level[~has_partner])
        assigned.append(winners)
        contradiction = _describe_partners(level, partner)
        rejected += [tied, _select_contradicted(level[has_partner], contradiction[has_partner])]
        lefts, rights = winners["left_key"].tolist(), winners["right_key"].tolist()
        partner.update(zip(lefts + rights, rights + lefts, strict=True))
    return MatchedPairs(concat_pairs(assigned), concat_pairs(rejected))


def _describe_partners(pairs: pd.DataFrame, partner: Mapping[str, str]) -> "pd.Series[str]":
    """For each pair the partners that its records already have: "imdb:1 is linked with movielens:2"."""
    rows = pairs[SIDES].itertuples(index=False, name=None)
    texts = [[f"{key} is linked with {partner[key]}" for key in row if key in partner] for row in rows]
    return pd.Series([" and ".join(each) for each in texts], index=pairs.index, dtype="str")
