"""Profiles the tables of a database from their first rows, primary and foreign keys; never shows passwords."""

import os
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

from graphrec.cleaning.rules import Kind
from graphrec.errors import DataError
from graphrec.tabular import sql
from graphrec.tabular.inference.table_queries import quote_column
from graphrec.tabular.sniffing import TableProfile, profile_columns
from graphrec.tabular.spec import QueryInput

_ROWS = 5_000
_MOST_TABLES = 200
#: System tables of databases and of migration tools.
_SYSTEM = re.compile(r"sqlite_.*|pg_.*|alembic_version|schema_migrations|django_.*|flyway_.*|spatial_ref_sys|auth_.*")
_SECRETS = re.compile(r"pass|pwd|secret|token|key", re.IGNORECASE)


def is_url(text: str) -> bool:
    """Whether an argument is a database URL, such as sqlite:///shop.db."""
    return "://" in text


def profile_database(address: str, folder: Path) -> list[TableProfile]:
    """Profiles of the non-empty tables of a database, with their keys; `folder` is that of the TOML file.

    Raises:
        DataError: the URL is invalid, or the database cannot be reached or read, or has no rows.
        GraphrecError: SQLAlchemy or the database's driver is not installed.
    """
    sqlalchemy = sql.import_sqlalchemy()
    expanded = _expand_variables(address)
    engine, shown, secrets = sql.open_engine(expanded, Path.cwd())
    written = _make_public_url(sqlalchemy.engine.make_url(expanded), folder)
    try:
        with engine.connect() as connection:
            inspector = sqlalchemy.inspect(connection)
            names = [name for name in inspector.get_table_names() if not _SYSTEM.fullmatch(name)]
            names += [name for name in inspector.get_view_names() if not _SYSTEM.fullmatch(name)]
            if len(names) > _MOST_TABLES:
                raise DataError(f"{shown} has {len(names):,} tables; write a TOML file for those that you need")
            found = [_table(sqlalchemy, connection, inspector, name, written, folder) for name in names]
    except (sqlalchemy.exc.SQLAlchemyError, UnicodeError, ValueError, OverflowError) as error:
        raise DataError(f"{shown} cannot be read: {sql.driver_message(error, secrets)}; check the address") from None
    finally:
        engine.dispose()
    known = [table for table in found if table is not None]
    if not known:
        raise DataError(f"{shown} has no table with rows")
    return known


def _table(sqlalchemy: Any, connection: Any, inspector: Any, name: str, url: str, folder: Path) -> TableProfile | None:
    """The profile of a table with its keys; None if it has no rows."""
    columns = [column["name"] for column in inspector.get_columns(name)]
    table = sqlalchemy.table(name, *(sqlalchemy.column(column) for column in columns))
    result = connection.execute(sqlalchemy.select(table).limit(_ROWS))
    rows = result.fetchall()
    if not rows or not columns:
        return None
    kinds = {column: kind for place, column in enumerate(columns) if (kind := _kind([row[place] for row in rows]))}
    times = frozenset(
        column for place, column in enumerate(columns) if any(hasattr(row[place], "year") for row in rows)
    )
    texts = [[None if value is None else _text(value) for value in row] for row in rows]
    primary = tuple(inspector.get_pk_constraint(name).get("constrained_columns") or ())
    foreign = {
        key["constrained_columns"][0]: (str(key["referred_table"]), str(key["referred_columns"][0]))
        for key in inspector.get_foreign_keys(name)
        if len(key["constrained_columns"]) == 1
    }
    profiled = profile_columns(columns, texts, kinds, times)
    left = {column: "it is empty" for column, value in profiled.items() if not value.num_filled}
    kept = {column: value for column, value in profiled.items() if column not in left}
    query = QueryInput(f"select * from {quote_column(name)}", url, folder)
    return TableProfile(
        query, name, kept, len(rows), len(rows) < _ROWS, left_out=left, keys=primary, references=foreign
    )


def _kind(values: list[Any]) -> Kind | None:  # of any type
    """The kind of a column by the types of its values; None for text, whose values decide."""
    types = {type(value) for value in values if value is not None}
    if types and types <= {bool}:
        return "bool"
    if types and types <= {int}:
        return "int"
    return "float" if types and types <= {int, float, Decimal} else None


def _text(value: Any) -> str:  # of any type
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)


def _expand_variables(address: str) -> str:
    """The URL with ${NAME} replaced by environment variables."""

    def value(match: re.Match[str]) -> str:
        found = os.environ.get(match[1])
        if found is None:
            raise DataError(f"the address needs the environment variable {match[1]}, which is not set; export it first")
        return found

    return re.sub(r"\$\{(\w+)\}", value, address)


def _make_public_url(url: Any, folder: Path) -> str:
    """The URL for the TOML file: a variable instead of the password, a SQLite path relative to `folder`."""
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        path = Path(url.database).expanduser()
        relative = path if path.is_absolute() else Path(os.path.relpath(path.absolute(), folder.absolute()))
        url = url.set(database=relative.as_posix())
    query = {name: value for name, value in url.query.items() if not _SECRETS.search(name)}
    url = url.set(query=query)
    if url.password is None:
        return str(url.render_as_string(hide_password=False))
    return str(url.set(password="GRAPHREC_PASSWORD_HERE").render_as_string(hide_password=False)).replace(
        "GRAPHREC_PASSWORD_HERE", "${DATABASE_PASSWORD}"
    )
