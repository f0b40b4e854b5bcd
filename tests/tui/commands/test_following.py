"""``shopbell activity --follow``: each entry once, in the order of recording, whatever happens to the server."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.flows.world import World, close_world, open_world
from tests.support.shopbelld import Shopbelld
from tests.support.waiting import until
from tests.tui.commands.conftest import Shop
from tui.api.client import FeedQuery
from tui.api.clock import FrozenClock
from tui.api.documents import Documents
from tui.api.endpoint import Endpoint
from tui.api.errors import ApiError
from tui.api.secret import Secret
from tui.commands.follow import Following
from tui.commands.printing import Printer
from tui.commands.work import Work
from tui.widgets.format import UNICODE

ROOT = Path(__file__).parents[3]


# A server that is killed and started again


class Follower:
    """``shopbell activity --follow --json`` in a process of its own."""

    def __init__(self, shop: Shopbelld, token: str, folder: Path, *more: str) -> None:
        self.path = folder / "followed"
        self.err = folder / "err"
        command = [
            sys.executable,
            "-m",
            "tui.cli",
            "activity",
            "--follow",
            "--json",
            "--every",
            "1",
            "--limit",
            "1",
        ]
        with self.path.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                [*command, *more, "--uds", str(shop.uds)],
                cwd=ROOT,
                env={**os.environ, "SHOPBELL_TOKEN": token},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                # What runs in the background of a shell ignores ^C, and hands that on to its children.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no thread yet
            )

    def lines(self) -> list[Any]:
        return [
            json.loads(line)
            for line in self.path.read_text().splitlines(keepends=True)
            if line.endswith("\n")
        ]

    def end(self, with_signal: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(with_signal)
        return self.process.wait(20)


class Teller:
    """A program that writes events, and tells an event again whose answer it never got."""

    def __init__(self, shop: Shopbelld, token: str) -> None:
        self.shop, self.headers, self.told = shop, {"Authorization": f"Bearer {token}"}, 0

    def tell(self, count: int) -> None:
        with self.shop.client() as http:
            for _ in range(count):
                # Every third happened long ago: it is recorded now all the same.
                late = {"occurred_at": "2020-02-02T02:02:02Z"} if self.told % 3 == 2 else {}
                body = {
                    "type": "custom.burst",
                    "message": f"event {self.told}",
                    "dedupe_key": str(self.told),
                    **late,
                }
                answer = http.post("/v1/activity", json=body, headers=self.headers)
                assert answer.status_code in {200, 201}, answer.text
                self.told += 1


@pytest.fixture
def shopbelld(home: Path) -> Any:
    shop = Shopbelld(home.parent)
    token = shop.command("init", "--owner-email", "owner@example.com").strip()
    shop.start()
    yield shop, token
    shop.kill()


@pytest.mark.timeout(180)
def test_over_restarts_each_entry_comes_once_and_in_order(shopbelld: Any, tmp_path: Path) -> None:
    shop, token = shopbelld
    teller = Teller(shop, token)
    teller.tell(1)
    follower = Follower(shop, token, tmp_path)
    try:
        until(lambda: len(follower.lines()) == 1, "the follower to begin", seconds=30)
        teller.tell(40)
        shop.kill()
        until(lambda: "Trying again" in follower.err.read_text(), "the follower to notice", seconds=30)
        shop.start()
        teller.tell(230)  # more than a page
        shop.kill()
        shop.start()
        teller.tell(20)
        until(lambda: len(follower.lines()) >= teller.told, "all of it to come", seconds=40)
        assert follower.end() == 0
    finally:
        follower.process.kill()
        follower.process.wait(10)
    assert [line["message"] for line in follower.lines()] == [f"event {n}" for n in range(teller.told)]
    said = follower.err.read_text().splitlines()
    assert all(
        "Trying again until it answers." in line or line.endswith("The server answers again.")
        for line in said
    )


def test_when_nobody_reads_any_more_it_ends_without_a_word(shopbelld: Any) -> None:
    shop, token = shopbelld
    teller = Teller(shop, token)
    teller.tell(3)
    command = [sys.executable, "-m", "tui.cli", "activity", "--follow", "--every", "1", "--limit", "3"]
    process = subprocess.Popen(
        [*command, "--uds", str(shop.uds)],
        cwd=ROOT,
        env={**os.environ, "SHOPBELL_TOKEN": token},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout, process.stderr:
        assert "event 0" in process.stdout.readline()
        process.stdout.close()
        assert process.wait(20) == 0
        assert process.stderr.read() == ""


def test_a_long_list_into_a_closed_pipe(shopbelld: Any) -> None:
    shop, token = shopbelld
    Teller(shop, token).tell(30)
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "tui.cli", "activity", "--uds", str(shop.uds)],
        cwd=ROOT,
        env={**os.environ, "SHOPBELL_TOKEN": token},
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_who_may_not_read_is_told_at_once(shop: Shop) -> None:
    ran = shop.run("activity", "--follow", role="storefront")
    assert (ran.code, ran.out) == (5, "")
    assert "may not do this" in ran.err


def test_a_place_that_is_unknown_now_ends_it(shop: Shop) -> None:
    shop.monkeypatch.setattr("tui.commands.follow.Following.begin", _begin_elsewhere)
    ran = shop.run("activity", "--follow", "--json")
    assert (ran.code, ran.json["code"]) == (1, "invalid_cursor")


async def _begin_elsewhere(following: Following, _last: int) -> None:
    following._resume = "of-another-shop"


# A line that breaks anywhere


class Reader:
    """Follows through a line that fails when it is told to."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.out = io.StringIO()
        self.fails_at = -1
        self.asked = 0
        world.line.spoiled = self._spoil
        self.client = Documents(
            Endpoint(url="http://127.0.0.1:7373", token=Secret(world.staff.tokens["owner"])),
            transport=world.line,
        )
        clock = FrozenClock("2026-02-23T10:14:00Z")
        printer = Printer(self.out, io.StringIO(), clock, glyphs=UNICODE, as_json=True)
        work = Work(self.client, Namespace(), printer, clock, 5.0, lambda: True)
        self.following = Following(work, FeedQuery())

    def _spoil(self, _request: httpx.Request) -> httpx.Response | None:
        self.asked += 1
        if self.asked - 1 == self.fails_at:
            raise httpx.ReadError("the line broke")
        return None

    async def look(self, fails_at: int = -1) -> None:
        self.asked, self.fails_at = 0, fails_at
        try:
            await self.following.look()
        except ApiError:
            assert fails_at >= 0

    @property
    def seen(self) -> list[str]:
        return [json.loads(line)["message"] for line in self.out.getvalue().splitlines()]


