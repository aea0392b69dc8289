"""Checks of the data: one statement each, counted in the database, the same on both servers."""

from datetime import UTC, datetime
from typing import Any

from graphrec.doctor.finding import FAILED, OK, WARNING, Finding, format_count
from graphrec.errors import first_few, format_value
from graphrec.evaluation.memory_estimate import Shape
from graphrec.evaluation.zero_ratings import describe_missing_zeros
from graphrec.schema import (
    ITEM,
    RECOMMENDED,
    REJECTED_EVENT,
    RUN,
    SHOWN,
    SOURCE,
    SYSTEM_RELATIONS,
    USER,
    WRITE_LEASE,
    EdgeType,
)
from graphrec.schema_names import is_usable
from graphrec.store import Store
from graphrec.store.connection import Row, quote
from graphrec.store.counts import known_labels, known_relations
from graphrec.store.read import MISSING
from graphrec.store.sources import read_sources

SECONDS_A_DAY = 86_400
#: Threshold: larger timestamps must be milliseconds. In seconds it is the year 5138, in milliseconds 1973.
MILLISECONDS = 100_000_000_000

#: Batch size: start nodes whose edges are compared in one query.
STARTS_A_PIECE = 1_000


def examine(store: Store, now: datetime, writing: bool) -> list[Finding]:
    """All findings about the graph; if `writing`, a command is running, so that unfinished writes are no defect."""
    relations = known_relations(store)
    edges = _count_edges(store, relations, now)
    return [
        check_size(store, edges),
        check_ids(store),
        check_doubled_ids(store),
        check_doubled_keys(store),
        check_doubled_edges(store),
        check_orphans(store, relations),
        check_provenance(edges),
        check_times(edges, now),
        check_impressions(store, relations),
        check_zero_ratings(store, relations),
        check_unfinished(store, "loads", SOURCE, "loading", writing),
        check_unfinished(store, "unlinked sources", SOURCE, "unlinking", writing),
        check_unfinished(store, "published runs", RUN, "publishing", writing),
        check_vanished_runs(store, relations),
        check_rejected_events(store),
    ]


def measure_shape(store: Store) -> Shape:
    """The sizes of the graph that determine how much memory training needs."""
    counts = {label: store.read(f"MATCH (n:{label}) RETURN count(n) AS number")[0]["number"] for label in (USER, ITEM)}
    edges = store.read("MATCH ()-[r]->() RETURN count(r) AS number")[0]["number"]
    has_interactions = f"EXISTS {{ (i)<-[:!{RECOMMENDED}&!{SHOWN}]-(:{USER}) }}"
    known = store.read(f"MATCH (i:{ITEM}) WHERE {has_interactions} RETURN count(i) AS number")[0]["number"]
    paths = 0
    for name in known_relations(store):
        if name not in SYSTEM_RELATIONS:
            rows = store.read(
                f"MATCH (n)-[r:{quote(name)}]-(:{ITEM}) WITH n, count(r) AS degree "
                "RETURN sum(degree * degree) AS number"
            )
            paths += rows[0]["number"] or 0
    return Shape(counts[USER], counts[ITEM], edges, paths, known)


def check_size(store: Store, edges: list[Row]) -> Finding:
    """Report the size of the graph."""
    nodes = store.read(f"MATCH (n) WHERE NOT n:{WRITE_LEASE} RETURN count(n) AS number")[0]["number"]
    number = sum(row["number"] for row in edges)
    if not nodes:
        return Finding(
            "size",
            OK,
            "the graph is empty",
            "run graphrec sniff FILES… for files of your own, or graphrec load movielens for a sample",
        )
    return Finding("size", OK, f"{format_count(nodes, 'node')} and {format_count(number, 'edge')}")


def check_ids(store: Store) -> Finding:
    """Check that every node has an id, in labels with ids; labels without ids belong to other programs."""
    rows = store.read("MATCH (n) RETURN labels(n) AS labels, count(*) AS number, count(n.id) AS with_id")
    broken = [row for row in rows if 0 < row["with_id"] < row["number"]]
    foreign = [row for row in rows if not row["with_id"]]
    if broken:
        counts = (
            f"{row['number'] - row['with_id']:,} of {row['number']:,} {_format_labels(row)} nodes" for row in broken
        )
        remedy = f"give them an id or delete them: MATCH (n{_format_pattern(broken[0])}) WHERE n.id IS NULL RETURN n"
        return Finding("nodes without id", FAILED, f"{first_few(counts)} have none", remedy)
    if foreign:
        return Finding(
            "nodes without id", OK, f"no {first_few(map(_format_labels, foreign))} node has one; graphrec ignores them"
        )
    return Finding("nodes without id", OK, "none")


def check_doubled_ids(store: Store) -> Finding:
    """Check that no two nodes of a label have the same id."""
    rows = store.read(
        "MATCH (n) WHERE n.id IS NOT NULL WITH labels(n) AS labels, n.id AS value, count(*) AS number "
        "WHERE number > 1 RETURN labels, count(*) AS number, collect(value)[..5] AS values"
    )
    return _report_doubled("duplicate ids", "id", "n.id = ", rows)


