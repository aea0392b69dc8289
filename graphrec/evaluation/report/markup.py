"""Pieces of the page as HTML; every text that comes from data is escaped here."""

from collections.abc import Iterable, Sequence

from graphrec.evaluation.report.tables import Cell, Table
from graphrec.markup import escape

#: What a mark of a cell is called for those who do not see its colour.
SIGNS = {"best": "★", "tied": "≈", "better": "▲", "worse": "▼", "same": "≈"}


def section(name: str, heading: str, said: str, *parts: str) -> str:
    """A section of the page: its anchor, heading, the sentence that says what one sees, and the rest."""
    lead = f"<p class=said>{escape(said)}</p>" if said else ""
    return f"<section id={name}><h2>{escape(heading)}</h2>{lead}{''.join(parts)}</section>"


def written(found: Table | None, kind: str = "") -> str:
    """The table as HTML that scrolls sideways where it is too wide; nothing for None or without rows."""
    if found is None or not found.rows:
        return ""
    title = f"<caption>{escape(found.title)}</caption>" if found.title else ""
    head = "".join(f"<th scope=col>{escape(name)}</th>" for name in found.head)
    body = "".join(f"<tr>{_row(row)}</tr>" for row in found.rows)
    label = f' aria-label="{escape(found.title or " · ".join(name for name in found.head if name))}"'
    return (
        f'<div class="scroll {kind}" role=region tabindex=0{label}><table>{title}<thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _row(cells: Sequence[Cell]) -> str:
    first, *rest = cells
    return f"<th scope=row>{_inside(first)}</th>" + "".join(f"<td>{_inside(cell)}</td>" for cell in rest)


def _inside(cell: Cell) -> str:
    text = escape(cell.text)
    if cell.mark == "code":
        text = f"<code>{text}</code>"
    elif cell.mark:
        sign = f'<span class=sign aria-label="{cell.mark}">{SIGNS[cell.mark]}</span>'
        text = f"<span class={cell.mark}>{sign}{text}</span>"
    return text + (f"<small>{escape(cell.note)}</small>" if cell.note else "")


def details(summary: str, *parts: str, opened: bool = False) -> str:
    """A part of the page that opens on a click; nothing where nothing is in it."""
    inside = "".join(parts)
    return (
        f"<details{' open' if opened else ''}><summary>{escape(summary)}</summary>{inside}</details>" if inside else ""
    )


def figures(pictures: Iterable[str]) -> str:
    """Pictures side by side as far as the page is wide enough."""
    cells = [f"<figure>{picture}</figure>" for picture in pictures if picture]
    kind = "figures two" if len(cells) in (2, 4) else "figures"
    return f'<div class="{kind}">{"".join(cells)}</div>' if cells else ""


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and values as tiles."""
    return f"<dl class=facts>{''.join(f'<div><dt>{escape(n)}</dt><dd>{escape(v)}</dd></div>' for n, v in pairs)}</dl>"


def bar(pieces: Sequence[tuple[str, int]], label: str) -> str:
    """One bar, divided in proportion; each piece has the colour of the style variable that is its name."""
    whole, x, rects = sum(size for _, size in pieces) or 1, 0.0, []
    for name, size in pieces:
        wide = 1000 * size / whole
        rects.append(f'<rect x="{x:.2f}" width="{wide:.2f}" height="24" style="fill:var(--{name})"/>')
        x += wide
    return (
        f'<svg class=bar viewBox="0 0 1000 24" preserveAspectRatio=none role=img aria-label="{escape(label)}">'
        f"<title>{escape(label)}</title>{''.join(rects)}</svg>"
    )
