"""What users did in the rows of a file, by an event column, a rating, a count, and the names of file and columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graphrec.behaviours import NEGATIVE_BEHAVIOURS
from graphrec.tabular.inference import lexicon, words
from graphrec.tabular.inference.columns import Column
from graphrec.tabular.inference.headers import is_event

_MUSIC = frozenset(["artist", "song", "track", "album", "playlist", "podcast", "episode"])
_PLAYS = frozenset(["plays", "playcount", "listens", "listencount", "scrobbles"])
_HOURS = frozenset(["hours", "playtime", "hoursplayed", "playtimeforever"])
_BOUGHT = frozenset(
    [
        "quantity",
        "qty",
        "units",
        "menge",
        "quantite",
        "cantidad",
        "quantita",
        "stueck",
        "anzahl",
        "quantidade",
        "aantal",
        "ilosc",
        "adet",
        "antal",
        "qtd",
        "qte",
        "fkimg",
        "kwmeng",
    ]
)
_ORDERED = frozenset(["order", "payment", "invoice", "financial", "fulfillment", "fulfilment", "transaction"])
_PLACES = frozenset(["poi", "venue", "location"])


@dataclass(frozen=True)
class Behaviour:
    """The relationship type, why, and how sure; `events` are the values of an event column by what they stand for."""

    relation: str
    why: str
    sure: float
    events: Mapping[str, tuple[str, ...]] | None = None
    ask: str = ""


@dataclass(frozen=True)
class Unrated:
    """A number among ratings that says "not rated", and the share of the rows that have it."""

    value: str
    share: float
    low: float
    high: float
    rated: tuple[str, ...]


def event_column(columns: Mapping[str, Column], names: Sequence[str]) -> str | None:
    """The column that says what a user did: by its name, or because its values are words for it."""
    called = [name for name in names if _is_event_name(name) and columns[name].distinct <= 30]
    vague = ("type", "activity", "operation", "op", "verb", "interaction")
    called = [name for name in called if words.folded(name) not in vague or is_event(columns[name])]
    worded = [name for name in names if columns[name].kind == "str" and is_event(columns[name])]
    # the state of an order is a property of it, unless it says of some rows that the purchase was undone
    worded = [name for name in worded if "status" not in words.tokens(name) or _says_undone(columns[name])]
    both = [name for name in called if name in worded]
    coded = [name for name in called if columns[name].distinct > 1 and columns[name].distinct <= 12]
    single = [name for name in called if columns[name].distinct == 1]
    return next(iter([*both, *worded, *coded, *single]), None)


def _says_undone(column: Column) -> bool:
    """Whether some values are words for taking back what was done, such as refunded."""
    found = {words.relation_of(str(value)) for value in column.values.dropna().unique()}
    return any(relation.partition("_")[0] in NEGATIVE_BEHAVIOURS for relation in found if relation is not None)


def _is_event_name(name: str) -> bool:
    """Whether a column is called like the kind of what was done: event_type, action, vote_type_id."""
    parts = words.tokens(name)
    typed = (len(parts) > 1 and parts[-1] in ("type", "typeid")) or (len(parts) > 2 and parts[-2:] == ["type", "id"])
    return words.folded(name) in lexicon.EVENTS or (typed and words.relation_of(parts[0]) is not None)


def by_events(column: Column) -> Behaviour:
    """One relationship type for each kind of event."""
    by_relation: dict[str, list[str]] = {}
    unknown = []
    for value in sorted(map(str, column.values.dropna().unique())):
        relation = words.relation_of(value)
        if relation == "COMPLETED" and _ORDERED & set(words.tokens(column.name)):
            relation = "PURCHASED"  # the status of an order, and not of a course
        if relation is None:
            unknown.append(value)
            relation = words.upper(value) or words.upper(f"{column.name}_{value}") or "INTERACTED"
        by_relation.setdefault(relation, []).append(value)
    ask = ""
    if unknown:
        ask = (
            f"what do the values {', '.join(unknown[:6])} of {column.name} stand for? Call the types by what users did"
        )
    against = [relation for relation in by_relation if relation.partition("_")[0] in NEGATIVE_BEHAVIOURS]
    if against:
        ask += "; " if ask else ""
        ask += (
            f"should models learn from {' and '.join(against)}? They take every edge for interest; if not, leave the "
            f"table{'s' * (len(against) > 1)} out"
        )
    events = {relation: tuple(values) for relation, values in by_relation.items()}
    first = next(iter(events))
    return Behaviour(first, f"the values of {column.name}", 0.6 if unknown else 0.95, events, ask)


def behaviour(file: str, folder: str, columns: Mapping[str, Column], names: Sequence[str], item: str) -> Behaviour:
    """What users did, where no column says it of each row; `names` are the columns beside the ends."""
    called = {words.folded(name) for name in names}
    if texts := [name for name in names if words.folded(name) in lexicon.TEXTS and columns[name].kind == "str"]:
        return Behaviour("REVIEWED", f"{texts[0]} is the text of a review", 0.9)
    rated = [name for name in names if words.is_rating(name) and columns[name].numeric]
    if rated:
        return Behaviour("RATED", f"{rated[0]} is a rating", 0.95)
    if called & lexicon.TAGS:
        return Behaviour("TAGGED", "a column of tags", 0.9)
    if relation := words.relation_of(file):
        return Behaviour(relation, f"the file is called {file}", 0.9)
    if called & _HOURS:
        return Behaviour("PLAYED", "hours played", 0.85)
    if called & _PLAYS:
        heard = words.meaning(item).word in _MUSIC or bool(called & {"listens", "listencount", "scrobbles"})
        return Behaviour("LISTENED" if heard else "PLAYED", "a number of plays", 0.85)
    if called & _BOUGHT:
        return Behaviour("PURCHASED", "a quantity", 0.85)
    if bought := next((n for n in names if words.relation_of(n) == "PURCHASED"), None):
        return Behaviour("PURCHASED", f"the column {bought}", 0.8)
    for name in names:
        if (relation := words.relation_of(name)) and words.is_time(name) and relation not in ("RATED", "RETURNED"):
            return Behaviour(relation, f"the column {name}", 0.75)
    for name in names:
        if (relation := words.relation_of(name)) and (words.is_weight(name) or len(words.tokens(name)) == 1):
            return Behaviour(relation, f"the column {name}", 0.75)
    if {name for name in called if name in lexicon.LINE_PRICES and "price" in name}:
        return Behaviour(
            "PURCHASED", "a price on each row", 0.6, ask="were the items bought? A price says so, and nothing else"
        )
    if words.meaning(item).word in _MUSIC:
        return Behaviour("LISTENED", f"{item} is music", 0.7)
    if words.meaning(item).word in _PLACES:
        return Behaviour("VISITED", f"{item} is a place", 0.7)
    if len(words.tokens(folder)) == 1 and (relation := words.relation_of(folder)):
        return Behaviour(relation, f"the folder is called {folder}", 0.6)
    return Behaviour("", "nothing says what users did", 0.3)


def rating_by_values(columns: Mapping[str, Column], names: Sequence[str]) -> str | None:
    """The one column of numbers that is a scale, such as whole or half steps within 0 to 10."""
    found = [name for name in names if is_scale(columns[name]) and words.meaning(name).part != "id"]
    return found[0] if len(found) == 1 else None


def is_scale(column: Column) -> bool:
    """Whether the numbers are steps of a scale."""
    if not column.numeric or not 2 <= column.distinct <= 21 or column.filled < 4:
        return False
    numbers = column.numbers
    return bool(numbers.between(-10, 10).all()) and bool(((numbers * 2) % 1 == 0).all()) and bool(numbers.max() >= 2)


def unrated(column: Column) -> Unrated | None:
    """The number that says "not rated": −1 or 99 beside a scale from 1, or a 0 that is far too common to be a grade."""
    if not column.numeric or column.distinct < 4:
        return None
    numbers = column.numbers
    shares = numbers.value_counts(normalize=True)
    for value in (-1.0, 0.0, 99.0):
        rest = shares.drop(value, errors="ignore")
        if value not in shares or len(rest) < 3 or rest.index.min() < 0.5 or not 4 <= rest.index.max() <= 10:
            continue
        share = float(shares[value])
        lowest = float(rest[rest.index.min()])
        if value == 0.0 and not (share >= 0.2 or (share >= 0.1 and share >= 2 * lowest)):
            continue
        texts = column.values.dropna()
        rated = sorted(set(texts[numbers != value].str.strip()), key=float) if column.notation == (".", None) else []
        steps = [str(step) for step in range(1, 6 if rest.index.max() <= 5 else 11)]
        if rated and all(text.isdigit() for text in rated):
            rated = sorted(set(rated) | set(steps), key=float)
        written = str(texts[numbers == value].iloc[0]).strip()
        return Unrated(written, share, float(rest.index.min()), float(rest.index.max()), tuple(rated))
    return None
