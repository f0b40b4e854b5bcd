"""A small HTTP load: kept-alive connections with one request each in flight, from a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import re
import selectors
import socket
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Result:
    """Answers a second, latency in milliseconds, and how many answers were not 2xx or 3xx."""

    per_second: float
    p50_ms: float
    p99_ms: float
    bad: int


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """The bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{k}: {v}" for k, v in headers.items())]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class _Connection:
    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent_at = 0.0
        self.buffer = b""

    def send(self, data: bytes) -> None:
        self.sent_at = time.perf_counter()
        self.socket.sendall(data)

    def receive(self) -> bytes | None:
        """The head of an answer once all of it is here."""
        chunk = self.socket.recv(262_144)
        if not chunk:
            raise ConnectionError("the server closed a connection")
        self.buffer += chunk
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        match = _LENGTH.search(self.buffer, 0, end)
        if len(self.buffer) < end + 4 + (int(match[1]) if match else 0):
            return None
        head, self.buffer = self.buffer[:end], b""
        return head


def drive(
    address: tuple[str, int], make: Callable[[int], bytes], seconds: float, connections: int, cpu: int | None
) -> Result:
    """Send requests for ``seconds`` over ``connections`` (this process, pinned to ``cpu`` when given)."""
    if cpu is not None:
        os.sched_setaffinity(0, {cpu})
    selector = selectors.DefaultSelector()
    number = bad = 0
    times: list[float] = []
    open_connections = [_Connection(address) for _ in range(connections)]
    for connection in open_connections:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.send(make(number))
        number += 1
    begin = time.perf_counter()
    end = begin + seconds
    while (now := time.perf_counter()) < end:
        for key, _ in selector.select(0.5):
            connection = key.data
            head = connection.receive()
            if head is None:
                continue
            times.append(time.perf_counter() - connection.sent_at)
            bad += head[9:10] not in (b"2", b"3")
            connection.send(make(number))
            number += 1
    for connection in open_connections:
        connection.socket.close()
    times.sort()
    return Result(
        per_second=len(times) / (now - begin),
        p50_ms=statistics.median(times) * 1e3,
        p99_ms=times[int(len(times) * 0.99)] * 1e3,
        bad=bad,
    )


def _child(
    pipe: object,
    address: tuple[str, int],
    requests: list[bytes],
    seconds: float,
    connections: int,
    cpu: int | None,
) -> None:
    result = drive(address, lambda number: requests[number % len(requests)], seconds, connections, cpu)
    pipe.send(result)  # type: ignore[attr-defined]  # multiprocessing's Connection differs by platform


def load(
    address: tuple[str, int],
    requests: list[bytes],
    *,
    seconds: float = 3.0,
    connections: int = 16,
    cpu: int | None = None,
) -> Result:
    """Send the requests in turn, from a fresh process, and say how it went."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_child, args=(there, address, requests, seconds, connections, cpu))
    process.start()
    there.close()  # or a child that died would be waited for without end
    result: Result = here.recv()
    process.join()
    return result
