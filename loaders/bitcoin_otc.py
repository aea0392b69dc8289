"""Bitcoin OTC: members of a trading platform rate how far they trust each other, from -10 to 10.

The folder contains soc-sign-bitcoinotc.csv (source, target, rating, time; no header) and optionally otc_gt.csv (user,
+1 or -1): members known to be trustworthy or fraudulent. Both plain or gzip-compressed. There are no items: the source
adds trust to a graph, or is studied alone. Fractions of a second are dropped.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from graphrec.cleaning import CleaningRules, clean
from graphrec.errors import DataError, GraphrecError, first_few
from graphrec.reading import find, has, read_table
from graphrec.schema import USER, EdgeType, NodeType
from graphrec.tables import ENDS, GraphTables, Source

TRUSTS = EdgeType(USER, "TRUSTS", USER, ("value", "timestamp"))
SOURCE = Source(
    "bitcoin-otc",
    "soc-sign-bitcoinotc",
    "https://snap.stanford.edu/data/soc-sign-bitcoin-otc.html",
    "SNAP: research use with citation (Kumar et al. 2016, 2018)",
)

_RULES = {"TRUSTS": CleaningRules(ranges={"value": (-10, 10)}, times=("timestamp",), itself="drop")}


def load(folder: Path | None = None) -> GraphTables:
    """Users with TRUSTS edges; with otc_gt.csv some users have `trusted`, 1 or -1 (Int64).

    Raises:
        DataError: a file is missing or defective, or a user rates another twice.
        GraphrecError: folder is None; this source includes no data.
    """
    if folder is None:
        raise GraphrecError(
            f"source bitcoin_otc needs a folder: download soc-sign-bitcoinotc.csv.gz from {SOURCE.url} and give its "
            "folder, which may also have otc_gt.csv of the REV2 study"
        )
    rows = read_table(
        find(folder, "soc-sign-bitcoinotc.csv"),
        {"source_id": "str", "target_id": "str", "value": "float", "time": "float"},
        header=[*ENDS, "value", "time"],
    )
    trust = rows.assign(timestamp=np.floor(rows["time"]).astype("int64"))
    if not has(folder, "otc_gt.csv"):
        return clean([], [(TRUSTS, trust)], [SOURCE], _RULES)
    labels = _read_labels(folder)
    ids = pd.concat([trust["source_id"], trust["target_id"], labels["id"]]).drop_duplicates()
    users = pd.DataFrame({"id": ids}).merge(labels, on="id", how="left")
    return clean([(NodeType(USER, ("trusted",)), users)], [(TRUSTS, trust)], [SOURCE], _RULES)


def _read_labels(folder: Path) -> pd.DataFrame:
    """Columns id and trusted (Int64, 1 or -1), one row for each user of the file."""
    path = find(folder, "otc_gt.csv")
    labels = read_table(path, {"id": "str", "trusted": "str"}, header=["id", "trusted"])
    wrong = labels[~labels["trusted"].isin(["+1", "1", "-1"]) | labels["id"].duplicated()]
    if len(wrong):
        shown = (f"{row.id}: {row.trusted}" for row in wrong.itertuples())
        raise DataError(
            f"{path}: {len(wrong):,} lines have a mark other than +1 or -1, or a user of an earlier line "
            f"({first_few(shown)}); correct these lines"
        )
    return labels.assign(trusted=labels["trusted"].astype("int64").astype("Int64"))
