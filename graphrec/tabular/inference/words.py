"""What the names of columns and files say: users, items, groups, behaviours, numbers and times."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from graphrec.behaviours import BEHAVIOUR_TYPES
from graphrec.tabular.inference import lexicon, translations

_STUCK = re.compile(r"(?P<word>[a-z]{2,}?)(?P<end>ids?|key|code|uuid|guid|nummer|number|nr|no|num|idx|name|title)")


_GERMAN = {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"}


@dataclass(frozen=True)
class Meaning:
    """What the name of a column says.

    `what` is "user", "item", "group", "context" or "other" (an id of something unknown); `word` the word that says it.
    `part` is "id" (`user_id`, `sku`), "name" (`artist_name`) or "attribute" (`customer_city`). `strength` goes from 1
    (a name) to 3 (a word with an id's ending).
    """

    what: Literal["user", "item", "group", "context", "other", ""]
    word: str = ""
    part: Literal["id", "name", "attribute", ""] = ""
    strength: int = 0


def folded(name: str) -> str:
    """The name of a column as it is compared: user_id and userID are userid."""
    return re.sub(r"[\W_]", "", _plain(name).casefold())


def tokens(name: str) -> list[str]:
    """The words of a name: CustomerID and customer_id are [customer, id]."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", _plain(name))
    return [part for part in re.split(r"[\W_]+", spaced.casefold()) if part]


@lru_cache(maxsize=4096)
def _plain(name: str) -> str:
    """The name without a type after a colon, as RecBole writes `user_id:token`, a remark in brackets, and
    accents; in English if its letters are not Latin.
    """
    name = re.sub(r"(?<=\w)\s*\([^()]*\)\s*$", "", name)
    name = re.sub(r":(token|token_seq|float|float_seq|ID|START_ID|END_ID|string|int|long)$", "", name)
    if name.isascii():
        return name
    for word, english in translations.WORDS:
        name = re.sub(re.escape(word), f" {english} ", name, flags=re.IGNORECASE)
    name = "".join(_GERMAN.get(letter, letter) for letter in name)
    return "".join(letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter))


def singular(word: str) -> str:
    """The word without a plural's ending: movies is movie, categories is category."""
    if word.endswith("ies") and len(word) > 4 and word not in ("movies", "series", "cookies"):
        return word[:-3] + "y"
    if word.endswith("sses") or word.endswith("xes"):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "news")) and len(word) > 3 else word


def kind_of_word(word: str, has_id: bool = False) -> str:
    """What a word calls: "user", "item", "group", "context", or "" where it is none of these."""
    for form in (word, singular(word)):
        if form in lexicon.USERS:
            return "user"
        if form in lexicon.ITEMS or (has_id and form in lexicon.ITEMS_WITH_ID):
            return "item"
        if form in lexicon.GROUPS:
            return "group"
        if form in lexicon.CONTEXTS:
            return "context"
    return ""


_COUNTED = ("num", "no", "nr", "n", "nb", "number", "count", "total")


def meaning(name: str) -> Meaning:
    """What the name of a column says of its values."""
    if folded(name) in lexicon.TEXTS:
        return Meaning("")
    parts = [part for part in tokens(name) if part not in lexicon.FILLERS] or tokens(name)
    if len(parts) > 1 and parts[0] in _COUNTED and parts[-1] != singular(parts[-1]):
        return Meaning("")  # num_pages: how many
    if len(parts) > 1 and parts[0] in ("id", "code", "nr", "no", "num", "key", "kode"):
        parts = [*parts[1:], "id"]  # id_student, code_module
    words, ending = _without_ending(parts)
    if not words:
        return Meaning("other", "", "id", 2) if ending else Meaning("")
    if words[-2:] in (["sub", "category"], ["sub", "categorie"], ["sub", "kategorie"]):
        words = [*words[:-2], "subcategory"]
    last, named = words[-1], ending in lexicon.NAMES
    if len(words) == 2 and last in ("tag", "handle", "alias", "nick") and kind_of_word(words[0]) == "user":
        return Meaning("user", words[0], "id", 2)  # gamer_tag
    what = kind_of_word(last, bool(ending) and not named)
    if what == "item" and len(words) > 1 and kind_of_word(words[0]) == "context":
        return Meaning("context", words[0], "id", 1)  # order_item_id numbers the lines of an order
    if what:
        part: Literal["id", "name"] = "name" if named else "id"
        return Meaning(what, singular(last), part, 1 if named else 3 if ending else 2)  # type: ignore[arg-type]
    if ending and not named:
        return Meaning("other", last, "id", 2)
    owner = kind_of_word(words[0])
    if len(words) > 1 and owner in ("user", "item"):
        return Meaning("user" if owner == "user" else "item", words[0], "attribute", 1)
    return Meaning("")


