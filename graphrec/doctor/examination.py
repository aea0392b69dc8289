"""Run all checks in order."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import psutil

from graphrec.config import Settings
from graphrec.doctor import data, machine, store
from graphrec.doctor.finding import FAILED, OK, WARNING, Finding
from graphrec.errors import StoreError
from graphrec.evaluation.memory_estimate import Shape
from graphrec.progress import StageProgress, silent
from graphrec.redaction import redact


def examine(
    settings: Settings, note: Callable[[str], None] = lambda _: None, progress: StageProgress = silent
) -> dict[str, list[Finding]]:
    """All findings about machine, store and data.

    Nothing is changed, except that an embedded store with data is started if it is not running, as every command does;
    `note` is called then. If the store cannot be reached, this is a finding of the store and of the data.
    """
    progress("examining", 0, 3)
    about_machine = machine.examine(settings)
    writing = any(finding.name == "writing lock" and finding.state == WARNING for finding in about_machine)
    progress("examining", 1, 3)
    connection, opened = store.reach(settings, note)
    about_store = [connection]
    if settings.neo4j_uri is None:
        about_store.append(store.check_log(*settings.embedded.logs))
    progress("examining", 2, 3)
    shape = Shape(0, 0, 0, 0, 0)
    about_data = [_report_unexamined(connection)]
    if opened is not None:
        with opened:
            try:
                about_store.append(store.check_constraints(opened))
                about_store.append(store.check_lease(opened))
                writing = writing or about_store[-1].state == WARNING
                about_data = data.examine(opened, datetime.now(UTC), writing)
                shape = data.measure_shape(opened)
            except StoreError as error:
                about_data = [Finding("data", FAILED, str(error), "run graphrec doctor again")]
    about_machine.append(machine.check_memory(shape, psutil.virtual_memory().available))
    progress("examining", 3, 3)
    by_area = {"machine": about_machine, "store": about_store, "data": about_data}
    return {area: [_redact(finding) for finding in findings] for area, findings in by_area.items()}


def _redact(finding: Finding) -> Finding:
    """The finding without secrets, such as those in an address or in the command line of another process."""
    return replace(finding, seen=redact(finding.seen), remedy=redact(finding.remedy))


def _report_unexamined(connection: Finding) -> Finding:
    """The finding about the data of a store that is not open."""
    if connection.state == OK:
        return Finding("data", OK, "there is no graph yet", "run graphrec load movielens for a first source")
    return Finding("data", WARNING, "not examined, as the store cannot be reached", "repair the store first")
