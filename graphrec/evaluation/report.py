"""A comparison as one HTML page that needs nothing but itself."""

import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from graphrec.evaluation.compare import BASELINE, HEADLINE, Comparison, Facts, ModelResult
from graphrec.files import written_whole

#: Whose versions a reader needs to repeat the numbers.
PACKAGES = ("graphrec", "torch", "torch_geometric", "numpy", "scipy")

SPLITS = {
    "time": "by global time: the last tenth of all interactions is test, the tenth before it validation; nothing that "
    "a model sees, of any relationship type, is as late as what it is tested on",
    "random": "at random: a tenth of all interactions is test, another tenth validation; a model may learn from the "
    "future of what it is tested on, so read the figures as a comparison of models, not as a forecast",
    "leave-last-out": "each user's last interaction is test, the one before validation; other users' later "
    "interactions are visible, so read the figures as a comparison of models, not as a forecast",
}

STYLE = """
:root { color-scheme: light dark; --paper: #fbfaf7; --ink: #1d2025; --soft: #6a6f78; --line: #e2dfd8; --bar: #3f6f9f;
  --best: #b4532a; --card: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --paper: #15171b; --ink: #e6e4df; --soft: #969ba5; --line: #2d3138;
  --bar: #6fa3d6; --best: #e58a5c; --card: #1b1e23; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 3rem 1.25rem 4rem; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 .4rem; letter-spacing: -.02em; }
h2 { font-size: 1.1rem; margin: 2.6rem 0 .8rem; }
.lead { color: var(--soft); margin: 0; max-width: 46rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.2rem;
  overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .94rem; }
th, td { padding: .5rem .55rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
tr:last-child td { border-bottom: 0; }
th { color: var(--soft); font-weight: 500; } th:first-child, td:first-child { text-align: left; }
td b { color: var(--best); }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 1rem; margin: 0; }
dt { color: var(--soft); font-size: .84rem; } dd { margin: 0; font-size: 1.25rem; font-variant-numeric: tabular-nums; }
svg { display: block; width: 100%; height: auto; } svg text { font: 13px system-ui, sans-serif; fill: var(--ink); }
svg .bar { fill: var(--bar); } svg .best { fill: var(--best); } svg .whisker { stroke: var(--ink); stroke-width: 1.5; }
details { margin: .4rem 0; } summary { cursor: pointer; } code { font-size: .86rem; overflow-wrap: anywhere; }
footer { color: var(--soft); font-size: .86rem; margin-top: 2.5rem; }
"""


def write(comparison: Comparison, path: Path, now: datetime | None = None) -> None:
    """Write the page, whole or not at all. Raises GraphrecError where it cannot be written."""
    with written_whole(path) as partial:
        partial.write_text(render(comparison, now or datetime.now(UTC)), encoding="utf-8")


def render(comparison: Comparison, now: datetime) -> str:
    """The page as HTML, without any reference to another file or host."""
    facts, results = comparison.facts, comparison.results
    best = max(results, key=lambda result: result.metrics[HEADLINE])
    title = f"Which model recommends {facts.relation} best"
    lead = f"{best.name} leads with {HEADLINE} {best.metrics[HEADLINE]:.4f} on {facts.num_test_users:,} test users"
    parts = [
        f"<h1>{escape(title)}</h1><p class=lead>{escape(lead + _gain(best))}.</p>",
        "<h2>Quality on test</h2><div class=card>" + _metrics_table(results) + "</div>",
        f"<h2>{HEADLINE} with 95 % intervals</h2><div class=card>" + _bars(results, best.name) + "</div>",
        "<h2>Difference to popularity</h2><div class=card>" + _differences(results) + "</div>",
        "<h2>Seconds</h2><div class=card>" + _seconds(results) + "</div>",
        "<h2>Data and split</h2><div class=card>" + _facts(facts) + "</div>",
        f"<p>The split is {escape(SPLITS.get(facts.split, facts.split))}. Every item that a user has not seen in "
        "training is ranked. Users without a training interaction are cold and left out. Settings are chosen on "
        "validation, the model is fitted again to train and validation, and test is used once.</p>",
        "<h2>Settings and trials</h2>" + "".join(_settings(result) for result in results),
        f"<footer>{escape(now.strftime('%Y-%m-%d %H:%M UTC'))} · {escape(_versions())}</footer>",
    ]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>'
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _gain(result: ModelResult) -> str:
    if result.difference is None or result.difference_interval is None:
        return ""
    low, high = result.difference_interval
    return f", {result.difference:+.4f} against {BASELINE} (95 % interval {low:+.4f} to {high:+.4f})"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _metrics_table(results: tuple[ModelResult, ...]) -> str:
    names = list(results[0].metrics)
    best = {name: max(result.metrics[name] for result in results) for name in names}

    def cell(result: ModelResult, name: str) -> str:
        text = f"{result.metrics[name]:.4f}"
        return f"<b>{text}</b>" if result.metrics[name] == best[name] else text

    rows = ([escape(result.name), *(cell(result, name) for name in names)] for result in results)
    return _table(["model", *names], rows)


