"""The calls of the client: what travels, what comes back, and what a person is told when nothing usable does."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.contract.orders import FulfilmentStep
from tests.support.hostile import HOSTILE, Hostile
from tests.tui.api import answers
from tui.api.clean import clean_line
from tui.api.client import Client, FeedQuery
from tui.api.endpoint import Endpoint
from tui.api.errors import ApiError, BadAnswer, Refused, ServerTrouble, Unauthenticated, Unreachable
from tui.api.secret import Secret
from tui.api.sources import FeedSource, OrderSource

pytestmark = pytest.mark.anyio

TOKEN = "sbl_pat_Abcd1234_0123456789"
PROBLEM_TYPE = {"content-type": "application/problem+json"}


class Once(httpx.AsyncByteStream):
    """A body as it comes from the network: in parts, and only once."""

    def __init__(self, *parts: bytes) -> None:
        self.parts = parts

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            yield part


class Server:
    """Answers requests as the test says and remembers them."""

    def __init__(self, *replies: httpx.Response | Exception) -> None:
        self.replies = list(replies)
        self.asked: list[httpx.Request] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        return reply

    @property
    def last(self) -> httpx.Request:
        return self.asked[-1]

    def client(self, **more: Any) -> Client:
        endpoint = Endpoint(url="http://127.0.0.1:7373", token=Secret(TOKEN))
        return Client(endpoint, httpx.MockTransport(self), **more)


BAD_TIMES: list[dict[str, str]] = [
    {},
    *({"shopbell-now": text} for text in ("", "noon", "2026-02-23T10:07:00", "10000-01-01T00:00:00Z")),
]


def ok(body: Any, **headers: str) -> httpx.Response:
    return httpx.Response(200, json=body, headers=headers)


def raw(body: bytes, status: int = 200) -> httpx.Response:
    return httpx.Response(status, content=body, headers={"content-type": "application/json"})


def refusal(status: int, code: str, *, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
    body = json.dumps(answers.problem(status, code, **more))
    return httpx.Response(status, content=body, headers=PROBLEM_TYPE | (headers or {}))


async def test_the_pulse_is_asked_with_the_tag_of_the_last_answer() -> None:
    server = Server(
        ok(answers.PULSE, etag='"1"'),
        httpx.Response(304),
        ok(answers.PULSE | {"attention": 4}, etag='W/"2"'),
        httpx.Response(304),
        ok(answers.PULSE, etag='"3"'),
    )
    client = server.client()
    first = await client.pulse()
    assert first is not None
    assert (first.attention, first.topics, first.shop.name) == (
        3,
        {"activity": 7, "orders": 4},
        "Sunday Socks",
    )
    assert "if-none-match" not in server.asked[0].headers
    assert await client.pulse() is None
    second = await client.pulse()
    assert second is not None
    assert second.attention == 4
    assert await client.pulse() is None
    assert [request.headers.get("if-none-match") for request in server.asked[1:]] == ['"1"', '"1"', 'W/"2"']
    await client.pulse("")
    assert "if-none-match" not in server.last.headers, "a full answer was asked for"
    await client.pulse('"other"')
    assert server.last.headers["if-none-match"] == '"other"'


async def test_every_pulse_tells_the_servers_time() -> None:
    later = {"shopbell-now": "2026-02-23T10:07:00.250Z"}
    answered = [httpx.Response(304, headers=later), *(httpx.Response(304, headers=bad) for bad in BAD_TIMES)]
    server = Server(ok(answers.PULSE, etag='"1"'), *answered)
    client = server.client()
    assert client.shop_now is None
    await client.pulse()
    assert client.shop_now == datetime(2026, 2, 23, 10, tzinfo=UTC)
    await client.pulse()
    assert client.shop_now == datetime(2026, 2, 23, 10, 7, 0, 250_000, tzinfo=UTC)
    for _ in BAD_TIMES:
        assert await client.pulse() is None
        assert client.shop_now is None


async def test_a_tag_is_not_kept_when_the_answer_was_not_understood() -> None:
    server = Server(
        ok({"attention": "many"}, etag='"1"'), ok(answers.PULSE, etag="no tag"), ok(answers.PULSE)
    )
    client = server.client()
    with pytest.raises(BadAnswer):
        await client.pulse()
    for _ in range(2):
        assert await client.pulse() is not None
        assert "if-none-match" not in server.last.headers


async def test_an_unasked_304_is_no_answer() -> None:
    with pytest.raises(BadAnswer):
        await Server(httpx.Response(304)).client().pulse()


async def test_every_request_carries_the_token_and_asks_for_plain_bytes() -> None:
    server = Server(ok(answers.ME))
    me = await server.client().me()
    assert me.user is not None
    assert me.user.name == "Jamie"
    request = server.last
    assert (request.method, str(request.url)) == ("GET", "http://127.0.0.1:7373/v1/me")
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["accept-encoding"] == "identity"


async def test_a_path_before_the_routes_is_kept() -> None:
    server = Server(ok(answers.ME))
    client = Client(
        Endpoint(url="https://shop.example/bell/", token=Secret(TOKEN)), httpx.MockTransport(server)
    )
    await client.me()
    assert str(server.last.url) == "https://shop.example/bell/v1/me"


async def test_orders() -> None:
    server = Server(ok(answers.page(answers.ROW, older="c2", newer="c0")))
    client = server.client()
    page = await client.orders("to_ship", " Tom & Söhne ", "c1", 200)
    assert (page.items[0].number, page.next, page.prev) == ("SS-260223-0046", "c2", "c0")
    assert page.items[0].total.amount == 4300
    assert server.last.url.path == "/v1/orders"
    assert dict(server.last.url.params) == {
        "status": "to_ship", "q": "Tom & Söhne", "cursor": "c1", "limit": "200",
    }  # fmt: skip
    await client.orders(edge="oldest", sort="total")
    assert dict(server.last.url.params) == {
        "status": "all", "sort": "total", "limit": "50", "edge": "oldest",
    }  # fmt: skip
    await OrderSource(client, "problems", "x").fetch(None, "older", 7, "newest")
    assert dict(server.last.url.params) == {"status": "problems", "q": "x", "limit": "7", "edge": "newest"}


async def test_order_counts() -> None:
    server = Server(ok(answers.COUNTS))
    assert (await server.client().order_counts()).to_ship == 2
    assert server.last.url.path == "/v1/orders/counts"


async def test_an_order_is_found_by_its_number() -> None:
    server = Server(ok(answers.ORDER))
    order = await server.client().order("SS-260223-0046")
    assert order.address is not None
    assert order.address.line1 == "1 Mill Lane"
    assert server.last.url.path == "/v1/orders/SS-260223-0046"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a?b", "a b", "ä", "x" * 65, "a\n", "%2e%2e"])
async def test_what_cannot_be_a_name_is_not_sent(name: str) -> None:
    server = Server(ok(answers.ORDER))
    with pytest.raises(Refused) as refused:
        await server.client().order(name)
    assert refused.value.code == "not_found"
    assert server.asked == []


async def test_a_timeline_is_read_to_its_end() -> None:
    server = Server(
        ok(answers.page(answers.ENTRY, older="more")), ok(answers.page(answers.ENTRY | {"id": "e2"}))
    )
    entries = await server.client().timeline("o1")
    assert [entry.id for entry in entries] == ["e1", "e2"]
    assert server.asked[0].url.path == "/v1/orders/o1/timeline"
    assert dict(server.asked[1].url.params) == {"cursor": "more"}


async def test_the_feed() -> None:
    server = Server(ok(answers.page(answers.ENTRY)))
    client = server.client()
    page = await client.feed(FeedQuery())
    assert page.items[0].group.count == 2
    assert server.last.url.path == "/v1/activity"
    assert dict(server.last.url.params) == {
        "tab": "all", "internal": "false", "folded": "true", "limit": "50", "edge": "newest",
    }  # fmt: skip
    query = FeedQuery("attention", "orders", "error", " 100% ", True, False, "order.placed", "k1")
    await FeedSource(client, query).fetch("c", "newer", 9, "newest")
    assert dict(server.last.url.params) == {
        "tab": "attention", "category": "orders", "level": "error", "q": "100%", "internal": "true",
        "folded": "false", "type": "order.placed", "group": "k1", "cursor": "c", "limit": "9",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("call", "path", "body"),
    [
        (lambda client: client.resolve("e1"), "/v1/activity/e1/resolve", {"group": False}),
        (
            lambda client: client.resolve("e1", group=True, seen="e9"),
            "/v1/activity/e1/resolve",
            {"group": True, "seen": "e9"},
        ),
        (
            lambda client: client.resolve("e1", group=True, seen="e9", ids=("e1", "e2")),
            "/v1/activity/e1/resolve",
            {"group": True, "seen": "e9", "ids": ["e1", "e2"]},
        ),
        (lambda client: client.reopen("e1"), "/v1/activity/e1/reopen", {"group": False}),
        (
            lambda client: client.reopen("e1", ids=("e1", "e2")),
            "/v1/activity/e1/reopen",
            {"group": False, "ids": ["e1", "e2"]},
        ),
        (lambda client: client.resolve_order("o1"), "/v1/orders/o1/activity/resolve", {}),
    ],
)
async def test_marking(call: Callable[[Client], Any], path: str, body: dict[str, Any]) -> None:
    server = Server(ok(answers.RESOLVED))
    done = await call(server.client(new_key=lambda: "key-1"))
    assert (done.count, done.ids) == (2, ["e1", "e2"])
    request = server.last
    assert (request.method, request.url.path) == ("POST", path)
    assert json.loads(request.content) == body
    assert request.headers["content-type"] == "application/json"
    assert request.headers["idempotency-key"] == "key-1"


async def test_shipping() -> None:
    server = Server(ok(answers.ORDER))
    step = FulfilmentStep(status="shipped", carrier="DHL", tracking_number="1")
    assert (await server.client().ship("o1", step)).number == "SS-260223-0046"
    assert server.last.url.path == "/v1/orders/o1/fulfilment"
    assert json.loads(server.last.content) == {"status": "shipped", "carrier": "DHL", "tracking_number": "1"}


async def test_every_change_has_a_key_of_its_own() -> None:
    server = Server(ok(answers.RESOLVED))
    client = server.client()
    await client.resolve("e1")
    await client.resolve("e1")
    keys = {request.headers["idempotency-key"] for request in server.asked}
    assert len(keys) == 2
    assert all(len(key) == 36 for key in keys)


async def test_a_token_revokes_itself() -> None:
    server = Server(ok({}))
    await server.client().revoke_token()
    assert (server.last.method, server.last.url.path) == ("DELETE", "/v1/tokens/Abcd1234")
    assert "idempotency-key" in server.last.headers


DROPS = [
    httpx.RemoteProtocolError("Server disconnected without sending a response."),
    httpx.ReadError("reset"),
    httpx.WriteError("broken pipe"),
]


@pytest.mark.parametrize("drop", DROPS, ids=lambda drop: type(drop).__name__)
async def test_a_dropped_connection_is_tried_once_more_with_the_same_key(drop: Exception) -> None:
    server = Server(drop, ok(answers.RESOLVED))
    assert (await server.client().resolve("e1")).count == 2
    assert len(server.asked) == 2
    first, second = server.asked
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.content == second.content

    server = Server(drop)
    with pytest.raises(Unreachable, match="broke before the answer"):
        await server.client().resolve("e1")
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    "failure", [httpx.ConnectError("no"), httpx.ReadTimeout("slow"), httpx.ConnectTimeout("slow")]
)
async def test_what_did_not_drop_is_not_repeated(failure: Exception) -> None:
    server = Server(failure)
    with pytest.raises(Unreachable):
        await server.client().resolve("e1")
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("reason", "code", "sentence"),
    [
        ("wrong", "wrong", "does not know this token"),
        ("expired", "expired", "has expired"),
        ("revoked", "revoked", "was revoked"),
        ("missing", "missing", "who you are"),
        (None, "wrong", "does not know this token"),
        ("odd\x1b[31m", "wrong", "does not know this token"),
    ],
)
async def test_a_token_that_is_not_taken(reason: str | None, code: str, sentence: str) -> None:
    server = Server(refusal(401, "unauthenticated", reason=reason))
    with pytest.raises(Unauthenticated, match=sentence) as refused:
        await server.client().me()
    assert refused.value.code == code
    assert "shopbell login" in refused.value.sentence


async def test_a_refusal_keeps_its_code_and_says_what_the_server_said() -> None:
    server = Server(
        refusal(
            403, "forbidden", detail="A readonly token may not.\x1b[2J", reason="insufficient_permissions"
        )
    )
    with pytest.raises(Refused) as refused:
        await server.client().resolve("e1")
    error = refused.value
    assert (error.code, error.reason, error.status) == ("forbidden", "insufficient_permissions", 403)
    assert error.sentence == "A readonly token may not.␛[2J"
    assert error.problem.code == "forbidden"

    server = Server(refusal(409, "invalid_transition"))
    with pytest.raises(Refused, match="The server refused this: invalid transition"):
        await server.client().resolve("e1")

    server = Server(refusal(429, "rate_limited", detail="Too often.", headers={"retry-after": "7"}))
    with pytest.raises(Refused, match=r"Too often\. Try again in 7 s\.") as limited:
        await server.client().me()
    assert limited.value.retry_after == 7


async def test_a_server_in_trouble() -> None:
    server = Server(
        refusal(503, "unavailable", detail="The database is read-only.", headers={"retry-after": "30"})
    )
    with pytest.raises(ServerTrouble, match="The database is read-only") as trouble:
        await server.client().me()
    assert (trouble.value.status, trouble.value.code, trouble.value.retry_after) == (503, "unavailable", 30)
    for odd in ("Wed, 21 Oct 2026 07:28:00 GMT", "-5", "1e9", "\u0663", "123456"):
        reply = httpx.Response(502, content=b"<html>", headers={b"retry-after": odd.encode()})
        with pytest.raises(ServerTrouble, match="trouble of its own") as trouble:
            await Server(reply).client().me()
        assert trouble.value.retry_after is None


STRANGE: list[tuple[str, Callable[[], httpx.Response]]] = [
    ("not JSON", lambda: httpx.Response(200, text="hello")),
    ("HTML", lambda: httpx.Response(200, html="<html>")),
    ("broken JSON", lambda: raw(b'{"user":')),
    ("not UTF-8", lambda: raw(b'"\xff\xfe\xff"')),
    ("NaN", lambda: raw(b'{"user": NaN}')),
    ("huge number", lambda: raw(b"9" * 5000)),
    ("deep", lambda: raw(b"[" * 100_000)),
    ("deep but whole", lambda: raw(b"[" * 90 + b"]" * 90)),
    ("another shape", lambda: raw(b"[1, 2]")),
    ("a field of another type", lambda: httpx.Response(200, json=answers.ME | {"permissions": 5})),
    ("a redirect", lambda: httpx.Response(302, headers={"location": "http://evil.example/"})),
    ("nothing", lambda: httpx.Response(204)),
    ("404 of a web server", lambda: httpx.Response(404, html="<html>")),
    ("400 of odd JSON", lambda: raw(b'{"error": 1}', 400)),
    (
        "compressed",
        lambda: httpx.Response(200, stream=Once(b"\x1f\x8b"), headers={"content-encoding": "gzip"}),
    ),
]


@pytest.mark.parametrize("reply", [reply for _, reply in STRANGE], ids=[name for name, _ in STRANGE])
async def test_what_is_no_answer_of_a_shopbell_server(reply: Callable[[], httpx.Response]) -> None:
    server = Server(reply())
    with pytest.raises(BadAnswer) as bad:
        await server.client().me()
    assert len(server.asked) == 1
    assert bad.value.__cause__ is None
    assert "127.0.0.1:7373" in bad.value.sentence


async def test_an_answer_of_more_than_8_mib_is_not_read() -> None:
    read = 0

    async def endless() -> Any:
        nonlocal read
        while True:
            read += 65_536
            yield b" " * 65_536

    server = Server(httpx.Response(200, content=endless(), headers={"content-type": "application/json"}))
    with pytest.raises(BadAnswer, match="8 MiB"):
        await server.client().me()
    assert read <= 8 * 1024 * 1024 + 65_536


def texts(value: Any) -> Iterator[str]:
    """Every text in a tree of models, names of fields included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: hostile.name)
