"""The strongest reason of each item of an answer, for users who are known from training."""

from collections.abc import Mapping
from typing import Any

from graphrec.serving.answer import Answer, Strategy
from graphrec.serving.snapshot import Snapshot

#: Strategies whose scores are those of the training, which reasons explain.
_EXPLAINED = {Strategy.PUBLISHED, Strategy.RERANKED}


def find_reasons(snapshot: Snapshot, answer: Answer) -> Mapping[str, Mapping[str, Any]]:
    """The strongest reason by item, as id, label and title; items without a reason are left out."""
    fold_in = snapshot.fold_in
    items = [each.item for each in answer.items if each.strategy in _EXPLAINED]
    if fold_in is None or not items:
        return {}
    found = fold_in.find_reasons(answer.user, items)
    return {
        item: {"id": id_, "label": label, "title": snapshot.titles.get(id_) if label == "Item" else None}
        for item, (id_, label) in found.items()
    }
