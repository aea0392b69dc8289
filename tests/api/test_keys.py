"""Keys: made once, kept as salted hashes in a private file."""

import json
import stat
from pathlib import Path

import pytest

from graphrec.api.keys import KeyFile, KeyRing
from graphrec.errors import DataError, GraphrecError, UnknownNameError


def test_a_key_is_kept_as_a_salted_hash_in_a_private_file(tmp_path: Path) -> None:
    file = KeyFile(tmp_path)
    made = file.create("shop", ("write", "read"), days=1, rate=5)
    secret = made.text.split("_", 2)[2]
    text = file.path.read_text(encoding="utf-8")
    assert secret not in text
    assert secret not in repr(made)
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    (record,) = json.loads(text)["keys"]
    assert record["scopes"] == ["read", "write"]
    assert record["expires_at"] - record["created_at"] == 86_400
    assert len(record["hash"]) == 64
    other = file.create("other")
    assert other.key.salt != made.key.salt
    ring = KeyRing(file)
    assert ring.find(made.text) == made.key
    assert ring.find(made.text + "x") is None
    assert ring.find(f"gr_{other.key.id}_{secret}") is None, "the secret of another key"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"name": "shop"}, DataError, "there is a key 'shop' already"),
        ({"name": " "}, DataError, "a key needs a name"),
        ({"name": "x", "scopes": ("root",)}, UnknownNameError, "there is no scope 'root'"),
        ({"name": "x", "scopes": ()}, DataError, "a key needs a scope: read, write, admin"),
        ({"name": "x", "days": -1}, DataError, "lifetime is more than 0"),
        ({"name": "x", "rate": -1}, DataError, "the rate is at least 0"),
    ],
)
def test_invalid_keys_are_refused(
    tmp_path: Path, arguments: dict[str, object], error: type[Exception], message: str
) -> None:
    file = KeyFile(tmp_path)
    file.create("shop")
    with pytest.raises(error, match=message):
        file.create(**arguments)  # type: ignore[arg-type]  # invalid on purpose
    assert [key.name for key in file.read()] == ["shop"]


def test_a_damaged_file_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text("{", encoding="utf-8")
    with pytest.raises(GraphrecError, match="restore the file from a backup, or delete it and create new keys"):
        KeyFile(tmp_path).read()


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import import_module

    from click.testing import CliRunner, Result

    monkeypatch.setenv("GRAPHREC_HOME", str(tmp_path))
    monkeypatch.delenv("NEO4J_URI", raising=False)

    def run(*arguments: str, code: int = 0) -> Result:
        result = CliRunner().invoke(import_module("graphrec.scripts").cli, ["key", *arguments])
        assert result.exit_code == code, result.output
        return result

    created = run("create", "shop", "--scope", "read", "--scope", "write", "--days", "30")
    text = created.stdout.strip()
    assert KeyRing(KeyFile(tmp_path)).find(text) is not None, "stdout has the key alone"
    assert "it is not shown again" in created.stderr
    listed = run("list", "--json").stdout
    assert text not in listed
    assert [key["name"] for key in json.loads(listed)] == ["shop"]
    run("revoke", "shop")
    assert json.loads(run("list", "--json").stdout) == []
    assert "there is no key 'shop'" in str(run("revoke", "shop", code=1).output)
    assert not (tmp_path / "store").exists(), "keys need no database"
