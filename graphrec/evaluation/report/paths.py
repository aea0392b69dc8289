"""Reasons as small pictures: nodes of a path and the relations between them."""

from collections.abc import Sequence

from graphrec.explanation.svg import LONGEST, shorten, width
from graphrec.markup import escape

#: Font sizes of nodes and of relations, in pixels.
NODE_TEXT, RELATION_TEXT = 12, 10

#: Height and padding of a node, and lengths of a horizontal and of a vertical line without its text, in pixels.
HEIGHT, PADDING, LINE, DROP = 26, 10, 14, 24

#: Margin in pixels, so that borders are not cut.
INSET = 1


def path_picture(steps: Sequence[str], label: str) -> str:
    """Two `<svg>` of one path of alternating nodes and relations: from left to right, and downwards for narrow pages.

    The style of the page shows one of them. `label` describes the figure for screen readers.
    """
    return _across(steps, label) + _down(steps, label)


def _across(steps: Sequence[str], label: str) -> str:
    parts, x = [], float(INSET)
    for place, step in enumerate(steps):
        if place % 2:
            long = width(shorten(step), RELATION_TEXT) + 2 * LINE
            parts.append(f'<path d="M{x:.1f} {HEIGHT - 3.5}h{long:.1f}"/>')
            parts.append(_text(step, x + long / 2, HEIGHT - 8.5, "relation", "middle"))
            x += long
        else:
            long = width(shorten(step), NODE_TEXT) + 2 * PADDING
            parts.append(_node(steps, place, x, HEIGHT - 3.5 - HEIGHT / 2))
            x += long
    return _svg("across", x + INSET, 1.5 * HEIGHT - 3.5 + INSET, label, parts)


def _down(steps: Sequence[str], label: str) -> str:
    parts, y, widest = [], float(INSET), 0.0
    for place, step in enumerate(steps):
        if place % 2:
            parts.append(f'<path d="M{2 * LINE} {y:.1f}v{DROP}"/>')
            parts.append(_text(step, 2 * LINE + 8, y + DROP / 2 + 3.5, "relation", "start"))
            widest = max(widest, 2 * LINE + 8 + width(shorten(step), RELATION_TEXT))
            y += DROP
        else:
            parts.append(_node(steps, place, INSET, y))
            widest = max(widest, INSET + width(shorten(step), NODE_TEXT) + 2 * PADDING)
            y += HEIGHT
    return _svg("down", widest + INSET, y + INSET, label, parts)


def _node(steps: Sequence[str], place: int, x: float, y: float) -> str:
    kind = "user" if place == 0 else "item" if place == len(steps) - 1 else "between"
    long = width(shorten(steps[place]), NODE_TEXT) + 2 * PADDING
    text = _text(steps[place], x + long / 2, y + HEIGHT / 2 + 4.2, "name", "middle")
    return f'<rect class={kind} x="{x:.1f}" y="{y:.1f}" width="{long:.1f}" height="{HEIGHT}" rx="6"/>{text}'


def _text(step: str, x: float, y: float, kind: str, anchor: str) -> str:
    title = f"<title>{escape(step)}</title>" if len(step) > LONGEST else ""
    return f'<text class={kind} x="{x:.1f}" y="{y:.1f}" text-anchor={anchor}>{title}{escape(shorten(step))}</text>'


def _svg(kind: str, wide: float, high: float, label: str, parts: Sequence[str]) -> str:
    size = f'viewBox="0 0 {wide:.0f} {high:.0f}" width="{wide:.0f}" height="{high:.0f}"'
    return f'<svg class="path {kind}" {size} role=img aria-label="{escape(label)}">{"".join(parts)}</svg>'
