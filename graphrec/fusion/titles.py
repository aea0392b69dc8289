"""Titles as they are compared across sources: one spelling for all, and the other names of a work."""

import re
import unicodedata

#: Articles that catalogues move to the end ("Godfather, The"), in the languages of the films we met.
_ARTICLES = (
    "the|an?|l[aeo]s?|l'|un[ae]?|un'|uno|i|il|gli|el|l[oa]s|o|os|as?|der|die|das|den|de[tr]?|ein|eine|"
    "het|een|en|ett?|ta|to|oi|az|ang"
)
_MOVED = re.compile(rf"^(?P<rest>.+),\s*(?P<article>{_ARTICLES})$", re.IGNORECASE)
#: Not those inside a word: "Dinner with the Devil(s)" is not called "s".
_PARENTHESES = re.compile(r"(?:^|\s+)\(([^()]*)\)(?=[\s,]|$)")
_ALSO_KNOWN_AS = re.compile(r"^\s*(?:a\.?k\.?a\.?|aka|also known as)\s+", re.IGNORECASE)
#: Letters that Unicode does not divide into a base letter and an accent.
_LETTERS = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "&": " and "})
_NOT_WORD = re.compile(r"[\W_]+")
_LEADING_ARTICLE = re.compile(rf"^(?:{_ARTICLES})\s+(?=\S)".replace("'", ""))
_DIVISION = re.compile(r":\s|\s[-–—]\s")
_NUMERALS = ("ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii", "xiv", "xv", "xvi")
_UNITS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_TENS = ("thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ROMAN = {numeral: str(value) for value, numeral in enumerate(_NUMERALS, 2)}
_WORDS = {word: str(value) for value, word in enumerate(_UNITS, 2)}
_WORDS |= {word: str(10 * value) for value, word in enumerate(_TENS, 3)}
_SHORT = {"doctor": "dr", "mister": "mr", "versus": "vs", "volume": "vol"}
_SAME_WORD = _ROMAN | _WORDS | _SHORT
#: Words that only announce a number: "Friday the 13th Part V" is "Friday the 13th 5".
_ANNOUNCING = {"part", "pt", "no", "number", "vol", "chapter", "episode"}
_FIRST = {"one", "i"}


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


def divisions(title: str) -> list[str]:
    """The normalised pieces of a title with a colon or a dash: the part before the first one and the part after it.

    >>> divisions("Star Wars: Episode IV - A New Hope")
    ['star wars', 'episode iv a new hope']
    """
    pieces = _DIVISION.split(_PARENTHESES.sub("", title), maxsplit=1)
    return [normalise(piece) for piece in pieces if piece.strip()] if len(pieces) > 1 else []


def words(name: str) -> list[str]:
    """The words of a normalised title with numbers in digits, without the words that only announce a number.

    >>> words("friday the 13th part v")
    ['friday', 'the', '13th', '5']
    """
    given = name.split()
    kept = []
    for place, word in enumerate(given):
        follows = given[place + 1] if place + 1 < len(given) else ""
        if word in _ANNOUNCING and (_is_number(follows) or follows in _FIRST):
            continue
        first = word in _FIRST and place > 0 and given[place - 1] in _ANNOUNCING
        kept.append("1" if first else _SAME_WORD.get(word, word))
    return kept


def numbers(name: str) -> str:
    """The numbers among the words of a normalised title, in order, with spaces between them: "" without any.

    >>> numbers("rocky iii"), numbers("2001 a space odyssey"), numbers("rocky")
    ('3', '2001', '')
    """
    return " ".join("".join(letter for letter in word if letter.isdigit()) for word in words(name) if _is_number(word))


def _is_number(word: str) -> bool:
    return word[:1].isdigit() or word[-1:].isdigit() or word in _ROMAN or word in _WORDS


def compact(name: str) -> str:
    """A normalised title without spaces, as `words` writes it: spellings that differ in spaces or numbers are equal.

    >>> compact("blood sucking freaks ii") == compact("bloodsucking freaks 2")
    True
    """
    return "".join(words(name))


def without_article(name: str) -> str:
    """A normalised title without the article in front; the title itself if it has none.

    >>> without_article("the underneath")
    'underneath'
    """
    return _LEADING_ARTICLE.sub("", name)
