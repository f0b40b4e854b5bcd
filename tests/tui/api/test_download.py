"""Long answers into a file: of any length, as they came, whole or not at all."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import pytest

from tests.tui.api.test_wire import Line, client_of, serving
from tui.api.download import STEP, download
from tui.api.errors import ApiError, BadAnswer, Refused, Unreachable, UnsafePath
from tui.api.wire import ANSWER_CAP, Patience

pytestmark = pytest.mark.anyio

PATH = "/v1/people/1/export"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
PART = b"\x1b[31m" + b"x" * 65_531
CHUNK = b"%x\r\n%s\r\n" % (len(PART), PART)


def note(_so_far: int) -> None:
    """Nobody listens."""


def held(folder: Path) -> dict[str, bytes]:
    """What stands in a folder of what was asked for, in its beginnings too."""
    return {file.name: file.read_bytes() for file in folder.iterdir() if "held.json" in file.name}


async def test_longer_than_what_is_read_of_any_other_answer(home: Path) -> None:
    parts = ANSWER_CAP // len(PART) + 10
    heard: list[int] = []

    async def visit(line: Line) -> None:
        first, headers, _ = await line.request()
        assert first == f"GET {PATH} HTTP/1.1"
        assert headers["accept"] == "application/json"
        await line.say(CHUNKED)
        for _ in range(parts):
            await line.say(CHUNK)
        await line.say(b"0\r\n\r\n")

    file = home / "held.json"
    async with serving(home, visit) as path, client_of(path) as client:
        assert await download(client, PATH, file, heard.append) == parts * len(PART)
    assert file.read_bytes() == PART * parts  # as it came: a program reads it, no terminal
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(heard) == parts * len(PART) // STEP
    assert heard == sorted(heard)


@pytest.mark.parametrize("head", [CHUNKED, HEAD + b"Content-Length: 999999\r\n\r\n"])
@pytest.mark.parametrize("ending", ["cut", "silent"])
async def test_half_an_answer_leaves_no_file_and_keeps_the_one_before(
    home: Path, head: bytes, ending: str
) -> None:
    over = asyncio.Event()

    async def visit(line: Line) -> None:
        await line.request()
        await line.say(head + (CHUNK if b"chunked" in head else PART))
        if ending == "silent":
            await over.wait()

    folder = home / "exports"
    folder.mkdir()
    (folder / "held.json").write_bytes(b"before")
    async with serving(home, visit) as path, client_of(path, Patience(silence=0.1)) as client:
        with pytest.raises(Unreachable):
            await download(client, PATH, folder / "held.json", note)
        over.set()
    assert held(folder) == {"held.json": b"before"}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<hi>", BadAnswer),
        (HEAD + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n....", BadAnswer),
        (
            b"HTTP/1.1 404 Not Found\r\nContent-Type: application/problem+json\r\nContent-Length: 68\r\n\r\n"
            b'{"type":"about:blank","title":"None","status":404,"code":"not_found"}'[:68]
            + b"}",
            ApiError,
        ),
        (
            b"HTTP/1.1 409 Conflict\r\nContent-Type: application/problem+json\r\nContent-Length: 73\r\n\r\n"
            b'{"type":"about:blank","title":"No","status":409,"code":"already_erased"}\n',
            Refused,
        ),
    ],
)
async def test_any_other_answer_is_a_failure_and_leaves_no_file(
    home: Path, answer: bytes, error: type[ApiError]
) -> None:
    async def visit(line: Line) -> None:
        await line.request()
        await line.say(answer)

    async with serving(home, visit) as path, client_of(path) as client:
        with pytest.raises(error):
            await download(client, PATH, home / "held.json", note)
    assert not held(home)


async def test_a_disk_that_takes_no_more_is_said(home: Path) -> None:
    async def visit(line: Line) -> None:
        await line.request()
        await line.say(CHUNKED + CHUNK + b"0\r\n\r\n")

    async with serving(home, visit) as path, client_of(path) as client:
        with pytest.raises(UnsafePath, match="cannot be written"):
            await download(client, PATH, home / "missing" / "held.json", note)
