"""The one door to the database: a Store runs Cypher over Bolt and turns driver errors into sentences."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import neo4j
from neo4j.exceptions import (
    AuthError,
    ConfigurationError,
    DriverError,
    Neo4jError,
    ServiceUnavailable,
)

from graphrec.errors import StoreError

logger = logging.getLogger(__name__)

SECONDS_TO_CONNECT = 5.0
SECONDS_TO_RETRY = 10.0

#: A record as a mapping; a value is whatever Cypher returns.
Row = dict[str, Any]


class TooLargeError(StoreError):
    """A transaction was too large for the server's memory; a smaller one may do."""


class ConstraintError(StoreError):
    """A write would have broken a constraint."""


@dataclass(frozen=True)
class Address:
    """Where a graph database answers and how to log in; the password never shows in its repr."""

    uri: str
    username: str
    password: str = field(repr=False)
    database: str = "neo4j"


class Store:
    """An open connection to one graph database, Neo4j or the embedded server. Use it in a `with` block."""

    def __init__(self, driver: neo4j.Driver, address: Address) -> None:
        self._driver = driver
        self.address = address

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._driver.close()

    def read(self, statement: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """All records of a reading statement. Raises StoreError."""
        return self._run(statement, parameters, neo4j.RoutingControl.READ)

    def read_only(self, statement: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """All records of a statement that others wrote, in a transaction that is rolled back whatever it does.

        Neo4j refuses a write in it; the embedded store carries one out, and the rollback takes it back.
        """
        with (
            _translated(self.address),
            self._driver.session(database=self.address.database, default_access_mode=neo4j.READ_ACCESS) as session,
            session.begin_transaction() as transaction,
        ):
            result = transaction.run(statement, dict(parameters or {}))
            rows = [dict(zip(result.keys(), record, strict=True)) for record in result]
            transaction.rollback()
            return rows

    def write(self, statement: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """All records of a writing statement, run in one transaction that is retried on transient errors."""
        return self._run(statement, parameters, neo4j.RoutingControl.WRITE)

    def write_together(self, statements: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Run several writing statements in one transaction: all of them take effect, or none."""

        def work(transaction: neo4j.ManagedTransaction) -> None:
            for statement, parameters in statements:
                transaction.run(statement, dict(parameters)).consume()

        with _translated(self.address), self._driver.session(database=self.address.database) as session:
            session.execute_write(work)

    def in_batches(self, statement: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Run a statement that commits by itself: one with `CALL { … } IN TRANSACTIONS`."""
        with _translated(self.address), self._driver.session(database=self.address.database) as session:
            session.run(statement, dict(parameters or {})).consume()

    def stream(self, statement: str, parameters: Mapping[str, Any] | None = None) -> Iterator[Row]:
        """The records of a reading statement as they come, so that only a few of them are held at a time."""
        with (
            _translated(self.address),
            self._driver.session(database=self.address.database, default_access_mode=neo4j.READ_ACCESS) as session,
        ):
            result = session.run(statement, dict(parameters or {}))
            for record in result:
                yield dict(zip(result.keys(), record, strict=True))

    @property
    def embedded(self) -> bool:
        """Whether the server is the embedded one."""
        return "arcadedb" in self._server().lower()

    def _server(self) -> str:
        with _translated(self.address):
            return self._driver.get_server_info().agent

    def check(self) -> None:
        """Raise StoreError unless the server answers, accepts the login and has the database, without a retry."""
        with _translated(self.address), self._driver.session(database=self.address.database) as session:
            session.run("RETURN 1").consume()

    def _run(self, statement: str, parameters: Mapping[str, Any] | None, routing: neo4j.RoutingControl) -> list[Row]:
        with _translated(self.address):
            result = self._driver.execute_query(
                statement,  # values are parameters; names are quoted by `quote`
                dict(parameters or {}),
                database_=self.address.database,
                routing_=routing,
            )
            # not `record.data()`, which visits every value of a column: that took half of the time of an export
            return [dict(zip(result.keys, record, strict=True)) for record in result.records]

    def version(self) -> str:
        """Name and version that the server announces, such as `Neo4j Kernel 5.26.30`."""
        record = self.read("CALL dbms.components() YIELD name, versions RETURN name, versions")[0]
        return f"{record['name']} {record['versions'][0]}"


def connect(address: Address) -> Store:
    """A Store on a database that answers and accepts the login.

    Raises:
        StoreError: nothing answers there, the login is refused, or there is no such database.
    """
    if not address.uri.startswith(("bolt", "neo4j")):
        raise StoreError(f"'{address.uri}' is no database address; NEO4J_URI is bolt://HOST:PORT or neo4j://HOST:PORT")
    with _translated(address):
        driver = neo4j.GraphDatabase.driver(
            address.uri,
            auth=(address.username, address.password),
            connection_timeout=SECONDS_TO_CONNECT,
            max_transaction_retry_time=SECONDS_TO_RETRY,
            notifications_min_severity="OFF",  # a label that nobody has yet is no news
        )
    store = Store(driver, address)
    try:
        store.check()
    except StoreError:
        store.close()
        raise
    return store


def quote(name: str) -> str:
    """A label, relationship type or property name as it may stand in a statement."""
    return "`" + name.replace("`", "``") + "`"


@contextmanager
def _translated(address: Address) -> Iterator[None]:
    try:
        yield
    except AuthError as error:
        raise StoreError(
            f"{address.uri} refuses the login of user '{address.username}'; check NEO4J_USERNAME and NEO4J_PASSWORD"
        ) from error
    except ServiceUnavailable as error:
        raise StoreError(
            f"no graph database answers at {address.uri}; start it, correct NEO4J_URI, "
            "or unset NEO4J_URI to use the embedded store, which the next command starts"
        ) from error
    except (OverflowError, UnicodeEncodeError) as error:
        what = "a number beyond 64 bits" if isinstance(error, OverflowError) else "a text that is no valid Unicode"
        raise StoreError(f"no graph database can hold or look for {what}; correct it") from error
    except (ConfigurationError, ValueError) as error:
        raise StoreError(
            f"'{address.uri}' is no database address ({_first_line(error)}); use bolt://HOST:PORT"
        ) from error
    except Neo4jError as error:
        if "OutOfMemory" in (error.code or "") or "heap budget exceeded" in (error.message or ""):
            raise TooLargeError(f"{address.uri} has not the memory for a transaction of this size") from error
        if "DatabaseNotFound" in (error.code or ""):
            raise StoreError(
                f"{address.uri} has no database '{address.database}'; set NEO4J_DATABASE to one that it has"
            ) from error
        refusal = ConstraintError if "ConstraintValidationFailed" in (error.code or "") else StoreError
        raise refusal(f"the graph database at {address.uri} refuses: {_first_line(error)}") from error
    except DriverError as error:
        raise StoreError(f"lost the graph database at {address.uri}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    text = getattr(error, "message", None) or str(error)
    return str(text).strip().splitlines()[0][:300] if str(text).strip() else type(error).__name__
