"""What a load, a check or a dry run tells: tables on stdout, and on stderr what else to know and what to do next."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _terminal

if TYPE_CHECKING:
    from graphrec.cleaning_report import CleaningReport
    from graphrec.fusion import FusionReport, LabelReport
    from graphrec.ingest import Loaded
    from graphrec.store.nodes import Written
    from graphrec.tables import GraphTables

#: How many examples of one kind are shown.
_SHOWN = 3


def as_dict(loaded: "Loaded") -> dict[str, Any]:
    """What a load did, as plain values."""
    return {
        "source": asdict(loaded.source),
        "rows": loaded.rows,
        "cleaning": loaded.cleaning.to_dict(),
        "fusion": loaded.fusion.to_dict(),
        "renamed": loaded.renamed,
        "dry_run": loaded.dry_run,
        "refused": loaded.refused,
        "notes": list(loaded.notes),
        "written": [asdict(written) for written in loaded.written],
        "seconds": round(loaded.seconds, 3),
    }


def checked_as_dict(tables: "GraphTables") -> dict[str, Any]:
    """What a source would bring, as plain values."""
    from graphrec.ingest import notes

    return {
        "source": asdict(tables.sources[0]),
        "nodes": [
            {"label": t.type.label, "rows": len(t.frame), "properties": list(t.type.properties)} for t in tables.nodes
        ],
        "edges": [
            {
                **dict(zip(("from", "type", "to"), t.type.triple, strict=True)),
                "rows": len(t.frame),
                "properties": list(t.type.properties),
            }
            for t in tables.edges
        ],
        "cleaning": tables.cleaning.to_dict(),
        "notes": list(notes.of_tables(tables)),
    }


def show_loaded(loaded: "Loaded", place: Path) -> None:
    """What a load did or would do."""
    name = loaded.source.name
    show_cleaning(loaded.cleaning)
    if loaded.dry_run:
        show_written(f"{name}: nothing is written; a load would", loaded.written, ("create", "change", "delete"))
    elif any(each.created or each.changed or each.deleted for each in loaded.written):
        show_written(f"{name} loaded in {loaded.seconds:.1f} s", loaded.written)
    else:
        show_written(f"{name}: the graph had it all already, looked up in {loaded.seconds:.1f} s", loaded.written)
    show_fusion(loaded.fusion)
    tell_rejected(loaded.cleaning, place)
    if len(loaded.links):
        _terminal.note(f"every link, with its evidence and confidence, is in {place / 'links.csv'}")
    _tell_renamed(loaded)
    for note in loaded.notes:
        _terminal.note(note)
    _tell_next(loaded)


def show_checked(tables: "GraphTables", place: Path) -> None:
    """What a source would bring, before anybody looked at the graph."""
    from graphrec.ingest import notes

    rows = [[t.type.label, "", len(t.frame), ", ".join(t.type.properties)] for t in tables.nodes]
    rows += [
        [f"{t.type.source} {t.type.relation}", t.type.target, len(t.frame), ", ".join(t.type.properties)]
        for t in tables.edges
    ]
    show_cleaning(tables.cleaning)
    _terminal.print_table(f"{tables.sources[0].name} can be loaded", ["", "to", "rows", "properties"], rows)
    tell_rejected(tables.cleaning, place)
    for note in notes.of_tables(tables):
        _terminal.note(note)
    _terminal.note(
        "nothing is written; the same command without --check loads it, with --dry-run it looks at the graph"
    )


def show_written(
    title: str, written: "Iterable[Written]", columns: Sequence[str] = ("created", "changed", "deleted")
) -> None:
    """How many nodes and edges of each kind are new, other than before, or gone."""
    rows = [[each.name, each.target or "", each.created, each.changed, each.deleted] for each in written]
    _terminal.print_table(title, ["", "to", *columns], rows)


def show_cleaning(cleaning: "CleaningReport") -> None:
    """What cleaning did to the rows; nothing where it did nothing."""
    ruled = [(table, rule) for table in cleaning.tables for rule in table.rules]
    if not ruled:
        return
    rows = [[table.name, table.rows, table.kept, rule.rule, rule.action, rule.rows] for table, rule in ruled]
    _terminal.print_table("Cleaning", ["", "rows in", "kept", "rule", "did", "rows"], rows)
    _show_examples({f"{table.name}, {rule.rule}": rule.examples for table, rule in ruled})
    for table, rule in ruled:
        if rule.hint:
            _terminal.note(f"{table.name}, {rule.rule}: {rule.hint}")


def show_fusion(report: "FusionReport") -> None:
    """What was matched with other sources; nothing where no label met another source."""
    _show_rules(report)
    met = [
        each for each in report.labels if each.matched or each.ambiguous or each.proposed or each.refused or each.unused
    ]
    if not met:
        return
    columns = ["", "matched", "ambiguous", "proposed", "refused", "unmatched", "new nodes"]
    rows = [
        [each.label, each.matched, each.ambiguous, each.proposed, each.refused, each.unmatched, each.new]
        for each in met
    ]
    _terminal.print_table(f"{report.source} fused with the graph", columns, rows)
    _show_examples({f"{each.label}, {kind}": shown for each in met for kind, shown in _kinds(each).items()})


def _show_rules(report: "FusionReport") -> None:
    """What came of each link rule; nothing if the source has none, or no other source has such nodes."""
    rows = [
        [label.label, rule.rule, f"{rule.matched:,} of {rule.records:,} matched"]
        for label in report.labels
        for rule in label.rules
    ]
    if rows:
        _terminal.print_table(f"Links of {report.source} with other sources", ["", "by", "records"], rows)


def tell_rejected(cleaning: "CleaningReport", place: Path) -> None:
    """Where the rejected rows lie, if there are any."""
    if cleaning.dropped:
        rows = "1 row was rejected" if cleaning.dropped == 1 else f"{cleaning.dropped:,} rows were rejected"
        _terminal.note(f"{rows}, to be read with the reasons in {place / 'rejected.csv'}")


def _kinds(label: "LabelReport") -> dict[str, Sequence[str]]:
    """The examples of a label by what they are examples of; a name that is one and the same in both needs none."""
    matched = [
        text
        for text in label.matched_examples
        if text.partition(" → ")[0].partition(":")[2] != text.partition(" → ")[2]
    ]
    return {
        "one node": matched,
        "ambiguous, so not linked": label.ambiguous_examples,
        "proposed, too unsure to link": label.proposed_examples,
        "refused, as two of one source would be one": label.refused_examples,
        "values that identify nothing, so not linked by": label.unused_examples,
        "values that disagree": label.disagreement_examples,
    }


def _show_examples(examples: Mapping[str, Sequence[str]]) -> None:
    """A heading and below it a few examples, each on a line of its own."""
    from rich.text import Text

    out = _terminal.console()
    some = {heading: shown[:_SHOWN] for heading, shown in examples.items() if shown}
    for heading, shown in some.items():
        out.print(Text(f"  {heading}"))
        for text in shown:
            out.print(_indented(text))
    if some:
        out.print()


def _indented(text: str) -> Any:  # a rich renderable
    from rich.padding import Padding
    from rich.text import Text

    return Padding(Text(text, style="dim", overflow="fold"), (0, 0, 0, 4), expand=False)


def _tell_renamed(loaded: "Loaded") -> None:
    if loaded.renamed:
        number = " and ".join(f"{count:,} {label}" for label, count in loaded.renamed.items())
        verb = "would get another id" if loaded.dry_run else "have another id than before"
        _terminal.note(
            f"{number} nodes that were in the graph {verb}: where two sources use one id for different things, both "
            "get their source's name before it, and a fused node has the id of the source that comes first; a run that "
            "was trained before knows the old ids"
        )


def _tell_next(loaded: "Loaded") -> None:
    from graphrec.behaviours import BEHAVIOURS

    if loaded.refused:
        return
    if loaded.dry_run:
        _terminal.note("the same command without --dry-run writes this")
    elif set(BEHAVIOURS) & loaded.rows.keys():
        _terminal.note("next: `graphrec schema` shows what the graph has, `graphrec train` learns from it")
    else:
        _terminal.note("next: `graphrec schema` shows what the graph has")
