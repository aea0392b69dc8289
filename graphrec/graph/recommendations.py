"""Methods of `Graph` that publish recommendations, serve them, explain them, and measure the feedback on them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from graphrec import preconditions
from graphrec.arguments import Id, count, is_one_id
from graphrec.config import Settings
from graphrec.graph.connection import Connection
from graphrec.graph.options import takes
from graphrec.progress import StageProgress, silent
from graphrec.reranking import RerankingRules, read_rules
from graphrec.schema import ITEM, USER
from graphrec.serving import Answer, OnlineRecommender, RecommendationFile, as_table, write_answers
from graphrec.store import Store
from graphrec.store.read import read_ids

if TYPE_CHECKING:  # these load torch, which takes seconds and which a published list does not need
    from datetime import date, datetime

    from graphrec.explanation import Explanation
    from graphrec.explanation.rewriting import Rewritten
    from graphrec.pipeline.config import LlmConfig, PublishConfig
    from graphrec.pipeline.feedback import Feedback
    from graphrec.pipeline.publication import Rollback
    from graphrec.publishing import PublishResult
    from graphrec.publishing.run_list import ListedRun
    from graphrec.runs import Run, TrainedRun
    from graphrec.serving.as_of import PastList


class RecommendationMethods(Connection):
    """Publish, serve and explain recommendations; a loaded model is kept."""

    def __init__(self, store: Store | None, settings: Settings, note: Callable[[str], None] = lambda _: None) -> None:
        super().__init__(store, settings, note)
        self._recommender: OnlineRecommender | None = None
        self._explained: TrainedRun | None = None  # the run of the last explanation

    @takes("PublishConfig")
    def publish(
        self, run: "Run | str", k: int = 10, config: "PublishConfig | None" = None, progress: StageProgress = silent
    ) -> "PublishResult":
        """Write the k best items of every user as RECOMMENDED edges; all readers see them from the same instant on.

        Raises:
            UnknownNameError: there is no such run, or the graph lacks what a rule names.
            DataError: `k` is not an integer of at least 1.
            RefusedError: the run is no better than the baselines, or was not measured; `config.force` publishes it
                anyway.
        """
        self._require_open()
        k = count(k)
        from graphrec.pipeline.config import PublishConfig

        config = config or PublishConfig()
        config = replace(config, rules=_load_rules(config.rules))
        from graphrec import runs
        from graphrec.pipeline import publication

        trained = runs.load(self.settings.runs, run)
        publication.require_publishable(trained.run, config.force)  # a refusal is reported before a store is started
        preconditions.require_labels(self.store, "publish", (trained.run.target[0], trained.run.target[2]))
        published = publication.publish_run(self.store, trained, k, self.settings.home, progress, config)
        if config.embeddings and self.store.embedded:
            self._note("the embeddings are written; an index to search them by needs a Neo4j, named by NEO4J_URI")
        return published

    def runs(self) -> pd.DataFrame:
        """All runs, the active one first: run, model, state (`active`, `kept`, `removed`, `cut off`, `not published`),
        saved (on disk), verdict, created_at, published_at and activated_at (UTC), and the saved runs' split,
        num_test_users and metrics."""
        from graphrec.publishing.run_list import to_frame

        return to_frame(self.list_runs())

    def list_runs(self) -> "list[ListedRun]":
        """All runs, published or saved, the active one first."""
        from graphrec import runs
        from graphrec.errors import first_few
        from graphrec.publishing import read_versions
        from graphrec.publishing.run_list import list_runs

        folder = self.settings.runs
        all_runs = list_runs(read_versions(self.store), runs.list_saved(folder))
        if damaged := runs.list_damaged(folder):
            self._note(f"{len(damaged)} runs in {folder} cannot be read: {first_few(damaged)}; remove these folders")
        return all_runs

    def rollback(self, run: "Run | str | None" = None, progress: StageProgress = silent) -> "Rollback":
        """Make the recommendations of an earlier run active again, by default of the previous one (`.run`: its id).

        Raises UnknownNameError or DataError if there is no such run to return to.
        """
        store, name = self.store, run if run is None or isinstance(run, str) else run.id
        from graphrec.pipeline.publication import roll_back

        return roll_back(store, self.settings, name, progress)

    def recommend(
        self,
        user: Id | Iterable[Id],
        k: int = 10,
        rules: RerankingRules | Path | str | None = None,
        anyone: bool = False,
    ) -> pd.DataFrame:
        """The k best items for a user: item, title, score, rank, strategy, detail, run.

        `attrs["notes"]` has sentences on how they were found. For several users (a list, a Series, an array) the
        result is one table with all of them, each once, in the order given: user_id, item_id, score, rank, title,
        strategy, detail, run; `attrs["notes"]` has the notes by user. With `anyone`, an unknown id gets the
        recommendations for an anonymous visitor instead of an error. `rules` are a TOML file or `RerankingRules`.

        Raises:
            UnknownNameError: there is no such user.
            DataError: an id is not a text or integer, `k` is not an integer of at least 1, or several users are not in
                the graph.
            GraphrecError: nothing is published.
        """
        if is_one_id(user):
            return self.answer(user, k, rules, anyone).frame  # type: ignore[arg-type]  # is_one_id says so
        answers = self._get_recommender().recommend_many(user, k, _load_rules(rules), anyone)  # type: ignore[arg-type]
        return as_table(answers)

    def as_of(self, user: Id, at: "datetime | date | str | int", k: int | None = None) -> "PastList":
        """What was published to a user at a time: the list, the run, the reasons, and what was shown that day.

        `at` is a datetime, a date (its end), a text such as 2026-03-01 or 2026-03-01T12:00, or Unix seconds. A list
        that is no longer in the graph is computed anew by the saved run, if that is in the home folder. `k` is the
        maximum number of items, by default all of the list.

        Raises UnknownNameError if there is no such user, DataError if no run was active at that time.
        """
        from graphrec.pipeline.past import read_past

        return read_past(self.store, self.settings.runs, user, at, None if k is None else count(k))

    def recommend_all(
        self,
        out: Path | str,
        k: int = 10,
        users: Iterable[Id] | None = None,
        rules: RerankingRules | Path | str | None = None,
        anyone: bool = False,
        progress: StageProgress = silent,
        csv_safe: bool = False,
    ) -> RecommendationFile:
        """Write the k items of every user of the graph (or of `users`) to the file `out`, and report what was written.

        The ending of the file name selects the format, .csv, .jsonl or .parquet; the columns are those of `recommend`
        for several users. Rows
        are written while they are computed, so memory does not grow with the number of users, and the file is
        complete or absent. With `csv_safe`, ids and titles in a CSV file that a spreadsheet would run as formulas
        have an apostrophe before them.

        Raises as `recommend`, and GraphrecError if the ending is another or the file cannot be written.
        """
        rules = _load_rules(rules)
        recommender = self._get_recommender()
        ids = sorted(map(str, read_ids(self.store, USER))) if users is None else list(users)
        answers = recommender.recommend_many(ids, k, rules, anyone)

        def report_progress() -> Iterable[Answer]:
            for done, answer in enumerate(answers):
                progress("recommending", done, len(ids))
                yield answer
            progress("recommending", len(ids), len(ids))

        return write_answers(report_progress(), Path(out), csv_safe)

    def answer(
        self, user: Id, k: int = 10, rules: RerankingRules | Path | str | None = None, anyone: bool = False
    ) -> Answer:
        """As `recommend` for one user, with the notes and the trace of each rule."""
        rules = _load_rules(rules)
        return self._get_recommender().recommend(user, k, rules, anyone)

    def explain(self, user: Id, item: Id, run: "Run | str | None" = None, top: int = 10) -> "Explanation":
        """The reasons and paths of an item's score for a user, from a saved run, by default the published one.

        `graphrec.explanation` makes a sentence, tables, Cypher or a picture of it (`as_sentence`, `as_frame`,
        `as_cypher`, `as_svg`). The model is loaded when it is first needed, and kept.

        Raises:
            UnknownNameError: there is no such user, item or run.
            DataError: the run is not on this machine, or was trained without the user or the item.
        """
        preconditions.require_labels(self.store, "explain", (USER, ITEM))
        from graphrec import explanation, runs
        from graphrec.explanation.explain import find_user_and_item, is_published, run_name
        from graphrec.explanation.labels import counted_behaviours

        name = run_name(self.store, self.settings.runs, run)
        if self._explained is None or self._explained.run.id != name:
            self._explained = runs.load(self.settings.runs, name)
        user_id, item_id = find_user_and_item(self.store, self._explained, user, item)
        explained = explanation.explain(self._explained, user_id, item_id, top)
        if not explained.seen and not is_published(self.store, user_id, item_id):
            self._note("the item is not published for this user; its score is explained anyway")
        return explanation.add_titles(explained, self.store, counted_behaviours(self._explained))

    def rewrite(self, explanation: "Explanation", llm: "LlmConfig") -> "Rewritten":
        """The sentence of an explanation in the words of a language model: `sentence`, `rewritten` and `problem`.

        The model sees tokens instead of names and numbers, and its sentence is accepted only if it states nothing
        besides the reasons of the explanation; else, and if the endpoint fails, the sentence is the plain one.

        Raises DataError or GraphrecError if no endpoint is given, or it is invalid.
        """
        from graphrec.explanation.rewriting import rewrite_sentence
        from graphrec.pipeline.language_model import open_worker

        return rewrite_sentence(explanation, open_worker(self.settings, llm))

    def feedback(
        self, relations: str | Sequence[str] = (), window: str = "24h", cap: float = 10.0, seed: int = 0
    ) -> pd.DataFrame:
        """What users did with the items they were shown: a row for each run and estimate.

        The columns are run, shown, users, clicks, propensity, estimate, value, low and high (95 % interval). Arguments
        and errors are those of `measure_feedback`.
        """
        from graphrec.evaluation.off_policy import as_frame

        return as_frame(self.measure_feedback(relations, window, cap, seed).runs)

    def measure_feedback(
        self, relations: str | Sequence[str] = (), window: str | int = "24h", cap: float = 10.0, seed: int = 0
    ) -> "Feedback":
        """The click rate and the relevance of the items that each run showed, from the log in the graph.

        `relations` count as clicks, by default the strongest behaviour with times, if they come within the `window`
        (seconds, or a text such as 24h) after an impression; `cap` is the largest weight of a click in `capped_ips`.

        Raises GraphrecError if nothing was shown, DataError or UnknownNameError if the graph lacks the behaviour.
        """
        store = self.store
        import numpy as np

        from graphrec.evaluation.off_policy import AttributionWindow, parse_window
        from graphrec.pipeline.feedback import measure_feedback

        names = [relations] if isinstance(relations, str) else relations
        attribution = AttributionWindow(parse_window(window) if isinstance(window, str) else window, cap)
        return measure_feedback(store, names, attribution, np.random.default_rng(seed))

    def _get_recommender(self) -> OnlineRecommender:
        """The recommender of this graph, created when it is first needed."""
        if self._recommender is None or self._closed:
            preconditions.require_labels(self.store, "recommend", (USER, ITEM))
            self._recommender = OnlineRecommender(self.store, self.settings.runs)
        return self._recommender


def _load_rules(rules: RerankingRules | Path | str | None) -> RerankingRules | None:
    return rules if isinstance(rules, RerankingRules) or rules is None else read_rules(Path(rules))
