"""Ways in which tables of text and JSON are written that have to be declared, or that show by themselves."""

import json
from pathlib import Path

import pytest

from graphrec.errors import DataError
from graphrec.tables import GraphTables
from graphrec.tabular.duckdb_engine import BATCH
from graphrec.tabular.file_format import make_unique, read_column_names
from graphrec.tabular.parsing import parse
from graphrec.tabular.spec import FileInput

from .conftest import Reader

EDGE = '[edges.RATED]\nfrom = "User:u"\nto = "Item:i"\nrepeated = "last"\nfile = "r.FORM"\n'
CSV, JSON = EDGE.replace("FORM", "csv"), EDGE.replace("FORM", "json")
PLAIN = "u,i\n1,2\n3,4\n"


def pairs(tables: GraphTables) -> list[tuple[str, str]]:
    frame = tables.edge("RATED").frame
    return list(zip(frame["source_id"], frame["target_id"], strict=True))


#: Files that say 1 → 2 and 3 → 4, and the keys that say how.
SAME = {
    "a title": ("Export of May, 2024\n" + PLAIN, "skip = 1"),
    "a title with quotes": ('the "best\nof, all\n' + PLAIN, "skip = 2"),
    "a title and a blank line": ("title\n\n" + PLAIN, "skip = 1"),
    "a title after a byte order mark": ("\ufefftitle\n" + PLAIN, "skip = 1"),
    "a title in an old file": (("title\n" + PLAIN).replace("\n", "\r"), "skip = 1"),
    "a title before lines that end in several ways": ("title\r\n" + PLAIN, "skip = 1"),
    "a title and no header": ("title\n1,2\n3,4\n", 'skip = 1\nheader = ["u", "i"]'),
    "another header": ("user,item\n1,2\n3,4\n", 'skip = 1\nheader = ["u", "i"]'),
    "comments": ("# made by hand\nu,i\n#7,8\n1,2\n3,4\n# end", 'comment = "#"'),
    "a title and comments": ("title\n# by hand\nu,i\n#7,8\n1,2\n3,4\n", 'comment = "#"\nskip = 1'),
    "a trailing comma everywhere": ("u,i,\n1,2,\n3,4,\n", ""),
    "a trailing comma in rows": ("u,i\n1,2,\n3,4,\n", ""),
    "a trailing comma in some rows": ("u,i\n1,2\n3,4,\n", ""),
    "a trailing comma in the header": ("u,i,\n1,2\n3,4\n", ""),
    "two trailing commas in the header": ("u,i,,\n1,2,\n3,4,\n", ""),
    "an index without a name": (",u,i\n0,1,2\n1,3,4\n", ""),
    "a column twice that nothing needs": ("u,x,x,i\n1,8,9,2\n3,8,9,4\n", ""),
    "escaped quotes": ('u,i,x\n1,2,"a\\"b,c"\n3,4,\n', 'escape = "\\\\"'),
}


@pytest.mark.parametrize("case", SAME)
def test_files_that_say_the_same_in_other_ways(case: str, reader: Reader) -> None:
    text, keys = SAME[case]
    tables = reader(f"{CSV}{keys}", r__csv=text)
    assert pairs(tables) == [("1", "2"), ("3", "4")]
    assert tables.cleaning.dropped == 0


def test_utf_16_with_a_title(reader: Reader) -> None:
    tables = reader(f'{CSV}encoding = "utf-16"\nskip = 1', r__csv=("títle\n" + PLAIN).encode("utf-16"))
    assert pairs(tables) == [("1", "2"), ("3", "4")]


def test_an_escaped_quote_is_a_quote(reader: Reader) -> None:
    tables = reader(f'{CSV}escape = "\\\\"', r__csv='u,i\n"a\\"b","c\\\\d"\n"x""y",z\n')
    assert pairs(tables) == [('a"b', "c\\d")]
    assert tables.cleaning.dropped == 1  # a doubled quote is none here


def test_a_comment_sign_inside_a_row_is_text(reader: Reader) -> None:
    tables = reader(f'{CSV}comment = "#"', r__csv='u,i\n1,C#\n"2\n#x",3\n')
    assert pairs(tables) == [("1", "C#"), ("2\n#x", "3")]


def test_bad_lines_keep_their_numbers(reader: Reader) -> None:
    tables = reader(f'{CSV}comment = "#"\nskip = 1', r__csv="title\n#a\nu,i\n#b\n1,2\n5\n")
    (rule,) = tables.cleaning.tables[0].rules
    assert rule.examples == ("r.csv line 6: '5'",)


