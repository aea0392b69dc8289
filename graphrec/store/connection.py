"""The connection to the database: a Store runs Cypher over Bolt and raises driver errors as StoreError."""

import logging
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
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
from graphrec.resource_errors import MIN_FREE_DISK, describe_full_disk, shortage
from graphrec.schema_names import require_name

logger = logging.getLogger(__name__)

#: Timeouts: for a connection, and for the retries of a transaction after transient errors.
SECONDS_TO_CONNECT = 5.0
SECONDS_TO_RETRY = 10.0

#: Cap on the statements of a Store that are known to read only.
MAX_CHECKED = 1_000

#: Timeout after which Neo4j ends a writing transaction; a batch takes about a second.
SECONDS_TO_WRITE = 300.0

#: Comments, texts and quoted names of a statement, and names after . : $, which may equal a clause; then the clauses
#: that write.
_NO_CLAUSE = re.compile(
    r"//[^\r\n]*|/\*.*?\*/|'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|`(?:[^`]|``)*`|[.:$|&!]\s*\w+|\b\w+\b\s*(?=[:.=,\])}])",
    re.DOTALL,
)
_WRITES = re.compile(r"\b(CREATE|MERGE|INSERT|SET|DELETE|REMOVE|DROP|FOREACH)\b", re.IGNORECASE)

#: A record by column; a value has any type that Cypher returns.
Row = dict[str, Any]

T = TypeVar("T")


