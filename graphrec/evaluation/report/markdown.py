"""The report as Markdown: the same tables and sentences as the page, without pictures."""

import re
from collections.abc import Iterable
from datetime import datetime

from graphrec.characters import remove_controls
from graphrec.evaluation.report import data_tables, figures, findings, sentences, tables, words
from graphrec.evaluation.report.markup import SIGNS
from graphrec.evaluation.report.tables import Cell, Table
from graphrec.evaluation.result import Comparison, ExampleUser, ModelResult, RecommendedItem

#: So many reasons of a recommendation are written.
REASONS = 2


def render(comparison: Comparison, now: datetime) -> str:
    """The report as GitHub's Markdown; `now` is at its foot."""
    blocks = [
        f"# {plain(sentences.title(comparison))}",
        plain(sentences.lead(comparison)),
        *_part("Models", sentences.models(comparison), tables.accuracy(comparison)),
        plain(sentences.meanings(comparison, "accuracy")),
        *_part("Beyond accuracy", _beyond(comparison), tables.beyond(comparison)),
        *_part("Differences", sentences.differences(comparison), _differences(comparison)),
        *_part("Quality against k", sentences.curves(), _curves(comparison)),
        *_part("Quality against seconds", sentences.cost(comparison), [tables.costs(comparison)]),
        *_part("Groups", sentences.groups(), _groups(comparison)),
        *_learning(comparison),
        *_data(comparison),
        *_split(comparison),
        *_audit(comparison),
        *_examples(comparison),
        *_part("Rounds", "How much the result depends on the split and on the seed.", [tables.rounds(comparison)]),
        "## Settings and trials",
        *(block for result in findings.ranked(comparison) for block in _settings(result)),
        *_repeat(comparison, now),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def plain(text: str) -> str:
    """The text so that Markdown takes no sign of it for its own, on one line."""
    text = re.sub(r"\s+", " ", remove_controls(text))
    text = re.sub(r"([\\`*|\[\]~])", r"\\\1", text)
    text = re.sub(r"(?<!\w)_|_(?!\w)", r"\_", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def code(text: str) -> str:
    """The text as code on one line, whatever signs are in it."""
    text = re.sub(r"\s+", " ", remove_controls(text)).replace("|", "\\|")
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {text} {fence}" if longest else f"`{text}`"


def written(found: Table | None) -> str:
    """The table in Markdown, its title above; nothing for None or without rows."""
    if found is None or not found.rows:
        return ""
    head = "| " + " | ".join(plain(name) for name in found.head) + " |"
    line = "| --- |" + " ---: |" * (len(found.head) - 1)
    rows = ["| " + " | ".join(map(_cell, row)) + " |" for row in found.rows]
    title = f"**{plain(found.title)}**\n\n" if found.title else ""
    return title + "\n".join([head, line, *rows])


def _cell(cell: Cell) -> str:
    text = code(cell.text) if cell.mark == "code" else plain(cell.text)
    if cell.mark == "best":
        text = f"**{text}**"
    elif cell.mark and cell.mark != "code":
        text = f"{SIGNS[cell.mark]} {text}"
    return f"{text} ({plain(cell.note)})" if cell.note else text


def _part(heading: str, said: str, found: Iterable[Table | None]) -> list[str]:
    """The heading, the sentence and the tables; "" if there is no table."""
    shown = [text for table in found if (text := written(table))]
    said = said.replace("★ is", "Bold is").removesuffix(sentences.FAR).rstrip()  # there are no pictures
    return [f"## {heading}", plain(said), *shown] if shown else []


def _beyond(comparison: Comparison) -> str:
    return f"{sentences.beyond()} {sentences.meanings(comparison)}"


def _differences(comparison: Comparison) -> list[Table | None]:
    headline, baseline = comparison.headline, comparison.baseline
    found = [tables.differences(comparison, headline, baseline)]
    best = findings.leader(comparison).name
    if best != baseline and len(comparison.results) > 2:
        found.append(tables.differences(comparison, headline, best))
    return [*found, *tables.all_differences(comparison, baseline)]


def _curves(comparison: Comparison) -> list[Table | None]:
    return [tables.curves(comparison, kind) for kind in tables.curve_kinds(comparison)]


def _groups(comparison: Comparison) -> list[Table | None]:
    pairs = [(kind, figures.group_metric(comparison, kind)) for kind in tables.kinds(comparison)]
    return [tables.groups(comparison, kind, metric) for kind, metric in pairs if metric is not None]


def _learning(comparison: Comparison) -> list[str]:
    lines = [f"- {plain(tables.learning(result))}" for result in comparison.results if result.learning]
    return ["## Learning curves", sentences.learning(comparison), "\n".join(lines)]


def _data(comparison: Comparison) -> list[str]:
    data = comparison.data
    sizes = "\n".join(f"- {name}: {plain(value)}" for name, value in data_tables.sizes(data))
    found = [written(table) for table in (data_tables.degrees(data), data_tables.relations(data))]
    return ["## Data", f"{plain(data.relation)} is predicted.", sizes, *found]


def _split(comparison: Comparison) -> list[str]:
    lines = [
        f"- {f'{name}, ' if (name := findings.named(comparison, division)) else ''}{code(division.record.spec)}: "
        f"{words.count(division.num_warm, 'warm test users')}, "
        f"{words.count(division.num_cold)} cold"
        + (f", cut at {words.day(division.record.cut)}" if division.record.cut is not None else "")
        for division in comparison.splits
    ]
    said = sentences.split(comparison, pictures=False)
    if not lines:
        return []
    return [
        "## Split",
        plain(said),
        "\n".join(lines),
        *map(written, (data_tables.parts(comparison), data_tables.hashes(comparison))),
    ]


def _audit(comparison: Comparison) -> list[str]:
    lines = []
    for found in data_tables.checks(comparison):
        failed = any(check.leaks for check in found)
        lines.append(f"- {'✗' if failed else '✓'} {plain(found[0].kind)}: {data_tables.leaks(found)}")
        lines += [f"    - {code(example)}" for example in data_tables.examples(comparison, found) if failed]
    return ["## Leak audit", plain(sentences.audit(comparison)), "\n".join(lines)] if lines else []


def _examples(comparison: Comparison) -> list[str]:
    if not comparison.examples:
        return []
    return [
        "## Examples",
        plain(sentences.examples(comparison)),
        *(block for example in comparison.examples for block in _example(comparison, example)),
    ]


def _example(comparison: Comparison, example: ExampleUser) -> list[str]:
    titles = comparison.titles
    history = ", ".join(titles.get(item, item) for item in example.history) or "nothing"
    wanted = ", ".join(titles.get(item, item) for item in example.wanted) or "nothing"
    lines = [line for place, shown in enumerate(example.shown, 1) for line in _shown(comparison, shown, place)]
    return [
        f"### {plain(words.user(example.user))}, by {plain(example.model)}",
        f"Had before ({words.some(len(example.history), example.num_history)}): {plain(history)}. "
        f"Is to find ({words.some(len(example.wanted), example.num_wanted)}): {plain(wanted)}.",
        "\n".join(lines),
    ]


def _shown(comparison: Comparison, shown: RecommendedItem, place: int) -> list[str]:
    title = plain(comparison.titles.get(shown.item, shown.item))
    reasons = (
        f"    - {words.share(reason.share)}: {plain(' → '.join(words.steps(reason, comparison.titles)))}"
        for reason in shown.reasons[:REASONS]
    )
    return [f"{place}. {title}{' **✓ in test**' if shown.hit else ''}", *reasons]


def _settings(result: ModelResult) -> list[str]:
    blocks = [f"### {plain(result.name)}", plain(f"{result.model}, {result.origin}")]
    for done in result.rounds:
        blocks.append(f"Split {done.split + 1}, seed {done.seed}: {code(words.settings(done.config))}")
        blocks.append(written(tables.trials(done)))
    return blocks


def _repeat(comparison: Comparison, now: datetime) -> list[str]:
    setup = comparison.setup
    foot = f"{setup.machine}, written {now:%Y-%m-%d %H:%M} {now.tzname() or ''}".rstrip()
    said = plain(sentences.repeat(comparison))
    return ["## How to repeat it", said, code(setup.command), written(data_tables.versions(comparison)), plain(foot)]
