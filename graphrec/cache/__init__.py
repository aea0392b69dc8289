"""A cache of answers by user that is never stale: answers are stored only if the user's version is what it was."""

from graphrec.cache.base import Cache, Looked
from graphrec.cache.memory import MemoryCache
from graphrec.cache.opening import open_cache

__all__ = ["Cache", "Looked", "MemoryCache", "open_cache"]
