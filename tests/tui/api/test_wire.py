"""The client on real sockets: dropped connections, silence, floods, certificates, and what the environment says."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ipaddress
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.tui.api import answers
from tui.api.client import Client
from tui.api.endpoint import Endpoint
from tui.api.errors import BadAnswer, StartError, Unreachable
from tui.api.secret import Secret
from tui.api.wire import ANSWER_CAP, Patience

pytestmark = pytest.mark.anyio

Visit = Callable[["Line"], Awaitable[None]]
TOKEN = Secret("sbl_pat_Abcd1234_0123456789")


class Line:
    """One connection, seen from the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self.reader = reader
        self.writer = writer
        self.number = number

    async def request(self) -> tuple[str, dict[str, str], bytes]:
        """The next request: its first line, its headers, its body."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.rstrip().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        return first, headers, await self.reader.readexactly(int(headers.get("content-length", "0")))

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, body: object) -> None:
        told = json.dumps(body).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(told)}\r\n\r\n"
        await self.say(head.encode() + told)

    def drop(self) -> None:
        self.writer.transport.abort()


@contextlib.asynccontextmanager
async def serving(home: Path, visit: Visit) -> AsyncIterator[Path]:
    """A server on a Unix socket that does as ``visit`` says with every connection."""
    path = home / "run" / "test.sock"
    count = 0

    async def came(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await visit(Line(reader, writer, count))
        writer.close()

    server = await asyncio.start_unix_server(came, path)
    try:
        yield path
    finally:
        server.close()


def client_of(path: Path, patience: Patience | None = None) -> Client:
    return Client(Endpoint(uds=path, token=TOKEN), patience=patience)


async def test_requests_share_a_connection(home: Path) -> None:
    lines = set()

    async def visit(line: Line) -> None:
        lines.add(line.number)
        while True:
            first, headers, _ = await line.request()
            assert first == "GET /v1/me HTTP/1.1"
            assert headers["host"] == "localhost"
            assert headers["authorization"] == f"Bearer {TOKEN.reveal()}"
            await line.answer(answers.ME)

    async with serving(home, visit) as path, client_of(path) as client:
        for _ in range(3):
            await client.me()
    assert lines == {1}


async def test_a_change_whose_answer_was_lost_is_repeated_with_its_key(home: Path) -> None:
    keys: list[str] = []

    async def visit(line: Line) -> None:
        _, headers, body = await line.request()
        keys.append(headers["idempotency-key"])
        assert json.loads(body) == {"group": False}
        if line.number == 1:
            await line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")
            line.drop()
        else:
            await line.answer(answers.RESOLVED)

    async with serving(home, visit) as path, client_of(path) as client:
        assert (await client.resolve("e1")).count == 2
    assert len(keys) == 2
    assert keys[0] == keys[1]


async def test_a_kept_connection_that_the_server_closed_meanwhile_is_no_failure(home: Path) -> None:
    async def visit(line: Line) -> None:
        await line.request()
        await line.answer(answers.ME)
        await line.request()  # the second one is read and never answered
        line.drop()

    async with serving(home, visit) as path, client_of(path) as client:
        await client.me()
        await client.me()


async def test_a_server_that_drops_every_time(home: Path) -> None:
    lines = []

    async def visit(line: Line) -> None:
        lines.append(line.number)
        await line.request()
        line.drop()

    async with serving(home, visit) as path, client_of(path) as client:
        with pytest.raises(Unreachable, match="broke before"):
            await client.me()
    assert lines == [1, 2]


async def test_nonsense_instead_of_http(home: Path) -> None:
    async def visit(line: Line) -> None:
        await line.say(b"220 mail.example ESMTP\r\n")
        await line.request()

    async with serving(home, visit) as path, client_of(path) as client:
        with pytest.raises(Unreachable, match="broke before"):
            await client.me()


async def test_silence_ends(home: Path) -> None:
    over = asyncio.Event()

    async def visit(line: Line) -> None:
        await line.request()
        await over.wait()

    async with serving(home, visit) as path, client_of(path, Patience(silence=0.05)) as client:
        with pytest.raises(Unreachable, match="takes too long"):
            await client.me()
        over.set()


async def test_an_answer_that_only_trickles_ends_too(home: Path) -> None:
    async def visit(line: Line) -> None:
        await line.request()
        await line.say(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        while True:
            await line.say(b" ")
            await asyncio.sleep(0)

    async with serving(home, visit) as path, client_of(path, Patience(whole=0.2)) as client:
        with pytest.raises(Unreachable, match="takes too long"):
            await client.me()


@pytest.mark.parametrize("head", [b"", b"Content-Length: 99999999\r\n", b"Transfer-Encoding: chunked\r\n"])
async def test_a_flood_is_not_read_to_its_end(home: Path, head: bytes) -> None:
    said = 0
    part = b" " * 65_536
    if b"chunked" in head:
        part = b"10000\r\n" + part + b"\r\n"

    async def visit(line: Line) -> None:
        nonlocal said
        await line.request()
        await line.say(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + head + b"\r\n")
        while True:
            await line.say(part)
            said += 65_536

    async with serving(home, visit) as path, client_of(path) as client:
        with pytest.raises(BadAnswer, match="8 MiB"):
            await client.me()
    assert said < 2 * ANSWER_CAP


async def test_nobody_there(home: Path) -> None:
    with pytest.raises(Unreachable, match="the socket does not exist"):
        await client_of(home / "run" / "none.sock").me()
    with pytest.raises(Unreachable, match="Nothing answers at 127"):
        await Client(Endpoint(url="http://127.0.0.1:1", token=TOKEN)).me()


async def test_no_proxy_of_the_environment_is_asked(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a proxy in the environment, what goes to the loopback still goes to the loopback."""

    async def visit(line: Line) -> None:
        first, _, _ = await line.request()
        assert first.startswith("GET /v1/me ")
        await line.answer(answers.ME)

    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    async def came(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await visit(Line(reader, writer, 1))
        writer.close()

    server = await asyncio.start_server(came, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with Client(Endpoint(url=f"http://127.0.0.1:{port}", token=TOKEN)) as client:
        await client.me()
    server.close()


def make_certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that signs itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "shop")])
    start = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start.replace(year=2120))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "shop.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return path


async def test_only_a_trusted_certificate_gets_the_token(tmp_path: Path) -> None:
    path = make_certificate(tmp_path)
    heard = []

    async def came(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = Line(reader, writer, 1)
        heard.append(await line.request())
        await line.answer(answers.ME)
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    server = await asyncio.start_server(came, "127.0.0.1", 0, ssl=context)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with Client(Endpoint(url=url, token=TOKEN)) as client:
        with pytest.raises(
            Unreachable, match=r"certificate .* is not trusted: self.signed certificate.*ca_file"
        ):
            await client.me()
    assert heard == []
    async with Client(Endpoint(url=url, token=TOKEN, ca_file=path)) as client:
        assert (await client.me()).role == "owner"
    async with Client(
        Endpoint(url=url.replace("127.0.0.1", "localhost"), token=TOKEN, ca_file=path)
    ) as client:
        with pytest.raises(Unreachable, match=r"not trusted|Nothing answers"):
            await client.me()
    assert len(heard) == 1
    server.close()


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_file_of_certificates_that_is_none(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StartError, match="is not a readable file of certificates"):
        Client(Endpoint(url="https://shop.example", ca_file=path)).prepare()
