"""Interactions: the text form of many published data sets, one line per user, and optional social links.

The folder holds train.txt (`user item item …`, divided by spaces or tabs; LightGCN's form) and may hold social.txt
(`user friend friend …`), user_list.txt and item_list.txt (org_id remap_id), all plain or gzip-compressed. test.txt
holds the test interactions and is not read; `graphrec benchmark` is for published splits. The source has the name of
the folder, so that one graph can hold several such sets.
"""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from graphrec.cleaning import CleaningRules, clean
from graphrec.errors import DataError, GraphrecError
from graphrec.reading import find, has, read_lists, read_table
from graphrec.schema import ITEM, USER, EdgeType, NodeType
from graphrec.tables import ENDS, GraphTables, Source

INTERACTED = EdgeType(USER, "INTERACTED", ITEM)
FRIEND = EdgeType(USER, "FRIEND", USER)
FOLLOWS = EdgeType(USER, "FOLLOWS", USER)

_SOCIAL = CleaningRules(itself="drop", repeated="first")


def load(folder: Path | None = None) -> GraphTables:
    """Users and items with INTERACTED edges and, if there is a social.txt, FRIEND or FOLLOWS edges.

    If every link between users has its reverse, links become FRIEND edges, each stored once, otherwise FOLLOWS edges.
    With user_list.txt or item_list.txt, nodes have `original_id`, and ids without any edge are nodes too.

    Raises:
        DataError: train.txt is missing, a file is defective, or the folder's name has no letter or digit.
        GraphrecError: folder is None; this source includes no data.
    """
    if folder is None:
        raise GraphrecError(
            "source interactions needs a folder: give one with train.txt, with lines `user item item …`, as in "
            "https://github.com/gusye1234/LightGCN-PyTorch has them in data/"
        )
    train = read_lists(find(folder, "train.txt"))
    edges = [(INTERACTED, train.rows.set_axis(ENDS, axis=1))]
    users, items = [train.owners], [train.rows["member"]]
    rules = {"INTERACTED": CleaningRules(repeated="first")}
    if has(folder, "social.txt"):
        social = read_lists(find(folder, "social.txt"))
        links = social.rows.set_axis(ENDS, axis=1)
        kind = FRIEND if _mutual(links) else FOLLOWS
        edges.append((kind, links))
        rules[kind.relation] = _SOCIAL
        users += [social.owners, links["target_id"]]
    nodes = [_nodes(folder, USER, users), _nodes(folder, ITEM, items)]
    return clean(nodes, edges, [Source(_name(folder))], rules)


def _mutual(links: pd.DataFrame) -> bool:
    """Whether each link's reverse is a link."""
    codes, ids = pd.factorize(pd.concat([links["source_id"], links["target_id"]]))
    start, end = codes[: len(links)], codes[len(links) :]
    return bool(np.isin(end * len(ids) + start, np.unique(start * len(ids) + end)).all())


def _nodes(folder: Path, label: str, seen: "list[pd.Series[str]]") -> tuple[NodeType, pd.DataFrame]:
    """The node type and frame of a label: the ids of its list file, then the other ids of interactions and links."""
    ids = pd.Series(pd.concat([part.drop_duplicates() for part in seen]).unique(), dtype="str", name="id")
    name = f"{label.lower()}_list.txt"
    if not has(folder, name):
        return NodeType(label), ids.to_frame()
    listed = read_table(find(folder, name), {"remap_id": "str", "org_id": "str"}, separator=" ", quoting=False)
    listed = listed.set_axis(["id", "original_id"], axis=1)
    return NodeType(label, ("original_id",)), listed.merge(ids, on="id", how="outer", sort=False)


def _name(folder: Path) -> str:
    """The folder's name as a source's name: lower-case letters, digits and hyphens."""
    own = folder.resolve().name
    name = re.sub(r"[\W_]+", "-", own.casefold()).strip("-")
    if not name:
        raise DataError(f"folder {folder} cannot name a source, as its name has no letter or digit; rename it")
    return name
