"""Last.fm (HetRec 2011): listening counts of artists, friendships, and tags of artists.

The folder contains the files of hetrec2011-lastfm-2k.zip, plain or gzip-compressed. 390 artists that users tagged are
not in artists.dat; they are nodes with the label UnlistedItem, so that no tag assignment is lost and every Item is in
the list.
"""

from pathlib import Path

import pandas as pd

from graphrec.errors import DataError, GraphrecError, first_few
from graphrec.reading import find, read_table
from graphrec.schema import ITEM, USER, EdgeType, NodeType
from graphrec.tables import EdgeTable, GraphTables, NodeTable, Source

ARTIST = NodeType(ITEM, ("title", "url"))
#: A tagged artist that is not in artists.dat; it has only an id.
UNLISTED = NodeType("UnlistedItem")
LISTENED = EdgeType(USER, "LISTENED", ITEM, ("count",))
FRIEND = EdgeType(USER, "FRIEND", USER)
TAGGED = EdgeType(USER, "TAGGED", ITEM, ("tag", "timestamp"), key=("tag",))
TAGGED_UNLISTED = EdgeType(USER, "TAGGED", UNLISTED.label, ("tag", "timestamp"), key=("tag",))
SOURCE = Source(
    "lastfm",
    "hetrec2011-lastfm-2k 1.0",
    "https://grouplens.org/datasets/hetrec-2011/",
    "HetRec 2011: research use with citation (Cantador et al. 2011), no commercial use",
)


def load(folder: Path | None = None) -> GraphTables:
    """Users, artists (Item) and unlisted artists with LISTENED, FRIEND and TAGGED edges.

    `timestamp` is midnight UTC of the day; it is negative before 1970.

    Raises:
        DataError: a file is missing or defective, or a user listened to an artist that is not in artists.dat.
        GraphrecError: folder is None; this source includes no data.
    """
    if folder is None:
        raise GraphrecError(
            f"source lastfm needs a folder: download hetrec2011-lastfm-2k.zip from {SOURCE.url}, unpack it and give "
            "its folder"
        )
    artists = _read(folder, "artists.dat", {"id": "id", "name": "title", "url": "url"})
    listened = _read(folder, "user_artists.dat", {"userID": "source_id", "artistID": "target_id", "weight": "count"})
    friends = _read_friends(folder)
    tagged = _read_tags(folder)
    user_ids = [listened["source_id"], friends["source_id"], friends["target_id"], tagged["source_id"]]
    users = pd.DataFrame({"id": pd.concat(user_ids).unique()}, dtype="str")
    listed = tagged["target_id"].isin(artists["id"])
    unlisted = tagged[~listed].reset_index(drop=True)
    nodes = [NodeTable(NodeType(USER), users), NodeTable(ARTIST, artists)]
    edges = [
        EdgeTable(LISTENED, listened),
        EdgeTable(FRIEND, friends),
        EdgeTable(TAGGED, tagged[listed].reset_index(drop=True)),
    ]
    if len(unlisted):
        nodes.append(NodeTable(UNLISTED, pd.DataFrame({"id": unlisted["target_id"].unique()}, dtype="str")))
        edges.append(EdgeTable(TAGGED_UNLISTED, unlisted))
    return GraphTables(tuple(nodes), tuple(edges), (SOURCE,))


def _read(folder: Path, name: str, columns: dict[str, str], encoding: str = "utf-8") -> pd.DataFrame:
    """The columns of a file with their new names; count, day, month and year are whole numbers."""
    numbers = ("count", "day", "month", "year")
    frame = read_table(
        find(folder, name),
        {old: "int" if new in numbers else "str" for old, new in columns.items()},
        separator="\t",
        encoding=encoding,
        quoting=False,  # artists are called 'Weird Al" and the like
    )
    return frame.rename(columns=columns)


def _read_friends(folder: Path) -> pd.DataFrame:
    """Each friendship once, even if the file has both directions."""
    rows = _read(folder, "user_friends.dat", {"userID": "source_id", "friendID": "target_id"})
    loops = rows.loc[rows["source_id"] == rows["target_id"], "source_id"]
    if len(loops):
        raise DataError(
            f"{find(folder, 'user_friends.dat')}: {len(loops):,} users are friends of themselves ({first_few(loops)}); "
            "remove these lines"
        )
    swapped = rows["source_id"] > rows["target_id"]
    rows.loc[swapped, ["source_id", "target_id"]] = rows.loc[swapped, ["target_id", "source_id"]].to_numpy()
    return rows.drop_duplicates(ignore_index=True)


def _read_tags(folder: Path) -> pd.DataFrame:
    """Columns source_id, target_id, tag and timestamp of all tag assignments."""
    columns = {"userID": "source_id", "artistID": "target_id", "tagID": "tag_id"}
    rows = _read(folder, "user_taggedartists.dat", columns | {name: name for name in ("day", "month", "year")})
    tags = _read(folder, "tags.dat", {"tagID": "tag_id", "tagValue": "tag"}, encoding="latin-1")
    if not tags["tag_id"].is_unique:
        twice = first_few(tags["tag_id"][tags["tag_id"].duplicated()].unique())
        raise DataError(f"{find(folder, 'tags.dat')}: tagID {twice} occurs twice; keep one line for each")
    unknown = rows.loc[~rows["tag_id"].isin(tags["tag_id"]), "tag_id"]
    if len(unknown):
        raise DataError(
            f"{find(folder, 'user_taggedartists.dat')}: {len(unknown):,} lines have a tagID that tags.dat lacks "
            f"({first_few(unknown.unique())}); take both files from one download"
        )
    dates = pd.to_datetime(rows[["year", "month", "day"]], errors="coerce")
    wrong = rows[dates.isna()]
    if len(wrong):
        shown = (f"{row.year}-{row.month}-{row.day}" for row in wrong.itertuples())
        raise DataError(
            f"{find(folder, 'user_taggedartists.dat')}: {len(wrong):,} lines have an impossible date "
            f"({first_few(shown)}); correct these lines"
        )
    names = tags.set_index("tag_id")["tag"]
    return pd.DataFrame(
        {
            "source_id": rows["source_id"],
            "target_id": rows["target_id"],
            "tag": rows["tag_id"].map(names).astype("str"),
            "timestamp": dates.astype("datetime64[s]").astype("int64"),
        }
    )
