"""Rows of any database that SQLAlchemy speaks to, streamed in chunks."""

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa

from graphrec.cleaning.casting import text_of
from graphrec.cleaning.working_table import shortened
from graphrec.errors import DataError, GraphrecError, first_few, nearest
from graphrec.redaction import redacted, secrets_of
from graphrec.tabular.spec import QueryInput

_CHUNK = 50_000
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
    """The rows that the query gives in batches, tables of these columns with the types that the database has.

    Raises:
        GraphrecError: SQLAlchemy or the database's driver is not installed.
        DataError: the address is none, the database cannot be reached or refuses the query, or a column is missing.
    """
    sqlalchemy = import_sqlalchemy()
    engine, shown, secrets = open_engine(query.url, query.folder, query.values)
    try:
        with engine.connect() as connection:
            # A colon or a per cent sign in the query is no parameter: hence exec_driver_sql and no_parameters.
            streamed = connection.execution_options(stream_results=True, max_row_buffer=_CHUNK, no_parameters=True)
            result = streamed.exec_driver_sql(query.sql)
            if not result.returns_rows:
                raise DataError(f"the sql for {shown} gives no rows; write a query such as select … from …")
            places = _places(list(result.keys()), columns, shown)
            while rows := result.fetchmany(_CHUNK):
                yield pa.table([_array([row[place] for row in rows]) for place in places], list(columns))
    except (sqlalchemy.exc.SQLAlchemyError, UnicodeError, ValueError, OverflowError, TypeError) as error:
        sql = shortened(" ".join(redacted(query.sql, secrets).split()))
        raise DataError(f"{shown} refuses the query {sql!r}: {driver_message(error, secrets)}; correct it") from None
    finally:
        engine.dispose()


def open_engine(address: str, folder: Path, values: Sequence[str] = ()) -> tuple[Any, str, tuple[str, ...]]:
    """The engine (a sqlalchemy.Engine) of a database, its address as messages show it, and the secrets of the address.

    A relative SQLite file is looked for in `folder`; `values` are further secrets.

    Raises:
        GraphrecError: SQLAlchemy or the database's driver is not installed.
        DataError: the address is none, or its SQLite file is not there.
    """
    sqlalchemy = import_sqlalchemy()
    secrets = (*secrets_of(address), *values)
    # `from None`: the text of the driver's own error, which a traceback would show, may hold the password.
    if address.partition("://")[2].partition("?")[0].count("@") > 1:
        raise DataError(
            "the url of a sql table has more than one @, so that its password cannot be told from its host; write an @ "
            "of the password as %40"
        )
    try:
        url = sqlalchemy.engine.make_url(address)
    except (sqlalchemy.exc.ArgumentError, ValueError):
        raise DataError(
            "the url of a sql table is no address of a database; write one such as sqlite:///shop.db or "
            "postgresql+psycopg://user:${PASSWORD}@host/database"
        ) from None
    shown = redacted(_shown(url), secrets)
    url = _with_file(url, folder, secrets)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of settings that the driver does not know
            engine = sqlalchemy.create_engine(url)
    except (ImportError, sqlalchemy.exc.SQLAlchemyError, TypeError, ValueError) as error:
        if isinstance(error, TypeError | ValueError):
            raise DataError(f"{shown} cannot be opened: {driver_message(error, secrets)}; correct the url") from None
        raise GraphrecError(
            f"no driver for {shown} is installed ({driver_message(error, secrets)}); run pip install 'graphrec[sql]', or "
            "install the driver"
        ) from None
    return engine, shown, secrets


def _shown(url: Any) -> str:  # a sqlalchemy.URL
    """The address as messages show it: without its query, where connection strings and passwords are."""
    return str(url.set(query={}).render_as_string(hide_password=True))


def driver_message(error: Exception, secrets: Sequence[str]) -> str:
    """What the database's driver says, on one line and without secrets."""
    return shortened(" ".join(redacted(str(getattr(error, "orig", None) or error), secrets).split()), 200)


def import_sqlalchemy() -> ModuleType:
    try:
        return import_module("sqlalchemy")
    except ImportError as error:
        raise GraphrecError(
            "a table that is filled by sql needs SQLAlchemy, which is not installed; run pip install 'graphrec[sql]'"
        ) from error


def _with_file(url: Any, folder: Path, secrets: Sequence[str]) -> Any:  # a sqlalchemy.URL, twice
    """The address of a SQLite file as an absolute one: SQLite would make a file that is not there."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return url
    path = folder / Path(url.database)
    with contextlib.suppress(RuntimeError):  # a user of this name has no home, so the name is one of a folder
        path = folder / Path(url.database).expanduser()
    if not path.is_file():
        raise DataError(f"there is no SQLite file {redacted(str(path), secrets)}; correct the url")
    return url.set(database=str(path))


def _places(names: list[str], columns: Sequence[str], shown: str) -> list[int]:
    for wanted in columns:
        if names.count(wanted) != 1:
            close = nearest(wanted, names, 1)
            hint = f"; is {close[0]} meant?" if close and close[0] != wanted else ""
            number = names.count(wanted) or "no"
            raise DataError(f"the sql for {shown} gives {number} column '{wanted}', but {first_few(names, 12)}{hint}")
    return [names.index(wanted) for wanted in columns]


def _array(values: list[Any]) -> Any:  # of any type, to a pyarrow.Array
    """The values as one type that Arrow knows, else as text; decimals keep every digit."""
    try:
        found = pa.array(_alike(values))
    except (pa.ArrowException, OverflowError, ValueError, TypeError):
        return pa.array([None if value is None else text_of(value) for value in values], pa.large_string())
    if any(test(found.type) for test in _KNOWN):
        return found
    return pa.array([None if value is None else text_of(value) for value in values], pa.large_string())


def _alike(values: list[Any]) -> list[Any]:
    """The values; decimals among floating point numbers, and those that are infinite or none, as such numbers."""
    decimals = [value for value in values if isinstance(value, Decimal)]
    if not decimals or (all(value.is_finite() for value in decimals) and not any(map(_is_float, values))):
        return values
    return [float(value) if isinstance(value, Decimal) else value for value in values]


def _is_float(value: object) -> bool:
    return isinstance(value, float)
