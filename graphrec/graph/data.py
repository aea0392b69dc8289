"""Methods of `Graph` that load and unlink sources, and read the graph."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from graphrec import preconditions
from graphrec.errors import DataError
from graphrec.graph.connection import Connection
from graphrec.pipeline.config import EmbedConfig, EnrichConfig, JudgeConfig, LlmConfig
from graphrec.progress import StageProgress, silent
from graphrec.schema import ITEM
from graphrec.store import counts, queries
from graphrec.store.connection import Row

if TYPE_CHECKING:
    from graphrec.hetero import HeteroGraph
    from graphrec.ingest import LoadConfig, Loaded, Unlinked
    from graphrec.pipeline.enrichment import Enriched
    from graphrec.pipeline.judging import Judged
    from graphrec.pipeline.loading import CheckedSource
    from graphrec.publishing.text_embeddings import Embedded
    from graphrec.tabular.frames import ArrowFrame
    from graphrec.tabular.proposal import Proposal


class DataMethods(Connection):
    """Describe, load and unlink sources; read the graph as tables."""

    @staticmethod
    def sniff(files: Path | str | Iterable[Path | str], folder: Path | str | None = None) -> str:
        """The TOML text that describes files, as `graphrec sniff` proposes it; `load` reads it from a file.

        Arguments and errors are those of `propose`.
        """
        return DataMethods.propose(files, folder).toml

    @staticmethod
    def propose(files: Path | str | Iterable[Path | str], folder: Path | str | None = None) -> "Proposal":
        """A proposal for the TOML file that describes files, with the evidence for each column and open questions.

        A file may also be a folder, a pattern, or the address of a database such as sqlite:///shop.db. File names are
        written relative to `folder`, the one in which the TOML file will be saved (default: the current one).

        Raises DataError if a file cannot be read or is empty.
        """
        from graphrec.tabular import frames
        from graphrec.tabular.proposal import examine

        if frames.is_frame(files):
            raise DataError(
                "sniff reads files, and this is a data frame; write it to a file, or name its columns in load"
            )
        paths = [files] if isinstance(files, Path | str) else list(files)
        return examine(paths, Path.cwd() if folder is None else Path(folder).absolute())

    def load(
        self,
        source: "str | Path | Mapping[str, Any] | ArrowFrame",  # Any: what TOML holds, and frames
        folder: Path | str | None = None,
        config: "LoadConfig | None" = None,
        progress: StageProgress = silent,
        **table: object,
    ) -> "Loaded":
        """Load a source: read and clean it, fuse it with the graph, write the difference, and save a report.

        `source` is a name of `graphrec load --help`, or a description of data of your own: the path of a TOML file or
        of its folder; a mapping of the same form, whose paths are relative to `folder` and whose `file` may be a data
        frame; or one frame (of pandas, polars or any library with the Arrow interface) with the keys of its `table` as
        `load(frame, name="shop", edges="RATED", from_="User:user_id", to="Item:item_id", time="at")`. A source is
        loaded whole: several frames of one source belong into one mapping.

        Raises:
            UnknownNameError: there is no such source.
            DataError: the data are invalid; the graph is then unchanged.
            RefusedError: more would be deleted than `config` allows.
        """
        from graphrec.ingest import LoadConfig
        from graphrec.pipeline import loading

        self._require_open()
        parsed = loading.parse_source(source, folder, table)
        return loading.load(self.store, parsed, self.settings, config or LoadConfig(), progress)

    def check(
        self,
        source: "str | Path | Mapping[str, Any]",  # Any: what TOML holds, and frames
        folder: Path | str | None = None,
        config: "LoadConfig | None" = None,
        progress: StageProgress = silent,
    ) -> "CheckedSource":
        """The cleaned tables of a source, with a report that is saved; needs no database. Raises as `load`."""
        from graphrec.ingest import LoadConfig
        from graphrec.pipeline import loading

        return loading.check(loading.parse_source(source, folder, {}), self.settings, config or LoadConfig(), progress)

    def write_import_files(
        self,
        source: "str | Path | Mapping[str, Any]",  # Any: what TOML holds, and frames
        out: Path,
        folder: Path | str | None = None,
        config: "LoadConfig | None" = None,
        progress: StageProgress = silent,
    ) -> "CheckedSource":
        """Write a source as files for `neo4j-admin database import` into the folder `out`; needs no database.

        Raises as `load`, and GraphrecError if the folder has files or cannot be written.
        """
        from graphrec.ingest import LoadConfig
        from graphrec.pipeline import loading

        parsed = loading.parse_source(source, folder, {})
        return loading.write_import_files(parsed, out, self.settings, config or LoadConfig(), progress)

    def unlink(self, source: str, dry_run: bool = False, progress: StageProgress = silent) -> "Unlinked":
        """Remove a source from the graph, and delete its last report; with `dry_run`, only count what would change.

        Raises UnknownNameError if no such source is loaded.
        """
        from graphrec.pipeline import loading

        return loading.unlink(self.store, source, self.settings, dry_run, progress)

    def embed(
        self,
        label: str = ITEM,
        properties: Sequence[str] = ("title",),
        config: EmbedConfig = EmbedConfig(),  # frozen
        progress: StageProgress = silent,
    ) -> "Embedded":
        """Write the vector of each node's text as `text_embedding`, only of texts that are new or changed.

        Raises:
            UnknownNameError: there is no such label, property or encoder.
            DataError: the texts have no words.
            GraphrecError: a package is missing, or the endpoint failed.
        """
        from graphrec.pipeline import embedding

        return embedding.embed(self.store, self.settings, label, properties, config, progress)

    def enrich(
        self,
        label: str = ITEM,
        properties: Sequence[str] = ("title",),
        llm: LlmConfig = LlmConfig(),  # frozen, as the next
        config: EnrichConfig = EnrichConfig(),
        progress: StageProgress = silent,
    ) -> "Enriched":
        """Draw attributes such as genres from the texts of nodes by a language model, as edges of a source of its own.

        `unlink` removes that source. Answers are kept in the home folder, so a repeated call asks only about texts that
        are new or changed. Nodes without an answer keep the attributes that they have.

        Raises:
            UnknownNameError: there is no such label, property or attribute.
            RefusedError: a property is personal, and `llm` does not allow to send such.
            DataError: no endpoint is given, an option is invalid, or another source has the name.
        """
        from graphrec.pipeline import enrichment

        return enrichment.enrich(self.store, self.settings, label, properties, llm, config, progress)

    def judge(
        self,
        label: str = ITEM,
        llm: LlmConfig = LlmConfig(),  # frozen, as the next
        config: JudgeConfig = JudgeConfig(),
        progress: StageProgress = silent,
    ) -> "Judged":
        """Ask a language model about the links that fusion proposes and does not make; keep its verdicts and reasons.

        No link changes unless `config.apply` is set: then a yes makes the proposed link. The verdicts are a source of
        their own, which `unlink` removes together with the links that they made.

        Raises:
            UnknownNameError: no source has the label, or the label has no such property.
            RefusedError: a property is personal, and `llm` does not allow to send such.
            DataError: no endpoint is given, an option is invalid, or another source has the name.
        """
        from graphrec.pipeline import judging

        return judging.judge_links(self.store, self.settings, label, llm, config, progress)

    def schema(self) -> pd.DataFrame:
        """Labels and relationship types with their counts: type, from, to (None for labels), count, properties."""
        return pd.DataFrame(self.count_graph().type_rows(), columns=["type", "from", "to", "count", "properties"])

    def count_graph(self, progress: StageProgress = silent) -> counts.GraphCounts:
        """The labels, relationship types, properties and sources of the graph, all counted."""
        graph = counts.count_graph(self.store, progress)
        if not graph.labels:
            self._note(f"the graph is empty; {preconditions.FIRST_STEPS}, `graphrec load --help` lists all sources")
        return graph

    def export(
        self,
        relation: str | None = None,
        progress: StageProgress = silent,
        reverse: bool = True,
        out: Path | str | None = None,
    ) -> "HeteroGraph":
        """The whole graph as a PyG HeteroData with its vocabularies, also written to the file `out` if one is given.

        `relation` is the behaviour to predict, by default the strongest in the graph. Each edge type has a reverse type
        `rev_…`; name both when you split the edges, or test edges remain in training (docs/export.md). With
        `reverse=False` there are no reverse types. Where the behaviour has times, `data.histories` has the events of
        each user in the order of time (`graphrec.histories.read_histories`).

        Raises DataError or UnknownNameError if there is no such behaviour.
        """
        from graphrec.pipeline.reading import read_graph

        graph = read_graph(self.store, relation, progress)
        from graphrec import hetero, histories

        graph = graph if reverse else hetero.drop_reverse_types(graph)
        histories.add_histories(graph)
        if out is not None:
            hetero.save(graph, Path(out))
        return graph

    def query(self, name: str, **parameters: object) -> pd.DataFrame:
        """The records of a query file of `cypher/`, such as `graph.query("find_similar_items", item_id=15, k=5)`.

        A list of ids may be any iterable; a time may be a date as text, a datetime or Unix seconds.

        Raises:
            UnknownNameError: there is no such query, parameter, user or item.
            GraphrecError: a parameter is missing, or the graph lacks what the query reads.
        """
        query = queries.get(name)
        return pd.DataFrame(self.rows(query, parameters), columns=list(query.returns))

    def rows(self, query: queries.Query, parameters: Mapping[str, object]) -> list[Row]:
        """The records of a query with parameters as texts or values; raises as `query`."""
        preconditions.require_query(self.store, query)
        if any(p.type == "vector" for p in query.parameters):
            from graphrec.pipeline.embedding import complete_vectors

            parameters = complete_vectors(self.store, self.settings, query, parameters)
        records = queries.run(self.store, query, parameters)
        if not records and not self.store.read("MATCH (n) RETURN 1 AS one LIMIT 1"):
            self._note(f"the graph is empty; {preconditions.FIRST_STEPS}")
        return records
