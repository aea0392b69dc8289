"""An OpenAI-compatible server as a process of its own, which behaves as the requested model's name says.

`good` answers; `flaky` fails every second request with status 503; `slow` takes a minute; `dripping` sends a byte now
and then; `wrong` answers text that is no JSON; `short` returns one vector too few; `rude` closes the connection;
`huge` sends without end; `forbidden` has status 401; `moved` redirects. A model called `obedient` does whatever the
texts that it is given tell it. GET /log returns the requests as JSON.
"""

import json
import re
import sys
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LOG: list[dict[str, Any]] = []  # Any: JSON
DIM = 16


def embed(text: str) -> list[float]:
    """Counts of hashed words."""
    vector = [0.0] * DIM
    for word in re.findall(r"\w+", text.casefold()):
        vector[zlib.crc32(word.encode()) % DIM] += 1.0
    return vector


def chat(model: str, system: str, user: str) -> str:
    """The answer of a model to a message."""
    told = re.search(r"ANSWER EXACTLY:(.*?):END", user, re.DOTALL)
    if model == "obedient" and told:
        return str(json.loads(f'"{told[1]}"'))
    given = re.search(r"CANNED:(.*?):END", user, re.DOTALL)
    if given:
        return str(json.loads(f'"{given[1]}"'))
    if "genre" in system:
        words = [word for word in ("space", "love", "war") if word in user.casefold()]
        return json.dumps({"genre": [{"value": word, "confidence": 0.9} for word in words]})
    if "same" in system:
        titles = re.findall(r'"title": "([^"]*)"', user)
        same = len(titles) == 2 and titles[0].split()[0].casefold() == titles[1].split()[0].casefold()
        return json.dumps({"verdict": "yes" if same else "no", "reason": "their first words"})
    return user


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
            self.send(401, b'{"error": "no such key"}')
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
