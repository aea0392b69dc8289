"""Open an encoder by its name."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from graphrec.encoding.encoder import TextEncoder
from graphrec.errors import DataError, GraphrecError, UnknownNameError
from graphrec.home import write_privately

#: Encoders by name; another name is a model of sentence-transformers if it has this prefix.
ENCODERS = ("tfidf", "wordllama", "endpoint")
SENTENCES = "sentence-transformers:"


@dataclass(frozen=True)
class EncoderConfig:
    """A text encoder, without its key.

    encoder: `tfidf`, `wordllama`, `sentence-transformers:NAME` (or a folder as NAME), or `endpoint`.
    url, model: of an endpoint, as in `EndpointConfig`.
    file: the fitted encoder of tfidf.
    """

    encoder: str = "tfidf"
    url: str = ""
    model: str = ""
    file: Path | None = None

    def save(self, path: Path) -> None:
        """Write the configuration to a file. Raises GraphrecError if it cannot be written."""
        values = {**asdict(self), "file": None if self.file is None else self.file.name}
        with write_privately(path) as partial:
            partial.write_text(json.dumps(values), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "EncoderConfig":
        """The configuration that `save` wrote; its `file` is in the same folder. Raises DataError if it is damaged."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            name = values.pop("file")
            return cls(**values, file=None if name is None else path.parent / Path(name).name)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise DataError(f"{path} is not the record of an encoder; `graphrec embed` writes it again") from error


def open_encoder(config: EncoderConfig, key: str = "") -> TextEncoder:
    """The encoder of a configuration; `key` is that of an endpoint.

    Raises:
        UnknownNameError: there is no such encoder.
        GraphrecError: a package is missing, or the configuration of an endpoint is invalid.
        DataError: the file of a fitted encoder is missing or damaged.
    """
    if config.encoder == "tfidf":
        from graphrec.encoding.tfidf import TfidfEncoder

        if config.file is None:
            raise GraphrecError("the encoder tfidf is fitted to the texts of a graph first: `graphrec embed`")
        return TfidfEncoder.load(config.file)
    if config.encoder == "endpoint":
        from graphrec.encoding.endpoint import EndpointEncoder
        from graphrec.llm import EndpointConfig

        return EndpointEncoder(EndpointConfig(config.url, config.model, key))
    from graphrec.encoding import packages

    if config.encoder == "wordllama":
        return packages.WordLlamaEncoder()
    if config.encoder.startswith(SENTENCES):
        return packages.SentenceTransformerEncoder(config.encoder.removeprefix(SENTENCES))
    raise UnknownNameError("text encoder", config.encoder, [*ENCODERS, f"{SENTENCES}NAME"])
