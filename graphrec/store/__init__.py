"""The one door to the graph database."""

from graphrec.store.connection import Address, Store, connect
from graphrec.store.embedded import EmbeddedServer

__all__ = ["Address", "EmbeddedServer", "Store", "connect"]
