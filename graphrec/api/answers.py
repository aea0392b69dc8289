"""Answers as JSON: recommendations with an id that later events may name."""

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from graphrec.serving.answer import Answer, Recommended
from graphrec.store.active_run import ActiveRun


def new_id() -> str:
    """A new recommendation id; it contains nothing of the user or the request."""
    return f"r_{secrets.token_urlsafe(12)}"


def encode(value: object) -> bytes:
    """A value as JSON, compact and in UTF-8; null for NaN and infinity, texts for dates and other values of Cypher."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=str)
    except ValueError:  # NaN or infinity
        cleaned = json.loads(json.dumps(value, default=str), parse_constant=lambda _: None)
        text = json.dumps(cleaned, ensure_ascii=False, separators=(",", ":"))
    return text.encode()


def build_answer(
    answer: Answer, run: ActiveRun | None, because: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, Any]:
    """An answer as a record in the form of `shapes.Recommendations`."""
    record = build_items(answer.items, answer.user or None, run, answer.notes, because)
    return record | ({"trace": answer.trace.rows()} if len(answer.trace) else {})


def build_items(
    items: Sequence[Recommended],
    user: str | None,
    run: ActiveRun | None,
    notes: Sequence[str],
    because: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """Recommended items as a record in the form of `shapes.Recommendations`."""
    return {
        "recommendation_id": new_id(),
        "user": user,
        "run": None if run is None else run.id,
        "strategy": items[0].strategy.value if items else "none",
        "items": [_build_item(each, because) for each in items],
        "notes": list(notes),
    }


def _build_item(item: Recommended, because: Mapping[str, Mapping[str, Any]] | None) -> dict[str, Any]:
    record = {
        "item": item.item,
        "title": item.title,
        "score": item.score,
        "rank": item.rank,
        "strategy": item.strategy.value,
        "detail": item.detail,
        "run": item.run,
    }
    return record if because is None else record | {"because": because.get(item.item)}
