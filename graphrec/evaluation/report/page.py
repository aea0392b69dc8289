"""The report as one self-contained HTML page."""

from datetime import datetime
from pathlib import Path

from graphrec.evaluation.report import data_tables, examples, figures, findings, sentences, tables, words
from graphrec.evaluation.report.drawing import NARROW, PARTS, WIDE, assign_looks, swatch
from graphrec.evaluation.report.markup import bar, details, facts, render_table, section
from graphrec.evaluation.report.markup import figures as grid
from graphrec.evaluation.result import Comparison, ModelResult, SplitSummary
from graphrec.markup import escape

#: Metrics beyond accuracy that are plotted against accuracy.
TRADE_OFFS = ("diversity", "novelty", "tail_share", "coverage")


def render(comparison: Comparison, now: datetime) -> str:
    """The page, with the time `now` in its footer. The same comparison and time give the same bytes."""
    style = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
    sections = [
        _models(comparison),
        _differences(comparison),
        _intervals(comparison),
        _curves(comparison),
        _seconds(comparison),
        _trades(comparison),
        _groups(comparison),
        _learning(comparison),
        _data(comparison),
        _split(comparison),
        _audit(comparison),
        _examples(comparison),
        _rounds(comparison),
        _settings(comparison),
        _repeat(comparison, now),
    ]
    title = escape(sentences.title(comparison))
    return (
        f"<!doctype html>\n<html lang=en><head><meta charset=utf-8><title>{title} · graphrec</title>"
        f'<meta name=viewport content="width=device-width, initial-scale=1"><style>\n{style}</style></head>\n'
        f"<body><main>{_head(comparison)}{''.join(sections)}</main></body></html>\n"
    )


def _head(comparison: Comparison) -> str:
    best, metric = findings.find_leader(comparison), comparison.headline
    tiles = [(findings.label(metric), words.number(findings.value(best, metric)))]
    gain = findings.find_difference(comparison, best.name, comparison.baseline, metric)
    if gain is not None:
        tiles.append((f"against {comparison.baseline}", words.number(gain.estimate.value, signed=True)))
    tiles += [
        ("models", words.count(len(comparison.results))),
        ("test users", words.count(comparison.num_users)),
    ]
    if comparison.splits:
        tiles.append(("leak audit", "✓ passed" if findings.passed_audit(comparison) else "✗ failed"))
    state = "" if findings.passed_audit(comparison) else ' class="failed"'
    return (
        f"<header{state}><p class=kind>graphrec evaluation</p><h1>{escape(sentences.title(comparison))}</h1>"
        f"<p class=lead>{escape(sentences.lead(comparison))}</p>{facts(tiles)}</header>"
    )


def _models(comparison: Comparison) -> str:
    first, *others = [render_table(found) for found in tables.beyond(comparison)] or [""]
    meanings = f"<p class=intro>{escape(sentences.meanings(comparison))}</p>"
    more = f"<h3>Beyond accuracy</h3><p class=intro>{escape(sentences.beyond())}</p>{first}{meanings}" if first else ""
    accuracy = "".join(render_table(found) for found in tables.accuracy(comparison))
    accuracy += f"<p class=intro>{escape(sentences.meanings(comparison, 'accuracy'))}</p>"
    return section(
        "models", "Models", sentences.models(comparison), accuracy, more, details("The same at other k", *others)
    )


def _differences(comparison: Comparison) -> str:
    headline, baseline = comparison.headline, comparison.baseline
    best = findings.find_leader(comparison).name
    shown = render_table(tables.differences(comparison, headline, baseline))
    others = map(render_table, tables.all_differences(comparison, baseline))
    # pairs with the baseline are in the first table already
    of_headline = (d for d in comparison.differences if d.metric == headline)
    pairs = [d for d in of_headline if best in (d.first, d.second) and baseline not in (d.first, d.second)]
    to_best = render_table(tables.differences(comparison, headline, best)) if pairs else ""
    if not shown and not to_best:
        return ""
    more = details("The same in all metrics", *others)
    return section("differences", "Differences", sentences.differences(comparison), shown, to_best, more)


