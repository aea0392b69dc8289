"""What a load tells beside its counts: texts for numbers, link rules without effect, ids and labels of one's own."""

import csv
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from graphrec import ingest
from graphrec.errors import DataError
from graphrec.ingest import LoadConfig, Loaded, notes
from graphrec.store import Store
from graphrec.tables import GraphTables
from graphrec.tabular import read
from tests.sizes import NEO4J_IS_SLOW

USERS = 'name = "{}"\n[nodes.User]\nfile = "u.csv"\nid = "id"\nproperties = ["number"]\n'
LINK = '[[links]]\nlabel = "User"\nby = "exact"\non = ["number"]\n'


def tables(folder: Path, toml: str, **files: str) -> GraphTables:
    """The tables of a TOML file beside these files (`rows` is rows.csv)."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    (folder / "s.toml").write_text(toml)
    return read(folder / "s.toml")


def load(store: Store, folder: Path, toml: str, **files: str) -> Loaded:
    """Load them."""
    tables(folder, toml, **files)
    return ingest.load(store, "table", folder / "s.toml", folder, LoadConfig())


RATINGS = """name = "r"
[edges.RATED]
file = "rows.csv"
from = "User:u"
to = "Item:i"
properties = [{}]
"""
TEXTS = {
    "a word for missing": ('"rating"', "4.0\nNULL\n5", ("'NULL' in 1 of 3 rows is no", 'missing = ["", "NULL"]')),
    "no type": ('"rating"', "4.0\n3", ("no type is declared", 'write { name = "rating", type = "float" }')),
    "words": ('"count"', "one\n2\n3", ("'one' in 1 of 3 rows", 'type = "int"', "rows with other values are rejected")),
}


@pytest.mark.parametrize("case", TEXTS)
def test_numbers_that_are_text_are_told_with_the_line_that_mends_it(case: str, tmp_path: Path) -> None:
    named, values, expected = TEXTS[case]
    rows = "u,i,rating,count\n" + "".join(f"{n},x{n},{v},{v}\n" for n, v in enumerate(values.split()))
    (note,) = notes.check_tables(tables(tmp_path, RATINGS.format(named), rows=rows))
    assert note.startswith(f"RATED.{named.strip(chr(34))} is text, but queries and models use it as a number")
    assert all(part in note for part in expected)
    typed = RATINGS.format('{ name = "rating", type = "float" }') + 'missing = ["", "NULL"]\n'
    assert notes.check_tables(tables(tmp_path, typed, rows=rows.replace("one", "1"))) == ()


def test_a_year_among_words_is_told_and_words_alone_are_text(tmp_path: Path) -> None:
    toml = 'name = "r"\n[nodes.Item]\nfile = "i.csv"\nid = "id"\nproperties = ["year"]\n'
    told = notes.check_tables(tables(tmp_path, toml, i="id,year\n1,1999\n2,2001\n3,n/a\n"))
    assert ["'n/a' in 1 of 3 rows" in note for note in told] == [True]
    assert notes.check_tables(tables(tmp_path, toml, i="id,year\n1,old\n2,new\n3,1999\n")) == ()


ALIKE = {
    "zeros": ("0017", "17", "17 here, 0017 there", "without zeros at the beginning"),
    "case": ("AB-1", "ab1", "ab1 here, AB-1 there", 'write by = "normalised"'),
    "nothing alike": ("x", "y", "matched those of other sources by number, exact", "exact"),
}


@NEO4J_IS_SLOW
@pytest.mark.parametrize("case", ALIKE)
def test_a_link_rule_that_matches_nothing_says_so(case: str, store: Store, tmp_path: Path) -> None:
    there, here, *expected = ALIKE[case]
    load(store, tmp_path / "a", USERS.format("a"), u=f"id,number\na1,{there}\n")
    loaded = load(store, tmp_path / "b", USERS.format("b") + LINK, u=f"id,number\nb1,{here}\nb2,zz\nb3,\n")
    (note,) = loaded.notes
    assert note.startswith("0 of 2 User matched")
    assert all(part in note for part in expected)
    (outcome,) = loaded.fusion.label("User").rules
    assert (outcome.rule, outcome.records, outcome.matched) == ("number, exact", 2, 0)
    met = load(store, tmp_path / "b", USERS.format("b") + LINK, u=f"id,number\nb1,{there}\nb2,zz\nb3,\n")
    assert met.notes == ()
    assert [(each.records, each.matched) for each in met.fusion.label("User").rules] == [(2, 1)]


@NEO4J_IS_SLOW
def test_two_sources_with_the_same_ids_are_told_of_shared(store: Store, tmp_path: Path) -> None:
    shared = USERS + "shared = true\n"
    load(store, tmp_path / "a", USERS.format("a"), u="id,number\nc1,\nc2,\n")
    (note,) = load(store, tmp_path / "b", USERS.format("b"), u="id,number\nc1,\nc9,\n").notes
    assert note.startswith("1 id of User in b, found in a too, kept apart with the source's name before it (b:…)")
    assert "write shared = true in [nodes.User] of both TOML files" in note
    alone = load(store, tmp_path / "b", shared.format("b"), u="id,number\nc1,\nc9,\n")
    assert any("no other source has shared = true for" in note for note in alone.notes)
    both = load(store, tmp_path / "a", shared.format("a"), u="id,number\nc1,\nc2,\n")
    assert both.notes == ()
    assert [(each.rule, each.records, each.matched) for each in both.fusion.label("User").rules] == [("id", 2, 1)]
    ids = store.read("MATCH (u:User) RETURN u.id AS id ORDER BY id")
    assert [row["id"] for row in ids] == ["c1", "c2", "c9"]


SHOP = """name = "shop"
{}
[edges.PURCHASED]
file = "rows.csv"
from = "Customer:c"
to = "Product:p"
"""


def test_labels_of_ones_own_have_a_role(tmp_path: Path) -> None:
    rows = "c,p,name\n1,x,Ann\n2,y,Bea\n"
    own = tables(tmp_path, SHOP.format(""), rows=rows)
    (note,) = notes.check_tables(own)
    assert "PURCHASED goes from Customer to Product" in note
    assert 'write role = "user" in [nodes.Customer] and role = "item" in [nodes.Product]' in note
    roles = (
        '[nodes.Customer]\nrole = "user"\nfile = "rows.csv"\nid = "c"\nproperties = ["name"]\n'
        '[nodes.Product]\nrole = "item"\n[[links]]\nlabel = "Customer"\nby = "exact"\non = ["name"]'
    )
    mapped = tables(tmp_path, SHOP.format(roles), rows=rows)
    assert [table.type.triple for table in mapped.edges] == [("User", "PURCHASED", "Item")]
    assert {table.type.label: len(table.frame) for table in mapped.nodes} == {"User": 2, "Item": 2}
    assert mapped.links[0].label == "User"
    assert notes.check_tables(mapped) == ()


def test_ids_at_the_ends_of_edges_may_be_shared_without_a_table(tmp_path: Path) -> None:
    own = tables(tmp_path, SHOP.format('[nodes.Product]\nrole = "item"\nshared = true'), rows="c,p\n1,x\n2,y\n")
    assert {table.type.label: table.type.shared for table in own.nodes} == {"Customer": False, "Item": True}
    with pytest.raises(DataError, match="no edge ends at Shop; name its rows with file or sql"):
        tables(tmp_path, SHOP.format("[nodes.Shop]\nshared = true"), rows="c,p\n1,x\n")


WRONG_ROLES = {
    "two users": ('[nodes.A]\nrole = "user"\n[nodes.B]\nrole = "user"', "is another one; give one label this role"),
    "User too": ('[nodes.A]\nrole = "user"\n[nodes.User]\nfile = "rows.csv"\nid = "c"', "User is another one"),
    "unknown": ('[nodes.A]\nrole = "buyer"', "must be user or item"),
}


@pytest.mark.parametrize("case", WRONG_ROLES)
def test_a_role_is_one_labels_own(case: str, tmp_path: Path) -> None:
    toml, why = WRONG_ROLES[case]
    with pytest.raises(DataError, match=why):
        tables(tmp_path, SHOP.format(toml), rows="c,p\n1,x\n")


def test_rejected_rows_are_those_of_the_source_once(tmp_path: Path) -> None:
    toml = """name = "s"
