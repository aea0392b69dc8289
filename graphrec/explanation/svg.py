"""An explanation as an SVG picture: bands from the user over reasons and routes to the item."""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from graphrec.explanation.flow import Card, Flow, build_flow
from graphrec.explanation.model import Explanation, Node
from graphrec.explanation.text import as_sentence, name, percent
from graphrec.markup import escape

#: Width and margin of the picture in pixels.
WIDTH, MARGIN = 960, 28

#: Pixels: width and minimum height of a card, gap between cards, and height of a band for the whole score.
CARD_WIDTH, MIN_CARD_HEIGHT, GAP, SCORE_HEIGHT = 164, 42, 10, 210

#: Pixels: font sizes of the title, of text and of small text, and the height of a line.
TITLE_SIZE, TEXT_SIZE, SMALL_SIZE, LINE_HEIGHT = 19.0, 13.0, 11.0, 20

#: Default maximum number of characters of a name; longer ones are cut.
LONGEST = 28

#: Maximum number of lines of the sentence; a longer one is cut.
MAX_LINES = 5

#: Captions of the columns.
CAPTIONS = ("user", "because of", "through", "item")

STYLE = """
.why{--card:#fff;--ink:#1b1e23;--soft:#5d636d;--line:#dcd8ce;--fill:#f6f4ef;--history:#1f6fb4;--social:#12866a;
--attribute:#a25b00;--other:#767b84;font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,
sans-serif}
@media (prefers-color-scheme:dark){.why{--card:#1b1e23;--ink:#e8e6e1;--soft:#a0a6b0;--line:#3a3f47;--fill:#23272d;
--history:#66aef0;--social:#43c9a3;--attribute:#e0a04a;--other:#9aa0aa}}
.why .page{fill:var(--card);stroke:var(--line)}
.why .box{fill:var(--fill);stroke:var(--line)}
.why text{fill:var(--ink);font-size:13px}
.why .title{font-size:19px;font-weight:650;letter-spacing:-.01em}
.why .soft{fill:var(--soft);font-size:11px}
.why .said{fill:var(--soft)}
.why .flow{fill-opacity:.32}
.why .history{fill:var(--history)}.why .social{fill:var(--social)}.why .attribute{fill:var(--attribute)}
.why .other{fill:var(--other)}
"""


@dataclass(frozen=True)
class Box:
    """A placed card: x of its left edge, y of its upper edge, and its height, in pixels."""

    card: Card
    x: float
    y: float
    height: float


def as_svg(explanation: Explanation) -> str:
    """A self-contained SVG file for light and dark backgrounds: title, sentence, flow and footer.

    The flow leads from the user over the strongest reasons and their routes to the item. The footer has the score and
    the share of reasons against the item, which are not drawn.
    """
    sentence_top = MARGIN + TITLE_SIZE + 8
    lines = wrap_text(as_sentence(explanation), TEXT_SIZE, WIDTH - 2 * MARGIN, MAX_LINES)
    top = sentence_top + LINE_HEIGHT * len(lines) + 34
    drawing, bottom = _draw_flow(build_flow(explanation), top, lambda _: None)
    bottom += 26
    height = round(bottom + MARGIN)
    parts = [
        f'<rect class="page" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="12"/>',
        _draw_text(_title(explanation), MARGIN, MARGIN + TITLE_SIZE - 4, "title", TITLE_SIZE, WIDTH - 2 * MARGIN),
        *(
            _draw_text(line, MARGIN, sentence_top + LINE_HEIGHT * (k + 0.6), "said", TEXT_SIZE, WIDTH)
            for k, line in enumerate(lines)
        ),
        *drawing,
        _draw_text(_footer(explanation), MARGIN, bottom + 6, "soft", SMALL_SIZE, WIDTH - 2 * MARGIN),
    ]
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="why" {size} role="img">'
        f"<title>{escape(as_sentence(explanation))}</title><style>{STYLE}</style>{''.join(parts)}</svg>\n"
    )


