"""A client of a graphrec server, with the methods of `Graph` that make sense over HTTP."""

from graphrec.client.client import Client

__all__ = ["Client"]
