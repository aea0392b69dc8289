"""The Python interface: one object, with a method for the work of each command.

`Graph` inherits from one class for each subject. Its methods check their arguments and call the functions of
`graphrec.pipeline` and of the packages below it, which do the work.
"""

from collections.abc import Callable
from pathlib import Path

from graphrec.config import Settings, open_store
from graphrec.graph.maintenance import MaintenanceMethods
from graphrec.graph.models import ModelMethods
from graphrec.graph.operation import OperationMethods
from graphrec.graph.recommendations import RecommendationMethods
from graphrec.graph.server import ServerMethods
from graphrec.graph.streams import StreamMethods
from graphrec.store import Store

__all__ = ["Graph", "connect"]


class Graph(RecommendationMethods, ModelMethods, MaintenanceMethods, ServerMethods, StreamMethods, OperationMethods):
    """A property graph with its runs; methods save what they load or train in the database or the home folder.

    `settings` name the home folder and the database, which is opened when a method first needs it if no `store` is
    given. `note` is called with messages for the user. The model behind the published recommendations is loaded when it
    is first needed, and kept. An id may be a text or an integer (also a numpy one); a run is named by its id, the first
    letters of it, `latest`, or the result of `train`. The parameter `progress` of methods is called with the name of a
    stage, the number of steps done and their total. After `close` methods that need the database raise StoreError.
    """

    def __init__(
        self, store: Store | None = None, settings: Settings | None = None, note: Callable[[str], None] = lambda _: None
    ) -> None:
        if not isinstance(settings, Settings):
            raise TypeError("Graph() takes a store and Settings; graphrec.connect() opens a graph")
        super().__init__(store, settings, note)


#: Python's errors for wrong arguments name a function by its qualified name, which is to be that of the user's class.
for _base in Graph.__mro__[1:-1]:
    for _name, _method in vars(_base).items():
        if callable(_method) and not _name.startswith("_"):
            _method.__qualname__ = f"Graph.{_name}"


def connect(
    uri: str | None = None,
    username: str | None = None,
    password: str | None = None,
    database: str | None = None,
    home: Path | str | None = None,
    note: Callable[[str], None] = lambda _: None,
) -> Graph:
    """The graph of a database: a Neo4j at `uri`, else the one that NEO4J_URI names, else the embedded store.

    Arguments that are not given come from the environment, as for the commands (NEO4J_USERNAME, NEO4J_PASSWORD,
    NEO4J_DATABASE); `home` is the folder of runs and of the embedded store, GRAPHREC_HOME. The embedded store is
    started if it does not run, and keeps running: `graphrec store stop` ends it. `note` is called with messages for the
    user, such as a warning before a training. Use the graph in a `with` block, or close it.

    Raises:
        StoreError: no database answers, or the login is refused.
    """
    arguments = {
        "neo4j_uri": uri,
        "neo4j_username": username,
        "neo4j_password": password,
        "neo4j_database": database,
        "graphrec_home": home,
    }
    given = {name: value for name, value in arguments.items() if value is not None}
    settings = Settings(**given)  # type: ignore[arg-type]  # pydantic checks the types
    return Graph(open_store(settings, note), settings, note)
