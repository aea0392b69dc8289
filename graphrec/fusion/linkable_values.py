"""Which values may link records: no placeholders, no numbers with a wrong check digit, nothing that many share."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.fusion import placeholders
from graphrec.fusion.normalisation import (
    as_text,
    canonical,
    columns_of,
    email,
    gtin,
    isbn13,
    raw,
    spelling_of,
    telephone,
)
from graphrec.schema import LinkRule

#: What is said of values that link nothing; one row for each value of a property in a source.
UNUSED = ["source", "property", "value", "records", "reason"]
#: A value that more records of one source have is shared, as the telephone number of a shop is: it says nothing of one.
MOST_RECORDS = 20

_PLACEHOLDER, _ADDRESS, _CHECK = "a placeholder", "an address of no person", "no such number: its check digit is wrong"
_PRINTED = "a number for examples"


def without_unusable(
    sides: Mapping[str, pd.DataFrame], rules: Sequence[LinkRule]
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """The records of each source with the values missing that identify nothing, and these values: columns `UNUSED`.

    Args:
        sides: records by source, with properties as columns.
        rules: the rules of their label.
    """
    kept, unused = {}, []
    for source, side in sides.items():
        masks: dict[str, npt.NDArray[np.bool_]] = {}
        for rule in rules:
            for name, column, bad, reasons in _bad_values(rule, side):
                fresh = bad & ~masks.get(column, np.zeros(len(side), dtype=bool))
                masks[column] = masks.get(column, np.zeros(len(side), dtype=bool)) | bad
                values = as_text(side[column])[fresh]
                counts = values.value_counts(sort=False)
                unused += [(source, name, value, int(number), reasons[str(value)]) for value, number in counts.items()]
        kept[source] = side.assign(**{column: side[column].mask(bad) for column, bad in masks.items()})
    frame = pd.DataFrame(unused, columns=UNUSED).astype({"records": "int64"})
    return kept, frame.sort_values(["records", "source", "property", "value"], ascending=[False, True, True, True])


def why_unusable(rule: LinkRule, name: str, text: str) -> str | None:
    """Why a value of a property links nothing by a rule; None if it may."""
    if rule.by == "title":
        return _PLACEHOLDER if name == rule.on[0] and placeholders.is_no_title(text) else None
    spell = spelling_of(name)
    if placeholders.is_word(text) or ((len(rule.on) == 1 or spell is not None) and placeholders.is_zero(text)):
        return _PLACEHOLDER
    return None if spell is None else _why_no_identifier(spell, text, rule.by != "exact")


def _why_no_identifier(spell: Callable[[str], str | None], text: str, strict: bool) -> str | None:
    """As `why_unusable`, of a property with a spelling of its own; `strict` if only what has the spelling may link."""
    if spell is email:
        return _ADDRESS if placeholders.is_no_address(text) or text.strip().lower() in placeholders.hashes() else None
    spelt = spell(text)
    if spell is telephone:
        return _PLACEHOLDER if spelt is not None and placeholders.is_no_telephone(spelt) else None
    if spelt is None:
        digits = sum(letter.isdigit() for letter in text)
        return _CHECK if digits >= 7 and (strict or digits >= 8) else None
    printed = spell in (gtin, isbn13) and placeholders.is_printed_number(spelt)
    return _PRINTED if printed else None


def _bad_values(
    rule: LinkRule, side: pd.DataFrame
) -> Iterator[tuple[str, str, npt.NDArray[np.bool_], Mapping[str, str]]]:
    """For each column of a rule: property, column, the rows whose value may not link, and the reason by value."""
    for name in rule.on:
        for column in (column for column in columns_of(name) if column in side):
            text = as_text(side[column])
            found = {value: why_unusable(rule, name, value) for value in text.dropna().unique()}
            reasons = {value: reason for value, reason in found.items() if reason is not None}
            if len(rule.on) == 1 and rule.by in ("exact", "normalised"):
                reasons = {**_shared(rule, text, raw(side, name)), **reasons}
            if reasons:
                yield name, column, text.isin(list(reasons)).to_numpy(), reasons


def _shared(rule: LinkRule, text: "pd.Series[str]", every: "pd.Series[str] | None") -> dict[str, str]:
    """The reason by value, of the values that very many records have."""
    assert every is not None  # the column is there
    spelt = canonical(rule.on[0], text) if rule.by == "normalised" else text
    counts = (canonical(rule.on[0], every) if rule.by == "normalised" else every).value_counts()
    often = counts[counts > MOST_RECORDS]
    values = text[spelt.isin(often.index)]
    return {value: f"shared by {often[key]:,} records" for value, key in zip(values, spelt[values.index], strict=True)}
