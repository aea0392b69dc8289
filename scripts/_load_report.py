"""The report of a load, a check or a dry run: tables on stdout, notes and the next step on stderr."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _terminal

if TYPE_CHECKING:
    from graphrec.cleaning_report import CleaningReport
    from graphrec.fusion import FusionReport, LabelReport
    from graphrec.ingest import Loaded
    from graphrec.pipeline.loading import CheckedSource
    from graphrec.store.nodes import WriteCounts

#: Number of examples shown of each kind.
_NUM_EXAMPLES = 3


def show_loaded(loaded: "Loaded", as_json: bool) -> None:
    """Show what a load did, or would do, as JSON or as tables and notes."""
    if as_json:
        _terminal.print_json(loaded.to_dict() | {"report": str(loaded.report)})
        return
    name = loaded.source.name
    show_cleaning(loaded.cleaning)
    if loaded.dry_run:
        show_written(f"{name}: nothing is written; a load would", loaded.written, ("create", "change", "delete"))
    elif any(each.created or each.changed or each.deleted for each in loaded.written):
        show_written(f"{name} loaded in {loaded.seconds:.1f} s", loaded.written)
    else:
        show_written(f"{name}: the graph already has all of it, compared in {loaded.seconds:.1f} s", loaded.written)
    show_fusion(loaded.fusion)
    note_rejected(loaded.cleaning, loaded.report)
    if len(loaded.links) and loaded.report is not None:
        _terminal.note(f"every link, with its evidence and confidence, is in {loaded.report / 'links.csv'}")
    _note_renamed(loaded)
    for note in loaded.notes:
        _terminal.note(note)
    _note_next(loaded)


def show_checked(checked: "CheckedSource", as_json: bool) -> None:
    """Show the tables of a source that was only checked, or the import files written from it, as JSON or as tables."""
    if as_json:
        _terminal.print_json(checked.to_dict() | {"report": str(checked.report)})
        return
    tables = checked.tables
    show_cleaning(tables.cleaning)
    if checked.files is not None:
        files = checked.files.files.items()
        _terminal.print_table("Files for neo4j-admin", ["file", "rows"], [[name, rows] for name, rows in files])
        note_rejected(tables.cleaning, checked.report)
        _terminal.note(f"next, with the database stopped, on the server's machine: sh {checked.files.script}")
        return
    rows = [[t.type.label, "", len(t.frame), ", ".join(t.type.properties)] for t in tables.nodes]
    rows += [
        [f"{t.type.source} {t.type.relation}", t.type.target, len(t.frame), ", ".join(t.type.properties)]
        for t in tables.edges
    ]
    _terminal.print_table(f"{tables.sources[0].name} can be loaded", ["", "to", "rows", "properties"], rows)
    note_rejected(tables.cleaning, checked.report)
    for note in checked.notes:
        _terminal.note(note)
    _terminal.note("the graph is not changed; the same command without --check loads it, with --dry-run compares it")


def show_written(
    title: str, written: "Iterable[WriteCounts]", columns: Sequence[str] = ("created", "changed", "deleted")
) -> None:
    """Show the numbers of nodes and edges created, changed and deleted."""
    rows = [[each.name, each.target or "", each.created, each.changed, each.deleted] for each in written]
    _terminal.print_table(title, ["", "to", *columns], rows)


def show_cleaning(cleaning: "CleaningReport") -> None:
    """Show the cleaning rules that applied, if any did."""
    applied = [(table, rule) for table in cleaning.tables for rule in table.rules]
    if not applied:
        return
    rows = [[table.name, table.rows, table.kept, rule.rule, rule.action, rule.rows] for table, rule in applied]
    _terminal.print_table("Cleaning", ["", "rows in", "kept", "rule", "did", "rows"], rows)
    _show_examples({f"{table.name}, {rule.rule}": rule.examples for table, rule in applied})
    for table, rule in applied:
        if rule.hint:
            _terminal.note(f"{table.name}, {rule.rule}: {rule.hint}")


def show_fusion(report: "FusionReport") -> None:
    """Show the links with other sources by label, if there are any or any were refused."""
    _show_rules(report)
    labels = [
        each for each in report.labels if each.matched or each.ambiguous or each.proposed or each.refused or each.unused
    ]
    if not labels:
        return
    columns = ["", "matched", "ambiguous", "proposed", "refused", "unmatched", "new nodes"]
    rows = [
        [each.label, each.matched, each.ambiguous, each.proposed, each.refused, each.unmatched, each.new]
        for each in labels
    ]
    _terminal.print_table(f"{report.source} fused with the graph", columns, rows)
    _show_examples(
        {f"{each.label}, {kind}": shown for each in labels for kind, shown in _collect_examples(each).items()}
    )


def _show_rules(report: "FusionReport") -> None:
    """Show how many records each link rule matched, if the source has rules and another source has such nodes."""
    rows = [
        [label.label, rule.rule, f"{rule.matched:,} of {rule.records:,} matched"]
        for label in report.labels
        for rule in label.rules
    ]
    if rows:
        _terminal.print_table(f"Links of {report.source} with other sources", ["", "by", "records"], rows)


def note_rejected(cleaning: "CleaningReport", report: Path | None) -> None:
    """Note the file of the rejected rows, if there are any."""
    if cleaning.dropped and report is not None:
        rows = "1 row was rejected" if cleaning.dropped == 1 else f"{cleaning.dropped:,} rows were rejected"
        _terminal.note(f"{rows}, with their reasons in {report / 'rejected.csv'}")


def _collect_examples(label: "LabelReport") -> dict[str, Sequence[str]]:
    """The examples of a label by kind; matches of nodes with the same name in both sources are left out."""
    matched = [
        text
        for text in label.matched_examples
        if text.partition(" → ")[0].partition(":")[2] != text.partition(" → ")[2]
    ]
    return {
        "one node": matched,
        "ambiguous, so not linked": label.ambiguous_examples,
        "proposed, not confident enough to link": label.proposed_examples,
        "refused, as two records of one source would become one node": label.refused_examples,
        "values that identify nothing, so not compared": label.unused_examples,
        "values that disagree": label.disagreement_examples,
    }


def _show_examples(examples: Mapping[str, Sequence[str]]) -> None:
    """Print headings, each followed by a few examples, one per line."""
    from rich.text import Text

    out = _terminal.console()
    some = {heading: shown[:_NUM_EXAMPLES] for heading, shown in examples.items() if shown}
    for heading, shown in some.items():
        out.print(Text(f"  {heading}"))
        for text in shown:
            out.print(_indent(text))
    if some:
        out.print()


def _indent(text: str) -> Any:  # a rich renderable
    from rich.padding import Padding
    from rich.text import Text

    return Padding(Text(text, style="dim", overflow="fold"), (0, 0, 0, 4), expand=False)


def _note_renamed(loaded: "Loaded") -> None:
    if loaded.renamed:
        number = " and ".join(f"{count:,} {label}" for label, count in loaded.renamed.items())
        verb = "would get" if loaded.dry_run else "got"
        _terminal.note(
            f"{number} nodes of the graph {verb} another id, because two sources use one id for different nodes or a "
            "fused node takes the id of the source with precedence. Runs that were trained before have the old ids and "
            "must be trained again"
        )


def _note_next(loaded: "Loaded") -> None:
    from graphrec.behaviours import BEHAVIOURS

    if loaded.refused:
        return
    if loaded.dry_run:
        _terminal.note("the same command without --dry-run writes this")
    elif set(BEHAVIOURS) & loaded.rows.keys():
        _terminal.note("next: `graphrec schema` shows the graph, `graphrec train` learns from it")
    else:
        _terminal.note("next: `graphrec schema` shows the graph")
