"""The practice shop as a process: one line on stdout, a socket, an end."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from server.kit.clock import SystemClock
from server.kit.config import ServerConfig
from server.practice import state as memory
from tests.support.waiting import until

FIRST_SCREEN_SECONDS = 5.0
"""Of a processor's time: how long that takes by the clock on the wall depends on who else uses the machine."""


class _Local(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=10)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(str(self._path))


@dataclass
class Running:
    """A started practice shop."""

    process: subprocess.Popen[str]
    token: str
    uds: Path
    seconds: float

    def get(self, path: str) -> Any:
        connection = _Local(self.uds)
        connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
        response = connection.getresponse()
        body = response.read()
        connection.close()
        assert response.status == 200, body
        return json.loads(body)

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str, str]:
        self.process.send_signal(number)
        said, complaints = self.process.communicate(timeout=20)
        return self.process.returncode, said, complaints


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _command(data: Path, uds: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "server.practice", "--data", str(data), "--uds", str(uds), *more]


@contextmanager
def running(data: Path, uds: Path, *more: str) -> Iterator[Running]:
    process = subprocess.Popen(
        _command(data, uds, *more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate(timeout=10)[1]
        told = json.loads(line)
        assert set(told) == {"token", "uds"}
        yield Running(process, told["token"], Path(told["uds"]), _processor_seconds(process.pid))
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def place() -> Iterator[Path]:
    """A short private directory: the path of a socket must fit."""
    with tempfile.TemporaryDirectory(prefix="sbp-", dir="/tmp") as name:
        yield Path(name)


def test_a_first_start_shows_three_days_within_seconds_and_fills_in_the_rest(place: Path) -> None:
    with running(place / "d", place / "s" / "sock", "--days", "6") as shop:
        assert shop.seconds < FIRST_SCREEN_SECONDS
        pulse = shop.get("/v1/pulse")
        assert pulse["shop"]["environment"] == "practice"
        assert 3 <= pulse["attention"] <= 6
        assert shop.get("/v1/orders/counts")["all"] > 15
        oldest = SystemClock().now() // 86_400_000 - 5

        def filled() -> bool:
            state = memory.load(place / "d")
            return state is not None and state.filled_to == oldest

        until(filled, "the whole history", seconds=30)
        assert stat.S_IMODE((place / "d" / memory.FILE).stat().st_mode) == 0o600
        status, said, complaints = shop.stop()
        assert (status, said) == (0, "")
        assert "Traceback" not in complaints
        assert shop.token not in complaints
        assert not shop.uds.exists()


def test_a_second_start_has_the_same_token_and_plays_nothing_again(place: Path) -> None:
    with running(place / "d", place / "s" / "sock", "--days", "2") as shop:
        token = shop.token
        before = shop.get("/v1/orders?limit=200")["items"]
        assert shop.stop(signal.SIGINT)[0] == 0
    with running(place / "d", place / "s" / "sock", "--days", "2") as shop:
        assert shop.token == token
        numbers = [order["number"] for order in shop.get("/v1/orders?limit=200")["items"]]
        assert len(numbers) == len(set(numbers))
        past = [order["number"] for order in before]
        assert numbers[-len(past) :] == past
        assert len(numbers) <= len(past) + 3, "only what the present brought"


def test_something_arrives_while_one_watches(place: Path) -> None:
    with running(place / "d", place / "s" / "sock", "--days", "3", "--speed", "60") as shop:
        before = shop.get("/v1/pulse")["topics"]["activity"]
        until(lambda: shop.get("/v1/pulse")["topics"]["activity"] > before + 5, "five things to happen")


def test_it_ends_with_the_process_that_started_it(place: Path) -> None:
    script = "import subprocess, sys; p = subprocess.Popen(sys.argv[1:]); print(p.pid, flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", script, *_command(place / "d", place / "s" / "sock", "--days", "1")]
    parent = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert "token" in parent.stdout.readline()
    parent.kill()
    parent.wait()
    until(lambda: not _alive(child), "the orphan to end", seconds=20)
    parent.communicate()
    assert not (place / "s" / "sock").exists()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_real_shop_is_left_alone(place: Path) -> None:
    from server.accounts.service import create_owner
    from server.app.boot import checked_store

    with checked_store(ServerConfig(data_dir=place / "d")) as store:
        store.write(lambda tx: create_owner(tx, email="owner@example.com"))
    done = subprocess.run(
        _command(place / "d", place / "s" / "sock"), capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 3
    assert done.stdout == ""
    assert "real shop" in done.stderr
    assert done.stderr.count("\n") == 1
    with checked_store(ServerConfig(data_dir=place / "d")) as store:
        from server.settings import service as settings

        assert store.read(lambda tx: settings.get(tx, "shop.environment")) == "live"


def test_two_cannot_run_on_the_same_data(place: Path) -> None:
    with running(place / "d", place / "s" / "sock", "--days", "1"):
        command = _command(place / "d", place / "s" / "other")
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (6, "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--speed", "0"], "0.01 to 10000"),
        (["--days", "0"], "1 to 366"),
        (["--seed", "x"], "invalid int"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(place: Path, arguments: list[str], said: str) -> None:
    done = subprocess.run(
        _command(place / "d", place / "sock", *arguments),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert said in done.stderr


def test_another_seed_needs_another_directory(place: Path) -> None:
    with running(place / "d", place / "s" / "sock", "--days", "1", "--seed", "5") as shop:
        shop.stop()
    done = subprocess.run(
        _command(place / "d", place / "s" / "sock", "--seed", "6"),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert "lives by the seed 5" in done.stderr
