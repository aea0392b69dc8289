"""Options take what the libraries below can hold; everything else is wrong usage, in one sentence."""

from pathlib import Path

import pytest

from graphrec.characters import disarm, escape_controls, remove_controls
from graphrec.errors import DataError, GraphrecError
from graphrec.markup import escape
from graphrec.store import queries
from graphrec.tabular.parsing import parse

from .conftest import Run

BIG = "9" * 40


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "--seed", "-1"), "'-1' is not a whole number from 0 to 2147483647"),
        (("train", "--seed", BIG), "is not a whole number from 0 to 2147483647"),
        (("train", "--seed", "9" * 9_999), "is not a whole number from 0"),
        (("train", "--spilt", "random"), "there is no option '--spilt'; did you mean --split"),
        (("train", "--zzzz"), "there is no option '--zzzz'; --help lists all options"),
        (("trian",), "there is no command 'trian'; did you mean train?"),
        (("train", "--device", "foo"), "'foo' is not a device; give cpu, cuda or cuda:1"),
        (("train", "--device", "cuda:99"), "there is no device cuda:99: this machine has "),
        (("train", "--device", ""), "'' is not a device"),
        (("train", "--trials", BIG), "is not a whole number from 0 to 100000"),
        (("recommend", "--user", "1", "-k", BIG), "is not a whole number from 1"),
        (("evaluate", "--rounds", BIG), "is not a whole number from 1 to 1000"),
        (("feedback", "--cap", "nan"), "'nan' is not a finite number"),
        (("load", "lastfm", "--threshold", "nan"), "'nan' is not a finite number"),
        (("load", "lastfm", "--precedence", BIG), "is not a whole number"),
        (("store", "start", "--port", "65536"), "is not a whole number from 1 to 65535"),
        (("schema", "--out", ""), "a path must not be empty"),
        (("schema", "--out", "-"), "- is not a file; name one"),
        (("load", "lastfm", "--import-files", "a\nb"), "has control characters in it"),
        (("tune", "ease", "--study", "a\x1bb"), "has control characters in it"),
        (("sniff", "https://u:s3cret@h/x.csv"), "this is an address, not a file"),
        (("query", "recommend_for_user", "--csv-safe"), "give --csv as well"),
        (
            ("explain", "1", "2", "--url", "http://localhost:1/v1"),
            "--url has no effect without --rewrite; give",
        ),
        (("explain", "1", "2", "--timeout", "10"), "--timeout has no effect without --rewrite"),
        (("recommend", "--user", "1", "--csv-safe"), "give --out FILE.csv as well"),
        (("recommend", "--all", "--out", "all.parquet", "--csv-safe"), "give --out FILE.csv as well"),
    ],
)
def test_wrong_values_are_wrong_usage(run: Run, arguments: tuple[str, ...], message: str) -> None:
    result = run(*arguments, exit_code=2)
    assert message in result.stderr
    assert "s3cret" not in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("value", [BIG, "-" + BIG, "9" * 9_999, "1.5", "x" * 9_999])
def test_parameters_of_queries_have_64_bits(value: str) -> None:
    with pytest.raises(GraphrecError, match="is integer of at most 64 bits, but '.*' is not") as caught:
        queries.parse_arguments(queries.get("find_similar_items"), {"item_id": "1", "k": value})
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("name", ["a\nb", "\x1b[31m", "a\0b", " ", "x" * 300, "\u202egpj"])
def test_names_of_sources_that_no_folder_should_have(tmp_path: Path, name: str) -> None:
    text = "".join(f"\\u{ord(sign):04x}" for sign in name)
    (tmp_path / "s.toml").write_text(f'name = "{text}"\n[nodes.User]\nfile = "u.csv"\nid = "id"\n', encoding="utf-8")
    with pytest.raises(
        DataError, match="name '.*' (has control characters in it or is blank|is longer than 200 bytes)"
    ):
        parse(tmp_path / "s.toml")


def test_an_address_with_a_password_does_not_go_into_the_graph(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text('name = "s"\nurl = "https://u:s3cret@shop.example"\n', encoding="utf-8")
    with pytest.raises(DataError, match="url holds a password or another secret") as caught:
        parse(tmp_path / "s.toml")
    assert "s3cret" not in str(caught.value)


def test_formulas_are_disarmed_and_numbers_are_not() -> None:
    for text in ("=1+1", "+A1", "-A1", "@SUM(A1)", " =1", "\t=1", "\r=1", "\n=1", "＝1", "-2+3", "--1", "+1+1", "|x"):
        assert disarm(text) == f"'{text}"
    for value in ("-5", "+5", "-3.5e-7", "-1%", "a=1", "", "x", 5, -5, None, 1.5, "'=1", "3-4"):
        assert disarm(value) == value


def test_control_characters_are_left_out_of_pages_and_escaped_elsewhere() -> None:
    text = "a\x00\x1b\x7f\x85\u2028\u202e\u2066\ud800\ufffe\U0001ffffb\tc\nd é 👩\u200d👧"
    assert remove_controls(text) == "ab\tc\nd é 👩\u200d👧"
    assert escape("<\x00&") == "&lt;&amp;"
    assert escape_controls("a\x1b\u202e\n") == "a\\x1b\\u202e\\n"
    assert escape_controls("a\nb\r", lines=True) == "a\nb\\r"
