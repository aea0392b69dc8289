"""Options of the MCP server, and their check before it starts."""

from dataclasses import dataclass, field

from graphrec.errors import GraphrecError

#: The environment variable with the API key: of the server at `url`, else of the local home folder.
KEY = "GRAPHREC_KEY"


@dataclass(frozen=True)
class ToolOptions:
    """Options of `graphrec mcp`.

    url: a graphrec server that answers; None for the local graph.
    key: an API key; with the scope `write` events can be written.
    http: whether to listen at an HTTP port of this machine instead of reading stdin.
    port: that port; 0 is any free port.
    """

    url: str | None = None
    key: str | None = field(default=None, repr=False)
    http: bool = False
    port: int = 8765

    def __post_init__(self) -> None:
        if self.url is not None and self.key is None:
            raise GraphrecError(f"a server answers with a key only; put it into the environment variable {KEY}")
