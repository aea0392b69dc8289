"""One cycle of operation: finish what a killed one began, watch clicks, and retrain, gate and publish if the policy
says so."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass

import numpy as np

from graphrec import publishing, runs
from graphrec.config import Settings
from graphrec.errors import DataError, GraphrecError, StoreError, UnknownNameError
from graphrec.evaluation.result import Estimate
from graphrec.evaluation.sequential import ClickComparison, SequentialConfig
from graphrec.evaluation.store_lookup import aliases
from graphrec.models import MODELS
from graphrec.operation.changes import Changes, LastTraining, find_changes, find_last_training
from graphrec.operation.journal import Decision, Journal, read_decisions
from graphrec.operation.leader import (
    PUBLISHING,
    ROLLING_BACK,
    TRAINING,
    Leader,
    LostLeadershipError,
    lead,
    read_leader,
)
from graphrec.operation.policy import OperationPolicy
from graphrec.pipeline import publication, training
from graphrec.pipeline.config import PublishConfig, TrainConfig
from graphrec.pipeline.feedback import Period, compare_clicks, measure_experiment
from graphrec.pipeline.notes import resolve_split, training_notes
from graphrec.pipeline.reading import read_graph
from graphrec.preconditions import FIRST_STEPS
from graphrec.progress import StageProgress, silent
from graphrec.publishing.experiments import start_experiment, stop_experiments
from graphrec.reranking import read_rules
from graphrec.runs import TrainedRun
from graphrec.store import Store
from graphrec.store.active_run import find_active_run
from graphrec.store.counts import has_behaviour
from graphrec.store.experiment import find_experiment, list_experiments

#: The model of the first training, if the policy names none.
DEFAULT_MODEL = "graph_filter"


@dataclass(frozen=True)
class CycleResult:
    """What a cycle decided; `leader` describes the process that leads instead, "" if this one did."""

    decisions: tuple[Decision, ...]
    leader: str = ""


def run_cycle(
    store: Store,
    settings: Settings,
    policy: OperationPolicy,
    note: Callable[[str], None] = lambda _: None,
    progress: StageProgress = silent,
    now: int | None = None,
) -> CycleResult:
    """Run one cycle, unless another process leads; `now` is the time that it decides for (Unix seconds).

    An error is a line of the journal, too, and is raised.

    Raises:
        DataError: there is too little to learn from.
        LostLeadershipError: another process has become the leader meanwhile.
        StoreError: the database refuses or goes away.
    """
    with lead(store) as leader:
        if leader is None:
            state = read_leader(store)
            return CycleResult((), state.describe() if state.owner else "another operator, which has just finished")
        cycle = _Cycle(store, settings, policy, leader, note, progress, int(time.time()) if now is None else now)
        try:
            cycle.run()
        except LostLeadershipError:
            raise
        except GraphrecError as error:
            with suppress(StoreError):  # the database may be what failed
                state = read_leader(store)
                # a rollback is decided once, so that only the node reminds the next cycle of it
                kept = (state.run, ROLLING_BACK) if state.stage == ROLLING_BACK else (None, "")
                cycle.journal.write("fail", f"the cycle ended with an error: {error}", {}, *kept)
            raise
        return CycleResult(tuple(cycle.journal.decisions))


class _Cycle:
    """The steps of a cycle, under one leader."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        policy: OperationPolicy,
        leader: Leader,
        note: Callable[[str], None],
        progress: StageProgress,
        now: int,
    ) -> None:
        self.store, self.settings, self.policy, self.leader = store, settings, policy, leader
        self.note, self.progress, self.now = note, progress, now
        self.journal = Journal(store, leader)

    def run(self) -> None:
        """All steps; a rollback ends the cycle, so that what follows it is decided on its own."""
        before = self.leader.before
        saved = {run.id: run for run in runs.list_saved(self.settings.runs)}
        last = find_last_training(self.store, find_active_run(self.store), saved)
        if before.stage == ROLLING_BACK:
            self._resume_rollback(before.run)
            return
        if before.stage == PUBLISHING and before.run in saved:
            self._resume(f"{before.run} is trained: gate and publish follow", PUBLISHING, before.run)
            self._publish(runs.load(self.settings.runs, before.run))
            return
        if before.stage:
            self._resume("the training begins anew", TRAINING)
            self._publish(self._train(last))
            return
        if self._watch():
            return
        experiment = find_experiment(self.store)
        if experiment is not None:
            if not any(each.figures.get("experiment") == experiment.id for each in self.journal.decisions):
                sentence = f"experiment {experiment.id} compares {experiment.other.id}: nothing is published meanwhile"
                self.journal.write("wait", sentence, {"experiment": experiment.id})
            return
        check_policy(self.policy)
        trained = None if last is None or last.run not in saved else runs.load(self.settings.runs, last.run)
        failed = self._find_unpublished()
        if trained is not None and failed is not None and failed.run == trained.run.id:
            sentence = f"cycle {failed.cycle} trained {failed.run} and did not publish it: gate and publish follow"
            self.journal.write("resume", sentence, {"cycle": failed.cycle, "stage": PUBLISHING}, failed.run, PUBLISHING)
            self._publish(trained)
            return
        if not self._decide(last, trained):
            return
        self._publish(self._train(last))

    def _resume(self, what: str, stage: str = "", run: str | None = None) -> None:
        before = self.leader.before
        sentence = f"cycle {before.number} of {before.holder} was ended at {before.stage}; {what}"
        self.journal.write("resume", sentence, {"cycle": before.number, "stage": before.stage}, run, stage)

    def _resume_rollback(self, previous: str) -> None:
        """Finish a rollback, unless another run than the one that it was decided for is active by now."""
        active = find_active_run(self.store)
        (decided,) = read_decisions(self.store, 1, ["rollback"])
        if active is not None and active.id not in (previous, decided.figures["new"]["run"]):
            self._resume(f"{active.id} was published since, and stays active")
        elif previous not in {each.id for each in publishing.read_versions(self.store).complete}:
            self._resume(f"the lists of {previous} are no longer in the graph, so the active run stays")
        else:
            self._resume(f"returns to {previous}", ROLLING_BACK, previous)
            self._roll_back(previous)

    def _find_unpublished(self) -> Decision | None:
        """The last training of operation, if an error ended its cycle before the run was published or refused."""
        newest = read_decisions(self.store, 1, ["train", "publish", "refuse"])
        active = find_active_run(self.store)
        if not newest or newest[0].kind != "train" or (active is not None and active.id == newest[0].run):
            return None
        return newest[0]

    def _decide(self, last: LastTraining | None, trained: TrainedRun | None) -> bool:
        """Whether to train, as a line of the journal."""
        policy = self.policy.retrain
        begun = read_decisions(self.store, 1, ["retrain"])
        too_early = bool(begun) and self.now * 1000 - begun[0].at < policy.apart * 1000
        early = f"but the last training began less than {policy.apart:,} s ago"
        if last is None:
            if not has_behaviour(self.store):
                sentence = f"the graph has no behaviour of users yet; load a source first: {FIRST_STEPS}"
                self.journal.write("wait", sentence, {})
                return False
            if too_early:
                self.journal.write("wait", f"nothing was ever trained for this graph, {early}", {})
                return False
            self.journal.write("retrain", "nothing was ever trained for this graph", {}, stage=TRAINING)
            return True
        changes = find_changes(self.store, last, trained, policy, self.now * 1000, self.policy.seed)
        reasons, figures = changes.reasons(policy), {**asdict(changes), "last": last.run}
        if reasons and not too_early:
            self.journal.write("retrain", "; ".join(reasons), figures, stage=TRAINING)
            return True
        sentence = _describe_changes(changes)
        if reasons:
            sentence = f"{'; '.join(reasons)}, {early}"
        self.journal.write("wait", sentence, figures)
        return False

    def _train(self, last: LastTraining | None) -> TrainedRun:
        """The run of a training, saved; settings are those of the last training between full searches."""
        policy = self.policy
        model = policy.model or (DEFAULT_MODEL if last is None else last.model)
        if model == "ensemble":
            raise DataError(
                "the last run is an ensemble, which `graphrec blend` makes of several runs; operate trains single "
                "models: set `model` in the policy"
            )
        relation = policy.relation or (None if last is None else last.relation)
        settings, searched_at = None, self.now * 1000
        if last is not None and last.model == model and self.now - last.searched_at // 1000 < policy.search.every:
            settings, searched_at = dict(last.settings), last.searched_at
        graph = read_graph(self.store, relation, self.progress)
        config = TrainConfig(
            settings=settings,
            split=resolve_split(None, graph, self.note),
            num_trials=policy.search.trials,
            aliases=aliases(self.store, graph),
        )
        for sentence in training_notes(graph, [model]):
            self.note(sentence)
        trained = training.train(graph, model, np.random.default_rng(policy.seed), config, self.progress)
        runs.save(self.settings.runs, trained)
        run = trained.run
        figures = {
            "model": model,
            "settings": dict(run.config),
            "relation": run.relation,
            "interactions": run.num_interactions,
            "searched_at": searched_at,
            "seconds": run.seconds,
            "metrics": dict(run.metrics),
        }
        how = "settings searched anew" if settings is None else "settings kept"
        sentence = f"{model} is trained on {run.num_interactions:,} interactions, {how}"
        self.journal.write("train", sentence, figures, run.id, PUBLISHING)
        return trained

    def _publish(self, trained: TrainedRun) -> None:
        """Publish a run unless the gate refuses it."""
        run, policy = trained.run, self.policy.publish
        verdict = run.verdict
        figures = {} if verdict is None else {"metric": verdict.metric, "value": verdict.value, "gains": verdict.gains}
        if run.objections:
            self.journal.write("refuse", f"the publish gate refuses: {'; '.join(run.objections)}", figures, run.id)
            return
        before = publishing.read_versions(self.store).active
        config = PublishConfig(policy.rules, False, policy.keep, policy.similar, policy.embeddings, policy.reasons)
        done = publication.publish_run(
            self.store, trained, policy.k, self.settings.home, self.progress, config, self.leader
        )
        previous = next((each for each in done.kept), None) if before is None or before.id == done.run else before.id
        figures |= {"users": done.users, "edges": done.edges, "written": done.recommended.edges_written}
        sentence = f"{done.edges:,} recommendations for {done.users:,} users are published; the publish gate passed"
        figures |= {"previous": previous}
        if previous is not None and self.policy.watch.split > 0:
            share = self.policy.watch.split
            started = start_experiment(self.store, previous, share, fence=self.leader)
            figures |= {"experiment": started.id}
            sentence += f"; {share:.0%} of the users stay with {previous}"
        self.journal.write("publish", sentence, figures, done.run)

    def _watch(self) -> bool:
        """Whether the run that operation published last was rolled back, because it has fewer clicks."""
        published = read_decisions(self.store, 1, ["publish", "rollback", "keep"])
        all_versions = publishing.read_versions(self.store)
        active, policy = all_versions.active, self.policy.watch
        if not published or published[0].kind != "publish" or active is None or active.id != published[0].run:
            return False
        previous = published[0].figures.get("previous")
        if previous not in {each.id for each in all_versions.complete}:
            return False
        assert active.activated_at is not None  # it is complete
        begin = active.activated_at // 1000
        period = Period(begin - policy.baseline, begin, begin, self.now)
        config = SequentialConfig(policy.alpha, policy.effect, policy.users)
        name = published[0].figures.get("experiment")
        experiment = next((each for each in list_experiments(self.store) if each.id == name), None)
        if experiment is not None and not experiment.running:
            self.journal.write("keep", f"experiment {name} was stopped: the run is kept", {}, active.id)
            return False
        split = {} if experiment is None else {"experiment": experiment.id}
        try:
            if experiment is None:
                both = (str(previous), active.id)
                found = compare_clicks(self.store, both, period, policy.window, policy.clicks, config)
            else:
                measured = measure_experiment(self.store, experiment, policy.window, policy.clicks, self.now, config)
                assert measured.split is not None  # operation starts no other experiment
                found = measured.split
        except (DataError, UnknownNameError) as error:  # such as no click so far
            self.journal.write("watch", f"clicks cannot be compared: {error}", split, active.id)
            return False
        figures, sentence = {**_figures_of(found), **split}, describe_comparison(found)
        if found.is_worse:
            self.journal.write("rollback", f"{sentence}: back to {previous}", figures, str(previous), ROLLING_BACK)
            self._roll_back(str(previous))
            return True
        if found.is_better or self.now - begin >= policy.longest:
            if experiment is not None:
                stop_experiments(self.store, self.leader)
            self.journal.write("keep", f"{sentence}: the run is kept", figures, active.id)
        else:
            self.journal.write("watch", sentence, figures, active.id)
        return False

    def _roll_back(self, previous: str) -> None:
        """Make the run before the active one again, unless it is already, and note that this is done."""
        active = find_active_run(self.store)
        if active is None or active.id != previous:
            publication.roll_back(self.store, self.settings, previous, self.progress, self.leader)
        self.store.fenced(self.leader).write(*self.leader.mark(""))


