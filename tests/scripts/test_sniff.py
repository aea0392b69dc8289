"""`graphrec sniff`: a TOML file on stdout or in a file, never over one that is there."""

import json
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner, Result


def sniff(*arguments: str) -> Result:
    return CliRunner().invoke(import_module("graphrec.scripts").cli, ["sniff", *arguments])


@pytest.fixture
def ratings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "ratings.csv").write_text("user,item,rating\n1,2,3\n")
    monkeypatch.chdir(tmp_path)
    return "ratings.csv"


def test_to_stdout(ratings: str) -> None:
    done = sniff(ratings)
    assert done.exit_code == 0
    assert tomllib.loads(done.stdout)["edges"]["RATED"]["file"] == "ratings.csv"


def test_to_a_file_in_another_folder(ratings: str, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    done = sniff(ratings, "--out", "sub/films.toml")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "graphrec load table sub/films.toml" in done.stderr
    written = (tmp_path / "sub/films.toml").read_text(encoding="utf-8")
    assert tomllib.loads(written)["edges"]["RATED"]["file"] == "../ratings.csv"
    again = sniff(ratings, "--out", "sub/films.toml")
    assert again.exit_code == 1
    assert "sub/films.toml exists already; choose another name" in again.stderr
    assert (tmp_path / "sub/films.toml").read_text(encoding="utf-8") == written


def test_as_json(ratings: str) -> None:
    value = json.loads(sniff(ratings, "--json").stdout)
    assert value["file"] is None
    assert "[edges.RATED]" in value["toml"]
    (table,) = value["tables"]
    assert table["what"] == "RATED: User → Item"
    assert [finding["role"] for finding in table["findings"]] == ["user id", "item id", "rating"]
    assert all(0 < finding["confidence"] <= 1 and finding["reason"] for finding in table["findings"])
    assert value["questions"] == []


def test_evidence_and_questions_are_printed_and_are_comments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "log.csv").write_text("user,item,date\nu1,i1,03/04/2021\nu2,i1,05/06/2021\n")
    monkeypatch.chdir(tmp_path)
    done = sniff("log.csv")
    assert "    date  time      95%  %d/%m/%Y" in done.stderr
    assert "  2. log.csv: date: '03/04/2021' can be read as %d/%m/%Y and as %m/%d/%Y" in done.stderr
    assert "# Question 2: log.csv: date: '03/04/2021' can be read as" in done.stdout
    assert tomllib.loads(done.stdout)["edges"]["VIEWED"]["time"]["format"] == "%d/%m/%Y"


def test_a_folder_and_a_pattern(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shop").mkdir()
    for day in ("day1", "day2"):
        (tmp_path / f"shop/{day}.csv").write_text("user,item,qty\nu1,i1,1\n")
    monkeypatch.chdir(tmp_path)
    for argument in ("shop", "shop/*.csv"):
        assert tomllib.loads(sniff(argument).stdout)["edges"]["PURCHASED"]["file"] == "shop/day*.csv"


def test_what_goes_wrong_is_one_sentence(ratings: str) -> None:
    done = sniff("none.csv")
    assert (done.exit_code, done.stderr) == (1, "Error: there is no file none.csv; check the path\n")
    assert "there is no folder" in sniff(ratings, "--out", "no/films.toml").stderr
    assert sniff().exit_code == 2