def check_doubled_keys(store: Store) -> Finding:
    """Check that no two nodes of a label come from the same record of a source."""
    rows = store.read(
        "MATCH (n) UNWIND n.keys AS value WITH labels(n) AS labels, value, count(DISTINCT n) AS number "
        "WHERE number > 1 RETURN labels, count(*) AS number, collect(value)[..5] AS values"
    )
    return _report_doubled("duplicate keys", "key", "", rows)


def check_doubled_edges(store: Store) -> Finding:
    """Check that no source has an edge twice (same type, ends and key), which two simultaneous writers may cause."""
    counts, sources = [], []
    for manifest in read_sources(store):
        for kind in manifest.edges:
            if kind.key is not None and (number := _count_doubled_edges(store, manifest.source.name, kind)):
                counts.append(f"{format_count(number, kind.relation)} of {format_value(manifest.source.name)}")
                sources.append(manifest.source.name)
    if not counts:
        return Finding("duplicate edges", OK, "none")
    loads = " and ".join(f"graphrec load {format_value(name)}" for name in dict.fromkeys(sources))
    remedy = f"run {loads} again with the same options, which keeps one of each"
    return Finding("duplicate edges", FAILED, f"{first_few(counts)} too many", remedy)


def _count_doubled_edges(store: Store, source: str, kind: EdgeType) -> int:
    """The number of surplus edges of a source: those with the same ends and key as another."""
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
    """Count users and items without behaviour, about which models learn nothing."""
    names = "|".join(quote(name) for name in relations if name not in SYSTEM_RELATIONS)
    counts = []
    for label, pattern in ((USER, f"(n)-[:{names}]->(:{ITEM})"), (ITEM, f"(n)<-[:{names}]-(:{USER})")):
        rows = store.read(
            f"MATCH (n:{label}) RETURN count(*) AS total"
            + (f", sum(CASE WHEN EXISTS {{ {pattern} }} THEN 0 ELSE 1 END) AS number" if names else "")
        )
        total, number = rows[0]["total"], rows[0].get("number", rows[0]["total"])
        if number:
            counts.append(f"{number:,} of {format_count(total, label)} without behaviour")
    if not counts:
        return Finding("orphans", OK, "none: every user and item has behaviour")
    return Finding(
        "orphans",
        WARNING,
        ", ".join(counts),
        "load behaviour of them; without it models know only their attributes",
    )


def check_provenance(edges: list[Row]) -> Finding:
    """Count edges without a source; this is no defect, as users may add edges themselves."""
    bare = [row for row in edges if row["sourced"] < row["number"] and row["relation"] not in SYSTEM_RELATIONS]
    if not bare:
        return Finding("edges without source", OK, "none")
    counts = first_few(f"{row['number'] - row['sourced']:,} {row['relation']}" for row in bare)
    return Finding("edges without source", OK, f"{counts}: not written by a load, and no load will delete them")


def check_times(edges: list[Row], now: datetime) -> Finding:
    """Check that no edge has a time more than a day in the future, or in milliseconds."""
    late = [row for row in edges if row["late"]]
    if not late:
        return Finding("times in the future", OK, f"none after {now:%Y-%m-%d}")
    thousandfold = [row for row in late if row["milliseconds"]]
    if thousandfold:
        counts = first_few(f"{format_count(row['milliseconds'], row['relation'])}" for row in thousandfold)
        name = thousandfold[0]["relation"]
        late_ones = f"MATCH ()-[r{f':{quote(name)}' if is_usable(name) else ''}]->() WHERE r.timestamp > {MILLISECONDS}"
        remedy = f"divide them: {late_ones} SET r.timestamp = r.timestamp / 1000"
        return Finding("times in the future", FAILED, f"{counts} look like milliseconds, not Unix seconds", remedy)
    counts = first_few(f"{row['late']:,} {row['relation']} (up to {_format_day(row['latest'])})" for row in late)
    remedy = "correct these times in the source and load it again; a split by time would treat them as the newest"
    return Finding("times in the future", WARNING, counts, remedy)


def check_impressions(store: Store, relations: list[str]) -> Finding:
    """Check that every impression has a number as time; `graphrec feedback` fails on others."""
    name, edges, test = "impressions", f"MATCH (:{USER})-[r:{SHOWN}]->(:{ITEM})", "coalesce(r.timestamp < 1e99, false)"
    if SHOWN not in relations:
        return Finding(name, OK, "none")
    row = store.read(f"{edges} RETURN count(r) AS number, sum(CASE WHEN {test} THEN 0 ELSE 1 END) AS unusable")[0]
    if not row["unusable"]:
        return Finding(name, OK, f"{format_count(row['number'], 'edge')} with times")
    seen = f"{row['unusable']:,} of {format_count(row['number'], f'{SHOWN} edge')} without Unix seconds as timestamp"
    remedy = f"correct or delete them, as graphrec feedback refuses them: {edges} WHERE NOT {test} RETURN r"
    return Finding(name, WARNING, seen, remedy)