class RunStatement(Protocol):
    """Runs a statement in the current transaction."""

    def __call__(self, statement: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """All records that the statement returns."""


class UnreachableError(StoreError):
    """No graph database answers at the address."""


class TooLargeError(StoreError):
    """A transaction was too large for the server's memory; a smaller one may succeed."""


class ShortageError(StoreError):
    """The machine of the database has too little free disk space or memory."""


class ConstraintError(StoreError):
    """A write violated a constraint."""


@dataclass(frozen=True)
class Address:
    """The address of a graph database and its login; the password is not part of the repr.

    `folder` is the folder of its data, if known: when a write fails, the free space of its disk is checked.
    """

    uri: str
    username: str
    password: str = field(repr=False)
    database: str = "neo4j"
    folder: Path | None = None

    def shortage(self) -> str:
        """The shortage and its remedy, if the disk of the database is known to be full; else ""."""
        if self.folder is None or not self.folder.exists():
            return ""
        free = shutil.disk_usage(self.folder).free
        return describe_full_disk(self.folder, free) if free < MIN_FREE_DISK else ""


class Fence(Protocol):
    """Guards the writes of a Store by a statement that runs before each of them, in the same transaction."""

    def guard(self) -> AbstractContextManager[tuple[str, Mapping[str, Any]]]:
        """A statement with its parameters that returns one row if and only if the transaction may write."""

    def lost(self) -> StoreError:
        """The error to raise if the transaction may not write."""


class Store:
    """An open connection to one graph database, Neo4j or the embedded server. Use it in a `with` block."""

    def __init__(self, driver: neo4j.Driver, address: Address, fences: tuple[Fence, ...] = ()) -> None:
        self._driver = driver
        self._fences = fences
        self._reading: set[str] = set()  # statements that were found to read only
        self.address = address

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._driver.close()

    def read(
        self, statement: str, parameters: Mapping[str, Any] | None = None, seconds: float | None = None
    ) -> list[Row]:
        """All records of a statement that reads; Neo4j ends it after `seconds`. Raises StoreError, also if it has a
        clause that writes: the embedded store would execute it, outside the lock of writers."""
        if statement not in self._reading:
            _require_reading(statement)
            if len(self._reading) < MAX_CHECKED:
                self._reading.add(statement)
        with _translate_errors(self.address):
            try:
                return self._read_once(statement, parameters, seconds)
            except (DriverError, Neo4jError) as error:
                if not error.is_retryable():
                    raise
        return self._run(statement, parameters, neo4j.RoutingControl.READ, seconds)

    def _read_once(self, statement: str, parameters: Mapping[str, Any] | None, seconds: float | None) -> list[Row]:
        """The records of a statement in a transaction of its own, without retries: BEGIN and COMMIT would cost a
        further round trip, and as much processor time as a small query."""
        query = neo4j.Query(statement, timeout=seconds)
        with self._driver.session(database=self.address.database, default_access_mode=neo4j.READ_ACCESS) as session:
            return _read_records(session.run(query, dict(parameters or {})))

    def read_only(self, statement: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """All records of a statement of unknown origin, run in a transaction that is always rolled back.

        Neo4j refuses writes in it; the embedded store executes them, and the rollback undoes them.
        """
        with (
            _translate_errors(self.address),
            self._driver.session(database=self.address.database, default_access_mode=neo4j.READ_ACCESS) as session,
            session.begin_transaction() as transaction,
        ):
            result = transaction.run(statement, dict(parameters or {}))
            rows = [dict(zip(result.keys(), record, strict=True)) for record in result]
            transaction.rollback()
            return rows

    def fenced(self, fence: Fence) -> "Store":
        """A Store on the same connections in which a fence guards every write, besides those that guard this one's."""
        return Store(self._driver, self.address, (*self._fences, fence))

    def write(self, statement: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """All records of a statement that writes, run in one transaction that is retried on transient errors."""
        return self.write_together([(statement, parameters or {})])[0]

    def write_together(self, statements: Sequence[tuple[str, Mapping[str, Any]]]) -> list[list[Row]]:
        """The records of several statements that write, run in one transaction: either all take effect or none does."""
        with ExitStack() as stack:
            guards = [(fence, stack.enter_context(fence.guard())) for fence in self._fences]

            def work(run: RunStatement) -> list[list[Row]]:
                for fence, guard in guards:
                    if not run(*guard):
                        raise fence.lost()
                return [run(*each) for each in statements]

            return self.transact(work)

    def write_repeatedly(self, statement: str, parameters: Mapping[str, Any], limit: int) -> int:
        """Run a statement repeatedly until it changes fewer than `limit` elements; return the total number.

        The statement changes at most $limit elements and returns how many as `number`.
        """
        total = 0
        while True:
            number: int = self.write(statement, {**parameters, "limit": limit})[0]["number"]
            total += number
            if number < limit:
                return total

    def transact(self, work: Callable[[RunStatement], T], seconds: float = SECONDS_TO_WRITE) -> T:
        """Call `work` in one transaction, with a function that runs a statement in it, and return its result.

        The transaction is retried on transient errors, and rolled back if `work` raises. After `seconds` Neo4j ends it,
        so a process that is paused inside it does not hold its locks longer.
        """

        @neo4j.unit_of_work(timeout=seconds)
        def run_work(transaction: neo4j.ManagedTransaction) -> T:
            return work(
                lambda statement, parameters=None: _read_records(transaction.run(statement, dict(parameters or {})))
            )

        with _translate_errors(self.address), self._driver.session(database=self.address.database) as session:
            return session.execute_write(run_work)

    def define(self, statement: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """Run a statement that creates or drops a constraint or an index. No fence guards it: it changes no data, and
        Neo4j does not allow it in one transaction with other statements."""
        return self._run(statement, parameters, neo4j.RoutingControl.WRITE)

    def stream(self, statement: str, parameters: Mapping[str, Any] | None = None) -> Iterator[Row]:
        """The records of a statement that reads, as they arrive, so that only a few are in memory at a time. Raises
        StoreError as `read`."""
        _require_reading(statement)
        with (
            _translate_errors(self.address),
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
        with _translate_errors(self.address):
            return self._driver.get_server_info().agent

    def check(self) -> None:
        """Raise StoreError unless the server answers, accepts the login and has the database, without a retry."""
        with _translate_errors(self.address), self._driver.session(database=self.address.database) as session:
            session.run("RETURN 1").consume()

    def _run(
        self,
        statement: str,
        parameters: Mapping[str, Any] | None,
        routing: neo4j.RoutingControl,
        seconds: float | None = None,
    ) -> list[Row]:
        with _translate_errors(self.address):
            result = self._driver.execute_query(
                neo4j.Query(statement, timeout=seconds),  # values are passed as parameters; names are quoted by `quote`
                dict(parameters or {}),
                database_=self.address.database,
                routing_=routing,
            )
            # not `record.data()`, which visits every value of a column: it took half of the time of an export
            return [dict(zip(result.keys, record, strict=True)) for record in result.records]

    def version(self) -> str:
        """The name and version of the server, such as `Neo4j Kernel 5.26.30`."""
        record = self.read("CALL dbms.components() YIELD name, versions RETURN name, versions")[0]
        return f"{record['name']} {record['versions'][0]}"


def connect(address: Address, seconds_to_retry: float = SECONDS_TO_RETRY) -> Store:
    """Open a Store on a database; transactions are retried for `seconds_to_retry` after transient errors.

    Raises:
        StoreError: no server answers, the login is refused, or the database does not exist.
    """
    if not address.uri.startswith(("bolt", "neo4j")):
        raise StoreError(f"'{address.uri}' is no database address; NEO4J_URI is bolt://HOST:PORT or neo4j://HOST:PORT")
    with _translate_errors(address):
        driver = neo4j.GraphDatabase.driver(
            address.uri,
            auth=(address.username, address.password),
            connection_timeout=SECONDS_TO_CONNECT,
            max_transaction_retry_time=seconds_to_retry,
            notifications_min_severity="OFF",  # hides warnings about labels that no node has yet
        )
    store = Store(driver, address)
    try:
        store.check()
    except StoreError:
        store.close()
        raise
    return store


def _require_reading(statement: str) -> None:
    """Raise StoreError if a statement has a clause that writes."""
    if found := _WRITES.search(_NO_CLAUSE.sub(" ", statement)):
        raise StoreError(f"{found[0]} writes, and this statement may only read; run it with Store.write")


def quote(name: str) -> str:
    """A label, relationship type or property name quoted for a statement. No other function quotes names.

    Raises DataError if the name cannot be used in statements of both servers (`graphrec.schema_names`). Check names
    that other programs may have written with `schema_names.is_usable` first.
    """
    require_name(name)
    return "`" + name.replace("`", "``") + "`"


def _read_records(result: neo4j.Result) -> list[Row]:
    keys = result.keys()
    return [dict(zip(keys, record, strict=True)) for record in result]


@contextmanager
def _translate_errors(address: Address) -> Iterator[None]:
    try:
        yield
    except AuthError as error:
        raise StoreError(
            f"{address.uri} refuses the login of user '{address.username}'; check NEO4J_USERNAME and NEO4J_PASSWORD"
        ) from error
    except ServiceUnavailable as error:
        if reason := address.shortage():
            raise ShortageError(f"the graph database at {address.uri} has stopped: {reason}") from error
        raise UnreachableError(
            f"no graph database answers at {address.uri}; start it, correct NEO4J_URI, "
            "or unset NEO4J_URI to use the embedded store, which the next command starts"
        ) from error
    except (OverflowError, UnicodeEncodeError) as error:
        what = "a number over 64 bits" if isinstance(error, OverflowError) else "a text that is not valid Unicode"
        raise StoreError(f"a graph database can neither store nor look up {what}; correct it") from error
    except (ConfigurationError, ValueError) as error:
        raise StoreError(
            f"'{address.uri}' is no database address ({_first_line(error)}); use bolt://HOST:PORT"
        ) from error
    except Neo4jError as error:
        if "OutOfMemory" in (error.code or "") or "heap budget exceeded" in (error.message or ""):
            raise TooLargeError(f"{address.uri} has too little memory for a transaction of this size") from error
        if reason := shortage(f"{error.code} {error.message}") or address.shortage():
            raise ShortageError(f"the graph database at {address.uri} cannot continue: {reason}") from error
        if "DatabaseNotFound" in (error.code or ""):
            raise StoreError(
                f"{address.uri} has no database '{address.database}'; set NEO4J_DATABASE to one that it has"
            ) from error
        code = error.code or ""
        violated = "ConstraintValidationFailed" in code or "ConstraintCreationFailed" in code
        refusal = ConstraintError if violated else StoreError
        reason = _first_line(error)
        raise refusal(f"the graph database at {address.uri} refuses: {reason}", reason) from error
    except DriverError as error:
        raise StoreError(f"lost the graph database at {address.uri}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    text = getattr(error, "message", None) or str(error)
    return str(text).strip().splitlines()[0][:300] if str(text).strip() else type(error).__name__
