"""Show labels, relationship types, counts, and properties with their types."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import _options, _terminal

if TYPE_CHECKING:
    from graphrec.store.counts import GraphCounts, LabelCounts, PropertyCounts, TripleCounts


@click.command(epilog="Example: graphrec schema --mermaid --out schema.md")
@click.option("--mermaid", is_flag=True, help="Print a Mermaid diagram, which GitHub renders in Markdown.")
@click.option(
    "--out",
    type=_options.OutPath(dir_okay=False),
    help="File to write: JSON (.json), otherwise the diagram, in a code block if the file ends in .md.",
)
@_options.json_option
def command(mermaid: bool, out: Path | None, as_json: bool) -> None:
    """Show labels, relationship types, counts, and properties with their types.

    Every node has `id` and `keys`, and every edge written by a loader has `source`; the tables show the others.
    """
    if mermaid and as_json:
        raise click.UsageError("--mermaid and --json exclude each other")
    endings = (".json",) if as_json else (".mmd", ".md", ".mermaid", ".txt", *(() if mermaid else (".json",)))
    _options.check_ending(out, endings, "--out", "JSON" if as_json else "a Mermaid diagram")
    as_json = as_json or (out is not None and out.suffix == ".json")
    with _terminal.open_graph() as graph, _terminal.progress_bar() as progress:
        found = graph.count_graph(progress)
    if found.left_out:
        from graphrec.errors import first_few

        _terminal.note(f"left out, as Cypher cannot name them: {first_few(found.left_out)}; rename them to see them")
    if out is not None:
        _write(found, out, as_json)
    elif as_json:
        _terminal.print_json(as_dict(found))
    elif mermaid:
        _terminal.say(draw_diagram(found))
    elif found.labels:
        _show(found)


def as_dict(found: "GraphCounts") -> dict[str, object]:
    """The JSON object of the counts; `system` marks labels and relationship types that graphrec itself writes."""
    from graphrec.store.counts import is_system

    return {
        "nodes": [{**asdict(label), "system": is_system(label.label)} for label in found.labels],
        "edges": [
            {
                **dict(zip(("from", "type", "to"), triple.triple, strict=True)),
                **{name: value for name, value in asdict(triple).items() if name != "triple"},
                "system": is_system(triple.triple[1]),
            }
            for triple in found.triples
        ],
        "sources": [asdict(source) for source in found.sources],
    }


def draw_diagram(found: "GraphCounts") -> str:
    """A Mermaid flowchart: a box for each label with its count and properties, an arrow for each relation triple."""
    from graphrec.store.counts import is_system

    boxes = {label.label: f"n{position}" for position, label in enumerate(found.labels)}
    lines = ["flowchart LR"]
    for label in found.labels:
        system = is_system(label.label)
        shown = [] if system else [f"{part.name}: {_format_types(part)}" for part in _list_properties(label)]
        text = "<br/>".join([f"<b>{_escape(label.label)}</b>", f"{label.count:,}", *map(_escape, shown)])
        mark = ":::system" if system else ""
        lines.append(f'    {boxes[label.label]}["{text}"]{mark}')
    for triple in found.triples:
        source, relation, target = triple.triple
        arrow = "-.->" if is_system(relation) else "-->"
        text = f"{_escape(relation)}<br/>{triple.count:,}"
        lines.append(f'    {boxes[source]} {arrow}|"{text}"| {boxes[target]}')
    if any(is_system(label) for label in boxes):
        lines.append("    classDef system stroke-dasharray: 4 4")
    return "\n".join(lines)


def _write(found: "GraphCounts", out: Path, as_json: bool) -> None:
    import json

    from graphrec.atomic_write import atomic_write

    text = json.dumps(as_dict(found), indent=2, ensure_ascii=False) if as_json else draw_diagram(found)
    if not as_json and out.suffix == ".md":
        text = f"```mermaid\n{text}\n```"
    with atomic_write(out) as partial:
        partial.write_text(text + "\n", encoding="utf-8")
    _terminal.note(f"written to {out}")


def _show(found: "GraphCounts") -> None:
    from graphrec.store.counts import is_system

    _show_labels([label for label in found.labels if not is_system(label.label)])
    _show_triples([triple for triple in found.triples if not is_system(triple.triple[1])])
    own: list[list[object]] = [[label.label, "", label.count] for label in found.labels if is_system(label.label)]
    own += [[t.triple[1], f"{t.triple[0]} → {t.triple[2]}", t.count] for t in found.triples if is_system(t.triple[1])]
    own += [
        [part.name, label.label, part.count]
        for label in found.labels
        for part in label.properties
        if is_system(part.name)
    ]
    if own:
        _terminal.print_table("Written by graphrec itself", ["", "between", "number"], own)
    if found.sources:
        rows = [[source.id, source.version, source.status, source.licence] for source in found.sources]
        _terminal.print_table("Sources", ["source", "version", "status", "licence"], rows)


def _show_labels(labels: "list[LabelCounts]") -> None:
    if not labels:
        return
    rows = [
        [
            label.label,
            label.count,
            _format_properties(_list_properties(label), label.count),
            _format_sources(label.sources, label.count),
        ]
        for label in labels
    ]
    heading = f"{sum(label.count for label in labels):,} nodes"
    _terminal.print_table(heading, ["label", "nodes", "properties", "sources"], rows)


def _show_triples(triples: "list[TripleCounts]") -> None:
    if not triples:
        return
    rows = [
        [
            f"{triple.triple[1]}\n{triple.triple[0]} → {triple.triple[2]}",
            triple.count,
            _format_properties(_list_properties(triple), triple.count),
            _format_sources(triple.sources, triple.count),
            _format_span(triple),
        ]
        for triple in triples
    ]
    heading = f"{sum(triple.count for triple in triples):,} relationships"
    _terminal.print_table(heading, ["relationship", "edges", "properties", "sources", "time"], rows)


def _list_properties(counted: "LabelCounts | TripleCounts") -> "list[PropertyCounts]":
    """The properties except id, keys and source, which all nodes or edges have, and except graphrec's own."""
    from graphrec.store.counts import is_system

    return [
        part
        for part in counted.properties
        if (part.name not in ("id", "keys", "source") or (part.count < counted.count and part.name == "id"))
        and not is_system(part.name)
    ]


