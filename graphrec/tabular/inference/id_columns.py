"""Finds the id columns of users and items by name, or else by repetition and functional dependencies."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graphrec.tabular.inference import lexicon, name_semantics
from graphrec.tabular.inference.column_profile import ColumnProfile
from graphrec.tabular.inference.functional_dependencies import measure_dependency
from graphrec.tabular.inference.headers import is_event
from graphrec.tabular.inference.name_semantics import NameMeaning

#: Contexts that may be the items of a table without an item column.
_ACTED_ON = ("review", "message", "ticket", "request", "playlist")


@dataclass(frozen=True)
class IdColumn:
    """A candidate id column, with reason, confidence (0 to 1) and an open question."""

    column: str
    reason: str
    confidence: float
    question: str = ""


def interpret_columns(columns: Mapping[str, ColumnProfile], hints: Mapping[str, NameMeaning]) -> dict[str, NameMeaning]:
    """The meaning of each column: from foreign keys (`hints`), else from its name."""
    return {name: hints.get(name) or name_semantics.interpret_name(name) for name in columns}


def find_user_columns(columns: Mapping[str, ColumnProfile], meanings: Mapping[str, NameMeaning]) -> list[IdColumn]:
    """User id columns by name, the most likely first."""
    return _by_name(columns, meanings, "user")


def find_item_columns(columns: Mapping[str, ColumnProfile], meanings: Mapping[str, NameMeaning]) -> list[IdColumn]:
    """Item id columns by name, the most likely first; a column that determines the others, such as a track, wins."""
    found = _by_name(columns, meanings, "item")
    carried = [end for end in found if set(name_semantics.tokenize(end.column)) & lexicon.PERSONAL_IDS]
    found = [end for end in found if end not in carried or len(carried) == len(found)]
    strong = [end for end in found if end.confidence >= 0.8]
    for end in strong:
        others = [other for other in strong if other is not end]
        forward = [measure_dependency(columns[end.column], columns[other.column]) for other in others]
        back = [measure_dependency(columns[other.column], columns[end.column]) for other in others]
        if others and all(d.holds for d in forward) and all(d.violations > 0 for d in back):
            named = ", ".join(other.column for other in others)
            return [
                IdColumn(end.column, f"{end.reason}; it determines {named}", end.confidence),
                *(o for o in found if o is not end),
            ]
    return found


def find_unnamed_item(
    columns: Mapping[str, ColumnProfile], meanings: Mapping[str, NameMeaning], taken: Sequence[str]
) -> IdColumn | None:
    """An item column without a known name: other repeated ids in a table of users."""
    ids = [
        name
        for name, meaning in meanings.items()
        if name not in taken and meaning.entity == "other" and is_id(columns[name]) and columns[name].num_distinct > 1
    ]
    ids = [name for name in ids if not (columns[name].unique and columns[name].num_filled > 3 and len(ids) > 1)]
    if ids:
        best = max(ids, key=lambda name: (columns[name].num_distinct, "id" in name_semantics.tokenize(name)))
        finer = [
            name for name in ids if all(measure_dependency(columns[name], columns[o]).holds for o in ids if o != name)
        ]
        best = finer[0] if len(finer) == 1 else best
        others = [name for name in ids if name != best]
        ask = f"is {best} the item, or {' or '.join(others[:3])}?" if others else ""
        return IdColumn(
            best, "the only other ids" if not others else "the ids with the most values", 0.6 if others else 0.8, ask
        )
    texts = [name for name in columns if name not in taken and _may_name_items(columns[name], meanings[name])]
    bundles = [n for n in columns if n not in taken and meanings[n].word in _ACTED_ON and not columns[n].unique]
    if bundles:
        return IdColumn(bundles[0], "repeated ids", 0.5, f"is {bundles[0]} what users act on?")
    if not texts:
        return None
    best = max(
        texts,
        key=lambda n: (name_semantics.fold(n) in lexicon.TITLES, meanings[n].entity == "item", columns[n].num_distinct),
    )
    return IdColumn(best, "repeated texts", 0.5, f"is {best} what users act on?")


def find_user_substitute(
    columns: Mapping[str, ColumnProfile], meanings: Mapping[str, NameMeaning], taken: Sequence[str]
) -> IdColumn | None:
    """Ids that can replace users if no column has user ids: e-mail addresses, cards, sessions, orders."""
    mail = next((n for n in columns if n not in taken and {"email", "mail"} & set(name_semantics.tokenize(n))), None)
    if mail and is_id(columns[mail]):
        return IdColumn(mail, "an e-mail address identifies a person", 0.7)
    for name in columns:
        parts = name_semantics.tokenize(name)
        if name not in taken and is_id(columns[name]) and len(parts) > 1 and set(parts) & lexicon.PERSONAL_IDS:
            return IdColumn(name, f"a {name} belongs to a person", 0.6, f"does each {name} represent a person?")
    for name, meaning in meanings.items():
        if name in taken or not is_id(columns[name]):
            continue
        if meaning.entity == "context" and meaning.part == "id" and not columns[name].unique:
            ask = (
                f"no column has user ids, so each {meaning.word} ({name}) is used as a user: is there a file that "
                f"maps each {meaning.word} to a user?"
            )
            return IdColumn(name, f"'{meaning.word}' groups rows, and no column has user ids", 0.5, ask)
    agents = [name for name in columns if name not in taken and _is_agent(name) and is_id(columns[name])]
    if agents:
        return IdColumn(agents[0], "a word for a person who acts", 0.6, f"does {agents[0]} identify the user?")
    other = [
        name for name, meaning in meanings.items()
        if name not in taken and meaning.entity == "other" and is_id(columns[name]) and not columns[name].unique
    ]  # fmt: skip
    if len(other) == 1:
        return IdColumn(other[0], "the only other ids", 0.6, f"does {other[0]} identify the user?")
    return None


def _is_agent(name: str) -> bool:
    """Whether a column name means a person who acts, such as taster_name, but not a seller or maker."""
    parts = name_semantics.tokenize(name)
    named = len(parts) == 2 and (parts[1] in lexicon.ID_ENDINGS or parts[1] in lexicon.TITLES)
    return (
        named and re.fullmatch(r"[a-z]{3,}(er|or|ist|eur)", parts[0]) is not None and parts[0] not in lexicon.NON_AGENTS
    )


def is_id(column: ColumnProfile) -> bool:
    """Whether the values may be ids: integers or short texts, but not times or booleans."""
    if column.kind == "bool" or not column.num_filled:
        return False
    if column.kind == "float":
        return column.whole
    if column.time_format is not None and column.kind == "str":
        return False
    return column.split == " " or bool(column.values.dropna().str.len().median() <= 80)


def _is_two_numbers(column: ColumnProfile) -> bool:
    """Whether the values are two integers joined by a full stop, such as client ids of web analytics."""
    return column.kind == "float" and bool(column.values.dropna().str.fullmatch(r"\d+\.\d{6,}").all())


def _by_name(columns: Mapping[str, ColumnProfile], meanings: Mapping[str, NameMeaning], what: str) -> list[IdColumn]:
    found = []
    for name, meaning in meanings.items():
        if meaning.entity != what or meaning.part not in ("id", "name"):
            continue
        if not is_id(columns[name]) and not (meaning.strength == 3 and _is_two_numbers(columns[name])):
            continue
        if meaning.part == "id" and meaning.strength < 3 and columns[name].kind == "float" and not columns[name].whole:
            continue
        if (
            meaning.strength == 2
            and columns[name].numeric
            and name_semantics.tokenize(name)[-1] != name_semantics.singularize(name_semantics.tokenize(name)[-1])
        ):
            continue  # `members` and `reviews` are counts
        if meaning.strength < 3 and columns[name].kind in ("int", "float") and name_semantics.is_weight(name):
            continue
        sure = {3: 0.97, 2: 0.9, 1: 0.5}[max(1, meaning.strength)]
        reason = f"'{meaning.word}'" + (
            " with an id's ending" if meaning.strength == 3 else "" if meaning.part == "id" else " by name"
        )
        found.append(IdColumn(name, reason, sure))
    return sorted(found, key=lambda end: -end.confidence)


def _may_name_items(column: ColumnProfile, meaning: NameMeaning) -> bool:
    if (
        column.kind != "str"
        or column.time_format is not None
        or is_event(column)
        or meaning.entity in ("user", "context")
    ):
        return False
    if (
        name_semantics.fold(column.name)
        in lexicon.REVIEW_TEXTS | lexicon.USER_ATTRIBUTES | lexicon.EVENTS | lexicon.TAGS
    ):
        return False
    short = bool(column.values.dropna().str.len().median() <= 60) if column.num_filled else False
    return short and column.num_distinct > 1 and (not column.unique or column.num_filled < 8)
