"""Errors whose messages name the defect, its location, its frequency with examples, and the remedy."""

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from itertools import islice

from graphrec.characters import escape_unprintable
from graphrec.redaction import redact

#: Maximum number of characters of the beginning and of the end of a long message; the end has the remedy.
BEGINNING, END = 1_500, 500
#: Number of characters at each end of a message that are searched for secrets; the others are not shown.
_SEARCHED = 10 * BEGINNING
#: Maximum number of characters of a name that are compared with known names.
_COMPARED = 1_000


class GraphrecError(Exception):
    """Base class of all errors that graphrec raises; its text is one sentence for the user.

    The text contains no password, no control character and at most 2,000 characters.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(sentence(message))


class DataError(GraphrecError):
    """A file, a table or an argument is invalid."""


class LeakError(DataError):
    """Test interactions can be inferred from the training view, so metrics would be too high."""


class StoreError(GraphrecError):
    """The graph database cannot be reached, refuses a login or a statement, or lacks what is requested.

    `reason` is the message of the database, if it refused a statement.
    """

    def __init__(self, message: str = "", reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason


class RefusedError(GraphrecError):
    """A request would do harm, such as publishing a run that is not good enough or deleting most of a source."""


class UnknownNameError(GraphrecError):
    """A name (run, user, model, source, query, parameter) that does not exist, or that `owner` does not have.

    >>> str(UnknownNameError("model", "lightgnc", ["lightgcn", "popularity"]))
    "there is no model 'lightgnc'; did you mean lightgcn?"
    >>> str(UnknownNameError("setting", "epoch", ["epochs"], owner="lightgcn"))
    "lightgcn has no setting 'epoch'; did you mean epochs?"
    """

    def __init__(self, kind: str, name: object, known: Iterable[str], hint: str = "", owner: str = "") -> None:
        self.kind = kind
        name = str(name)  # Python callers may pass any object
        names = list(known)
        close = nearest(name, names)
        if close:
            offer = f"did you mean {' or '.join(close)}?"
        elif names:
            offer = f"{'it has' if owner else 'there are'} {len(names)}: {first_few(names)}"
        elif owner:
            offer = "" if hint else "it has none"
        else:
            offer = f"there is no {kind} yet"
        start = f"{owner} has" if owner else "there is"
        super().__init__("; ".join(filter(None, (f"{start} no {kind} '{format_value(name)}'", offer, hint))))

    @classmethod
    def from_sentence(cls, kind: str, message: str) -> "UnknownNameError":
        """The error with a sentence that another process or server made."""
        error = cls(kind, "", ())
        error.args = (sentence(message),)
        return error

    def __reduce__(self) -> tuple[Callable[[str, str], "UnknownNameError"], tuple[str, str]]:
        """Pickles the error as its kind and message, because worker processes send errors to their parent."""
        return UnknownNameError.from_sentence, (self.kind, str(self))


def nearest(name: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """At most `limit` known names that are similar to `name`, the most similar first."""
    folded = {candidate.casefold(): candidate for candidate in known}
    return [folded[match] for match in get_close_matches(name[:_COMPARED].casefold(), folded, limit, cutoff=0.5)]


def first_few(values: Iterable[object], limit: int = 5) -> str:
    """The first `limit` values as a comma-separated text, with an ellipsis if there are more.

    Values are formatted by `format_value`, so that the text has one line.
    """
    first = list(islice(values, limit + 1))
    text = ", ".join(map(format_value, first[:limit]))
    return text + (", …" if len(first) > limit else "")


def join_words(words: Sequence[str]) -> str:
    """The words as `a`, `a and b` or `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def format_value(value: object, limit: int = 100) -> str:
    """A value as text for a message: at most `limit` characters, without secrets, unprintable characters escaped.

    >>> format_value("a\\nb")
    'a\\\\nb'
    """
    text = escape_unprintable(redact(str(value)[: limit + _SEARCHED]))
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def sentence(text: str) -> str:
    """A message on one line, without secrets, unprintable characters escaped, the middle left out if it is too long."""
    if len(text) <= BEGINNING + END:
        return escape_unprintable(redact(text))
    first, last = escape_unprintable(redact(text[:_SEARCHED])), escape_unprintable(redact(text[-_SEARCHED:]))
    if len(text) <= _SEARCHED and len(first) <= BEGINNING + END:
        return first
    return f"{first[:BEGINNING]} … {last[-END:]}"


def quantity(number: int, noun: str, verb: str = "") -> str:
    """A number with its noun and verb: `1 edge points`, `2 edges point`."""
    one = number == 1
    return f"{number:,} {noun}{'' if one else 's'}" + (f" {verb}{'s' if one else ''}" if verb else "")
