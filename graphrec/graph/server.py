"""Methods of `Graph` that serve it over HTTP and administer the API keys."""

from typing import TYPE_CHECKING

from graphrec.errors import GraphrecError
from graphrec.graph.connection import Connection

if TYPE_CHECKING:
    from graphrec.api.keys import ApiKey, NewKey
    from graphrec.api.options import ServeOptions
    from graphrec.mcp.options import ToolOptions


class ServerMethods(Connection):
    """The HTTP server, and the keys of its clients, which are kept in the home folder; no method needs the database."""

    def serve(self, options: "ServeOptions | None" = None) -> None:
        """Serve recommendations over HTTP until SIGTERM or SIGINT (docs/serving.md), with connections of its own.

        Raises GraphrecError if the extra `serve` is not installed, or if there is no key and `options.open` is not set.
        """
        from graphrec.api.options import ServeOptions

        options = options or ServeOptions()
        options.require_usable(self.settings.home)
        try:
            from graphrec.api.server import run_server
        except ImportError as error:
            raise GraphrecError(f"serving needs `pip install 'graphrec[serve]'` ({error.name} is missing)") from error
        run_server(self.settings, options, self._note)

    def serve_tools(self, options: "ToolOptions | None" = None) -> None:
        """Serve tools for language models by the Model Context Protocol until the client ends (docs/mcp.md), with
        connections of its own.

        Raises GraphrecError if the extra `mcp` is not installed, or if an option cannot be used.
        """
        from graphrec.mcp.options import ToolOptions

        try:
            from graphrec.mcp.server import run_server
        except ImportError as error:
            raise GraphrecError(f"the tools need `pip install 'graphrec[mcp]'` ({error.name} is missing)") from error
        run_server(self.settings, options or ToolOptions())

    def create_key(
        self, name: str, scopes: "tuple[str, ...]" = ("read",), days: float | None = None, rate: float = 200.0
    ) -> "NewKey":
        """Create an API key; its `text` is shown once and kept nowhere. `days` is its lifetime, `rate` the requests a
        second that it allows (0: no limit).

        Raises UnknownNameError or DataError if an argument is invalid, or the name is in use.
        """
        from graphrec.api.keys import KeyFile

        return KeyFile(self.settings.home).create(name, scopes, days, rate)

    def list_keys(self) -> "list[ApiKey]":
        """All API keys, the oldest first, without their secrets."""
        from graphrec.api.keys import KeyFile

        return KeyFile(self.settings.home).read()

    def revoke_key(self, name: str) -> "ApiKey":
        """Revoke the API key with an id or a name; servers refuse it within a second.

        Raises UnknownNameError if there is no such key.
        """
        from graphrec.api.keys import KeyFile

        return KeyFile(self.settings.home).revoke(name)