def test_the_number_of_a_bad_line_counts_lines_and_not_records(reader: Reader) -> None:
    text = 'title "of\nu,i,x\n1,2,"a\nb\n\nc"\n3\n\n4,5,"d""\n",\n6,"7"8,x\n9,5"x,z\n'
    tables = reader(f"{CSV}skip = 1", r__csv=text)
    (fields, quote) = tables.cleaning.tables[0].rules
    assert fields.examples == ("r.csv line 7: '3'",)
    assert quote.examples == ("r.csv line 11: '6,\"7\"8,x'",)
    assert pairs(tables) == [("1", "2"), ("4", "5"), ("9", '5"x')]


def test_rows_of_later_batches_keep_their_numbers(reader: Reader) -> None:
    lines = [f"{number},x,1" for number in range(BATCH + 2)]
    lines[1] = lines[-1] = "u,x,many"
    found = reader(CSV + 'weight = "n"', r__csv="\n".join(["u,i,n", *lines])).cleaning.rejected
    assert found is not None
    assert found["line"].tolist() == [3, BATCH + 3]
    assert set(found["row"]) == {'{"u":"u","i":"x","n":"many"}'}


def test_a_column_that_stands_twice_has_a_number(reader: Reader) -> None:
    text = "u,i,u,i,\n1,2,3,4,5\n"
    assert pairs(reader(CSV, r__csv=text)) == [("1", "2")]
    other = CSV.replace("User:u", "User:u_2").replace("Item:i", "Item:column_5")
    assert pairs(reader(other, r__csv=text)) == [("3", "5")]


def test_names_of_columns_are_made_unique(tmp_path: Path) -> None:
    assert make_unique(["a", "", "a", " ", "a"]) == ["a", "column_2", "a_2", "column_4", "a_3"]
    assert make_unique(["a", "a", "a_2", "column_4", ""]) == ["a", "a_3", "a_2", "column_4", "column_5"]
    assert make_unique(["column_2", ""]) == ["column_2", "column_2_2"]
    assert len(set(make_unique(["x"] * 5000 + [""] * 5000))) == 10_000
    (tmp_path / "a.csv").write_text("title\n\u2028a,b\x85,a\n1,2,3\n", encoding="utf-8")
    assert read_column_names(tmp_path / "a.csv", FileInput((tmp_path / "a.csv",), skip=1)) == ["\u2028a", "b\x85", "a"]


OBJECTS = [{"u": 1, "i": 2}, {"u": "3", "i": "4"}]
#: Documents that say 1 → 2 and 3 → 4, and where.
DOCUMENTS = {
    "an array": (json.dumps(OBJECTS), ""),
    "an array over several lines": (json.dumps(OBJECTS, indent=2), ""),
    "an array after spaces": ("\ufeff\n  " + json.dumps(OBJECTS) + "\n\n", ""),
    "an array in an object": (json.dumps({"n": 2, "rows": OBJECTS}, indent=1), 'records = "/rows"'),
    "an array deep inside": (json.dumps({"a": ["]", {"b/c": OBJECTS}], "z": 1}), 'records = "/a/1/b~1c"'),
    "after a long array": (json.dumps({"x": [']}\\"' * 9] * 40_000, "rows": OBJECTS}), 'records = "/rows"'),
    "one object on each line": ("\n".join(map(json.dumps, OBJECTS)), ""),
}


@pytest.mark.parametrize("case", DOCUMENTS)
def test_json_documents(case: str, reader: Reader) -> None:
    text, keys = DOCUMENTS[case]
    assert pairs(reader(f"{JSON}{keys}", r__json=text)) == [("1", "2"), ("3", "4")]


def test_json_in_another_encoding(reader: Reader) -> None:
    tables = reader(f'{JSON}encoding = "utf-16"', r__json='[{"u": "é", "i": "line\\nend"}]'.encode("utf-16"))
    assert pairs(tables) == [("é", "line\nend")]


def test_many_elements_are_read_one_by_one(reader: Reader) -> None:
    rows = [{"u": f"u{n}", "i": "x" * (n % 400)} for n in range(1, 8_000)] + [{"u": "long", "i": "y" * 3_000_000}]
    tables = reader(JSON, r__json=json.dumps(rows))
    lengths = tables.edge("RATED").frame.set_index("source_id")["target_id"].str.len()
    assert lengths["long"] == 3_000_000
    assert lengths["u7999"] == 399


