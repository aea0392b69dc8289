"""Checks of the data: one statement each, counted by the database, the same on both servers."""

from datetime import UTC, datetime
from typing import Any

from graphrec.doctor.finding import FAILED, OK, WARNING, Finding, number_of
from graphrec.errors import first_few, shown
from graphrec.evaluation.memory_estimate import Shape
from graphrec.evaluation.zero_ratings import zeros_that_mean_nothing
from graphrec.schema import ITEM, RECOMMENDED, RUN, SOURCE, SYSTEM_RELATIONS, USER, WRITE_LEASE, EdgeType
from graphrec.schema_names import usable
from graphrec.store import Store
from graphrec.store.connection import Row, quote
from graphrec.store.counts import known_labels, known_relations
from graphrec.store.read import MISSING
from graphrec.store.sources import read_sources

SECONDS_A_DAY = 86_400
#: A time after this, the year 5138 in seconds, is one in milliseconds: 1973 or later.
MILLISECONDS = 100_000_000_000

#: Start nodes whose edges are compared in one query.
STARTS_A_PIECE = 1_000


def examine(store: Store, now: datetime, writing: bool) -> list[Finding]:
    """The findings about the graph; `writing` says that a command is at work, so that nothing is cut off yet."""
    relations = known_relations(store)
    edges = _edges(store, relations, now)
    return [
        check_size(store, edges),
        check_ids(store),
        check_doubled_ids(store),
        check_doubled_keys(store),
        check_doubled_edges(store),
        check_orphans(store, relations),
        check_provenance(edges),
        check_times(edges, now),
        check_zero_ratings(store, relations),
        check_unfinished(store, "loads", SOURCE, "loading", writing),
        check_unfinished(store, "sources taken out", SOURCE, "unlinking", writing),
        check_unfinished(store, "published runs", RUN, "publishing", writing),
        check_vanished_runs(store, relations),
    ]


def measure_shape(store: Store) -> Shape:
    """The sizes of the graph that decide how much memory training takes."""
    counts = {label: store.read(f"MATCH (n:{label}) RETURN count(n) AS number")[0]["number"] for label in (USER, ITEM)}
    edges = store.read("MATCH ()-[r]->() RETURN count(r) AS number")[0]["number"]
    paths = 0
    for name in known_relations(store):
        if name not in SYSTEM_RELATIONS:
            found = store.read(
                f"MATCH (n)-[r:{quote(name)}]-(:{ITEM}) WITH n, count(r) AS degree "
                "RETURN sum(degree * degree) AS number"
            )
            paths += found[0]["number"] or 0
    return Shape(counts[USER], counts[ITEM], edges, paths)


def check_size(store: Store, edges: list[Row]) -> Finding:
    """How large the graph is."""
    nodes = store.read(f"MATCH (n) WHERE NOT n:{WRITE_LEASE} RETURN count(n) AS number")[0]["number"]
    number = sum(row["number"] for row in edges)
    if not nodes:
        return Finding(
            "size",
            OK,
            "the graph is empty",
            "run graphrec sniff FILES… for files of your own, or graphrec load movielens for a sample",
        )
    return Finding("size", OK, f"{number_of(nodes, 'node')} and {number_of(number, 'edge')}")


def check_ids(store: Store) -> Finding:
    """Whether every node of a label that has ids has one; a label without any is somebody else's, and left alone."""
    rows = store.read("MATCH (n) RETURN labels(n) AS labels, count(*) AS number, count(n.id) AS with_id")
    broken = [row for row in rows if 0 < row["with_id"] < row["number"]]
    foreign = [row for row in rows if not row["with_id"]]
    if broken:
        told = (f"{row['number'] - row['with_id']:,} of {row['number']:,} {_label(row)} nodes" for row in broken)
        remedy = f"give them an id or delete them: MATCH (n{_pattern(broken[0])}) WHERE n.id IS NULL RETURN n"
        return Finding("nodes without id", FAILED, f"{first_few(told)} have none", remedy)
    if foreign:
        return Finding(
            "nodes without id", OK, f"no {first_few(map(_label, foreign))} node has one; they are left alone"
        )
    return Finding("nodes without id", OK, "none")


def check_doubled_ids(store: Store) -> Finding:
    """Whether two nodes of one label have the same id."""
    rows = store.read(
        "MATCH (n) WHERE n.id IS NOT NULL WITH labels(n) AS labels, n.id AS value, count(*) AS number "
        "WHERE number > 1 RETURN labels, count(*) AS number, collect(value)[..5] AS values"
    )
    return _doubled("doubled ids", "id", "n.id = ", rows)


