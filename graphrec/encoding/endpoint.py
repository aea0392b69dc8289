"""An encoder behind an OpenAI-compatible `/v1/embeddings` endpoint."""

from collections.abc import Sequence

import numpy as np

from graphrec.encoding.encoder import TextEncoder, Vectors
from graphrec.llm import Endpoint, EndpointConfig

#: Batch size: texts of one request.
TEXTS_A_REQUEST = 128

#: Maximum number of characters of a text that are sent.
MAX_CHARACTERS = 8_000


class EndpointEncoder(TextEncoder):
    """The vectors of a model behind an endpoint; a failed request is repeated as its configuration says."""

    def __init__(self, config: EndpointConfig) -> None:
        self.endpoint = Endpoint(config)
        self.name = f"{config.model}@{config.url}"

    def encode(self, texts: Sequence[str]) -> Vectors:
        """The vectors that the endpoint gives. Raises EndpointError."""
        rows: list[list[float]] = []
        for begin in range(0, len(texts), TEXTS_A_REQUEST):
            rows += self.endpoint.embed([text[:MAX_CHARACTERS] for text in texts[begin : begin + TEXTS_A_REQUEST]])
        return np.array(rows, dtype=np.float32)
