"""Settings from the environment, and the database that they name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from platformdirs import user_data_path
from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from graphrec.errors import GraphrecError
from graphrec.redaction import redact
from graphrec.store import Address, EmbeddedServer, Store, connect
from graphrec.store.connection import UnreachableError
from graphrec.store.embedded import DATABASE, USERNAME, server_version


class Settings(BaseSettings):
    """Settings from the environment: GRAPHREC_HOME, NEO4J_URI with its login to use a Neo4j, and GRAPHREC_CACHE_URL.

    A login in NEO4J_URI (`bolt://user:password@host`) is removed from it, percent-decoded, and used as NEO4J_USERNAME
    and NEO4J_PASSWORD; if these are set as well, they take precedence.
    """

    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True, hide_input_in_errors=True)

    graphrec_home: Path = Field(default_factory=lambda: user_data_path("graphrec", appauthor=False))
    neo4j_uri: str | None = None
    neo4j_username: str = "neo4j"
    neo4j_password: SecretStr = SecretStr("")
    neo4j_database: str = "neo4j"
    graphrec_cache_url: SecretStr | None = None

    @model_validator(mode="before")
    @classmethod
    def _split_login(cls, values: Any) -> Any:  # Any: the values of pydantic-settings, a dict by name
        """The values with the login of the address in separate fields, because messages show `neo4j_uri`."""
        if not isinstance(values, dict) or not isinstance(values.get("neo4j_uri"), str):
            return values
        uri, username, password = split_login(values["neo4j_uri"])
        login = {"neo4j_username": username, "neo4j_password": password}
        missing = {name: value for name, value in login.items() if value and not values.get(name)}
        return {**values, **missing, "neo4j_uri": uri}

    @property
    def home(self) -> Path:
        """The folder of the embedded store and the runs. Raises GraphrecError if it begins with an unknown ~USER."""
        try:
            return self.graphrec_home.expanduser().absolute()
        except (RuntimeError, OSError) as error:
            raise GraphrecError(
                f"GRAPHREC_HOME is {self.graphrec_home}, which is no folder ({error}); set it to the path of a folder"
            ) from error

    @property
    def runs(self) -> Path:
        """The folder with one folder per saved run."""
        return self.home / "runs"

    @property
    def studies(self) -> Path:
        """The folder with one study per search for settings."""
        return self.home / "studies"

    @property
    def encoders(self) -> Path:
        """The folder with the text encoder of each label."""
        return self.home / "encoders"

    @property
    def answers(self) -> Path:
        """The folder with the answers of language models, one file for each question."""
        return self.home / "answers"

    @property
    def loads(self) -> Path:
        """The folder with the last report and the rejected rows of each source."""
        return self.home / "loads"

    @property
    def embedded(self) -> EmbeddedServer:
        """The embedded server of this home folder."""
        return EmbeddedServer(self.home)

    def neo4j_address(self) -> Address | None:
        """The address of the Neo4j that the environment names, or None for the embedded store."""
        if self.neo4j_uri is None:
            return None
        return Address(self.neo4j_uri, self.neo4j_username, self.neo4j_password.get_secret_value(), self.neo4j_database)


def split_login(uri: str) -> tuple[str, str, str]:
    """The address without its login, the user name and the password, both percent-decoded and empty if missing.

    >>> split_login("bolt://anna:p%40ss/word@db:7687")
    ('bolt://db:7687', 'anna', 'p@ss/word')
    """
    scheme, separator, rest = uri.partition("://")
    if not separator:
        scheme, rest = "", uri
    login, at, host = rest.rpartition("@")  # an address of Neo4j has no @ elsewhere
    if not at:
        return uri, "", ""
    username, _, password = login.partition(":")
    return f"{scheme}{separator}{host}", unquote(username), unquote(password)


@dataclass(frozen=True)
class StoreStatus:
    """Whether a database runs, its address, and its version: the fields of `graphrec store status --json`."""

    running: bool
    uri: str | None
    username: str
    password_file: str | None
    database: str
    server: str
    version: str | None


def open_store(settings: Settings, note: Callable[[str], None] = lambda _: None) -> Store:
    """An open Store: the Neo4j that the environment names, else the embedded one, which is started if it does not run.

    `note` is called with a message if the embedded store was started. Raises StoreError if no database answers or
    the login is refused.
    """
    address = settings.neo4j_address()
    if address is None:
        address = settings.embedded.address()
        if address is None:
            address = settings.embedded.start()
            note(f"started the embedded store at {address.uri}; `graphrec store stop` ends it")
    return connect(address)


def store_status(settings: Settings) -> StoreStatus:
    """The status of the database that the environment names. Raises StoreError if the login is refused."""
    address = settings.neo4j_address()
    if address is None:
        running = settings.embedded.address()
        return StoreStatus(
            running=running is not None,
            uri=running.uri if running else None,
            username=USERNAME,
            password_file=str(settings.embedded.password_file),
            database=DATABASE,
            server="embedded ArcadeDB",
            version=server_version(),
        )
    try:
        with connect(address) as store:
            name, _, version = store.version().rpartition(" ")
    except UnreachableError:
        return StoreStatus(False, redact(address.uri), address.username, None, address.database, "Neo4j", None)
    return StoreStatus(True, redact(address.uri), address.username, None, address.database, name, version)
