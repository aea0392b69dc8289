"""No password leaves the program, whatever it is and whichever command meets it."""

import pickle
import time
import traceback
from importlib import import_module
from pathlib import Path
from urllib.parse import quote

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphrec.config import Settings, split_login, store_status
from graphrec.errors import DataError, GraphrecError, UnknownNameError, first_few, format_value, sentence
from graphrec.redaction import redact, secrets_of
from graphrec.tabular.spec import QueryInput
from graphrec.tabular.sql import read_batches
from tests.sizes import num_examples

FIRST, SECOND = "Qz7xKw", "Jv9yTr"

#: A password of two halves that are looked for, with signs between them that addresses and shells give a meaning.
SECRETS = st.text("@:/?#[]%&+=;!$,^ ~|\\{}", max_size=4).map(lambda signs: f"{FIRST}{signs}{SECOND}")
SCHEMES = st.sampled_from(["postgresql", "postgresql+psycopg", "mysql+pymysql", "mssql+pyodbc", "sqlite", "pg", "x"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("at bolt://neo4j:s3cret@db:7687 it", "at bolt://***@db:7687 it"),
        ("postgresql://u:p@ss/w:rd@h/d", "postgresql://***@h/d"),
        ("https://token@github.com/x", "https://***@github.com/x"),
        ("mssql:///?odbc_connect=UID%3Du%3BPWD%3Dx%3BAPP%3Da", "mssql:///?odbc_connect=UID%3Du%3BPWD%3D***%3BAPP%3Da"),
        ("Driver={X};Pwd={a;b}}c};Uid=u", "Driver={X};Pwd=***;Uid=u"),
        ("Password = 'a b', x", "Password = ***, x"),
        ("h/d?user=u&password=x&sslpassword=y&sslmode=on", "h/d?user=u&password=***&sslpassword=***&sslmode=on"),
        ("?api_key=x&access_token=y&key=z", "?api_key=***&access_token=***&key=***"),
        ("{'password': 'x', \"token\": \"y\"}", "{'password': ***, \"token\": ***}"),
        ("CREATE USER a IDENTIFIED BY 'x'", "CREATE USER a IDENTIFIED BY ***"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("postgresql://someone:with-a-long-pass…", "postgresql://***…"),
    ],
)
def test_forms(text: str, expected: str) -> None:
    assert redact(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "check NEO4J_USERNAME and NEO4J_PASSWORD",
        "there is no user 'crm:anna@example.com'; did you mean 5?",
        "the password file /home/a/store/password is empty",
        "postgresql+psycopg://user:${PASSWORD}@host/database",
        "--param KEY=VALUE, k=10, weight=0.5, compass=3",
        "bolt://127.0.0.1:7687 refuses the login of user 'a'",
        "sqlite:///shop.db: no table",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_secrets_that_are_known_are_found_in_every_form() -> None:
    assert redact("a p@ss b p%40ss", ["p@ss"]) == "a *** b ***"
    assert redact("no, 1 node of 10", ["1"]) == "no, *** node of 10"
    assert secrets_of("x://u:p%40ss@h?odbc_connect=PWD%3Da%20b%3BUID%3Du") == ("p%40ss", "p@ss", "a b")
    assert split_login("bolt://a:b@c@db:1") == ("bolt://db:1", "a", "b@c")


@given(secret=SECRETS, scheme=SCHEMES, encoded=st.booleans())
@settings(max_examples=25)
def test_any_address_in_any_error(secret: str, scheme: str, encoded: bool) -> None:
    written = quote(secret, safe="") if encoded else secret
    address = f"{scheme}://u:{written}@host/d"
    for error in (
        GraphrecError(f"{address} is wrong"),
        DataError("x" * 5_000 + address),
        UnknownNameError("run", address, [address, "b"]),
        GraphrecError(first_few([address])),
        GraphrecError(f"cannot {format_value(repr([address]), 60)}"),
    ):
        text = str(pickle.loads(pickle.dumps(error)))
        assert FIRST not in text
        assert SECOND not in text


SPEC = """
name = "s"
{top}
[nodes.Item]
{origin}
id = "id"
"""


@given(secret=SECRETS, scheme=SCHEMES, encoded=st.booleans(), quoted=st.sampled_from(["", "'"]))
@settings(max_examples=num_examples(15), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_address_in_any_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str, scheme: str, encoded: bool, quoted: str
) -> None:
    secret += quoted
    written = quote(secret, safe="") if encoded else secret
    address = f"{scheme}://u:{written}@127.0.0.1:1/d"
    text = "'''" + address + "'''" if not quoted else '"' + address.replace("\\", "\\\\") + '"'
    monkeypatch.setenv("GRAPHREC_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NEO4J_URI", f"bolt://neo4j:{written}@127.0.0.1:1")
    monkeypatch.setenv("SHOP_SECRET", secret)
    sql = 'sql = "select 1 as id"'
    specs = {
        "url": ("", f"{sql}\nurl = {text}"),
        "connection": ("", f"{sql}\nconnection = {text}"),
        "list": ("", f"{sql}\nurl = [{text}]"),
        "table": (f"connections = {text}", f'{sql}\nconnection = "x"'),
        "nested": (f"connections = {{ x = [{text}] }}", f'{sql}\nconnection = "x"'),
        "named": (f"connections = {{ x = {text} }}", f'{sql}\nconnection = "x"'),
        "file": ("", f"file = {text}"),
        "public": (f"url = {text}", f"file = {text}"),
        "unknown": ("", f"{sql}\nurll = {text}"),
        "environment": ("", f'{sql}\nurl = "{scheme}://u:${{SHOP_SECRET}}@127.0.0.1:1/d?x=${{SHOP_SECRET}}"'),
    }
    lines = [
        ["store", "status"],
        ["store", "start"],
        ["schema", "--json"],
        ["sniff", address],
        ["train", "--study", address],
    ]
    for name, (top, origin) in specs.items():
        (tmp_path / f"{name}.toml").write_text(SPEC.format(top=top, origin=origin), encoding="utf-8")
        lines.append(["load", str(tmp_path / f"{name}.toml"), "--check"])
    for line in lines:
        result = CliRunner().invoke(import_module("graphrec.scripts").cli, line)
        assert isinstance(result.exception, SystemExit) or result.exception is None, result.exc_info
        for half in (FIRST, SECOND):
            assert half not in result.output, (line[0], result.output)


def test_a_traceback_of_a_drivers_error_has_no_password(tmp_path: Path) -> None:
    for url in (f"mysql+none://u:{FIRST}@h/d", f"{FIRST}@h", f"postgresql+psycopg://u:{FIRST}@127.0.0.1:1/d"):
        with pytest.raises(GraphrecError) as caught:
            list(read_batches(QueryInput("select 1", url, tmp_path), ["id"]))
        assert FIRST not in "".join(traceback.format_exception(caught.value))
    assert FIRST not in repr(QueryInput("select 1", f"x://u:{FIRST}@h", tmp_path, values=(FIRST,)))


def test_a_login_in_the_address_of_neo4j_is_used_unless_it_is_said_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_URI", "bolt://anna:p%40ss@127.0.0.1:1")
    for name in ("NEO4J_USERNAME", "NEO4J_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    found = Settings().neo4j_address()
    assert found is not None
    assert (found.uri, found.username, found.password) == ("bolt://127.0.0.1:1", "anna", "p@ss")
    assert "p@ss" not in repr(Settings())
    assert store_status(Settings()).uri == "bolt://127.0.0.1:1"
    monkeypatch.setenv("NEO4J_USERNAME", "bert")
    monkeypatch.setenv("NEO4J_PASSWORD", "other")
    found = Settings().neo4j_address()
    assert found is not None
    assert (found.username, found.password) == ("bert", "other")


def test_messages_are_short_and_on_one_line_whatever_is_in_them() -> None:
    start = time.perf_counter()
    for text in ("x" * 10_000_000, "a\n" * 100_000, "\x1b[2J\x00\u202e", "://a" * 100_000, "password=" * 100_000):
        for error in (GraphrecError(f"{text}; do this"), UnknownNameError("user", text, ["a", text])):
            assert len(str(error)) <= 2_100
            assert str(error).isprintable()
    assert str(GraphrecError(f"{'x' * 9_999}; do this")).endswith("; do this")
    assert sentence("a\tb\n\x1b") == "a\\tb\\n\\x1b"
    assert time.perf_counter() - start < 10
