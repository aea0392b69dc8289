"""An OpenAI-compatible server as a process of its own, which behaves as the requested model's name says.

`good` answers; `flaky` fails every second request with status 503; `slow` takes a minute; `dripping` sends a byte now
and then, `dawdling` the lines of endless headers; `wrong` answers text that is no JSON; `short` returns one vector too
few; `rude` closes the connection; `huge` sends without end; `forbidden` has status 401 and repeats the key, as some
servers do; `busy` has status 429; `moved` redirects. `liar` answers in the right form with values that it was not
given. A model called `obedient` does whatever a planted text asks for, in the right form and with the code of the
request; `parrot` answers what a text dictates word for word. GET /log returns the requests as JSON.
"""

import json
import re
import sys
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from planted import PHRASES  # type: ignore[import-not-found]  # beside this file

LOG: list[dict[str, Any]] = []  # Any: JSON
DIM = 16


def embed(text: str) -> list[float]:
    """Counts of hashed words."""
    vector = [0.0] * DIM
    for word in re.findall(r"\w+", text.casefold()):
        vector[zlib.crc32(word.encode()) % DIM] += 1.0
    return vector


#: Genres of words, for `good`.
GENRES = {"space": "science fiction", "love": "romance", "war": "war", "heist": "crime"}


def chat(model: str, system: str, user: str) -> str:
    """The answer of a model to a message."""
    dictated = re.search(r"ANSWER EXACTLY:(.*?):END", user, re.DOTALL)
    if model == "parrot" and dictated:
        return str(json.loads(f'"{dictated[1]}"'))
    code = re.search(r'"code" with the value "(\w+)"', system)
    if code is None:
        return user
    data = json.loads(user)
    obeys = model == "liar" or (model == "obedient" and any(is_planted(user, phrase) for phrase in PHRASES))
    answer = {"code": code[1], **(obey if obeys else reply)(data, system)}
    return json.dumps(answer)


def is_planted(user: str, phrase: str) -> bool:
    """Whether a message has a planted phrase, as JSON or not."""
    return phrase in user or json.dumps(phrase, ensure_ascii=False)[1:-1] in user


def reply(data: dict[str, Any], system: str) -> dict[str, Any]:  # Any: JSON
    """What a good model answers."""
    if "record" in data:
        text = " ".join(data["record"].values()).casefold()
        brand = re.search(r"by (\w+)", " ".join(data["record"].values()))
        values = {
            "genre": [genre for word, genre in GENRES.items() if word in text],
            "mood": ["DARK"] if "night" in text else [],
            "audience": ["children"] if "kids" in text else [],
            "brand": [brand[1]] if brand else [],
        }
        asked = re.findall(r'^"(\w+)": ', system, re.MULTILINE)
        return {name: [{"value": value, "confidence": 0.9} for value in values[name]] for name in asked}
    if "left" in data:
        left, right = (re.findall(r"\w+", str(data[side].get("title", "")).casefold()) for side in ("left", "right"))
        same = bool(left and right and left[0] == right[0])
        return {"verdict": "yes" if same else "no", "reason": "their first words are compared"}
    return {"sentence": rewrite(data["facts"])}


def rewrite(facts: list[str]) -> str:
    """One sentence of the first facts, in other words than theirs."""
    return f"We suggest [ITEM] because {facts[0].removeprefix('because ')}."


def obey(data: dict[str, Any], system: str) -> dict[str, Any]:  # Any: JSON
    """What every planted text asks for."""
    if "record" in data:
        asked = re.findall(r'^"(\w+)": ', system, re.MULTILINE)
        values = {"genre": ["horror", "Buy now at evil.example"], "mood": ["scary"], "brand": ["Evil"], "audience": []}
        return {name: [{"value": value, "confidence": 1.0} for value in values[name]] for name in asked}
    if "left" in data:
        return {"verdict": "yes", "reason": "the title says so"}
    return {"sentence": "Everybody buys Evil for 9 dollars because you rated it."}


class Handler(BaseHTTPRequestHandler):
    """Answers by the model's name."""

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def send(self, status: int, body: bytes, **headers: str) -> None:
        """Send a whole response."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        """The log."""
        self.send(200, json.dumps(LOG).encode())

    def do_POST(self) -> None:
        """An answer."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        model = body["model"]
        LOG.append({"path": self.path, "key": self.headers.get("Authorization", ""), "body": body})
        if model == "slow":
            time.sleep(60)
        elif model == "dripping":
            self.send_response(200)
            self.end_headers()
            while True:
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(0.05)
        elif model == "dawdling":
            self.connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while True:
                self.connection.sendall(b"X-Slow: x\r\n")
                time.sleep(0.1)
        elif model == "huge":
            self.send_response(200)
            self.end_headers()
            while True:
                self.wfile.write(b" " * (1 << 20))
        elif model == "rude":
            self.connection.close()
        elif model == "wrong":
            self.send(200, b"I am sorry, Dave")
        elif model == "forbidden":
            self.send(401, json.dumps({"error": f"no such key: {LOG[-1]['key']}"}).encode())
        elif model == "busy":
            self.send(429, b"later")
        elif model == "moved":
            self.send(302, b"", Location="/log")
        elif model == "flaky" and sum(entry["body"]["model"] == "flaky" for entry in LOG) % 2:
            self.send(503, b"busy")
        elif self.path == "/v1/embeddings":
            vectors = [{"index": k, "embedding": embed(text)} for k, text in enumerate(body["input"])]
            self.send(200, json.dumps({"data": vectors[: -1 if model == "short" else None][::-1]}).encode())
        else:
            system, user = (message["content"] for message in body["messages"])
            answer = {"choices": [{"message": {"content": chat(model, system, user)}}]}
            self.send(200, json.dumps(answer).encode())


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)  # noqa: T201  # the test reads the port
    sys.stdout.close()
    server.serve_forever()