[nodes.User]
file = "o*.csv"
skip = 1
where = {{ kind = ["sale", "gift"] }}
id = "who"
repeated = "first"
[edges.PURCHASED]
file = "o*.csv"
skip = 1
where = {{ kind = "sale" }}
from = "User:who"
to = "Item:what"
weight = "amount"
repeated = "sum"
dangling = "{}"
"""
    first = 'Orders\nkind,who,what,amount,note\nsale,u1,a,1,"two\nlines"\n\nsale,,b,2,\nreturn,,c,3,\n'
    second = "Orders\nkind,who,what,amount,note\nsale,u2,a,many,odd\ngift,,d,1,\nsale,u3\nsale,u3,a,4,\n"
    found = tables(tmp_path, toml.format("add"), o1=first, o2=second).cleaning
    assert found.rejected is not None
    assert found.dropped == len(found.rejected) == 4
    place = ingest.save_report(tmp_path, "s", {}, found)
    with (place / "rejected.csv").open(newline="", encoding="utf-8") as stream:
        rows: list[dict[str, Any]] = list(csv.DictReader(stream))
    assert sorted((row["file"], row["line"], row["table"]) for row in rows) == [
        ("o1.csv", "6", "User; PURCHASED"),
        ("o2.csv", "3", "PURCHASED"),
        ("o2.csv", "4", "User"),
        ("o2.csv", "5", "User; PURCHASED"),
    ]
    by_line = {(row["file"], row["line"]): row for row in rows}
    assert by_line["o2.csv", "3"]["amount"] == "many"  # as it was written
    assert by_line["o2.csv", "3"]["note"] == "odd"  # and the columns that no table reads
    assert by_line["o1.csv", "6"]["reason"] == "id is missing; source_id is missing"
    assert by_line["o2.csv", "5"]["text"] == "sale,u3"


def test_formulas_in_rejected_rows_and_links_pass_through_or_are_disarmed(tmp_path: Path) -> None:
    toml = 'name = "s"\n[edges.RATED]\nfile = "r.csv"\nfrom = "User:u"\nto = "Item:=i"\nweight = "n"\n'
    found = tables(tmp_path, toml, r="u,=i,n\nu1,a,1\n@u2,b,=1+1\n").cleaning
    links = pd.DataFrame({"key": ["s:=1"], "evidence": ["=1+1"], "confidence": [-0.5]})
    texts = {
        safe: [(place / name).read_text() for name in ("rejected.csv", "links.csv")]
        for safe in (False, True)
        for place in [ingest.save_report(tmp_path / str(safe), "s", {}, found, links, safe)]
    }
    assert "reason,u,=i,n\n" in texts[False][0]
    assert texts[False][0].endswith(",@u2,b,=1+1\n")
    assert texts[False][1].endswith("s:=1,=1+1,-0.5\n")
    assert "reason,u,'=i,n\n" in texts[True][0]
    assert texts[True][0].endswith(",'@u2,b,'=1+1\n")
    assert texts[True][1].endswith("s:=1,'=1+1,-0.5\n")


def test_a_report_replaces_all_of_the_last_one(tmp_path: Path) -> None:
    toml = 'name = "s"\n[edges.RATED]\nfile = "r.csv"\nfrom = "User:u"\nto = "Item:i"\nweight = "n"\n'
    links = pd.DataFrame({"key": ["s:1"]})
    place = ingest.save_report(tmp_path, "s", {}, tables(tmp_path, toml, r="u,i,n\nu1,a,1\nu2,b,x\n").cleaning, links)
    assert sorted(path.name for path in place.iterdir()) == ["links.csv", "rejected.csv", "report.json"]
    ingest.save_report(tmp_path, "s", {}, tables(tmp_path, toml, r="u,i,n\nu1,a,1\n").cleaning)
    assert [path.name for path in place.iterdir()] == ["report.json"]


def test_rejected_rows_of_json_lines_and_parquet_have_their_place(tmp_path: Path) -> None:
    import duckdb

    toml = 'name = "s"\n[edges.RATED]\nfile = "r.{}"\nfrom = "User:u"\nto = "Item:i"\nweight = "n"\n'
    (tmp_path / "s.toml").write_text(toml.format("jsonl"))
    (tmp_path / "r.jsonl").write_text('{"u": "1", "i": "x", "n": 2}\n\nno json\n{"u": "2", "i": "y", "n": "z"}\n')
    rejected = read(tmp_path / "s.toml").cleaning.rejected
    assert rejected is not None
    assert rejected[rejected["rule"] == "type"]["line"].tolist() == [4]
    duckdb.sql(f"COPY (SELECT * FROM (VALUES ('1','x','2'),('2','y','z')) t(u,i,n)) TO '{tmp_path}/r.parquet'")
    (tmp_path / "s.toml").write_text(toml.format("parquet"))
    rejected = read(tmp_path / "s.toml").cleaning.rejected
    assert rejected is not None
    assert rejected[["file", "line", "row"]].to_numpy().tolist() == [["r.parquet", 2, '{"u":"2","i":"y","n":"z"}']]
