"""Methods of `Graph` that operate it: retrain, gate, publish, watch clicks, roll back, and compare two runs at once."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from graphrec.arguments import count
from graphrec.errors import UnknownNameError
from graphrec.graph.connection import Connection
from graphrec.progress import StageProgress, silent

if TYPE_CHECKING:  # a cycle loads torch, which takes seconds
    from graphrec.operation import Decision, OperationPolicy
    from graphrec.operation.cycle import CycleResult
    from graphrec.pipeline.feedback import ExperimentFeedback
    from graphrec.runs import Run
    from graphrec.store.experiment import Experiment, ListedExperiment, Mode


class OperationMethods(Connection):
    """Operation by a policy: a TOML file (docs/operation.md), or a `graphrec.operation.OperationPolicy`."""

    def operate(
        self,
        policy: "OperationPolicy | Path | str | None" = None,
        now: int | None = None,
        progress: StageProgress = silent,
    ) -> "CycleResult":
        """One cycle: finish what a killed one began, compare the clicks on the newest run with those on the run before,
        roll back if it is worse, else train, gate and publish if the policy says so.

        Nothing is decided if another process leads. `now` is the time to decide for, in Unix seconds.

        Raises:
            DataError: the policy is invalid, or there is too little to learn from.
            StoreError: the database refuses, or another process has become the leader meanwhile.
        """
        rules = _load_policy(policy)
        store = self.store
        from graphrec.operation.cycle import run_cycle

        return run_cycle(store, self.settings, rules, self._note, progress, now)

    def operate_until_ended(
        self,
        policy: "OperationPolicy | Path | str | None" = None,
        report: "Callable[[CycleResult], None]" = lambda _: None,
        progress: StageProgress = silent,
    ) -> None:
        """A cycle every `policy.every` seconds until SIGTERM or SIGINT, with connections of their own; `report` is
        called with the result of each."""
        rules = _load_policy(policy)
        from graphrec.config import open_store
        from graphrec.operation.loop import run_cycles

        run_cycles(lambda: open_store(self.settings, self._note), self.settings, rules, report, self._note, progress)

    def start_experiment(
        self, run: "Run | str | None" = None, share: float = 0.5, mode: "Mode" = "split"
    ) -> "Experiment":
        """Compare the active run with another one at the same time, by default the one before it.

        `split`: `share` of the users get the other run. `interleave`: they get items of both runs in one list. Users
        are assigned by a salted hash. A publication or a rollback ends the experiment.

        Raises UnknownNameError or DataError if there is no other run with lists in the graph, or the share is not
        between 0 and 1.
        """
        from graphrec.publishing.experiments import start_experiment

        return start_experiment(self.store, run if run is None or isinstance(run, str) else run.id, share, mode)

    def stop_experiment(self) -> str | None:
        """End the running experiment, so that all users get the active run; its id, or None if none runs."""
        from graphrec.publishing.experiments import stop_experiments
        from graphrec.store.experiment import find_experiment

        running = find_experiment(self.store)
        stop_experiments(self.store)
        return None if running is None else running.id

    def list_experiments(self) -> "list[ListedExperiment]":
        """All experiments, the newest first."""
        from graphrec.store.experiment import list_experiments

        return list_experiments(self.store)

    def measure_experiment(
        self,
        experiment: str | None = None,
        relations: str | Sequence[str] = (),
        window: str | int = "24h",
        until: int | None = None,
    ) -> "ExperimentFeedback | None":
        """What users did in an experiment, by default the newest one; None if there was none.

        `relations` and `window` are as in `measure_feedback`; impressions count when their window has passed at `until`
        (Unix seconds, by default now).

        Raises UnknownNameError if there is no such experiment, DataError if the graph lacks the behaviour.
        """
        all_experiments = {each.id: each for each in self.list_experiments()}
        if experiment is not None and experiment not in all_experiments:
            raise UnknownNameError("experiment", experiment, all_experiments)
        if not all_experiments:
            return None
        from graphrec.evaluation.off_policy import parse_window
        from graphrec.pipeline.feedback import measure_experiment

        chosen = all_experiments[experiment] if experiment else next(iter(all_experiments.values()))
        names = [relations] if isinstance(relations, str) else relations
        seconds = parse_window(window) if isinstance(window, str) else window
        return measure_experiment(self.store, chosen, seconds, names, until)

    def list_decisions(self, limit: int | None = None) -> "list[Decision]":
        """The decisions of operation, the newest first; at most `limit`."""
        from graphrec.operation import read_decisions

        return read_decisions(self.store, None if limit is None else count(limit, "limit"))


def _load_policy(policy: "OperationPolicy | Path | str | None") -> "OperationPolicy":
    from graphrec.operation import OperationPolicy
    from graphrec.operation.policy import read_policy

    if policy is None:
        return OperationPolicy()
    return policy if isinstance(policy, OperationPolicy) else read_policy(Path(policy))
