"""Write the vectors of texts on nodes, only where the text or the encoder changed, and edges between similar texts."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.encoding import TextEncoder
from graphrec.progress import StageProgress, silent
from graphrec.publishing.embeddings import NUMBERS_A_BATCH, ensure_vector_index
from graphrec.schema import (
    SIMILAR_TEXT,
    TEXT_EMBEDDING,
    TEXT_EMBEDDING_DIGEST,
    TEXT_EMBEDDING_MODEL,
    TEXT_PROPERTIES,
    EdgeType,
)
from graphrec.store import Store
from graphrec.store.connection import quote
from graphrec.store.diff import diff_edges
from graphrec.store.edges import SortedEdges
from graphrec.store.text_properties import read_properties
from graphrec.store.write import write_edges
from graphrec.tables import EdgeTable

#: Batch size: texts encoded at a time; what is encoded is written before the next batch.
TEXTS_A_BATCH = 2_048

#: The `source` of SIMILAR_TEXT edges.
SOURCE_NAME = "text"


@dataclass(frozen=True)
class NodeTexts:
    """The texts of the nodes of a label.

    ids: their ids; texts: their text, "" if they have none; digests: what their stored vector was made of, "" without.
    """

    label: str
    ids: list[str]
    texts: list[str]
    digests: list[str]


@dataclass(frozen=True)
class Embedded:
    """What `embed_texts` did: nodes with a vector, nodes whose vector was computed, kept or removed, nodes without a
    text, and SIMILAR_TEXT edges in the graph; the name of the encoder and its number of dimensions."""

    label: str
    model: str
    dimensions: int
    nodes: int
    encoded: int
    kept: int
    removed: int
    without_text: int
    similar: int = 0


def read_texts(store: Store, label: str, properties: Sequence[str]) -> NodeTexts:
    """The values of text properties of the nodes of a label, joined by line feeds. Raises as `read_properties`."""
    frame = read_properties(store, label, (*properties,), (TEXT_EMBEDDING_DIGEST,))
    texts = ["\n".join(filter(None, cells)) for cells in zip(*(frame[name] for name in properties), strict=True)]
    digests = frame[TEXT_EMBEDDING_DIGEST].astype(object).where(frame[TEXT_EMBEDDING_DIGEST].notna(), "")
    return NodeTexts(label, frame["id"].tolist(), texts, digests.tolist())


def embed_texts(store: Store, nodes: NodeTexts, encoder: TextEncoder, progress: StageProgress = silent) -> Embedded:
    """Write the vector of each node's text, the encoder's name and a digest; nodes whose digest is unchanged are kept.

    Each batch is written before the next is encoded, so an interrupted call continues where it ended. Equal texts are
    encoded once. A node whose text is gone, or has no known word, has no vector. On Neo4j there is a vector index.

    Raises:
        EndpointError: the endpoint of the encoder failed; what was encoded before stays.
        StoreError: the database refuses.
    """
    digests = [
        hashlib.sha256(f"{encoder.name}\0{text}".encode(errors="replace")).hexdigest()[:32] if text else ""
        for text in nodes.texts
    ]
    stale = [k for k, digest in enumerate(digests) if digest and digest != nodes.digests[k]]
    gone = [k for k, digest in enumerate(digests) if not digest and nodes.digests[k]]
    _remove_vectors(store, nodes.label, [nodes.ids[k] for k in gone])
    stage = f"embedding {nodes.label}"
    progress(stage, 0, len(stale))
    by_digest: dict[str, list[int]] = {}
    for k in stale:
        by_digest.setdefault(digests[k], []).append(k)
    distinct, done = list(by_digest), 0
    for begin in range(0, len(distinct), TEXTS_A_BATCH):
        batch = distinct[begin : begin + TEXTS_A_BATCH]
        vectors = encoder.embed([nodes.texts[by_digest[digest][0]] for digest in batch])
        rows = [(position, k) for position, digest in enumerate(batch) for k in by_digest[digest]]
        _write_vectors(
            store,
            nodes.label,
            encoder.name,
            pd.DataFrame({"id": [nodes.ids[k] for _, k in rows], "digest": [digests[k] for _, k in rows]}),
            vectors[[position for position, _ in rows]],
        )
        done += len(rows)
        progress(stage, done, len(stale))
    dimensions = encoder.embed(["a"]).shape[1] if not stale else vectors.shape[1]
    if not store.embedded:
        ensure_vector_index(store, nodes.label, dimensions, TEXT_EMBEDDING)
    count = f"MATCH (n:{quote(nodes.label)}) WHERE n.{TEXT_EMBEDDING} IS NOT NULL RETURN count(n) AS number"
    written: int = store.read(count)[0]["number"]
    without = digests.count("")
    kept = len(digests) - without - len(stale)
    return Embedded(nodes.label, encoder.name, dimensions, written, len(stale), kept, len(gone), without)


def _write_vectors(store: Store, label: str, model: str, frame: pd.DataFrame, vectors: npt.NDArray[np.float32]) -> None:
    """Write vectors [n, dim] on the nodes of a frame with id and digest; a vector of zeros, which a vector index does
    not accept, is left out."""
    size = max(1, NUMBERS_A_BATCH // max(vectors.shape[1], 1))
    statement = (
        f"UNWIND range(0, size($ids) - 1) AS k MATCH (n:{quote(label)} {{id: $ids[k]}}) "
        f"SET n.{TEXT_EMBEDDING} = $vectors[k], n.{TEXT_EMBEDDING_MODEL} = $model, "
        f"n.{TEXT_EMBEDDING_DIGEST} = $digests[k]"
    )
    for begin in range(0, len(frame), size):
        part, rows = frame.iloc[begin : begin + size], vectors[begin : begin + size]
        given = [row if any(row) else None for row in rows.tolist()]
        ids, digests = part["id"].tolist(), part["digest"].tolist()
        store.write(statement, {"ids": ids, "digests": digests, "vectors": given, "model": model})


def _remove_vectors(store: Store, label: str, ids: list[str]) -> None:
    names = ", ".join(f"n.{name}" for name in sorted(TEXT_PROPERTIES))
    for begin in range(0, len(ids), TEXTS_A_BATCH):
        part = {"ids": ids[begin : begin + TEXTS_A_BATCH]}
        store.write(f"UNWIND $ids AS id MATCH (n:{quote(label)} {{id: id}}) REMOVE {names}", part)


def write_similar_texts(
    store: Store, nodes: NodeTexts, encoder: TextEncoder, k: int, progress: StageProgress = silent
) -> int:
    """Write SIMILAR_TEXT edges with their cosine from each node to the k nodes of the most similar texts; return their
    number. Edges of an earlier call that are no longer among them are deleted; all are if k is 0."""
    given = [position for position, text in enumerate(nodes.texts) if text]
    progress("finding similar texts", 0, 1)
    found = encoder.find_similar([nodes.texts[position] for position in given], k).tocoo() if k else None
    progress("finding similar texts", 1, 1)
    ids = np.array([nodes.ids[position] for position in given], dtype=object)
    none = np.zeros(0, dtype=np.int64)
    rows, columns, values = (none, none, none) if found is None else (found.row, found.col, found.data)
    frame = pd.DataFrame(
        {
            "source_id": pd.Series(ids[rows], dtype="str"),
            "target_id": pd.Series(ids[columns], dtype="str"),
            "similarity": np.round(values.astype(np.float64), 6),
        }
    )
    kind = EdgeType(nodes.label, SIMILAR_TEXT, nodes.label, ("similarity",))
    edges = SortedEdges.from_table(EdgeTable(kind, frame))
    write_edges(store, edges, SOURCE_NAME, diff_edges(store, edges, SOURCE_NAME), progress=progress)
    return len(frame)
