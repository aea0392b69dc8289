"""Normalisation of titles before comparison, and the aliases, parts and numbers of a title."""

import re
import unicodedata

#: Articles that catalogues move to the end ("Godfather, The"), in several languages.
_ARTICLES = (
    "the|an?|l[aeo]s?|l'|un[ae]?|un'|uno|i|il|gli|el|l[oa]s|o|os|as?|der|die|das|den|de[tr]?|ein|eine|"
    "het|een|en|ett?|ta|to|oi|az|ang"
)
_MOVED_ARTICLE = re.compile(rf"^(?P<rest>.+),\s*(?P<article>{_ARTICLES})$", re.IGNORECASE)
#: Parentheses inside a word are excluded: "s" is no alias of "Dinner with the Devil(s)".
_PARENTHESES = re.compile(r"(?:^|\s+)\(([^()]*)\)(?=[\s,]|$)")
_ALSO_KNOWN_AS = re.compile(r"^\s*(?:a\.?k\.?a\.?|aka|also known as)\s+", re.IGNORECASE)
#: Letters that Unicode does not decompose into a base letter and an accent, and the ampersand.
_LETTERS = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "&": " and "})
_NOT_WORD = re.compile(r"[\W_]+")
_LEADING_ARTICLE = re.compile(rf"^(?:{_ARTICLES})\s+(?=\S)".replace("'", ""))
_SEPARATOR = re.compile(r":\s|\s[-–—]\s")
_NUMERALS = ("ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii", "xiv", "xv", "xvi")
_UNITS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_TENS = ("thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ROMAN = {numeral: str(value) for value, numeral in enumerate(_NUMERALS, 2)}
_WORDS = {word: str(value) for value, word in enumerate(_UNITS, 2)}
_WORDS |= {word: str(10 * value) for value, word in enumerate(_TENS, 3)}
_ABBREVIATIONS = {"doctor": "dr", "mister": "mr", "versus": "vs", "volume": "vol"}
_EQUIVALENTS = _ROMAN | _WORDS | _ABBREVIATIONS
#: Words that are dropped before a number: "Friday the 13th Part V" is "Friday the 13th 5".
_NUMBER_PREFIXES = {"part", "pt", "no", "number", "vol", "chapter", "episode"}
#: Words for 1 after such a word; elsewhere "one" and "i" are ordinary words.
_FIRST = {"one", "i"}


def normalise_title(title: str) -> str:
    """The title without accents, case, punctuation and double spaces, with the article in front and "and" for "&".

    A title of only punctuation keeps it, so that "$" and "!" differ.

    >>> normalise_title("Fabuleux destin d'Amélie Poulain, Le")
    'le fabuleux destin d amelie poulain'
    >>> normalise_title("Crime & Punishment:  the  film")
    'crime and punishment the film'
    """
    text = title.strip()
    moved = _MOVED_ARTICLE.match(text)
    if moved:
        text = f"{moved['article']} {moved['rest']}"
    folded = text.casefold()
    if folded.isascii():
        plain = folded.replace("&", " and ")
    else:
        decomposed = unicodedata.normalize("NFKD", folded)
        plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter)).translate(_LETTERS)
    return _NOT_WORD.sub(" ", plain).strip() or folded


def extract_aliases(title: str) -> list[str]:
    """The normalised aliases of a title with parentheses: the title without them, and the text inside each.

    >>> extract_aliases("Amelie (Fabuleux destin d'Amélie Poulain, Le)")
    ['amelie', 'le fabuleux destin d amelie poulain']
    >>> extract_aliases("Léon: The Professional (a.k.a. The Professional) (Léon)")
    ['leon the professional', 'the professional', 'leon']
    """
    inside = _PARENTHESES.findall(title)
    if not inside:
        return []
    # "Amants de Montparnasse (Montparnasse 19), Les" loses only the parentheses and keeps the article.
    names = [_PARENTHESES.sub("", title), *(_ALSO_KNOWN_AS.sub("", name) for name in inside)]
    return list(dict.fromkeys(normalise_title(name) for name in names if name.strip()))


def split_title(title: str) -> list[str]:
    """The normalised parts of a title before and after the first colon or dash; empty if it has neither.

    >>> split_title("Star Wars: Episode IV - A New Hope")
    ['star wars', 'episode iv a new hope']
    """
    parts = _SEPARATOR.split(_PARENTHESES.sub("", title), maxsplit=1)
    return [normalise_title(part) for part in parts if part.strip()] if len(parts) > 1 else []


def tokenise(name: str) -> list[str]:
    """The words of a normalised title, with numbers in digits and without prefixes of numbers such as "part".

    >>> tokenise("friday the 13th part v")
    ['friday', 'the', '13th', '5']
    """
    words = name.split()
    tokens = []
    for index, word in enumerate(words):
        following = words[index + 1] if index + 1 < len(words) else ""
        if word in _NUMBER_PREFIXES and (_is_number(following) or following in _FIRST):
            continue
        is_first = word in _FIRST and index > 0 and words[index - 1] in _NUMBER_PREFIXES
        tokens.append("1" if is_first else _EQUIVALENTS.get(word, word))
    return tokens


def extract_numbers(name: str) -> str:
    """The numbers in a normalised title, in order and separated by spaces; "" if there are no numbers.

    >>> extract_numbers("rocky iii"), extract_numbers("2001 a space odyssey"), extract_numbers("rocky")
    ('3', '2001', '')
    """
    numbers = [word for word in tokenise(name) if _is_number(word)]
    return " ".join("".join(letter for letter in number if letter.isdigit()) for number in numbers)


def _is_number(word: str) -> bool:
    return word[:1].isdigit() or word[-1:].isdigit() or word in _ROMAN or word in _WORDS


def compact(name: str) -> str:
    """The tokens of a normalised title without spaces, so that spellings with other spaces or numerals are equal.

    >>> compact("blood sucking freaks ii") == compact("bloodsucking freaks 2")
    True
    """
    return "".join(tokenise(name))


def strip_article(name: str) -> str:
    """A normalised title without its leading article, if it has one.

    >>> strip_article("the underneath")
    'underneath'
    """
    return _LEADING_ARTICLE.sub("", name)
