"""Access to the graph database. All other packages use it; none of them uses the driver."""

from graphrec.store.connection import Address, Store, connect
from graphrec.store.embedded import EmbeddedServer

__all__ = ["Address", "EmbeddedServer", "Store", "connect"]
