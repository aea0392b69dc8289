"""Draw attributes from texts by a language model, and write them as a source that can be removed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from graphrec.config import Settings
from graphrec.errors import DataError
from graphrec.ingest import writing
from graphrec.ingest.enrich import build_edge_type, require_source_of, write_attributes
from graphrec.llm.attributes import (
    ATTRIBUTES,
    Attribute,
    AttributeValue,
    ask_for_attributes,
    choose_attributes,
    parse_attributes,
    unify_spelling,
)
from graphrec.llm.screening import find_instruction
from graphrec.pipeline.config import EnrichConfig, LlmConfig
from graphrec.pipeline.language_model import name_source, open_worker, require_not_personal, require_share
from graphrec.progress import StageProgress, silent
from graphrec.schema import EdgeType
from graphrec.store import Store
from graphrec.store.connection import quote
from graphrec.store.nodes import WriteCounts
from graphrec.store.sources import read_sources
from graphrec.store.text_properties import read_properties
from graphrec.tables import ENRICHED_URL, Source


@dataclass(frozen=True)
class Enriched:
    """What `enrich` did, or with `dry_run` would do.

    Attributes:
        source, label, model: the source that it wrote, the label of the nodes, and the model.
        nodes: nodes with a text.
        withheld: of these, nodes whose text reads as an instruction to a model and was not sent.
        answered: nodes with an answer, also from the cache; unanswered: nodes without, which keep earlier attributes.
        cached: distinct texts whose answer was in the cache.
        requests, retries, failures, tokens: attempts that were answered, repeated, given up, and estimated tokens; for
            a dry run the requests and tokens that are needed.
        values: by attribute, the number of edges.
        problem: why the first node has no answer; "" if all have one.
        written: numbers of nodes and edges that were created, changed and deleted.
    """

    source: str
    label: str
    model: str
    nodes: int
    withheld: int
    answered: int
    unanswered: int
    cached: int
    requests: int
    retries: int
    failures: int
    tokens: int
    values: dict[str, int] = field(default_factory=dict)
    problem: str = ""
    written: list[WriteCounts] = field(default_factory=list)
    dry_run: bool = False


def enrich(
    store: Store,
    settings: Settings,
    label: str,
    properties: Sequence[str],
    llm: LlmConfig,
    config: EnrichConfig,
    progress: StageProgress = silent,
) -> Enriched:
    """Draw attributes of the nodes of a label from the texts of their properties.

    Each text is a request of its own, so a text can affect the attributes of its own nodes only.

    Raises:
        UnknownNameError: there is no such label, property or attribute.
        RefusedError: a property is personal.
        DataError: an option is invalid, or another source has the name.
        GraphrecError: the endpoint is invalid.
    """
    if isinstance(properties, str) or not properties:
        raise DataError("properties is a list of names of text properties, such as ['title']")
    require_share(config.min_confidence, "min_confidence")
    worker = open_worker(settings, llm)
    require_not_personal(label, properties, llm)
    name = name_source(config.source, "llm", llm.model)
    require_source_of(store, name, ENRICHED_URL)
    known = _read_known_values(store, config.attributes)
    attributes = choose_attributes(config.attributes, config.values, known)
    frame = read_properties(store, label, properties)
    rows = [
        (id_, {name: text for name, text in zip(properties, cells, strict=True) if text})
        for id_, *cells in frame[["id", *properties]].itertuples(index=False, name=None)
    ]
    with_text = [(id_, texts) for id_, texts in rows if texts]
    sent = [(id_, texts) for id_, texts in with_text if not any(map(find_instruction, texts.values()))]
    questions = [ask_for_attributes(texts, attributes) for _, texts in sent]
    withheld = len(with_text) - len(sent)
    if config.dry_run:
        cost = worker.estimate(questions)
        counts = (len(with_text), withheld, 0, 0, cost.num_cached, cost.num_requests, 0, 0, cost.num_tokens)
        return Enriched(name, label, llm.model, *counts, dry_run=True)
    answers = worker.ask(
        questions, lambda at, answer: parse_attributes(answer, sent[at][1], attributes), progress, f"enriching {label}"
    )
    found = {id_: values for (id_, _), values in zip(sent, answers.results, strict=True) if values is not None}
    unanswered = {id_ for id_, _ in sent} - found.keys()
    tables = _build_tables(label, attributes, found, known, llm.model, config.min_confidence)
    source = Source(name, llm.model, ENRICHED_URL)
    written: list[WriteCounts] = []
    if found or not unanswered:  # without any answer, the graph stays as it is
        with writing(store, settings.home, f"enriching of {label}", progress=progress) as locked:
            written = write_attributes(locked, source, tables, unanswered, progress)
    usage = worker.endpoint.usage
    return Enriched(
        name,
        label,
        llm.model,
        len(with_text),
        withheld,
        len(found),
        len(unanswered),
        answers.num_cached,
        usage.calls,
        usage.retries,
        usage.failures,
        usage.tokens,
        {each.name: len(table) for each, table in zip(attributes, tables.values(), strict=True)},
        answers.problem,
        written,
    )


def _read_known_values(store: Store, attributes: Sequence[str]) -> dict[str, list[str]]:
    """By attribute, the values that sources other than language models gave the graph.

    A value that reads as an instruction is left out.
    """
    derived = [each.source.name for each in read_sources(store) if each.source.url == ENRICHED_URL]
    known = {}
    for name in attributes:
        if name not in ATTRIBUTES:
            continue
        rows = store.read(
            f"MATCH (n:{quote(ATTRIBUTES[name].label)}) WHERE n.id IS NOT NULL AND (n.keys IS NULL OR "
            "any(key IN n.keys WHERE NOT split(key, ':')[0] IN $derived)) RETURN toString(n.id) AS id ORDER BY id",
            {"derived": derived},
        )
        known[name] = [row["id"] for row in rows if not find_instruction(row["id"])]
    return known


def _build_tables(
    label: str,
    attributes: Sequence[Attribute],
    found: Mapping[str, Sequence[AttributeValue]],
    known: Mapping[str, Sequence[str]],
    model: str,
    min_confidence: float,
) -> dict[EdgeType, pd.DataFrame]:
    """The edges of each attribute."""
    tables = {}
    for attribute in attributes:
        rows = [
            (id_, each.value, each.confidence, model)
            for id_, values in found.items()
            for each in values
            if each.attribute == attribute.name and each.confidence >= min_confidence
        ]
        kind = build_edge_type(label, attribute.relation, attribute.label)
        frame = pd.DataFrame(rows, columns=["source_id", "target_id", "confidence", "model"])
        if not attribute.values:  # words of texts, which texts spell differently
            frame["target_id"] = frame["target_id"].map(unify_spelling(frame["target_id"], known[attribute.name]))
        tables[kind] = frame
    return tables
