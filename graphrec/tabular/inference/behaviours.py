"""Infers the behaviour of a table from an event column, a rating, a count, and the names of file and columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graphrec.behaviours import NEGATIVE_BEHAVIOURS
from graphrec.tabular.inference import lexicon, name_semantics
from graphrec.tabular.inference.column_profile import ColumnProfile
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
class InferredBehaviour:
    """The relationship type, reason and confidence; `events` has the values of an event column by relationship type."""

    relation: str
    reason: str
    confidence: float
    events: Mapping[str, tuple[str, ...]] | None = None
    question: str = ""


@dataclass(frozen=True)
class UnratedValue:
    """A number that means "not rated", its share of the rows, and the range and values of the real ratings."""

    value: str
    share: float
    low: float
    high: float
    rated: tuple[str, ...]


def find_event_column(columns: Mapping[str, ColumnProfile], names: Sequence[str]) -> str | None:
    """The event column (kind of action), recognised by its name or by values that are words for behaviours."""
    called = [name for name in names if _is_event_name(name) and columns[name].num_distinct <= 30]
    vague = ("type", "activity", "operation", "op", "verb", "interaction")
    called = [name for name in called if name_semantics.fold(name) not in vague or is_event(columns[name])]
    worded = [name for name in names if columns[name].kind == "str" and is_event(columns[name])]
    # an order status is a property, unless some of its values withdraw the purchase (refunded)
    worded = [
        name for name in worded if "status" not in name_semantics.tokenize(name) or _has_withdrawals(columns[name])
    ]
    both = [name for name in called if name in worded]
    coded = [name for name in called if columns[name].num_distinct > 1 and columns[name].num_distinct <= 12]
    single = [name for name in called if columns[name].num_distinct == 1]
    return next(iter([*both, *worded, *coded, *single]), None)


def _has_withdrawals(column: ColumnProfile) -> bool:
    """Whether some values withdraw an action, such as refunded."""
    found = {name_semantics.find_relation(str(value)) for value in column.values.dropna().unique()}
    return any(relation.partition("_")[0] in NEGATIVE_BEHAVIOURS for relation in found if relation is not None)


def _is_event_name(name: str) -> bool:
    """Whether a column name means the kind of an action: event_type, action, vote_type_id."""
    parts = name_semantics.tokenize(name)
    typed = (len(parts) > 1 and parts[-1] in ("type", "typeid")) or (len(parts) > 2 and parts[-2:] == ["type", "id"])
    return name_semantics.fold(name) in lexicon.EVENTS or (typed and name_semantics.find_relation(parts[0]) is not None)


def infer_from_events(column: ColumnProfile) -> InferredBehaviour:
    """The behaviours of an event column: one relationship type for each group of values."""
    by_relation: dict[str, list[str]] = {}
    unknown = []
    for value in sorted(map(str, column.values.dropna().unique())):
        relation = name_semantics.find_relation(value)
        if relation == "COMPLETED" and _ORDERED & set(name_semantics.tokenize(column.name)):
            relation = "PURCHASED"  # the status of an order, not of a course
        if relation is None:
            unknown.append(value)
            relation = (
                name_semantics.make_relation(value)
                or name_semantics.make_relation(f"{column.name}_{value}")
                or "INTERACTED"
            )
        by_relation.setdefault(relation, []).append(value)
    ask = ""
    if unknown:
        ask = f"what do the values {', '.join(unknown[:6])} of {column.name} mean? Name the types after what users did"
    negative = [relation for relation in by_relation if relation.partition("_")[0] in NEGATIVE_BEHAVIOURS]
    if negative:
        ask += "; " if ask else ""
        ask += (
            f"should models learn from {' and '.join(negative)}? They treat each edge as interest; if not, omit the "
            f"table{'s' * (len(negative) > 1)}"
        )
    events = {relation: tuple(values) for relation, values in by_relation.items()}
    first = next(iter(events))
    return InferredBehaviour(first, f"the values of {column.name}", 0.6 if unknown else 0.95, events, ask)


def infer_behaviour(
    file: str, folder: str, columns: Mapping[str, ColumnProfile], names: Sequence[str], item: str
) -> InferredBehaviour:
    """The behaviour of a table without an event column; `names` are the columns besides the ids."""
    called = {name_semantics.fold(name) for name in names}
    if texts := [
        name for name in names if name_semantics.fold(name) in lexicon.REVIEW_TEXTS and columns[name].kind == "str"
    ]:
        return InferredBehaviour("REVIEWED", f"{texts[0]} is the text of a review", 0.9)
    rated = [name for name in names if name_semantics.is_rating(name) and columns[name].numeric]
    if rated:
        return InferredBehaviour("RATED", f"{rated[0]} is a rating", 0.95)
    if called & lexicon.TAGS:
        return InferredBehaviour("TAGGED", "a column of tags", 0.9)
    if relation := name_semantics.find_relation(file):
        return InferredBehaviour(relation, f"the file is called {file}", 0.9)
    if called & _HOURS:
        return InferredBehaviour("PLAYED", "hours played", 0.85)
    if called & _PLAYS:
        heard = name_semantics.interpret_name(item).word in _MUSIC or bool(
            called & {"listens", "listencount", "scrobbles"}
        )
        return InferredBehaviour("LISTENED" if heard else "PLAYED", "a play count", 0.85)
    if called & _BOUGHT:
        return InferredBehaviour("PURCHASED", "a quantity", 0.85)
    if bought := next((n for n in names if name_semantics.find_relation(n) == "PURCHASED"), None):
        return InferredBehaviour("PURCHASED", f"the column {bought}", 0.8)
    for name in names:
        if (
            (relation := name_semantics.find_relation(name))
            and name_semantics.is_time(name)
            and relation not in ("RATED", "RETURNED")
        ):
            return InferredBehaviour(relation, f"the column {name}", 0.75)
    for name in names:
        if (relation := name_semantics.find_relation(name)) and (
            name_semantics.is_weight(name) or len(name_semantics.tokenize(name)) == 1
        ):
            return InferredBehaviour(relation, f"the column {name}", 0.75)
    if {name for name in called if name in lexicon.LINE_PRICES and "price" in name}:
        return InferredBehaviour(
            "PURCHASED", "a price on each row", 0.6, question="were the items bought? The only evidence is a price"
        )
    if name_semantics.interpret_name(item).word in _MUSIC:
        return InferredBehaviour("LISTENED", f"{item} is music", 0.7)
    if name_semantics.interpret_name(item).word in _PLACES:
        return InferredBehaviour("VISITED", f"{item} is a place", 0.7)
    if len(name_semantics.tokenize(folder)) == 1 and (relation := name_semantics.find_relation(folder)):
        return InferredBehaviour(relation, f"the folder is called {folder}", 0.6)
    return InferredBehaviour("", "no evidence of what users did", 0.3)


def find_rating_by_values(columns: Mapping[str, ColumnProfile], names: Sequence[str]) -> str | None:
    """The only numeric column whose values form a rating scale; None unless there is exactly one."""
    found = [
        name for name in names if is_rating_scale(columns[name]) and name_semantics.interpret_name(name).part != "id"
    ]
    return found[0] if len(found) == 1 else None


def is_rating_scale(column: ColumnProfile) -> bool:
    """Whether the numbers form a rating scale: whole or half steps within -10 to 10."""
    if not column.numeric or not 2 <= column.num_distinct <= 21 or column.num_filled < 4:
        return False
    numbers = column.numbers
    return bool(numbers.between(-10, 10).all()) and bool(((numbers * 2) % 1 == 0).all()) and bool(numbers.max() >= 2)


def find_unrated_value(column: ColumnProfile) -> UnratedValue | None:
    """The number that means "not rated": −1 or 99 next to a scale from 1, or a 0 that is too frequent for a rating."""
    if not column.numeric or column.num_distinct < 4:
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
        return UnratedValue(written, share, float(rest.index.min()), float(rest.index.max()), tuple(rated))
    return None
