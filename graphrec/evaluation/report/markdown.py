"""The report as Markdown: the same tables and sentences as the page, without figures."""

import re
from collections.abc import Iterable
from datetime import datetime

from graphrec.characters import remove_controls
from graphrec.evaluation.report import data_tables, figures, findings, sentences, tables, words
from graphrec.evaluation.report.markup import SIGNS
from graphrec.evaluation.report.tables import Cell, Table
from graphrec.evaluation.result import Comparison, ExampleUser, ModelResult, RecommendedItem

#: Cap on the reasons of a recommendation.
MAX_REASONS = 2


def render(comparison: Comparison, now: datetime) -> str:
    """The report as GitHub's Markdown, with the time `now` in its footer."""
    blocks = [
        f"# {escape_text(sentences.title(comparison))}",
        escape_text(sentences.lead(comparison)),
        *_section("Models", sentences.models(comparison), tables.accuracy(comparison)),
        escape_text(sentences.meanings(comparison, "accuracy")),
        *_section("Beyond accuracy", _beyond(comparison), tables.beyond(comparison)),
        *_section("Differences", sentences.differences(comparison), _differences(comparison)),
        *_section("Quality against k", sentences.curves(), _curves(comparison)),
        *_section("Quality against seconds", sentences.cost(comparison), [tables.costs(comparison)]),
        *_section("Groups", sentences.groups(), _groups(comparison)),
        *_learning(comparison),
        *_data(comparison),
        *_split(comparison),
        *_audit(comparison),
        *_examples(comparison),
        *_section("Rounds", sentences.ROUNDS, [tables.rounds(comparison)]),
        "## Settings and trials",
        *(block for result in findings.rank_models(comparison) for block in _settings(result)),
        *_repeat(comparison, now),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def escape_text(text: str) -> str:
    """The text on one line, with the characters escaped that Markdown would interpret."""
    text = re.sub(r"\s+", " ", remove_controls(text))
    text = re.sub(r"([\\`*|\[\]~])", r"\\\1", text)
    text = re.sub(r"(?<!\w)_|_(?!\w)", r"\_", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def format_code(text: str) -> str:
    """The text as code on one line; it may contain backticks."""
    text = re.sub(r"\s+", " ", remove_controls(text)).replace("|", "\\|")
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {text} {fence}" if longest else f"`{text}`"


def render_table(table: Table | None) -> str:
    """The table in Markdown below its title; "" for None or a table without rows."""
    if table is None or not table.rows:
        return ""
    head = "| " + " | ".join(escape_text(name) for name in table.head) + " |"
    line = "| --- |" + " ---: |" * (len(table.head) - 1)
    rows = ["| " + " | ".join(map(_render_cell, row)) + " |" for row in table.rows]
    title = f"**{escape_text(table.title)}**\n\n" if table.title else ""
    return title + "\n".join([head, line, *rows])


def _render_cell(cell: Cell) -> str:
    text = format_code(cell.text) if cell.mark == "code" else escape_text(cell.text)
    if cell.mark == "best":
        text = f"**{text}**"
    elif cell.mark and cell.mark != "code":
        text = f"{SIGNS[cell.mark]} {text}"
    return f"{text} ({escape_text(cell.note)})" if cell.note else text


def _section(heading: str, intro: str, contents: Iterable[Table | None]) -> list[str]:
    """The heading, the introduction and the tables; empty if no table has rows."""
    rendered = [text for table in contents if (text := render_table(table))]
    intro = intro.replace("★ is", "Bold is").removesuffix(sentences.FAR).rstrip()  # there are no figures
    return [f"## {heading}", escape_text(intro), *rendered] if rendered else []


def _beyond(comparison: Comparison) -> str:
    return f"{sentences.beyond()} {sentences.meanings(comparison)}"


def _differences(comparison: Comparison) -> list[Table | None]:
    headline, baseline = comparison.headline, comparison.baseline
    shown = [tables.differences(comparison, headline, baseline)]
    best = findings.find_leader(comparison).name
    if best != baseline and len(comparison.results) > 2:
        shown.append(tables.differences(comparison, headline, best))
    return [*shown, *tables.all_differences(comparison, baseline)]


def _curves(comparison: Comparison) -> list[Table | None]:
    return [tables.curves(comparison, kind) for kind in tables.curve_kinds(comparison)]


def _groups(comparison: Comparison) -> list[Table | None]:
    pairs = [(kind, figures.group_metric(comparison, kind)) for kind in tables.kinds(comparison)]
    return [tables.groups(comparison, kind, metric) for kind, metric in pairs if metric is not None]


def _learning(comparison: Comparison) -> list[str]:
    lines = [f"- {escape_text(tables.learning(result))}" for result in comparison.results if result.learning]
    return ["## Learning curves", sentences.learning(comparison), "\n".join(lines)]


def _data(comparison: Comparison) -> list[str]:
    data = comparison.data
    sizes = "\n".join(f"- {name}: {escape_text(value)}" for name, value in data_tables.sizes(data))
    rendered = [render_table(table) for table in (data_tables.degrees(data), data_tables.relations(data))]
    return ["## Data", f"{escape_text(data.relation)} is predicted.", sizes, *rendered]


def _split(comparison: Comparison) -> list[str]:
    lines = [
        f"- {f'{name}, ' if (name := findings.name_split(comparison, summary)) else ''}"
        f"{format_code(summary.record.spec)}: "
        f"{words.count(summary.num_warm, 'warm test users')}, "
        f"{words.count(summary.num_cold)} cold"
        + (f", cut at {words.day(summary.record.cut)}" if summary.record.cut is not None else "")
        for summary in comparison.splits
    ]
    intro = sentences.split(comparison, figures=False)
    if not lines:
        return []
    return [
        "## Split",
        escape_text(intro),
        "\n".join(lines),
        *map(render_table, (data_tables.parts(comparison), data_tables.hashes(comparison))),
    ]


def _audit(comparison: Comparison) -> list[str]:
    lines = []
    for of_kind in data_tables.checks(comparison):
        failed = any(check.leaks for check in of_kind)
        lines.append(f"- {'✗' if failed else '✓'} {escape_text(of_kind[0].kind)}: {data_tables.leaks(of_kind)}")
        lines += [f"    - {format_code(example)}" for example in data_tables.examples(comparison, of_kind) if failed]
    return ["## Leak audit", escape_text(sentences.audit(comparison)), "\n".join(lines)] if lines else []


def _examples(comparison: Comparison) -> list[str]:
    if not comparison.examples:
        return []
    return [
        "## Examples",
        escape_text(sentences.examples(comparison)),
        *(block for example in comparison.examples for block in _example(comparison, example)),
    ]


def _example(comparison: Comparison, example: ExampleUser) -> list[str]:
    titles = comparison.titles
    history = ", ".join(titles.get(item, item) for item in example.history) or "no items"
    wanted = ", ".join(titles.get(item, item) for item in example.wanted) or "no items"
    lines = [line for rank, shown in enumerate(example.shown, 1) for line in _list_item(comparison, shown, rank)]
    return [
        f"### {escape_text(words.name_user(example.user))}, by {escape_text(example.model)}",
        f"History ({words.count_of_total(len(example.history), example.num_history)}): {escape_text(history)}. "
        f"Test items ({words.count_of_total(len(example.wanted), example.num_wanted)}): {escape_text(wanted)}.",
        "\n".join(lines),
    ]


def _list_item(comparison: Comparison, shown: RecommendedItem, rank: int) -> list[str]:
    title = escape_text(comparison.titles.get(shown.item, shown.item))
    reasons = (
        f"    - {words.share(reason.share)}: {escape_text(' → '.join(words.name_steps(reason, comparison.titles)))}"
        for reason in shown.reasons[:MAX_REASONS]
    )
    return [f"{rank}. {title}{' **✓ in test**' if shown.hit else ''}", *reasons]


def _settings(result: ModelResult) -> list[str]:
    blocks = [f"### {escape_text(result.name)}", escape_text(f"{result.model}, {result.origin}")]
    for round_ in result.rounds:
        blocks.append(f"Split {round_.split + 1}, seed {round_.seed}: {format_code(words.settings(round_.config))}")
        blocks.append(render_table(tables.trials(round_)))
    return blocks


def _repeat(comparison: Comparison, now: datetime) -> list[str]:
    setup = comparison.setup
    footer = f"{setup.machine}, written {now:%Y-%m-%d %H:%M} {now.tzname() or ''}".rstrip()
    return [
        "## How to repeat it",
        escape_text(sentences.repeat(comparison)),
        format_code(setup.command),
        render_table(data_tables.versions(comparison)),
        escape_text(footer),
    ]
