"""Connections that are cut while events are told, again and again: each event arrives once, and in order.

On PostgreSQL there are two server processes, and the reader comes back to the other one each time; several transactions
write at once, and some are given up after their numbers were drawn.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from server.app import create_app
from server.kit import topics
from server.kit.config import ServerConfig
from server.kit.db import Store, open_store
from server.kit.migrate import migrate
from server.kit.tx import Tx
from tests.server.conftest import Staff, let_staff_in
from tests.support.following import Following, Told, following
from tests.support.serving import Served, serving
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
WRITERS = 4
FOLLOWED = ("billing:invoices", "billing:orders", "shop:products")
OTHERS = ("admin:users", "shop:inventory")


@pytest.fixture
def folder() -> Iterator[Path]:
    found = Path(tempfile.mkdtemp(prefix="sb-", dir="/tmp"))
    (found / "d").mkdir(mode=0o700)
    yield found
    shutil.rmtree(found, ignore_errors=True)


@pytest.fixture
def store(folder: Path, database_url: str) -> Iterator[Store]:
    """The store that everything is written into."""
    opened = open_store(None if database_url.startswith("sqlite") else database_url, folder / "d")
    migrate(opened)
    yield opened
    opened.close()


@pytest.fixture
def staff(store: Store) -> Staff:
    return let_staff_in(store)


@pytest.fixture
def servers(folder: Path, store: Store, staff: Staff, database_url: str) -> Iterator[list[Served]]:
    """One server on a file, in this process as the writers are; two processes on PostgreSQL."""
    with contextlib.ExitStack() as running:
        if store.dialect == "sqlite":
            config = ServerConfig(data_dir=folder / "d")
            yield [running.enter_context(serving(create_app(store, config), config))]
        else:
            begun = [begin(running, folder, database_url, number) for number in range(2)]
            for served in begun:
                until(partial(answers, served), "the server to answer", seconds=60)
            yield begun


def begin(running: contextlib.ExitStack, folder: Path, database_url: str, number: int) -> Served:
    """Start a server process."""
    path = folder / f"s{number}" / "bell"
    arguments = ("serve", "--no-work", "--uds", str(path), "--data", str(folder / "d"))
    with (folder / f"log{number}").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "server.cli", *arguments],
            cwd=ROOT,
            env={**os.environ, "SHOPBELL_DATABASE_URL": database_url},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    running.callback(stop, process)
    return Served("http://localhost", None, path)


def stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def answers(served: Served) -> bool:
    with contextlib.suppress(httpx.HTTPError), served.client() as client:
        return client.get("/healthz").status_code == 200
    return False


class Writers:
    """Several at once, each with numbers of its own, in transactions of one to four events."""

    def __init__(self, store: Store, each: int) -> None:
        self._store = store
        self._each = each
        self._threads = [threading.Thread(target=self._write, args=(number,)) for number in range(WRITERS)]
        self.failed: list[BaseException] = []

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(600)
        assert self.failed == []

    def _write(self, writer: int) -> None:
        try:
            n = 0
            while n < self._each:
                count = min(1 + (n + writer) % 4, self._each - n)
                if n % 9 == 4:
                    with contextlib.suppress(InterruptedError):
                        self._store.write(partial(self._publish, writer=writer, first=-1, count=2))
                self._store.write(partial(self._publish, writer=writer, first=n, count=count))
                n += count
        except BaseException as error:  # noqa: BLE001 - told to the test
            self.failed.append(error)

    def _publish(self, tx: Tx, writer: int, first: int, count: int) -> None:
        for n in range(first, first + count):
            name = FOLLOWED[n % len(FOLLOWED)]
            topics.publish(tx, "order_updated", name, OTHERS[n % 2], writer=writer, n=n)
        tx.touch(f"writer {writer}")
        if first < 0:
            raise InterruptedError("given up")


def read_until_cut(
    served: Served, token: str, last: str | None, cut_after: int | None, count: int
) -> list[Told]:
    """Follow from a place; the connection is cut after so many bytes, wherever in a frame that is."""
    headers = {"Authorization": f"Bearer {token}"} | ({} if last is None else {"Last-Event-ID": last})
    found: list[Told] = []
    taken = 0

    with (
        served.client() as client,
        client.stream("GET", f"/v1/events?topics={','.join(FOLLOWED)}", headers=headers) as response,
    ):
        assert response.status_code == 200

        def some() -> Iterator[bytes]:
            nonlocal taken
            for part in response.iter_raw():
                room = len(part) if cut_after is None else min(len(part), cut_after - taken)
                taken += room
                yield part[:room]
                if cut_after is not None and taken >= cut_after:
                    return

        stream = Following(httpx.Response(200, content=some()))
        while len([told for told in found if told.event]) < count and (told := stream.frame()) is not None:
            found.append(told)
    return found


def follow_through_cuts(store: Store, servers: list[Served], staff: Staff, events: int, cuts: int) -> None:
    token = staff.tokens["readonly"]
    writers = Writers(store, events // WRITERS)
    seen: list[Told] = []
    with servers[0].client() as client, following(client, token, *FOLLOWED) as stream:
        last: str | None = stream.until_known()
    writers.start()
    whole = events * 120 // (cuts + 1)
    cut = 0
    while len(seen) < events:
        cut_after = None if cut >= cuts else whole // 2 + (cut * 7_919) % whole
        found = read_until_cut(servers[cut % len(servers)], token, last, cut_after, events - len(seen))
        told = [each for each in found if each.event]
        assert all(each.event == "order_updated" for each in told), (
            "nothing is ever missed, so nothing is reset"
        )
        seen += told
        last = next((each.id for each in reversed(found) if each.id), last)
        cut += 1
    writers.join()
    assert cut >= cuts
    ids = [int(each.id or 0) for each in seen]
    assert ids == sorted(set(ids))
    for writer in range(WRITERS):
        mine = [each.data["data"]["n"] for each in seen if each.data["data"]["writer"] == writer]
        assert mine == list(range(events // WRITERS))


@pytest.mark.timeout(120)
def test_each_event_arrives_once_and_in_order(store: Store, servers: list[Served], staff: Staff) -> None:
    follow_through_cuts(store, servers, staff, events=1_000, cuts=10)


@pytest.mark.deep
@pytest.mark.timeout(600)
def test_each_event_arrives_once_and_in_order_through_fifty_cuts(
    store: Store, servers: list[Served], staff: Staff
) -> None:
    begun = time.monotonic()
    follow_through_cuts(store, servers, staff, events=10_000, cuts=50)
    assert time.monotonic() - begun < 300
