"""A model's vectors as properties of users and items, and a vector index over them where the server has such."""

from collections.abc import Sequence

import numpy as np

from graphrec.models.base import Embeddings
from graphrec.schema import EMBEDDING, EMBEDDING_RUN
from graphrec.store import Store
from graphrec.store.connection import quote
from graphrec.store.read import Progress
from graphrec.vocabulary import Vocabulary

#: Numbers sent in one transaction.
NUMBERS_A_BATCH = 200_000

#: The most that Neo4j indexes.
MAX_DIMENSIONS = 4_096

#: How long an index may take to be filled with the vectors that are there already.
SECONDS_TO_FILL = 3_600


def write_embeddings(
    store: Store, vocabularies: Sequence[Vocabulary], vectors: Embeddings, run: str, progress: Progress
) -> int:
    """Write the vectors on the nodes of the vocabularies of users and items, with the run whose they are.

    The dot product of a user's and an item's is (a part of) the model's score. Nodes that the run does not know lose
    what an earlier run wrote. On Neo4j an index of each label finds neighbours by the cosine.
    """
    number = 0
    for vocabulary, tensor in zip(vocabularies, (vectors.users, vectors.items), strict=True):
        rows = tensor.float().cpu().numpy()
        if not store.embedded:
            preparing = f"preparing the vector index of {vocabulary.label}"
            progress(preparing, 0, 1)
            _ensure_index(store, vocabulary.label, rows.shape[1])
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


def _ensure_index(store: Store, label: str, dimensions: int) -> None:
    """Hold a vector index of the label's vectors, ready, and made anew where the one that stands has failed or is
    configured otherwise.

    Neo4j rounds each number to a byte unless told not to, and may then exchange neighbours of nearly equal cosine. A
    vector of zeros that is written while the index is being filled makes it fail for good.
    """
    name = f"{label}_{EMBEDDING}"
    configuration = {
        "vector.dimensions": dimensions,
        "vector.similarity_function": "COSINE",
        "vector.quantization.enabled": False,
    }
    for row in store.read("SHOW VECTOR INDEXES YIELD name, state, options RETURN name, state, options"):
        serves = row["state"] != "FAILED" and configuration.items() <= row["options"]["indexConfig"].items()
        if row["name"] == name and not serves:
            store.define(f"DROP INDEX {quote(name)} IF EXISTS")
    if dimensions <= MAX_DIMENSIONS:
        store.define(
            f"CREATE VECTOR INDEX {quote(name)} IF NOT EXISTS FOR (n:{quote(label)}) ON (n.{EMBEDDING}) "
            "OPTIONS {indexConfig: $configuration}",
            {"configuration": configuration},
        )
        store.read("CALL db.awaitIndex($name, $seconds)", {"name": name, "seconds": SECONDS_TO_FILL})
