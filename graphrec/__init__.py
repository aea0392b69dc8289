"""graphrec: records of people and things become recommendations that live in a graph database.

>>> import graphrec
>>> with graphrec.connect() as graph:  # doctest: +SKIP
...     graph.load("movielens")
...     graph.publish(graph.train("graph_filter"))
...     graph.recommend("15")
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphrec.graph import Graph, connect

__version__ = "0.1.0"

__all__ = ["Graph", "connect"]


def __getattr__(name: str) -> object:
    """`connect` and `Graph`, loaded when they are first asked for: the database's driver takes a second to import."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from graphrec import graph

    return getattr(graph, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
