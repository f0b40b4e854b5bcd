"""What only a real connection can do: be slow, be many, be too long, leave half way."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from server.app import create_app
from server.app import front as front_module
from server.app.protocol import LimitedProtocol
from server.app.serve import is_loopback, listen
from server.kit.config import ConfigError, ServerConfig
from server.kit.db import Store
from tests.server.conftest import Staff
from tests.support.serving import Served, serving

SHORT = 0.3


@pytest.fixture
def impatient(
    store: Store, config: ServerConfig, staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Served]:
    """A served application whose patience is short."""
    monkeypatch.setattr(LimitedProtocol, "head_seconds", SHORT)
    with serving(create_app(store, config, body_seconds=SHORT), config) as running:
        yield running


@contextlib.contextmanager
def connected(served: Served) -> Iterator[socket.socket]:
    assert served.port is not None
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as connection:
        yield connection


def rest(connection: socket.socket) -> bytes:
    """All that comes until the server closes."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def healthy(connection: socket.socket) -> bool:
    """Ask for the health on this connection, and read the answer whole."""
    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    answer = b""
    while not answer.endswith(b"}"):
        answer += connection.recv(65536)
    return answer.startswith(b"HTTP/1.1 200")


def head(staff: Staff, *more: str, method: str = "POST", path: str = "/v1/tokens") -> bytes:
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: localhost",
        f"Authorization: {staff.bearer('owner')['Authorization']}",
        "Content-Type: application/json",
        *more,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


@pytest.mark.parametrize(
    "sent", [b"", b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: "]
)
def test_a_head_that_does_not_end_is_cut_off(impatient: Served, sent: bytes) -> None:
    with connected(impatient) as connection:
        connection.sendall(sent)
        started = time.monotonic()
        assert rest(connection) == b""
        assert time.monotonic() - started < 10 * SHORT


def test_a_head_sent_drop_by_drop_is_cut_off(impatient: Served) -> None:
    """Each drop comes in time; the whole does not."""
    with connected(impatient) as connection, contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.settimeout(SHORT / 10)
        started = time.monotonic()
        connection.sendall(b"GET /healthz HTTP/1.1\r\n")
        while time.monotonic() - started < 20 * SHORT:
            connection.sendall(b"X: y\r\n")
            with contextlib.suppress(TimeoutError):
                if not connection.recv(1):
                    return
        pytest.fail("the head was still being read")


def test_the_next_head_on_a_kept_connection_has_its_time_too(impatient: Served) -> None:
    with connected(impatient) as connection:
        assert healthy(connection)
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: ")
        assert rest(connection) == b""


def test_a_kept_connection_may_be_quiet_between_requests(impatient: Served) -> None:
    with connected(impatient) as connection, connected(impatient) as other:
        for _ in range(2):
            assert healthy(connection)
            assert rest(other) == b"", "meanwhile a silent one has been cut off"


def test_noise_after_an_answer_does_not_keep_a_connection(impatient: Served) -> None:
    with connected(impatient) as connection:
        assert healthy(connection)
        connection.sendall(b"\r\n")
        assert rest(connection) == b""


def test_a_body_that_still_comes_after_the_answer_is_cut_off(impatient: Served, staff: Staff) -> None:
    refused = head(staff, "Content-Length: 100000").replace(b"Host: localhost", b"Host: evil.example")
    with connected(impatient) as connection, contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.settimeout(SHORT / 10)
        connection.sendall(refused)
        started = time.monotonic()
        while time.monotonic() - started < 20 * SHORT:
            connection.sendall(b" ")
            with contextlib.suppress(TimeoutError):
                if not connection.recv(65536):
                    return
        pytest.fail("the body was still being read")


def test_a_head_that_is_too_long_is_cut_off(served: Served) -> None:
    with connected(served) as connection, contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ")
        for _ in range(1_000):
            connection.sendall(b"y" * 65_536)
        pytest.fail("64 MB of a head were taken")


@pytest.mark.parametrize("more", ["Content-Length: 100", "Transfer-Encoding: chunked"])
def test_a_body_that_does_not_come_is_told_and_cut_off(impatient: Served, staff: Staff, more: str) -> None:
    with connected(impatient) as connection:
        connection.sendall(head(staff, more) + (b"5\r\n{" if "chunked" in more else b"{"))
        answer = rest(connection)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b'"too_slow"' in answer


def test_a_body_sent_drop_by_drop_is_cut_off(impatient: Served, staff: Staff) -> None:
    with connected(impatient) as connection, contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.settimeout(SHORT / 10)
        connection.sendall(head(staff, "Content-Length: 100000"))
        started = time.monotonic()
        while time.monotonic() - started < 20 * SHORT:
            connection.sendall(b" ")
            with contextlib.suppress(TimeoutError):
                if connection.recv(65536):
                    return
        pytest.fail("the body was still being read")


def test_a_length_that_is_too_large_is_refused_before_the_body(served: Served, staff: Staff) -> None:
    with connected(served) as connection:
        connection.sendall(head(staff, f"Content-Length: {10**9}"))
        answer = rest(connection)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"connection: close" in answer.lower()


def test_a_chunked_body_that_never_ends_is_refused_while_it_comes(served: Served, staff: Staff) -> None:
    sent = 0
    with connected(served) as connection:
        connection.sendall(head(staff, "Transfer-Encoding: chunked"))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while sent < 200 * 2**20:
                connection.sendall(b"10000\r\n" + b" " * 65_536 + b"\r\n")
                sent += 65_536
    assert sent < 50 * 2**20


def test_only_so_many_bodies_may_be_under_way(served: Served, staff: Staff, wire: httpx.Client) -> None:
    with contextlib.ExitStack() as open_ones:
        for _ in range(front_module.MAX_UNFINISHED):
            connection = open_ones.enter_context(connected(served))
            connection.sendall(head(staff, "Content-Length: 10", "Expect: 100-continue"))
            assert connection.recv(100).startswith(b"HTTP/1.1 100"), "the server waits for this body"
        answer = wire.post("/v1/tokens", headers=staff.bearer("owner"), json={"name": "n", "role": "support"})
        assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
        assert wire.get("/v1/me", headers=staff.bearer("owner")).status_code == 200, "without a body"
    for _ in range(200):
        answer = wire.post("/v1/tokens", headers=staff.bearer("owner"), json={"name": "n", "role": "support"})
        if answer.status_code == 201:
            return
    pytest.fail("those who left still count")


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"G\x00T / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /v1/tokens HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/tokens HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /v1/tokens HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET http://evil.example/v1/me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET /v1/me HTTP/1.1\r\nHost : localhost\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_and_the_server_lives(
    served: Served, wire: httpx.Client, sent: bytes
) -> None:
    with connected(served) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        answer = rest(connection)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4"), answer
    assert wire.get("/healthz").status_code == 200


