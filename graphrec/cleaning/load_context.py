"""Options and state of the current load: whether rows are appended, and which ids the graph has.

A loader is called only with a folder, so the load sets the context around the call and `clean` reads it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import pandas as pd

#: Function of a source, a label and ids that returns which of the ids are nodes of that source in the graph.
InGraph = Callable[[str, str, "pd.Series[str]"], "pd.Series[bool]"]


@dataclass(frozen=True)
class LoadContext:
    """The context of a load.

    Attributes:
        append: whether the rows are added to those in the graph, so that a table without rows removes nothing.
        allow_removal: whether a table without remaining rows is accepted.
        in_graph: the lookup of ids in the graph, whose edges are not dangling; None without a graph.
    """

    append: bool = False
    allow_removal: bool = False
    in_graph: InGraph | None = None

    @property
    def remedy(self) -> str:
        """The end of the error message for a table without remaining rows."""
        if self.append:
            return "check the file and how it is described"
        return (
            "check the file and how it is described, or use --allow-removal (in Python allow_removal=True) to load the "
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
    """The context of the current load; outside a load, the strict default without a graph."""
    return _CONTEXT.get()
