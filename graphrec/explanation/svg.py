"""An explanation as a picture: what flows from the user over reasons and ways to the item, as wide as it counts."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from graphrec.explanation.flow import Card, Flow, build_flow
from graphrec.explanation.model import Explanation
from graphrec.explanation.text import as_sentence, name, percent
from graphrec.markup import escape

#: Pixels: of the picture's width and margin, of cards and the gaps between them, and of what the whole score is wide.
WIDE, MARGIN = 960, 28
CARD, LEAST_HIGH, GAP, WHOLE = 164, 42, 10, 210
TITLE, TEXT, SMALL, LINE = 19.0, 13.0, 11.0, 20

#: Default maximum number of characters of a name; longer ones are cut.
LONGEST = 28

#: Maximum number of lines of the sentence; a longer one is cut.
LINES = 5

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
    """A card in its place: its left and upper edge, and its height."""

    card: Card
    x: float
    y: float
    high: float


def as_svg(explanation: Explanation) -> str:
    """A whole SVG file, legible in light and dark, that needs nothing outside: the sentence, and the flow from the user
    over the strongest reasons and the ways that they lead on to the item; what speaks against it is said below."""
    found = build_flow(explanation)
    head = MARGIN + TITLE + 8
    lines = wrapped(as_sentence(explanation), TEXT, WIDE - 2 * MARGIN, LINES)
    top = head + LINE * len(lines) + 34
    scale = WHOLE / max(sum(card.amount for card in found.reasons), 1e-12)
    columns = [_column(cards, place, scale) for place, cards in enumerate(found.columns)]
    high = max(column[-1].y + column[-1].high for column in columns if column)
    columns = [_centred(column, top, high) for column in columns]
    foot = top + high + 26
    high_of_all = round(foot + MARGIN)
    parts = [
        f'<rect class="page" x="0.5" y="0.5" width="{WIDE - 1}" height="{high_of_all - 1}" rx="12"/>',
        _text(_title(explanation), MARGIN, MARGIN + TITLE - 4, "title", TITLE, WIDE - 2 * MARGIN),
        *(_text(line, MARGIN, head + LINE * (k + 0.6), "said", TEXT, WIDE) for k, line in enumerate(lines)),
        *_flows(found, columns, scale),
        *(part for column in columns for box in column for part in _card(box)),
        *_captions(columns, top),
        _text(_foot(explanation), MARGIN, foot + 6, "soft", SMALL, WIDE - 2 * MARGIN),
    ]
    size = f'viewBox="0 0 {WIDE} {high_of_all}" width="{WIDE}" height="{high_of_all}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="why" {size} role="img">'
        f"<title>{escape(as_sentence(explanation))}</title><style>{STYLE}</style>{''.join(parts)}</svg>\n"
    )


def _title(explanation: Explanation) -> str:
    return f"Why {name(explanation.item)} for {name(explanation.user)}"


def _foot(explanation: Explanation) -> str:
    """What the picture shows, in numbers: how exact it is, and what speaks against the item."""
    against = -explanation.share(sum(reason.amount for reason in explanation.reasons if reason.amount < 0))
    said = [explanation.model, f"score {explanation.score:.4g}"]
    said.append("shares are exact" if explanation.exact else "shares are estimates")
    if against >= 0.0005:
        said.append(f"{percent(against)} speak against it and are not drawn")
    return " · ".join(said)


def _column(cards: Sequence[Card], place: int, scale: float) -> list[Box]:
    """The cards of a column one below the other."""
    step = (WIDE - 2 * MARGIN - CARD) / (len(CAPTIONS) - 1)
    boxes: list[Box] = []
    y = 0.0
    for card in cards:
        high = max(LEAST_HIGH, card.amount * scale + 10)
        boxes.append(Box(card, MARGIN + place * step, y, high))
        y += high + GAP
    return boxes


def _centred(column: Sequence[Box], top: float, high: float) -> list[Box]:
    """The boxes moved to the middle of the picture's height."""
    if not column:
        return []
    shift = top + (high - column[-1].y - column[-1].high) / 2
    return [replace(box, y=box.y + shift) for box in column]


