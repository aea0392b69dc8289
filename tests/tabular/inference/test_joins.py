"""Joins of order lines with order headers, and files that must not be joined."""

from pathlib import Path

from graphrec.tabular import read
from graphrec.tabular.proposal import examine

from ..proposals import propose_spec


def test_lines_and_headers_of_orders_are_joined_and_loaded(tmp_path: Path) -> None:
    spec, _ = propose_spec(
        tmp_path,
        orders__csv="order_id,customer_id,order_date\n1,c1,2024-01-02\n2,c2,2024-01-03\n",
        order_lines__csv="order_id;sku;qty\n1;s1;2\n1;s2;1\n2;s1;5\n",
    )
    table = spec["edges"]["PURCHASED"]
    assert table["files"]["order_lines"] == {"file": "order_lines.csv", "separator": ";"}
    (tmp_path / "spec.toml").write_text(examine([tmp_path / "orders.csv", tmp_path / "order_lines.csv"], tmp_path).toml)
    frame = read(tmp_path / "spec.toml").edge("PURCHASED").frame
    assert list(frame[["source_id", "target_id", "qty"]].itertuples(index=False, name=None)) == [
        ("c1", "s1", 2),
        ("c1", "s2", 1),
        ("c2", "s1", 5),
    ]


def test_files_of_other_things_are_not_joined_by_a_mere_id(tmp_path: Path) -> None:
    spec, _ = propose_spec(
        tmp_path,
        bookmarks__csv="id,title,url\n" + "".join(f"{n},T {n},http://s/{n}\n" for n in range(1, 9)),
        tags__csv="id,value\n" + "".join(f"{n},tag {n}\n" for n in range(1, 9)),
        taggings__csv="userID,bookmarkID,tagID\n" + "".join(f"{n % 4},{n % 8 + 1},{n % 5 + 1}\n" for n in range(20)),
    )
    assert spec["nodes"]["Item"]["file"] == "bookmarks.csv"
    assert "sql" not in spec["nodes"]["Item"]