def check_doubled_keys(store: Store) -> Finding:
    """Whether two nodes of one label were made from the same record of a source."""
    rows = store.read(
        "MATCH (n) UNWIND n.keys AS value WITH labels(n) AS labels, value, count(DISTINCT n) AS number "
        "WHERE number > 1 RETURN labels, count(*) AS number, collect(value)[..5] AS values"
    )
    return _doubled("doubled keys", "key", "", rows)


def check_doubled_edges(store: Store) -> Finding:
    """Whether a source has an edge twice: same type, ends, and key, as two writers at once may leave it."""
    told, sources = [], []
    for brought in read_sources(store):
        for kind in brought.edges:
            if kind.key is not None and (number := _doubled_edges(store, brought.source.name, kind)):
                told.append(f"{number_of(number, kind.relation)} of {shown(brought.source.name)}")
                sources.append(brought.source.name)
    if not told:
        return Finding("doubled edges", OK, "none")
    loads = " and ".join(f"graphrec load {shown(name)}" for name in dict.fromkeys(sources))
    remedy = f"run {loads} again, as it was loaded, which leaves one of each"
    return Finding("doubled edges", FAILED, f"{first_few(told)} too many", remedy)


def _doubled_edges(store: Store, source: str, kind: EdgeType) -> int:
    """How many edges of a source are too many: of start nodes with more edges than ends, those with the same key."""
    start, end = (
        f"(a:{quote(kind.source)}",
        f"-[r:{quote(kind.relation)}]->(b:{quote(kind.target)}) WHERE r.source = $source",
    )
    rows = store.read(
        f"MATCH {start}){end} WITH a.id AS id, count(r) AS edges, count(DISTINCT b.id) AS ends WHERE edges > ends "
        "RETURN collect(id) AS ids, sum(edges - ends) AS number",
        {"source": source},
    )
    if not kind.key:
        return int(rows[0]["number"] or 0)
    key = "".join(f", coalesce(toString(r.{quote(name)}), '{MISSING}') AS k{at}" for at, name in enumerate(kind.key))
    statement = (
        f"UNWIND $ids AS id MATCH {start} {{id: id}}){end} "
        f"WITH id, b.id AS other{key}, count(*) AS times WHERE times > 1 RETURN sum(times - 1) AS number"
    )
    number = 0
    for begin in range(0, len(rows[0]["ids"]), STARTS_A_PIECE):
        some = rows[0]["ids"][begin : begin + STARTS_A_PIECE]
        number += int(store.read(statement, {"ids": some, "source": source})[0]["number"] or 0)
    return number


def check_orphans(store: Store, relations: list[str]) -> Finding:
    """How many users and items have no behaviour, so that nothing is learnt from or about them."""
    names = "|".join(quote(name) for name in relations if name not in SYSTEM_RELATIONS)
    told = []
    for label, pattern in ((USER, f"(n)-[:{names}]->(:{ITEM})"), (ITEM, f"(n)<-[:{names}]-(:{USER})")):
        rows = store.read(
            f"MATCH (n:{label}) RETURN count(*) AS total"
            + (f", sum(CASE WHEN EXISTS {{ {pattern} }} THEN 0 ELSE 1 END) AS number" if names else "")
        )
        total, number = rows[0]["total"], rows[0].get("number", rows[0]["total"])
        if number:
            told.append(f"{number:,} of {number_of(total, label)} without behaviour")
    if not told:
        return Finding("orphans", OK, "none: every user and item has behaviour")
    return Finding(
        "orphans",
        WARNING,
        ", ".join(told),
        "load behaviour that names them; without it models know their attributes alone",
    )


def check_provenance(edges: list[Row]) -> Finding:
    """How many edges say of no source that it brought them; a note, as people may add edges by hand."""
    bare = [row for row in edges if row["sourced"] < row["number"] and row["relation"] not in SYSTEM_RELATIONS]
    if not bare:
        return Finding("edges without source", OK, "none")
    told = first_few(f"{row['number'] - row['sourced']:,} {row['relation']}" for row in bare)
    return Finding("edges without source", OK, f"{told}: written by hand, and no load will take them away")


def check_times(edges: list[Row], now: datetime) -> Finding:
    """Whether edges have a time more than a day ahead, or one in milliseconds."""
    late = [row for row in edges if row["late"]]
    if not late:
        return Finding("times in the future", OK, f"none after {now:%Y-%m-%d}")
    thousandfold = [row for row in late if row["milliseconds"]]
    if thousandfold:
        told = first_few(f"{number_of(row['milliseconds'], row['relation'])}" for row in thousandfold)
        name = thousandfold[0]["relation"]
        late_ones = f"MATCH ()-[r{f':{quote(name)}' if usable(name) else ''}]->() WHERE r.timestamp > {MILLISECONDS}"
        remedy = f"divide them: {late_ones} SET r.timestamp = r.timestamp / 1000"
        return Finding("times in the future", FAILED, f"{told} look like milliseconds, not Unix seconds", remedy)
    told = first_few(f"{row['late']:,} {row['relation']} (up to {_day(row['latest'])})" for row in late)
    remedy = "correct these times in the source and load it again; a split by time takes them for the newest"
    return Finding("times in the future", WARNING, told, remedy)


