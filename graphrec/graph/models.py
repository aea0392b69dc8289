"""Methods of `Graph` that train, tune, blend and compare models."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from graphrec.graph.data import DataMethods
from graphrec.graph.options import require_settings, takes
from graphrec.progress import StageProgress, silent

if TYPE_CHECKING:  # these load torch, which takes seconds
    from graphrec.benchmark.run import Result
    from graphrec.evaluation.prequential import Replay, ReplayConfig
    from graphrec.evaluation.result import Comparison
    from graphrec.evaluation.trial import EvaluationConfig
    from graphrec.hetero import HeteroGraph
    from graphrec.pipeline.benchmarking import PanelResult
    from graphrec.pipeline.blending import Blend
    from graphrec.pipeline.config import BenchmarkConfig, PanelConfig, TrainConfig, TuneConfig
    from graphrec.runs import Run
    from graphrec.tuning import Tuning


class ModelMethods(DataMethods):
    """Models of the graph, saved as runs in the home folder."""

    def train(
        self,
        model: str = "graph_filter",
        exported: "HeteroGraph | None" = None,
        seed: int = 0,
        config: "TrainConfig | None" = None,
        relation: str | None = None,
        progress: StageProgress = silent,
        **settings: object,
    ) -> "Run":
        """Train a model on the graph and save it as a run in the home folder.

        `exported` is the result of `export`, so that several models read the graph once. Without it the graph is read,
        and `relation` is the behaviour to predict, by default the strongest. If no `settings` of the model are given
        (`neighbours=20`), they are chosen on validation.

        Raises:
            UnknownNameError: there is no such model or setting.
            DataError: there is too little to learn from or to measure on.
        """
        from graphrec.models import model_class
        from graphrec.pipeline.config import TrainConfig

        self._require_open()
        model_class(model)  # an unknown name is reported before the graph is read
        require_settings(settings, model, "TrainConfig")
        config = config or TrainConfig()
        if config.study is not None:
            from graphrec.tuning.study import read_settings

            settings = {**read_settings(config.study, model), **(config.settings or {}), **settings}
        elif settings:
            settings = {**(config.settings or {}), **settings}
        config = replace(config, settings=settings) if settings else config
        graph = self.export(relation, progress) if exported is None else exported
        from graphrec import runs
        from graphrec.pipeline import training

        config = self._prepare(graph, [model], config)
        trained = training.train(graph, model, np.random.default_rng(seed), config, progress)
        runs.save(self.settings.runs, trained)
        return trained.run

    @takes("TuneConfig")
    def tune(
        self,
        model: str,
        exported: "HeteroGraph | None" = None,
        config: "TuneConfig | None" = None,
        relation: str | None = None,
        progress: StageProgress = silent,
    ) -> "Tuning":
        """The settings of a model that are best on validation (`.config`), with all trials (`.trials`).

        Every trial is kept in a file, the `study`, and a search that was interrupted continues from it.
        `graph.train(model, config=TrainConfig(settings=found.config))` trains with the settings found; `exported` and
        `relation` are as in `train`.

        Raises:
            UnknownNameError: there is no such model or split.
            DataError: there is nothing to choose or to measure, or the study is of another search.
        """
        from graphrec.models import model_class
        from graphrec.pipeline.config import TuneConfig

        self._require_open()
        model_class(model)
        graph = self.export(relation, progress) if exported is None else exported
        config = config or TuneConfig()
        from graphrec.home import private_folder
        from graphrec.pipeline import notes, training

        config = replace(config, split=notes.resolve_split(config.split, graph, self._note))
        self._warn(graph, [model], config.workers)
        if config.study is None:
            private_folder(self.settings.studies)
            config = replace(config, study=training.study_path(self.settings.studies, graph, model, config))
        self._note(f"at most {training.max_trials(graph, model, config)} trials, kept in {config.study}")
        return replace(training.tune(graph, model, config, progress), study=config.study)

    def blend(
        self,
        runs: "Run | str | Sequence[Run | str]",
        exported: "HeteroGraph | None" = None,
        seed: int = 0,
        config: "TrainConfig | None" = None,
        progress: StageProgress = silent,
        **settings: object,
    ) -> "Blend":
        """Blend the models of several runs into an ensemble, and save it as a run (`.run`) in the home folder.

        Its weights are learned on validation. `settings` are those of the ensemble, such as `blend="rank"` or
        `weights="0.7 0.3"`; the rest is as in `train`.

        Raises:
            UnknownNameError: there is no such run.
            DataError: there are fewer than two, or they predict different behaviours.
        """
        from graphrec import runs as saved
        from graphrec.models import make
        from graphrec.pipeline import blending
        from graphrec.pipeline.config import TrainConfig

        self._require_open()
        require_settings(settings, "ensemble", "TrainConfig")
        names = [runs] if isinstance(runs, str | saved.Run) else list(runs)
        members = blending.select_members(saved.list_saved(self.settings.runs), names)
        config = config or TrainConfig()
        config = replace(config, settings={**(config.settings or {}), **settings})
        make("ensemble", **blending.ensemble_settings(members, config.settings or {}))  # impossible weights raise here
        graph = self.export(members[0].relation, progress) if exported is None else exported
        config = self._prepare(graph, [run.model for run in members], config)
        trained = blending.blend(graph, members, np.random.default_rng(seed), config, progress)
        saved.save(self.settings.runs, trained)
        return blending.Blend.of(trained, members)

    @takes("EvaluationConfig")
    def evaluate(
        self,
        models: str | Sequence[str] = (),
        exported: "HeteroGraph | None" = None,
        runs: "Run | str | Sequence[Run | str]" = (),
        config: "EvaluationConfig | None" = None,
        relation: str | None = None,
        progress: StageProgress = silent,
    ) -> pd.DataFrame:
        """The metrics of models side by side on held-out behaviour, one row each; takes the arguments of `compare`."""
        from graphrec.pipeline.comparison import as_frame

        return as_frame(self.compare(models, exported, runs, config, relation, progress))

    def replay(
        self,
        models: str | Sequence[str] = (),
        exported: "HeteroGraph | None" = None,
        runs: "Run | str | Sequence[Run | str]" = (),
        config: "ReplayConfig | None" = None,
        relation: str | None = None,
        seed: int = 0,
        progress: StageProgress = silent,
    ) -> "Replay":
        """A period of events replayed in steps such as weeks: each model recommends, is measured on what users did in
        the step, and learns it before the next one. `graphrec.evaluation.replay_plot` draws the result.

        `models`, by default popularity, item_knn and graph_filter, have their default settings; `runs` keep theirs.
        `exported` and `relation` are as in `train`; `config` is a `graphrec.evaluation.prequential.ReplayConfig`.

        Raises:
            UnknownNameError: there is no such model or run.
            DataError: the behaviour has no times, or the period has no events.
            LeakError: test events can be inferred from what a model sees.
        """
        from graphrec.evaluation.prequential import ReplayConfig, replay
        from graphrec.pipeline import comparison
        from graphrec.progress import stage_progress

        self._require_open()
        config = config or ReplayConfig()
        entries = comparison.list_contenders(models, runs, self.settings.runs)
        graph = self.export(relation, progress) if exported is None else exported
        return replay(graph, entries, config, np.random.default_rng(seed), stage_progress(progress, "replaying"))

    @takes("EvaluationConfig")
    def compare(
        self,
        models: str | Sequence[str] = (),
        exported: "HeteroGraph | None" = None,
        runs: "Run | str | Sequence[Run | str]" = (),
        config: "EvaluationConfig | None" = None,
        relation: str | None = None,
        progress: StageProgress = silent,
    ) -> "Comparison":
        """Models and saved runs compared on held-out behaviour; `graphrec.evaluation.report` writes it to a file.

        The settings of `models`, by default popularity, item_knn and graph_filter, are chosen on validation with the
        same number of trials each. `runs` keep their settings. `exported` and `relation` are as in
        `train`.

        Raises:
            UnknownNameError: there is no such model, run or split.
            DataError: there is too little to measure.
            LeakError: the test part can be inferred from what a model sees.
        """
        from graphrec.evaluation.compare import compare
        from graphrec.evaluation.store_lookup import aliases, titles
        from graphrec.evaluation.trial import EvaluationConfig
        from graphrec.pipeline import comparison, notes

        self._require_open()
        config = config or EvaluationConfig()
        entries = comparison.list_contenders(models, runs, self.settings.runs)
        graph = self.export(relation, progress) if exported is None else exported
        config = replace(config, split=notes.resolve_split(config.split, graph, self._note))
        self._warn(graph, [entry.model for entry in entries], config.effort.workers)
        compared = compare(graph, entries, config, aliases(self.store, graph), progress)
        return replace(compared, titles=titles(self.store, graph, compared.examples))

    @staticmethod
    def benchmark(model: str, config: "BenchmarkConfig", progress: StageProgress = silent) -> "Result":
        """The result of a model on a published split, also kept in `config.output`; needs no database.

        Raises:
            UnknownNameError: there is no such model, setting, data set or relation.
            DataError: a file is invalid.
        """
        from graphrec.models import model_class

        model_class(model)  # an unknown name is reported before torch is loaded and files are read
        from graphrec.pipeline.benchmarking import benchmark

        return benchmark(model, config, progress)

    @staticmethod
    def benchmark_panel(model: str, config: "PanelConfig", progress: StageProgress = silent) -> "PanelResult":
        """How far the choice of a model's settings is behind the best choice in hindsight, on many data sets.

        Needs no database. A data set that fails does not stop the others; its error is in `failures`.

        Raises:
            UnknownNameError: there is no such model or data set.
            DataError: GRAPHREC_DATA is not set.
        """
        from graphrec.models import model_class

        model_class(model)
        from graphrec.pipeline.benchmarking import benchmark_panel

        return benchmark_panel(model, config, progress)

    def _prepare(self, graph: "HeteroGraph", models: Iterable[str], config: "TrainConfig") -> "TrainConfig":
        """The config with its split and aliases filled in, if the run is measured, after notes on the training."""
        from graphrec.evaluation.store_lookup import aliases
        from graphrec.pipeline.notes import resolve_split

        if config.measured:
            config = replace(config, split=resolve_split(config.split, graph, self._note))
            config = replace(config, aliases=config.aliases or aliases(self.store, graph))
        self._warn(graph, models)
        return config

    def _warn(self, graph: "HeteroGraph", models: Iterable[str], workers: int = 1) -> None:
        from graphrec.pipeline.notes import training_notes

        for sentence in training_notes(graph, models, workers):
            self._note(sentence)