def _format_properties(properties: "Iterable[PropertyCounts]", total: int) -> str:
    """One line for each property: `year integer 50 %`, without the share if all have it."""
    from graphrec.errors import format_value

    return "\n".join(
        f"{format_value(part.name)}: {_format_types(part)}{_format_share(part.count, total)}" for part in properties
    )


def _format_types(part: "PropertyCounts") -> str:
    return " or ".join(part.types)


def _format_sources(sources: Mapping[str, int], total: int) -> str:
    from graphrec.errors import format_value

    return "\n".join(f"{format_value(name)}{_format_share(number, total)}" for name, number in sources.items())


def _format_share(part: int, total: int) -> str:
    """` 50 %`, or "" if the part is the whole; rounded to 1 % and 99 %, never to 0 % or 100 %."""
    return "" if part == total else f" {min(99, max(1, round(100 * part / total)))} %"


def _format_span(triple: "TripleCounts") -> str:
    """First and last day on two lines; "" if the edges have no times."""
    days = [_format_day(time) for time in (triple.first, triple.last) if time is not None]
    return "\n".join(dict.fromkeys(days))


def _format_day(seconds: int) -> str:
    """A day in UTC such as 2009-04-01; a number outside the calendar is returned as text."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"
    except (OverflowError, ValueError, OSError):
        return f"{seconds:,}"


def _escape(text: str) -> str:
    """A text escaped for a quoted label in Mermaid, whose entities begin with # instead of &."""
    return "".join(sign if sign.isalnum() or sign in " _-:,." else f"#{ord(sign)};" for sign in text)
