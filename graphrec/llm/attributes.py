"""Attributes of items that a language model draws from their text, each with a closed set of values."""

import math
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphrec.errors import DataError, UnknownNameError, first_few, format_value
from graphrec.llm.worker import Question

_STOPS = (",", ".", ";", ":", "!", "?")

#: Maximum number of characters of a value, and of values in the list that a question has.
MAX_VALUE, MAX_LIST = 60, 300


@dataclass(frozen=True)
class Attribute:
    """A kind of attribute.

    name: as it is called in options and answers.
    label, relation: its nodes, and the edges from items to them.
    meaning: what the model is asked for.
    values: the values that an answer may have; empty: words of the text itself.
    most: maximum number of values of one text.
    """

    name: str
    label: str
    relation: str
    meaning: str
    values: tuple[str, ...] = ()
    most: int = 3


_GENRES = (
    *("action", "adventure", "animation", "biography", "comedy", "crime", "documentary", "drama", "family", "fantasy"),
    *("history", "horror", "music", "mystery", "poetry", "romance", "science fiction", "sport", "thriller", "travel"),
    *("war", "western"),
)
_MOODS = (
    *("calm", "dark", "dreamy", "energetic", "exciting", "funny", "hopeful", "melancholic", "nostalgic", "playful"),
    *("romantic", "sad", "scary", "serious", "tense", "touching", "uplifting", "warm"),
)
_AUDIENCES = ("adults", "beginners", "children", "experts", "families", "professionals", "students", "teenagers")

#: The attributes by name. Genres and brands are the nodes that loaders write, too.
ATTRIBUTES: Mapping[str, Attribute] = {
    each.name: each
    for each in (
        Attribute("genre", "Genre", "IN_GENRE", "the genre of the work or the kind of the article", _GENRES),
        Attribute("mood", "Mood", "HAS_MOOD", "the mood that it conveys", _MOODS),
        Attribute("audience", "Audience", "FOR_AUDIENCE", "whom it is made for", _AUDIENCES, 2),
        Attribute("brand", "Brand", "BY_BRAND", "the brand or maker, spelt as in the text", (), 1),
    )
}

_INSTRUCTIONS = """You describe records of a catalogue. In the message, "record" has the texts of one record, and \
"allowed" the values that attributes may have. Say which attributes the record has, by what its texts say and nothing \
else.
The object has these keys, each with a list, which is empty if the texts do not say it:
{attributes}
Each entry of a list is {{"value": TEXT, "confidence": NUMBER from 0 to 1}}."""


@dataclass(frozen=True)
class AttributeValue:
    """A value of an attribute that a text has, with the model's confidence from 0 to 1."""

    attribute: str
    value: str
    confidence: float


def choose_attributes(
    names: Sequence[str], values: Mapping[str, Sequence[str]], known: Mapping[str, Sequence[str]]
) -> list[Attribute]:
    """The attributes with these names and the values that they may have.

    Args:
        names: names of ATTRIBUTES.
        values: by name, the only values that are allowed.
        known: by name, the values that the graph has; without `values` they replace the built-in list, except for
            attributes whose values are words of the text.

    Raises:
        UnknownNameError: there is no such attribute.
        DataError: values are given for an attribute that is not asked for, or a value is empty or too long.
    """
    if isinstance(names, str) or not names:
        raise DataError(f"attributes is a list of names, such as ['genre']; there are {first_few(ATTRIBUTES)}")
    for name in (*names, *values):
        if name not in ATTRIBUTES:
            raise UnknownNameError("attribute", name, ATTRIBUTES)
    if lost := [name for name in values if name not in names]:
        raise DataError(f"values are given for {first_few(lost)}, which is not among the attributes to draw")
    chosen = []
    for name in dict.fromkeys(names):
        attribute = ATTRIBUTES[name]
        allowed = [*values.get(name, ())] or (
            [*known.get(name, ())] if attribute.values and len(known.get(name, ())) <= MAX_LIST else []
        )
        defects = [value for value in allowed if not _fold(value) or len(value) > MAX_VALUE]
        if defects and name in values:
            raise DataError(f"{name}: '{format_value(defects[0])}' is empty or has more than {MAX_VALUE} characters")
        allowed = [value for value in allowed if value not in defects] or [*attribute.values]
        chosen.append(Attribute(name, attribute.label, attribute.relation, attribute.meaning, tuple(allowed)))
    return chosen


