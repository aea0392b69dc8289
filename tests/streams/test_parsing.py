"""The TOML file of a stream: what it may have, and the errors of what it may not."""

import copy
from pathlib import Path
from typing import Any

import pytest

from graphrec.errors import DataError
from graphrec.streams import parse, parse_mapping
from graphrec.streams.spec import FolderInputSpec, KafkaInputSpec, RedisInputSpec, StreamSpec

BASE: dict[str, Any] = {
    "name": "shop",
    "input": {"folder": "events"},
    "edges": {"VIEWED": {"from": "User:user", "to": "Item:item"}},
}


def read(values: dict[str, Any]) -> StreamSpec:
    return parse_mapping(values, Path("shop.toml"), Path("/data"))


def test_the_example_of_the_page_is_valid(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KAFKA_PASSWORD", "hidden")
    page = (Path(__file__).parents[2] / "docs" / "streams.md").read_text(encoding="utf-8")
    blocks = [block.partition("```")[0] for block in page.split("```toml\n")[1:]]
    inputs = []
    for block in blocks:
        path = tmp_path / "shop.toml"
        whole = block if "[edges" in block else f'name = "x"\n{block}\n[edges.A]\nfrom = "User:u"\nto = "Item:i"\n'
        path.write_text(whole, encoding="utf-8")
        inputs.append(type(parse(path).input))
    assert inputs == [FolderInputSpec, RedisInputSpec, KafkaInputSpec]


def test_secrets_come_from_the_environment_and_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAM_PASSWORD", "p@ss")
    spec = read({**BASE, "input": {"redis": "valkeys://:${STREAM_PASSWORD}@host/0", "stream": ["a", "b"]}})
    assert isinstance(spec.input, RedisInputSpec)
    assert spec.input.url == "rediss://:p%40ss@host/0"
    assert "p%40ss" not in repr(spec)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("nme",), "x", "nme is not a key of this table; did you mean name"),
        (("name",), "a/b", "must consist of letters, digits"),
        (("input",), {}, "folder, redis or kafka is needed"),
        (("input",), {"folder": "a", "kafka": "b"}, "only one of them"),
        (("input", "files"), "../*.jsonl", "must be a file name with wildcards"),
        (("input",), {"redis": "localhost", "stream": "x"}, "must be an address such as redis://"),
        (("input",), {"redis": "redis://:secret@h", "stream": []}, "must name at least one stream"),
        (("input",), {"kafka": "h:1", "topic": ["x", "x"]}, "each once"),
        (("input",), {"kafka": "${NOT_SET_ANYWHERE}", "topic": "x"}, "NOT_SET_ANYWHERE, which is not set"),
        (("edges",), {}, "has no \\[edges"),
        (("edges", "viewed"), {"from": "User:u", "to": "Item:i"}, "is written like PURCHASED"),
        (("edges", "RECOMMENDED"), {"from": "User:u", "to": "Item:i"}, "belongs to graphrec itself"),
        (("edges", "VIEWED", "from"), "user", "write User:FIELD"),
        (("edges", "VIEWED", "to"), "User:item", "write Item:FIELD"),
        (("edges", "VIEWED", "whre"), {}, "did you mean where"),
        (("edges", "VIEWED", "weight"), "stars", "must be one of rating"),
        (("edges", "VIEWED", "time"), {"column": "at", "unit": "ms", "format": "%Y"}, "keep one of them"),
        (("edges", "SHOWN"), {"from": "User:u", "to": "Item:i", "run": "run"}, "rank is needed by SHOWN"),
        (("unknown",), {"users": "drop"}, "must be create or hold or reject"),
        (("times",), {"late": "a week"}, "must be a number of seconds, minutes"),
    ],
)
def test_errors_name_table_key_and_remedy(place: tuple[str, ...], value: object, message: str) -> None:
    values = copy.deepcopy(BASE)
    part = values
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    with pytest.raises(DataError, match=message) as caught:
        read(values)
    assert "secret" not in str(caught.value)
