"""What fusion did, in numbers and examples."""

from dataclasses import asdict, dataclass

#: How many examples of a kind a report keeps.
SHOWN = 5


@dataclass(frozen=True)
class LabelReport:
    """How the incoming nodes of one label met those that were there; matched + ambiguous + unmatched = incoming.

    Args:
        label: the node label.
        matched: incoming nodes that are one node with a node of another source.
        ambiguous: incoming nodes that could be several nodes, or of which several could be one; not linked.
        unmatched: the other incoming nodes.
        new: incoming nodes that were not in the graph, so that a node is added for each.
        matched_examples: "source:id → id in the graph".
        ambiguous_examples: "source:id ? id in the graph".
        unmatched_examples: "source:id".
    """

    label: str
    matched: int
    ambiguous: int
    unmatched: int
    new: int
    matched_examples: tuple[str, ...] = ()
    ambiguous_examples: tuple[str, ...] = ()
    unmatched_examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class FusionReport:
    """One source met the graph: a report for each label that it brings."""

    source: str
    labels: tuple[LabelReport, ...]

    def label(self, label: str) -> LabelReport:
        """The report of one label; KeyError if the source does not bring it."""
        return {report.label: report for report in self.labels}[label]

    def to_dict(self) -> dict[str, object]:
        """The report as plain values, ready for JSON: {"source": …, "labels": {label: {"matched": …}}}."""
        labels = {}
        for report in self.labels:
            values = {
                name: list(value) if isinstance(value, tuple) else value for name, value in asdict(report).items()
            }
            labels[values.pop("label")] = values
        return {"source": self.source, "labels": labels}