def ask_for_attributes(texts: Mapping[str, str], attributes: Sequence[Attribute]) -> Question:
    """The question for the attributes of one record: `texts` by property. No other record is in it."""
    lines = [
        f'"{each.name}": {each.meaning}; at most {each.most}'
        + ("; only values that are allowed" if each.values else "")
        for each in attributes
    ]
    data = {"record": dict(texts), "allowed": {each.name: [*each.values] for each in attributes if each.values}}
    return Question(_INSTRUCTIONS.format(attributes="\n".join(lines)), data, 60 * len(attributes) + 60)


def parse_attributes(
    answer: Mapping[str, Any], texts: Mapping[str, str], attributes: Sequence[Attribute]
) -> list[AttributeValue]:
    """The values of an answer that are allowed: values of the list or, for attributes without one, words of the text.

    Other values are left out. Raises ValueError or TypeError if the answer has another form.
    """
    if set(answer) - {each.name for each in attributes}:
        raise ValueError("the answer has other keys")
    found = []
    for attribute in attributes:
        entries = answer.get(attribute.name, [])
        if not isinstance(entries, list):
            raise TypeError("an attribute has no list")
        values: dict[str, float] = {}
        for entry in entries:
            value, confidence = entry["value"], entry["confidence"]
            if not isinstance(value, str) or isinstance(confidence, bool):
                raise TypeError("a value is no text, or a confidence no number")
            if not (math.isfinite(confidence) and 0 <= confidence <= 1):
                raise ValueError("a confidence is not between 0 and 1")
            allowed = _match(value, attribute.values, texts.values())
            if allowed is not None:
                values[allowed] = max(float(confidence), values.get(allowed, 0.0))
        best = sorted(values.items(), key=lambda pair: (-pair[1], pair[0]))[: attribute.most]
        found += [AttributeValue(attribute.name, value, confidence) for value, confidence in best]
    return found


def unify_spelling(values: Iterable[str], known: Sequence[str] = ()) -> dict[str, str]:
    """By value, its one spelling: values that differ only in case or punctuation around words are the same.

    The spelling is that of `known`, else the most frequent one, and of several such the first.

    >>> unify_spelling(["ACME", "Acme", "acme", "Acme"])["ACME"]
    'Acme'
    """
    counts = Counter(values)
    spelling: dict[str, str] = {}
    for value in (*sorted(known), *sorted(counts, key=lambda value: (-counts[value], value))):
        spelling.setdefault(_fold(value), value)
    return {value: spelling[_fold(value)] for value in counts}


def _match(value: str, allowed: Sequence[str], texts: Collection[str]) -> str | None:
    """The value that an answer means, as the list or a text spells it; None if it is not allowed."""
    folded = _fold(value)
    if not folded or len(value) > MAX_VALUE:
        return None
    if allowed:
        return next((each for each in allowed if _fold(each) == folded), None)
    words = folded.split()  # a value does not go over a comma or the end of a sentence
    for text in texts:
        tokens = text.split()
        for begin in range(len(tokens) - len(words) + 1):
            part = tokens[begin : begin + len(words)]
            if " ".join(map(_fold, part)) == folded and not any(each.endswith(_STOPS) for each in part[:-1]):
                return " ".join(part).strip(".,;:!?()[]\"'“”‘’")
    return None


def _fold(text: str) -> str:
    """The text in lower case, its words separated by one space, without punctuation around them."""
    words = (word.strip(".,;:!?()[]\"'“”‘’-_") for word in unicodedata.normalize("NFKC", text).casefold().split())
    return " ".join(word for word in words if word)
