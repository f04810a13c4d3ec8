"""A chat server on the loopback that behaves as badly as it is told to."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server:
    """Serves one model; every chat request takes the next behaviour, then good ones follow.

    A behaviour is a number (that status), ``nonsense``, ``html``, ``drop``, ``slow``,
    ``empty``, ``long``, ``parts``, ``later`` (429 with Retry-After), ``no-schema`` (400
    where a schema is asked for) or ``ok``. A good answer repeats the prompt and says how
    many pictures came with it, unless ``says`` makes it from the request's body. What is
    posted to ``/rerank`` is answered by ``ranks``, from the request's body; without it, 404.
    """

    def __init__(
        self,
        behaviours=(),
        models=("tiny",),
        delay=0.0,
        always=None,
        key=None,
        says=None,
        ranks=None,
    ):
        self.says, self.ranks = says, ranks
        self.behaviours, self.models, self.delay = list(behaviours), models, delay
        self.always, self.key = always, key
        self.requests, self.in_flight, self.most_in_flight = [], 0, 0
        self.lock, self.gone = threading.Lock(), False
        self._http = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Handler", (_Handler,), {"owner": self})
        )
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def __enter__(self):
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *error):
        self.stop()

    def stop(self):
        self.gone = True  # connections that are open end with their next request
        self._http.shutdown()
        self._http.server_close()

    def next_behaviour(self):
        with self.lock:
            if self.always is not None:
                return self.always
            return self.behaviours.pop(0) if self.behaviours else "ok"


def words_of(body):
    """The prompt of a request, and how many pictures came with it."""
    parts = body["messages"][0]["content"]
    texts = [part["text"] for part in parts if part["type"] == "text"]
    return texts[-1].split("\n", 1)[1], sum(part["type"] == "image_url" for part in parts)


class _Handler(BaseHTTPRequestHandler):
    """Answers as its ``owner`` says; each server has a kind of its own, which a test may change."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def do_GET(self):
        owner = self.owner
        if owner.key and self.headers.get("Authorization") != f"Bearer {owner.key}":
            return self.answer(401, {"error": {"message": "bad key"}})
        return self.answer(200, {"data": [{"id": name} for name in owner.models]})

    def do_POST(self):
        owner = self.owner
        if owner.gone:
            self.close_connection = True
            return self.connection.close()
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with owner.lock:
            owner.requests.append(body)
            owner.in_flight += 1
            owner.most_in_flight = max(owner.most_in_flight, owner.in_flight)
        try:
            time.sleep(owner.delay)
            self.behave(owner.next_behaviour(), body)
        finally:
            with owner.lock:
                owner.in_flight -= 1

    def behave(self, behaviour, body):
        if isinstance(behaviour, int):
            return self.answer(behaviour, {"error": {"message": f"told to say {behaviour}"}})
        if behaviour == "later":
            return self.answer(429, {}, {"Retry-After": "0"})
        if behaviour == "no-schema" and "response_format" in body:
            return self.answer(400, {"error": "response_format is not supported"})
        if behaviour == "drop":
            self.close_connection = True
            return self.connection.close()
        if behaviour == "slow":
            time.sleep(1.0)
        if behaviour == "nonsense":
            return self.answer(200, {"choices": []})
        if behaviour == "html":
            return self.send(200, b"<html>Bad gateway</html>", "text/html")
        if self.path == "/v1/rerank":
            if self.owner.ranks is None:
                return self.answer(404, {"error": {"message": "Not Found"}})
            return self.answer(200, self.owner.ranks(body))
        prompt, pictures = words_of(body)
        said = self.owner.says(body) if self.owner.says else f"{prompt} {pictures}"
        text = {"empty": ""}.get(behaviour, said)
        content = [{"type": "text", "text": text}] if behaviour == "parts" else text
        choice = {
            "message": {"role": "assistant", "content": content},
            "finish_reason": "length" if behaviour == "long" else "stop",
        }
        return self.answer(200, {"choices": [choice], "usage": {"completion_tokens": 7}})

    def answer(self, status, body, headers=None):
        return self.send(status, json.dumps(body).encode(), "application/json", headers)

    def send(self, status, data, kind, headers=None):
        self.send_response(status)
        for name, value in {"Content-Type": kind, **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