def test_a_client_that_leaves_half_way_harms_nobody(served: Served, staff: Staff, wire: httpx.Client) -> None:
    for _ in range(20):
        with connected(served) as connection:
            connection.sendall(head(staff, "Content-Length: 100") + b"{")
    assert wire.get("/v1/me", headers=staff.bearer("owner")).status_code == 200


def test_an_upgrade_is_not_followed(wire: httpx.Client, staff: Staff) -> None:
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": "x",
        **staff.bearer("owner"),
    }
    assert wire.get("/v1/me", headers=headers).status_code == 200


# -- where it listens -------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "localhost"])
def test_the_loopback_is_the_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "192.0.2.1", "shop.example.com", "", "127.0.0.1.example.com"],  # noqa: S104
)
def test_other_addresses_need_their_hosts_named_first(config: ServerConfig, host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(ConfigError, match="SHOPBELL_ALLOWED_HOSTS"), listen(config, host=host, port=0):
        pass


def test_with_hosts_named_it_listens_elsewhere(config: ServerConfig) -> None:
    named = ServerConfig(data_dir=config.data_dir, allowed_hosts=("shop.example.com",))
    with listen(named, host="0.0.0.0", port=0) as (opened, where):  # noqa: S104
        assert opened.getsockname()[1] == where.port


def test_a_port_that_is_taken_is_one_sentence(config: ServerConfig) -> None:
    with listen(config, port=0) as (_, where):
        assert where.port is not None
        with (
            pytest.raises(ConfigError, match=f"port {where.port}: Address already in use"),
            listen(config, port=where.port),
        ):
            pass
    with pytest.raises(ConfigError, match="port 99999"), listen(config, port=99_999):
        pass


def test_a_unix_socket_is_private_and_gone_afterwards(
    store: Store, config: ServerConfig, staff: Staff, home: Path
) -> None:
    path = home / "sock" / "shop.sock"
    with serving(create_app(store, config), config, uds=path) as running:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        with running.client() as client:
            assert client.get("/v1/me", headers=staff.bearer("owner")).status_code == 200
            assert client.get("/v1/me", headers={"Host": "evil.example"}).status_code == 421
        with pytest.raises(ConfigError, match="listens on"), listen(config, uds=path):
            pass
    assert not path.exists()


def test_a_socket_that_a_dead_server_left_is_replaced(config: ServerConfig, home: Path) -> None:
    path = home / "sock" / "shop.sock"
    path.parent.mkdir(mode=0o700, parents=True)
    leave = "import socket, sys; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen()"
    subprocess.run([sys.executable, "-c", leave, str(path)], check=True)
    assert path.is_socket()
    with listen(config, uds=path) as (opened, where):
        assert where.uds == path
        assert opened.fileno() >= 0
    assert not path.exists()


def test_a_file_that_is_no_socket_is_left_alone(config: ServerConfig, home: Path) -> None:
    path = home / "sock" / "shop.sock"
    path.parent.mkdir(mode=0o700, parents=True)
    path.write_text("a letter")
    with pytest.raises(ConfigError, match="no socket"), listen(config, uds=path):
        pass
    assert path.read_text() == "a letter"


def test_a_folder_that_others_can_look_into_is_refused(config: ServerConfig, home: Path) -> None:
    path = home / "open" / "shop.sock"
    path.parent.mkdir(parents=True)
    path.parent.chmod(0o755)
    with pytest.raises(ConfigError, match="chmod 700"), listen(config, uds=path):
        pass


def test_a_path_that_is_too_long_is_one_sentence(config: ServerConfig, home: Path) -> None:
    with pytest.raises(ConfigError, match="too long"), listen(config, uds=home / ("x" * 120)):
        pass


def test_somebody_elses_socket_in_its_place_is_not_removed(config: ServerConfig, home: Path) -> None:
    path = home / "sock" / "shop.sock"
    with listen(config, uds=path):
        os.unlink(path)  # noqa: PTH108
        path.write_text("another's")
    assert path.read_text() == "another's"
