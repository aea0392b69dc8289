"""Ciao: ratings of products with categories and helpfulness, and who trusts whom.

The folder contains ratings.csv (user, item, category, rating, helpfulness, time) and trust.csv (user, trusts), plain or
gzip-compressed. Ciao has one to five stars; the few ratings of 0 are reviews without stars and are rejected. If a user
reviewed an item several times, the last review counts. The 28 categories have numbers instead of names, and an item
may be in several.
"""

from pathlib import Path

from graphrec.cleaning import CleaningRules, clean
from graphrec.errors import GraphrecError
from graphrec.reading import find, read_table
from graphrec.schema import ITEM, USER, EdgeType, NodeType
from graphrec.tables import ENDS, GraphTables, Source

RATED = EdgeType(USER, "RATED", ITEM, ("rating", "helpfulness", "timestamp"))
TRUSTS = EdgeType(USER, "TRUSTS", USER)
#: Not shared: category 5 of another source is a different category.
CATEGORY = NodeType("Category")
IN_CATEGORY = EdgeType(ITEM, "IN_CATEGORY", CATEGORY.label)
SOURCE = Source(
    "ciao",
    "Ciao 2012",
    "https://www.cse.msu.edu/~tangjili/datasetcode/truststudy.htm",
    "Ciao: research use with citation (Tang et al. 2012)",
)

_RATING = {"user": "source_id", "item": "target_id", "time": "timestamp"}
_RULES = {
    "RATED": CleaningRules(ranges={"rating": (1, 5)}, times=("timestamp",), repeated="last", by="timestamp"),
    "TRUSTS": CleaningRules(itself="drop"),
}


def load(folder: Path | None = None) -> GraphTables:
    """Users, items and categories with RATED, TRUSTS and IN_CATEGORY edges; `helpfulness` is the source's number.

    Raises:
        DataError: a file is missing or defective, or a user trusts another twice.
        GraphrecError: folder is None; this source includes no data.
    """
    if folder is None:
        raise GraphrecError(
            f"source ciao needs a folder: download the Ciao data set from {SOURCE.url}, save it as ratings.csv "
            "(user,item,category,rating,helpfulness,time) and trust.csv (user,trusts) and give their folder"
        )
    rated = read_table(
        find(folder, "ratings.csv"),
        {"user": "str", "item": "str", "category": "str", "rating": "float", "helpfulness": "int", "time": "int"},
    ).rename(columns=_RATING)
    trust = read_table(find(folder, "trust.csv"), {"user": "str", "trusts": "str"}).set_axis(ENDS, axis=1)
    categories = rated[["target_id", "category"]].drop_duplicates().set_axis(ENDS, axis=1)
    edges = [(RATED, rated), (TRUSTS, trust), (IN_CATEGORY, categories)]
    return clean([], edges, [SOURCE], _RULES)
