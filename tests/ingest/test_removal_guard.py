"""What a load may take away: nothing is written if a table comes out empty or most of what the source had would go."""

from pathlib import Path

import pytest

from graphrec import ingest
from graphrec.errors import DataError, RefusedError
from graphrec.ingest import LoadConfig, Loaded
from graphrec.store import Store
from tests.sizes import NEO4J_IS_SLOW

from .snapshot import graph_of

TOML = """name = "s"
[edges.RATED]
file = "e*.csv"
from = "User:user"
to = "Item:item"
properties = [{ name = "rating", type = "float" }]
time = { column = "at", unit = "s" }
ranges = { rating = [1, 5] }
itself = "drop"
"""
HEADER = "user,item,rating,at\n"
GOOD = HEADER + "".join(f"{user},9,4,150000000{user}\n" for user in range(4))
#: None of these rows can be kept, and the reason.
NOTHING = {
    "milliseconds": (HEADER + "1,2,4,1500000000000\n2,2,5,1500000001000\n", "time: 1 → 2"),
    "out of range": (HEADER + "1,2,40,1500000000\n2,2,50,1500000001\n", "range: 1 → 2: rating 40"),
    "no numbers": (HEADER + "1,2,x,1500000000\n2,2,y,1500000001\n", "type: 1 → 2: rating x"),
    "no ends": (HEADER + ",2,4,1500000000\n,3,4,1500000001\n", "missing: ∅ → 2"),
    "too few fields": (HEADER + "1\n2\n", "fields: e.csv line 2: '1'"),
    "to itself": (HEADER + "2,2,4,1500000000\n", "itself: 2 → 2"),
}


def load(store: Store, folder: Path, text: str, toml: str = TOML, **options: bool | float) -> Loaded:
    """Load a folder with one file of edges."""
    folder.mkdir(exist_ok=True)
    (folder / "e.csv").write_text(text)
    (folder / "s.toml").write_text(toml)
    return ingest.load(store, "table", folder / "s.toml", folder, LoadConfig(**options))  # type: ignore[arg-type]


@pytest.fixture
def loaded(store: Store, tmp_path: Path) -> Store:
    load(store, tmp_path, GOOD)
    return store


@pytest.mark.parametrize("case", NOTHING)
def test_a_table_that_comes_out_empty_can_not_be_read(case: str, tmp_path: Path) -> None:
    text, why = NOTHING[case]
    (tmp_path / "e.csv").write_text(text)
    (tmp_path / "s.toml").write_text(TOML)
    rows = text.count("\n") - 1
    with pytest.raises(
        DataError, match=rf"none of its {rows} rows can be kept .*nothing is written.*--allow-removal"
    ) as told:
        ingest.read("table", tmp_path / "s.toml")
    assert why in str(told.value)
    assert not len(ingest.read("table", tmp_path / "s.toml", LoadConfig(allow_removal=True)).edges[0].frame)


EMPTIED = {
    "dangling ends": ('[nodes.Item]\nfile = "i.csv"\nid = "id"\n', 'dangling = "drop"\n', r"dangling: 0 → 9"),
    "earliest": ("", "earliest = 2020-01-01\n", r"time: 0 → 9"),
    "needed": ("", 'needed = ["rating"]\nmissing = ["", "4"]\n', r"missing: 0 → 9"),
    "where": ("", 'where = { rating = "5" }\n', r"where keeps no rows: none has rating = 5"),
    "split": ("", 'split = "9"\n', r"split of item gives no value in any of its 4 rows"),
}


@pytest.mark.parametrize("case", EMPTIED)
def test_rules_of_which_none_is_left_are_an_error(case: str, tmp_path: Path) -> None:
    table, rule, why = EMPTIED[case]
    (tmp_path / "e.csv").write_text(GOOD)
    (tmp_path / "i.csv").write_text("id\n8\n")
    (tmp_path / "s.toml").write_text(TOML + rule + table)
    with pytest.raises(DataError, match=why):
        ingest.read("table", tmp_path / "s.toml")


def test_a_file_of_another_form_among_others_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(TOML)
    (tmp_path / "e1.csv").write_text(GOOD)
    (tmp_path / "e2.csv").write_text(NOTHING["milliseconds"][0])
    with pytest.raises(DataError, match=r"\[edges.RATED\], e2.csv: none of its 2 rows can be kept \(time: timestamp"):
        ingest.read("table", tmp_path / "s.toml")
    (tmp_path / "e2.csv").write_text(HEADER + "7,8,9,1500000000\n")  # one bad row is a rejected row
    assert ingest.read("table", tmp_path / "s.toml").cleaning.dropped == 1


@NEO4J_IS_SLOW
def test_a_load_of_nothing_leaves_the_graph_as_it_is(loaded: Store, tmp_path: Path) -> None:
    before = graph_of(loaded)
    with pytest.raises(DataError, match="none of its 2 rows can be kept"):
        load(loaded, tmp_path, NOTHING["milliseconds"][0])
    assert graph_of(loaded) == before
    assert load(loaded, tmp_path, NOTHING["milliseconds"][0], allow_removal=True).written[0].deleted == 4
    assert loaded.read("MATCH (n) WHERE NOT n:Source RETURN n.id AS id") == []


@NEO4J_IS_SLOW
def test_more_than_half_of_a_table_does_not_go_unsaid(loaded: Store, tmp_path: Path) -> None:
    before = graph_of(loaded)
    with pytest.raises(
        RefusedError, match=r"delete 3 of 4 User, 3 of 4 RATED to Item, more than 50%; nothing is written"
    ):
        load(loaded, tmp_path, HEADER + "0,9,4,1500000000\n")
    other = GOOD.replace(",9,", ",8,")  # as many rows, and every one another
    with pytest.raises(RefusedError, match=r"delete 1 of 1 Item, 4 of 4 RATED to Item"):
        load(loaded, tmp_path, other)
    renamed = TOML.replace("RATED", "VIEWED")
    with pytest.raises(RefusedError, match=r"delete 4 of 4 RATED to Item \(the source has no such table now\)"):
        load(loaded, tmp_path, GOOD, renamed)
    dry = load(loaded, tmp_path, other, dry_run=True)
    assert dry.refused is not None
    assert dry.written[-1].deleted == 4
    with pytest.raises(RefusedError, match="1 of 4 User, 1 of 4 RATED to Item, more than 20%"):
        load(loaded, tmp_path, GOOD.replace("3,9,4,1500000003\n", ""), max_removal=0.2)
    assert graph_of(loaded) == before
    load(loaded, tmp_path, GOOD, renamed, allow_removal=True)
    assert loaded.read("MATCH ()-[r]->() RETURN DISTINCT type(r) AS type") == [{"type": "VIEWED"}]


@NEO4J_IS_SLOW
def test_half_may_go_and_a_new_load_of_the_same_takes_nothing(loaded: Store, tmp_path: Path) -> None:
    assert all(not each.deleted for each in load(loaded, tmp_path, GOOD).written)
    two = HEADER + "0,9,4,1500000000\n1,9,4,1500000001\n"
    assert [each.deleted for each in load(loaded, tmp_path, two).written] == [2, 0, 2]
    assert [each.deleted for each in load(loaded, tmp_path, two.replace("1,9,4,1500000001\n", "")).written] == [1, 0, 1]
