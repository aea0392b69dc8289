"""Bitcoin OTC: signed trust, fractions of seconds, users with a known label."""

from collections.abc import Callable
from pathlib import Path

import pytest

from graphrec import loader_registry
from graphrec.errors import DataError, GraphrecError

load = loader_registry.get("bitcoin_otc").load


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    trust = "6,2,4,1289241911.72836\n2,6,-10,1289241941.53378\n1,15,1,1289243140\n"
    (tmp_path / "soc-sign-bitcoinotc.csv").write_text(trust)
    (tmp_path / "otc_gt.csv").write_text("6,+1\n15,-1\n99,+1\n")
    return tmp_path


def test_nodes_and_edges(folder: Path) -> None:
    tables = load(folder)
    assert list(tables.edge("TRUSTS").frame.itertuples(index=False, name=None)) == [
        ("6", "2", 4.0, 1289241911),
        ("2", "6", -10.0, 1289241941),
        ("1", "15", 1.0, 1289243140),
    ]
    users = tables.node("User").frame
    known = users.dropna(subset="trusted").set_index("id")["trusted"].to_dict()
    assert known == {"6": 1, "15": -1, "99": 1}
    assert len(users) == 5
    assert str(users["trusted"].dtype) == "Int64"
    assert tables.sources[0].name == "bitcoin-otc"


def test_the_file_of_labels_is_optional(folder: Path) -> None:
    (folder / "otc_gt.csv").unlink()
    (node,) = load(folder).nodes
    assert node.type.properties == ()
    assert sorted(node.frame["id"]) == ["1", "15", "2", "6"]


def test_impossible_rows_are_rejected(folder: Path) -> None:
    with (folder / "soc-sign-bitcoinotc.csv").open("a") as stream:
        stream.write("7,8,11,1289243140\n7,7,1,1289243140\n7,9,1,1289243140000\n")
    tables = load(folder)
    assert len(tables.edge("TRUSTS").frame) == 3
    assert tables.cleaning.rejected is not None
    assert tables.cleaning.rejected["rule"].tolist() == ["range", "time", "itself"]


BAD = {
    "another mark": ("otc_gt.csv", "2,0\n", r"otc_gt\.csv: 1 lines have a mark other than \+1 or -1.*\(2: 0\)"),
    "a user marked twice": ("otc_gt.csv", "6,-1\n", r"a user of an earlier line \(6: -1\)"),
    "a rating twice": ("soc-sign-bitcoinotc.csv", "6,2,1,1289241912.5\n", r"TRUSTS: 1 edge occurs more than once"),
    "a short line": ("soc-sign-bitcoinotc.csv", "6,2\n", r"do not have the 4 fields of the others \(line 4 has 2\)"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_lines_are_reported(folder: Path, name: str) -> None:
    file, line, message = BAD[name]
    with (folder / file).open("a") as stream:
        stream.write(line)
    with pytest.raises(DataError, match=message):
        load(folder)


def test_a_folder_is_needed_and_its_file(folder: Path) -> None:
    with pytest.raises(GraphrecError, match=r"bitcoin_otc needs a folder: download soc-sign-bitcoinotc\.csv\.gz from"):
        load(None)
    (folder / "soc-sign-bitcoinotc.csv").unlink()
    with pytest.raises(DataError, match=r"has no file soc-sign-bitcoinotc\.csv and no .*; it has otc_gt\.csv"):
        load(folder)


def test_the_real_data(data_folder: Callable[[str], Path]) -> None:
    tables = load(data_folder("bitcoin-otc"))
    trust, users = tables.edge("TRUSTS").frame, tables.node("User").frame
    assert (len(users), len(trust)) == (5881, 35_592)
    assert users["trusted"].value_counts().to_dict() == {-1: 180, 1: 136}
    assert (trust["value"] < 0).sum() == 3563
    assert (trust["value"].min(), trust["value"].max()) == (-10, 10)
    assert (trust["timestamp"].min(), trust["timestamp"].max()) == (1_289_241_911, 1_453_684_323)
    assert not tables.cleaning.dropped
