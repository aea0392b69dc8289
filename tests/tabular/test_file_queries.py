"""SQL over files: joins of what shops have in several files, and nothing but the files named."""

from pathlib import Path

import pandas as pd
import pytest

from graphrec.errors import DataError
from graphrec.tables import GraphTables
from graphrec.tabular import Description, read

from .conftest import Reader
from .workbooks import Rows, xlsx

JOIN = """[edges.BOUGHT]
sql = '''
select o.customer, l.sku, sum(cast(l.qty as int)) as qty -- each product once
from orders o join lines l on l."order" = o.id
group by all order by all;
'''
files = FILES
from = "User:customer"
to = "Item:sku"
properties = ["qty"]
"""
BOTH = '{ orders = "orders.csv", lines = { file = "lines.csv", separator = ";", skip = 1, missing = ["-"] } }'
ORDERS = "id,customer\n1,ann\n2,bob\n3\n"
LINES = "lines of May\norder;sku;qty\n1;a;2\n1;a;3\n1;b;1\n2;a;-\n9;a;1\n"


def rows(tables: GraphTables) -> list[tuple[object, ...]]:
    frame = tables.edges[0].frame.astype("object")
    return list(frame.where(frame.notna(), None).itertuples(index=False, name=None))


def test_a_header_and_its_lines_are_joined(reader: Reader) -> None:
    tables = reader(JOIN.replace("FILES", BOTH), orders__csv=ORDERS, lines__csv=LINES)
    assert rows(tables) == [("ann", "a", 5), ("ann", "b", 1), ("bob", "a", None)]
    assert [(rule.rule, rule.examples) for rule in tables.cleaning.tables[0].rules] == [
        ("fields", ("orders.csv line 4: '3'",))
    ]


def test_files_of_every_form(reader: Reader) -> None:
    files = '{ orders = "orders.xlsx", lines = "lines*.jsonl" }'
    tables = reader(
        JOIN.replace("FILES", files),
        orders__xlsx=xlsx(One=[["id", "customer"], [1, "ann"], [2, "bob"]]),
        lines1__jsonl='{"order": 1, "sku": "a", "qty": 2}\n{"order": 1, "sku": "b"}\n',
        lines2__jsonl='{"order": 2, "sku": "a", "qty": 7, "more": [1]}\n',
    )
    assert rows(tables) == [("ann", "a", 2), ("ann", "b", None), ("bob", "a", 7)]
    tables = reader(
        '[edges.BOUGHT]\nsql = "select basket, item from b"\nfrom = "User:basket"\nto = "Item:item"\n'
        'files = { b = { file = "b.csv", shape = "basket" } }',
        b__csv="c1,milk,tea\n",
    )
    assert rows(tables) == [("c1", "milk"), ("c1", "tea")]


def test_frames(tmp_path: Path) -> None:
    (tmp_path / "lines.csv").write_text("order,sku\n1,a\n2,b\n")
    orders = pd.DataFrame({"id": [1, 2], "customer": ["ann", None]})
    sql = 'select customer, sku from lines join orders on id = cast("order" as int) where customer is not null'
    table = {"sql": sql, "files": {"orders": orders, "lines": "lines.csv"}, "from": "User:customer", "to": "Item:sku"}
    assert rows(read(Description({"name": "m", "edges": {"BOUGHT": table}}, tmp_path))) == [("ann", "a")]


def test_types_become_as_wide_as_the_values(reader: Reader) -> None:
    cells: Rows = [["id", "customer"], *[[n, n] for n in range(3)]]
    files = '{ o = ["a.xlsx", "b.xlsx", "c.csv"] }'
    toml = f'[edges.BOUGHT]\nsql = "select id, customer from o order by id"\nfiles = {files}\n'
    toml += 'from = "User:id"\nto = "Item:customer"'
    with pytest.raises(DataError, match="names files of several formats"):
        reader(toml, a__xlsx=xlsx(One=cells), b__xlsx=xlsx(One=[cells[0], [2.5, "x"]]), c__csv="id,customer\n")
    tables = reader(toml.replace(', "c.csv"', ""))
    assert {(str(user), str(item)) for user, item in rows(tables)} == {("0", "0"), ("1", "1"), ("2", "2"), ("2.5", "x")}
    big = "select 170141183460469231731687303715884105727::hugeint as id, sum(1) as customer"
    tables = reader(toml.replace("select id, customer from o order by id", big).replace(', "c.csv"', ""))
    assert rows(tables) == [("170141183460469231731687303715884105727", "1")]


