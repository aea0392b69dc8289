"""Tmall: items that users viewed, put into the cart and bought.

The folder contains view_train.txt, cart_train.txt and buy_train.txt, plain or gzip-compressed, with one line per user:
`user item item …`, separated by tabs or spaces. The test files next to them contain the test interactions and are not
read; `graphrec benchmark` is for published splits.
"""

from pathlib import Path

from graphrec.cleaning import CleaningRules, clean
from graphrec.errors import GraphrecError
from graphrec.reading import find, read_lists
from graphrec.schema import ITEM, USER, EdgeType
from graphrec.tables import ENDS, GraphTables, Source

VIEWED = EdgeType(USER, "VIEWED", ITEM)
CARTED = EdgeType(USER, "CARTED", ITEM)
PURCHASED = EdgeType(USER, "PURCHASED", ITEM)
SOURCE = Source(
    "tmall",
    "MBCGCN",
    "https://github.com/SS-00-SS/MBCGCN",
    "Tmall (Tianchi): research use; no licence file",
)

_FILES = {"view_train.txt": VIEWED, "cart_train.txt": CARTED, "buy_train.txt": PURCHASED}


def load(folder: Path | None = None) -> GraphTables:
    """Users and items, known by their ids only, with VIEWED, CARTED and PURCHASED edges, one for each pair.

    Raises:
        DataError: a file is missing or defective.
        GraphrecError: folder is None; this source includes no data.
    """
    if folder is None:
        raise GraphrecError(
            f"source tmall needs a folder: download Data/ from {SOURCE.url}, name the train.txt of view, cart and buy "
            f"{', '.join(_FILES)} and give their folder"
        )
    edges = [(kind, read_lists(find(folder, name)).rows.set_axis(ENDS, axis=1)) for name, kind in _FILES.items()]
    return clean([], edges, [SOURCE], {kind.relation: CleaningRules(repeated="first") for kind in _FILES.values()})
