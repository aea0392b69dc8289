"""Errors that say what is wrong, where, how often, with examples, and what to do next."""

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from itertools import islice

from graphrec.characters import printable
from graphrec.redaction import redacted

#: Characters of a message: of its beginning and its end, of which the second says what to do.
BEGINNING, END = 1_500, 500
#: Characters of either part of a message that are searched for secrets; those behind them are not shown.
_SEARCHED = 10 * BEGINNING
#: Characters of a name that are compared with known ones.
_COMPARED = 1_000


class GraphrecError(Exception):
    """Base of every error that graphrec raises on purpose; its text is one sentence for the user.

    The text holds no password and no control character, and at most 2,000 characters, whatever it was made from.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(sentence(message))


class DataError(GraphrecError):
    """A file or a table does not hold what it must."""


class LeakError(DataError):
    """Test interactions can be inferred from the training view, so metrics would be too high."""


class StoreError(GraphrecError):
    """The graph database cannot be reached, refuses the login, or lacks what is asked of it.

    `reason` is the database's own message, if it refused a statement.
    """

    def __init__(self, message: str = "", reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason


class RefusedError(GraphrecError):
    """What is asked would do harm, such as to publish a run that is not good enough or to delete most of a source."""


class UnknownNameError(GraphrecError):
    """A name (run, user, model, source, query, parameter) that does not exist.

    >>> str(UnknownNameError("model", "lightgnc", ["lightgcn", "popularity"]))
    "there is no model 'lightgnc'; did you mean lightgcn?"
    """

    def __init__(self, kind: str, name: object, known: Iterable[str], hint: str = "") -> None:
        self.kind = kind
        name = str(name)  # a caller in Python may pass anything for a name
        names = list(known)
        close = nearest(name, names)
        if close:
            offer = f"did you mean {' or '.join(close)}?"
        elif names:
            offer = f"there are {len(names)}: {first_few(names)}"
        else:
            offer = f"there is no {kind} yet"
        super().__init__(f"there is no {kind} '{shown(name)}'; {offer}{'; ' + hint if hint else ''}")

    def __reduce__(self) -> tuple[Callable[[str, str], "UnknownNameError"], tuple[str, str]]:
        """How a worker's error reaches the process that waits for it: as the kind and the message."""
        return _unknown, (self.kind, str(self))


def _unknown(kind: str, message: str) -> UnknownNameError:
    error = UnknownNameError(kind, "", ())
    error.args = (message,)
    return error


def nearest(name: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """At most `limit` of the known names that look most like `name`, the nearest first."""
    folded = {candidate.casefold(): candidate for candidate in known}
    return [folded[match] for match in get_close_matches(name[:_COMPARED].casefold(), folded, limit, cutoff=0.5)]


def first_few(values: Iterable[object], limit: int = 5) -> str:
    """The first `limit` values as a comma-separated text, with an ellipsis if there are more.

    A message is one line that fits a screen, whatever a file holds: each value is written as `shown` does.
    """
    found = list(islice(values, limit + 1))
    text = ", ".join(map(shown, found[:limit]))
    return text + (", …" if len(found) > limit else "")


def join_words(words: Sequence[str]) -> str:
    """The words as `a`, `a and b` or `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def shown(value: object, limit: int = 100) -> str:
    """A value as a message shows it: at most `limit` characters, without secrets, control characters escaped.

    >>> shown("a\\nb")
    'a\\\\nb'
    """
    text = printable(redacted(str(value)[: limit + _SEARCHED]))
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def sentence(text: str) -> str:
    """A message on one line: without secrets, control characters escaped, the middle left out where it is too long."""
    if len(text) <= BEGINNING + END:
        return printable(redacted(text))
    first, last = printable(redacted(text[:_SEARCHED])), printable(redacted(text[-_SEARCHED:]))
    if len(text) <= _SEARCHED and len(first) <= BEGINNING + END:
        return first
    return f"{first[:BEGINNING]} … {last[-END:]}"
