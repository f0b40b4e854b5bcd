"""A burst of webhooks into a server that is killed meanwhile; its senders come again until it takes what they bring."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
from sqlalchemy import select

from server.inbox.models import inbox
from server.kit.db import Store, open_store
from tests.support.shopbelld import Shopbelld
from tests.support.waiting import until

THREADS: Final = 6
_FINISHED: Final = ("done", "ignored")


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook on its way.

    Args:
        path: where it is sent.
        body: its bytes.
        headers: made anew for each try; a signature may hold the time.
        name: what it is counted under.
        forged: whether it is somebody else's, and is to be refused.
    """

    path: str
    body: bytes
    headers: Callable[[], Mapping[str, str]]
    name: str
    forged: bool = False


@dataclass
class Burst:
    """What became of the deliveries: how often each name was taken, how many were refused, and what went wrong."""

    server: Shopbelld
    refusal: int
    """The status with which a forged one is refused."""
    open: int
    waiting: queue.SimpleQueue[Delivery] = field(default_factory=queue.SimpleQueue)
    up: threading.Event = field(default_factory=threading.Event)
    taken: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> None:
        """Deliver until nothing is left."""
        client = self.server.client()
        while True:
            try:
                delivery = self.waiting.get_nowait()
            except queue.Empty:
                if not self.open:
                    client.close()
                    return
                self.up.wait(0.05)
                continue
            self.up.wait(30)
            try:
                self._deliver(client, delivery)
            except httpx.TransportError:  # killed under our hands
                self.waiting.put(delivery)
                client.close()
                client = self.server.client()

    def _deliver(self, client: httpx.Client, delivery: Delivery) -> None:
        answer = client.post(delivery.path, content=delivery.body, headers=dict(delivery.headers()))
        with self.lock:
            if delivery.forged and answer.status_code == self.refusal:
                self.refused += 1
            elif not delivery.forged and answer.status_code == 200:
                self.taken[delivery.name] += 1
            else:
                self.wrong.append(f"{delivery.name} {answer.status_code} {answer.text}")
            self.open -= 1


def storm(
    server: Shopbelld, store: Store, deliveries: Sequence[Delivery], *, refusal: int, kills: int
) -> Counter[str]:
    """Deliver everything while the server is killed and started again ``kills`` times, evenly spread.

    Returns:
        How often each name was taken, once the server has worked on all of it.

    Raises:
        AssertionError: something was answered otherwise than with 200, a forged one otherwise than with ``refusal``,
            or a delivery or the work on it found no end.
    """
    burst = Burst(server, refusal, open=len(deliveries))
    for delivery in deliveries:
        burst.waiting.put(delivery)
    server.start()
    burst.up.set()
    threads = [threading.Thread(target=burst.run, name=f"sender-{n}") for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for nth in range(1, kills + 1):
        goal = len(deliveries) * nth // (kills + 1)
        until(lambda goal=goal: len(deliveries) - burst.open >= goal, f"delivery {goal}", seconds=120)  # type: ignore[misc]
        burst.up.clear()
        server.kill()
        server.start()
        burst.up.set()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive()
    assert not burst.wrong, burst.wrong[:5]
    assert burst.refused == sum(delivery.forged for delivery in deliveries)
    assert burst.taken.total() + burst.refused == len(deliveries)
    until(lambda: not _work_left(store), "the server to finish what was cut off", seconds=60)
    return burst.taken


def _work_left(store: Store) -> bool:
    left = select(inbox.c.id).where(inbox.c.state.not_in(_FINISHED)).limit(1)
    return store.read(lambda tx: tx.execute(left).first()) is not None


@contextlib.contextmanager
def new_shop(home: Path, database_url: str, **environment: str) -> Iterator[Shopbelld]:
    """A server with a fresh store, not yet started; killed in the end."""
    server = Shopbelld(home, None if _on_file(database_url) else database_url, **environment)
    server.command("init")
    try:
        yield server
    finally:
        server.kill()


@contextlib.contextmanager
def store_beside(server: Shopbelld, database_url: str) -> Iterator[Store]:
    """The server's store, opened beside it."""
    opened = open_store(None if _on_file(database_url) else database_url, server.data)
    try:
        yield opened
    finally:
        opened.close()


def _on_file(database_url: str) -> bool:
    return database_url.startswith("sqlite")
