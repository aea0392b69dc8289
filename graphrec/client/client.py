"""The client of a graphrec server: recommendations, explanations, events and runs over HTTP (docs/client.md)."""

import ssl
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import quote, urlencode

from graphrec.arguments import Id, count, id_text, id_texts, is_one_id
from graphrec.client.transport import Transport
from graphrec.errors import DataError, RefusedError, UnknownNameError

if TYPE_CHECKING:
    import pandas as pd

#: Users of one request for many users, and events of one batch: the limits of the server.
USERS_AT_ONCE, EVENTS_AT_ONCE = 100, 500

#: Columns of the tables of recommendations, as those of `Graph`.
ITEM_COLUMNS = ("item", "title", "score", "rank", "strategy", "detail", "run")
USER_COLUMNS = ("user_id", "item_id", "score", "rank", "title", "strategy", "detail", "run")

#: What the server answers: JSON objects, described by GET /v1/openapi.json.
Record = dict[str, Any]


class Client:
    """A graphrec server; its methods have the names of those of `Graph`, and raise the same kinds of errors.

    url, key: the address, such as https://recommend.example.org, and an API key of `graphrec key create`, which is
    sent as a header only. Without https everybody between client and server can read it.
    seconds: time limit of a call with its repetitions.
    retries: how often a request is sent again if the server is busy (429, 503) or does not answer; a request that
    could take effect twice is not.
    tls: the certificates to trust, by default those of the system.

    Connections are kept; threads may share a client. All methods may raise StoreError (the server does not answer or
    cannot now), RefusedError (the key is invalid or lacks the scope) and DataError (an argument is invalid).
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        seconds: float = 30.0,
        retries: int = 4,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._transport = Transport(url, key, seconds, retries, tls)

    def __repr__(self) -> str:
        return f"<graphrec.Client {self._transport.address}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. Closing twice does no harm."""
        self._transport.close()

    def recommend(
        self,
        user: Id | Iterable[Id],
        k: int = 10,
        rules: str | None = None,
        anyone: bool = False,
        exclude: Iterable[Id] = (),
        context: Iterable[Id] = (),
    ) -> "pd.DataFrame":
        """The k best items for a user: item, title, score, rank, strategy, detail, run, as `Graph.recommend`.

        `attrs` has the notes, the run and the recommendation_id, which events may name. For several users (a list, a
        Series, an array) the result is one table: user_id, item_id, score, rank, title, strategy, detail, run; its
        `attrs` have the notes and the recommendation ids by user. `rules` is a name of the server's rules; `exclude`
        has items to leave out; `context` has items of the current visit of one user, which are not stored. With
        `anyone`, an unknown user is answered as an anonymous visitor.

        Raises UnknownNameError if there is no such user or there are no such rules.
        """
        if is_one_id(user):
            answer = self.answer(user, k, rules, anyone, exclude, context)  # type: ignore[arg-type]  # is_one_id
            return _as_frame(answer)
        if list(context):
            raise DataError("context has the items of one visit; ask for one user")
        return _as_table(self.recommend_many(user, k, rules, anyone, exclude))  # type: ignore[arg-type]  # is_one_id

    def answer(
        self,
        user: Id,
        k: int = 10,
        rules: str | None = None,
        anyone: bool = False,
        exclude: Iterable[Id] = (),
        context: Iterable[Id] = (),
        explain: bool = False,
    ) -> Record:
        """As `recommend` for one user, as the server's JSON object: recommendation_id, run, strategy, items, notes.

        With `explain`, items have the strongest reason (`because`).
        """
        parameters: list[tuple[str, object]] = [("k", count(k))]
        parameters += [("exclude", each) for each in id_texts(exclude, "exclude")]
        parameters += [("context", each) for each in id_texts(context, "context")]
        parameters += [("rules", rules)] if rules is not None else []
        parameters += [(name, "true") for name, wanted in (("anyone", anyone), ("explain", explain)) if wanted]
        return self._get(f"{_user(user)}/recommendations", parameters)

    def recommend_many(
        self,
        users: Iterable[Id],
        k: int = 10,
        rules: str | None = None,
        anyone: bool = False,
        exclude: Iterable[Id] = (),
    ) -> Iterator[Record]:
        """The answers for many users, as `answer`, in their order and each once; a request asks for 100."""
        ids = list(dict.fromkeys(id_texts(users, "users")))
        wishes = _build_wishes(k, rules, anyone, exclude)
        for begin in range(0, len(ids), USERS_AT_ONCE):
            body = {"users": ids[begin : begin + USERS_AT_ONCE], **wishes}
            yield from self._post("/v1/recommendations", body)["answers"]

    def recommend_for_session(
        self, items: Iterable[Id], k: int = 10, rules: str | None = None, exclude: Iterable[Id] = ()
    ) -> "pd.DataFrame":
        """The k best items for an anonymous visitor with these items, in the form of `recommend`; nothing is stored."""
        return _as_frame(self.answer_session(items, k, rules, exclude))

    def answer_session(
        self,
        items: Iterable[Id],
        k: int = 10,
        rules: str | None = None,
        exclude: Iterable[Id] = (),
        explain: bool = False,
    ) -> Record:
        """As `recommend_for_session`, as the server's JSON object; with `explain` as in `answer`."""
        wishes = _build_wishes(k, rules, False, exclude) | ({"explain": True} if explain else {})
        body = {"session": id_texts(items, "items"), **wishes}
        answer: Record = self._post("/v1/recommendations", body)["answers"][0]
        return answer

    def recommend_for_group(
        self, users: Iterable[Id], k: int = 10, rules: str | None = None, exclude: Iterable[Id] = ()
    ) -> "pd.DataFrame":
        """The k items with the lowest mean rank for several users together, in the form of `recommend`."""
        body = {"group": id_texts(users, "users"), **_build_wishes(k, rules, False, exclude)}
        return _as_frame(self._post("/v1/recommendations", body)["answers"][0])

    def explain(
        self,
        user: Id,
        item: Id,
        top: int = 10,
        form: Literal["json", "sentence", "svg"] = "json",
        context: Iterable[Id] = (),
    ) -> Record | str:
        """The reasons and paths of the score that an item has in a user's answer, with the items of the current visit.

        `form` selects an object with `sentence`, reasons and paths, a sentence, or a picture.

        Raises UnknownNameError if the run has no score for the user and the item.
        """
        path = f"{_user(user)}/recommendations/{_quote(id_text(item, 'item'))}/explanation"
        parameters = [
            ("form", form),
            ("top", count(top)),
            *(("context", each) for each in id_texts(context, "context")),
        ]
        response = self._transport.request("GET", f"{path}?{urlencode(parameters)}")
        return response.json() if form == "json" else response.body.decode()

    def similar_items(self, item: Id, k: int = 10) -> "pd.DataFrame":
        """The k items most similar to an item: item, title, score, rank; `attrs` has strategy, run, recommendation_id.

        Raises UnknownNameError if there is no such item.
        """
        record = self._get(f"{_item(item)}/similar", [("k", count(k))])
        return _frame(record.pop("items"), ("item", "title", "score", "rank"), record)

    def audience(self, item: Id, k: int = 20) -> "pd.DataFrame":
        """Users who may like an item, the most likely first. Raises UnknownNameError if there is no such item."""
        record = self._get(f"{_item(item)}/audience", [("k", count(k))])
        return _frame(record.pop("users"), (), record)

    def user(self, user: Id, k: int = 20) -> Record:
        """What the graph knows about a user: properties, the k newest interactions, friends, attributes.

        Raises UnknownNameError if there is no such user.
        """
        return self._get(_user(user), [("k", count(k))])

    def put_user(
        self, user: Id, properties: Mapping[str, object] | None = None, attributes: Mapping[str, Any] | None = None
    ) -> Record:
        """Create or change a user: properties (None removes one), and ids of attribute nodes by relationship type."""
        return self._send("PUT", _user(user), _build_node(properties, attributes))

    def put_item(
        self, item: Id, properties: Mapping[str, object] | None = None, attributes: Mapping[str, Any] | None = None
    ) -> Record:
        """Create or change an item, as `put_user`; a new item can be recommended at once."""
        return self._send("PUT", _item(item), _build_node(properties, attributes))

    def delete_user(self, user: Id) -> Record:
        """Delete a user with all edges; the numbers of nodes and edges deleted.

        Raises UnknownNameError if there is no such user; so it does if the answer of the request that deleted the user
        was lost, and the request was sent again.
        """
        return self._send("DELETE", _user(user))

    def post_events(self, events: Iterable[Mapping[str, object]]) -> Record:
        """Write events, in batches of 500: numbers of accepted and repeated ones, and the rejected with their reasons.

        An event has behaviour, user and item, and optionally event (its id), timestamp (Unix seconds), rating, count,
        hours, value, run, rank and recommendation_id. An event without an id gets one, so that a batch whose answer was
        lost can be sent again. If a batch fails, the ones before it are written.
        """
        complete = [_complete_event(event) for event in events]
        total: Record = {"accepted": 0, "repeated": 0, "rejected": []}
        for begin in range(0, len(complete), EVENTS_AT_ONCE):
            done = self._post("/v1/events", {"events": complete[begin : begin + EVENTS_AT_ONCE]})
            for name in total:
                total[name] += done[name]
        return total

    def queries(self) -> list[Record]:
        """The queries that the server runs: name, sentence, parameters, columns."""
        found: list[Record] = self._get("/v1/queries")["queries"]
        return found

    def query(self, name: str, **parameters: object) -> "pd.DataFrame":
        """The records of a query that the server runs, as `client.query("find_similar_items", item_id=15, k=5)`.

        Raises UnknownNameError if there is no such query, user or item.
        """
        record = self.get("queries", name, **parameters)
        return _frame(record["rows"], record["columns"], {})

    def schema(self) -> "pd.DataFrame":
        """Labels and relationship types with their counts: type, from, to (None for labels), count, properties."""
        return _frame(self._get("/v1/schema")["types"], ("type", "from", "to", "count", "properties"), {})

    def runs(self) -> "pd.DataFrame":
        """All runs, the active one first: run, model, state, saved, verdict, created_at, published_at, activated_at,
        metrics."""
        return _frame(self._get("/v1/runs")["runs"], (), {})

    def activate(self, run: str) -> Record:
        """Make the recommendations of a kept run active again: `run`, and the one it replaces, `instead_of`.

        Raises UnknownNameError or GraphrecError if there is no such run to return to.
        """
        path = f"/v1/runs/{_quote(run)}/activate"
        answer: Record = self._transport.request("POST", path, repeatable=False).json()
        return answer

    def can_write(self) -> bool:
        """Whether the key has the scope `write`; nothing is written."""
        try:
            self._send("POST", "/v1/events", {"events": []})
        except RefusedError:
            return False
        except DataError:  # the key may, but a batch has at least one event
            return True
        return True

    def get(self, *path: str, **parameters: object) -> Record:
        """The JSON object of any route, as `client.get("items", "15", "similar", k=5)`: the parts of the path after
        /v1, and the parameters; a list is a parameter several times."""
        pairs = [(name, text) for name, value in parameters.items() for text in _as_texts(value)]
        return self._get("/v1/" + "/".join(map(_quote, path)), pairs)

    def is_ready(self) -> bool:
        """Whether the server can answer requests now. Raises no error."""
        try:
            self._transport.request("GET", "/readyz", repeatable=False)
        except Exception:
            return False
        return True

    def _get(self, path: str, parameters: Sequence[tuple[str, object]] = ()) -> Record:
        query = f"?{urlencode(parameters)}" if parameters else ""
        return self._send("GET", f"{path}{query}")

    def _post(self, path: str, body: object) -> Record:
        """The answer to a POST that may be sent again: it only reads, or its events have ids."""
        return self._send("POST", path, body)

    def _send(self, method: str, path: str, body: object = None) -> Record:
        answer: Record = self._transport.request(method, path, body).json()
        return answer


