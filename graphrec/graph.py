"""The Python interface: one object for the whole round trip, whose methods do what the commands of their names do."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from graphrec import config, loader_registry, preconditions
from graphrec.arguments import Id, count, is_one_id
from graphrec.errors import DataError, GraphrecError, StoreError
from graphrec.reranking import RerankingRules, read_rules
from graphrec.schema import ITEM, USER
from graphrec.serving import Answer, OnlineRecommender, RecommendationFile, as_table, write_answers
from graphrec.store import Store, counts, queries
from graphrec.store.connection import Row
from graphrec.store.read import Progress, read_ids, read_schema, read_tables, silent

if TYPE_CHECKING:  # these load torch, which takes seconds and which only training and its kin need
    from graphrec.explanation import Explanation
    from graphrec.hetero import HeteroGraph
    from graphrec.ingest import Loaded, Unlinked
    from graphrec.pipeline import TrainConfig
    from graphrec.publishing import Published
    from graphrec.runs import Run, TrainedRun
    from graphrec.tables import GraphTables
    from graphrec.tabular.frames import ArrowFrame
    from graphrec.tuning import Tuning


def connect(
    uri: str | None = None,
    username: str | None = None,
    password: str | None = None,
    database: str | None = None,
    home: Path | str | None = None,
    note: Callable[[str], None] = lambda _: None,
) -> "Graph":
    """The graph of a database: a Neo4j at `uri`, else the one that NEO4J_URI names, else the embedded store.

    What is not given comes from the environment, as for the commands (NEO4J_USERNAME, NEO4J_PASSWORD, NEO4J_DATABASE);
    `home` is the folder of runs and of the embedded store, GRAPHREC_HOME. The embedded store is started where it must
    be, which `note` hears, and goes on after this: `graphrec store stop` ends it. Use the graph in a `with` block, or
    close it.

    Raises:
        StoreError: nothing answers, or the login is refused.
    """
    given = {
        "neo4j_uri": uri,
        "neo4j_username": username,
        "neo4j_password": password,
        "neo4j_database": database,
        "graphrec_home": home,
    }
    known = {name: value for name, value in given.items() if value is not None}
    settings = config.Settings(**known)  # type: ignore[arg-type]  # pydantic checks what each is
    return Graph(config.open_store(settings, note), settings)


class Graph:
    """A property graph with its runs; whatever a method loads or trains stays in the database or in the home folder.

    `settings` say where the home is. The model behind the published recommendations is loaded when an answer first
    needs it, and kept. An id may be a text or an integer, also numpy's; a run its id, the first letters of it, `latest`
    or what `train` returned. After `close` every method that needs the database raises StoreError.
    """

    def __init__(self, store: Store, settings: config.Settings) -> None:
        self.settings = settings
        self._store, self._closed = store, False
        self._answers = OnlineRecommender(store, settings.runs)
        self._trained: TrainedRun | None = None  # the run that was explained last

    def __repr__(self) -> str:
        """The address, and how many users and items there are: two counts, which both databases keep."""
        place = _without_login(self._store.address.uri)
        if self._closed:
            return f"<graphrec.Graph {place}, closed>"
        try:
            users, items = (counts.num_nodes(self._store, label) for label in (USER, ITEM))
        except GraphrecError:
            return f"<graphrec.Graph {place}, which does not answer>"
        return f"<graphrec.Graph {place}, home {self.settings.home}: {users:,} users, {items:,} items>"

    def __enter__(self) -> Self:
        self._need_open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back; the embedded store goes on. Closing twice does no harm."""
        self._closed = True
        self._store.close()

    @property
    def store(self) -> Store:
        """The database, which runs Cypher: `graph.store.read("MATCH …")`. Raises StoreError after `close`."""
        self._need_open()
        return self._store

    def _need_open(self) -> None:
        """Raise StoreError after `close`: said before any work that would need the database at its end."""
        if self._closed:
            raise StoreError("this graph is closed; graphrec.connect() opens it again")

    @staticmethod
    def sniff(files: Path | str | Iterable[Path | str], folder: Path | str | None = None) -> str:
        """The TOML text that describes files, as `graphrec sniff` proposes it; `load` reads it from a file.

        A file may also be a folder, a pattern, or the address of a database such as sqlite:///shop.db. Names of files
        are written relative to `folder`, the one in which the TOML file will be (default: the current one).

        Raises DataError if a file cannot be read or holds nothing.
        """
        from graphrec.tabular import frames
        from graphrec.tabular.proposal import propose

        if frames.is_frame(files):
            raise DataError(
                "sniff reads files, and this is a data frame; write it to a file, or name its columns in load"
            )
        paths = [files] if isinstance(files, Path | str) else list(files)
        return propose(paths, Path.cwd() if folder is None else Path(folder).absolute())

    def load(
        self,
        source: "str | Path | Mapping[str, Any] | ArrowFrame",  # Any: what TOML holds, and frames
        folder: Path | str | None = None,
        progress: Progress = silent,
        **options: Any,
    ) -> "Loaded":
        """What loading a source into the graph did: read, cleaned, fused with what is there, the difference written.

        `source` is a name of `graphrec load --help`, or what describes data of your own: the path of a TOML file or of
        its folder, a mapping of the same form, whose paths lead from `folder` and in which a `file` may be a data
        frame, or one frame (of pandas, polars or any library that speaks Arrow) with the keys of its table as
        `load(frame, name="shop", edges="RATED", from_="User:user_id", to="Item:item_id", time="at")`. A source is
        loaded whole: several frames of one source belong into one mapping. `options` are those of
        `graphrec.ingest.Options`, such as `dry_run=True` or `append=True`.

        Raises:
            UnknownNameError: there is no such source.
            DataError: the data do not hold what they must; the graph is then as it was.
        """
        from dataclasses import fields

        from graphrec import ingest, tabular
        from graphrec.tabular import frames

        name, place = "table", None if folder is None else Path(folder)
        described: Path | tabular.Description | None = place
        if isinstance(source, Mapping):
            described = tabular.Description(source, place or Path())
        elif frames.is_frame(source):
            known = {field.name for field in fields(ingest.Options)}
            keys = {key: options.pop(key) for key in list(options) if key not in known}
            described = tabular.Description(frames.describe_frame(source, keys), place or Path())
        elif not isinstance(source, str | Path):
            raise DataError(
                f"a source is a name, a path, a mapping or a data frame, not a {type(source).__name__}; make one of it"
            )
        elif (
            isinstance(source, str)
            and not source.endswith(".toml")
            and (source in loader_registry.names() or not Path(source).is_dir())
        ):
            name = source
        else:
            described = Path(source)
        return ingest.load(self.store, name, described, self.settings.home, ingest.Options(**options), progress)

    def unlink(self, source: str, dry_run: bool = False, progress: Progress = silent) -> "Unlinked":
        """What taking a source out of the graph changed and deleted; with `dry_run`, would change.

        Raises UnknownNameError if no such source is loaded.
        """
        from graphrec import ingest

        return ingest.take_out(self.store, source, self.settings.home, dry_run, progress)

    def schema(self) -> pd.DataFrame:
        """Labels and relationship types with their counts: type, from, to (none for labels), count, properties."""
        found = counts.take(self.store)
        rows: list[tuple[object, ...]] = [
            (each.label, None, None, each.count, [p.name for p in each.properties]) for each in found.labels
        ]
        rows += [
            (each.triple[1], each.triple[0], each.triple[2], each.count, [p.name for p in each.properties])
            for each in found.triples
        ]
        return pd.DataFrame(rows, columns=["type", "from", "to", "count", "properties"])

    def export(self, relation: str | None = None, progress: Progress = silent, reverse: bool = True) -> "HeteroGraph":
        """The whole graph as a PyG HeteroData with its vocabularies; `relation` is the behaviour to predict, by default
        the strongest that there is. `hetero.save` writes it to a file.

        Each edge type has its reverse `rev_…` beside it. Whoever divides the edges has to name it, or test edges stay
        in training (docs/export.md); with `reverse=False` it is left out.

        Raises DataError or UnknownNameError where there is no such behaviour.
        """
        graph = read_graph(self.store, relation, progress)
        if reverse:
            return graph
        from graphrec import hetero

        return hetero.without_reverse(graph)

    def train(
        self,
        model: str = "graph_filter",
        exported: "HeteroGraph | None" = None,
        seed: int = 0,
        how: "TrainConfig | None" = None,
        progress: Progress = silent,
        **settings: object,
    ) -> "Run":
        """The run of a model trained on the graph, saved in the home folder.

        `exported` is what `export` gave, so that several models read the graph once, or learn another behaviour than
        the strongest. Without `settings` of the model they are chosen on validation. `how` says the rest, such as
        `TrainConfig(split="random")` of `graphrec.pipeline`.

        Raises:
            UnknownNameError: there is no such model or setting.
            DataError: there is too little to learn from or to measure on.
        """
        from dataclasses import replace

        from graphrec.models import model_class

        self._need_open()  # a closed graph and a wrong name are said before the graph is read
        model_class(model)
        graph = self.export(progress=progress) if exported is None else exported
        import numpy as np

        from graphrec import pipeline, runs
        from graphrec.evaluation.store_lookup import aliases

        how = how or pipeline.TrainConfig()
        how = replace(how, settings=settings) if settings else how
        if how.measured and how.aliases is None:
            how = replace(how, aliases=aliases(self.store, graph))
        trained = pipeline.train(graph, model, np.random.default_rng(seed), how, progress)
        runs.save(self.settings.runs, trained)
        return trained.run

    def tune(
        self,
        model: str,
        exported: "HeteroGraph | None" = None,
        split: str | None = None,
        seed: int = 0,
        trials: int | None = None,
        workers: int = 1,
        study: Path | str | None = None,
        progress: Progress = silent,
    ) -> "Tuning":
        """The settings of a model that are best on validation (`.config`), with all trials (`.trials`).

        They are kept in the file `study`, by default one of this model and these data in the home folder: a search that
        was stopped goes on where it was. `graph.train(model, how=Training(settings=found.config))` trains with them.

        Raises:
            UnknownNameError: there is no such model or split.
            DataError: there is nothing to choose or to measure, or the study is of another search.
        """
        from graphrec.models import model_class

        self._need_open()
        kind = model_class(model)
        graph = self.export(progress=progress) if exported is None else exported
        from graphrec import pipeline
        from graphrec.tuning import TuningBudget

        place = pipeline.TuneConfig(split, seed)
        kept = pipeline.study_path(self.settings.studies, graph, model, place) if study is None else Path(study)
        if trials is None and not kind.trials:
            trials = pipeline.TRIALS
        return pipeline.search(graph, model, place, TuningBudget(trials, workers=workers, study=kept), progress)

    def blend(
        self,
        runs: Sequence["Run | str"],
        exported: "HeteroGraph | None" = None,
        seed: int = 0,
        how: "TrainConfig | None" = None,
        progress: Progress = silent,
        **settings: object,
    ) -> "Run":
        """The run of an ensemble of several runs, saved in the home folder; its weights are learned on validation.

        `settings` are those of the ensemble, such as `blend="rank"` or `weights="0.7 0.3"`; `how` is as in `train`.

        Raises:
            UnknownNameError: there is no such run.
            DataError: there are fewer than two, or they do not go together.
        """
        from dataclasses import replace

        from graphrec import pipeline
        from graphrec import runs as saved

        named = [runs] if isinstance(runs, str | saved.Run) else list(runs)
        chosen = pipeline.blended(saved.listed(self.settings.runs), named)
        graph = self.export(chosen[0].relation, progress) if exported is None else exported
        how = replace(how or pipeline.TrainConfig(), settings={**pipeline.members(chosen), **settings})
        return self.train("ensemble", graph, seed, how, progress)

    def evaluate(
        self,
        models: str | Sequence[str] = ("popularity", "item_knn", "graph_filter"),
        exported: "HeteroGraph | None" = None,
        split: str | None = None,
        seed: int = 0,
        trials: int = 20,
        progress: Progress = silent,
        runs: Sequence["Run | str"] = (),
        ks: Sequence[int] = (10, 20),
    ) -> pd.DataFrame:
        """The metrics of models side by side on held-out behaviour, one row each: as `graphrec evaluate`, whose report
        says more. Each model gets its settings on validation by the same number of trials; `runs` take part with
        theirs; `ks` are the lengths of lists.

        Raises:
            UnknownNameError: there is no such model, run or split.
            DataError: there is too little to measure, or a length is no integer from 1 on.
        """
        from graphrec import runs as saved
        from graphrec.models import model_class

        self._need_open()
        models = list(models) if isinstance(models, Iterable) and not isinstance(models, str) else [models]
        for name in models:
            model_class(name)
        ks = tuple(count(k) for k in ([ks] if isinstance(ks, int) else ks))
        graph = self.export(progress=progress) if exported is None else exported
        from graphrec.evaluation.compare import compare
        from graphrec.evaluation.default_split import default_split
        from graphrec.evaluation.store_lookup import aliases
        from graphrec.evaluation.trial import Contender, EvaluationConfig
        from graphrec.hetero import interactions
        from graphrec.tuning import TuningBudget

        ids = {saved.find(self.settings.runs, run) for run in ([runs] if isinstance(runs, str | saved.Run) else runs)}
        known = [Contender(run.model, run.config, run.id) for run in saved.listed(self.settings.runs) if run.id in ids]
        terms = EvaluationConfig(split or default_split(interactions(graph)), ks, (seed,), TuningBudget(budget=trials))
        entries = [*map(Contender, models), *known]
        found = compare(graph, entries, terms, aliases(self.store, graph), progress)
        rows = {each.name: {name: value.value for name, value in each.metrics.items()} for each in found.results}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("model").reset_index()

    def publish(
        self,
        run: "Run | str",
        k: int = 10,
        rules: RerankingRules | Path | str | None = None,
        progress: Progress = silent,
        **terms: Any,
    ) -> "Published":
        """What publishing the k best items of every user as RECOMMENDED edges did; readers change over at one instant.

        `rules` are as in `recommend`; `terms` are those of `graphrec.pipeline.PublishConfig`, such as `force=True` or
        `similar=10`.

        Raises:
            UnknownNameError: there is no such run, or the graph lacks what a rule names.
            DataError: `k` is no integer from 1 on.
            RefusedError: it is no better than simple baselines, or was not measured; `force` publishes it all the same.
        """
        self._need_open()
        k = count(k)
        from graphrec import pipeline, runs

        trained = runs.load(self.settings.runs, run)
        chosen = pipeline.PublishConfig(rules=_rules(rules), **terms)
        return pipeline.publish_run(self.store, trained, k, self.settings.home, progress, chosen)

    def runs(self) -> pd.DataFrame:
        """All runs, the active one first: run, model, state (`active`, `kept`, `removed`, `cut off`, `not published`),
        saved (on disk), verdict, created_at, published_at and activated_at (UTC), and the saved runs' metrics."""
        from graphrec import runs
        from graphrec.publishing import read_versions
        from graphrec.publishing.run_list import as_frame, list_runs

        return as_frame(list_runs(read_versions(self.store), runs.listed(self.settings.runs)))

    def rollback(self, run: "Run | str | None" = None) -> str:
        """The id of the earlier publication that is read from now on: `run`, by default the one before.

        Raises UnknownNameError or DataError where there is none to go back to.
        """
        store, name = self.store, run if run is None or isinstance(run, str) else run.id
        from graphrec import publishing
        from graphrec.ingest import writing

        with writing(store, self.settings.home, "rollback") as held:
            return publishing.roll_back(held, name)[1].id

    def recommend(
        self,
        user: Id | Iterable[Id],
        k: int = 10,
        rules: RerankingRules | Path | str | None = None,
        anyone: bool = False,
    ) -> pd.DataFrame:
        """The k items for a user, best first: item, title, score, rank, strategy, detail, run.

        `attrs["notes"]` has sentences on how they were found. For a list of users (a Series, an array) it is one table
        with all of them, each once, in the order given: user_id, item_id, score, rank, title, strategy, detail, run;
        `attrs["notes"]` has the notes by user. With `anyone`, an id that the graph does not have is answered as an
        anonymous visitor. `rules` are a TOML file or `RerankingRules`.

        Raises:
            UnknownNameError: there is no such user.
            DataError: an id is no text or integer, `k` is no integer from 1 on, or several users are not in the graph.
            GraphrecError: nothing is published.
        """
        if is_one_id(user):
            return self.answer(user, k, rules, anyone).frame  # type: ignore[arg-type]  # one id, as was found
        self._need_open()
        return as_table(self._answers.recommend_many(user, k, _rules(rules), anyone))  # type: ignore[arg-type]  # many

    def recommend_all(
        self,
        out: Path | str,
        k: int = 10,
        users: Iterable[Id] | None = None,
        rules: RerankingRules | Path | str | None = None,
        anyone: bool = False,
        progress: Progress = silent,
        csv_safe: bool = False,
    ) -> RecommendationFile:
        """What was written: the k items of every user of the graph (or of `users`) as the file `out`.

        Its ending says which format: .csv, .jsonl or .parquet, with the columns of `recommend` for a list. Rows are
        written while they are made, so that memory does not grow with the users, and the file appears whole or not at
        all. A user has the same items as from `recommend`. In a CSV file with `csv_safe`, ids and titles that a
        spreadsheet would take for formulas have an apostrophe before them.

        Raises as `recommend`, and GraphrecError if the ending is another or the file cannot be written.
        """
        ids = sorted(map(str, read_ids(self.store, USER))) if users is None else list(users)
        total = len(ids)
        answers = self._answers.recommend_many(ids, k, _rules(rules), anyone)

        def counted() -> Iterable[Answer]:
            for done, answer in enumerate(answers):
                progress("recommending", done, total)
                yield answer
            progress("recommending", total, total)

        return write_answers(counted(), Path(out), csv_safe)

    def answer(
        self, user: Id, k: int = 10, rules: RerankingRules | Path | str | None = None, anyone: bool = False
    ) -> Answer:
        """As `recommend` for one user, with the notes and with what each rule did."""
        self._need_open()
        return self._answers.recommend(user, k, _rules(rules), anyone)

    def explain(self, user: Id, item: Id, run: "Run | str | None" = None, top: int = 10) -> "Explanation":
        """Why an item has its score for a user, by a saved run, by default the published one: its reasons and paths.

        `graphrec.explanation` makes a sentence, tables, Cypher or a picture of it (`as_sentence`, `as_frame`,
        `as_cypher`, `as_svg`). The model is loaded when it is first asked for, and kept.

        Raises:
            UnknownNameError: there is no such user, item or run.
            DataError: the run is not on this machine, or was trained without the user or the item.
        """
        from graphrec import explanation, runs
        from graphrec.explanation import subject
        from graphrec.explanation.labels import behaviours

        name = subject.run_name(self.store, self.settings.runs, run)
        if self._trained is None or self._trained.run.id != name:
            self._trained = runs.load(self.settings.runs, name)
        ends = subject.find_ends(self.store, self._trained, user, item)
        found = explanation.explain(self._trained, *ends, top)
        return explanation.described(found, self.store, behaviours(self._trained))

    def query(self, name: str, **parameters: object) -> pd.DataFrame:
        """The records of a query file of `cypher/`, such as `graph.query("find_similar_items", item_id=15, k=5)`.

        A list of ids is any iterable of them, a time a date as text, a datetime or Unix seconds.

        Raises:
            UnknownNameError: there is no such query, parameter, user or item.
            GraphrecError: a parameter is missing, or the graph lacks what the query reads.
        """
        query = queries.get(name)
        return pd.DataFrame(self.rows(query, parameters), columns=list(query.returns))

    def rows(self, query: queries.Query, given: Mapping[str, object]) -> list[Row]:
        """The records of a query, its parameters given as texts or values; raises as `query` does."""
        preconditions.need_query(self.store, query)
        return queries.run(self.store, query, given)

    def feedback(
        self, relations: str | Sequence[str] = (), window: str = "24h", cap: float = 10.0, seed: int = 0
    ) -> pd.DataFrame:
        """What users did with what they were shown: a row for each run and estimate.

        The columns are run, shown, users, clicks, propensity, estimate, value, low and high (95 % interval).

        `relations` count as clicks, by default the strongest behaviour that has times, if they come within the `window`
        after a showing; `cap` is the most that one click counts in `capped_ips`.

        Raises GraphrecError if nothing was shown, DataError or UnknownNameError if the behaviour is not there.
        """
        from graphrec.evaluation.impressions import read_log
        from graphrec.evaluation.off_policy import AttributionWindow as Counting
        from graphrec.evaluation.off_policy import as_frame, measure, parse_window

        log = read_log(self.store, [relations] if isinstance(relations, str) else relations)
        import numpy as np

        counting = Counting(parse_window(window), cap)
        return as_frame(measure(log.shown, log.behaviour, counting, np.random.default_rng(seed)))

    def doctor(self, progress: Progress = silent) -> pd.DataFrame:
        """The findings of `graphrec doctor`: area, name, state (`ok`, `warning`, `failed`), seen and remedy.

        It opens a connection of its own, so it answers after `close`, too.
        """
        from dataclasses import asdict

        from graphrec import doctor

        found = doctor.examine(self.settings, progress=progress)
        rows = [{"area": area, **asdict(finding)} for area, findings in found.items() for finding in findings]
        return pd.DataFrame(rows, columns=["area", "name", "state", "seen", "remedy"])


def _rules(given: RerankingRules | Path | str | None) -> RerankingRules | None:
    return given if isinstance(given, RerankingRules) or given is None else read_rules(Path(given))


def _without_login(uri: str) -> str:
    """An address without the user and the password that it may have."""
    scheme, slashes, rest = uri.partition("://")
    return f"{scheme}{slashes}{rest.rpartition('@')[2]}"


def read_graph(store: Store, relation: str | None, progress: Progress) -> "HeteroGraph":
    """The whole graph of a store; torch, which takes seconds to load, is loaded while the database answers.

    Raises DataError or UnknownNameError, before any row is read, where there is no behaviour to learn from.
    """
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        tables = pool.submit(_read_tables, store, relation, progress)
        from graphrec import hetero

        return hetero.build(tables.result(), relation)


def _read_tables(store: Store, relation: str | None, progress: Progress) -> "GraphTables":
    schema = read_schema(store)
    preconditions.need_behaviour(schema, relation)
    return read_tables(store, schema, progress)