@pytest.fixture
def empty_world(sqlite_url: str, tmp_path: Path) -> Any:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    world = open_world(sqlite_url, data)
    yield world
    close_world(world)


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("tell"), st.integers(1, 7), st.integers(0, 3_000)),
        st.tuples(st.just("look"), st.integers(-1, 4), st.just(0)),
    ),
    max_size=8,
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS, before=st.integers(0, 3))
def test_nothing_twice_and_nothing_lost(
    empty_world: World, acts: list[tuple[str, int, int]], before: int
) -> None:
    told = 0

    def tell(count: int, ago: int) -> None:
        nonlocal told
        moment = datetime.fromtimestamp(empty_world.clock.now() / 1000 - ago, UTC).isoformat()
        for _ in range(count):
            empty_world.tell("burst", f"event {told}", "info", occurred_at=moment)
            told += 1

    async def play() -> Reader:
        reader = Reader(empty_world)
        async with reader.client:
            await reader.following.begin(0)
            for act, number, ago in acts:
                if act == "tell":
                    tell(number, ago)
                else:
                    await reader.look(number)
            await reader.look()
        return reader

    tell(before, 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tui.commands.follow._PAGE", 3)
        reader = asyncio.run(play())
    assert reader.seen == [f"event {number}" for number in range(before, told)]


def test_the_last_ones_first(empty_world: World) -> None:
    for number in range(5):
        empty_world.tell("burst", f"event {number}", "info")

    async def play() -> Reader:
        reader = Reader(empty_world)
        async with reader.client:
            await reader.following.begin(2)
            await reader.look()
        return reader

    assert asyncio.run(play()).seen == ["event 3", "event 4"]
