"""Options of the server, and their check before it starts."""

import ipaddress
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from graphrec.api.keys import KeyFile
from graphrec.errors import GraphrecError
from graphrec.reranking import RerankingRules, read_rules

#: The environment variable in which the options reach worker processes; they contain no secret.
VARIABLE = "GRAPHREC_SERVE_OPTIONS"


@dataclass(frozen=True)
class ServeOptions:
    """Options of `graphrec serve`.

    host, port: the address to listen at; port 0 is any free port.
    workers: number of server processes.
    open: whether requests need no key; only on a loopback address.
    rules: TOML files of reranking rules, by the name that requests use.
    create_users, create_items: whether events create the users and items that the graph does not have.
    seconds: time limit of a request.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    open: bool = False
    rules: Mapping[str, str] = field(default_factory=dict)
    create_users: bool = True
    create_items: bool = False
    seconds: float = 10.0

    def __post_init__(self) -> None:
        if self.open and not is_loopback(self.host):
            raise GraphrecError(
                f"--open serves without keys, which is allowed on a loopback address only, not on {self.host}; "
                "create a key with `graphrec key create NAME`, and leave --open out"
            )

    def read_rules(self) -> dict[str, RerankingRules]:
        """The reranking rules by name. Raises DataError if a file is invalid."""
        return {name: read_rules(Path(file)) for name, file in self.rules.items()}

    def require_usable(self, home: Path) -> None:
        """Raise GraphrecError if no client could use the server, DataError if rules are invalid; quick, so that
        errors come before anything starts."""
        self.read_rules()
        if not self.open and not KeyFile(home).read():
            raise GraphrecError(
                "there is no key yet, so no one could use the server: `graphrec key create NAME` makes one; --open "
                "serves without keys, on this machine only"
            )

    def to_json(self) -> str:
        """The options as JSON, for `from_json` in a worker process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "ServeOptions":
        """The inverse of `to_json`."""
        return cls(**json.loads(text))


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
