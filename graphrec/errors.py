"""Errors that say what is wrong, where, how often, with examples, and what to do next."""

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice


class GraphrecError(Exception):
    """Base of every error that graphrec raises on purpose; its text is one sentence for the user."""


class DataError(GraphrecError):
    """A file or a table does not hold what it must."""


class LeakError(DataError):
    """What a model sees tells of what it is to be tested on, so that a measurement would flatter it."""


class StoreError(GraphrecError):
    """The graph database cannot be reached, refuses the login, or lacks what is asked of it."""


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
            offer = f"there are {len(names)}: {examples(names)}"
        else:
            offer = f"there is no {kind} yet"
        super().__init__(f"there is no {kind} '{name}'; {offer}{'; ' + hint if hint else ''}")


def nearest(name: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """At most `limit` of the known names that look most like `name`, the nearest first."""
    folded = {candidate.casefold(): candidate for candidate in known}
    return [folded[match] for match in get_close_matches(name.casefold(), folded, limit, cutoff=0.5)]


def examples(values: Iterable[object], limit: int = 5) -> str:
    """The first `limit` values as a comma-separated text, with an ellipsis where there are more.

    A message is one line that fits a screen, whatever a file holds: of each value at most 100 characters are shown, and
    those that cannot be printed as �.
    """
    shown = list(islice(values, limit + 1))
    text = ", ".join(_on_one_line(str(value)) for value in shown[:limit])
    return text + (", …" if len(shown) > limit else "")


def _on_one_line(text: str, limit: int = 100) -> str:
    text = text if len(text) <= limit else f"{text[: limit - 1]}…"
    return text if text.isprintable() else "".join(sign if sign.isprintable() else "�" for sign in text)
