"""Titles as they are compared across sources: one spelling for all, and the other names of a work."""

import re
import unicodedata

#: Articles that catalogues move to the end ("Godfather, The"), in the languages of the films we met.
_ARTICLES = (
    "the|an?|l[aeo]s?|l'|un[ae]?|un'|uno|i|il|gli|el|l[oa]s|o|os|as?|der|die|das|den|de[tr]?|ein|eine|"
    "het|een|en|ett?|ta|to|oi|az|ang"
)
_MOVED = re.compile(rf"^(?P<rest>.+), (?P<article>{_ARTICLES})$", re.IGNORECASE)
_PARENTHESES = re.compile(r"\s*\(([^()]*)\)")
_ALSO_KNOWN_AS = re.compile(r"^\s*(?:a\.?k\.?a\.?|aka|also known as)\s+", re.IGNORECASE)
#: Letters that Unicode does not divide into a base letter and an accent.
_LETTERS = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "&": " and "})
_NOT_WORD = re.compile(r"[\W_]+")


def normalise(title: str) -> str:
    """One spelling of a title: no accents, case, punctuation or double spaces, the article in front, & as and.

    A title of punctuation alone keeps it, so that "$" is not the same as "!".

    >>> normalise("Fabuleux destin d'Amélie Poulain, Le")
    'le fabuleux destin d amelie poulain'
    >>> normalise("Crime & Punishment:  the  film")
    'crime and punishment the film'
    """
    text = title.strip()
    moved = _MOVED.match(text)
    if moved:
        text = f"{moved['article']} {moved['rest']}"
    folded = text.casefold()
    if folded.isascii():
        plain = folded.replace("&", " and ")
    else:
        divided = unicodedata.normalize("NFKD", folded)
        plain = "".join(letter for letter in divided if not unicodedata.combining(letter)).translate(_LETTERS)
    return _NOT_WORD.sub(" ", plain).strip() or folded


def aliases(title: str) -> list[str]:
    """The normalised other names of a title with parentheses: the part before them and each one inside.

    >>> aliases("Amelie (Fabuleux destin d'Amélie Poulain, Le)")
    ['amelie', 'le fabuleux destin d amelie poulain']
    >>> aliases("Léon: The Professional (a.k.a. The Professional) (Léon)")
    ['leon the professional', 'the professional', 'leon']
    """
    inside = _PARENTHESES.findall(title)
    if not inside:
        return []
    # "Amants de Montparnasse (Montparnasse 19), Les" loses only the parenthesis, not the article after it.
    names = [_PARENTHESES.sub("", title), *(_ALSO_KNOWN_AS.sub("", name) for name in inside)]
    return list(dict.fromkeys(normalise(name) for name in names if name.strip()))
