"""Users of the test part as HTML: what they had, what models gave them, and why."""

from graphrec.evaluation.report import sentences, words
from graphrec.evaluation.report.markup import details
from graphrec.evaluation.report.paths import path_picture
from graphrec.evaluation.result import Comparison, ExampleUser, ReasonPath, RecommendedItem
from graphrec.markup import escape

#: So many items of a history are shown before the rest is folded away.
HISTORY = 12


def users(comparison: Comparison) -> str:
    """An article for each user of the examples, with what each model gave it; the first model of each is open."""
    found: dict[str, list[ExampleUser]] = {}
    for example in comparison.examples:
        found.setdefault(example.user, []).append(example)
    return "".join(_user(comparison, examples) for examples in found.values())


def _user(comparison: Comparison, examples: list[ExampleUser]) -> str:
    titles, first = comparison.titles, examples[0]
    name, had, to_find = words.user(first.user), len(first.history), len(first.wanted)
    given = "".join(
        details(sentences.example(example), _list(comparison, example), opened=place == 0)
        for place, example in enumerate(examples)
    )
    wanted = _chips([titles.get(item, item) for item in first.wanted])
    return (
        f"<article class=user><h3>{escape(name[:1].upper() + name[1:])}</h3><div class=known>"
        f"<div><h4>Had before · {words.some(had, first.num_history)}</h4>{_history(comparison, first)}</div>"
        f"<div><h4>Is to find · {words.some(to_find, first.num_wanted)}</h4>{wanted}</div></div>{given}</article>"
    )


def _history(comparison: Comparison, example: ExampleUser) -> str:
    names = [comparison.titles.get(item, item) for item in example.history]
    rest = f"and {words.count(len(names) - HISTORY)} more"
    return _chips(names[:HISTORY]) + (details(rest, _chips(names[HISTORY:])) if len(names) > HISTORY else "")


def _chips(names: list[str]) -> str:
    if not names:
        return "<p class=none>nothing</p>"
    return f"<ul class=chips>{''.join(f'<li>{escape(name)}</li>' for name in names)}</ul>"


def _list(comparison: Comparison, example: ExampleUser) -> str:
    if not example.shown:
        return "<p class=none>no recommendations</p>"
    return f"<ol class=shown>{''.join(_item(comparison, shown) for shown in example.shown)}</ol>"


def _item(comparison: Comparison, shown: RecommendedItem) -> str:
    title = comparison.titles.get(shown.item, shown.item)
    hit = "<span class=hit>✓ in test</span>" if shown.hit else ""
    reasons = "".join(_reason(comparison, reason, title) for reason in shown.reasons)
    inside = f"<ul class=reasons>{reasons}</ul>" if reasons else ""
    return f"<li{' class=found' if shown.hit else ''}><span class=item>{escape(title)}</span>{hit}{inside}</li>"


def _reason(comparison: Comparison, reason: ReasonPath, title: str) -> str:
    label = f"{title}, {words.share(reason.share)} of the score: {' '.join(words.steps(reason, comparison.titles))}"
    wide = min(max(reason.share, 0.0), 1.0) * 40
    meter = (
        '<svg class=meter viewBox="0 0 40 6" aria-hidden=true><rect class=all width="40" height="6" rx="3"/>'
        f'<rect width="{wide:.1f}" height="6" rx="3"/></svg>'
    )
    picture = path_picture(words.steps(reason, comparison.titles), label)
    return f"<li><span class=share>{meter}{words.share(reason.share)}</span>{picture}</li>"