def _quote(text: str) -> str:
    """A text as one part of a path; `.` and `..` would be resolved by proxies."""
    if not text:
        raise UnknownNameError("name", text, (), "an empty text names nothing")
    try:
        quoted = quote(text, safe="")
    except UnicodeEncodeError as error:
        raise DataError("an id is a text that is valid Unicode") from error
    return quoted.replace(".", "%2E") if text in (".", "..") else quoted


def _user(user: Id) -> str:
    return f"/v1/users/{_quote(id_text(user, 'user'))}"


def _item(item: Id) -> str:
    return f"/v1/items/{_quote(id_text(item, 'item'))}"


def _as_texts(value: object) -> list[str]:
    """The texts of a parameter: those of a list, else one; true and false in lower case."""
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [text for each in value for text in _as_texts(each)]
    return [str(value).lower() if isinstance(value, bool) else str(value)]


def _build_wishes(k: int, rules: str | None, anyone: bool, exclude: Iterable[Id]) -> Record:
    wishes: Record = {"k": count(k), "anyone": anyone, "exclude": id_texts(exclude, "exclude")}
    return wishes | ({} if rules is None else {"rules": rules})


def _build_node(properties: Mapping[str, object] | None, attributes: Mapping[str, Any] | None) -> Record:
    values = {relation: id_texts(ids, relation) for relation, ids in (attributes or {}).items()}
    return {"properties": dict(properties or {}), "attributes": values}