def _intervals(comparison: Comparison) -> str:
    if not any(comparison.headline in result.metrics for result in comparison.results):
        return ""
    pictures = "".join(
        f"<figure class={kind}>{figures.intervals(comparison, f'intervals-{kind}', width)}</figure>"
        for kind, width in (("wide", WIDE), ("narrow", NARROW))
    )
    label = findings.label(comparison.headline)
    intro = f"{label} of each model; the line is its 95 % interval, the dashed line {comparison.baseline}."
    if len(comparison.results) == 1:
        intro = f"{label} with its 95 % interval."
    return section("intervals", "Intervals", intro, pictures)


def _legend(comparison: Comparison) -> str:
    """The markers of the models, as a legend of figures without names."""
    looks = assign_looks([result.name for result in comparison.results], comparison.baseline)
    entries = "".join(f"<li>{swatch(look)}{escape(name)}</li>" for name, look in looks.items())
    return f"<ul class=key>{entries}</ul>"


def _curves(comparison: Comparison) -> str:
    kinds = tables.curve_kinds(comparison)
    if not kinds:
        return ""
    pictures = grid(figures.curves(comparison, kind, f"curve-{number}") for number, kind in enumerate(kinds))
    numbers = details("As numbers", *(render_table(tables.curves(comparison, kind)) for kind in kinds))
    return section("curves", "Quality against k", sentences.curves(), _legend(comparison), pictures, numbers)


def _seconds(comparison: Comparison) -> str:
    points = [figures.against_seconds(comparison, part) for part in ("fit", "recommend")]
    if not any(part.x for part in points):
        return ""
    if not any(comparison.headline in r.metrics for r in comparison.results):
        points = []
    shown = [figures.scatter(comparison, part, f"cost-{number}") for number, part in enumerate(points)]
    search = figures.searches(comparison, "cost-search")
    intro = sentences.cost(comparison) + (f" {sentences.SEARCH}" if search else "")
    key = _legend(comparison) if search else ""
    costs = render_table(tables.costs(comparison))
    return section("seconds", "Quality against seconds", intro, key, grid([*shown, search]), costs)


def _trades(comparison: Comparison) -> str:
    k = findings.cutoff(comparison.headline)
    names = [f"{name}@{k}" for name in TRADE_OFFS]
    known = [figures.against_metric(comparison, name) for name in names if name in findings.list_metrics(comparison)]
    shown = [
        points for points in known if any(comparison.headline in r.metrics for r in comparison.results) and points.x
    ]
    if not shown:
        return ""
    pictures = grid(figures.scatter(comparison, points, f"trade-{number}") for number, points in enumerate(shown))
    return section("trades", "Accuracy against diversity and popularity", sentences.trade(), pictures)


def _groups(comparison: Comparison) -> str:
    pairs = [(kind, figures.group_metric(comparison, kind)) for kind in tables.kinds(comparison)]
    known = [(kind, metric) for kind, metric in pairs if metric is not None]
    if not known:
        return ""
    pictures = grid(figures.groups(comparison, kind, metric, f"group-{n}") for n, (kind, metric) in enumerate(known))
    numbers = details("As numbers", *(render_table(tables.groups(comparison, kind, metric)) for kind, metric in known))
    return section("groups", "Groups", sentences.groups(), _legend(comparison), pictures, numbers)


def _learning(comparison: Comparison) -> str:
    learned = [result for result in comparison.results if result.learning]
    pictures = grid(figures.learning(comparison, result, f"learning-{n}") for n, result in enumerate(learned))
    return section("learning", "Learning curves", sentences.learning(comparison), pictures)


def _data(comparison: Comparison) -> str:
    data = comparison.data
    intro = f"{data.relation} is predicted; models may also learn from the other relations of the graph."
    both = [render_table(table) for table in (data_tables.degrees(data), data_tables.relations(data))]
    return section("data", "Data", intro, facts(data_tables.sizes(data)), f"<div class=pair>{''.join(both)}</div>")


