"""Meaning of column and file names: users, items, groups, behaviours, ratings, counts and times."""

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
class NameMeaning:
    """The meaning of a column name.

    entity: "user", "item", "group", "context" (order, session …) or "other" (an id of something unknown).
    word: the word of the name that determines the entity.
    part: "id" (`user_id`, `sku`), "name" (`artist_name`) or "attribute" (`customer_city`).
    strength: of the evidence, from 1 (a name) to 3 (a word with an id suffix).
    """

    entity: Literal["user", "item", "group", "context", "other", ""]
    word: str = ""
    part: Literal["id", "name", "attribute", ""] = ""
    strength: int = 0


def fold(name: str) -> str:
    """The name in the form used for comparisons: user_id and userID are userid."""
    return re.sub(r"[\W_]", "", _plain(name).casefold())


def tokenize(name: str) -> list[str]:
    """The lower-case words of a name: CustomerID and customer_id are [customer, id]."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", _plain(name))
    return [part for part in re.split(r"[\W_]+", spaced.casefold()) if part]


@lru_cache(maxsize=4096)
def _plain(name: str) -> str:
    """The name in ASCII, without RecBole types (`user_id:token`) and remarks in brackets; other scripts are translated
    to English.
    """
    name = re.sub(r"(?<=\w)\s*\([^()]*\)\s*$", "", name)
    name = re.sub(r":(token|token_seq|float|float_seq|ID|START_ID|END_ID|string|int|long)$", "", name)
    if name.isascii():
        return name
    for word, english in translations.WORDS:
        name = re.sub(re.escape(word), f" {english} ", name, flags=re.IGNORECASE)
    name = "".join(_GERMAN.get(letter, letter) for letter in name)
    return "".join(letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter))


def singularize(word: str) -> str:
    """The singular of a word: movies is movie, categories is category."""
    if word.endswith("ies") and len(word) > 4 and word not in ("movies", "series", "cookies"):
        return word[:-3] + "y"
    if word.endswith("sses") or word.endswith("xes"):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "news")) and len(word) > 3 else word


def classify_word(word: str, has_id: bool = False) -> str:
    """The entity of a word: "user", "item", "group", "context", or "" for other words."""
    for form in (word, singularize(word)):
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


def interpret_name(name: str) -> NameMeaning:
    """The meaning of a column name."""
    if fold(name) in lexicon.REVIEW_TEXTS:
        return NameMeaning("")
    parts = [part for part in tokenize(name) if part not in lexicon.FILLERS] or tokenize(name)
    if len(parts) > 1 and parts[0] in _COUNTED and parts[-1] != singularize(parts[-1]):
        return NameMeaning("")  # num_pages is a count
    if len(parts) > 1 and parts[0] in ("id", "code", "nr", "no", "num", "key", "kode"):
        parts = [*parts[1:], "id"]  # id_student, code_module
    words, ending = _strip_suffix(parts)
    if not words:
        return NameMeaning("other", "", "id", 2) if ending else NameMeaning("")
    if words[-2:] in (["sub", "category"], ["sub", "categorie"], ["sub", "kategorie"]):
        words = [*words[:-2], "subcategory"]
    last, named = words[-1], ending in lexicon.TITLES
    if len(words) == 2 and last in ("tag", "handle", "alias", "nick") and classify_word(words[0]) == "user":
        return NameMeaning("user", words[0], "id", 2)  # gamer_tag
    what = classify_word(last, bool(ending) and not named)
    if what == "item" and len(words) > 1 and classify_word(words[0]) == "context":
        return NameMeaning("context", words[0], "id", 1)  # order_item_id is a line number of an order
    if what:
        part: Literal["id", "name"] = "name" if named else "id"
        return NameMeaning(what, singularize(last), part, 1 if named else 3 if ending else 2)  # type: ignore[arg-type]
    if ending and not named:
        return NameMeaning("other", last, "id", 2)
    owner = classify_word(words[0])
    if len(words) > 1 and owner in ("user", "item"):
        return NameMeaning("user" if owner == "user" else "item", words[0], "attribute", 1)
    return NameMeaning("")


def _strip_suffix(parts: list[str]) -> tuple[list[str], str]:
    """The words of a name without suffixes of ids or names, and the removed suffix."""
    words, ending = list(parts), ""
    while words and (words[-1] in lexicon.ID_ENDINGS or (words[-1] in lexicon.TITLES and len(words) > 1)):
        ending = ending if ending and ending not in ("1", "2", "a", "b", "10", "13", "x", "y") else words[-1]
        words.pop()
    if words and not classify_word(words[-1]):
        stuck = _STUCK.fullmatch(words[-1])
        if stuck and (classify_word(stuck["word"], True) or stuck["end"] in ("id", "ids", "uuid", "guid", "nummer")):
            words[-1], ending = stuck["word"], ending or stuck["end"]
            return words, ending
        digits = re.fullmatch(r"([a-z]+?)(id)?\d{1,2}", words[-1])
        if digits and classify_word(digits[1], True):
            words[-1], ending = digits[1], ending or (digits[2] or "")
    return words, ending


def infer_owner(name: str) -> str:
    """The owner of a property by its name alone: "user", "item", "edge", or "" if unknown."""
    found, called = interpret_name(name), fold(name)
    if (
        is_rating(name)
        or is_weight(name)
        or called in lexicon.REVIEW_TEXTS
        or called in lexicon.EDGE_ATTRIBUTES
        or found.entity == "context"
        or (tokenize(name)[:1] or [""])[0] in lexicon.ACTION_PREFIXES
    ):
        return "edge"
    if found.entity in ("user", "item"):
        return found.entity
    if found.part == "name" and found.entity == "group":
        return "item"
    if found.entity == "group":
        return "item"
    ends = tokenize(name)
    if called in lexicon.USER_ATTRIBUTES or (ends and ends[-1] in lexicon.USER_ATTRIBUTES):
        return "user"
    if called in lexicon.ITEM_ATTRIBUTES or (ends and ends[-1] in lexicon.ITEM_ATTRIBUTES):
        return "item"
    return ""


def is_rating(name: str) -> bool:
    """Whether a column name means a rating by a user."""
    called, parts = fold(name), tokenize(name)
    if called in lexicon.RATINGS:
        return True
    last = bool(parts) and parts[-1] in ("rating", "stars", "score", "overall")
    return last and not {"avg", "average", "mean"} & set(parts)


def is_weight(name: str) -> bool:
    """Whether a column name means a count or quantity."""
    parts = tokenize(name)
    counts = ("quantity", "qty", "plays", "listens", "hours", "menge", "playcount", "units", "minutes", "scrobbles")
    counted = len(parts) == 2 and parts[0] in ("sum", "num", "n", "nb", "count", "total", "number", "no", "times")
    return (
        fold(name) in lexicon.WEIGHTS
        or (bool(parts) and (parts[-1] in counts or parts[0] in ("quantity", "qty")))
        or (counted and find_relation(name) not in (None, "RATED", "LIKED", "COMMENTED", "REVIEWED"))
    )


def is_time(name: str) -> bool:
    """Whether a column name means a time."""
    parts = tokenize(name)
    called = fold(name)
    return bool(parts) and (
        parts[-1] in lexicon.TIMES or called in lexicon.TIMES or called.endswith(("date", "time", "timestamp", "datum"))
    )


def is_other_time(name: str) -> bool:
    """Whether a time belongs to a user, an item or a later step: a birthday, a release, a delivery."""
    return bool(lexicon.OTHER_TIMES & set(tokenize(name))) or fold(name) in lexicon.OTHER_TIMES


def find_relation(text: str) -> str | None:
    """The relationship type of a word ("buy", "page_view") or file name; None if it does not mean a behaviour."""
    words = [word for word in tokenize(text) if word not in lexicon.NON_BEHAVIOUR_WORDS]
    if "remove" in words or "".join(words).startswith("removefrom"):
        return "REMOVED_FROM_CART" if any("cart" in word or "basket" in word for word in words) else "REMOVED"
    for behaviour in BEHAVIOUR_TYPES:
        if any(word.startswith(behaviour.stems) for word in words):
            return behaviour.relation
    for stem in lexicon.ENDING_STEMS:
        if any(word.endswith(stem) for word in words):
            return find_relation(stem)
    return None


def interpret_file_name(stem: str) -> tuple[str, str]:
    """Entity and word of a file name: `movies` is ("item", "movie")."""
    for word in reversed(tokenize(stem)):
        form = singularize(word)
        what = classify_word(word) or ("item" if form in lexicon.ITEMS_WITH_ID else "")
        if what in ("user", "item", "group"):
            return what, form
    return "", ""


def make_label(word: str) -> str:
    """A node label made of a word: movie_author is MovieAuthor."""
    made = "".join(part[:1].upper() + part[1:] for part in re.findall(r"[A-Za-z0-9]+", word))
    made = re.sub(r"^\d+", "", made)
    return made[:1].upper() + made[1:] if made else ""


def make_relation(word: str) -> str:
    """A relationship type made of a word; "" if that is impossible."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", word)
    made = re.sub(r"[^A-Za-z0-9]+", "_", spaced).strip("_").upper()
    return made if re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*", made) else ""


def find_group_type(word: str) -> tuple[str, str]:
    """Label and relationship type of the nodes made of a group column, such as genre."""
    return lexicon.GROUPS.get(word) or (make_label(word), f"HAS_{make_relation(word) or 'GROUP'}")
