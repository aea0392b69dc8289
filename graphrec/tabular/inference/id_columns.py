"""Which columns hold the ids of users and of items: by name, and else by what comes again and what says what."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graphrec.tabular.inference import lexicon, words
from graphrec.tabular.inference.columns import Column
from graphrec.tabular.inference.dependencies import dependency
from graphrec.tabular.inference.headers import is_event
from graphrec.tabular.inference.words import Meaning

#: Contexts that users may act on where there is no item.
_ACTED_ON = ("review", "message", "ticket", "request", "playlist")


@dataclass(frozen=True)
class End:
    """A column of ids, the reasons to take it for one, and how sure that is (0 to 1)."""

    column: str
    why: str
    sure: float
    ask: str = ""


def meanings(columns: Mapping[str, Column], hints: Mapping[str, Meaning]) -> dict[str, Meaning]:
    """What each column's name says, or what the keys that it shares with other files say."""
    return {name: hints.get(name) or words.meaning(name) for name in columns}


def users(columns: Mapping[str, Column], said: Mapping[str, Meaning]) -> list[End]:
    """The columns of users by name, the likeliest first."""
    return _by_name(columns, said, "user")


def items(columns: Mapping[str, Column], said: Mapping[str, Meaning]) -> list[End]:
    """The columns of items by name, the likeliest first; one that says the others is finer, as a track is."""
    found = _by_name(columns, said, "item")
    carried = [end for end in found if set(words.tokens(end.column)) & lexicon.CARRIED]
    found = [end for end in found if end not in carried or len(carried) == len(found)]
    strong = [end for end in found if end.sure >= 0.8]
    for end in strong:
        others = [other for other in strong if other is not end]
        says = [dependency(columns[end.column], columns[other.column]) for other in others]
        back = [dependency(columns[other.column], columns[end.column]) for other in others]
        if others and all(d.holds for d in says) and all(d.broken > 0 for d in back):
            named = ", ".join(other.column for other in others)
            return [End(end.column, f"{end.why}; it says {named}", end.sure), *(o for o in found if o is not end)]
    return found


def unnamed_item(columns: Mapping[str, Column], said: Mapping[str, Meaning], taken: Sequence[str]) -> End | None:
    """A column of items whose name is unknown: the other ids beside the user's that come again."""
    ids = [
        name
        for name, meaning in said.items()
        if name not in taken and meaning.what == "other" and is_id(columns[name]) and columns[name].distinct > 1
    ]
    ids = [name for name in ids if not (columns[name].unique and columns[name].filled > 3 and len(ids) > 1)]
    if ids:
        best = max(ids, key=lambda name: (columns[name].distinct, "id" in words.tokens(name)))
        finer = [name for name in ids if all(dependency(columns[name], columns[o]).holds for o in ids if o != name)]
        best = finer[0] if len(finer) == 1 else best
        others = [name for name in ids if name != best]
        ask = f"is {best} the item, or {' or '.join(others[:3])}?" if others else ""
        return End(
            best, "the only other ids" if not others else "the ids with the most values", 0.6 if others else 0.8, ask
        )
    texts = [name for name in columns if name not in taken and _may_name_items(columns[name], said[name])]
    bundles = [n for n in columns if n not in taken and said[n].word in _ACTED_ON and not columns[n].unique]
    if bundles:
        return End(bundles[0], "ids that come again", 0.5, f"is {bundles[0]} what users act on?")
    if not texts:
        return None
    best = max(texts, key=lambda n: (words.folded(n) in lexicon.NAMES, said[n].what == "item", columns[n].distinct))
    return End(best, "texts that come again", 0.5, f"is {best} what users act on?")