def _split(comparison: Comparison) -> str:
    if not comparison.splits:
        return ""
    keys = "".join(f'<li><i style="background:var(--{part})"></i>{part}</li>' for part in PARTS)
    first = comparison.splits[0].seed  # splits of other seeds look alike, so only the table has their parts
    shown = [_split_part(comparison, summary) for summary in comparison.splits if summary.seed == first]
    return section(
        "split", "Split", sentences.split(comparison), f"<ul class=key>{keys}</ul>", *shown,
        render_table(data_tables.parts(comparison)),
        details("Whole hashes", render_table(data_tables.hashes(comparison))),
    )  # fmt: skip


def _split_part(comparison: Comparison, summary: SplitSummary) -> str:
    """The name of a split, its test users, and a figure of its parts."""
    name = findings.name_split(comparison, summary)
    cut = f", cut at {words.day(summary.record.cut)}" if summary.record.cut is not None else ""
    users = f"{words.count(summary.num_warm, 'warm test users')}, {words.count(summary.num_cold)} cold"
    head = f"<h3>{escape(name.capitalize() + ' · ' if name else '')}<code>{escape(summary.record.spec)}</code></h3>"
    intro = f"<p class=intro>{escape(f'{users}{cut}')}</p>"
    if not summary.timeline:
        pieces = [(part.name, part.num_interactions) for part in summary.record.parts]
        label = ", ".join(f"{part} {words.count(size)}" for part, size in pieces)
        return f"{head}{intro}<figure>{bar(pieces, label)}</figure>"
    pictures = (
        f"<figure class={kind}>{figures.timeline(summary, f'time-{summary.num}-{kind}', width)}</figure>"
        for kind, width in (("wide", WIDE), ("narrow", NARROW))
    )
    return head + intro + "".join(pictures)


def _audit(comparison: Comparison) -> str:
    if not comparison.splits:
        return ""
    rows = []
    for of_kind in data_tables.checks(comparison):
        leaks = any(check.leaks for check in of_kind)
        sign = "<b class=worse>✗</b>" if leaks else "<b class=better>✓</b>"
        shown = "".join(
            f"<li><code>{escape(example)}</code></li>" for example in data_tables.examples(comparison, of_kind)
        )
        content = f"<ul>{shown}</ul>" if leaks and shown else ""
        rows.append(
            f"<li>{sign}<div>{escape(of_kind[0].kind)}<small>{data_tables.leaks(of_kind)}</small>{content}</div></li>"
        )
    return section("audit", "Leak audit", sentences.audit(comparison), f"<ul class=audit>{''.join(rows)}</ul>")


def _examples(comparison: Comparison) -> str:
    if not comparison.examples:
        return ""
    return section("examples", "Examples", sentences.examples(comparison), examples.users(comparison))


def _rounds(comparison: Comparison) -> str:
    table = tables.rounds(comparison)
    if table is None:
        return ""
    return section("rounds", "Rounds", sentences.ROUNDS, render_table(table))


def _settings(comparison: Comparison) -> str:
    intro = "The settings of each model, and the trials that selected them."
    return section("settings", "Settings and trials", intro, *map(_model_settings, findings.rank_models(comparison)))


def _model_settings(result: ModelResult) -> str:
    parts = []
    for round_ in result.rounds:
        head = f"Split {round_.split + 1}, seed {round_.seed}" if len(result.rounds) > 1 else ""
        parts.append(f"<h3>{head}</h3>" if head else "")
        parts.append(f"<p><code>{escape(words.settings(round_.config))}</code></p>")
        parts.append(render_table(tables.trials(round_)))
    num = sum(len(round_.trials) for round_ in result.rounds)
    name = result.name if result.model == result.name else f"{result.name} ({result.model})"
    return details(f"{name}: {result.origin}, {words.count(num, 'trials')}", *parts or ["<p class=none>no rounds</p>"])


def _repeat(comparison: Comparison, now: datetime) -> str:
    setup = comparison.setup
    footer = f"{setup.machine} · written {now:%Y-%m-%d %H:%M} {now.tzname() or ''}".rstrip()
    return section(
        "repeat", "How to repeat it", sentences.repeat(comparison), f"<pre><code>{escape(setup.command)}</code></pre>",
        render_table(data_tables.versions(comparison), "small"), f"<footer>{escape(footer)}</footer>",
    )  # fmt: skip
