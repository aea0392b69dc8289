"""Steam: games that users bought, and the hours that they played them.

The folder contains either game_purchase.dat, game_play.dat, item_info.dat and user_info.dat (Case Recommender's format
with numbered users and games), or steam-200k.csv (Kaggle's format, in which a game's id is its title). All plain or
gzip-compressed. Two editions of a game with one title are one game: their hours are added up.
"""

from pathlib import Path

import pandas as pd

from graphrec.cleaning import CleaningRules, clean
from graphrec.errors import DataError, GraphrecError, first_few
from graphrec.reading import Kind, find, has, read_table
from graphrec.schema import ITEM, USER, EdgeType, NodeType
from graphrec.tables import ENDS, GraphTables, Source

GAME = NodeType(ITEM, ("title",))
PURCHASED = EdgeType(USER, "PURCHASED", ITEM)
PLAYED = EdgeType(USER, "PLAYED", ITEM, ("hours",))
SOURCE = Source(
    "steam",
    "steam-video-games",
    "https://www.kaggle.com/datasets/tamber/steam-video-games",
    "Kaggle tamber/steam-video-games: ODbL 1.0",
)

_RULES = {
    ITEM: CleaningRules(text=("title",)),
    "PURCHASED": CleaningRules(repeated="first"),
    "PLAYED": CleaningRules(ranges={"hours": (0, None)}, repeated="sum", combined=("hours",)),
}
_CASE = ("game_purchase.dat", "game_play.dat", "item_info.dat", "user_info.dat")
_KAGGLE = "steam-200k.csv"


def load(folder: Path | None = None) -> GraphTables:
    """Users and games (Item) with PURCHASED and PLAYED edges; in the numbered format users have `steam_id`.

    Raises:
        DataError: the folder has neither format, a file is defective, or a game or user is not in its file.
        GraphrecError: folder is None; this source includes no data.
    """
    if folder is None:
        raise GraphrecError(
            f"source steam needs a folder: download steam-200k.csv from {SOURCE.url} and give its folder, or give one "
            f"with {', '.join(_CASE)}"
        )
    if has(folder, _KAGGLE):
        return _read_kaggle(folder)
    if not any(has(folder, name) for name in _CASE):
        raise DataError(
            f"folder {folder} holds no Steam data: it needs {_KAGGLE}, or {', '.join(_CASE)} (each may end in .gz); "
            f"download it from {SOURCE.url}"
        )
    games = _read(folder, "item_info.dat", {"Game_ID": "str", "Game Name": "str"}, ["id", "title"])
    users = _read(folder, "user_info.dat", {"New_ID": "str", "Real_ID": "str"}, ["id", "steam_id"])
    bought = _read(folder, "game_purchase.dat", {"User_ID": "str", "Game_ID": "str"}, ENDS)
    played = _read(folder, "game_play.dat", {"User_ID": "str", "Game_ID": "str", "Hours": "float"}, [*ENDS, "hours"])
    nodes = [(NodeType(USER, ("steam_id",)), users), (GAME, games)]
    return clean(nodes, [(PURCHASED, bought), (PLAYED, played)], [SOURCE], _RULES)


def _read(folder: Path, name: str, columns: dict[str, Kind], names: list[str]) -> pd.DataFrame:
    return read_table(find(folder, name), columns, separator="\t", quoting=False).set_axis(names, axis=1)


def _read_kaggle(folder: Path) -> GraphTables:
    """The tables of steam-200k.csv: user, title, purchase or play, value (1 or hours), and a 0 without meaning."""
    path = find(folder, _KAGGLE)
    columns: dict[str, Kind] = {"source_id": "str", "target_id": "str", "behaviour": "str", "hours": "float"}
    rows = read_table(path, columns, header=[*columns, "zero"])
    other = rows.loc[~rows["behaviour"].isin(["purchase", "play"]), "behaviour"]
    if len(other):
        raise DataError(
            f"{path}: {len(other):,} lines are neither purchase nor play ({first_few(other.unique())}); correct these "
            "lines"
        )
    titles = rows["target_id"].drop_duplicates()
    games = pd.DataFrame({"id": titles, "title": titles})
    played = rows["behaviour"] == "play"
    return clean([(GAME, games)], [(PURCHASED, rows[~played]), (PLAYED, rows[played])], [SOURCE], _RULES)
