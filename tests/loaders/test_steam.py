"""Steam: both forms of the files, editions of a game under one title, titles with surrounding spaces."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from graphrec import loader_registry
from graphrec.errors import DataError, GraphrecError
from graphrec.tables import GraphTables

load = loader_registry.get("steam").load

FILES = {
    "game_purchase.dat": "User_ID\tGame_ID\tPurchase\n1\t1\t1.0\n1\t2\t1.0\n2\t1\t1.0\n1\t2\t1.0\n",
    "game_play.dat": "User_ID\tGame_ID\tHours\n1\t1\t273.0\n1\t2\t0.5\n1\t2\t0.25\n",
    "item_info.dat": 'Game_ID\tGame Name\n1\tThe "Elder" Scrolls  V\n2\tSonic Adventure 2 \n',
    "user_info.dat": "New_ID\tReal_ID\n1\t151603712\n2\t187131847\n",
}
KAGGLE = """151603712,"The Elder Scrolls V Skyrim",purchase,1.0,0
151603712,"The Elder Scrolls V Skyrim",play,273.0,0
5250,"Warhammer, 40,000 ",purchase,1.0,0
5250,"Warhammer, 40,000 ",purchase,1.0,0
5250,"Warhammer, 40,000 ",play,1.5,0
5250,"Warhammer, 40,000 ",play,0.5,0
5250,Dota 2,play,7.5,0
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    return tmp_path


def rows(tables: GraphTables, relation: str) -> list[tuple[object, ...]]:
    return sorted(tables.edge(relation).frame.itertuples(index=False, name=None))


def test_the_numbered_form(folder: Path) -> None:
    tables = load(folder)
    assert rows(tables, "PURCHASED") == [("1", "1"), ("1", "2"), ("2", "1")]
    assert rows(tables, "PLAYED") == [("1", "1", 273.0), ("1", "2", 0.75)]
    assert tables.node("Item").frame["title"].tolist() == ['The "Elder" Scrolls V', "Sonic Adventure 2"]
    assert tables.node("User").frame["steam_id"].tolist() == ["151603712", "187131847"]


def test_the_form_of_kaggle(tmp_path: Path) -> None:
    (tmp_path / "steam-200k.csv.gz").write_bytes(gzip.compress(KAGGLE.encode()))
    tables = load(tmp_path)
    assert rows(tables, "PURCHASED") == [
        ("151603712", "The Elder Scrolls V Skyrim"),
        ("5250", "Warhammer, 40,000"),
    ]
    assert rows(tables, "PLAYED") == [
        ("151603712", "The Elder Scrolls V Skyrim", 273.0),
        ("5250", "Dota 2", 7.5),  # a free game
        ("5250", "Warhammer, 40,000", 2.0),
    ]
    assert tables.node("Item").frame["title"].tolist() == ["The Elder Scrolls V Skyrim", "Warhammer, 40,000", "Dota 2"]
    assert sorted(tables.node("User").frame["id"]) == ["151603712", "5250"]


BAD = {
    "a game nobody knows": ("game_play.dat", "1\t9\t5.0\n", r"PLAYED: 1 edge points at Item ids .*\(9\)"),
    "a user nobody knows": ("game_purchase.dat", "9\t1\t1.0\n", r"PURCHASED: 1 edge points at User ids .*\(9\)"),
    "hours of no number": ("game_play.dat", "1\t1\tmany\n", r"column Hours is not a number .*line 5: 'many'"),
    "a game twice": ("item_info.dat", "1\tPortal\n", r"Item: 1 id occurs more than once \(1\)"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_lines_are_reported(folder: Path, name: str) -> None:
    file, line, message = BAD[name]
    (folder / file).write_text(FILES[file] + line)
    with pytest.raises(DataError, match=message):
        load(folder)


def test_an_unknown_behaviour_is_reported(tmp_path: Path) -> None:
    (tmp_path / "steam-200k.csv").write_text(KAGGLE + "1,Portal,gift,1,0\n")
    with pytest.raises(DataError, match=r"steam-200k\.csv: 1 lines are neither purchase nor play \(gift\)"):
        load(tmp_path)


def test_a_folder_is_needed_and_each_file(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(GraphrecError, match=r"steam needs a folder: download steam-200k\.csv from https://www\.kaggle"):
        load(None)
    (folder / "item_info.dat").unlink()
    with pytest.raises(DataError, match=r"has no file item_info\.dat and no item_info\.dat\.gz"):
        load(folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"holds no Steam data: it needs steam-200k\.csv, or game_purchase\.dat"):
        load(tmp_path / "empty")


def test_the_real_data(data_folder: Callable[[str], Path]) -> None:
    tables = load(data_folder("steam"))
    assert {table.type.label: len(table.frame) for table in tables.nodes} == {"User": 12_393, "Item": 5155}
    hours = tables.edge("PLAYED").frame["hours"]
    assert (len(tables.edge("PURCHASED").frame), len(hours)) == (128_804, 70_477)  # of 129,511 and 70,489 lines
    assert (hours.min(), hours.max(), str(hours.dtype)) == (0.1, 11_754.0, "float64")
    report = {(table.name, rule.rule): rule.rows for table in tables.cleaning.tables for rule in table.rules}
    assert report == {("PURCHASED", "repeated"): 707, ("PLAYED", "repeated"): 12, ("Item", "text"): 71}
