"""`graphrec load` with each of its options, on both databases."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from graphrec.atomic_write import folder_name
from graphrec.store import Store
from tests.sizes import NEO4J_IS_SLOW

from .conftest import Run

Json = Callable[..., Any]  # any JSON

SHOP = """name = "shop"
licence = "ours"
precedence = 1
[nodes.User]
file = "customers.csv"
id = "customer"
properties = ["name", "email_hash"]
[nodes.Item]
file = "items.csv"
id = "sku"
properties = ["title", { name = "price", type = "float" }]
ranges = { price = [0, inf] }
[edges.PURCHASED]
file = "orders.csv"
from = "User:customer"
to = "Item:sku"
time = { column = "at", unit = "s" }
repeated = "last"
by = "timestamp"
dangling = "drop"
[[links]]
label = "User"
by = "normalised"
on = ["email_hash"]
"""
DAY = 1_700_000_000
FILES = {
    "customers.csv": "customer,name,email_hash\n1,Ann,aa\n2,Bea,bb\n3,Cy,cc\n",
    "items.csv": "sku,title,price\na,Lamp,3.5\nb,Chair,20\nc,Table,-1\n",
    "orders.csv": f"customer,sku,at\n1,a,{DAY}\n1,b,{DAY}\n2,b,{DAY}\n2,b,{DAY + 9}\n3,c,{DAY}\n",
}
OTHER = SHOP.replace('"shop"', '"forum"').replace("precedence = 1\n", "")


def write(folder: Path, toml: str = SHOP, **files: str) -> Path:
    """Write a folder with a TOML file and the files that it names; the path of the TOML file."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {**FILES, **{name.replace("__", "."): text for name, text in files.items()}}.items():
        (folder / name).write_text(text)
    (folder / "my.toml").write_text(toml)
    return folder / "my.toml"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return write(tmp_path / "shop")


@pytest.fixture
def forum(tmp_path: Path) -> Path:
    """A second source: its customer 1 is Bea, whom the e-mail's hash tells, and its items are others."""
    return write(
        tmp_path / "forum",
        OTHER,
        customers__csv="customer,name,email_hash\n1,Beate,BB\n9,Zoe,zz\n",
        items__csv="sku,title,price\na,Rug,1\n",
        orders__csv=f"customer,sku,at\n1,a,{DAY}\n9,a,{DAY}\n",
    )


def bought(store: Store) -> set[tuple[str, str]]:
    rows = store.read("MATCH (u:User)-[r:PURCHASED]->(i:Item) RETURN u.id AS u, i.id AS i")
    return {(row["u"], row["i"]) for row in rows}


def written(told: Any) -> dict[str, tuple[int, int, int]]:  # JSON
    return {each["name"]: (each["created"], each["changed"], each["deleted"]) for each in told["written"]}


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("environment")
def test_load_says_in_json_all_that_it_did(store: Store, environment: Path, shop: Path, run_json: Json) -> None:
    told = run_json("load", str(shop))
    assert written(told) == {"User": (3, 0, 0), "Item": (2, 0, 0), "PURCHASED": (3, 0, 0)}
    assert told["rows"] == {"User": 3, "Item": 2, "PURCHASED": 3}
    assert (told["source"]["name"], told["source"]["licence"], told["source"]["precedence"]) == ("shop", "ours", 1)
    assert told["dry_run"] is False
    assert told["renamed"] == {}
    rules = {(t["name"], r["rule"], r["action"]): r["rows"] for t in told["cleaning"]["tables"] for r in t["rules"]}
    assert rules == {
        ("Item", "range", "dropped"): 1,
        ("PURCHASED", "repeated", "merged"): 1,
        ("PURCHASED", "dangling", "dropped"): 1,
    }
    assert bought(store) == {("1", "a"), ("1", "b"), ("2", "b")}
    place = environment / "loads" / "shop"
    assert told["report"] == str(place)
    saved = json.loads((place / "report.json").read_text())
    assert {**saved, "report": str(place)} == told
    with (place / "rejected.csv").open(newline="") as stream:
        item, order = csv.DictReader(stream)
    where = ["file", "line", "table", "rule"]
    assert [item[name] for name in where] == ["items.csv", "4", "Item", "range"]
    assert [item[name] for name in ("sku", "title", "price")] == ["c", "Table", "-1"]
    assert [order[name] for name in where] == ["orders.csv", "6", "PURCHASED", "dangling"]
    assert [order[name] for name in ("customer", "sku", "at")] == ["3", "c", str(DAY)]


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("environment")
def test_tables_say_what_was_done_and_what_comes_next(shop: Path, run: Run) -> None:
    assert "the same command without --dry-run writes this" in run("load", str(shop), "--dry-run").stderr
    first = run("load", "table", str(shop))
    assert "shop loaded in" in first.stdout
    assert "Item, range\n    c: price -1.0" in first.stdout
    assert "2 rows were rejected, with their reasons in" in first.stderr
    assert "`graphrec train` learns from it" in first.stderr
    again = run("load", "table", str(shop.parent))
    assert "shop: the graph already has all of it" in again.stdout


