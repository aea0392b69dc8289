"""The order of the list of runs."""

from datetime import UTC, datetime
from pathlib import Path

from graphrec import runs
from graphrec.models import make
from graphrec.publishing.run_list import list_runs
from graphrec.publishing.versions import Versions
from graphrec.runs import TrainedRun
from graphrec.testing import checkerboard


def test_runs_of_one_second_are_listed_as_they_were_saved_the_last_first(tmp_path: Path) -> None:
    graph, train, _ = checkerboard()
    moment = datetime(2026, 11, 30, tzinfo=UTC)
    written = []
    for name in ("popularity", "item_knn", "rp3beta", "ease"):  # in an order that is not that of their ids
        model = make(name)
        run = runs.describe(name, model, graph.target, {}, 0.1, moment)
        runs.save(tmp_path, TrainedRun(run, model, graph.users, graph.items, train))
        written.append(run.id)
    listed = list_runs(Versions(()), runs.list_saved(tmp_path))
    assert [each.run for each in listed] == written[::-1]
