"""Files for `neo4j-admin database import`: what they hold, their script, and the graph that Neo4j's importer makes."""

import csv
import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from graphrec.errors import GraphrecError
from graphrec.ingest import write_import_files, write_source
from graphrec.schema import EdgeType
from graphrec.store import Address, EmbeddedServer, connect
from graphrec.tables import EdgeTable, GraphTables

from .films import ITEM, columns, source
from .snapshot import graph_of

ODD = source(
    "a",
    [
        ("1", 'A "quoted", title', 1995, None),
        ("2", "two\nlines; and \\ a | pipe", None, 117),
        ("3", "", 1985, 132),
        ("4", None, None, None),
        ("007", " Zoë ", 1, 1),
    ],
    [("u", "1", 4.5, 10), ("u", "2", None, 1_700_000_000), ("v, w", "007", 1.0, None)],
    tags=[("u", "1", 'so "slow"'), ("u", "1", "Slow, too")],
    users=[("u", "u@x"), ("v, w", None)],
)
ODD = replace(ODD, sources=(replace(ODD.sources[0], licence='"free", they say', precedence=3),))
#: The same and a relationship type with values of every kind, some of them missing.
LIKED = EdgeType("User", "LIKED", "User", ("strong", "weight"))


def with_booleans(tables: GraphTables) -> GraphTables:
    frame = columns(["source_id", "target_id"], [("u", "v, w"), ("v, w", "u")])
    frame = frame.assign(strong=[True, False]).assign(weight=[1, 2])
    return replace(tables, edges=(*tables.edges, EdgeTable(LIKED, frame)))


def test_the_files_hold_the_tables(tmp_path: Path) -> None:
    written = write_import_files(ODD, tmp_path / "out")
    assert written.files == {
        "User.csv": 2,
        "Item.csv": 5,
        "Source.csv": 1,
        "User-RATED-Item.csv": 3,
        "User-TAGGED-Item.csv": 2,
        "User-FRIEND-User.csv": 0,
    }
    assert (tmp_path / "out/User-RATED-Item.csv").read_text(encoding="utf-8").splitlines() == [
        '":START_ID(User)",":END_ID(Item)","source:string","rating:double","timestamp:long"',
        '"u","1","a",4.5,10',
        '"u","2","a",,1700000000',
        '"v, w","007","a",1,',
    ]
    with (tmp_path / "out/Item.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["id:ID(Item)", "keys:string[]", "length:long", "title:string", "year:long"]
    assert rows[3] == ["2", "a:2", "117", "two\nlines; and \\ a | pipe", ""]
    assert "CREATE CONSTRAINT `Item_id` IF NOT EXISTS" in (tmp_path / "out/constraints.cypher").read_text()


def test_a_property_without_a_value_is_left_out(tmp_path: Path) -> None:
    write_import_files(source("a", [("1", "Heat", None, None)]), tmp_path)
    assert (tmp_path / "Item.csv").read_text().splitlines()[0] == '"id:ID(Item)","keys:string[]","title:string"'


def test_the_script_calls_the_importer(tmp_path: Path) -> None:
    folder, stub = tmp_path / "with a space", tmp_path / "bin"
    write_import_files(ODD, folder)
    stub.mkdir()
    (stub / "neo4j-admin").write_text('#!/bin/sh\npwd\nfor each in "$@"; do echo "$each"; done\n')
    (stub / "neo4j-admin").chmod(0o755)
    environment = {**os.environ, "PATH": f"{stub}{os.pathsep}{os.environ['PATH']}"}
    told = subprocess.run(
        ["sh", str(folder / "import.sh"), "films"], env=environment, check=True, capture_output=True, text=True
    )
    assert told.stdout.splitlines() == [
        str(folder),
        *("database", "import", "full", "films", "--overwrite-destination"),
        *("--multiline-fields=true", "--array-delimiter=U+001F"),
        *("--nodes=User=User.csv", "--nodes=Item=Item.csv", "--nodes=Source=Source.csv"),
        "--relationships=RATED=User-RATED-Item.csv",
        "--relationships=TAGGED=User-TAGGED-Item.csv",
        "--relationships=FRIEND=User-FRIEND-User.csv",
    ]


def test_a_folder_with_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(GraphrecError, match=r"is not empty \(mine.txt\); choose an empty or a new one"):
        write_import_files(ODD, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(GraphrecError, match="cannot write to .*mine.txt"):
        write_import_files(ODD, tmp_path / "mine.txt" / "out")


@pytest.fixture
def start() -> Path:
    """The script that starts a Neo4j, beside whose jars the importer is; the test is skipped without."""
    default = Path(__file__).parents[3] / "shared" / "neo4j" / "start"
    found = Path(os.environ.get("GRAPHREC_NEO4J_START", default))
    if not (found.parent / "lib").is_dir() or not shutil.which("java"):
        pytest.skip("no jars of Neo4j beside GRAPHREC_NEO4J_START, or no Java")
    return found


def running(start: Path, home: Path) -> Iterator[Address]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    password = secrets.token_hex(12)
    process = subprocess.Popen([start, home, str(port), password], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        assert process.stdout is not None
        assert any(line.strip() == b"ready" for line in iter(process.stdout.readline, b""))
        yield Address(f"bolt://127.0.0.1:{port}", "neo4j", password)
    finally:
        process.terminate()
        process.wait(90)


@pytest.mark.slow
def test_the_importer_of_neo4j_makes_the_graph_of_a_load(start: Path, embedded: EmbeddedServer, tmp_path: Path) -> None:
    tables = with_booleans(ODD)
    with connect(embedded.start()) as store:
        store.write("MATCH (n) DETACH DELETE n")
        write_source(store, tables)
        expected = graph_of(store)
    written = write_import_files(tables, tmp_path / "out")
    home, stub = tmp_path / "home", tmp_path / "bin"
    (home / "conf").mkdir(parents=True)
    stub.mkdir()
    (stub / "neo4j-admin").write_text(
        f"#!/bin/sh\nexec java -cp '{start.parent / 'lib'}/*' org.neo4j.cli.AdminTool \"$@\"\n"
    )
    (stub / "neo4j-admin").chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{stub}{os.pathsep}{os.environ['PATH']}",
        "NEO4J_HOME": str(home),
        "NEO4J_CONF": str(home / "conf"),
    }
    done = subprocess.run(["sh", written.script], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    for address in running(start, home):
        with connect(address) as store:
            for line in (tmp_path / "out/constraints.cypher").read_text().splitlines():
                store.write(line.removesuffix(";"))
            assert graph_of(store) == expected
            again = write_source(store, tables)
            assert {(each.created, each.changed, each.deleted) for each in again.written} == {(0, 0, 0)}
            assert ITEM.label in {row["label"] for row in store.read("CALL db.labels() YIELD label RETURN label")}


@pytest.mark.parametrize("name", ["../Item", "A:B", "A=B", "A,B", "$(id)", "a b"])
def test_names_that_the_importer_reads_otherwise_are_refused(tmp_path: Path, name: str) -> None:
    kind = EdgeType("User", name, "User")
    frame = columns(["source_id", "target_id"], [("u", "v, w")])
    with pytest.raises(GraphrecError, match="neo4j-admin cannot import the names"):
        write_import_files(replace(ODD, edges=(*ODD.edges, EdgeTable(kind, frame))), tmp_path / "out")
    assert not (tmp_path / "out").exists()
