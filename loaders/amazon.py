"""Amazon reviews: texts and stars of users, and the metadata of items if the folder has it.

The folder contains files of reviews (*.json or *.jsonl, JSON lines with reviewerID and asin) and optionally files of
metadata, whose names begin with meta_; all plain or gzip-compressed, in the format of 2014 or of 2018. Several files of
reviews are read as one. The metadata of 2014 are Python literals instead of JSON. If a user reviewed an item several
times, the last review counts. Items that occur only in reviews or in the metadata of other items have only an id.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from graphrec.cleaning import CleaningRules, clean
from graphrec.errors import DataError, GraphrecError, first_few
from graphrec.reading import JsonKind, has, read_json_lines
from graphrec.schema import ITEM, USER, EdgeType, NodeType
from graphrec.tables import ENDS, GraphTables, Source

_REVIEW = ("rating", "text", "summary", "helpful", "votes", "verified", "timestamp")
REVIEWED = EdgeType(USER, "REVIEWED", ITEM, _REVIEW)
CATEGORY = NodeType("Category", shared=True)
BRAND = NodeType("Brand", shared=True)
IN_CATEGORY = EdgeType(ITEM, "IN_CATEGORY", CATEGORY.label)
BY_BRAND = EdgeType(ITEM, "BY_BRAND", BRAND.label)
ITEMS = NodeType(ITEM, ("asin", "title", "price"))
SOURCE = Source(
    "amazon",
    "",
    "https://cseweb.ucsd.edu/~jmcauley/datasets/amazon_v2/",
    "Amazon review data (McAuley): research use with citation",
)

_PATTERNS = ("*.json", "*.json.gz", "*.jsonl", "*.jsonl.gz")
_REVIEW_FIELDS: dict[str, JsonKind] = {
    "reviewerID": "str",
    "asin": "str",
    "reviewerName": "str?",
    "overall": "float",
    "reviewText": "str?",
    "summary": "str?",
    "unixReviewTime": "int",
    "helpful": "json?",  # 2014: [votes for helpful, votes]
    "vote": "json?",  # 2018: "1,024", votes for helpful
    "verified": "json?",  # 2018
}
_META_FIELDS: dict[str, JsonKind] = {
    "asin": "str",
    "title": "str?",
    "brand": "str?",
    "price": "json?",  # 2014: 12.99; 2018: "$12.99", and sometimes a piece of the page
    "categories": "json?",  # 2014: [["Musical Instruments", "Guitars"], …]
    "category": "json?",  # 2018: ["Musical Instruments", "Guitars"]
    "related": "json?",  # 2014: {"also_bought": ["B000…"], …}
    "also_buy": "json?",  # 2018
    "also_view": "json?",  # 2018
}
#: The relationship type for each list of related items.
_RELATED = {
    "also_bought": "ALSO_BOUGHT",
    "also_viewed": "ALSO_VIEWED",
    "bought_together": "BOUGHT_TOGETHER",
    "buy_after_viewing": "BUY_AFTER_VIEWING",
    "also_buy": "ALSO_BOUGHT",
    "also_view": "ALSO_VIEWED",
}
_RULES = {
    USER: CleaningRules(text=("name",)),
    ITEM: CleaningRules(text=("title",), repeated="first"),
    CATEGORY.label: CleaningRules(text=("id",), repeated="first"),
    BRAND.label: CleaningRules(text=("id",), repeated="first"),
    "REVIEWED": CleaningRules(
        text=("text", "summary"), ranges={"rating": (1, 5)}, times=("timestamp",), repeated="last", by="timestamp"
    ),
    "IN_CATEGORY": CleaningRules(text=("target_id",), repeated="first"),  # "Bass &amp; Guitar"
    "BY_BRAND": CleaningRules(text=("target_id",), repeated="first"),  # "by\n    Fender"
    **{name: CleaningRules(itself="drop", repeated="first") for name in _RELATED.values()},
}
_Edges = list[tuple[EdgeType, pd.DataFrame]]


def load(folder: Path | None = None) -> GraphTables:
    """Users and items with REVIEWED edges and, from metadata, categories, brands and relations between items.

    `helpful` is the number of the `votes` on a review that call it helpful. The format of 2018 has no `votes`, that of
    2014 no `verified`. `timestamp` is midnight UTC of the day.

    Raises:
        DataError: the folder has no file of reviews, or a line of a file is defective.
        GraphrecError: folder is None; this source includes no data.
    """
    if folder is None:
        raise GraphrecError(
            f"source amazon needs a folder: download reviews (such as Musical_Instruments_5.json.gz) and, "
            f"optionally, the meta_ file of the same category from {SOURCE.url} and give their folder"
        )
    reviews = _read_reviews(folder)
    metadata, edges = _read_metadata(folder)
    edges = [(REVIEWED, reviews), *edges]
    nodes = [(NodeType(USER, ("name",)), _build_users(reviews)), (ITEMS, _build_items(metadata, edges))]
    for kind, edge in ((CATEGORY, IN_CATEGORY), (BRAND, BY_BRAND)):
        nodes += [(kind, frame[["target_id"]].set_axis(["id"], axis=1)) for other, frame in edges if other == edge]
    present = {kind.label for kind, _ in nodes} | {kind.relation for kind, _ in edges}
    return clean(nodes, edges, [SOURCE], {name: rule for name, rule in _RULES.items() if name in present})


def _find_files(folder: Path, meta: bool) -> list[Path]:
    paths = {path for pattern in _PATTERNS for path in folder.glob(pattern)}
    return sorted(path for path in paths if path.name.startswith("meta_") == meta)


def _read_reviews(folder: Path) -> pd.DataFrame:
    """Columns source_id, target_id, name and those of REVIEWED, one row for each line of all files of reviews."""
    has(folder, "")  # raises if there is no such folder
    files = _find_files(folder, meta=False)
    if not files:
        names = sorted(path.name for path in folder.iterdir())
        raise DataError(
            f"folder {folder} has no file of reviews: no .json, .jsonl (or these with .gz) whose name does not begin "
            f"with meta_; {f'it has {first_few(names)}' if names else 'it is empty'}"
        )
    return pd.concat([_read_review_file(path) for path in files], ignore_index=True)


def _read_review_file(path: Path) -> pd.DataFrame:
    rows = read_json_lines(path, _REVIEW_FIELDS)
    votes = [_parse_votes(*pair) for pair in zip(rows["helpful"], rows["vote"], strict=True)]
    raw = rows["helpful"].where(rows["helpful"].notna(), rows["vote"])
    wrong = [repr(value) for value, pair in zip(raw, votes, strict=True) if not pair]
    if wrong:
        raise DataError(
            f"{path}: {len(wrong):,} reviews have votes that are neither [helpful, all] nor a number "
            f"({first_few(wrong)}); correct these lines"
        )
    names = {
        "reviewerID": "source_id",
        "asin": "target_id",
        "reviewerName": "name",
        "overall": "rating",
        "reviewText": "text",
        "unixReviewTime": "timestamp",
    }
    helpful = pd.array([pair[0] if pair else None for pair in votes], dtype="Int64")
    total = pd.array([pair[1] if pair else None for pair in votes], dtype="Int64")
    verified = rows["verified"].map({True: True, False: False}).astype("boolean")
    return rows.rename(columns=names).assign(helpful=helpful, votes=total, verified=verified)


def _parse_votes(helpful: object, vote: object) -> tuple[int | None, int | None] | None:
    """The helpful votes and all votes, each None if unknown; None instead of the pair if the format is invalid."""
    if isinstance(helpful, list) and len(helpful) == 2 and all(type(part) is int for part in helpful):
        return helpful[0], helpful[1]
    digits = str(vote).replace(",", "")
    if helpful is None and digits.isdecimal():
        return int(digits), None
    return (None, None) if helpful is None and vote is None else None


def _build_users(reviews: pd.DataFrame) -> pd.DataFrame:
    """Columns id and name; the last one if a user has several names."""
    named = reviews.dropna(subset="name").drop_duplicates("source_id", keep="last").set_index("source_id")["name"]
    ids = reviews["source_id"].drop_duplicates()
    return pd.DataFrame({"id": ids, "name": ids.map(named).astype("str")})


def _build_items(metadata: pd.DataFrame, edges: _Edges) -> pd.DataFrame:
    """Columns id, asin, title and price: the items with metadata, then those that occur only in edges."""
    ends = [frame[end] for kind, frame in edges for end in _find_item_ends(kind)]
    others = pd.DataFrame({"id": pd.concat(ends).drop_duplicates()})
    others = others[~others["id"].isin(metadata["id"])]
    items = pd.concat([metadata, others], ignore_index=True)
    return items.assign(asin=items["id"])


def _read_metadata(folder: Path) -> tuple[pd.DataFrame, _Edges]:
    """Columns id, title and price of the items of all metadata files, and the edges from these items."""
    files = _find_files(folder, meta=True)
    if not files:
        return pd.DataFrame({"id": [], "title": [], "price": []}, dtype="str").astype({"price": "Float64"}), []
    rows = pd.concat([read_json_lines(path, _META_FIELDS, literals=True) for path in files], ignore_index=True)
    prices = pd.array([_parse_price(value) for value in rows["price"]], dtype="Float64")
    related = [value if isinstance(value, dict) else {} for value in rows["related"]]
    lists: dict[EdgeType, list[pd.DataFrame]] = {
        IN_CATEGORY: [_list_edges(rows["asin"], rows[name]) for name in ("categories", "category")],
        BY_BRAND: [_list_edges(rows["asin"], rows["brand"].str.split().str.join(" "))],  # a brand's name is one line
    }
    for name, relation in _RELATED.items():
        values = rows[name] if name in rows else pd.Series([value.get(name) for value in related], dtype=object)
        lists.setdefault(EdgeType(ITEM, relation, ITEM), []).append(_list_edges(rows["asin"], values))
    edges = [(kind, pd.concat(parts, ignore_index=True)) for kind, parts in lists.items()]
    nodes = pd.DataFrame({"id": rows["asin"], "title": rows["title"], "price": prices})
    return nodes, [(kind, frame) for kind, frame in edges if len(frame)]


def _list_edges(ids: "pd.Series[str]", values: "pd.Series[Any]") -> pd.DataFrame:  # Any: lists, texts, missing values
    """Columns source_id and target_id: each id with every text of its value (a text, or nested lists of texts)."""
    rows = pd.DataFrame({"source_id": ids, "target_id": [list(_iter_texts(value)) for value in values]})
    return rows.explode("target_id").dropna().astype("str")


def _iter_texts(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for part in value:
            yield from _iter_texts(part)
    elif isinstance(value, str) and value.strip():
        yield value


def _parse_price(value: object) -> float | None:
    """Dollars of 12.99 or "$1,012.99"; None if it is not a single price, such as "$3.99 - $10.00"."""
    if isinstance(value, str):
        match = re.fullmatch(r"\$([\d,]+(?:\.\d+)?)", value.strip())
        return float(match.group(1).replace(",", "")) if match else None
    return float(value) if isinstance(value, int | float) else None


def _find_item_ends(kind: EdgeType) -> list[str]:
    ends = zip(ENDS, (kind.source, kind.target), strict=True)
    return [end for end, label in ends if label == ITEM]
