"""The shop of one's own: it starts, is shared, is taken over, and ends with its client, whatever happens."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.waiting import until
from tui.api.client import Client
from tui.api.clock import Clock, FrozenClock, SystemClock
from tui.api.embedded import PRIVATE, PrivateServer, ask_status, practice
from tui.api.endpoint import Endpoint
from tui.api.errors import StartError, UnsafePath
from tui.api.secret import Secret

FAKE = [sys.executable, str(Path(__file__).with_name("fake_shop.py"))]

Make = Callable[..., PrivateServer]


@pytest.fixture
def data(home: Path) -> Path:
    return home / "own" / "shop"


@pytest.fixture
def make(data: Path) -> Iterator[Make]:
    made: list[PrivateServer] = []

    def make_one(kind: Any = PRIVATE, clock: Clock | None = None, **more: Any) -> PrivateServer:
        made.append(PrivateServer(data, kind, clock or SystemClock(), command=FAKE, **more))
        return made[-1]

    yield make_one
    for server in made:
        server.close()


def behave(data: Path, **told: str) -> None:
    data.parent.mkdir(parents=True, exist_ok=True)
    data.with_name("behave.json").write_text(json.dumps(told))


def lines(data: Path, name: str) -> list[str]:
    path = data.with_name(name)
    return path.read_text().splitlines() if path.exists() else []


def gone(pid: int) -> bool:
    """Whether a process has ended; a zombie has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def answers(endpoint: Endpoint) -> bool:
    assert endpoint.uds is not None
    assert endpoint.token is not None
    return ask_status(endpoint.uds, endpoint.token) == 200


def test_it_starts_serves_and_ends(make: Make, data: Path) -> None:
    server = make()
    endpoint = server.start()
    assert endpoint.uds == data / "shopbell.sock"
    assert answers(endpoint)
    assert [call.split()[:2] for call in lines(data, "calls")] == [
        ["server.cli", "init"],
        ["server.cli", "serve"],
    ]
    assert mode(data) == 0o700
    for name in ("owner.token", "client-server.log", "client.lock"):
        assert mode(data / name) == 0o600
    [pid] = map(int, lines(data, "pids"))
    server.close()
    assert gone(pid)


def test_the_second_start_needs_no_new_token(make: Make, data: Path) -> None:
    for _ in range(2):
        server = make()
        endpoint = server.start()
        assert answers(endpoint)
        server.close()
    assert len([call for call in lines(data, "calls") if "init" in call]) == 1


def test_another_client_uses_the_same_server_and_takes_it_over(make: Make, data: Path) -> None:
    first, second = make(), make()
    endpoint = first.start()
    assert second.start() == endpoint
    assert len(lines(data, "pids")) == 1
    first.close()
    until(lambda: len(lines(data, "pids")) == 2, "the second client to take over")
    until(lambda: answers(endpoint), "the second client's server")
    second.close()
    assert all(gone(int(pid)) for pid in lines(data, "pids"))


def test_a_client_that_only_uses_the_server_leaves_it_alone(make: Make, data: Path) -> None:
    first, second = make(), make()
    endpoint = first.start()
    second.start()
    second.close()
    assert answers(endpoint)


def test_a_server_that_dies_is_started_again(make: Make, data: Path) -> None:
    endpoint = make().start()
    os.kill(int(lines(data, "pids")[0]), signal.SIGKILL)
    until(lambda: len(lines(data, "pids")) == 2 and answers(endpoint), "the server to stand again")


def test_a_shop_whose_token_was_lost_gets_another(make: Make, data: Path) -> None:
    behave(data, init="exists")
    assert answers(make().start())
    assert [call.split()[1:3] for call in lines(data, "calls")][:2] == [
        ["init", "--data"],
        ["token", "create"],
    ]


@pytest.mark.parametrize("spoiled", ["expired-or-revoked", "two words", ""])
def test_a_token_that_is_not_taken_any_more_is_replaced(make: Make, data: Path, spoiled: str) -> None:
    server = make()
    server.start()
    server.close()
    (data / "owner.token").write_text(spoiled)
    server = make()
    assert answers(server.start())
    server.close()
    assert all(gone(int(pid)) for pid in lines(data, "pids"))


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"serve": "fail", "words": "shopbelld: The data was written by a newer shopbell."},
         "did not start: The data was written by a newer shopbell"),
        ({"serve": "fail", "words": "odd \x1b]52;c;x\x07"}, "did not start: odd ␛]52;c;x␇"),
        ({"serve": "fail", "words": ""}, "did not start: it ended with the code 3"),
        ({"init": "fail", "create": "fail", "words": "shopbelld: The disk is full."},
         "did not start: The disk is full"),
    ],
)  # fmt: skip
def test_a_start_that_fails_is_one_sentence_with_the_log(
    make: Make, data: Path, told: dict[str, str], says: str
) -> None:
    behave(data, **told)
    server = make()
    with pytest.raises(StartError) as error:
        server.start()
    assert says in error.value.sentence
    assert f"Its log is {data / 'client-server.log'}." in error.value.sentence
    assert error.value.sentence.isprintable()
    behave(data)
    assert answers(server.start()), "it can be tried again"


