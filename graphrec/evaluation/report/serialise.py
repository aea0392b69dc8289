"""A comparison as values for JSON: what a run with the same seed repeats, and apart from it what it costs."""

import math
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

from graphrec.evaluation.audit import Audit
from graphrec.evaluation.report import findings
from graphrec.evaluation.result import Comparison, Cost, ModelResult, Setup
from graphrec.tuning.trial import Quality, Trial

#: Fields that differ between two runs with one seed, or are too long to be of use.
LEFT_OUT: Mapping[type, frozenset[str]] = {
    Trial: frozenset({"seconds"}),
    Quality: frozenset({"values"}),
    Setup: frozenset({"machine"}),
}


def as_json(comparison: Comparison) -> dict[str, Any]:  # what json.dumps takes
    """The comparison without times, memory and machine: equal for two runs with one seed, in the same order.

    Numbers that JSON cannot write (NaN, infinity) are None; mappings are in the order of their keys. `leader` and
    `audit_passed` say in short what was found.
    """
    found = {"leader": findings.leader(comparison).name, "audit_passed": findings.passed(comparison)}
    return found | dict(_plain(comparison))


def costs_as_json(comparison: Comparison, now: datetime) -> dict[str, Any]:  # what json.dumps takes
    """What `as_json` leaves out: date, machine, and for each round of each model its seconds and memory."""
    return {
        "written_at": now.isoformat(timespec="seconds"),
        "machine": comparison.setup.machine,
        "results": [{"name": result.name, "rounds": _rounds(result)} for result in comparison.results],
    }


def _rounds(result: ModelResult) -> list[dict[str, Any]]:
    return [
        {
            "split": done.split,
            "seed": done.seed,
            "cost": {field.name: _plain(getattr(done.cost, field.name)) for field in fields(Cost)},
            "trial_seconds": [_plain(trial.seconds) for trial in done.trials],
        }
        for done in result.rounds
    ]


def _plain(value: Any) -> Any:  # any field of a comparison
    if is_dataclass(value) and not isinstance(value, type):
        return _fields(value)
    if isinstance(value, Mapping):
        ordered = sorted(value.items(), key=lambda entry: (_natural(str(entry[0])), str(entry[0])))
        return {str(key): _plain(inside) for key, inside in ordered}
    if isinstance(value, list | tuple):
        return [_plain(inside) for inside in value]
    if isinstance(value, str | bool) or value is None:
        return value
    number = value.item() if hasattr(value, "item") else value  # numpy's numbers
    return None if isinstance(number, float) and not math.isfinite(number) else number


def _fields(value: Any) -> dict[str, Any]:  # one of the dataclasses of a comparison
    dropped = LEFT_OUT.get(type(value), frozenset())
    names = [field.name for field in fields(value) if field.name not in dropped]
    found = {name: _plain(getattr(value, name)) for name in names if not isinstance(getattr(value, name), Cost)}
    return {"passed": value.passed, **found} if isinstance(value, Audit) else found


def _natural(text: str) -> list[tuple[int, int, str]]:
    """The key of an order in which `recall@5` comes before `recall@20`."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", text)]
