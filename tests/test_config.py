"""Settings come from the environment; the status of a database is read without starting one."""

from pathlib import Path

import pytest

from graphrec.config import Settings, open_store, split_login, store_status
from graphrec.errors import GraphrecError, StoreError
from graphrec.store import Address, EmbeddedServer, Store
from graphrec.store.connection import UnreachableError

NOT_LISTENING = "bolt://127.0.0.1:1"


@pytest.fixture(autouse=True)
def without_neo4j(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that names no Neo4j."""
    for name in ("NEO4J_URI", "NEO4J_USERNAME", "NEO4J_PASSWORD", "NEO4J_DATABASE", "GRAPHREC_HOME"):
        monkeypatch.delenv(name, raising=False)


def test_folders_are_below_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHREC_HOME", str(tmp_path))
    settings = Settings()
    assert settings.home == tmp_path
    assert [settings.runs, settings.studies, settings.loads] == [
        tmp_path / "runs",
        tmp_path / "studies",
        tmp_path / "loads",
    ]
    assert settings.embedded.home == tmp_path


def test_the_home_is_absolute_and_a_tilde_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert Settings(graphrec_home=Path("~/here")).home == tmp_path / "here"
    assert Settings(graphrec_home=Path("there")).home == tmp_path / "there"
    with pytest.raises(GraphrecError, match=r"GRAPHREC_HOME is ~no_such_user_7/x, which is no folder"):
        _ = Settings(graphrec_home=Path("~no_such_user_7/x")).home


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_URI", "")
    monkeypatch.setenv("GRAPHREC_HOME", "")
    assert Settings().neo4j_address() is None
    assert Settings().home.name == "graphrec"


def test_the_address_of_neo4j_has_its_login_and_database(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().neo4j_address() is None
    monkeypatch.setenv("NEO4J_URI", "neo4j://db:7687")
    monkeypatch.setenv("NEO4J_PASSWORD", "secret")
    assert Settings().neo4j_address() == Address("neo4j://db:7687", "neo4j", "secret", "neo4j")
    monkeypatch.setenv("NEO4J_USERNAME", "ada")
    monkeypatch.setenv("NEO4J_DATABASE", "shop")
    assert Settings().neo4j_address() == Address("neo4j://db:7687", "ada", "secret", "shop")
    assert "secret" not in repr(Settings())


@pytest.mark.parametrize(
    ("uri", "parts"),
    [
        ("bolt://db:7687", ("bolt://db:7687", "", "")),
        ("bolt://ada@db", ("bolt://db", "ada", "")),
        ("bolt://ada:p%40ss@db", ("bolt://db", "ada", "p@ss")),
        ("ada:pass@db", ("db", "ada", "pass")),
    ],
)
def test_a_login_is_split_from_an_address(uri: str, parts: tuple[str, str, str]) -> None:
    assert split_login(uri) == parts


def test_the_status_of_an_embedded_store_does_not_start_it(tmp_path: Path) -> None:
    status = store_status(Settings(graphrec_home=tmp_path / "home"))
    assert (status.running, status.uri, status.server) == (False, None, "embedded ArcadeDB")
    assert not (tmp_path / "home").exists()


def test_the_status_of_a_running_store(embedded: EmbeddedServer) -> None:
    embedded.start()
    notes: list[str] = []
    status = store_status(Settings(graphrec_home=embedded.home))
    assert status.running
    assert (status.uri or "").startswith("bolt://127.0.0.1:")
    with open_store(Settings(graphrec_home=embedded.home), notes.append) as store:
        assert store.read("RETURN 1 AS one") == [{"one": 1}]
    assert notes == []  # it ran already


def test_the_status_of_a_neo4j_says_whether_it_answers(address: Address, store: Store) -> None:
    settings = Settings(
        neo4j_uri=address.uri,
        neo4j_username=address.username,
        neo4j_password=address.password,  # type: ignore[arg-type]  # pydantic makes a SecretStr of it
        neo4j_database=address.database,
    )
    status = store_status(settings)
    assert (status.running, status.uri, status.database) == (True, address.uri, address.database)
    assert f"{status.server} {status.version}" == store.version()
    wrong = settings.model_copy(update={"neo4j_uri": NOT_LISTENING})
    assert store_status(wrong).running is False
    with pytest.raises(UnreachableError, match=f"no graph database answers at {NOT_LISTENING}"):
        open_store(wrong)


def test_a_refused_login_is_no_status(embedded: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_URI", embedded.start().uri)
    monkeypatch.setenv("NEO4J_PASSWORD", "wrong")
    with pytest.raises(StoreError, match="refuses the login of user 'neo4j'; check NEO4J_USERNAME and NEO4J_PASSWORD"):
        store_status(Settings())
