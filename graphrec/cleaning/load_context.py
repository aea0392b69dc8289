"""What a load knows that its loader does not: whether rows are appended, and what the graph has already.

A loader is called with a folder and nothing else, so the load sets this around the call and `clean` reads it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import pandas as pd

#: Called with a source, a label and ids: which of these ids the graph has as nodes of that source.
InGraph = Callable[[str, str, "pd.Series[str]"], "pd.Series[bool]"]


@dataclass(frozen=True)
class LoadContext:
    """How the tables of a loader are used.

    Attributes:
        append: the rows are added to those in the graph, so a table without rows takes nothing away.
        allow_removal: a table of which nothing is kept is no error.
        in_graph: which ids the graph has; edges that end at these do not dangle. None: nothing is known of it.
    """

    append: bool = False
    allow_removal: bool = False
    in_graph: InGraph | None = None

    @property
    def remedy(self) -> str:
        """What to do if nothing of a table can be kept, as the end of a message."""
        if self.append:
            return "check the file and how it is described"
        return (
            "check the file and how it is described, or say --allow-removal (in Python allow_removal=True) to load the "
            "source without these rows"
        )


_NO_LOAD = LoadContext()
_CONTEXT: ContextVar[LoadContext] = ContextVar("load_context", default=_NO_LOAD)


@contextmanager
def load_context(context: LoadContext) -> Iterator[None]:
    """A `with` block in which `current_load` gives this context."""
    token = _CONTEXT.set(context)
    try:
        yield
    finally:
        _CONTEXT.reset(token)


def current_load() -> LoadContext:
    """The context of the load under way; outside of a load a strict one that knows no graph."""
    return _CONTEXT.get()
