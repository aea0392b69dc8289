"""Figures by matplotlib as SVG inside the page, with its fonts and its colours in light and dark, and reproducible."""

import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from graphrec.evaluation.report.label_placement import Floats, place
from graphrec.markup import escape

#: Placeholder colours of the page's style variables; the figure is drawn with them, then they are replaced.
INK, SOFT, LINE, PAPER = "#010101", "#010102", "#010103", "#010104"
PARTS = {"train": "#010105", "validation": "#010106", "test": "#010107"}
VARIABLES = {INK: "ink", SOFT: "soft", LINE: "line", PAPER: "card"}
VARIABLES |= {colour: name for name, colour in PARTS.items()}

#: Number of model colours of the page, besides that of the baseline.
NUM_COLOURS = 8
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p")

#: Width of a figure in a column, and of a figure across the page, in points of 1/72 inch, which are pixels of the page.
NARROW, WIDE = 340, 880

#: Font size in points.
TEXT = 12

STYLE: Any = {  # matplotlib types its settings by a list of all their names
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # part of matplotlib, so the layout is the same on every machine
    "font.size": TEXT,
    "text.color": INK,
    "text.parse_math": False,  # a name with two dollar signs is not a formula
    "axes.edgecolor": LINE,
    "axes.labelcolor": SOFT,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": TEXT,
    "axes.titleweight": "bold",
    "axes.titlepad": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": LINE,
    "grid.linewidth": 1,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": SOFT,
    "ytick.labelcolor": SOFT,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "lines.linewidth": 1.8,
    "figure.constrained_layout.w_pad": 0.1,
    "figure.constrained_layout.h_pad": 0.1,
    "svg.fonttype": "none",  # text stays text, for search, screen readers and the page's font
    "svg.hashsalt": "graphrec",
}


@dataclass(frozen=True)
class Look:
    """How a model is drawn in all figures: the colour (a placeholder of a style variable) and the marker."""

    colour: str
    marker: str


def assign_looks(names: Sequence[str], baseline: str) -> dict[str, Look]:
    """The Look of each model, in the given order; the baseline is grey, the others differ in colour and in marker."""
    others = [name for name in names if name != baseline]
    assigned = {
        name: Look(f"#0202{row % NUM_COLOURS:02x}", MARKERS[row % len(MARKERS)]) for row, name in enumerate(others)
    }
    return {name: assigned.get(name, Look("#0202ff", "d")) for name in names}


def css_colour(colour: str) -> str:
    """The CSS colour of a placeholder colour."""
    if colour.startswith("#0202"):
        return "var(--base)" if colour.endswith("ff") else f"var(--model-{int(colour[5:], 16)})"
    return f"var(--{VARIABLES[colour]})"


def draw(name: str, title: str, size: tuple[int, int], paint: Callable[[Axes], Callable[[], None] | None]) -> str:
    """An `<svg>` of a size in pixels, with axes that `paint` draws on.

    name: prefix of ids, unique on the page.
    title: description of the figure for screen readers.
    paint: may return a function, which is called after the layout to place labels.
    """
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing")  # the browser has other fonts
        figure = Figure(figsize=(size[0] / 72, size[1] / 72), dpi=72, layout="constrained")
        FigureCanvasAgg(figure)
        finish = paint(figure.subplots())
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        if finish is not None:
            finish()
        stream = StringIO()
        no_metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        for patch in (figure.patch, *(axis.patch for axis in figure.axes)):
            patch.set_facecolor("none")
        # savefig would draw twice
        FigureCanvasSVG(figure).print_svg(stream, metadata=no_metadata)  # type: ignore[no-untyped-call]
    return embed_svg(stream.getvalue(), name, title)


