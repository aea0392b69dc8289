"""FilmTrust: ratings of films from 0.5 to 4, and who trusts whom.

The folder contains ratings.txt (user item rating) and trust.txt (user user value), without headers, plain or
gzip-compressed. The value of trust is always 1. If a user rated a film twice, the later line counts.
"""

from pathlib import Path

from graphrec.cleaning import CleaningRules, clean
from graphrec.errors import GraphrecError
from graphrec.reading import find, read_table
from graphrec.schema import ITEM, USER, EdgeType
from graphrec.tables import ENDS, GraphTables, Source

RATED = EdgeType(USER, "RATED", ITEM, ("rating",))
TRUSTS = EdgeType(USER, "TRUSTS", USER, ("value",))
SOURCE = Source(
    "filmtrust",
    "LibRec",
    "https://guoguibing.github.io/librec/datasets.html",
    "LibRec data: research use with citation (Guo et al. 2013)",
)

_RULES = {"RATED": CleaningRules(ranges={"rating": (0.5, 4)}, repeated="last"), "TRUSTS": CleaningRules(itself="drop")}


def load(folder: Path | None = None) -> GraphTables:
    """Users and items, known by their ids only, with RATED and TRUSTS edges.

    Raises:
        DataError: a file is missing or defective, or a user trusts another twice.
        GraphrecError: folder is None; this source includes no data.
    """
    if folder is None:
        raise GraphrecError(
            f"source filmtrust needs a folder: download FilmTrust from {SOURCE.url}, unpack it and give the folder "
            "with ratings.txt and trust.txt"
        )
    rated = read_table(
        find(folder, "ratings.txt"),
        {"source_id": "str", "target_id": "str", "rating": "float"},
        separator=" ",
        header=[*ENDS, "rating"],
        quoting=False,
    )
    trust = read_table(
        find(folder, "trust.txt"),
        {"source_id": "str", "target_id": "str", "value": "float"},
        separator=" ",
        header=[*ENDS, "value"],
        quoting=False,
    )
    return clean([], [(RATED, rated), (TRUSTS, trust)], [SOURCE], _RULES)
