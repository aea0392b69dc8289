"""Methods of `Graph` that read streams of events, and administer rejected events."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphrec.arguments import Id, count, id_text
from graphrec.graph.connection import Connection

if TYPE_CHECKING:
    from graphrec.cache import Cache
    from graphrec.streams import Consumed, ConsumeOptions, RejectedEvent, StreamSpec, StreamStatus

    #: The path of a TOML file, or a mapping of the same form.
    StreamDescription = str | Path | Mapping[str, Any]  # Any: what TOML holds


class StreamMethods(Connection):
    """Streams: records of a folder, Redis Streams or Kafka become edges. A stream is described by a TOML file, or by a
    mapping of the same form whose paths are relative to the current folder (docs/streams.md)."""

    def consume(self, stream: "StreamDescription", options: "ConsumeOptions | None" = None) -> "Consumed":
        """Read a stream until SIGTERM or SIGINT, with `options.once` until all its records are written; the numbers of
        records by outcome. It uses connections of its own.

        Raises:
            DataError: the description is invalid.
            GraphrecError: the input is not there, refuses, or lacks records that were not read yet.
            StoreError: the database does not answer at the start.
        """
        from graphrec.config import open_store
        from graphrec.streams import ConsumeOptions, Consumer
        from graphrec.streams.signals import end_on_signals

        options = options or ConsumeOptions()
        consumer = Consumer(
            _parse(stream), lambda: open_store(self.settings, self._note), self._open_shared_cache(), options
        )
        with end_on_signals(consumer.ended), consumer.metrics.serve(options.metrics_port):
            return consumer.run()

    def stream_status(self, stream: "StreamDescription") -> "StreamStatus":
        """How far a stream was read: for each partition its position, numbers of records by outcome, and its lag.

        Raises DataError if the description is invalid, GraphrecError if the package of its client is not installed.
        """
        from graphrec.streams import read_status

        return read_status(_parse(stream), self.store)

    def list_rejected(
        self, stream: str | None = None, user: "Id | None" = None, limit: int = 1_000, after: str = ""
    ) -> "list[RejectedEvent]":
        """Rejected events by id, at most `limit`, those with an id after `after`; of one stream or user if named."""
        from graphrec.streams import read_rejected

        wanted = None if user is None else id_text(user, "user")
        return read_rejected(self.store, stream, wanted, count(limit, "limit"), after)

    def retry_rejected(self, stream: "StreamDescription") -> "Consumed":
        """Write the rejected events of a stream again, as its description says now; those that become edges are
        deleted, the others are kept with the new reason."""
        from graphrec.config import open_store
        from graphrec.streams import retry_all

        return retry_all(_parse(stream), lambda: open_store(self.settings, self._note), self._open_shared_cache())

    def delete_rejected(self, stream: str | None = None, user: "Id | None" = None) -> int:
        """Delete rejected events, those of one stream or user if named, and return their number."""
        from graphrec.streams import delete_rejected

        return delete_rejected(self.store, stream, None if user is None else id_text(user, "user"))

    def _open_shared_cache(self) -> "Cache":
        """The cache that servers share with this process; the memory of a server cannot be reached."""
        from graphrec.cache import open_cache

        url = self.settings.graphrec_cache_url
        return open_cache("none" if url is None else url.get_secret_value())


def _parse(stream: "StreamDescription") -> "StreamSpec":
    from graphrec.streams import parse, parse_mapping

    if isinstance(stream, Mapping):
        return parse_mapping(stream, Path("the description"), Path.cwd())
    return parse(Path(stream))