def _bars(results: tuple[ModelResult, ...], best: str) -> str:
    """Horizontal bars of the headline metric; the whisker is its interval."""
    step, left, width = 34, 130, 560
    top = max(max(result.interval[1], result.metrics[HEADLINE]) for result in results) or 1.0
    parts = []
    for row, result in enumerate(results):
        value, y = result.metrics[HEADLINE], row * step
        low, high = (left + width * bound / top for bound in result.interval)
        kind = "best" if result.name == best else "bar"
        parts.append(
            f'<text x="{left - 10}" y="{y + 21}" text-anchor="end">{escape(result.name)}</text>'
            f'<rect class="{kind}" x="{left}" y="{y + 6}" width="{width * value / top:.1f}" height="20" rx="3"/>'
            f'<path class="whisker" d="M{low:.1f} {y + 16}H{high:.1f}M{low:.1f} {y + 11}v10M{high:.1f} {y + 11}v10"/>'
            f'<text x="{left + width + 12}" y="{y + 21}">{value:.4f}</text>'
        )
    height = step * len(results)
    return f'<svg viewBox="0 0 780 {height}" role="img" aria-label="{HEADLINE} of each model">{"".join(parts)}</svg>'


def _differences(results: tuple[ModelResult, ...]) -> str:
    rows = []
    for result in results:
        if result.difference is not None and result.difference_interval is not None:
            low, high = result.difference_interval
            verdict = "better" if low > 0 else "worse" if high < 0 else "not told apart"
            rows.append([escape(result.name), f"{result.difference:+.4f}", f"{low:+.4f} … {high:+.4f}", verdict])
    if not rows:
        return f"{BASELINE} was not among the models, so there is nothing to compare with."
    return _table(["model", f"{HEADLINE} minus {BASELINE}", "95 % interval", "verdict"], rows)


def _seconds(results: tuple[ModelResult, ...]) -> str:
    head = ["model", "choosing settings", "fitting", "recommending to test users"]
    spent = ([r.name, r.seconds_tune, r.seconds_fit, r.seconds_recommend] for r in results)
    return _table(head, ([escape(str(name)), *(f"{second:.2f}" for second in seconds)] for name, *seconds in spent))


def _facts(facts: Facts) -> str:
    names = {
        "users": facts.num_users,
        "items": facts.num_items,
        "train interactions": facts.num_train,
        "validation": facts.num_validation,
        "test": facts.num_test,
        "test users": facts.num_test_users,
        "cold users left out": facts.num_cold_users,
    }
    return "<dl>" + "".join(f"<div><dt>{name}</dt><dd>{value:,}</dd></div>" for name, value in names.items()) + "</dl>"


def _settings(result: ModelResult) -> str:
    chosen = ", ".join(f"{name} {value}" for name, value in result.config.items()) or "no settings"
    title = f"{escape(result.name)}: {len(result.trials)} trials"
    text = f"<details><summary>{title}</summary><p><code>{escape(chosen)}</code></p>"
    if result.trials:
        varied = [n for n in result.config if len({trial.config[n] for trial in result.trials}) > 1]
        rows = (
            [*(escape(str(trial.config[name])) for name in varied), f"{trial.quality.plain:.4f}",
             f"{trial.quality.shifted:.4f}", f"{trial.seconds:.2f}"]
            for trial in result.trials
        )  # fmt: skip
        head = [*varied, "validation ndcg@20", "weighted to popular items", "seconds"]
        text += "<div class=card>" + _table(head, rows) + "</div>"
    return text + "</details>"


def _versions() -> str:
    found = [f"Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)
