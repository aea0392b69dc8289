"""Interactions: the text format of many published data sets, one line per user, with optional social links.

The folder contains train.txt (`user item item …`, separated by spaces or tabs, as LightGCN has it) and optionally
social.txt (`user friend friend …`), user_list.txt and item_list.txt (org_id remap_id), all plain or gzip-compressed.
test.txt contains the test interactions and is not read; `graphrec benchmark` is for published splits. The source has
the name of the folder, so that one graph can contain several such sets.
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

    If every link between users has its reverse, links are FRIEND edges, each stored once; otherwise FOLLOWS edges.
    With user_list.txt or item_list.txt, nodes have `original_id`, and ids without edges are nodes too.

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
        kind = FRIEND if _is_mutual(links) else FOLLOWS
        edges.append((kind, links))
        rules[kind.relation] = _SOCIAL
        users += [social.owners, links["target_id"]]
    nodes = [_build_nodes(folder, USER, users), _build_nodes(folder, ITEM, items)]
    return clean(nodes, edges, [Source(_derive_source_name(folder))], rules)


def _is_mutual(links: pd.DataFrame) -> bool:
    """Whether every link has its reverse."""
    codes, ids = pd.factorize(pd.concat([links["source_id"], links["target_id"]]))
    start, end = codes[: len(links)], codes[len(links) :]
    return bool(np.isin(end * len(ids) + start, np.unique(start * len(ids) + end)).all())


def _build_nodes(folder: Path, label: str, used: "list[pd.Series[str]]") -> tuple[NodeType, pd.DataFrame]:
    """The node type and frame of a label: the ids of its list file, and the ids of interactions and links."""
    ids = pd.Series(pd.concat([part.drop_duplicates() for part in used]).unique(), dtype="str", name="id")
    name = f"{label.lower()}_list.txt"
    if not has(folder, name):
        return NodeType(label), ids.to_frame()
    listed = read_table(find(folder, name), {"remap_id": "str", "org_id": "str"}, separator=" ", quoting=False)
    listed = listed.set_axis(["id", "original_id"], axis=1)
    return NodeType(label, ("original_id",)), listed.merge(ids, on="id", how="outer", sort=False)


def _derive_source_name(folder: Path) -> str:
    """The name of the source from that of the folder: lower-case letters, digits and hyphens."""
    folder_name = folder.resolve().name
    name = re.sub(r"[\W_]+", "-", folder_name.casefold()).strip("-")
    if not name:
        raise DataError(f"folder {folder} cannot name a source, as its name has no letter or digit; rename it")
    return name
