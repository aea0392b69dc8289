"""Tmall: three behaviours in files of lists; held-out interactions are not read."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from graphrec import loader_registry
from graphrec.errors import DataError, GraphrecError

load = loader_registry.get("tmall").load


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "view_train.txt").write_text("0\t7\t2\t7\n1\t7\n")
    (tmp_path / "cart_train.txt.gz").write_bytes(gzip.compress(b"0\t7\n1\n"))
    (tmp_path / "buy_train.txt").write_text("0\t7\n2\t9\n")
    (tmp_path / "buy_test.txt").write_text("0\t99\n")
    return tmp_path


def test_nodes_and_edges(folder: Path) -> None:
    tables = load(folder)
    edges = {table.type.relation: list(table.frame.itertuples(index=False, name=None)) for table in tables.edges}
    assert edges == {
        "VIEWED": [("0", "7"), ("0", "2"), ("1", "7")],
        "CARTED": [("0", "7")],
        "PURCHASED": [("0", "7"), ("2", "9")],
    }
    assert sorted(tables.node("User").frame["id"]) == ["0", "1", "2"]
    assert sorted(tables.node("Item").frame["id"]) == ["2", "7", "9"]  # 99 is held out


def test_a_folder_is_needed_and_each_file(folder: Path) -> None:
    with pytest.raises(GraphrecError, match=r"tmall needs a folder: download Data/ from https://github\.com/SS-00-SS"):
        load(None)
    (folder / "view_train.txt").write_text("0,7,2\n")
    with pytest.raises(DataError, match=r"view_train\.txt has no line with an owner and a member"):
        load(folder)
    (folder / "view_train.txt").unlink()
    with pytest.raises(DataError, match=r"has no file view_train\.txt and no view_train\.txt\.gz"):
        load(folder)


def test_the_real_data(data_folder: Callable[[str], Path]) -> None:
    tables = load(data_folder("tmall-mbcgcn"))
    assert {table.type.label: len(table.frame) for table in tables.nodes} == {"User": 15_449, "Item": 11_953}
    counts = {table.type.relation: len(table.frame) for table in tables.edges}
    assert counts == {"VIEWED": 858_505, "CARTED": 180_027, "PURCHASED": 92_180}