def embed_svg(svg: str, name: str, title: str) -> str:
    """matplotlib's SVG file as an element of a page: without external references, with ids that begin with `name`."""
    body = svg[svg.index("<svg") :]
    view = re.search(r'viewBox="([^"]+)"', body)
    assert view is not None
    body = body[body.index(">") + 1 :]
    for pattern in (r"<!--.*?-->", r"<metadata>.*?</metadata>", r"<defs>\s*<style.*?</style>\s*</defs>"):
        body = re.sub(pattern, "", body, flags=re.DOTALL)
    body = re.sub(r' id="(figure|axes|patch|text|xtick|ytick|line2d|matplotlib|[A-Za-z]+Collection)[^"]*"', "", body)
    body = re.sub(r' id="', f' id="{name}-', body)
    body = body.replace("url(#", f"url(#{name}-").replace('xlink:href="#', f'href="#{name}-')
    body = re.sub(r"font-family: [^;\"]*;? ?", "", body)
    body = re.sub(r' transform="rotate\(-0 [^"]*\)"', "", body)
    # only inside tags: values in the text of the figure keep their digits
    body = re.sub(r"<[^>]+>", lambda tag: re.sub(r"(\d\.\d{2})\d+", r"\1", tag[0]), body)
    body = re.sub(r"#0[12]0[12][0-9a-f]{2}", lambda colour: css_colour(colour[0]), body)
    body = re.sub(r"\s*\n\s*", "\n", body)
    width, height = view[1].split()[2:]
    head = (
        f'<svg class=plot viewBox="{view[1]}" width="{width}" height="{height}" role=img aria-label="{escape(title)}">'
    )
    return f"{head}<title>{escape(title)}</title>{body.strip()}"


def name_points(axis: Axes, names: Sequence[str], points: Floats) -> None:
    """Write names next to points [n, 2] after the layout, without overlap, with lines to names that are far away."""
    canvas = axis.figure.canvas
    assert isinstance(canvas, FigureCanvasAgg)
    renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]
    texts = [axis.text(0, 0, name, fontsize=11, color=INK, ha="center", va="center", zorder=4) for name in names]
    boxes = [text.get_window_extent(renderer) for text in texts]
    sizes = np.array([[box.width, box.height] for box in boxes])
    frame = axis.get_window_extent(renderer)
    pixels = axis.transData.transform(points)
    centres = place(pixels, sizes, (frame.x0, frame.y0, frame.x1, frame.y1))
    for text, point, centre, size in zip(texts, pixels, centres, sizes, strict=True):
        x, y = axis.transData.inverted().transform(centre)
        text.set_position((float(x), float(y)))
        gap = np.maximum(np.abs(centre - point) - size / 2, 0)
        if np.hypot(*gap) > 12:
            ends = axis.transData.inverted().transform(np.stack([point, centre])).T
            axis.plot(*ends, color=SOFT, linewidth=0.7, zorder=2, scalex=False, scaley=False)
            text.set_bbox({"facecolor": PAPER, "edgecolor": "none", "pad": 1})


def swatch(look: Look) -> str:
    """A small `<svg>` of a model's marker for the legend of a figure, hidden from screen readers."""
    shapes = {
        "o": '<circle cx="6" cy="6" r="4.4"/>',
        "s": '<path d="M2 2h8v8H2z"/>',
        "^": '<path d="M6 1 11 10.5H1z"/>',
        "D": '<path d="M6 .8 11.2 6 6 11.2.8 6z"/>',
        "v": '<path d="M6 11 11 1.5H1z"/>',
        "P": '<path d="M4 1h4v3h3v4H8v3H4V8H1V4h3z"/>',
        "X": '<path d="M1 3 3 1l3 3 3-3 2 2-3 3 3 3-2 2-3-3-3 3-2-2 3-3z"/>',
        "p": '<path d="M6 .8 11.2 4.6 9.2 10.8H2.8L.8 4.6z"/>',
        "d": '<path d="M6 .5 9.4 6 6 11.5 2.6 6z"/>',
    }
    colour = css_colour(look.colour)
    return f'<svg class=swatch viewBox="0 0 12 12" aria-hidden=true style="fill:{colour}">{shapes[look.marker]}</svg>'
