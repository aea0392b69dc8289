"""Where the tools get their answers: from the local graph, or from a graphrec server. Both give the same records."""

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from graphrec import preconditions
from graphrec.api.answers import build_answer, new_id
from graphrec.api.reasons import explain_live, find_reasons
from graphrec.client import Client
from graphrec.config import Settings, open_store
from graphrec.errors import GraphrecError, UnknownNameError
from graphrec.events import Event, EventPolicy, EventSink
from graphrec.serving.live_recommender import LiveRecommender
from graphrec.serving.similar import find_similar
from graphrec.serving.snapshot import Snapshot, Wishes
from graphrec.store import counts, queries

#: A JSON object.
Record = dict[str, Any]

#: Seconds to wait for the model of the active run after the start.
SECONDS_TO_LOAD = 60.0

#: Time limit of a query, and interval at which a wait looks again, in seconds.
_SECONDS_OF_QUERY, _INTERVAL = 10.0, 0.05


class Backend(Protocol):
    """What the tools ask. All methods raise GraphrecError."""

    def recommend(self, user: str, k: int, exclude: Sequence[str], context: Sequence[str], anyone: bool) -> Record:
        """The best items for a user."""

    def recommend_for_session(self, items: Sequence[str], k: int, exclude: Sequence[str]) -> Record:
        """The best items for an anonymous visitor with some items."""

    def explain(self, user: str, item: str, top: int) -> Record:
        """The reasons and paths of an item's score for a user."""

    def similar_items(self, item: str, k: int) -> Record:
        """The items most similar to an item."""

    def queries(self) -> list[Record]:
        """The queries that may be run."""

    def query(self, name: str, parameters: Mapping[str, Any]) -> Record:
        """The records of a query."""

    def schema(self) -> list[Record]:
        """Labels and relationship types."""

    def can_write(self) -> bool:
        """Whether the key may write events."""

    def post_events(self, events: Sequence[Mapping[str, Any]]) -> Record:
        """Write events."""

    def close(self) -> None:
        """Close all connections."""


class ServerBackend:
    """Answers of a graphrec server, over HTTP."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def recommend(self, user: str, k: int, exclude: Sequence[str], context: Sequence[str], anyone: bool) -> Record:
        """The best items for a user."""
        return self._client.answer(user, k, None, anyone, exclude, context, explain=True)

    def recommend_for_session(self, items: Sequence[str], k: int, exclude: Sequence[str]) -> Record:
        """The best items for an anonymous visitor with some items."""
        return self._client.answer_session(items, k, None, exclude, explain=True)

    def explain(self, user: str, item: str, top: int) -> Record:
        """The reasons and paths of an item's score for a user."""
        found = self._client.explain(user, item, top)
        assert isinstance(found, dict)  # the form is JSON
        return found

    def similar_items(self, item: str, k: int) -> Record:
        """The items most similar to an item."""
        return self._client.get("items", item, "similar", k=k)

    def queries(self) -> list[Record]:
        """The queries that the server runs."""
        return self._client.queries()

    def query(self, name: str, parameters: Mapping[str, Any]) -> Record:
        """The records of a query."""
        return self._client.get("queries", name, **parameters)

    def schema(self) -> list[Record]:
        """Labels and relationship types."""
        types: list[Record] = self._client.get("schema")["types"]
        return types

    def can_write(self) -> bool:
        """Whether the key has the scope `write`."""
        return self._client.can_write()

    def post_events(self, events: Sequence[Mapping[str, Any]]) -> Record:
        """Write events."""
        return self._client.post_events(_flatten(events))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


