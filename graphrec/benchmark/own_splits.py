"""Our own splits of raw files into four fifths for training and one fifth for testing, at random or by time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.benchmark.lightgcn_format import read_lines
from graphrec.benchmark.readers import IN_GENRE, PURCHASED, RATED, TRUSTS, PublishedSplit, assemble_graph
from graphrec.cleaning.activity_filters import compute_core
from graphrec.errors import DataError
from graphrec.evaluation.assembly import EdgeArrays, edges_of
from graphrec.interactions import Interactions
from graphrec.reading import Kind, find, read_json_lines, read_table
from graphrec.schema import Triple

#: Divisor: the test part is one of so many equal parts, rounded down.
PARTS = 5

#: Minimum partners of each user and item of Ciao.
CIAO_CORE = 3

#: The genre of a film without genres.
NO_GENRE = "(no genres listed)"


@dataclass(frozen=True, eq=False)
class RawData:
    """The interactions of raw files, each pair of user and item once, and the other edges and nodes of the graph.

    interactions: in the order of the file; positions number the ids in their order. Of repeated pairs, the first by
        time, or without times the first of the file.
    behaviour: the relationship type of the interactions.
    nodes: ids by label, of nodes other than users and items.
    """

    interactions: Interactions
    behaviour: Triple
    edges: tuple[EdgeArrays, ...] = ()
    nodes: Mapping[str, list[str]] = field(default_factory=dict)


#: Reads the raw files of a folder; raises DataError if one is missing or defective.
Reader = Callable[[Path], RawData]


def split_at_random(folder: Path, read: Reader, seed: int) -> PublishedSplit:
    """The split whose test part is a random fifth of all interactions, the same for the same files and seed.

    Raises DataError if a file is missing or defective, or there are fewer than five interactions.
    """
    raw = read(folder)
    num_interactions = len(raw.interactions)
    is_test = np.zeros(num_interactions, dtype=bool)
    is_test[np.random.default_rng(seed).permutation(num_interactions)[: num_interactions // PARTS]] = True
    return _divide(folder, raw, is_test)


def split_by_time(folder: Path, read: Reader) -> PublishedSplit:
    """The split whose test part is the newest fifth of each history, rounded down.

    So a user with fewer than five interactions has none in test. Of interactions of the same time, the later of the
    file is the newer. Raises DataError if a file is missing or defective, if there are no times, or if no user has
    five interactions.
    """
    raw = read(folder)
    pairs = raw.interactions
    if pairs.time is None:
        raise DataError(f"{folder}: the interactions have no times to split by; use the random split")
    order = np.lexsort((pairs.time, pairs.user_index))  # stable: ties stay in the order of the file
    degree = pairs.user_degree()
    num_newer = np.empty(len(pairs), dtype=np.int64)
    num_newer[order] = np.cumsum(degree)[pairs.user_index[order]] - 1 - np.arange(len(pairs))
    return _divide(folder, raw, num_newer < degree[pairs.user_index] // PARTS)


def read_ml_100k_ratings(folder: Path) -> RawData:
    """MovieLens 100K: all ratings of `u.data`, with times."""
    names = ["user", "item", "rating", "time"]
    columns: dict[str, Kind] = {"user": "int", "item": "int", "time": "int"}
    return RawData(_encode(read_table(find(folder, "u.data"), columns, "\t", header=names, quoting=False))[0], RATED)


def read_ml_latest_small(folder: Path) -> RawData:
    """MovieLens latest-small: all ratings of `ratings.csv`, with times; genres of the rated films."""
    columns: dict[str, Kind] = {"userId": "int", "movieId": "int", "timestamp": "int"}
    rows = read_table(find(folder, "ratings.csv"), columns).set_axis(["user", "item", "time"], axis="columns")
    interactions, _, films = _encode(rows)
    listed = read_table(find(folder, "movies.csv"), {"movieId": "int", "genres": "str"})
    named = listed.assign(genre=listed["genres"].str.split("|")).explode("genre")
    named = named[named["movieId"].isin(films) & (named["genre"] != NO_GENRE)].drop_duplicates(["movieId", "genre"])
    codes, genres = pd.factorize(named["genre"], sort=True)
    in_genre = EdgeArrays(IN_GENRE, films.get_indexer(pd.Index(named["movieId"])), codes.astype(np.int64))
    return RawData(interactions, RATED, (in_genre,), {IN_GENRE[2]: list(genres)})


def read_ml_1m_pairs(folder: Path) -> RawData:
    """MovieLens 1M: all pairs of user and film that were rated, in the order of `ratings.dat`, without times."""
    rows = read_table(find(folder, "pairs_in_ratings_dat_order.csv"), {"user": "int", "movie": "int"})
    return RawData(_encode(rows.rename(columns={"movie": "item"}))[0], RATED)


def read_ml_1m_sequences(folder: Path) -> RawData:
    """MovieLens 1M as SASRec has it, one line `user item item …` per user, in the order of time.

    Films with fewer than five ratings are not in the file. It has no times: `time` is the position in the history, 0
    for the oldest interaction, and can be compared only within a history.
    """
    users, items = read_lines(find(folder, "sequences.txt"))
    rows = pd.DataFrame({"user": users, "item": items})
    return RawData(_encode(rows.assign(time=rows.groupby("user").cumcount()))[0], RATED)


def read_ciao(folder: Path) -> RawData:
    """Ciao: all rated items with times, whatever the rating, restricted to the 3-core; TRUSTS edges of its users."""
    columns: dict[str, Kind] = {"user": "int", "item": "int", "time": "int"}
    rows = _keep_core(read_table(find(folder, "ratings.csv"), columns), CIAO_CORE)
    interactions, users, _ = _encode(rows)
    trust = read_table(find(folder, "trust.csv"), {"user": "int", "trusts": "int"})
    return RawData(interactions, RATED, (_trusts(trust, users),))


def read_filmtrust(folder: Path) -> RawData:
    """FilmTrust: all ratings, without times; TRUSTS edges between users with ratings."""
    columns: dict[str, Kind] = {"user": "int", "item": "int"}
    rows = read_table(find(folder, "ratings.txt"), columns, " ", header=[*columns, "rating"], quoting=False)
    interactions, users, _ = _encode(rows)
    columns = {"user": "int", "trusts": "int"}
    trust = read_table(find(folder, "trust.txt"), columns, " ", header=[*columns, "value"], quoting=False)
    return RawData(interactions, RATED, (_trusts(trust, users),))


def read_steam(folder: Path) -> RawData:
    """Steam: all purchases, without times. Hours of play are left out, since a game that is played was purchased."""
    columns: dict[str, Kind] = {"User_ID": "int", "Game_ID": "int"}
    rows = read_table(find(folder, "game_purchase.dat"), columns, "\t", quoting=False)
    return RawData(_encode(rows.set_axis(["user", "item"], axis="columns"))[0], PURCHASED)


def read_musical_instruments(folder: Path) -> RawData:
    """Amazon's musical instruments, the 5-core of 2014: all reviews, with times (to the day)."""
    columns: dict[str, Kind] = {"reviewerID": "str", "asin": "str", "unixReviewTime": "int"}
    rows = read_json_lines(find(folder, "Musical_Instruments_5.json"), columns)
    return RawData(_encode(rows.set_axis(["user", "item", "time"], axis="columns"))[0], RATED)


