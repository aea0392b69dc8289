"""A folder with files and a TOML file, loaded in one call; and a real PostgreSQL."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from graphrec.tables import GraphTables
from graphrec.tabular import read

Reader = Callable[..., GraphTables]


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    """A function that writes files (name to content) and the text of a TOML file, and loads it."""

    def load(toml: str, **files: bytes | str) -> GraphTables:
        for name, content in files.items():
            path = tmp_path / name.replace("__", ".")
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        (tmp_path / "spec.toml").write_text(f'name = "mine"\n{toml}', encoding="utf-8")
        return read(tmp_path / "spec.toml")

    return load


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a PostgreSQL that runs for the session, as SQLAlchemy writes it."""
    try:
        from pgserver.postgres_server import get_server

        server = get_server(tmp_path_factory.mktemp("postgres"))
    except Exception as error:  # whatever keeps it from starting on this machine
        reason = f"PostgreSQL does not start here: {error}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    server.cleanup()
