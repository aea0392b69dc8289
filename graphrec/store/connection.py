"""The one door to the database: a Store runs Cypher over Bolt and turns driver errors into sentences."""

import logging
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

import neo4j
from neo4j.exceptions import (
    AuthError,
    ConfigurationError,
    DriverError,
    Neo4jError,
    ServiceUnavailable,
)

from graphrec.errors import StoreError
from graphrec.resource_errors import LEAST_DISK, lacking_disk, shortage
from graphrec.schema_names import need_name

logger = logging.getLogger(__name__)

SECONDS_TO_CONNECT = 5.0
SECONDS_TO_RETRY = 10.0

#: How long a writing transaction may take before Neo4j ends it; a batch takes about a second.
SECONDS_TO_WRITE = 300.0

#: A record as a mapping; a value is whatever Cypher returns.
Row = dict[str, Any]

T = TypeVar("T")


class Run(Protocol):
    """Runs a statement in a transaction that is under way."""

    def __call__(self, statement: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """All its records."""


class TooLargeError(StoreError):
    """A transaction was too large for the server's memory; a smaller one may do."""


class ShortageError(StoreError):
    """The machine of the database has too little disk or memory."""


class ConstraintError(StoreError):
    """A write would have broken a constraint."""


@dataclass(frozen=True)
class Address:
    """Where a graph database answers and how to log in; the password never shows in its repr.

    `folder` is where it keeps its data, if that is known: its disk is looked at when a write fails.
    """

    uri: str
    username: str
    password: str = field(repr=False)
    database: str = "neo4j"
    folder: Path | None = None

    def shortage(self) -> str:
        """What lacks, and what to do, if the disk of the database is known to be full; else ""."""
        if self.folder is None or not self.folder.exists():
            return ""
        free = shutil.disk_usage(self.folder).free
        return lacking_disk(self.folder, free) if free < LEAST_DISK else ""


class Fence(Protocol):
    """What guards the writes of a Store: a statement that goes before each of them, in the same transaction."""

    def guard(self) -> AbstractContextManager[tuple[str, Mapping[str, Any]]]:
        """A statement with its parameters, which returns one row if and only if the transaction may write."""

    def lost(self) -> StoreError:
        """The error to raise if it may not."""


class Store:
    """An open connection to one graph database, Neo4j or the embedded server. Use it in a `with` block."""

    def __init__(self, driver: neo4j.Driver, address: Address, fence: Fence | None = None) -> None:
        self._driver = driver
        self._fence = fence
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

    def fenced(self, fence: Fence) -> "Store":
        """A Store on the same connections whose every write is guarded by a fence."""
        return Store(self._driver, self.address, fence)

    def write(self, statement: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """All records of a writing statement, run in one transaction that is retried on transient errors."""
        return self.write_together([(statement, parameters or {})])[0]

    def write_together(self, statements: Sequence[tuple[str, Mapping[str, Any]]]) -> list[list[Row]]:
        """The records of several writing statements run in one transaction: all of them take effect, or none."""
        if self._fence is None:
            return self.transact(lambda run: [run(*each) for each in statements])
        fence = self._fence
        with fence.guard() as guard:

            def work(run: Run) -> list[list[Row]]:
                if not run(*guard):
                    raise fence.lost()
                return [run(*each) for each in statements]

            return self.transact(work)

    def write_repeatedly(self, statement: str, parameters: Mapping[str, Any], limit: int) -> int:
        """Run a statement that changes at most `limit` of what it finds, and returns how many as `number`, until it
        finds fewer; returns how many it changed."""
        total = 0
        while True:
            number: int = self.write(statement, {**parameters, "limit": limit})[0]["number"]
            total += number
            if number < limit:
                return total

    def transact(self, work: Callable[["Run"], T], seconds: float = SECONDS_TO_WRITE) -> T:
        """What `work` returns, given a function that runs a statement and returns its records, in one transaction.

        The transaction is retried on transient errors, and undone if `work` raises. After `seconds` Neo4j ends it: a
        process that is paused in the middle holds its locks no longer than that.
        """

        @neo4j.unit_of_work(timeout=seconds)
        def steps(transaction: neo4j.ManagedTransaction) -> T:
            return work(lambda statement, parameters=None: _records(transaction.run(statement, dict(parameters or {}))))

        with _translated(self.address), self._driver.session(database=self.address.database) as session:
            return session.execute_write(steps)

    def define(self, statement: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """Run a statement that creates or drops a constraint or an index. No fence guards it: it changes no data, and
        Neo4j has no such statement in one transaction with others."""
        return self._run(statement, parameters, neo4j.RoutingControl.WRITE)

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
    """A label, relationship type or property name as a statement can have it: the only place that makes one.

    Raises DataError if the name cannot be used in a statement of both servers (`graphrec.schema_names`). Of names
    that a database has, which others may have written, ask `names.usable` first.
    """
    need_name(name)
    return "`" + name.replace("`", "``") + "`"


def _records(result: neo4j.Result) -> list[Row]:
    keys = result.keys()
    return [dict(zip(keys, record, strict=True)) for record in result]


@contextmanager
def _translated(address: Address) -> Iterator[None]:
    try:
        yield
    except AuthError as error:
        raise StoreError(
            f"{address.uri} refuses the login of user '{address.username}'; check NEO4J_USERNAME and NEO4J_PASSWORD"
        ) from error
    except ServiceUnavailable as error:
        if told := address.shortage():
            raise ShortageError(f"the graph database at {address.uri} has ended: {told}") from error
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
        if told := shortage(f"{error.code} {error.message}") or address.shortage():
            raise ShortageError(f"the graph database at {address.uri} cannot go on: {told}") from error
        if "DatabaseNotFound" in (error.code or ""):
            raise StoreError(
                f"{address.uri} has no database '{address.database}'; set NEO4J_DATABASE to one that it has"
            ) from error
        broken = "ConstraintValidationFailed" in (error.code or "") or "ConstraintCreationFailed" in (error.code or "")
        refusal = ConstraintError if broken else StoreError
        reason = _first_line(error)
        raise refusal(f"the graph database at {address.uri} refuses: {reason}", reason) from error
    except DriverError as error:
        raise StoreError(f"lost the graph database at {address.uri}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    text = getattr(error, "message", None) or str(error)
    return str(text).strip().splitlines()[0][:300] if str(text).strip() else type(error).__name__