def test_names_that_differ_in_case_only_and_a_file_without_rows(reader: Reader) -> None:
    toml = '[edges.BOUGHT]\nsql = "select a.U_2, a.u from a left join b on b.x = a.u"\n'
    toml += 'files = { a = "a.csv", b = "b.csv" }\n'
    tables = reader(toml + 'from = "User:U_2"\nto = "Item:u"', a__csv="u,U\n1,2\n", b__csv="x\n")
    assert rows(tables) == [("2", "1")]


def test_files_of_one_name_have_the_same_columns(reader: Reader) -> None:
    toml = '[edges.BOUGHT]\nsql = "select u, i from a"\nfiles = { a = "[ab].csv" }\nfrom = "User:u"\nto = "Item:i"'
    tables = reader(toml, a__csv="u,i\n1,2\n", b__csv="i,u\n4,3\n")
    assert rows(tables) == [("1", "2"), ("3", "4")]
    with pytest.raises(DataError, match="b.csv and the file before it differ in the column i"):
        reader(toml, b__csv="u,item\n1,2\n")


WRONG = {
    "another file": ("select * from read_csv('SECRET')", "Cannot access file .* file system operations are disabled"),
    "another file by name": ("select * from 'SECRET'", "failed: .*disabled"),
    "a folder": ("select * from glob('/*')", "failed: .*disabled"),
    "the text of a file": ("select content from read_text('SECRET')", "failed: .*disabled"),
    "writing": (
        "copy orders to 'SECRET'",
        "must be one query, such as select … from …; other statements are not allowed",
    ),
    "the network": ("install httpfs", "must be one query"),
    "another database": ("attach 'SECRET' as x", "must be one query"),
    "a setting": ("set enable_external_access = true", "must be one query"),
    "two": ("select 1; select 2", "must be one query"),
    "none": ("-- nothing", "must be one query"),
    "out of the brackets": ("select 1) as x; copy orders to 'SECRET'; select (2", "failed: Parser Error"),
    "a wrong name": ("select customr from orders", 'Referenced column "customr" not found .* "customer"; correct it'),
    "a wrong table": ("select * from order_", "Table with name order_ does not exist! Did you mean .*orders"),
    "a sum of text": ("select sum(id) from orders", r"sum\(VARCHAR\).* columns of text files are text: CAST"),
    "no number": ("select cast(customer as int) as customer, id as sku from orders", "Could not convert .*'ann'"),
    "another column": ("select customer, id as skus from orders", "gives no column 'sku', but customer, skus; is skus"),
    "a column twice": ("select customer, id as sku, id as sku from orders", "gives 2 column 'sku'"),
    "a date of no year": (
        "select id as sku, DATE '9999-12-31' + 1 as customer from orders",
        "customer has a date outside of the years 1 to 9999",
    ),
    "no query": ("selct", "syntax error at or near"),
    "a variable of Python": ("select * from given", "Table with name given does not exist"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_the_sql_may_not_do(case: str, reader: Reader, tmp_path: Path) -> None:
    sql, message = WRONG[case]
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    toml = (
        f'[edges.BOUGHT]\nsql = """{sql.replace("SECRET", str(secret))}"""\nfrom = "User:customer"\nto = "Item:sku"\n'
    )
    with pytest.raises(DataError, match=message) as caught:
        reader(f'{toml}files = {{ orders = "orders.csv" }}', orders__csv=ORDERS)
    assert "\n" not in str(caught.value)
    assert secret.read_text() == "a\n1\n"


KEYS = {
    "nothing named": ("files = {}", "files must name at least one"),
    "a name that is none": ('files = { "a-b" = "orders.csv" }', "a-b must be a name of letters"),
    "a name twice": ('files = { a = "orders.csv", A = "orders.csv" }', "A must be a name .* that no other file has"),
    "a key": ('files = { a = { file = "orders.csv", seperator = ";" } }', "files a: seperator is not a key"),
    "no file": ("files = { a = { skip = 1 } }", "files a: file is missing"),
    "a number": ("files = { a = 3 }", "files a: file must be a text or a list of texts, not 3"),
    "an address too": ('files = { a = "orders.csv" }\nurl = "sqlite://"', "url is the address of a database"),
    "a key of one file": ('files = { a = "orders.csv" }\nskip = 1', "skip goes with file; write it for each file"),
}


@pytest.mark.parametrize("case", KEYS)
def test_keys_of_files(case: str, reader: Reader) -> None:
    keys, message = KEYS[case]
    with pytest.raises(DataError, match=message):
        reader(f'[edges.BOUGHT]\nsql = "select 1"\nfrom = "User:u"\nto = "Item:i"\n{keys}', orders__csv=ORDERS)