#: The command that writes each status first, and that completes an interrupted write.
_COMMANDS = {"loading": "load", "unlinking": "unlink", "publishing": "publish"}


def check_zero_ratings(store: Store, relations: list[str]) -> Finding:
    """Check whether zeros among ratings look like "not rated"."""
    sentences = []
    for name in relations:
        rows = store.read(
            f"MATCH (:{USER})-[r:{quote(name)}]->(:{ITEM}) WHERE r.rating IS NOT NULL "
            "RETURN r.rating AS value, count(*) AS number"
        )
        numbers = {float(row["value"]): row["number"] for row in rows if isinstance(row["value"], int | float)}
        sentences += [sentence] if (sentence := describe_missing_zeros(numbers, name)) else []
    if not sentences:
        return Finding("zero ratings", OK, "none look like missing ratings")
    seen, _, remedy = sentences[0].partition(". ")
    return Finding("zero ratings", WARNING, seen, remedy)


def check_unfinished(store: Store, name: str, label: str, status: str, writing: bool) -> Finding:
    """Check that no load or publication was interrupted: its node would still have the status written at the start."""
    ids: list[str] = []
    if label in known_labels(store):
        rows = store.read(
            f"MATCH (n:{label}) WHERE n.status = $status RETURN n.id AS id ORDER BY id", {"status": status}
        )
        ids = [str(row["id"]) for row in rows]
    if not ids:
        return Finding(name, OK, "none was interrupted")
    if writing:
        return Finding(name, OK, f"{first_few(ids)} is in progress")
    command = f"graphrec {_COMMANDS[status]} {ids[0]}"
    return Finding(name, WARNING, f"{first_few(ids)} was interrupted", f"run {command} again, which completes it")


def check_vanished_runs(store: Store, relations: list[str]) -> Finding:
    """Check that the run of every RECOMMENDED edge is in the graph."""
    rows = []
    if RECOMMENDED in relations:
        rows = store.read(
            f"MATCH ()-[r:{RECOMMENDED}]->() WITH r.version AS name, count(*) AS number "
            f"OPTIONAL MATCH (run:{RUN} {{version: name}}) WITH name, number, run WHERE run IS NULL "
            "RETURN coalesce(toString(name), 'unknown') AS name, number ORDER BY number DESC"
        )
    if not rows:
        return Finding("recommendations of deleted runs", OK, "every recommendation has its run")
    total = sum(row["number"] for row in rows)
    versions = first_few(row["name"] for row in rows)
    seen = f"{format_count(total, 'recommendation')} of version {versions}, whose run is not in the graph"
    return Finding("recommendations of deleted runs", WARNING, seen, "publish a run again, which replaces them")


def check_rejected_events(store: Store) -> Finding:
    """Count the records of streams that became no edge, by stream."""
    rows = []
    if REJECTED_EVENT in known_labels(store):
        rows = store.read(
            f"MATCH (n:{REJECTED_EVENT}) RETURN n.stream AS stream, count(*) AS number, "
            "sum(CASE WHEN n.held THEN 1 ELSE 0 END) AS held ORDER BY number DESC, stream"
        )
    name = "rejected events"
    if not rows:
        return Finding(name, OK, "none")
    counts = first_few(f"{row['number']:,} of {row['stream']}, {row['held'] or 0:,} of them held" for row in rows)
    remedy = "graphrec rejected list says why; correct the TOML file and retry them, or delete them"
    return Finding(name, WARNING, counts, remedy)


def _count_edges(store: Store, relations: list[str], now: datetime) -> list[Row]:
    """By relationship type: the numbers of edges, of those with a source, with a future time, with a time in
    milliseconds, and the latest time."""
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


def _report_doubled(name: str, what: str, test: str, rows: list[Row]) -> Finding:
    if not rows:
        return Finding(name, OK, "none")
    counts = (
        f"{format_count(row['number'], what)} of {_format_labels(row)} ({first_few(row['values'], 3)})" for row in rows
    )
    value = str(rows[0]["values"][0]).replace("\\", "\\\\").replace("'", "\\'")
    where = f"{test}'{value}'" if test else f"'{value}' IN n.keys"
    remedy = f"keep one node of each: MATCH (n{_format_pattern(rows[0])}) WHERE {where} RETURN n"
    return Finding(name, FAILED, f"{first_few(counts)} on more than one node", remedy)


def _format_labels(row: Row) -> str:
    return format_value(":".join(sorted(row["labels"]))) if row["labels"] else "unlabelled"


def _format_pattern(row: Row) -> str:
    """The labels of a node as a statement contains them; unusable ones are left out."""
    return "".join(f":{quote(label)}" for label in sorted(row["labels"]) if is_usable(label))


def _format_day(time: Any) -> str:  # a value of any type
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d}" if isinstance(time, int | float) else str(time)