@pytest.mark.parametrize("name", ["client-server.log", "client.lock"])
def test_a_link_in_the_place_of_a_file_is_not_followed(make: Make, data: Path, name: str) -> None:
    data.mkdir(parents=True, mode=0o700)
    (data / name).symlink_to(data / "elsewhere")
    with pytest.raises(StartError, match="did not start: Too many levels of symbolic links"):
        make().start()
    assert not (data / "elsewhere").exists()


class Hurrying(FrozenClock):
    """A clock on which every look takes ten seconds."""

    def monotonic(self) -> float:
        self.advance(10)
        return super().monotonic()


def test_a_server_that_never_answers(make: Make, data: Path) -> None:
    behave(data, serve="silent")
    server = make(clock=Hurrying("2026-02-23T10:00:00Z"))
    with pytest.raises(StartError, match="it did not answer within 60 s"):
        server.start()


def test_leaving_while_it_starts(make: Make, data: Path) -> None:
    behave(data, serve="silent")
    server = make()
    said: list[str] = []

    def start() -> None:
        with contextlib.suppress(StartError):
            server.start()
        said.append("ended")

    thread = threading.Thread(target=start)
    thread.start()
    until(lambda: lines(data, "pids"), "the server to be started")
    server.close()
    thread.join(5)
    assert said == ["ended"]
    assert gone(int(lines(data, "pids")[0]))
    with pytest.raises(StartError, match="closing"):
        server.start()


def test_another_users_directory_or_a_file_in_its_place(make: Make, data: Path) -> None:
    data.parent.mkdir()
    data.touch()
    with pytest.raises(UnsafePath, match="is no directory"):
        make().start()


def test_the_practice_shop_says_its_token_itself(make: Make, data: Path) -> None:
    server = make(practice(7, 60.0))
    assert answers(server.start())
    [call] = lines(data, "calls")
    assert call == f"server.practice --seed 7 --speed 60.0 --data {data} --uds {data}/shopbell.sock"
    server.close()
    make(practice(None, None)).start()
    assert "--seed" not in lines(data, "calls")[-1]


def test_a_fresh_practice_shop_is_empty_but_never_under_another_client(make: Make, data: Path) -> None:
    first = make(practice(None, None))
    first.start()
    (data / "shop.db").touch()
    (data / "more").mkdir()
    (data / "more" / "file").touch()
    with pytest.raises(StartError, match="Another client has this practice shop open"):
        make(practice(None, None), fresh=True).start()
    assert (data / "shop.db").exists()
    first.close()
    make(practice(None, None), fresh=True).start()
    assert not (data / "shop.db").exists()
    assert not (data / "more").exists()


def test_where_the_path_is_too_long_for_a_socket_another_private_folder_is_taken(
    home: Path, data: Path
) -> None:
    long = home / "own" / ("x" * 90) / "shop"
    long.parent.mkdir(parents=True)
    first, second = (PrivateServer(long, PRIVATE, SystemClock(), command=FAKE) for _ in range(2))
    try:
        endpoint = first.start()
        assert endpoint.uds is not None
        assert len(os.fsencode(endpoint.uds)) <= 100
        assert mode(endpoint.uds.parent) == 0o700
        assert second.start() == endpoint
    finally:
        second.close()
        first.close()
    assert not endpoint.uds.parent.exists()


CLIENT = """
import sys
from pathlib import Path
from tui.api.clock import SystemClock
from tui.api.embedded import Kind, PrivateServer
kind = Kind(("tests.tui.api.fake_shop", "server.practice"), told=True, patience=30.0)
server = PrivateServer(Path(sys.argv[1]), kind, SystemClock())
server.start()
print("ready", flush=True)
sys.stdin.read()
"""


def test_a_killed_client_takes_the_server_with_it(data: Path) -> None:
    data.parent.mkdir()
    client = subprocess.Popen(
        [sys.executable, "-c", CLIENT, str(data)],
        cwd=Path(__file__).parents[3],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert client.stdout is not None
    assert client.stdin is not None
    with client.stdout, client.stdin:
        assert client.stdout.readline() == b"ready\n"
        [pid] = map(int, lines(data, "pids"))
        client.kill()
        client.wait()
    until(lambda: gone(pid), "the server to end")


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", 200),
        (b"HTTP/1.1 401 Unauthorized\r\n\r\n", 401),
        (b"220 mail.example ESMTP\r\n", None),
        (b"HTTP/1.1 abc X\r\n", None),
        (b"", None),
    ],
)
def test_looking_for_a_server(home: Path, said: bytes, status: int | None) -> None:
    path = home / "run" / "x.sock"
    assert ask_status(path, Secret("hunter2")) is None
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as opened:
        opened.bind(str(path))
        opened.listen()
        heard = []

        def answer() -> None:
            line, _ = opened.accept()
            with line:
                heard.append(line.recv(4096))
                line.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        assert ask_status(path, Secret("hunter2")) == status
        thread.join()
    assert heard[0].startswith(b"GET /v1/me HTTP/1.1\r\nHost: localhost\r\n")


def test_the_real_server(data: Path) -> None:
    server = PrivateServer(data, PRIVATE, SystemClock())
    endpoint = server.start()
    try:

        async def ask() -> str:
            async with Client(endpoint) as client:
                return (await client.me()).role

        assert asyncio.run(ask()) == "owner"
    finally:
        server.close()
    assert not answers(endpoint)
