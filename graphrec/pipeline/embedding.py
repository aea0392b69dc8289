"""Embed the texts of a graph with an encoder that is kept, so that later texts and queries are encoded alike."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from graphrec.arguments import count
from graphrec.config import Settings
from graphrec.encoding import EncoderConfig, TextEncoder, open_encoder
from graphrec.encoding.tfidf import TfidfEncoder
from graphrec.errors import DataError, GraphrecError, first_few
from graphrec.home import private_folder
from graphrec.ingest import writing
from graphrec.llm import KEY_VARIABLE
from graphrec.pipeline.config import EmbedConfig
from graphrec.progress import StageProgress, silent
from graphrec.publishing.text_embeddings import Embedded, NodeTexts, embed_texts, read_texts, write_similar_texts
from graphrec.schema import ITEM, TEXT_EMBEDDING, TEXT_EMBEDDING_MODEL
from graphrec.store import Store
from graphrec.store.connection import quote
from graphrec.store.queries import Query


def embed(
    store: Store,
    settings: Settings,
    label: str,
    properties: Sequence[str],
    config: EmbedConfig,
    progress: StageProgress = silent,
) -> Embedded:
    """Write the vectors of the texts of a label, and SIMILAR_TEXT edges if `config.similar` is given.

    Raises:
        UnknownNameError: there is no such label, property or encoder.
        DataError: the texts have no words, or the saved encoder is damaged.
        GraphrecError: a package is missing, or the endpoint failed or is invalid.
    """
    if isinstance(properties, str) or not properties:
        raise DataError("properties is a list of names of text properties, such as ['title']")
    dimensions = count(config.dimensions, "dimensions")
    similar = None if config.similar is None else count(config.similar, "similar", least=0)
    record = _find_record(settings, label)
    with writing(store, settings.home, f"embedding of {label}", progress=progress) as locked:
        nodes = read_texts(locked, label, properties)
        encoder = _prepare(config, dimensions, record, nodes)
        embedded = embed_texts(locked, nodes, encoder, progress)
        if similar is not None:
            return replace(embedded, similar=write_similar_texts(locked, nodes, encoder, similar, progress))
        return embedded


def _prepare(config: EmbedConfig, dimensions: int, record: Path, nodes: NodeTexts) -> TextEncoder:
    """The encoder of a configuration, saved for later texts; that of tfidf is fitted unless one is saved already."""
    chosen = EncoderConfig(config.encoder, config.url, config.model)
    key = os.environ.get(KEY_VARIABLE, "")
    if config.encoder == "tfidf":
        chosen = replace(chosen, file=record.with_suffix(".npz"))
        if config.refit or not record.exists() or EncoderConfig.load(record) != chosen:
            private_folder(record.parent)
            fitted = TfidfEncoder.fit(nodes.texts, dimensions, np.random.default_rng(0))
            fitted.save(record.with_suffix(".npz"))
    encoder = open_encoder(chosen, key)
    private_folder(record.parent)
    chosen.save(record)
    return encoder


def complete_vectors(
    store: Store, settings: Settings, query: Query, parameters: Mapping[str, object]
) -> Mapping[str, object]:
    """The parameters of a query with each text that is given for a vector encoded as the items of the graph were.

    Raises GraphrecError if no items have vectors, or their encoder is not in this home folder.
    """
    names = [p.name for p in query.parameters if p.type == "vector" and isinstance(parameters.get(p.name), str)]
    texts = {name: str(parameters[name]) for name in names}
    if not texts:
        return parameters
    encoder = open_saved_encoder(store, settings, ITEM)
    vectors = {}
    for name, text in texts.items():
        (vector,) = encoder.embed([text])
        if not vector.any():
            raise DataError(f"the items have no word of the text '{first_few([text])}'; use other words")
        vectors[name] = vector.tolist()
    return {**parameters, **vectors}


def open_saved_encoder(store: Store, settings: Settings, label: str) -> TextEncoder:
    """The encoder by which the nodes of a label were embedded. Raises GraphrecError if no text of
    the label was embedded."""
    rows = store.read(
        f"MATCH (n:{quote(label)}) WHERE n.{TEXT_EMBEDDING} IS NOT NULL "
        f"RETURN DISTINCT n.{TEXT_EMBEDDING_MODEL} AS model ORDER BY model LIMIT 2"
    )
    remedy = f"`graphrec embed {label} --properties title` writes them"
    if not rows:
        raise GraphrecError(f"no {label} has the vector of a text; {remedy}")
    record = _find_record(settings, label)
    if len(rows) > 1 or not record.exists():
        raise GraphrecError(
            f"the vectors of {label} were written by another home folder, or only in part; here {remedy} again"
        )
    encoder = open_encoder(EncoderConfig.load(record), os.environ.get(KEY_VARIABLE, ""))
    if rows[0]["model"] != encoder.name:
        raise GraphrecError(
            f"the vectors of {label} are of {rows[0]['model']}, but the encoder here is {encoder.name}; {remedy} again"
        )
    return encoder


def _find_record(settings: Settings, label: str) -> Path:
    """The file that names the encoder of a label; its own name has no characters of the label."""
    return settings.encoders / f"{hashlib.sha256(label.encode()).hexdigest()[:16]}.json"
