"""Baskets and wide tables become rows of pairs."""

from pathlib import Path

import pandas as pd
import pytest

from graphrec.errors import DataError
from graphrec.tables import GraphTables
from graphrec.tabular import Description, read

from .conftest import Reader
from .workbooks import Rows, xlsx

BASKET = (
    '[edges.BOUGHT]\nfrom = "User:basket"\nto = "Item:item"\nshape = "basket"\nrepeated = "first"\nfile = "r.csv"\n'
)
WIDE = '[edges.RATED]\nfrom = "User:row"\nto = "Item:column"\nshape = "wide"\nweight = "value"\nfile = "r.csv"\n'


def rows(tables: GraphTables) -> list[tuple[object, ...]]:
    frame = tables.edges[0].frame
    return list(frame.itertuples(index=False, name=None))


def test_each_further_field_of_a_line_is_an_item(reader: Reader) -> None:
    text = '\ufeffc1,milk, bread,"eggs, large"\r\n\nc2,milk,,\nc3\nc4,"tea\n,salt\n"c,5",\\N\n'
    tables = reader(BASKET + 'missing = ["", "\\\\N"]', r__csv=text)
    assert rows(tables) == [("c1", "milk"), ("c1", "bread"), ("c1", "eggs, large"), ("c2", "milk")]
    dropped = {rule.rule: (rule.rows, rule.examples) for rule in tables.cleaning.tables[0].rules}
    assert dropped == {"quote": (1, ("r.csv line 5: 'c4,\"tea'",)), "missing": (1, ("∅ → salt",))}


def test_the_header_names_the_first_fields(reader: Reader) -> None:
    toml = BASKET.replace("User:basket", "User:customer").replace("file", 'time = "day"\nfile')
    keys = 'header = ["customer", "day"]\nskip = 1\nseparator = "|"\nwhere = { day = "2024-01-02" }'
    text = "customer|day|items\nc1|2024-01-02|milk|tea\nc2|2024-01-03|milk\n"
    assert rows(reader(toml + keys, r__csv=text)) == [("c1", "milk", 1_704_153_600), ("c1", "tea", 1_704_153_600)]
    with pytest.raises(DataError, match="has no column 'day', but it has basket, item"):
        reader(toml.replace("User:customer", "User:basket"), r__csv=text)


def test_without_an_id_the_line_is_the_basket(reader: Reader) -> None:
    text = "# groceries\nmilk,bread\n\neggs\n"
    tables = reader(BASKET + 'header = []\ncomment = "#"', r__csv=text)
    assert rows(tables) == [("2", "milk"), ("2", "bread"), ("4", "eggs")]


def test_baskets_of_bytes_that_are_no_text(reader: Reader) -> None:
    tables = reader(BASKET, r__csv=b"c1,milk\nc2,\xff\n")
    assert rows(tables) == [("c1", "milk")]
    assert tables.cleaning.tables[0].rules[0].rule == "encoding"
    tables = reader(BASKET + 'encoding = "utf-16"', r__csv="c1,mélk\n".encode("utf-16"))
    assert rows(tables) == [("c1", "mélk")]


def test_a_column_of_a_wide_table_is_an_item(reader: Reader) -> None:
    tables = reader(WIDE, r__csv="user,a,b,c,\nu1,1,,3,\nu2,,,,\nu3,4,5.5\nu4,6,7,8,\n")
    assert rows(tables) == [
        *[("u1", "a", 1.0), ("u1", "c", 3.0)],
        *[("u4", "a", 6.0), ("u4", "b", 7.0), ("u4", "c", 8.0)],
    ]
    assert tables.cleaning.tables[0].rules[0].rule == "fields"


def test_wide_tables_of_several_files_have_other_items(reader: Reader) -> None:
    toml = WIDE.replace('"r.csv"', '["r.csv", "s.csv"]\nmissing = ["", "0"]')
    tables = reader(toml, r__csv="user;a;b\nu1;1;0\n".replace(";", ","), s__csv=",c\nu1,2\n")
    assert rows(tables) == [("u1", "a", 1.0), ("u1", "c", 2.0)]


def test_wide_sheets_and_frames(reader: Reader) -> None:
    sheet: Rows = [["user", "a", "b"], ["u1", 1, None], [7, 2.5, 3]]
    expected = [("u1", "a", 1.0), ("7", "a", 2.5), ("7", "b", 3.0)]
    assert rows(reader(WIDE.replace("r.csv", "r.xlsx"), r__xlsx=xlsx(One=sheet))) == expected
    frame = pd.DataFrame([[1, None], [2.5, 3]], index=pd.Index(["u1", "7"], name="user"), columns=["a", "b"])
    keys = {"file": frame, "from": "User:row", "to": "Item:column", "shape": "wide", "weight": "value"}
    assert rows(read(Description({"name": "m", "edges": {"RATED": keys}}, Path()))) == expected


def test_wide_tables_that_are_none(reader: Reader) -> None:
    with pytest.raises(DataError, match="has no column 'user', but it has row, column, value"):
        reader(WIDE.replace("User:row", "User:user"), r__csv="user,a\nu1,1\n")
    with pytest.raises(DataError, match="r.csv has one column, but a wide table has one for each item"):
        reader(WIDE, r__csv="user;a\nu1;1\n")
    with pytest.raises(DataError, match="column 2 has values but no name; name it in the header"):
        reader(WIDE, r__csv="user,,b\nu1,1,2\n")


def test_a_wide_table_of_many_columns(reader: Reader) -> None:
    names = ",".join(f"i{n}" for n in range(3000))
    lines = "\n".join(f"u{user}," + ",".join(["", "1"] * 1500) for user in range(20))
    assert len(rows(reader(WIDE, r__csv=f"user,{names}\n{lines}\n"))) == 20 * 1500
