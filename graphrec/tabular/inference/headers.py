"""Guesses column names of a file without a header, from the values and the file name."""

import re
from collections.abc import Sequence

from graphrec.tabular.inference import name_semantics
from graphrec.tabular.inference.column_profile import ColumnProfile
from graphrec.tabular.inference.time_formats import looks_like_seconds

#: Maximum number of words in an event value ("remove item from shopping cart"); sentences are longer.
_MAX_EVENT_WORDS = 5
_SOCIAL = re.compile(r"trust|friend|social|follow|contacts|\bsoc\b")


def guess_header(stem: str, columns: Sequence[ColumnProfile]) -> tuple[str, ...]:
    """A name for each column: user, item, rating, timestamp … for behaviour; an id, title and genres for nodes."""
    time = next((place for place, found in enumerate(columns) if _is_time(found)), None)
    ids = [place for place, found in enumerate(columns) if place != time and _is_id(found)]
    if ids[:1] == [0] and len(ids) > 2 and time is not None and _is_row_number(columns[0]):
        ids = ids[1:]  # the first column is a row number
    made = [f"column_{place + 1}" for place in range(len(columns))]
    what, word = name_semantics.interpret_file_name(stem)
    if _is_node_table(columns, ids, what, stem):
        return _name_node_columns(columns, made, what, word)
    if {"kg", "triple", "triples", "knowledge"} & set(name_semantics.tokenize(stem)) and len(columns) == 3:
        return ("head", "relation", "tail")
    if len(columns) == 2 and columns[0].num_filled >= 5 and all(found.unique for found in columns):
        return tuple(made)  # a mapping of ids
    if time is not None:
        made[time] = "timestamp"
    if _SOCIAL.search(stem.casefold()) and len(ids) > 1:
        made[ids[0]], made[ids[1]] = "user", "friend"
        rest = [place for place in range(len(columns)) if place not in (*ids[:2], time)]
        if rest:
            made[rest[0]] = "value"
        return tuple(made)
    ids = [place for place in ids if not _holds_lists(columns[place])]
    if len(ids) > 1 and time is not None and _starts_with_row_number(columns, ids):
        ids = ids[1:]
    if len(ids) < 2:
        return tuple(made)
    made[ids[0]] = "user"
    events = [p for p in ids[1:] if columns[p].kind == "str" and is_event(columns[p])]
    others = [place for place in ids[1:] if place not in events]
    if not others:
        return tuple(made)
    later = [place for place in others if place > ids[0]]
    item = _choose_item(columns, later or others)
    made[item] = "item"
    if events:
        made[events[0]] = "event"
    for place, found in enumerate(columns):
        if (
            made[place].startswith("column_")
            and place > item
            and found.numeric
            and (found.num_distinct > 1 or found.num_filled <= 5)
        ):
            count = found.kind == "int" and found.numbers.min() >= 0 and float(found.numbers.median()) <= 10_000
            relation = name_semantics.find_relation(stem)
            rated = relation == "RATED" or (relation in (None, "REVIEWED") and _is_rating(found))
            made[place] = "rating" if rated else "count" if count else "value" if found.kind == "float" else made[place]
            break
    return tuple(made)


def are_placeholders(written: Sequence[str]) -> bool:
    """Whether the header has only placeholder names: c1, c2 …, V1, V2 …, or 0, 1 …."""
    numbered = [
        re.fullmatch(r"_?(c|col|column|v|var|x|f|field|attr|feature|unnamed)?[ _]?(\d+)", n.strip().casefold())
        for n in written
    ]
    return len(written) in range(2, 12) and all(numbered) and len({found[1] for found in numbered if found}) == 1


def _holds_lists(found: ColumnProfile) -> bool:
    """Whether the values are lists of words, mostly distinct, such as the items on a displayed page."""
    texts = found.values.dropna().str.strip()
    return found.num_distinct * 10 > 9 * found.num_filled > 90 and bool(
        texts.str.contains(" ", regex=False).mean() > 0.5
    )


