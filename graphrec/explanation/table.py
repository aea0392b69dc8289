"""An explanation as data frames and as JSON values."""

from typing import Any

import pandas as pd

from graphrec.explanation.model import Explanation, Node, Path, Reason, Route, RouteKind
from graphrec.explanation.text import as_sentence, name, percent, users

#: Columns of the table of paths.
COLUMNS = ("contribution", "share", "path")

#: Share of the score up to which a remainder is a rounding error of float32 sums.
ROUNDING = 1e-5


def as_frame(explanation: Explanation) -> pd.DataFrame:
    """One row for each listed path, the largest contribution first, then one for each remainder that is not zero:
    contribution, share (of the score) and path, as a text. The contributions add up to the score, up to rounding."""
    rows = [(path.contribution, explanation.share(path.contribution), as_text(path)) for path in explanation.paths]
    for part in explanation.attribution.rest:
        if abs(part.amount) <= ROUNDING * abs(explanation.score):
            continue
        count = f" ({part.count:,})" if part.count else ""
        rows.append((part.amount, explanation.share(part.amount), f"{part.kind}{count}"))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def reasons_frame(explanation: Explanation) -> pd.DataFrame:
    """One row for each reason, the largest amount first: share, amount, because (the node) and through (its routes)."""
    rows = [
        (
            explanation.share(each.amount),
            each.amount,
            f"{'|'.join(each.relations)} {name(each.node)}".lstrip(),
            _describe_routes(each),
        )
        for each in explanation.reasons
    ]
    return pd.DataFrame(rows, columns=["share", "amount", "because", "through"])


def as_text(path: Path) -> str:
    """A path in one line: `User 2 -LISTENED→ ABBA ←LISTENED- User 7 -LISTENED→ Madonna`."""
    text = name(path.nodes[0])
    for step, node in zip(path.steps, path.nodes[1:], strict=True):
        relation = step.relation or "alike"
        left, right = {True: ("-", "→"), False: ("←", "-"), None: ("-", "-")}[step.forward]
        text += f" {left}{relation}{right} {name(node)}"
    return text


def as_record(explanation: Explanation) -> dict[str, Any]:
    """The record that `graphrec explain --json` prints.

    score = Σ contribution of `paths` + rest, and rest = Σ amount of `rest_parts`. The `reasons` divide the score in
    another way: their amounts add up to it if the explanation is exact.
    """
    return {
        "user": explanation.user.id,
        "item": explanation.item.id,
        "score": explanation.score,
        "paths": [_path(explanation, path) for path in explanation.paths],
        "rest": explanation.rest,
        "rest_parts": [
            {"name": part.kind.value, "amount": part.amount, "paths": part.count}
            for part in explanation.attribution.rest
        ],
        "reasons": [_reason(explanation, reason) for reason in explanation.reasons],
        "exact": explanation.exact,
        "title": explanation.item.title,
        "model": explanation.model,
        "run": explanation.run,
        "relation": explanation.relation,
        "num_holders": explanation.num_holders,
        "seen": explanation.seen,
        "folded_in": explanation.folded_in,
        "sentence": as_sentence(explanation),
    }


def _path(explanation: Explanation, path: Path) -> dict[str, Any]:
    record: dict[str, Any] = {
        "nodes": [_node(node) for node in path.nodes],
        "relations": [step.relation for step in path.steps],
        "contribution": path.contribution,
        "share": explanation.share(path.contribution),
    }
    return record | ({"gone": True} if any(step.gone for step in path.steps) else {})


def _node(node: Node) -> dict[str, Any]:
    return {"label": node.label, "id": node.id, "title": node.title} | ({"is_text": True} if node.is_text else {})


def _reason(explanation: Explanation, reason: Reason) -> dict[str, Any]:
    return {
        "kind": reason.kind.value,
        "node": _node(reason.node),
        "relation": "|".join(reason.relations),
        "amount": reason.amount,
        "share": explanation.share(reason.amount),
        "steps": reason.steps,
        "through": [
            {
                "kind": route.kind.value,
                "amount": route.amount,
                "count": route.count,
                "node": None if route.node is None else _node(route.node),
                "relation": route.relation,
            }
            for route in reason.through
        ],
    }


def _describe_routes(reason: Reason) -> str:
    """The routes of a reason in a few words, each with its share of the reason."""
    words = [(route_text(route), route.amount / reason.amount) for route in reason.through if reason.amount]
    return ", ".join(f"{text} {percent(share)}" if len(words) > 1 else text for text, share in words)


def route_text(route: Route) -> str:
    """A route in a few words: `34 users`, `tag ‘rock’`, `longer walks`."""
    if route.kind is RouteKind.PEOPLE:
        return users(route.count)
    if route.kind is RouteKind.NEXT:
        return f"{users(route.count)} next"
    if route.kind is RouteKind.VALUE and route.node is not None:
        return f"{route.node.label} {route.node.name}"
    if route.kind is RouteKind.VALUES:
        return f"{route.count:,} more of {route.relation}"
    if route.kind in (RouteKind.LINK, RouteKind.INPUT):
        return str(route.relation)
    return {
        RouteKind.DIRECT: "directly",
        RouteKind.ONWARD: "their other choices",
        RouteKind.LONGER: "longer walks",
        RouteKind.ALIKE: "similar to the model",
    }[route.kind]
