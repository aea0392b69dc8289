"""What a TOML file may say, and how it is told what it may not."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphrec.errors import DataError
from graphrec.tabular.parsing import KEYS, parse
from graphrec.tabular.spec import QueryInput, SourceSpec
from tests.sizes import num_examples

EDGE = '[edges.RATED]\nfile = "r.csv"\nfrom = "User:u"\nto = "Item:i"\n'


def spec(folder: Path, toml: str, name: str = 'name = "mine"\n') -> SourceSpec:
    (folder / "r.csv").write_text("u,i\n1,2\n")
    (folder / "my.toml").write_text(name + toml, encoding="utf-8")
    return parse(folder / "my.toml")


WRONG = {
    "a key of the file": ("edgse = 1\n", r"my.toml: edgse is not a key of this table; did you mean edges\?"),
    "a key of a table": (EDGE + 'frm = "User:u"\n', r"\[edges.RATED\]: frm is not a key .* did you mean from\?"),
    "a key far from all": (EDGE + "zzzzzz = 1\n", "zzzzzz is not a key of this table; it may have file, format"),
    "no table": ("", "names no table; add one such as"),
    "a table that is none": ("[nodes]\nUser = 3\n", r"\[nodes.User\] must be a table of keys and values, not 3"),
    "no file": ('[nodes.User]\nid = "u"\n', "file or sql is needed, and not both"),
    "file and sql": (EDGE + 'sql = "select 1"\n', "file or sql is needed, and not both"),
    "no id": ('[nodes.User]\nfile = "r.csv"\n', "id is missing; it is needed"),
    "a wrong type": ('[nodes.User]\nfile = "r.csv"\nid = 3\n', "id must be text, not 3"),
    "a truth for a number": ("precedence = true\n" + EDGE, "precedence must be a whole number, not True"),
    "a list of others": ('[nodes.User]\nfile = [3]\nid = "u"\n', r"file must be a text or a list of texts, not \[3\]"),
    "an empty text": ('[nodes.User]\nfile = "r.csv"\nid = ""\n', "id must not be empty"),
    "a lower label": ('[nodes.board_game]\nfile = "r.csv"\nid = "u"\n', "'board_game' is not, .* write BoardGame"),
    "a label of ours": ('[nodes.Run]\nfile = "r.csv"\nid = "u"\n', "or belongs to graphrec itself; write MyRun"),
    "a lower relation": (EDGE.replace("RATED", "hasRated"), "hasRated is not, .* write HAS_RATED"),
    "a relation of ours": (EDGE.replace("RATED", "RECOMMENDED"), "belongs to graphrec itself; write MY"),
    "an end without label": (EDGE.replace("User:u", "u"), "from is 'u', but must be label and column"),
    "a reserved property": (EDGE + 'properties = ["source"]\n', r"'source' is reserved; .* column = 'source' }"),
    "a colon in a property": (EDGE + 'properties = ["a:b"]\n', "'a:b' has a colon; write"),
    "a name of the embedded store's": (EDGE + 'properties = ["@rid"]\n', "'@rid' is reserved; write"),
    "a property twice": (EDGE + 'properties = ["a", "a"]\n', "names a twice"),
    "a time twice": (EDGE + 'properties = ["timestamp"]\ntime = "t"\n', "names timestamp twice"),
    "a type": (
        EDGE + 'properties = [{ name = "a", type = "integer" }]\n',
        r"'integer', but must be .* did you mean int\?",
    ),
    "a property's key": (
        EDGE + 'properties = [{ nam = "a" }]\n',
        r"properties: nam is not a key .* did you mean name\?",
    ),
    "a property of no form": (EDGE + "properties = [3]\n", "must hold names or tables of name, column and type"),
    "properties as text": (EDGE + 'properties = "a"\n', "properties must be a list"),
    "a key without property": (EDGE + 'key = ["tag"]\n', "key names tag, which is not a property"),
    "a unit": (EDGE + 'time = { column = "t", unit = "h" }\n', "unit is 'h', but must be s or ms or us or ns"),
    "unit and format": (EDGE + 'time = { column = "t", unit = "s", format = "%Y" }\n', "keep one of them"),
    "a zone": (EDGE + 'time = { column = "t", zone = "Europe/Berlim" }\n', "'Europe/Berlim' is no time zone"),
    "a strange zone": (EDGE + 'time = { column = "t", zone = "../x" }\n', "is no time zone"),
    "max without by": (EDGE + 'repeated = "max"\n', 'is "max", which needs the key by'),
    "sum without weight": (EDGE + 'repeated = "sum"\n', 'is "sum", which needs a weight'),
    "by no property": (EDGE + 'repeated = "last"\nby = "when"\n', "by names when, which is not a property"),
    "a rule": (EDGE + 'repeated = "latest"\n', r"repeated is 'latest', but must be .* did you mean last\?"),
    "a range": (EDGE + 'properties = ["a"]\nranges = { a = [5, 1] }\n', "a must be the lowest and the highest value"),
    "a range of none": (EDGE + "ranges = { a = [1, 5] }\n", "ranges names a, which is not a property"),
    "a needed one": (EDGE + 'needed = ["a"]\n', "needed names a, which is not a property"),
    "a date": (EDGE + 'earliest = "1995"\n', "earliest must be a date such as 1995-01-01"),
    "dangling nodes": (
        '[nodes.User]\nfile = "r.csv"\nid = "u"\ndangling = "add"\n',
        "dangling is not a key of this table",
    ),
    "a missing file": (EDGE.replace("r.csv", "s.csv"), r"'s.csv' does not exist; did you mean r.csv\?"),
    "a missing folder": (EDGE.replace("r.csv", "no/x.csv"), "'no/x.csv' does not exist; the folder has no file"),
    "a pattern": (EDGE.replace("r.csv", "*.tsv"), r"'\*.tsv' matches no file"),
    "an address": (EDGE.replace("r.csv", "https://x.example/r.csv"), "is a URL; download it first"),
    "a form": (EDGE + 'format = "xls"\n', "format is 'xls', but must be csv or tsv or jsonl or json or parquet"),
    "a separator": (EDGE + 'separator = "\\n"\n', "separator must be one to four characters"),
    "an encoding": (EDGE + 'encoding = "utf-9"\n', "encoding 'utf-9' is unknown"),
    "url with file": (EDGE + 'url = "sqlite:///x.db"\n', "url goes with sql"),
    "sql without url": (EDGE.replace('file = "r.csv"', 'sql = "select 1"'), "url or connection is needed with sql"),
    "sql with where": (EDGE.replace('file = "r.csv"', 'sql = "s"') + "where = {}\n", "where goes with file"),
    "a connection": (
        EDGE.replace('file = "r.csv"', 'sql = "s"\nconnection = "shp"') + '[connections]\nshop = "sqlite://"\n',
        r"connection 'shp' is not in \[connections\]; did you mean shop\?",
    ),
    "two tables of a type": (
        "[[edges.RATED]]" + EDGE.partition("]")[2] + "[[edges.RATED]]" + EDGE.partition("]")[2],
        r"User RATED Item has two tables; name its files in one",
    ),
    "a link of no label": (EDGE + '[[links]]\nlabel = "Usr"\non = ["a"]\n', r"label is 'Usr', .* did you mean User\?"),
    "a link on no property": (
        EDGE + '[[links]]\nlabel = "User"\non = ["email"]\n',
        r"on names email, which is not a property of \[nodes.User\]; add it to properties",
    ),
    "a link on nothing": (EDGE + '[[links]]\nlabel = "User"\non = []\n', "on must name at least one property"),
    "a threshold": (
        EDGE + '[[links]]\nlabel = "User"\non = ["a"]\nthreshold = 2\n',
        "must be a number between 0 and 1",
    ),
    "links of no list": ("links = 3\n" + EDGE, r"links must be written \[\[links\]\]"),
    "no TOML": ("[edges\n", "my.toml is not TOML: .*line 2"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_with_its_place(case: str, tmp_path: Path) -> None:
    toml, message = WRONG[case]
    with pytest.raises(DataError, match=message):
        spec(tmp_path, toml)


def test_a_source_needs_a_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"my.toml: name is missing; it is needed"):
        spec(tmp_path, EDGE, "")
    with pytest.raises(DataError, match="'a:b' cannot name a source"):
        spec(tmp_path, EDGE, 'name = "a:b"\n')


def test_a_file_that_is_no_text_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="my.toml is not TOML"):
        parse(tmp_path / "my.toml")
    with pytest.raises(DataError, match="none.toml cannot be read"):
        parse(tmp_path / "none.toml")


QUERY = EDGE.replace('file = "r.csv"', 'sql = "s"\nurl = "postgresql://me:${SHOP_PASSWORD}@${SHOP_HOST}/shop"')


def url(folder: Path) -> str:
    origin = spec(folder, QUERY).tables[0].input
    assert isinstance(origin, QueryInput)
    return origin.url


def test_passwords_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_HOST", "db.example:5432")
    monkeypatch.setenv("SHOP_PASSWORD", "p@ss/w:rd")
    assert url(tmp_path) == "postgresql://me:p%40ss%2Fw%3Ard@db.example:5432/shop"
    monkeypatch.delenv("SHOP_PASSWORD")
    with pytest.raises(DataError, match="url needs the environment variable SHOP_PASSWORD, which is not set"):
        url(tmp_path)


WORD = st.sampled_from(
    ["u", "User:u", "", "a:b", "last", "sum", "*", "s", "\\udcff", "[]", "sqlite://", "r.csv", "\x00"]
)
SCALAR = st.one_of(WORD, st.integers(-9, 9), st.booleans(), st.floats(allow_nan=False, allow_infinity=False))
VALUE = st.one_of(SCALAR, st.lists(SCALAR, max_size=3), st.lists(st.lists(SCALAR, max_size=1), max_size=2))


@settings(max_examples=num_examples(100), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(more=st.dictionaries(st.sampled_from(KEYS["edges"][1:]), VALUE, max_size=4), nodes=st.booleans())
def test_whatever_a_key_holds_it_is_a_spec_or_an_error(more: dict[str, object], nodes: bool, tmp_path: Path) -> None:
    begun = {"file": "r.csv"} | ({"id": "u"} if nodes else {"from": "User:u", "to": "Item:i"})
    lines = [f"{key} = {json.dumps(value)}" for key, value in (begun | more).items()]
    try:
        spec(tmp_path, f"[{'nodes.User' if nodes else 'edges.RATED'}]\n" + "\n".join(lines))
    except DataError as error:
        assert "my.toml" in str(error)  # noqa: PT017  # it may also pass