BAD_DOCUMENTS = {
    "cut": ('[{"u": 1, "i": 2}, {"u": 3', "", r"r.json is truncated or invalid JSON after 19 characters"),
    "no JSON": ('[{"u": 1, "i": 2}, oh]', "", r"truncated or invalid JSON after 19 characters"),
    "two arrays": ('[{"u": 1, "i": 2}] [3]', "", r"truncated or invalid JSON after 19 characters"),
    "an object": (
        '{\n"orders": [1], "meta": {}, "lines": []}',
        "",
        'no array of rows at its top level; name one: records = "/orders" or "/lines"',
    ),
    "no such key": ('{"orders": [1]}', 'records = "/order"', "no order at its top level, .* did you mean orders"),
    "no array there": ('{"a": {"b": 1}}', 'records = "/a/b"', "no array of rows at /a/b"),
    "another key": ('[{"u": 1, "item": 2}]', "", "has no column 'i', but it has u, item"),
    "deep": ("[" + "[" * 100_000, "", "truncated or invalid JSON"),
}


@pytest.mark.parametrize("case", BAD_DOCUMENTS)
def test_json_documents_without_rows(case: str, reader: Reader) -> None:
    text, keys, message = BAD_DOCUMENTS[case]
    with pytest.raises(DataError, match=message):
        reader(f'{JSON}format = "json"\n{keys}', r__json=text)


def test_more_lines_to_skip_than_there_are(reader: Reader) -> None:
    with pytest.raises(DataError, match="r.csv has only blank lines after the 9 that skip leaves out; lower skip"):
        reader(f"{CSV}skip = 9", r__csv=PLAIN)


def test_an_element_that_is_no_text_has_no_line(reader: Reader) -> None:
    tables = reader(JSON, r__json=b'[{"u": "\xff", "i": 2},\n{"u": 1, "i": 2}]')
    (rule,) = tables.cleaning.tables[0].rules
    assert (rule.rule, rule.examples[0][:9]) == ("encoding", "r.json: '")


def test_elements_that_are_no_objects_are_rejected(reader: Reader) -> None:
    tables = reader(JSON, r__json='[{"u": 1, "i": 2}, 3, ["u"]]')
    assert pairs(tables) == [("1", "2")]
    assert [(rule.rule, rule.rows) for rule in tables.cleaning.tables[0].rules] == [("json", 2)]


def test_missing_texts_of_json(reader: Reader) -> None:
    tables = reader(
        f'{JSON}missing = ["", "NULL", "0"]', r__json='[{"u": 1, "i": 2}, {"u": "NULL", "i": 3}, {"u": 0, "i": 3}]'
    )
    assert pairs(tables) == [("1", "2")]


def test_values_in_lists_of_objects(reader: Reader) -> None:
    toml = JSON.replace("Item:i", "Item:/lines/*/sku") + 'split = "[]"'
    lines = [{"u": 1, "lines": [{"sku": "a"}, {"sku": 7}, {}]}, {"u": 2, "lines": []}, {"u": 3}]
    assert pairs(reader(toml, r__json=json.dumps(lines))) == [("1", "a"), ("1", "7")]


WRONG = {
    "skip": ("skip = -1", "skip must be a number of lines"),
    "skip of JSON": (
        'format = "jsonl"\nskip = 1',
        "skip goes with the format csv or tsv or xlsx or ods, and this is jsonl",
    ),
    "decimal": ('decimal = ";"', "decimal is ';', but must be . or ,"),
    "thousands": ('thousands = ","\ndecimal = ","', "thousands must be .* not what decimal is"),
    "thousands alone": ('thousands = "."', "thousands must be .* is decimal missing"),
    "escape without quote": ('quote = ""\nescape = "\\\\"', "escape is the character before a quote"),
    "escape": ('escape = "ab"', "escape must be one character"),
    "comment": ('comment = ","', "comment must be one character that nothing else of the table is"),
    "records": ('records = "/a"', "records goes with the format json, and this is csv"),
    "records without slash": ('format = "json"\nrecords = "a"', "write /a"),
    "sheet": ('sheet = "a"', "sheet goes with the format xlsx or ods"),
    "shape": ('shape = "widen"', r"shape is 'widen', .* did you mean wide\?"),
    "baskets of JSON": ('format = "jsonl"\nshape = "basket"', "shape basket is for lines of text"),
    "files without sql": ('files = { a = "r.csv" }', "files goes with sql"),
}


@pytest.mark.parametrize("case", WRONG)
def test_keys_that_are_wrong(case: str, tmp_path: Path) -> None:
    keys, message = WRONG[case]
    (tmp_path / "r.csv").write_text(PLAIN)
    (tmp_path / "my.toml").write_text(f'name = "mine"\n{CSV}{keys}')
    with pytest.raises(DataError, match=message):
        parse(tmp_path / "my.toml")


def test_how_numbers_are_written_is_kept(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(PLAIN)
    (tmp_path / "my.toml").write_text(f'name = "mine"\n{CSV}decimal = ","\nthousands = "\\u202f"', encoding="utf-8")
    origin = parse(tmp_path / "my.toml").tables[0].input
    assert (origin.decimal, origin.thousands) == (",", "\u202f")