def draw_flow(explanation: Explanation, find_address: Callable[[Node], str | None]) -> str:
    """The flow alone as an SVG element for a page that has `STYLE`; cards of nodes with an address are links to it."""
    parts, bottom = _draw_flow(build_flow(explanation), 24, find_address)
    box = f"{MARGIN - 1} 0 {WIDTH - 2 * MARGIN + 2} {round(bottom + 2)}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="why" viewBox="{box}" '
        f'role="group" aria-label="{escape(_title(explanation))}">{"".join(parts)}</svg>'
    )


def _draw_flow(flow: Flow, top: float, find_address: Callable[[Node], str | None]) -> tuple[list[str], float]:
    """Bands, cards and captions, whose cards begin at y = `top`, and the y at which they end."""
    scale = SCORE_HEIGHT / max(sum(card.amount for card in flow.reasons), 1e-12)
    columns = [_stack_cards(cards, index, scale) for index, cards in enumerate(flow.columns)]
    height = max(column[-1].y + column[-1].height for column in columns if column)
    columns = [_centre_column(column, top, height) for column in columns]
    parts = _draw_bands(flow, columns, scale)
    for box in (box for column in columns for box in column):
        card = "".join(_draw_card(box))
        address = None if box.card.node is None else find_address(box.card.node)
        parts.append(card if address is None else f'<a href="{escape(address)}">{card}</a>')
    return [*parts, *_draw_captions(columns, top)], top + height


def _title(explanation: Explanation) -> str:
    return f"Why {name(explanation.item)} for {name(explanation.user)}"


def _footer(explanation: Explanation) -> str:
    """Model, score, whether the shares are exact, and the share of the reasons against the item."""
    against = -explanation.share(sum(reason.amount for reason in explanation.reasons if reason.amount < 0))
    parts = [explanation.model, f"score {explanation.score:.4g}"]
    parts.append("shares are exact" if explanation.exact else "shares are estimates")
    if against >= 0.0005:
        parts.append(f"{percent(against)} speak against it and are not drawn")
    return " · ".join(parts)


def _stack_cards(cards: Sequence[Card], index: int, scale: float) -> list[Box]:
    """The cards of a column, by its index, one below the other from y = 0; `scale` is pixels per amount."""
    step = (WIDTH - 2 * MARGIN - CARD_WIDTH) / (len(CAPTIONS) - 1)
    boxes: list[Box] = []
    y = 0.0
    for card in cards:
        height = max(MIN_CARD_HEIGHT, card.amount * scale + 10)
        boxes.append(Box(card, MARGIN + index * step, y, height))
        y += height + GAP
    return boxes


def _centre_column(column: Sequence[Box], top: float, height: float) -> list[Box]:
    """The boxes shifted down, so that the column is in the middle between `top` and `top + height`."""
    if not column:
        return []
    shift = top + (height - column[-1].y - column[-1].height) / 2
    return [replace(box, y=box.y + shift) for box in column]


def _draw_bands(flow: Flow, columns: Sequence[Sequence[Box]], scale: float) -> list[str]:
    """The bands of all links; those at one card are stacked in the order of the links, centred on the card."""
    bands = []
    for index, links in enumerate(flow.links):
        left, right = columns[index], columns[index + 1]
        starts = [
            _first_band_y(box, sum(link.amount for link in links if link.source == k), scale)
            for k, box in enumerate(left)
        ]
        ends = [
            _first_band_y(box, sum(link.amount for link in links if link.target == k), scale)
            for k, box in enumerate(right)
        ]
        for link in links:
            height = link.amount * scale
            source, target = left[link.source], right[link.target]
            start, end = starts[link.source], ends[link.target]
            starts[link.source] += height
            ends[link.target] += height
            bands.append(_draw_band(link.kind, source.x + CARD_WIDTH, start, target.x, end, max(height, 0.6)))
    return bands


