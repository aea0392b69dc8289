"""Values that may link records: no placeholders, no wrong check digits, and no values that many records share."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.fusion import placeholders
from graphrec.fusion.normalisation import (
    as_text,
    find_normaliser,
    get_text,
    list_columns,
    normalise_email,
    normalise_gtin,
    normalise_isbn,
    normalise_telephone,
    normalise_values,
)
from graphrec.schema import LinkRule
from graphrec.tables import replace_columns

#: The columns of the table of unusable values: one row for each value of a property in a source.
UNUSED = ["source", "property", "value", "records", "reason"]
#: Maximum records of one source that may share a value; more share, for example, the telephone number of a shop.
MAX_RECORDS = 20

_PLACEHOLDER, _ADDRESS, _CHECK = "a placeholder", "an address of no person", "no such number: its check digit is wrong"
_EXAMPLE = "a number for examples"


def mask_unusable_values(
    sides: Mapping[str, pd.DataFrame], rules: Sequence[LinkRule]
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """The records of each source with unusable values set to missing, and a table of these values (columns `UNUSED`).

    Args:
        sides: records by source, with properties as columns.
        rules: the rules of their label.
    """
    masked, unused = {}, []
    for source, side in sides.items():
        masks: dict[str, npt.NDArray[np.bool_]] = {}
        for rule in rules:
            for name, column, unusable, reasons in _find_unusable_values(rule, side):
                added = unusable & ~masks.get(column, np.zeros(len(side), dtype=bool))
                masks[column] = masks.get(column, np.zeros(len(side), dtype=bool)) | unusable
                values = as_text(side[column])[added]
                counts = values.value_counts(sort=False)
                unused += [(source, name, value, int(number), reasons[str(value)]) for value, number in counts.items()]
        masked[source] = replace_columns(side, {column: side[column].mask(mask) for column, mask in masks.items()})
    frame = pd.DataFrame(unused, columns=UNUSED).astype({"records": "int64"})
    return masked, frame.sort_values(["records", "source", "property", "value"], ascending=[False, True, True, True])


def explain_unusable(rule: LinkRule, name: str, text: str) -> str | None:
    """The reason why a value of a property cannot link records by a rule; None if it can."""
    if rule.by == "title":
        return _PLACEHOLDER if name == rule.on[0] and placeholders.is_placeholder_title(text) else None
    normaliser = find_normaliser(name)
    is_number = len(rule.on) == 1 or normaliser is not None
    if placeholders.is_placeholder(text) or (is_number and placeholders.is_placeholder_number(text)):
        return _PLACEHOLDER
    return None if normaliser is None else _explain_invalid_identifier(normaliser, text, rule.by != "exact")


def _explain_invalid_identifier(normaliser: Callable[[str], str | None], text: str, strict: bool) -> str | None:
    """As `explain_unusable`, for an identifier; `strict` applies the check digit to numbers of seven digits too."""
    if normaliser is normalise_email:
        is_hash = text.strip().lower() in placeholders.hash_placeholders()
        return _ADDRESS if placeholders.is_placeholder_address(text) or is_hash else None
    normalised = normaliser(text)
    if normaliser is normalise_telephone:
        return _PLACEHOLDER if normalised is not None and placeholders.is_placeholder_telephone(normalised) else None
    if normalised is None:
        digits = sum(letter.isdigit() for letter in text)
        return _CHECK if digits >= 7 and (strict or digits >= 8) else None
    is_example = normaliser in (normalise_gtin, normalise_isbn) and placeholders.is_example_number(normalised)
    return _EXAMPLE if is_example else None


def _find_unusable_values(
    rule: LinkRule, side: pd.DataFrame
) -> Iterator[tuple[str, str, npt.NDArray[np.bool_], Mapping[str, str]]]:
    """For each column of a rule with unusable values: property, column, mask of the rows, and the reason by value."""
    for name in rule.on:
        for column in (column for column in list_columns(name) if column in side):
            text = as_text(side[column])
            checked = {value: explain_unusable(rule, name, value) for value in text.dropna().unique()}
            reasons = {value: reason for value, reason in checked.items() if reason is not None}
            if len(rule.on) == 1 and rule.by in ("exact", "normalised"):
                reasons = {**_find_shared_values(rule, text, get_text(side, name)), **reasons}
            if reasons:
                yield name, column, text.isin(list(reasons)).to_numpy(), reasons


def _find_shared_values(rule: LinkRule, text: "pd.Series[str]", every: "pd.Series[str] | None") -> dict[str, str]:
    """The values in `text` that more than MAX_RECORDS records share, with the reason; `every` has all columns' text."""
    assert every is not None  # the column exists
    compared = normalise_values(rule.on[0], text) if rule.by == "normalised" else text
    counts = (normalise_values(rule.on[0], every) if rule.by == "normalised" else every).value_counts()
    shared = counts[counts > MAX_RECORDS]
    values = text[compared.isin(shared.index)]
    return {
        value: f"shared by {shared[key]:,} records" for value, key in zip(values, compared[values.index], strict=True)
    }
