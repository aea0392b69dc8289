"""An explanation as rows and as plain values."""

from typing import Any

import pandas as pd

from graphrec.explanation.model import Explanation, Node, Path, Reason, Route
from graphrec.explanation.text import as_sentence, name, people, percent

#: Columns of the table of paths.
COLUMNS = ("contribution", "share", "path")


def as_frame(explanation: Explanation) -> pd.DataFrame:
    """A row for each named path, the strongest first, then for each part of the rest: contribution, share (of the
    score) and path, as a text. The contributions add up to the score."""
    rows = [(path.contribution, explanation.share(path.contribution), as_text(path)) for path in explanation.paths]
    for part in explanation.split.rest:
        count = f" ({part.count:,})" if part.count else ""
        rows.append((part.amount, explanation.share(part.amount), f"{part.name}{count}"))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def reasons_frame(explanation: Explanation) -> pd.DataFrame:
    """A row for each reason, the strongest first: share, amount, because (what it is) and through (how it leads on)."""
    rows = [
        (explanation.share(each.amount), each.amount, f"{'|'.join(each.relations)} {name(each.node)}", _ways(each))
        for each in explanation.reasons
    ]
    return pd.DataFrame(rows, columns=["share", "amount", "because", "through"])


def as_text(path: Path) -> str:
    """A path in one line: `User 2 -LISTENED→ ABBA ←LISTENED- User 7 -LISTENED→ Madonna`."""
    text = name(path.nodes[0])
    for hop, node in zip(path.hops, path.nodes[1:], strict=True):
        relation = hop.relation or "alike"
        left, right = {True: ("-", "→"), False: ("←", "-"), None: ("-", "-")}[hop.forward]
        text += f" {left}{relation}{right} {name(node)}"
    return text


def as_record(explanation: Explanation) -> dict[str, Any]:
    """What `graphrec explain --json` prints: score = Σ contribution of `paths` + rest, and Σ amount of `rest_parts` =
    rest; `reasons` are another sum of the same score, and add up to it where the explanation is exact."""
    return {
        "user": explanation.user.id,
        "item": explanation.item.id,
        "score": explanation.score,
        "paths": [_path(explanation, path) for path in explanation.paths],
        "rest": explanation.rest,
        "rest_parts": [
            {"name": part.name, "amount": part.amount, "paths": part.count} for part in explanation.split.rest
        ],
        "reasons": [_reason(explanation, reason) for reason in explanation.reasons],
        "exact": explanation.exact,
        "title": explanation.item.title,
        "model": explanation.model,
        "run": explanation.run,
        "relation": explanation.relation,
        "num_holders": explanation.num_holders,
        "seen": explanation.seen,
        "sentence": as_sentence(explanation),
    }


def _path(explanation: Explanation, path: Path) -> dict[str, Any]:
    found: dict[str, Any] = {
        "nodes": [_node(node) for node in path.nodes],
        "relations": [hop.relation for hop in path.hops],
        "contribution": path.contribution,
        "share": explanation.share(path.contribution),
    }
    return found | ({"gone": True} if any(hop.gone for hop in path.hops) else {})


def _node(node: Node) -> dict[str, Any]:
    return {"label": node.label, "id": node.id, "title": node.title} | ({"is_text": True} if node.is_text else {})


def _reason(explanation: Explanation, reason: Reason) -> dict[str, Any]:
    return {
        "kind": reason.kind,
        "node": _node(reason.node),
        "relation": "|".join(reason.relations),
        "amount": reason.amount,
        "share": explanation.share(reason.amount),
        "through": [
            {
                "kind": part.kind,
                "amount": part.amount,
                "count": part.count,
                "node": None if part.node is None else _node(part.node),
                "relation": part.relation,
            }
            for part in reason.through
        ],
    }


def _ways(reason: Reason) -> str:
    """How a reason leads on, in a few words, with the share of each way in the reason."""
    words = [(way(part), part.amount / reason.amount) for part in reason.through if reason.amount]
    return ", ".join(f"{text} {percent(share)}" if len(words) > 1 else text for text, share in words)


def way(part: Route) -> str:
    """A way in a few words: `34 people`, `tag ‘rock’`, `longer walks`."""
    if part.kind == "people":
        return people(part.count)
    if part.kind == "value" and part.node is not None:
        return f"{part.node.label} {part.node.name}"
    if part.kind == "values":
        return f"{part.count:,} more of {part.relation}"
    if part.kind == "link":
        return str(part.relation)
    return {
        "direct": "directly",
        "onward": "what they did",
        "longer": "longer walks",
        "alike": "found alike by the model",
    }[part.kind]
