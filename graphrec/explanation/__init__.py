"""Why an item is recommended: a score split into the paths that it comes from, in words, rows, Cypher and a picture."""

from graphrec.explanation.cypher import as_cypher
from graphrec.explanation.explain import TOP, explain, explain_fold_in
from graphrec.explanation.graph_lookup import add_titles
from graphrec.explanation.model import Explanation, Node, Path, Reason, Remainder, Route, Step
from graphrec.explanation.svg import as_svg
from graphrec.explanation.table import as_frame, as_record, reasons_frame
from graphrec.explanation.text import as_sentence
from graphrec.explanation.top_reasons import ReasonFinder, with_reasons

__all__ = [
    "TOP",
    "Explanation",
    "Node",
    "Path",
    "Reason",
    "ReasonFinder",
    "Remainder",
    "Route",
    "Step",
    "add_titles",
    "as_cypher",
    "as_frame",
    "as_record",
    "as_sentence",
    "as_svg",
    "explain",
    "explain_fold_in",
    "reasons_frame",
    "with_reasons",
]