class GraphBackend:
    """Answers of the local graph, as a server makes them; a new publication is taken over.

    `may_write`: whether events may be written.
    """

    def __init__(self, settings: Settings, may_write: bool) -> None:
        self._may_write = may_write
        open_store(settings).close()  # starts the embedded store
        self._live = LiveRecommender(partial(open_store, settings), settings.runs)
        self._live.start()
        self._sink = EventSink(EventPolicy())

    def recommend(self, user: str, k: int, exclude: Sequence[str], context: Sequence[str], anyone: bool) -> Record:
        """The best items for a user."""
        snapshot = self._snapshot()
        wishes = Wishes(k, None, frozenset(exclude), tuple(context), anyone)
        answer = snapshot.recommend(self._live.store, user, wishes)
        because = find_reasons(self._live.store, snapshot, answer, wishes.session)
        return build_answer(answer, snapshot.run, because)

    def recommend_for_session(self, items: Sequence[str], k: int, exclude: Sequence[str]) -> Record:
        """The best items for an anonymous visitor with some items."""
        snapshot = self._snapshot()
        wishes = Wishes(k, None, frozenset(exclude), tuple(items))
        answer = snapshot.recommend_for_session(self._live.store, wishes)
        because = find_reasons(self._live.store, snapshot, answer, wishes.session)
        return build_answer(answer, snapshot.run, because)

    def explain(self, user: str, item: str, top: int) -> Record:
        """The reasons and paths of an item's score for a user, folded in as in the answer."""
        snapshot = self._snapshot()
        explained = explain_live(self._live.store, snapshot, user, item, top, ())
        from graphrec import explanation  # imports torch, which the loaded model did already

        return {"sentence": explanation.as_sentence(explained), **explanation.as_record(explained)}

    def similar_items(self, item: str, k: int) -> Record:
        """The items most similar to an item."""
        snapshot = self._snapshot()
        if item not in snapshot.titles:
            raise UnknownNameError("item", item, ())
        strategy, items = find_similar(self._live.store, snapshot, item, k)
        run = None if snapshot.run is None else snapshot.run.id
        return {"recommendation_id": new_id(), "item": item, "run": run, "strategy": strategy, "items": items}

    def queries(self) -> list[Record]:
        """The query files that are marked as served."""
        return [
            {
                "name": query.name,
                "sentence": query.sentence,
                "parameters": [
                    {"name": each.name, "type": each.type, "default": each.default, "text": each.text}
                    for each in query.parameters
                ],
                "columns": list(query.returns),
            }
            for query in _list_served().values()
        ]

    def query(self, name: str, parameters: Mapping[str, Any]) -> Record:
        """The records of a query."""
        served = _list_served()
        if name not in served:
            raise UnknownNameError("query", name, served)
        query, store = served[name], self._live.store
        values = queries.complete_arguments(query, parameters)
        preconditions.require_query(store, query)
        rows = store.read(query.statement, values, _SECONDS_OF_QUERY)
        return {"query": name, "columns": list(query.returns), "rows": rows}

    def schema(self) -> list[Record]:
        """Labels and relationship types."""
        return counts.count_graph(self._live.store).type_rows()

    def can_write(self) -> bool:
        """Whether a key with the scope `write` was given."""
        return self._may_write

    def post_events(self, events: Sequence[Mapping[str, Any]]) -> Record:
        """Write events."""
        if not self._may_write:
            raise GraphrecError("the key lacks the scope write")
        now = int(time.time())
        built = [
            Event(each["event"], each["behaviour"], each["user"], each["item"], now, each["values"]) for each in events
        ]
        outcomes = self._sink.write(self._live.store, built)
        rejected = [
            {"event": event.id, "reason": outcome.reason}
            for event, outcome in zip(built, outcomes, strict=True)
            if outcome.status == "rejected"
        ]
        numbers = {status: sum(each.status == status for each in outcomes) for status in ("accepted", "repeated")}
        return {**numbers, "rejected": rejected}

    def close(self) -> None:
        """Stop to watch the graph, and close its connections."""
        self._live.close()

    def _snapshot(self) -> Snapshot:
        """The state of the graph; waits for the model after the start."""
        start = time.monotonic()
        while not self._live.is_ready and not self._live.problem and time.monotonic() - start < SECONDS_TO_LOAD:
            time.sleep(_INTERVAL)
        snapshot = self._live.snapshot
        if snapshot is None:
            raise GraphrecError(self._live.problem or "the graph is still being read; try again in a moment")
        return snapshot


def _list_served() -> dict[str, queries.Query]:
    return {query.name: query for query in map(queries.get, queries.names()) if query.served}


def _flatten(events: Sequence[Mapping[str, Any]]) -> list[Record]:
    """Events in the form of the API, whose values are fields of the event."""
    return [{**{k: v for k, v in each.items() if k != "values"}, **each["values"]} for each in events]