def _complete_event(event: Mapping[str, object]) -> Record:
    """An event with an id, and with its user and item as texts."""
    ids = {name: id_text(event[name], name) for name in ("user", "item") if name in event}
    return {"event": str(uuid.uuid4()), **event, **ids}


def _as_frame(answer: Record) -> "pd.DataFrame":
    facts = {name: answer[name] for name in ("notes", "run", "recommendation_id", "strategy")}
    return _frame(answer["items"], ITEM_COLUMNS, facts)


def _as_table(answers: Iterable[Record]) -> "pd.DataFrame":
    """The answers for many users as one table."""
    found = list(answers)
    rows = [
        {**item, "user_id": answer["user"], "item_id": item["item"]} for answer in found for item in answer["items"]
    ]
    facts = {name: {answer["user"]: answer[name] for answer in found} for name in ("notes", "recommendation_id")}
    return _frame(rows, USER_COLUMNS, facts)


def _frame(rows: Sequence[Mapping[str, object]], columns: Sequence[str], attrs: Mapping[str, object]) -> "pd.DataFrame":
    """The rows as a table with these columns, or with their own if none are given."""
    import pandas as pd  # takes half a second, which a client of `answer` alone does not need

    frame = pd.DataFrame(list(rows), columns=list(columns) if columns else None)
    frame.attrs.update(attrs)
    return frame