def check_policy(policy: OperationPolicy) -> None:
    """Raise what would end a cycle only after its training: UnknownNameError for an unknown model, DataError for
    rules that cannot be read."""
    if policy.model and policy.model != "ensemble" and policy.model not in MODELS:
        raise UnknownNameError("model", policy.model, MODELS)
    if policy.publish.rules is not None:
        read_rules(policy.publish.rules)


def describe_comparison(found: ClickComparison) -> str:
    """The comparison as a clause: both click rates, the difference, and the interval that holds at all looks."""
    first, second = found.first, found.second
    rates = " against ".join(
        f"{side.click_rate:.4f} ({side.num_clicks:,} of {side.num_shown:,} impressions, {side.num_users:,} users)"
        for side in (second, first)
    )
    always = found.always
    if always.low is None or always.high is None:
        return f"click rate {rates}, too few to compare"
    return (
        f"click rate {rates}, difference {always.value:+.4f} ({1 - found.alpha:.0%} interval at all looks "
        f"{always.low:+.4f} to {always.high:+.4f})"
    )


def _figures_of(found: ClickComparison) -> dict[str, object]:
    def bounds(estimate: Estimate) -> list[float | None]:
        return [estimate.value, estimate.low, estimate.high]

    sides = {
        name: {"run": each.run, "shown": each.num_shown, "users": each.num_users, "clicks": each.num_clicks}
        for name, each in (("previous", found.first), ("new", found.second))
    }
    return {**sides, "difference": bounds(found.difference), "always": bounds(found.always), "alpha": found.alpha}


def _describe_changes(changes: Changes) -> str:
    parts = [f"{changes.new:,} new events"]
    for name, value in (("unknown users", changes.unknown_users), ("unknown items", changes.unknown_items)):
        parts += [] if value is None else [f"{value:.1%} of {name}"]
    parts += [] if changes.drift is None else [f"drift of items {changes.drift:.3f}"]
    return f"{', '.join(parts)}, {changes.age / 86_400:.1f} days since the last training: no training is due"