#: What writes a status first, and finishes what was cut off.
_COMMANDS = {"loading": "load", "unlinking": "unlink", "publishing": "publish"}


def check_zero_ratings(store: Store, relations: list[str]) -> Finding:
    """Whether zeros among ratings look like "not rated"."""
    told = []
    for name in relations:
        rows = store.read(
            f"MATCH (:{USER})-[r:{quote(name)}]->(:{ITEM}) WHERE r.rating IS NOT NULL "
            "RETURN r.rating AS value, count(*) AS number"
        )
        numbers = {float(row["value"]): row["number"] for row in rows if isinstance(row["value"], int | float)}
        told += [sentence] if (sentence := zeros_that_mean_nothing(numbers, name)) else []
    if not told:
        return Finding("zero ratings", OK, "none look like missing ratings")
    seen, _, remedy = told[0].partition(". ")
    return Finding("zero ratings", WARNING, seen, remedy)


def check_unfinished(store: Store, name: str, label: str, status: str, writing: bool) -> Finding:
    """Whether a load or a publication was cut off: a node of the label that still has the status of its beginning."""
    found: list[str] = []
    if label in known_labels(store):
        rows = store.read(
            f"MATCH (n:{label}) WHERE n.status = $status RETURN n.id AS id ORDER BY id", {"status": status}
        )
        found = [str(row["id"]) for row in rows]
    if not found:
        return Finding(name, OK, "none was cut off")
    if writing:
        return Finding(name, OK, f"{first_few(found)} is under way")
    command = f"graphrec {_COMMANDS[status]} {found[0]}"
    return Finding(name, WARNING, f"{first_few(found)} was cut off", f"run {command} again, which finishes it")


def check_vanished_runs(store: Store, relations: list[str]) -> Finding:
    """Whether RECOMMENDED edges name a run that the graph does not have."""
    rows = []
    if RECOMMENDED in relations:
        rows = store.read(
            f"MATCH ()-[r:{RECOMMENDED}]->() WITH r.version AS name, count(*) AS number "
            f"OPTIONAL MATCH (run:{RUN} {{version: name}}) WITH name, number, run WHERE run IS NULL "
            "RETURN toString(name) AS name, number ORDER BY number DESC"
        )
    if not rows:
        return Finding("vanished runs", OK, "every recommendation has its run")
    total = sum(row["number"] for row in rows)
    seen = (
        f"{number_of(total, 'recommendation')} of run {first_few(row['name'] for row in rows)}, which the graph lacks"
    )
    return Finding("vanished runs", WARNING, seen, "publish a run again, which replaces them")


def _edges(store: Store, relations: list[str], now: datetime) -> list[Row]:
    """Edges by relationship type: how many, with a source, with a time ahead, in milliseconds, and the latest time."""
    limits = {"late": int(now.timestamp()) + SECONDS_A_DAY, "milliseconds": MILLISECONDS}
    if not relations:
        return []
    return store.read(
        "MATCH ()-[r]->() RETURN type(r) AS relation, count(*) AS number, count(r.source) AS sourced, "
        "sum(CASE WHEN r.timestamp > $late THEN 1 ELSE 0 END) AS late, "
        "sum(CASE WHEN r.timestamp > $milliseconds THEN 1 ELSE 0 END) AS milliseconds, "
        "max(r.timestamp) AS latest ORDER BY relation",
        limits,
    )


def _doubled(name: str, what: str, test: str, rows: list[Row]) -> Finding:
    if not rows:
        return Finding(name, OK, "none")
    told = (f"{number_of(row['number'], what)} of {_label(row)} ({first_few(row['values'], 3)})" for row in rows)
    value = str(rows[0]["values"][0]).replace("\\", "\\\\").replace("'", "\\'")
    where = f"{test}'{value}'" if test else f"'{value}' IN n.keys"
    remedy = f"keep one node of each: MATCH (n{_pattern(rows[0])}) WHERE {where} RETURN n"
    return Finding(name, FAILED, f"{first_few(told)} on more than one node", remedy)


def _label(row: Row) -> str:
    return shown(":".join(sorted(row["labels"]))) if row["labels"] else "unlabelled"


def _pattern(row: Row) -> str:
    """The labels of a node as they are in a statement; those that cannot are left out."""
    return "".join(f":{quote(label)}" for label in sorted(row["labels"]) if usable(label))


def _day(time: Any) -> str:  # whatever somebody stored as a time
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d}" if isinstance(time, int | float) else str(time)