def _flows(found: Flow, columns: Sequence[Sequence[Box]], scale: float) -> list[str]:
    """The bands between the columns, in the order of the cards that they begin and end at."""
    parts = []
    for place, links in enumerate(found.links):
        left, right = columns[place], columns[place + 1]
        begin = [
            _first(box, sum(link.amount for link in links if link.source == k), scale) for k, box in enumerate(left)
        ]
        end = [
            _first(box, sum(link.amount for link in links if link.target == k), scale) for k, box in enumerate(right)
        ]
        for link in links:
            thick = link.amount * scale
            start, stop = begin[link.source], end[link.target]
            begin[link.source] += thick
            end[link.target] += thick
            parts.append(
                _band(link.kind, left[link.source].x + CARD, start, right[link.target].x, stop, max(thick, 0.6))
            )
    return parts


def _band(kind: str, x: float, y: float, to: float, stop: float, thick: float) -> str:
    """A band from (x, y) to (to, stop), as high everywhere as it is thick."""
    middle = (x + to) / 2
    return (
        f'<path class="flow {kind}" d="M{x:.1f} {y:.1f}C{middle:.1f} {y:.1f} {middle:.1f} {stop:.1f} '
        f"{to:.1f} {stop:.1f}"
        f'v{thick:.2f}C{middle:.1f} {stop + thick:.1f} {middle:.1f} {y + thick:.1f} {x:.1f} {y + thick:.1f}Z"/>'
    )


def _first(box: Box, amount: float, scale: float) -> float:
    """Where the first band at a box begins, so that all are in its middle."""
    return box.y + (box.high - amount * scale) / 2


def _card(box: Box) -> list[str]:
    """A card with its two lines and a strip in the colour of its kind."""
    middle = box.y + box.high / 2
    rect = f'x="{box.x:.1f}" y="{box.y:.1f}" height="{box.high:.1f}"'
    return [
        f'<rect class="box" {rect} width="{CARD}" rx="7"/>',
        f'<rect class="strip {box.card.kind}" x="{box.x + 7:.1f}" y="{box.y + 8:.1f}" width="3" '
        f'height="{box.high - 16:.1f}" rx="1.5"/>',
        _text(box.card.text, box.x + 17, middle - 3, "name", TEXT, CARD - 25),
        _text(box.card.small, box.x + 17, middle + 13, "soft", SMALL, CARD - 25),
    ]


def _captions(columns: Sequence[Sequence[Box]], top: float) -> list[str]:
    return [
        _text(caption, column[0].x, top - 12, "soft", SMALL, CARD)
        for caption, column in zip(CAPTIONS, columns, strict=True)
        if column
    ]


def _text(text: str, x: float, y: float, kind: str, size: float, pixels: float) -> str:
    short = fitted(text, size, pixels)
    title = "" if short == text else f"<title>{escape(text)}</title>"
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{title}{escape(short)}</text>'


def width(text: str, size: float) -> float:
    """Pixels that a text takes at most in a usual font without serifs."""
    return size * sum(map(_em, text))


def _em(letter: str) -> float:
    if unicodedata.combining(letter):
        return 0.0
    if unicodedata.east_asian_width(letter) in "WF" or ord(letter) > 0x1F000:
        return 1.3
    return 0.8 if letter.isupper() or letter in "mwMW@%—…_" else 0.64


def shortened(text: str, longest: int = LONGEST) -> str:
    """The text, cut short with an ellipsis where it is longer."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def fitted(text: str, size: float, pixels: float) -> str:
    """The text, cut short with an ellipsis where it takes more than some pixels."""
    text = " ".join(text.split())
    longest = len(text)
    while longest > 1 and width(shortened(text, longest), size) > pixels:
        longest -= 1
    return shortened(text, longest)


def wrapped(text: str, size: float, pixels: float, lines: int) -> list[str]:
    """The text in at most some lines of some pixels, broken between words; the last is cut short where it must be."""
    found: list[str] = []
    rest = text.split()
    while rest and len(found) < lines - 1:
        count = 1
        while count < len(rest) and width(" ".join(rest[: count + 1]), size) <= pixels:
            count += 1
        found.append(fitted(" ".join(rest[:count]), size, pixels))
        rest = rest[count:]
    return found + ([fitted(" ".join(rest), size, pixels)] if rest else [])
