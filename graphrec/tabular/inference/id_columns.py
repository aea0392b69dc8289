"""Which columns hold the ids of users and of items: by name, and else by what comes again and what says what."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graphrec.tabular.inference import lexicon, name_semantics
from graphrec.tabular.inference.column_profile import ColumnProfile
from graphrec.tabular.inference.functional_dependencies import measure_dependency
from graphrec.tabular.inference.headers import is_event
from graphrec.tabular.inference.name_semantics import NameMeaning

#: Contexts that users may act on where there is no item.
_ACTED_ON = ("review", "message", "ticket", "request", "playlist")


@dataclass(frozen=True)
class IdColumn:
    """A column of ids, the reasons to take it for one, and how sure that is (0 to 1)."""

    column: str
    reason: str
    confidence: float
    question: str = ""


def interpret_columns(columns: Mapping[str, ColumnProfile], hints: Mapping[str, NameMeaning]) -> dict[str, NameMeaning]:
    """What each column's name says, or what the keys that it shares with other files say."""
    return {name: hints.get(name) or name_semantics.interpret_name(name) for name in columns}


def find_user_columns(columns: Mapping[str, ColumnProfile], meanings: Mapping[str, NameMeaning]) -> list[IdColumn]:
    """The columns of users by name, the likeliest first."""
    return _by_name(columns, meanings, "user")


def find_item_columns(columns: Mapping[str, ColumnProfile], meanings: Mapping[str, NameMeaning]) -> list[IdColumn]:
    """The columns of items by name, the likeliest first; one that says the others is finer, as a track is."""
    found = _by_name(columns, meanings, "item")
    carried = [end for end in found if set(name_semantics.tokenize(end.column)) & lexicon.CARRIED]
    found = [end for end in found if end not in carried or len(carried) == len(found)]
    strong = [end for end in found if end.confidence >= 0.8]
    for end in strong:
        others = [other for other in strong if other is not end]
        says = [measure_dependency(columns[end.column], columns[other.column]) for other in others]
        back = [measure_dependency(columns[other.column], columns[end.column]) for other in others]
        if others and all(d.holds for d in says) and all(d.violations > 0 for d in back):
            named = ", ".join(other.column for other in others)
            return [
                IdColumn(end.column, f"{end.reason}; it says {named}", end.confidence),
                *(o for o in found if o is not end),
            ]
    return found


def find_unnamed_item(
    columns: Mapping[str, ColumnProfile], meanings: Mapping[str, NameMeaning], taken: Sequence[str]
) -> IdColumn | None:
    """A column of items whose name is unknown: the other ids beside the user's that come again."""
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
        return IdColumn(bundles[0], "ids that come again", 0.5, f"is {bundles[0]} what users act on?")
    if not texts:
        return None
    best = max(
        texts,
        key=lambda n: (name_semantics.fold(n) in lexicon.NAMES, meanings[n].entity == "item", columns[n].num_distinct),
    )
    return IdColumn(best, "texts that come again", 0.5, f"is {best} what users act on?")


def find_user_substitute(
    columns: Mapping[str, ColumnProfile], meanings: Mapping[str, NameMeaning], taken: Sequence[str]
) -> IdColumn | None:
    """Ids that can stand for users where no column names any: sessions, orders, e-mail addresses."""
    mail = next((n for n in columns if n not in taken and {"email", "mail"} & set(name_semantics.tokenize(n))), None)
    if mail and is_id(columns[mail]):
        return IdColumn(mail, "an e-mail address names a person", 0.7)
    for name in columns:
        parts = name_semantics.tokenize(name)
        if name not in taken and is_id(columns[name]) and len(parts) > 1 and set(parts) & lexicon.CARRIED:
            return IdColumn(name, f"{name} is what a person carries", 0.6, f"does each {name} stand for a person?")
    for name, meaning in meanings.items():
        if name in taken or not is_id(columns[name]):
            continue
        if meaning.entity == "context" and meaning.part == "id" and not columns[name].unique:
            ask = (
                f"no column names users, so that each {meaning.word} ({name}) is taken for one: is there a file that "
                "says whose it is?"
            )
            return IdColumn(name, f"'{meaning.word}' bundles rows, and no column names users", 0.5, ask)
    agents = [name for name in columns if name not in taken and _is_agent(name) and is_id(columns[name])]
    if agents:
        return IdColumn(agents[0], "a word for who does something", 0.6, f"does {agents[0]} say who acted?")
    other = [
        name for name, meaning in meanings.items()
        if name not in taken and meaning.entity == "other" and is_id(columns[name]) and not columns[name].unique
    ]  # fmt: skip
    if len(other) == 1:
        return IdColumn(other[0], "the only other ids", 0.6, f"does {other[0]} say who acted?")
    return None


def _is_agent(name: str) -> bool:
    """Whether a column is called like who does something, such as taster_name, and not like who sells or makes it."""
    parts = name_semantics.tokenize(name)
    named = len(parts) == 2 and (parts[1] in lexicon.ID_ENDINGS or parts[1] in lexicon.NAMES)
    return (
        named and re.fullmatch(r"[a-z]{3,}(er|or|ist|eur)", parts[0]) is not None and parts[0] not in lexicon.NO_AGENTS
    )


def is_id(column: ColumnProfile) -> bool:
    """Whether the values may be ids: whole numbers or short texts that are no times and not only true and false."""
    if column.kind == "bool" or not column.num_filled:
        return False
    if column.kind == "float":
        return column.whole
    if column.time_format is not None and column.kind == "str":
        return False
    return column.split == " " or bool(column.values.dropna().str.len().median() <= 80)


def _is_two_numbers(column: ColumnProfile) -> bool:
    """Whether the values are two whole numbers with a full stop between, as the client ids of web analytics are."""
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
            continue  # `members` and `reviews` are numbers of them
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
    if name_semantics.fold(column.name) in lexicon.TEXTS | lexicon.USER_ATTRIBUTES | lexicon.EVENTS | lexicon.TAGS:
        return False
    short = bool(column.values.dropna().str.len().median() <= 60) if column.num_filled else False
    return short and column.num_distinct > 1 and (not column.unique or column.num_filled < 8)