def test_check_writes_nothing_and_needs_no_store(
    shop: Path, run: Run, run_json: Json, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRAPHREC_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NEO4J_URI", "bolt://127.0.0.1:1")  # where nobody answers
    told = run_json("load", str(shop), "--check")
    assert told["edges"] == [
        {"from": "User", "type": "PURCHASED", "to": "Item", "rows": 3, "properties": ["timestamp"]}
    ]
    assert {node["label"]: node["rows"] for node in told["nodes"]} == {"User": 3, "Item": 2}
    assert [table["dropped"] for table in told["cleaning"]["tables"]] == [0, 1, 1]
    assert sorted(path.name for path in (tmp_path / "home").rglob("*")) == [
        "loads",
        "rejected.csv",
        "report.json",
        "shop",
    ]
    result = run("load", str(shop), "--check")
    assert "shop can be loaded" in result.stdout
    assert "the graph is not changed" in result.stderr
    assert "written" not in result.stderr


def test_a_missing_file_starts_no_store(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def open_store(*_: object) -> None:
        pytest.fail("the store was started")

    monkeypatch.setattr("graphrec.config.open_store", open_store)
    missing = tmp_path / "nosuch.toml"
    assert f"{missing} cannot be read: there is no such file" in run("load", str(missing), exit_code=1).stderr


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("environment")
def test_a_second_source_is_fused_and_renames_what_has_its_ids_as_a_dry_run_tells(
    store: Store, shop: Path, forum: Path, environment: Path, run: Run, run_json: Json
) -> None:
    run("load", str(shop))
    before = store.read("MATCH (n) RETURN n.id AS id, n.keys AS keys ORDER BY id")
    told = run_json("load", str(forum), "--dry-run")
    assert told["dry_run"] is True
    assert store.read("MATCH (n) RETURN n.id AS id, n.keys AS keys ORDER BY id") == before
    result = run("load", str(forum))
    done = json.loads((environment / "loads" / "forum" / "report.json").read_text())
    assert written(told) == written(done)
    assert told["renamed"] == done["renamed"] == {"Item": 1}  # a of the shop is not a of the forum
    assert "User, one node\n    forum:1 → 2" in result.stdout
    assert "values that disagree" in result.stdout
    assert "1 Item nodes of the graph got another id" in result.stderr
    people = store.read("MATCH (u:User) RETURN u.id AS id, u.keys AS keys, u.name AS name ORDER BY id")
    assert [tuple(row.values()) for row in people] == [
        ("1", ["shop:1"], "Ann"),
        ("2", ["forum:1", "shop:2"], "Bea"),
        ("3", ["shop:3"], "Cy"),
        ("9", ["forum:9"], "Zoe"),
    ]
    assert store.read("MATCH (u:User {id: '2'}) RETURN u.`forum:name` AS name") == [{"name": "Beate"}]
    assert bought(store) == {("1", "shop:a"), ("1", "b"), ("2", "b"), ("2", "forum:a"), ("9", "forum:a")}
    # Another precedence says whose word counts.
    bea = "MATCH (u:User) WHERE 'shop:2' IN u.keys RETURN u.name AS name"
    assert store.read(bea) == [{"name": "Bea"}]
    again = run_json("load", str(forum), "--precedence", "2")
    assert store.read(bea) == [{"name": "Beate"}]
    assert again["fusion"]["labels"]["User"]["matched"] == 1


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("environment")
def test_append_takes_nothing_away(store: Store, shop: Path, run: Run, run_json: Json) -> None:
    run("load", str(shop))
    write(shop.parent, orders__csv=f"customer,sku,at\n3,a,{DAY}\n")
    told = run_json("load", str(shop), "--append")
    assert written(told)["PURCHASED"] == (1, 0, 0)
    assert bought(store) == {("1", "a"), ("1", "b"), ("2", "b"), ("3", "a")}
    dry = run("load", str(shop), "--dry-run", exit_code=1)
    assert "would delete 3 of 4 PURCHASED" in dry.stderr
    assert "nothing is written; a load would" in dry.stdout
    refused = run("load", str(shop), exit_code=1).stderr
    assert "would delete 3 of 4 PURCHASED to Item, more than 50%; nothing is written" in refused
    assert "use --allow-removal" in refused
    assert len(bought(store)) == 4
    assert written(run_json("load", str(shop), "--max-removal", "0.8"))["PURCHASED"] == (0, 0, 3)
    assert bought(store) == {("3", "a")}
    write(shop.parent, orders__csv=f"customer,sku,at\n1,a,{DAY}\n")
    assert written(run_json("load", str(shop), "--allow-removal"))["PURCHASED"] == (1, 0, 1)


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("environment")
def test_strict_refuses_and_writes_nothing(store: Store, shop: Path, run: Run) -> None:
    told = run("load", str(shop), "--strict", exit_code=1).stderr
    assert "Item lost 1 of 3 rows by rule 'range' (c: price -1.0)" in told
    assert "load without --strict" in told
    assert store.read("MATCH (n) RETURN count(n) AS n") == [{"n": 0}]


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("environment")
def test_robots_and_those_with_little_behaviour_stay_out(store: Store, shop: Path, run: Run, run_json: Json) -> None:
    told = run_json("load", str(shop), "--max-per-day", "1")
    assert bought(store) == {("2", "b")}
    assert told["rows"]["User"] == 2
    nothing = run("load", str(shop), "--min-interactions", "2", exit_code=1).stderr
    assert "PURCHASED: none of its 5 rows can be kept" in nothing
    assert bought(store) == {("2", "b")}
    write(shop.parent, orders__csv="customer,sku,at\n" + "".join(f"{u},{i},{DAY}\n" for u in "12" for i in "ab"))
    told = run_json("load", str(shop), "--min-interactions", "2")
    assert bought(store) == {("1", "a"), ("1", "b"), ("2", "a"), ("2", "b")}
    assert [r["rule"] for t in told["cleaning"]["tables"] for r in t["rules"] if t["name"] == "User"] == ["k-core"]


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("environment")
def test_threshold_makes_links_or_proposes_them(
    store: Store, shop: Path, forum: Path, run: Run, run_json: Json
) -> None:
    run("load", str(shop), "--threshold", "1")
    told = run_json("load", str(forum), "--threshold", "1")
    assert (told["fusion"]["labels"]["User"]["matched"], told["fusion"]["labels"]["User"]["proposed"]) == (0, 1)
    assert store.read("MATCH (u:User) RETURN count(u) AS n") == [{"n": 5}]


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("environment")
def test_writers_side_by_side_write_the_same(store: Store, shop: Path, run: Run) -> None:
    run("load", str(shop), "--writers", "4")
    assert bought(store) == {("1", "a"), ("1", "b"), ("2", "b")}


def test_import_files_need_no_store(
    shop: Path, run: Run, run_json: Json, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRAPHREC_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NEO4J_URI", "bolt://127.0.0.1:1")
    told = run_json("load", str(shop), "--import-files", str(tmp_path / "out"))
    assert told["files"] == {"User.csv": 3, "Item.csv": 2, "Source.csv": 1, "User-PURCHASED-Item.csv": 3}
    assert {*told["files"], "import.sh", "constraints.cypher"} == {p.name for p in (tmp_path / "out").iterdir()}
    assert told["cleaning"]["tables"][1]["dropped"] == 1
    assert (tmp_path / "home/loads/shop/rejected.csv").exists()
    again = run("load", str(shop), "--import-files", str(tmp_path / "out"), exit_code=1)
    assert "is not empty" in again.stderr


def test_a_report_stays_in_its_folder(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHREC_HOME", str(tmp_path / "home"))
    run("load", str(write(tmp_path / "odd", SHOP.replace('"shop"', '"../x"'))), "--check")
    assert [path.name for path in (tmp_path / "home/loads").iterdir()] == [folder_name("../x")]


@pytest.mark.parametrize(
    "options",
    [
        ("--check", "--dry-run"),
        ("--check", "--append"),
        ("--check", "--writers", "2"),
        ("--check", "--threshold", "0.8"),
        ("--check", "--import-files", "out"),
        ("--import-files", "out", "--append"),
        ("--import-files", "out", "--dry-run"),
        ("--import-files", "out", "--writers", "1"),
        ("--append", "--allow-removal"),
        ("--append", "--min-interactions", "2"),
        ("--append", "--max-per-day", "9"),
    ],
    ids=" ".join,
)
def test_options_without_meaning_are_wrong_usage(options: tuple[str, ...], shop: Path, run: Run) -> None:
    told = run("load", str(shop), *options, exit_code=2).stderr.strip().splitlines()[-1]
    assert told.startswith("Error: --")
    assert told.endswith("leave out one of them")


def test_a_path_in_place_of_a_source_is_wrong_usage(shop: Path, run: Run) -> None:
    assert f"graphrec load SOURCE {shop.parent}" in run("load", str(shop.parent), exit_code=2).stderr
    assert "names its files itself" in run("load", str(shop), str(shop.parent), exit_code=2).stderr
    assert "did you mean lastfm?" in run("load", "lastfn", exit_code=1).stderr
