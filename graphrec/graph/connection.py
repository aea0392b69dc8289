"""The connection of a `Graph`: its settings and its database, which is opened when it is first needed."""

from collections.abc import Callable
from typing import Self

from graphrec import config
from graphrec.config import Settings
from graphrec.errors import GraphrecError, StoreError
from graphrec.schema import ITEM, USER
from graphrec.store import Store, counts


class Connection:
    """Settings and a database, which is opened when a method first needs it if no `store` is given.

    `note` is called with messages for the user, such as a warning before a training.
    """

    def __init__(self, store: Store | None, settings: Settings, note: Callable[[str], None] = lambda _: None) -> None:
        self.settings = settings
        self._store, self._note, self._closed = store, note, False

    def __repr__(self) -> str:
        """The address, and the numbers of users and items, which both databases keep as counts."""
        if self._store is None:
            return f"<graphrec.Graph, {'closed' if self._closed else 'not connected'}>"
        place = _strip_login(self._store.address.uri)
        if self._closed:
            return f"<graphrec.Graph {place}, closed>"
        try:
            users, items = (counts.num_nodes(self._store, label) for label in (USER, ITEM))
        except GraphrecError:
            return f"<graphrec.Graph {place}, which does not answer>"
        return f"<graphrec.Graph {place}, home {self.settings.home}: {users:,} users, {items:,} items>"

    def __enter__(self) -> Self:
        self._require_open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the embedded store keeps running. Closing twice does no harm."""
        self._closed = True
        if self._store is not None:
            self._store.close()

    @property
    def store(self) -> Store:
        """The database, which runs Cypher: `graph.store.read("MATCH …")`. Raises StoreError after `close`."""
        self._require_open()
        if self._store is None:
            self._store = config.open_store(self.settings, self._note)
        return self._store

    def _require_open(self) -> None:
        """Raise StoreError after `close`, before any work that would need the database at its end."""
        if self._closed:
            raise StoreError("this graph is closed; graphrec.connect() opens it again")


def _strip_login(uri: str) -> str:
    """An address without the user and the password that it may contain."""
    scheme, slashes, rest = uri.partition("://")
    return f"{scheme}{slashes}{rest.rpartition('@')[2]}"
