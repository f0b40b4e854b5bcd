"""A provider's server: HTTP on loopback in a thread, state in memory, moved by method calls and a little script."""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self
from urllib.parse import parse_qs, unquote, urlsplit

from server.kit.clock import Clock
from server.practice.providers.answers import Answer, Trouble

_PAGE: Final = b"<!doctype html><title>Bad gateway</title><h1>502 Bad gateway</h1>"
_LARGE: Final = b'["' + b"a" * 65_536
_LONGEST_SLOW: Final = 30.0
_POLL: Final = 60.0
MOST_CALLS: Final = 20_000
"""How many requests are remembered."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request as the API gets it. ``verb`` names what is asked for, as scripts do."""

    verb: str
    args: tuple[str, ...]
    query: dict[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook as the provider posts it: raw bytes and headers, signature included, and what its address ends with."""

    body: bytes
    headers: dict[str, str]
    query: str = ""


class ProviderServer(ABC):
    """A provider on this machine.

    Args:
        clock: where it reads the time.
        token: the only one it takes.
        account: the shop's id there.
        secret: what its webhooks are signed with.
        seed: keeps its ids apart from those of another one.
        title: what it calls the shop.
    """

    provider: str
    prefix: str = ""
    """What its address ends with."""

    def __init__(
        self,
        clock: Clock,
        *,
        token: str,
        account: str,
        secret: str,
        seed: str = "practice",
        title: str = "Practice shop",
    ) -> None:
        self.clock = clock
        self.token = token
        self.account = account
        self.secret = secret
        self.orders: dict[str, dict[str, Any]] = {}
        self.catalogue: dict[str, dict[str, Any]] = {}
        self.calls: list[Call] = []
        self.lock = threading.RLock()
        self.title = title
        self.judge: Callable[[Call], Trouble | None] | None = None
        """Says what goes wrong with a request that no script speaks of."""
        self.on_done: Callable[[Call, Answer], None] | None = None
        """Called with each request that was done or refused, before its answer leaves; the lock is held."""
        self._seed = seed
        self._count = 0
        self._script: dict[str, deque[Trouble | None]] = {}
        self._always: dict[str, Trouble] = {}
        self._released = threading.Event()
        self._http: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Its address, once it is open."""
        assert self._http is not None  # noqa: S101 - asked for too early
        return f"http://127.0.0.1:{self._http.server_address[1]}{self.prefix}"

    @property
    def port(self) -> int:
        """Where it listens, once it is open."""
        assert self._http is not None  # noqa: S101 - asked for too early
        return int(self._http.server_address[1])

    def open(self, port: int = 0) -> Self:
        """Listen on this machine: on that port if it is free, else on any."""
        handler = type("Handler", (_Handler,), {"owner": self})
        try:
            self._http = _Http(("127.0.0.1", port), handler)
        except OSError:
            self._http = _Http(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": _POLL}, name=self.provider, daemon=True
        )
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop listening; also the ones that wait for `release` go."""
        self._released.set()
        if self._http is None:
            return
        ending = threading.Thread(target=self._http.shutdown, daemon=True)
        ending.start()
        while (
            ending.is_alive()
        ):  # it looks around when somebody comes: it sleeps for long, so as to cost nothing
            with contextlib.suppress(OSError):
                socket.create_connection(self._http.server_address[:2], 1).close()  # type: ignore[arg-type]
            ending.join(0.02)
        self._http.server_close()
        if self._thread is not None:
            self._thread.join(5)

    def script(self, verb: str, *what: Trouble | None) -> None:
        """What happens to the next requests of a kind, in order; None: it is answered properly."""
        with self.lock:
            self._script.setdefault(verb, deque()).extend(what)

    def always(self, verb: str, what: Trouble | None) -> None:
        """What happens to every request of a kind (``*``: of all kinds) from now on; None: nothing any more."""
        with self.lock:
            if what is None:
                self._always.pop(verb, None)
            else:
                self._always[verb] = what

    def release(self) -> None:
        """Let go of the requests that are kept waiting."""
        self._released.set()

    def count(self, verb: str) -> int:
        """How many requests of a kind came."""
        with self.lock:
            return sum(call.verb == verb for call in self.calls)

    def held_as(self, external_id: str) -> list[dict[str, Any]]:
        """The orders that were handed over under a number."""
        with self.lock:
            return [order for order in self.orders.values() if self.external_id(order) == external_id]

    def forget(self, order_id: str) -> None:
        """Lose an order."""
        with self.lock:
            del self.orders[order_id]

    def vanish(self, product_id: str) -> None:
        """A product is no longer there."""
        with self.lock:
            del self.catalogue[product_id]

    def new_id(self, what: str) -> str:
        """24 hexadecimal digits: the same in each run."""
        with self.lock:
            self._count += 1
            return self.id_of(what, str(self._count))

    def id_of(self, what: str, name: str) -> str:
        """24 hexadecimal digits for what has a name of its own."""
        return hashlib.sha256(f"{self._seed} {what} {name}".encode()).hexdigest()[:24]

    @abstractmethod
    def external_id(self, order: dict[str, Any]) -> str | None:
        """The number that an order was handed over under."""

    @abstractmethod
    def find_verb(self, method: str, path: str) -> tuple[str, tuple[str, ...]] | None:
        """What a request asks for, and of what; None for nothing it knows."""

    @abstractmethod
    def act(self, call: Call) -> Answer:
        """Do what is asked for."""

    @abstractmethod
    def error(self, status: int, reason: str) -> Answer:
        """A refusal in the API's own shape."""

    def next_trouble(self, verb: str) -> Trouble | None:
        """What the script says about this request."""
        with self.lock:
            waiting = self._script.get(verb)
            if waiting:
                return waiting.popleft()
            return self._always.get(verb) or self._always.get("*")

    def trouble(self, call: Call) -> Trouble | None:
        """What goes wrong with a request: what the script says, else the judge."""
        found = self.next_trouble(call.verb)
        return found if found is not None or self.judge is None else self.judge(call)

    def done(self, call: Call) -> Answer:
        """Do what is asked for, and tell whoever wants to know."""
        with self.lock:
            answer = self.act(call)
            if self.on_done is not None:
                self.on_done(call, answer)
            return answer

    def skip_to(self, serial: int) -> None:
        """Give out no id again that one of before gave out."""
        with self.lock:
            self._count = max(self._count, serial)

    def wait_for_release(self) -> None:
        """Keep a request waiting."""
        self._released.wait(_LONGEST_SLOW)


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    owner: ProviderServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Read something."""
        self._serve("GET")

    def do_POST(self) -> None:
        """Do something."""
        self._serve("POST")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _serve(self, method: str) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("content-length") or 0)
        raw = self.rfile.read(length)
        path = unquote(parts.path.removeprefix(self.owner.prefix))
        known = self.owner.find_verb(method, path)
        if known is None:
            self._send(self.owner.error(404, "Not found"))
            return
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        call = Call(known[0], known[1], query, json.loads(raw) if raw else None)
        with self.owner.lock:
            self.owner.calls.append(call)
            del self.owner.calls[:-MOST_CALLS]
        if self.headers.get("authorization") != f"Bearer {self.owner.token}":
            self._send(self.owner.error(401, "Unauthenticated."))
            return
        trouble = self.owner.trouble(call)
        if trouble is None:
            self._send(self.owner.done(call))
            return
        self._go_wrong(trouble, call)

    def _go_wrong(self, trouble: Trouble, call: Call) -> None:
        answer = self.owner.error(trouble.status, trouble.reason)
        if trouble.acts:
            answer = self.owner.done(call)
        if trouble.how == "refuse":
            self._send(Answer(trouble.status, answer.body, trouble.headers))
        elif trouble.how == "html":
            self._bytes(trouble.status, _PAGE, "text/html; charset=utf-8", trouble.headers)
        elif trouble.how == "redirect":
            self._bytes(302, b"", "text/html", {"Location": "http://127.0.0.1:9/"})
        elif trouble.how == "half":
            whole = answer.raw()
            self._bytes(answer.status, whole[: len(whole) // 2], "application/json", {}, claims=len(whole))
            self._hang_up()
        elif trouble.how == "slow":
            self.owner.wait_for_release()
            self._hang_up()
        elif trouble.how == "dribble":
            self._dribble()
        elif trouble.how == "large":
            self._endless()
        else:
            self._hang_up()

    def _send(self, answer: Answer) -> None:
        self._bytes(answer.status, answer.raw(), "application/json", answer.headers)

    def _bytes(
        self, status: int, raw: bytes, kind: str, headers: dict[str, str], *, claims: int | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(raw) if claims is None else claims))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def _dribble(self) -> None:
        waiting = threading.Event()
        try:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not waiting.wait(0.02) and not self.owner._released.is_set():
                self.wfile.write(b"a")
        except OSError:
            pass  # they had enough
        self._hang_up()

    def _endless(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            while not self.owner._released.is_set():
                self.wfile.write(_LARGE)
        except OSError:
            pass  # they had enough
        self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True
        try:
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # gone already