def _starts_with_row_number(columns: Sequence[ColumnProfile], ids: Sequence[int]) -> bool:
    """Whether the first id column is a row number: it is unique, and a later column has repeated ids."""
    first, *others = (columns[place] for place in ids)
    return (
        first.unique
        and first.num_filled > 10
        and any(2 * c.num_distinct <= c.num_filled and c.num_distinct > 12 for c in others)
    )


def is_event(found: ColumnProfile) -> bool:
    """Whether the values are a few words for user actions."""
    values = list(found.values.dropna().unique()) if found.num_distinct <= 12 else []
    if any(len(name_semantics.tokenize(value)) > _MAX_EVENT_WORDS for value in values):
        return False
    known = sum(name_semantics.find_relation(value) is not None for value in values)
    often = found.num_distinct * 2 <= max(found.num_filled, 2) or (
        known == len(values) and found.num_distinct < found.num_filled
    )
    return bool(values) and known * 5 >= len(values) * 3 and often


def _is_time(found: ColumnProfile) -> bool:
    if found.time_format is not None:
        return True
    return found.numeric and looks_like_seconds(found.values.dropna())


def _is_id(found: ColumnProfile) -> bool:
    """Whether the values may be ids: integers or short texts."""
    if found.time_format is not None and found.time_format.format != "%Y%m%d":
        return False
    if found.kind == "float":
        return False
    return found.num_filled > 0 and (found.split == " " or found.values.dropna().str.len().median() <= 60)


def _is_row_number(found: ColumnProfile) -> bool:
    """Whether the values are consecutive row numbers."""
    return (
        found.kind == "int"
        and found.unique
        and found.num_filled > 5
        and bool((found.numbers.diff().dropna() == 1).all())
    )


def _choose_item(columns: Sequence[ColumnProfile], places: Sequence[int]) -> int:
    """The item column: the first after the user's, unless a later one holds lists or has many more distinct values."""
    if lists := [place for place in places if columns[place].split]:
        return lists[0]
    first = places[0]
    most = max(places, key=lambda place: columns[place].num_distinct)
    small = columns[first].num_distinct <= 12 and columns[most].num_distinct >= 10 * columns[first].num_distinct
    texts = [place for place in places if columns[place].kind == "str"]
    if small:
        return most
    if len(texts) > 1 and columns[most].kind == "str" and columns[most].num_distinct > columns[first].num_distinct:
        return most
    return first


def _is_node_table(columns: Sequence[ColumnProfile], ids: Sequence[int], what: str, stem: str) -> bool:
    """Whether each row is one node: unique ids in the first column, and a file name or columns of a node table."""
    if not ids or ids[0] != 0 or not columns[0].unique or len(columns) < 2:
        return False
    if name_semantics.find_relation(stem) and what != "item" and what != "user":
        return False
    again = [c for c in columns[1:] if _is_id(c) and 2 * c.num_distinct <= c.num_filled and c.num_distinct > 12]
    if again and what not in ("user", "item") and any(_is_time(c) for c in columns):
        return False  # a row number, a user and a time: an event log
    texts = [c for c in columns[1:] if c.kind == "str" and not is_event(c)]
    return bool(texts) and (what != "" or any(column.split for column in texts) or len(columns) > 2)


def _name_node_columns(columns: Sequence[ColumnProfile], made: list[str], what: str, word: str) -> tuple[str, ...]:
    called = {"user": "user", "item": "item"}.get(what, word or "item")
    made[0] = called
    titled = False
    for place, found in enumerate(columns[1:], 1):
        if found.kind != "str" or found.time_format is not None or not found.num_filled:
            continue
        if found.split in ("|", "[]") and "genres" not in made:
            made[place] = "genres"
        elif not titled and what != "user" and found.num_distinct * 2 > found.num_filled:
            made[place], titled = "title", True
    return tuple(made)


def _is_rating(found: ColumnProfile) -> bool:
    """Whether the numbers form a rating scale: at most 21 whole or half steps within −10 to 10."""
    numbers = found.numbers
    return bool(numbers.between(-10, 10).all()) and found.num_distinct <= 21 and bool(((numbers * 2) % 1 == 0).all())