async def test_strangers_text_is_cleaned_and_no_order_becomes_unreadable_by_it(hostile: Hostile) -> None:
    text = hostile.text
    order = answers.ORDER | {
        "customer": {"id": "p1", "name": text, "email": text},
        "address": {"name": text[:255], "line2": text[:255]},
        "items": [{"name": text, "quantity": 1, "unit_price": answers.GBP}],
        "tracking_url": text,
    }
    entry = answers.ENTRY | {"message": text, "facts": {text[:500]: [text, {"deep": text}]}}
    server = Server(raw(json.dumps(order).encode()), raw(json.dumps(answers.page(entry)).encode()))
    client = server.client()
    shown = [await client.order("o1"), *(await client.feed(FeedQuery())).items]
    found = [text for model in shown for text in texts(model.model_dump())]
    assert clean_line(text) in found
    for text in found:
        assert not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u2066\u200b" for c in text)
        text.encode()


async def test_the_token_shows_in_no_error_and_no_description() -> None:
    failures: list[httpx.Response | Exception] = [
        refusal(401, "unauthenticated"),
        httpx.Response(200, text=TOKEN),
        httpx.Response(500, text=TOKEN),
        httpx.ConnectError("no"),
    ]
    for failure in failures:
        client = Server(failure).client()
        with pytest.raises(ApiError) as raised:
            await client.me()
        assert TOKEN not in f"{raised.value!r} {raised.value} {client.endpoint!r} {client.endpoint.token}"


async def test_preparing_builds_what_the_first_call_needs() -> None:
    server = Server(ok(answers.ME))
    client = server.client()
    client.prepare()
    await client.me()
    await client.close()
    await client.me()
    async with client as same:
        assert same is client


def test_httpx_comes_without_its_command_line() -> None:
    program = (
        "import sys\nfrom tui.api.client import Client, Endpoint\n"
        "Client(Endpoint(url='https://shop.example')).prepare()\n"
        "print('\\n'.join(sys.modules))\nimport httpx._main"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=root
    )
    loaded = set(done.stdout.split())
    assert {"httpx", "pydantic", "tui.api.wire", "tui.api.answers"} <= loaded
    assert not {"click", "pygments", "rich", "httpx._main", "textual", "keyring"} & loaded
