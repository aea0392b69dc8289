"""Write a model's vectors as properties of users and items, with a vector index on servers that have one."""

from collections.abc import Sequence

import numpy as np

from graphrec.models.base import Embeddings
from graphrec.progress import StageProgress
from graphrec.schema import EMBEDDING, EMBEDDING_RUN
from graphrec.store import Store
from graphrec.store.connection import quote
from graphrec.vocabulary import Vocabulary

#: Batch size: numbers sent in one transaction.
NUMBERS_A_BATCH = 200_000

#: Maximum number of dimensions that Neo4j indexes.
MAX_DIMENSIONS = 4_096

#: Timeout for filling an index with the vectors already in the graph.
SECONDS_TO_FILL = 3_600


def write_embeddings(
    store: Store, vocabularies: Sequence[Vocabulary], vectors: Embeddings, run: str, progress: StageProgress
) -> int:
    """Write the vectors on users and items, with the id of the run that produced them; return the number of nodes.

    The dot product of a user's and an item's vector is (a part of) the model's score. Vectors of an earlier run are
    removed from nodes that the run does not know. On Neo4j an index of each label finds neighbours by cosine.
    """
    number = 0
    for vocabulary, tensor in zip(vocabularies, (vectors.users, vectors.items), strict=True):
        rows = tensor.float().cpu().numpy()
        if not store.embedded:
            preparing = f"preparing the vector index of {vocabulary.label}"
            progress(preparing, 0, 1)
            ensure_vector_index(store, vocabulary.label, rows.shape[1])
            progress(preparing, 1, 1)
        size = max(1, NUMBERS_A_BATCH // max(rows.shape[1], 1))
        for begin in range(0, len(rows), size):
            ids, part = vocabulary.ids[begin : begin + size].tolist(), rows[begin : begin + size]
            store.write(
                f"UNWIND range(0, size($ids) - 1) AS k MATCH (n:{quote(vocabulary.label)} {{id: $ids[k]}}) "
                f"SET n.{EMBEDDING} = $vectors[k], n.{EMBEDDING_RUN} = $run",
                {"ids": ids, "vectors": np.nan_to_num(part).tolist(), "run": run},
            )
            number += len(ids)
            progress(f"writing embeddings of {vocabulary.label}", begin + len(ids), len(rows))
        store.write(
            f"MATCH (n:{quote(vocabulary.label)}) WHERE n.{EMBEDDING_RUN} <> $run "
            f"REMOVE n.{EMBEDDING}, n.{EMBEDDING_RUN}",
            {"run": run},
        )
    return number


def ensure_vector_index(store: Store, label: str, dimensions: int, name: str = EMBEDDING) -> None:
    """Create the vector index of a label and a property, and wait until it is filled; replace an index that failed or
    has another configuration.

    Quantization is off: by default Neo4j rounds each number to a byte, which may swap neighbours of nearly equal
    cosine. A zero vector that is written while the index is being filled makes the index fail permanently.
    """
    index = f"{label}_{name}"
    configuration = {
        "vector.dimensions": dimensions,
        "vector.similarity_function": "COSINE",
        "vector.quantization.enabled": False,
    }
    for row in store.read("SHOW VECTOR INDEXES YIELD name, state, options RETURN name, state, options"):
        is_usable = row["state"] != "FAILED" and configuration.items() <= row["options"]["indexConfig"].items()
        if row["name"] == index and not is_usable:
            store.define(f"DROP INDEX {quote(index)} IF EXISTS")
    if dimensions <= MAX_DIMENSIONS:
        store.define(
            f"CREATE VECTOR INDEX {quote(index)} IF NOT EXISTS FOR (n:{quote(label)}) ON (n.{name}) "
            "OPTIONS {indexConfig: $configuration}",
            {"configuration": configuration},
        )
        store.read("CALL db.awaitIndex($name, $seconds)", {"name": index, "seconds": SECONDS_TO_FILL})