def _draw_band(kind: str, x: float, y: float, end_x: float, end_y: float, height: float) -> str:
    """A band of constant height whose upper edge leads from (x, y) to (end_x, end_y)."""
    middle = (x + end_x) / 2
    return (
        f'<path class="flow {kind}" d="M{x:.1f} {y:.1f}C{middle:.1f} {y:.1f} {middle:.1f} {end_y:.1f} '
        f"{end_x:.1f} {end_y:.1f}"
        f'v{height:.2f}C{middle:.1f} {end_y + height:.1f} {middle:.1f} {y + height:.1f} {x:.1f} {y + height:.1f}Z"/>'
    )


def _first_band_y(box: Box, amount: float, scale: float) -> float:
    """The y of the first band at a box, so that its bands, of `amount` in total, are centred on it."""
    return box.y + (box.height - amount * scale) / 2


def _draw_card(box: Box) -> list[str]:
    """A card with its two lines and a strip in the colour of its kind."""
    middle = box.y + box.height / 2
    rect = f'x="{box.x:.1f}" y="{box.y:.1f}" height="{box.height:.1f}"'
    return [
        f'<rect class="box" {rect} width="{CARD_WIDTH}" rx="7"/>',
        f'<rect class="strip {box.card.kind}" x="{box.x + 7:.1f}" y="{box.y + 8:.1f}" width="3" '
        f'height="{box.height - 16:.1f}" rx="1.5"/>',
        _draw_text(box.card.text, box.x + 17, middle - 3, "name", TEXT_SIZE, CARD_WIDTH - 25),
        _draw_text(box.card.small, box.x + 17, middle + 13, "soft", SMALL_SIZE, CARD_WIDTH - 25),
    ]


def _draw_captions(columns: Sequence[Sequence[Box]], top: float) -> list[str]:
    return [
        _draw_text(caption, column[0].x, top - 12, "soft", SMALL_SIZE, CARD_WIDTH)
        for caption, column in zip(CAPTIONS, columns, strict=True)
        if column
    ]


def _draw_text(text: str, x: float, y: float, css_class: str, size: float, pixels: float) -> str:
    """A text, cut to a width in pixels; a cut text has the whole one as tooltip."""
    short = fit_text(text, size, pixels)
    title = "" if short == text else f"<title>{escape(text)}</title>"
    return f'<text class="{css_class}" x="{x:.1f}" y="{y:.1f}">{title}{escape(short)}</text>'


def width(text: str, size: float) -> float:
    """The maximum width of a text in pixels in a common sans-serif font of some size in pixels."""
    return size * sum(map(_width_in_em, text))


def _width_in_em(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF" or ord(character) > 0x1F000:
        return 1.3
    return 0.8 if character.isupper() or character in "mwMW@%—…_" else 0.64


def shorten(text: str, longest: int = LONGEST) -> str:
    """The text; if it is longer than `longest` characters, cut with an ellipsis."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def fit_text(text: str, size: float, pixels: float) -> str:
    """The text; if it is wider than some pixels, cut with an ellipsis."""
    text = " ".join(text.split())
    longest = len(text)
    while longest > 1 and width(shorten(text, longest), size) > pixels:
        longest -= 1
    return shorten(text, longest)


def wrap_text(text: str, size: float, pixels: float, max_lines: int) -> list[str]:
    """The text in at most `max_lines` lines of `pixels`, broken between words; a last line that is too long is cut."""
    lines: list[str] = []
    rest = text.split()
    while rest and len(lines) < max_lines - 1:
        count = 1
        while count < len(rest) and width(" ".join(rest[: count + 1]), size) <= pixels:
            count += 1
        lines.append(fit_text(" ".join(rest[:count]), size, pixels))
        rest = rest[count:]
    return lines + ([fit_text(" ".join(rest), size, pixels)] if rest else [])
