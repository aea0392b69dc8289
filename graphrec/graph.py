"""The Python face: one object for the whole round trip, whose methods do what the commands of their names do."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from graphrec import config, guard, loading
from graphrec.answers import Answer, Answers
from graphrec.errors import DataError
from graphrec.rules import Rules, read_rules
from graphrec.store import Store, census, queries
from graphrec.store.connection import Row
from graphrec.store.read import Progress, read_schema, read_tables, silent

if TYPE_CHECKING:  # these load torch, which takes seconds and which only training and its kin need
    from graphrec.explanation import Explanation
    from graphrec.hetero import HeteroGraph
    from graphrec.ingest import Loaded
    from graphrec.pipeline import Training
    from graphrec.publishing import Published
    from graphrec.runs import Run, TrainedRun
    from graphrec.tables import GraphTables
    from graphrec.tabular.frames import ArrowFrame


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

    `store` runs Cypher (`graph.store.read("MATCH …")`); `settings` say where the home is. The model behind the
    published recommendations is loaded when an answer first needs it, and kept.
    """

    def __init__(self, store: Store, settings: config.Settings) -> None:
        self.store, self.settings = store, settings
        self._answers = Answers(store, settings.runs)
        self._trained: TrainedRun | None = None  # the run that was explained last

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back."""
        self.store.close()

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
            described = tabular.Description(frames.described(source, keys), place or Path())
        elif not isinstance(source, str | Path):
            raise DataError(f"a source is a name, a path, a mapping or a data frame, not a {type(source).__name__}")
        elif (
            isinstance(source, str)
            and not source.endswith(".toml")
            and (source in loading.names() or not Path(source).is_dir())
        ):
            name = source
        else:
            described = Path(source)
        return ingest.load(self.store, name, described, self.settings.home, ingest.Options(**options), progress)

    def schema(self) -> pd.DataFrame:
        """Labels and relationship types with their counts: type, from, to (none for labels), count, properties."""
        found = census.take(self.store)
        rows: list[tuple[object, ...]] = [
            (each.label, None, None, each.count, [p.name for p in each.properties]) for each in found.labels
        ]
        rows += [
            (each.triple[1], each.triple[0], each.triple[2], each.count, [p.name for p in each.properties])
            for each in found.triples
        ]
        return pd.DataFrame(rows, columns=["type", "from", "to", "count", "properties"])

    def export(self, relation: str | None = None, progress: Progress = silent) -> "HeteroGraph":
        """The whole graph as a PyG HeteroData with its vocabularies; `relation` is the behaviour to predict, by default
        the strongest that there is. `hetero.save` writes it to a file.

        Raises DataError or UnknownNameError where there is no such behaviour.
        """
        return read_graph(self.store, relation, progress)

    def train(
        self,
        model: str = "graph_filter",
        exported: "HeteroGraph | None" = None,
        seed: int = 0,
        how: "Training | None" = None,
        progress: Progress = silent,
        **settings: object,
    ) -> "Run":
        """The run of a model trained on the graph, saved in the home folder.

        `exported` is what `export` gave, so that several models read the graph once, or learn another behaviour than
        the strongest. Without `settings` of the model they are chosen on validation. `how` says the rest, such as
        `Training(split="random")` of `graphrec.pipeline`.

        Raises:
            UnknownNameError: there is no such model or setting.
            DataError: there is too little to learn from or to measure on.
        """
        from dataclasses import replace

        from graphrec.models import model_class

        model_class(model)  # a wrong name is said before the graph is read
        graph = self.export(progress=progress) if exported is None else exported
        import numpy as np

        from graphrec import pipeline, runs
        from graphrec.evaluation.stored import aliases

        how = how or pipeline.Training()
        how = replace(how, settings=settings) if settings else how
        if how.measured and how.aliases is None:
            how = replace(how, aliases=aliases(self.store, graph))
        trained = pipeline.train(graph, model, np.random.default_rng(seed), how, progress)
        runs.save(self.settings.runs, trained)
        return trained.run

    def evaluate(
        self,
        models: Sequence[str] = ("popularity", "item_knn", "graph_filter"),
        exported: "HeteroGraph | None" = None,
        split: str | None = None,
        seed: int = 0,
        trials: int = 20,
        progress: Progress = silent,
    ) -> pd.DataFrame:
        """The metrics of models side by side on held-out behaviour, one row each: as `graphrec evaluate`, whose report
        says more. Each gets its settings on validation by the same number of trials."""
        graph = self.export(progress=progress) if exported is None else exported
        from graphrec.evaluation.compare import compare
        from graphrec.evaluation.protocol import default_split
        from graphrec.evaluation.rounds import Entry, Terms
        from graphrec.evaluation.stored import aliases
        from graphrec.evaluation.tuning import Effort
        from graphrec.hetero import interactions

        terms = Terms(split or default_split(interactions(graph)), (10, 20), (seed,), Effort(budget=trials))
        found = compare(graph, [Entry(name) for name in models], terms, aliases(self.store, graph), progress)
        rows = {each.name: {name: value.value for name, value in each.metrics.items()} for each in found.results}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("model").reset_index()

    def publish(
        self,
        run: "Run | str",
        k: int = 10,
        rules: Rules | Path | str | None = None,
        progress: Progress = silent,
        **terms: Any,
    ) -> "Published":
        """What publishing the k best items of every user as RECOMMENDED edges did; readers change over at one instant.

        `rules` are as in `recommend`; `terms` are those of `graphrec.pipeline.Terms`, such as `force=True` or
        `similar=10`.

        Raises:
            UnknownNameError: there is no such run, or the graph lacks what a rule names.
            RefusedError: it is no better than simple baselines, or was not measured; `force` publishes it all the same.
        """
        from graphrec import pipeline, runs

        trained = runs.load(self.settings.runs, run if isinstance(run, str) else run.id)
        chosen = pipeline.Terms(rules=_rules(rules), **terms)
        return pipeline.publish_run(self.store, trained, k, self.settings.home, progress, chosen)

    def rollback(self, run: str | None = None) -> str:
        """The id of the earlier publication that is read from now on: `run`, by default the one before.

        Raises UnknownNameError or DataError where there is none to go back to.
        """
        from graphrec import publishing
        from graphrec.ingest import writing

        with writing(self.settings.home):
            return publishing.roll_back(self.store, run)[1].id

    def recommend(
        self, user: str, k: int = 10, rules: Rules | Path | str | None = None, anyone: bool = False
    ) -> pd.DataFrame:
        """The k items for a user, best first: item, title, score, rank, way, run. `attrs["notes"]` says how they came.

        Of an id that the graph does not have `anyone` makes a stranger's; `rules` are a TOML file or what
        `graphrec.rules` made of one.

        Raises:
            UnknownNameError: there is no such user.
            GraphrecError: nothing is published.
        """
        return self.answer(user, k, rules, anyone).frame

    def answer(self, user: str, k: int = 10, rules: Rules | Path | str | None = None, anyone: bool = False) -> Answer:
        """As `recommend`, with the notes and with what each rule did."""
        return self._answers.of(user, k, _rules(rules), anyone)

    def explain(self, user: str, item: str, run: str | None = None, top: int = 10) -> "Explanation":
        """Why an item has its score for a user, by a saved run, by default the published one: its reasons and paths.

        `graphrec.explanation` makes a sentence, tables, Cypher or a picture of it (`as_sentence`, `as_frame`,
        `as_cypher`, `as_svg`). The model is loaded when it is first asked for, and kept.

        Raises:
            UnknownNameError: there is no such user, item or run.
            DataError: the run is not on this machine, or was trained without the user or the item.
        """
        from graphrec import explanation, runs
        from graphrec.explanation import subject
        from graphrec.explanation.names import behaviours

        name = subject.run_name(self.store, self.settings.runs, run)
        if self._trained is None or self._trained.run.id != name:
            self._trained = runs.load(self.settings.runs, name)
        ends = subject.find_ends(self.store, self._trained, user, item)
        found = explanation.explain(self._trained, *ends, top)
        return explanation.described(found, self.store, behaviours(self._trained))

    def query(self, name: str, **parameters: object) -> pd.DataFrame:
        """The records of a query file of `cypher/`, such as `graph.query("find_similar_items", item_id="15", k=5)`.

        Raises:
            UnknownNameError: there is no such query, parameter, user or item.
            GraphrecError: a parameter is missing, or the graph lacks what the query reads.
        """
        query = queries.get(name)
        given = {key: _text(value) for key, value in parameters.items()}
        return pd.DataFrame(self.rows(query, given), columns=list(query.returns))

    def rows(self, query: queries.Query, given: Mapping[str, str]) -> list[Row]:
        """The records of a query, its parameters given as texts; raises as `query` does."""
        guard.need_query(self.store, query)
        return queries.run(self.store, query, given)


def _rules(given: Rules | Path | str | None) -> Rules | None:
    return given if isinstance(given, Rules) or given is None else read_rules(Path(given))


def _text(value: object) -> str:
    """A parameter as a command line has it: values of a list with commas between them."""
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


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
    guard.need_behaviour(schema, relation)
    return read_tables(store, schema, progress)