def _without_ending(parts: list[str]) -> tuple[list[str], str]:
    """The words of a name without the endings of an id or a name, and the ending that was there."""
    words, ending = list(parts), ""
    while words and (words[-1] in lexicon.ID_ENDINGS or (words[-1] in lexicon.NAMES and len(words) > 1)):
        ending = ending if ending and ending not in ("1", "2", "a", "b", "10", "13", "x", "y") else words[-1]
        words.pop()
    if words and not kind_of_word(words[-1]):
        stuck = _STUCK.fullmatch(words[-1])
        if stuck and (kind_of_word(stuck["word"], True) or stuck["end"] in ("id", "ids", "uuid", "guid", "nummer")):
            words[-1], ending = stuck["word"], ending or stuck["end"]
            return words, ending
        digits = re.fullmatch(r"([a-z]+?)(id)?\d{1,2}", words[-1])
        if digits and kind_of_word(digits[1], True):
            words[-1], ending = digits[1], ending or (digits[2] or "")
    return words, ending


def prior(name: str) -> str:
    """Whose property a column is by its name alone: "user", "item", "edge", or "" where the name does not say."""
    found, called = meaning(name), folded(name)
    if (
        is_rating(name)
        or is_weight(name)
        or called in lexicon.TEXTS
        or called in lexicon.SALES
        or found.what == "context"
        or (tokens(name)[:1] or [""])[0] in lexicon.ACTS
    ):
        return "edge"
    if found.what in ("user", "item"):
        return found.what
    if found.part == "name" and found.what == "group":
        return "item"
    if found.what == "group":
        return "item"
    ends = tokens(name)
    if called in lexicon.USER_ATTRIBUTES or (ends and ends[-1] in lexicon.USER_ATTRIBUTES):
        return "user"
    if called in lexicon.ITEM_ATTRIBUTES or (ends and ends[-1] in lexicon.ITEM_ATTRIBUTES):
        return "item"
    return ""


def is_rating(name: str) -> bool:
    """Whether a column is called like the rating that a user gives."""
    called, parts = folded(name), tokens(name)
    if called in lexicon.RATINGS:
        return True
    last = bool(parts) and parts[-1] in ("rating", "stars", "score", "overall")
    return last and not {"avg", "average", "mean"} & set(parts)


def is_weight(name: str) -> bool:
    """Whether a column is called like how often or how much of something there was."""
    parts = tokens(name)
    counts = ("quantity", "qty", "plays", "listens", "hours", "menge", "playcount", "units", "minutes", "scrobbles")
    counted = len(parts) == 2 and parts[0] in ("sum", "num", "n", "nb", "count", "total", "number", "no", "times")
    return (
        folded(name) in lexicon.WEIGHTS
        or (bool(parts) and (parts[-1] in counts or parts[0] in ("quantity", "qty")))
        or (counted and relation_of(name) not in (None, "RATED", "LIKED", "COMMENTED", "REVIEWED"))
    )


def is_time(name: str) -> bool:
    """Whether a column is called like a time."""
    parts = tokens(name)
    called = folded(name)
    return bool(parts) and (
        parts[-1] in lexicon.TIMES or called in lexicon.TIMES or called.endswith(("date", "time", "timestamp", "datum"))
    )


def is_other_time(name: str) -> bool:
    """Whether a time is that of a user, an item or a later step: a birthday, a release, a delivery."""
    return bool(lexicon.OTHER_TIMES & set(tokens(name))) or folded(name) in lexicon.OTHER_TIMES


def relation_of(text: str) -> str | None:
    """The relationship type that a word ("buy", "page_view", the name of a file) stands for, None if none."""
    words = [word for word in tokens(text) if word not in lexicon.NO_BEHAVIOUR]
    if "remove" in words or "".join(words).startswith("removefrom"):
        return "REMOVED_FROM_CART" if any("cart" in word or "basket" in word for word in words) else "REMOVED"
    for behaviour in BEHAVIOUR_TYPES:
        if any(word.startswith(behaviour.stems) for word in words):
            return behaviour.relation
    for stem in lexicon.ENDING_STEMS:
        if any(word.endswith(stem) for word in words):
            return relation_of(stem)
    return None


def entity_of_file(stem: str) -> tuple[str, str]:
    """What the rows of a file are by its name, and the word that says it: `movies` is ("item", "movie")."""
    for word in reversed(tokens(stem)):
        form = singular(word)
        what = kind_of_word(word) or ("item" if form in lexicon.ITEMS_WITH_ID else "")
        if what in ("user", "item", "group"):
            return what, form
    return "", ""


def label_of(word: str) -> str:
    """A label made of a word: movie_author is MovieAuthor."""
    made = "".join(part[:1].upper() + part[1:] for part in re.findall(r"[A-Za-z0-9]+", word))
    made = re.sub(r"^\d+", "", made)
    return made[:1].upper() + made[1:] if made else ""


def upper(word: str) -> str:
    """A relationship type made of a word, "" where none can be made of it."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", word)
    made = re.sub(r"[^A-Za-z0-9]+", "_", spaced).strip("_").upper()
    return made if re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*", made) else ""


def group(word: str) -> tuple[str, str]:
    """Label and relationship type of the nodes that the values of a column of groups become."""
    return lexicon.GROUPS.get(word) or (label_of(word), f"HAS_{upper(word) or 'GROUP'}")