#: Folder -> reader of the data sets that are split at random.
RANDOM: Mapping[str, Reader] = {
    "ml-100k": read_ml_100k_ratings,
    "ml-latest-small": read_ml_latest_small,
    "ml-1m": read_ml_1m_pairs,
    "ciao": read_ciao,
    "filmtrust": read_filmtrust,
    "steam": read_steam,
    "amazon-musical-instruments": read_musical_instruments,
}

#: Folder -> reader of the data sets that are split by time.
BY_TIME: Mapping[str, Reader] = {
    "ml-100k": read_ml_100k_ratings,
    "ml-latest-small": read_ml_latest_small,
    "ml-1m": read_ml_1m_sequences,
    "ciao": read_ciao,
    "amazon-musical-instruments": read_musical_instruments,
}


def _divide(folder: Path, raw: RawData, is_test: npt.NDArray[np.bool_]) -> PublishedSplit:
    if not is_test.any():
        raise DataError(
            f"{folder}: {len(is_test):,} interactions are too few for a test part, which needs {PARTS} (by time, of "
            "one user); check that the files are complete"
        )
    train, test = raw.interactions.take(~is_test), raw.interactions.take(is_test)
    return PublishedSplit(assemble_graph(train, [edges_of(raw.behaviour, train), *raw.edges], raw.nodes), train, test)


def _encode(rows: pd.DataFrame) -> tuple[Interactions, "pd.Index[int | str]", "pd.Index[int | str]"]:
    """The interactions of a table with user, item and perhaps time, each pair once, and the ids of users and items."""
    rows = _list_pairs(rows)
    users, user_ids = pd.factorize(rows["user"], sort=True)
    items, item_ids = pd.factorize(rows["item"], sort=True)
    time = np.array(rows["time"], dtype=np.int64) if "time" in rows else None  # a copy: a column may be read-only
    interactions = Interactions(users.astype(np.int64), items.astype(np.int64), len(user_ids), len(item_ids), time=time)
    return interactions, pd.Index(user_ids), pd.Index(item_ids)


def _list_pairs(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows without repeated pairs, in the order of the file: the first by time of each pair, if there are times."""
    by_time = rows.sort_values("time", kind="stable") if "time" in rows else rows
    return by_time.drop_duplicates(["user", "item"]).sort_index()


def _keep_core(rows: pd.DataFrame, k: int) -> pd.DataFrame:
    """The rows whose user and item are in the k-core."""
    rows = _list_pairs(rows)
    users, items = (pd.factorize(rows[name])[0] for name in ("user", "item"))
    in_core = compute_core(users, items, k, (users.max() + 1, items.max() + 1))
    return rows[in_core[0][users] & in_core[1][items]]


def _trusts(rows: pd.DataFrame, users: "pd.Index[int | str]") -> EdgeArrays:
    """The TRUSTS edges of a table with user and trusts between two of these users, each once."""
    source, target = (users.get_indexer(pd.Index(rows[name])) for name in ("user", "trusts"))
    known = (source >= 0) & (target >= 0) & (source != target)
    ends = np.unique(np.stack([source[known], target[known]]).astype(np.int64), axis=1)
    return EdgeArrays(TRUSTS, ends[0], ends[1])
