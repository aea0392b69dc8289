"""Streams the rows of SQL queries from any database that SQLAlchemy supports."""

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa

from graphrec.cleaning.casting import to_text
from graphrec.cleaning.working_table import shorten
from graphrec.errors import DataError, GraphrecError, first_few, nearest
from graphrec.redaction import redact, secrets_of
from graphrec.tabular.spec import QueryInput

#: Batch size in rows.
_CHUNK = 50_000
#: Tests for the Arrow types that are kept; others become text.
_KNOWN = (
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_decimal,
    pa.types.is_boolean,
    pa.types.is_null,
    pa.types.is_temporal,
)


def read_batches(
    query: QueryInput, columns: Sequence[str]
) -> Iterator[Any]:  # of pyarrow.Table: pyarrow ships no types
    """The rows of a query in batches with these columns, in the types of the database.

    Raises:
        GraphrecError: SQLAlchemy or the database's driver is not installed.
        DataError: the URL is invalid, the database cannot be reached or rejects the query, or a column is missing.
    """
    sqlalchemy = import_sqlalchemy()
    engine, shown, secrets = open_engine(query.url, query.folder, query.values)
    try:
        with engine.connect() as connection:
            # exec_driver_sql and no_parameters: colons and per cent signs in the query are not parameters.
            streamed = connection.execution_options(stream_results=True, max_row_buffer=_CHUNK, no_parameters=True)
            result = streamed.exec_driver_sql(query.sql)
            if not result.returns_rows:
                raise DataError(f"the sql for {shown} gives no rows; write a query such as select … from …")
            places = _find_positions(list(result.keys()), columns, shown)
            while rows := result.fetchmany(_CHUNK):
                yield pa.table([_to_array([row[place] for row in rows]) for place in places], list(columns))
    except (sqlalchemy.exc.SQLAlchemyError, UnicodeError, ValueError, OverflowError, TypeError) as error:
        sql = shorten(" ".join(redact(query.sql, secrets).split()))
        raise DataError(f"{shown} rejects the query {sql!r}: {driver_message(error, secrets)}; correct it") from None
    finally:
        engine.dispose()


def open_engine(address: str, folder: Path, values: Sequence[str] = ()) -> tuple[Any, str, tuple[str, ...]]:
    """The engine (a sqlalchemy.Engine) of a database, its redacted URL for messages, and the secrets in the URL.

    Relative paths of SQLite files start at `folder`; `values` are further secrets.

    Raises:
        GraphrecError: SQLAlchemy or the database's driver is not installed.
        DataError: the URL is invalid, or its SQLite file does not exist.
    """
    sqlalchemy = import_sqlalchemy()
    secrets = (*secrets_of(address), *values)
    # `from None`: a traceback would show the driver's error, which may contain the password.
    if address.partition("://")[2].partition("?")[0].count("@") > 1:
        raise DataError(
            "the url of a sql table has more than one @, so it is ambiguous where its password ends; write an @ of the "
            "password as %40"
        )
    try:
        url = sqlalchemy.engine.make_url(address)
    except (sqlalchemy.exc.ArgumentError, ValueError):
        raise DataError(
            "the url of a sql table is not a database URL; write one such as sqlite:///shop.db or "
            "postgresql+psycopg://user:${PASSWORD}@host/database"
        ) from None
    shown = redact(_format_url(url), secrets)
    url = _resolve_file(url, folder, secrets)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about settings unknown to the driver
            engine = sqlalchemy.create_engine(url)
    except (ImportError, sqlalchemy.exc.SQLAlchemyError, TypeError, ValueError) as error:
        if isinstance(error, TypeError | ValueError):
            raise DataError(f"{shown} cannot be opened: {driver_message(error, secrets)}; correct the url") from None
        raise GraphrecError(
            f"no driver for {shown} is installed ({driver_message(error, secrets)}); run "
            "pip install 'graphrec[sql]', or install the driver"
        ) from None
    return engine, shown, secrets


def _format_url(url: Any) -> str:  # a sqlalchemy.URL
    """The URL for messages: without password and query string, which may contain further secrets."""
    return str(url.set(query={}).render_as_string(hide_password=True))


def driver_message(error: Exception, secrets: Sequence[str]) -> str:
    """The message of the database driver, on one line and without secrets."""
    return shorten(" ".join(redact(str(getattr(error, "orig", None) or error), secrets).split()), 200)


def import_sqlalchemy() -> ModuleType:
    """The module sqlalchemy. Raises GraphrecError if it is not installed."""
    try:
        return import_module("sqlalchemy")
    except ImportError as error:
        raise GraphrecError(
            "a table that is filled by sql needs SQLAlchemy, which is not installed; run pip install 'graphrec[sql]'"
        ) from error


def _resolve_file(url: Any, folder: Path, secrets: Sequence[str]) -> Any:  # a sqlalchemy.URL, twice
    """The URL with the absolute path of a SQLite file; DataError if it does not exist, as SQLite would create it."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return url
    path = folder / Path(url.database)
    with contextlib.suppress(RuntimeError):  # no user has this name, so ~name is a folder
        path = folder / Path(url.database).expanduser()
    if not path.is_file():
        raise DataError(f"there is no SQLite file {redact(str(path), secrets)}; correct the url")
    return url.set(database=str(path))


def _find_positions(names: list[str], columns: Sequence[str], shown: str) -> list[int]:
    for name in columns:
        if names.count(name) != 1:
            close = nearest(name, names, 1)
            hint = f"; is {close[0]} meant?" if close and close[0] != name else ""
            number = names.count(name) or "no"
            raise DataError(f"the sql for {shown} gives {number} column '{name}', but {first_few(names, 12)}{hint}")
    return [names.index(name) for name in columns]


def _to_array(values: list[Any]) -> Any:  # of any type, to a pyarrow.Array
    """The values as an array of one Arrow type, else as text; decimals keep all digits."""
    try:
        array = pa.array(_unify_decimals(values))
    except (pa.ArrowException, OverflowError, ValueError, TypeError):
        return pa.array([None if value is None else to_text(value) for value in values], pa.large_string())
    if any(test(array.type) for test in _KNOWN):
        return array
    return pa.array([None if value is None else to_text(value) for value in values], pa.large_string())


def _unify_decimals(values: list[Any]) -> list[Any]:
    """The values; decimals become floats if other values are floats, or if one is infinite or NaN."""
    decimals = [value for value in values if isinstance(value, Decimal)]
    if not decimals or (all(value.is_finite() for value in decimals) and not any(map(_is_float, values))):
        return values
    return [float(value) if isinstance(value, Decimal) else value for value in values]


def _is_float(value: object) -> bool:
    return isinstance(value, float)