def stand_in_user(columns: Mapping[str, Column], said: Mapping[str, Meaning], taken: Sequence[str]) -> End | None:
    """Ids that can stand for users where no column names any: sessions, orders, e-mail addresses."""
    mail = next((n for n in columns if n not in taken and {"email", "mail"} & set(words.tokens(n))), None)
    if mail and is_id(columns[mail]):
        return End(mail, "an e-mail address names a person", 0.7)
    for name in columns:
        parts = words.tokens(name)
        if name not in taken and is_id(columns[name]) and len(parts) > 1 and set(parts) & lexicon.CARRIED:
            return End(name, f"{name} is what a person carries", 0.6, f"does each {name} stand for a person?")
    for name, meaning in said.items():
        if name in taken or not is_id(columns[name]):
            continue
        if meaning.what == "context" and meaning.part == "id" and not columns[name].unique:
            ask = (
                f"no column names users, so that each {meaning.word} ({name}) is taken for one: is there a file that "
                "says whose it is?"
            )
            return End(name, f"'{meaning.word}' bundles rows, and no column names users", 0.5, ask)
    agents = [name for name in columns if name not in taken and _is_agent(name) and is_id(columns[name])]
    if agents:
        return End(agents[0], "a word for who does something", 0.6, f"does {agents[0]} say who acted?")
    other = [
        name for name, meaning in said.items()
        if name not in taken and meaning.what == "other" and is_id(columns[name]) and not columns[name].unique
    ]  # fmt: skip
    if len(other) == 1:
        return End(other[0], "the only other ids", 0.6, f"does {other[0]} say who acted?")
    return None


def _is_agent(name: str) -> bool:
    """Whether a column is called like who does something, such as taster_name, and not like who sells or makes it."""
    parts = words.tokens(name)
    named = len(parts) == 2 and (parts[1] in lexicon.ID_ENDINGS or parts[1] in lexicon.NAMES)
    return (
        named and re.fullmatch(r"[a-z]{3,}(er|or|ist|eur)", parts[0]) is not None and parts[0] not in lexicon.NO_AGENTS
    )


def is_id(column: Column) -> bool:
    """Whether the values may be ids: whole numbers or short texts that are no times and not only true and false."""
    if column.kind == "bool" or not column.filled:
        return False
    if column.kind == "float":
        return column.whole
    if column.moment is not None and column.kind == "str":
        return False
    return column.split == " " or bool(column.values.dropna().str.len().median() <= 80)


def _is_two_numbers(column: Column) -> bool:
    """Whether the values are two whole numbers with a full stop between, as the client ids of web analytics are."""
    return column.kind == "float" and bool(column.values.dropna().str.fullmatch(r"\d+\.\d{6,}").all())


def _by_name(columns: Mapping[str, Column], said: Mapping[str, Meaning], what: str) -> list[End]:
    found = []
    for name, meaning in said.items():
        if meaning.what != what or meaning.part not in ("id", "name"):
            continue
        if not is_id(columns[name]) and not (meaning.strength == 3 and _is_two_numbers(columns[name])):
            continue
        if meaning.part == "id" and meaning.strength < 3 and columns[name].kind == "float" and not columns[name].whole:
            continue
        if (
            meaning.strength == 2
            and columns[name].numeric
            and words.tokens(name)[-1] != words.singular(words.tokens(name)[-1])
        ):
            continue  # `members` and `reviews` are numbers of them
        if meaning.strength < 3 and columns[name].kind in ("int", "float") and words.is_weight(name):
            continue
        sure = {3: 0.97, 2: 0.9, 1: 0.5}[max(1, meaning.strength)]
        reason = f"'{meaning.word}'" + (
            " with an id's ending" if meaning.strength == 3 else "" if meaning.part == "id" else " by name"
        )
        found.append(End(name, reason, sure))
    return sorted(found, key=lambda end: -end.sure)


def _may_name_items(column: Column, meaning: Meaning) -> bool:
    if column.kind != "str" or column.moment is not None or is_event(column) or meaning.what in ("user", "context"):
        return False
    if words.folded(column.name) in lexicon.TEXTS | lexicon.USER_ATTRIBUTES | lexicon.EVENTS | lexicon.TAGS:
        return False
    short = bool(column.values.dropna().str.len().median() <= 60) if column.filled else False
    return short and column.distinct > 1 and (not column.unique or column.filled < 8)
