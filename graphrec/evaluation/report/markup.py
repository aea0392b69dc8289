"""Elements of the page as HTML; every text from data is escaped here."""

from collections.abc import Iterable, Sequence

from graphrec.evaluation.report.tables import Cell, Table
from graphrec.markup import escape

#: Mark of a cell -> its sign, for readers who do not see its colour.
SIGNS = {"best": "★", "tied": "≈", "better": "▲", "worse": "▼", "same": "≈"}


def section(name: str, heading: str, intro: str, *parts: str) -> str:
    """A section of the page: its anchor, heading, introduction and content."""
    lead = f"<p class=intro>{escape(intro)}</p>" if intro else ""
    return f"<section id={name}><h2>{escape(heading)}</h2>{lead}{''.join(parts)}</section>"


def render_table(table: Table | None, kind: str = "") -> str:
    """The table as HTML that scrolls sideways if it is too wide; "" for None or a table without rows."""
    if table is None or not table.rows:
        return ""
    title = f"<caption>{escape(table.title)}</caption>" if table.title else ""
    head = "".join(f"<th scope=col>{escape(name)}</th>" for name in table.head)
    body = "".join(f"<tr>{_render_row(row)}</tr>" for row in table.rows)
    label = f' aria-label="{escape(table.title or " · ".join(name for name in table.head if name))}"'
    return (
        f'<div class="scroll {kind}" role=region tabindex=0{label}><table>{title}<thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _render_row(cells: Sequence[Cell]) -> str:
    first, *rest = cells
    return f"<th scope=row>{_render_cell(first)}</th>" + "".join(f"<td>{_render_cell(cell)}</td>" for cell in rest)


def _render_cell(cell: Cell) -> str:
    text = escape(cell.text)
    if cell.mark == "code":
        text = f"<code>{text}</code>"
    elif cell.mark:
        sign = f'<span class=sign aria-label="{cell.mark}">{SIGNS[cell.mark]}</span>'
        text = f"<span class={cell.mark}>{sign}{text}</span>"
    return text + (f"<small>{escape(cell.note)}</small>" if cell.note else "")


def details(summary: str, *parts: str, opened: bool = False) -> str:
    """A part of the page that opens on a click; "" without content."""
    content = "".join(parts)
    state = " open" if opened else ""
    return f"<details{state}><summary>{escape(summary)}</summary>{content}</details>" if content else ""


def figures(pictures: Iterable[str]) -> str:
    """Figures in a grid that wraps with the width of the page."""
    cells = [f"<figure>{picture}</figure>" for picture in pictures if picture]
    kind = "figures two" if len(cells) in (2, 4) else "figures"
    return f'<div class="{kind}">{"".join(cells)}</div>' if cells else ""


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and values as tiles."""
    return f"<dl class=facts>{''.join(f'<div><dt>{escape(n)}</dt><dd>{escape(v)}</dd></div>' for n, v in pairs)}</dl>"


def bar(pieces: Sequence[tuple[str, int]], label: str) -> str:
    """A bar divided in proportion; each piece has the colour of the style variable of its name."""
    total, x, rects = sum(size for _, size in pieces) or 1, 0.0, []
    for name, size in pieces:
        width = 1000 * size / total
        rects.append(f'<rect x="{x:.2f}" width="{width:.2f}" height="24" style="fill:var(--{name})"/>')
        x += width
    return (
        f'<svg class=bar viewBox="0 0 1000 24" preserveAspectRatio=none role=img aria-label="{escape(label)}">'
        f"<title>{escape(label)}</title>{''.join(rects)}</svg>"
    )
