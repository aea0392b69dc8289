"""Recommend items to one user, to several, or to all: the published list, or a fallback."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import _options, _terminal

if TYPE_CHECKING:
    from graphrec.serving import Answer
    from graphrec.serving.list_files import RecommendationFile

ENDINGS = (".csv", ".jsonl", ".parquet")


@click.command(epilog="Example: graphrec recommend --user 2 -k 5 --rules rules.toml --trace")
@click.argument("ids", metavar="", nargs=-1)
@click.option("--user", "users", multiple=True, help="Id of a user, or `source:key`; repeatable.")
@click.option(
    "--users",
    "users_file",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="Text file with one id per line (- is stdin).",
)
@click.option("--all", "all_users", is_flag=True, help="All users of the graph; needs --out.")
@click.option("-k", "k", type=_options.Number(), default=10, show_default=True, help="Number of items per user.")
@click.option(
    "--out",
    type=_options.OutPath(dir_okay=False),
    help="Write a table of user_id, item_id, score, rank, title, strategy, detail and run: .csv, .jsonl or .parquet.",
)
@click.option(
    "--rules",
    "rules_file",
    type=_options.InPath(dir_okay=False),
    help="TOML file of re-ranking rules: deny, boost, cap, diversity … (docs/rules.md).",
)
@click.option("--trace", is_flag=True, help="Show what each rule removed or moved.")
@click.option(
    "--anyone", is_flag=True, help="Recommend for an unknown id as for an anonymous visitor instead of failing."
)
@click.option(
    "--as-of",
    metavar="DATE",
    help="Show what was published to the user then, by which run: 2026-03-01 (its end) or 2026-03-01T12:00, in UTC.",
)
@_options.csv_safe_option
@_options.json_option
def command(
    ids: tuple[str, ...],
    users: tuple[str, ...],
    users_file: Path | None,
    all_users: bool,
    k: int,
    out: Path | None,
    rules_file: Path | None,
    trace: bool,
    anyone: bool,
    as_of: str | None,
    csv_safe: bool,
    as_json: bool,
) -> None:
    """Recommend items to a user, to several, or to all, and name the strategy that found each item.

    The published list comes first, without items that the user has interacted with since. A user whom the active run
    does not know is folded into its model from the live graph. A user without interactions gets items that friends or
    users with the same attributes chose, then trending items, then popular ones.

    With --out all lists are written to one file as they are computed, so memory does not grow with the number of users.
    """
    if as_of is not None:
        _show_past_lists(
            [*users, *ids], as_of, k, bool(all_users or users_file or out or rules_file or anyone), as_json
        )
        return
    if all_users == bool(users or ids or users_file is not None):
        raise click.UsageError("name users by --user ID or --users FILE, or give --all for all users")
    if trace and (rules_file is None or out is not None):
        raise click.UsageError("--trace shows the effect of rules; give --rules FILE, and no --out")
    if all_users and out is None:
        raise click.UsageError("--all writes a file; name it with --out, such as --out recommendations.csv")
    if csv_safe and (out is None or out.suffix.lower() in ENDINGS[1:]):
        raise click.UsageError("--csv-safe changes CSV only; give --out FILE.csv as well")
    user_ids = [*users, *ids, *([] if users_file is None else _read_ids(users_file))]
    _options.check_ending(out, ENDINGS, "--out", "a table of recommendations", needed=True)
    from graphrec.errors import GraphrecError, UnknownNameError

    if out is not None and not out.absolute().parent.is_dir():
        raise GraphrecError(f"there is no folder {out.absolute().parent} to write {out.name} into; create it first")
    with _terminal.open_graph() as graph:
        try:
            if out is not None:
                selected = None if all_users else user_ids
                with _terminal.progress_bar() as progress:
                    written = graph.recommend_all(out, k, selected, rules_file, anyone, progress, csv_safe)
                    _show_file(written, k, as_json)
                return
            answers = [graph.answer(user, k, rules_file, anyone) for user in dict.fromkeys(user_ids)]
        except UnknownNameError as error:
            if error.kind != "user":
                raise
            raise GraphrecError(f"{error}; --anyone recommends as for an anonymous visitor") from error
    if as_json:
        records = [answer.as_dict() for answer in answers]
        _terminal.print_json(records[0] if len(user_ids) == 1 and users_file is None else records)
        return
    for answer in answers:
        _show(answer, trace)


def _show_past_lists(users: list[str], as_of: str, k: int, has_others: bool, as_json: bool) -> None:
    """Print what was published to users at a time."""
    if has_others or not users:
        raise click.UsageError("--as-of needs --user ID, and no other choice of users, file, rules or --anyone")
    with _terminal.open_graph() as graph:
        lists = [graph.as_of(user, as_of, k) for user in dict.fromkeys(users)]
    if as_json:
        records = [asdict(each) for each in lists]
        _terminal.print_json(records[0] if len(users) == 1 else records)
        return
    from graphrec.time_format import moment_text

    for each in lists:
        title = f"Published to user {each.user} at {moment_text(each.at)} UTC"
        columns = ["rank", "item", "title", "score", "because", "chosen by then"]
        rows = [
            (item.rank, item.item, item.title, item.score, item.because, "yes" if item.chosen else "no")
            for item in each.items
        ]
        if rows:
            _terminal.print_table(title, columns, rows)
        if each.shown:
            shown = [(moment_text(one.timestamp), one.rank, one.item, one.title, one.run) for one in each.shown]
            _terminal.print_table("Shown on the day before", ["time (UTC)", "rank", "item", "title", "run"], shown)
        _terminal.note(
            f"run {each.run} by {each.model}, active since {moment_text(each.active_since)} UTC ({each.source})"
        )
        for sentence in each.notes:
            _terminal.note(sentence)


def _read_ids(file: Path) -> list[str]:
    """The ids of a file, one per line; a first line `user_id` is a column header."""
    from graphrec.errors import DataError

    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        lines = [line.strip() for line in content.decode("utf-8-sig").splitlines()]
    except OSError as error:
        raise DataError(f"cannot read {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{file} is not a UTF-8 text file; write one id in each line") from error
    ids = [line for line in lines if line]
    ids = ids[1:] if ids[:1] == ["user_id"] else ids
    if not ids:
        raise DataError(f"{file} has no ids; write one in each line")
    return ids


def _show_file(written: "RecommendationFile", k: int, as_json: bool) -> None:
    """Show the number of rows written, and of users without a list or with a short one."""
    if as_json:
        _terminal.print_json(asdict(written))
        return
    users = written.users - written.empty
    _terminal.note(f"{written.file}: {written.rows:,} recommendations for {users:,} users, in {written.seconds:.1f} s")
    if written.empty:
        _terminal.note(f"{written.empty:,} users have no recommendations, and are not in the file")
    if written.short:
        _terminal.note(f"{written.short:,} users have fewer than {k}; `graphrec recommend --user ID` says why")


def _show(answer: "Answer", trace: bool) -> None:
    rows = [(each.rank, each.item, each.title, each.score, each.strategy.value, each.detail) for each in answer.items]
    if rows:
        title = f"Recommendations for user {answer.user}"
        _terminal.print_table(title, ["rank", "item", "title", "score", "strategy", "detail"], rows)
    if trace:
        steps = [
            (step.rule, step.item, step.what, step.rank_before, step.rank_after, step.score_before, step.score_after)
            for step in answer.trace.steps
        ]
        columns = ["rule", "item", "effect", "rank before", "rank after", "score before", "score after"]
        _terminal.print_table("Trace of the rules", columns, steps)
    for sentence in answer.notes:
        _terminal.note(sentence)
