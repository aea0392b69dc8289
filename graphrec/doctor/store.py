"""Checks of the store: whether it starts or answers, its version, its log, and its constraints."""

import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from graphrec import config
from graphrec.config import Settings
from graphrec.doctor.finding import FAILED, OK, WARNING, Finding, format_count
from graphrec.doctor.machine import is_older
from graphrec.errors import StoreError, first_few
from graphrec.schema import SYSTEM_LABELS
from graphrec.schema_names import is_usable
from graphrec.store import EmbeddedServer, Store
from graphrec.store.connection import quote
from graphrec.store.lease import STALE_SECONDS, read_lease

#: The minimum version of Neo4j that supports the statements of graphrec.
MIN_VERSION = "5.26"

_ERROR = re.compile(r"^\S+ \S+ (?:SEVER|ERROR)\S* +(?:\[[^\]]*\] *)?(?:<[^>]*> *)?(?P<text>.*)$")


def reach(settings: Settings, note: Callable[[str], None]) -> tuple[Finding, Store | None]:
    """Open the store; return the finding and the open store, which the caller closes, or None.

    If the home has no store, none is created: a server is started and stopped in a temporary folder instead.
    """
    if settings.neo4j_uri is None and not settings.embedded.folder.exists():
        return _try_start(), None
    try:
        store = config.open_store(settings, note)
        version = store.version()
    except StoreError as error:
        return Finding("store", FAILED, _extract_cause(error), _extract_remedy(error)), None
    server = "the embedded store" if settings.neo4j_uri is None else version
    finding = check_version(version, f"{server} answers at {store.address.uri}")
    return finding, store


def check_version(version: str, seen: str) -> Finding:
    """Check that the server, such as `Neo4j Kernel 5.26.30`, is new enough; if so, the finding reports `seen`."""
    number = version.rpartition(" ")[2]
    if is_older(number, MIN_VERSION):
        seen = f"it is {version}, but {MIN_VERSION} is required"
        return Finding("store", FAILED, seen, f"install Neo4j {MIN_VERSION} or newer")
    return Finding("store", OK, seen)


def check_log(*paths: Path) -> Finding:
    """Check the log files of the embedded server for errors since it was started."""
    lines: list[str] = []
    existing = [path for path in paths if path.exists()]
    if not existing:
        return Finding("store log", OK, "there is no log")
    for path in existing:
        try:
            lines += path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError as error:
            return Finding("store log", FAILED, f"{path} cannot be read: {error.strerror}", f"run chmod 600 {path}")
    errors = [match["text"] for line in lines if (match := _ERROR.match(line))]
    if any("OutOfMemoryError" in line for line in lines):
        return Finding(
            "store log", FAILED, "the server ran out of memory", "run graphrec store stop, and end other programs"
        )
    if errors:
        seen = f"{format_count(len(errors), 'error')}, the last: {errors[-1][:120]}"
        return Finding("store log", WARNING, seen, f"read {existing[-1]}; graphrec store stop starts a new log")
    return Finding("store log", OK, "no errors since the server was started")


def check_constraints(store: Store) -> Finding:
    """Check that each loaded label has a uniqueness constraint on its ids, which also indexes them."""
    rows = store.read("SHOW CONSTRAINTS YIELD type, labelsOrTypes, properties RETURN type, labelsOrTypes, properties")
    constrained = {row["labelsOrTypes"][0] for row in rows if "UNIQUE" in row["type"] and row["properties"] == ["id"]}
    loaded = store.read("MATCH (n) WHERE n.keys IS NOT NULL UNWIND labels(n) AS label RETURN DISTINCT label")
    unconstrained = sorted({row["label"] for row in loaded if is_usable(row["label"])} - constrained - SYSTEM_LABELS)
    if not unconstrained:
        return Finding("constraints", OK, "ids are unique by constraint")
    example = f"CREATE CONSTRAINT FOR (n:{quote(unconstrained[0])}) REQUIRE n.id IS UNIQUE"
    remedy = f"load a source with these labels again, which creates them, or run {example}"
    return Finding("constraints", WARNING, f"no constraint makes the ids of {first_few(unconstrained)} unique", remedy)


def check_lease(store: Store) -> Finding:
    """Check whether another machine or process is writing to the graph, or was killed while writing."""
    holder = read_lease(store)
    if holder is None:
        return Finding("write lease", OK, "no process is writing")
    if holder.stale:
        seen = f"left by {holder.describe()}"
        return Finding("write lease", OK, seen, "the next load, unlink or publish takes it over")
    remedy = f"wait until it finishes; if it was killed, others take over {STALE_SECONDS:.0f} s after its last renewal"
    return Finding("write lease", WARNING, holder.describe(), remedy)


def _try_start() -> Finding:
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="graphrec-doctor-") as folder:
        server = EmbeddedServer(Path(folder))
        try:
            server.start()
        except StoreError as error:
            return Finding("store", FAILED, _extract_cause(error), _extract_remedy(error))
        finally:
            server.stop()
    seconds = time.perf_counter() - start
    return Finding(
        "store",
        OK,
        f"the embedded store starts (tested for {seconds:.1f} s in a temporary folder); there is no graph yet",
    )


def _extract_cause(error: StoreError) -> str:
    return str(error).partition("; ")[0]


def _extract_remedy(error: StoreError) -> str:
    """The remedy in an error of the store, which is the part after the first semicolon."""
    return str(error).partition("; ")[2] or "run graphrec store status"
