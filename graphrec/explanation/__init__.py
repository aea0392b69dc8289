"""Why an item is recommended: a score split into the paths that it comes from, in words, rows, Cypher and a picture."""

from graphrec.explanation.cypher import as_cypher
from graphrec.explanation.explaining import TOP, explain
from graphrec.explanation.lookup import described
from graphrec.explanation.parts import Explanation, Hop, Node, Part, Path, Reason, Through
from graphrec.explanation.picture import as_svg
from graphrec.explanation.strongest import with_reasons
from graphrec.explanation.table import as_frame, as_record, reasons_frame
from graphrec.explanation.wording import as_sentence

__all__ = [
    "TOP",
    "Explanation",
    "Hop",
    "Node",
    "Part",
    "Path",
    "Reason",
    "Through",
    "as_cypher",
    "as_frame",
    "as_record",
    "as_sentence",
    "as_svg",
    "described",
    "explain",
    "reasons_frame",
    "with_reasons",
]
