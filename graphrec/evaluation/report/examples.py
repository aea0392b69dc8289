"""Example test users as HTML: their history, recommendations and the reasons for these."""

from graphrec.evaluation.report import sentences, words
from graphrec.evaluation.report.markup import details
from graphrec.evaluation.report.paths import path_picture
from graphrec.evaluation.result import Comparison, ExampleUser, ReasonPath, RecommendedItem
from graphrec.markup import escape

#: Number of items of a history that are shown; the rest opens on a click.
MAX_HISTORY = 12


def users(comparison: Comparison) -> str:
    """An article for each example user with the recommendations of each model; those of the first model are open."""
    by_user: dict[str, list[ExampleUser]] = {}
    for example in comparison.examples:
        by_user.setdefault(example.user, []).append(example)
    return "".join(_user(comparison, examples) for examples in by_user.values())


def _user(comparison: Comparison, examples: list[ExampleUser]) -> str:
    titles, first = comparison.titles, examples[0]
    name = words.name_user(first.user)
    num_history = words.count_of_total(len(first.history), first.num_history)
    num_wanted = words.count_of_total(len(first.wanted), first.num_wanted)
    lists = "".join(
        details(sentences.example(example), _list(comparison, example), opened=index == 0)
        for index, example in enumerate(examples)
    )
    wanted = _chips([titles.get(item, item) for item in first.wanted])
    return (
        f"<article class=user><h3>{escape(name[:1].upper() + name[1:])}</h3><div class=known>"
        f"<div><h4>History · {num_history}</h4>{_history(comparison, first)}</div>"
        f"<div><h4>Test items · {num_wanted}</h4>{wanted}</div></div>{lists}</article>"
    )


def _history(comparison: Comparison, example: ExampleUser) -> str:
    names = [comparison.titles.get(item, item) for item in example.history]
    rest = f"and {words.count(len(names) - MAX_HISTORY)} more"
    more = details(rest, _chips(names[MAX_HISTORY:])) if len(names) > MAX_HISTORY else ""
    return _chips(names[:MAX_HISTORY]) + more


def _chips(names: list[str]) -> str:
    if not names:
        return "<p class=none>no items</p>"
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
    steps = words.name_steps(reason, comparison.titles)
    label = f"{title}, {words.share(reason.share)} of the score: {' '.join(steps)}"
    width = min(max(reason.share, 0.0), 1.0) * 40
    meter = (
        '<svg class=meter viewBox="0 0 40 6" aria-hidden=true><rect class=all width="40" height="6" rx="3"/>'
        f'<rect width="{width:.1f}" height="6" rx="3"/></svg>'
    )
    picture = path_picture(steps, label)
    return f"<li><span class=share>{meter}{words.share(reason.share)}</span>{picture}</li>"
