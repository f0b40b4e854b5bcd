"""The stream of events of a running server: order, resuming, who may follow, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import tempfile
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import insert, text, update

from server.accounts import service as accounts
from server.accounts.models import user
from server.app import App, create_app
from server.app import streams as streams_module
from server.app.watch import BEAT_SECONDS, LOOK_SECONDS
from server.jobs.pruning import prune_events
from server.kit import topics
from server.kit.clock import DAY, FrozenClock
from server.kit.config import ServerConfig
from server.kit.db import Store, open_store
from server.kit.schema import topic_event
from server.kit.sqlite import SqliteStore
from server.kit.tx import Tx
from tests.server.conftest import Staff
from tests.support.following import Following, Told, following
from tests.support.serving import Served, serving
from tests.support.waiting import until

MINE = "billing:orders:user:019c0000-0000-7000-8000-000000000001"


class Hands:
    """Lets the seconds between heartbeats and looks pass when a test says so, and not before."""

    def __init__(self) -> None:
        self._waiting: dict[float, list[tuple[asyncio.AbstractEventLoop, asyncio.Event]]] = {}

    async def __call__(self, seconds: float) -> None:
        passed = asyncio.Event()
        self._waiting.setdefault(seconds, []).append((asyncio.get_running_loop(), passed))
        await passed.wait()

    def let_pass(self, seconds: float) -> None:
        """The next of these pauses is over."""
        until(lambda: self._waiting.get(seconds), f"a pause of {seconds} s")
        loop, passed = self._waiting[seconds].pop(0)
        loop.call_soon_threadsafe(passed.set)


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def app(store: Store, config: ServerConfig, staff: Staff, hands: Hands) -> App:
    return create_app(store, config, pause=hands)


def publish(store: Store, *names: str, event: str = "order_updated", **data: Any) -> None:
    store.write(lambda tx: topics.publish(tx, event, *names, **data))


def numbers(told: list[Told]) -> list[int]:
    return [each.data["data"]["n"] for each in told]


def customer(store: Store) -> tuple[str, str]:
    """A customer with an account: the user's id and a token."""

    def unit(tx: Tx) -> tuple[str, str]:
        user_id = accounts.create_owner(tx, email="eve@example.com")
        tx.execute(update(user).where(user.c.id == user_id).values(role="user"))
        return user_id, accounts.make_token(tx, user_id=user_id, role="user", name="shop")[1]

    return store.write(unit)


# -- order and resuming ------------------------------------------------------------------------------------


def test_events_come_in_order_with_what_happened_and_nothing_of_before(
    store: Store, staff: Staff, wire: httpx.Client
) -> None:
    publish(store, "billing:orders", n=0)
    with following(wire, staff.tokens["readonly"], "billing:orders", "shop:products") as stream:
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        assert stream.response.headers["cache-control"] == "no-store"
        stream.until_known()
        for n in range(1, 4):
            publish(store, "billing:orders", "billing:invoices", order_id="o1", n=n)
        publish(store, "shop:products", event="product_updated", n=4)
        told = stream.events(4)
    assert [each.event for each in told] == ["order_updated"] * 3 + ["product_updated"]
    assert numbers(told) == [1, 2, 3, 4]
    assert told[0].data == {
        "topic": "billing:orders",
        "data": {"order_id": "o1", "n": 1},
        "at": "2026-02-23T10:00:00.000Z",
    }
    assert [int(each.id or 0) for each in told] == sorted(int(each.id or 0) for each in told)


def test_a_reader_resumes_where_it_was_cut(store: Store, staff: Staff, wire: httpx.Client) -> None:
    with following(wire, staff.tokens["owner"], "audit") as stream:
        begin = stream.until_known()
        publish(store, "audit", n=1)
        publish(store, "audit", n=2)
        first = stream.event()
    assert first is not None
    for n in range(3, 3 + 2 * streams_module.PAGE):
        publish(store, "audit", "admin:users", n=n)
    with following(wire, staff.tokens["owner"], "audit", after=first.id) as stream:
        assert numbers(stream.events(2 * streams_module.PAGE + 1)) == list(
            range(2, 3 + 2 * streams_module.PAGE)
        )
        publish(store, "audit", n=0)
        assert numbers(stream.events(1)) == [0]
    with following(wire, staff.tokens["owner"], "audit", after=begin) as stream:
        assert numbers(stream.events(2)) == [1, 2]


def test_a_reader_of_a_silent_topic_still_gets_on(
    store: Store, staff: Staff, wire: httpx.Client, hands: Hands
) -> None:
    """Else it would be sent back to the beginning by what happened on other topics."""
    with following(wire, staff.tokens["owner"], "audit") as stream:
        begin = stream.until_known()
        publish(store, "shop:products", n=1)
        publish(store, "audit", n=2)
        assert numbers(stream.events(1)) == [2]
        publish(store, "shop:products", n=3)
        with following(wire, staff.tokens["owner"], "shop:products", after=begin) as other:
            assert numbers(other.events(2)) == [
                1,
                3,
            ]  # so the place of all streams is behind the last one by now
        hands.let_pass(BEAT_SECONDS)
        beat = stream.frame()
    assert beat is not None
    assert beat.comment
    assert int(beat.id or 0) == int(begin) + 3


def test_an_open_transaction_holds_back_what_may_come_after_it(
    store: Store, staff: Staff, wire: httpx.Client
) -> None:
    """On PostgreSQL a number may be drawn first and be seen last."""
    if store.dialect == "sqlite":
        return  # one writes at a time
    begun, go_on = threading.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        topics.publish(tx, "order_updated", "billing:orders", n=1)
        begun.set()
        assert go_on.wait(20)

    writing = threading.Thread(target=lambda: store.write(slow))
    with (
        following(wire, staff.tokens["owner"], "billing:orders") as stream,
        following(wire, staff.tokens["owner"]) as hints,
    ):
        stream.until_known()
        hints.event()
        writing.start()
        assert begun.wait(10)
        waiting = threading.Thread(
            target=lambda: store.write(
                lambda tx: tx.execute(
                    insert(topic_event).values(
                        topic="billing:orders", event="order_updated", data={"n": 2}, at=tx.now
                    )
                )
            )
        )
        waiting.start()  # its number is the later one, and it is committed first
        waiting.join(10)
        store.write(lambda tx: tx.touch("orders"))
        hinted = hints.event()
        assert hinted is not None
        assert "orders" in hinted.data["topics"]  # so what was committed is seen by now, and still held back
        go_on.set()
        assert numbers(stream.events(2)) == [1, 2]
    writing.join(10)


# -- hints -------------------------------------------------------------------------------------------------


def test_without_topics_there_are_only_hints(store: Store, staff: Staff, wire: httpx.Client) -> None:
    with following(wire, staff.tokens["readonly"]) as stream:
        first = stream.event()
        assert first is not None
        assert (first.event, first.id) == ("changed", None)
        assert "access" in first.data["topics"]
        publish(store, "billing:orders", n=1)
        assert stream.event() == Told(None, "changed", {"topics": ["events"]})
        store.write(lambda tx: tx.touch("orders", "activity"))
        assert stream.event() == Told(None, "changed", {"topics": ["activity", "orders"]})


def test_a_hint_comes_when_the_poll_has_something_new(store: Store, staff: Staff, wire: httpx.Client) -> None:
    headers = staff.bearer("owner")
    tag = wire.get("/v1/pulse", headers=headers).headers["etag"]
    with following(wire, staff.tokens["owner"]) as stream:
        stream.event()
        for _ in range(5):
            store.write(lambda tx: tx.touch("orders"))
            assert stream.event() is not None
            answered = wire.get("/v1/pulse", headers=headers | {"If-None-Match": tag})
            assert answered.status_code == 200
            tag = answered.headers["etag"]


def test_many_changes_are_few_hints(store: Store, staff: Staff, wire: httpx.Client) -> None:
    with following(wire, staff.tokens["owner"]) as stream:
        stream.event()
        for _ in range(200):
            store.write(lambda tx: tx.touch("orders"))
        store.write(lambda tx: tx.touch("mail"))
        count = 1
        while (told := stream.event()) is not None and "mail" not in told.data["topics"]:
            count += 1
    assert count < 50


# -- who may -----------------------------------------------------------------------------------------------


def refused(wire: httpx.Client, token: str, *names: str) -> tuple[int, dict[str, Any]]:
    answered = wire.get(
        "/v1/events", params={"topics": ",".join(names)}, headers={"Authorization": f"Bearer {token}"}
    )
    return answered.status_code, answered.json()


def test_a_topic_that_is_not_there_and_one_that_is_not_yours_are_refused_alike(
    store: Store, wire: httpx.Client, staff: Staff
) -> None:
    user_id, token = customer(store)
    mine = f"billing:orders:user:{user_id}"
    answers = []
    for name in (MINE, "billing:orders", "billing:orders:user:nobody", "no:such:topic", "audit"):
        status, problem = refused(wire, token, mine, name)
        assert problem.pop("fields") == [{"field": "topics", "message": name}]
        answers.append((status, problem))
    assert answers[0][0] == 403
    assert answers[0][1]["code"] == "topic_refused"
    assert all(each == answers[0] for each in answers)
    assert refused(wire, token)[1]["code"] == "topic_refused"  # the hints are for staff
    assert refused(wire, staff.tokens["owner"], "no:such:topic")[1]["code"] == "topic_refused"
    assert refused(wire, staff.tokens["storefront"])[1]["code"] == "forbidden"
    with following(wire, token, mine) as stream:
        stream.until_known()
        publish(store, "billing:orders", MINE, n=1)
        publish(store, mine, n=2)
        assert numbers(stream.events(1)) == [2]


@pytest.mark.parametrize(
    "name", ["a b", "tickets:", ":", "x" * 300, "tickets:\u212a", "a\nb", "a:b\r\nid: 4"]
)
def test_what_is_no_topic_is_refused(wire: httpx.Client, staff: Staff, name: str) -> None:
    status, problem = refused(wire, staff.tokens["owner"], name)
    assert (status, problem["code"]) == (422, "invalid_request")


def test_more_topics_than_anybody_needs_are_refused(wire: httpx.Client, staff: Staff) -> None:
    names = [f"shop:products:{n}" for n in range(51)]
    assert refused(wire, staff.tokens["owner"], *names)[0] == 422
    with following(wire, staff.tokens["owner"], *names[:50]) as stream:
        assert stream.response.status_code == 200


def revoke(store: Store, staff: Staff, role: Any) -> None:
    caller = staff.principal("owner")
    store.write(lambda tx: accounts.revoke(tx, staff.principal(role).token_id, caller=caller))


@pytest.mark.parametrize("names", [(), ("billing:orders",)])
def test_a_revoked_token_ends_its_stream_and_sees_nothing_more(
    store: Store, staff: Staff, wire: httpx.Client, names: tuple[str, ...]
) -> None:
    with (
        following(wire, staff.tokens["support"], *names) as stream,
        following(wire, staff.tokens["owner"], *names) as other,
    ):
        stream.frame()
        (stream.until_known if names else stream.event)()
        (other.until_known if names else other.event)()
        revoke(store, staff, "support")
        publish(store, "billing:orders", n=1)
        assert stream.event() is None
        assert other.event() is not None


def test_a_user_who_is_deactivated_or_may_less_follows_no_more(
    store: Store, staff: Staff, wire: httpx.Client
) -> None:
    user_id, token = customer(store)
    with following(wire, token, f"billing:orders:user:{user_id}") as stream:
        stream.until_known()

        def shut_out(tx: Tx) -> None:
            tx.execute(update(user).where(user.c.id == user_id).values(active=0))
            tx.touch("access")

        store.write(shut_out)
        assert stream.event() is None
    with following(wire, staff.tokens["support"], "billing:orders") as stream:
        stream.until_known()

        def lowered(tx: Tx) -> None:
            tx.execute(update(user).where(user.c.id == staff.users["support"]).values(role="user"))
            tx.touch("access")

        store.write(lowered)
        assert stream.event() is None


def test_a_token_whose_time_is_over_ends_its_stream_at_the_next_heartbeat(
    staff: Staff, wire: httpx.Client, clock: FrozenClock, hands: Hands
) -> None:
    with following(wire, staff.tokens["owner"]) as stream:
        stream.event()
        hands.let_pass(BEAT_SECONDS)
        assert stream.frame() == Told(comment=True)
        clock.advance(90 * DAY)
        hands.let_pass(BEAT_SECONDS)
        assert stream.frame() is None


# -- what is kept ------------------------------------------------------------------------------------------


def test_a_place_that_is_not_kept_any_more_is_reset(
    store: Store, staff: Staff, wire: httpx.Client, clock: FrozenClock
) -> None:
    with following(wire, staff.tokens["owner"], "audit") as stream:
        begin = stream.until_known()
        for n in range(3):
            publish(store, "audit", n=n)
        last = stream.events(3)[-1].id
    clock.advance(DAY + 1)
    assert prune_events(store) >= 3
    publish(store, "audit", n=3)
    with following(wire, staff.tokens["owner"], "audit", after=begin) as stream:
        told = stream.event()
        assert told is not None
        assert (told.event, told.data) == ("reset", {})
        publish(store, "audit", n=4)
        assert numbers(stream.events(1))[0] in (3, 4)
    with following(wire, staff.tokens["owner"], "audit", after=last) as stream:
        assert numbers(stream.events(2)) == [3, 4]  # this reader missed nothing


@pytest.mark.parametrize("place", ["", "x", "-1", "1e3", "99999999", "9" * 30, "\u0663"])
def test_a_place_that_this_shop_never_gave_is_reset(
    store: Store, staff: Staff, wire: httpx.Client, place: str
) -> None:
    publish(store, "audit", n=1)
    headers = httpx.Headers([*staff.bearer("owner").items(), ("Last-Event-ID", place)], encoding="utf-8")
    with wire.stream("GET", "/v1/events?topics=audit", headers=headers, timeout=10) as response:
        stream = Following(response)
        told = stream.event()
        assert told is not None
        assert told.event == "reset"
        publish(store, "audit", n=2)
        assert numbers(stream.events(1)) == [2]


def test_events_are_let_go_of_from_the_first_on_and_without_a_hole(store: Store, clock: FrozenClock) -> None:
    for _ in range(3):
        publish(store, "audit")
    clock.advance(DAY)
    publish(store, "audit")
    assert prune_events(store) == 0
    clock.advance(1)
    assert prune_events(store) == 3
    assert store.read(topics.forgotten) == 3
    clock.set("2026-02-23T10:00:00Z")
    publish(store, "audit")  # another machine's clock is behind: it is old, and stands after one that is not
    clock.advance(DAY + 1)
    assert prune_events(store) == 0
    clock.advance(DAY)
    assert prune_events(store) == 2
    assert prune_events(store) == 0
    assert store.read(topics.forgotten) == 5


# -- many, slow, and the end -------------------------------------------------------------------------------


def test_there_is_an_end_to_how_many(
    store: Store, staff: Staff, wire: httpx.Client, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams_module, "MOST_EACH", 2)
    monkeypatch.setattr(streams_module, "MOST", 3)
    with contextlib.ExitStack() as opened:
        for role in ("owner", "owner", "admin"):
            stream = opened.enter_context(following(wire, staff.tokens[role]))
            assert stream.event() is not None
        status, problem = refused(wire, staff.tokens["owner"])
        assert (status, problem["code"], problem["reason"]) == (503, "unavailable", "too_many_streams")
        monkeypatch.setattr(streams_module, "MOST", 10)
        answered = wire.get("/v1/events", headers=staff.bearer("owner"))
        assert answered.status_code == 429
        assert answered.json()["reason"] == "too_many_streams"
        assert "retry-after" in answered.headers
    until(lambda: len(app.streams) == 0, "the server to see that all have left")
    with following(wire, staff.tokens["owner"]) as stream:
        assert stream.event() is not None


def raw_reader(served: Served, token: str, topic: str) -> socket.socket:
    """A connection that asks for a stream and reads nothing, with as little room as the system allows."""
    opened = socket.socket()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    opened.connect(("127.0.0.1", served.port or 0))
    opened.sendall(
        f"GET /v1/events?topics={topic} HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n"
        f"Authorization: Bearer {token}\r\nLast-Event-ID: 0\r\n\r\n".encode()
    )
    return opened


def flood(store: Store, count: int) -> None:
    """Events of a kilobyte each."""
    at = store.clock.now()
    rows = [
        {"topic": "audit", "event": "x", "data": {"n": n, "f": "y" * 1000}, "at": at} for n in range(count)
    ]

    def unit(tx: Tx) -> None:
        tx.execute(insert(topic_event), rows)
        tx.touch("events")

    store.write(unit)


def test_a_slow_reader_costs_no_memory_and_holds_nobody_up(
    store: Store, staff: Staff, served: Served, wire: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    after = topics.after

    def counted(*args: Any) -> list[topics.Event]:
        found = after(*args)
        if args[1] == frozenset({"audit"}):
            read.append(len(found))
        return found

    monkeypatch.setattr(topics, "after", counted)
    flood(store, 20_000)
    with contextlib.closing(raw_reader(served, staff.tokens["owner"], "audit")) as slow:
        assert slow.recv(1) == b"H"
        with following(wire, staff.tokens["owner"], "billing:orders") as stream:
            stream.until_known()
            publish(store, "billing:orders", n=1)
            assert numbers(stream.events(1)) == [1]
        until(lambda: read, "the slow reader's first page")
        assert sum(read) < 10_000, "far more was read than was taken"


def test_a_reader_who_takes_nothing_is_given_up(
    store: Store, staff: Staff, served: Served, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams_module, "SEND_SECONDS", 0.2)
    flood(store, 20_000)
    with contextlib.closing(raw_reader(served, staff.tokens["owner"], "audit")) as slow:
        assert slow.recv(1) == b"H"
        until(lambda: len(app.streams) == 1, "the stream to be open")
        until(lambda: len(app.streams) == 0, "the stream to be given up")


@pytest.mark.parametrize("names", [(), ("audit",)])
@pytest.mark.parametrize("place", ["tcp", "socket"])
def test_the_server_stops_with_open_streams(
    store: Store, config: ServerConfig, staff: Staff, names: tuple[str, ...], place: str
) -> None:
    app = create_app(store, config)
    with tempfile.TemporaryDirectory(prefix="sb-", dir="/tmp") as folder, contextlib.ExitStack() as server:
        served = server.enter_context(
            serving(app, config, Path(folder) / "run" / "bell" if place == "socket" else None)
        )
        with served.client() as client, following(client, staff.tokens["owner"], *names) as stream:
            stream.frame()
            stop = threading.Thread(target=server.pop_all().close)
            stop.start()
            while stream.frame() is not None:
                pass
            stop.join(4)  # less than what the server waits for requests that do not end
            assert not stop.is_alive()
        assert len(app.streams) == 0


def test_nothing_is_left_behind_when_the_last_reader_leaves(
    store: Store, staff: Staff, wire: httpx.Client, app: App
) -> None:
    def listening() -> int:
        if store.dialect == "sqlite":
            return 0
        statement = text(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE query = 'LISTEN shopbell_topics' AND datname = current_database()"
        )
        return int(store.read(lambda tx: tx.execute(statement).scalar_one()))

    before = {thread.name for thread in threading.enumerate()}
    for _ in range(3):
        with following(wire, staff.tokens["owner"], "audit") as stream:
            stream.until_known()
            assert listening() == (1 if store.dialect == "postgresql" else 0)
        until(lambda: len(app.streams) == 0, "the stream to be closed")
        until(lambda: listening() == 0, "nobody to listen")
    names = {thread.name for thread in threading.enumerate()} - before
    assert not [name for name in names if name.startswith("listener")]
    assert not store.moved._waiting


# -- several processes -------------------------------------------------------------------------------------


@pytest.fixture
def elsewhere(store: Store, database_url: str, clock: FrozenClock) -> Iterator[Store]:
    """Another process's hold on the same shop."""
    other = open_store(database_url, Path(), clock)
    yield other
    other.close()


def test_another_process_is_heard_at_once_on_postgresql_and_at_the_next_look_on_a_file(
    store: Store, elsewhere: Store, staff: Staff, wire: httpx.Client, hands: Hands
) -> None:
    with (
        following(wire, staff.tokens["owner"]) as hints,
        following(wire, staff.tokens["owner"], "audit") as stream,
    ):
        hints.event()
        stream.until_known()
        publish(elsewhere, "audit", n=1)
        if isinstance(store, SqliteStore):
            hands.let_pass(LOOK_SECONDS)
        assert numbers(stream.events(1)) == [1]
        assert hints.event() is not None


def test_a_connection_that_broke_is_no_gap(
    store: Store, elsewhere: Store, staff: Staff, wire: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    if store.dialect == "sqlite":
        return
    monkeypatch.setattr("server.kit.listening._AGAIN_SECONDS", 0.01)
    kill = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE query = 'LISTEN shopbell_topics' AND datname = current_database()"
    )
    with following(wire, staff.tokens["owner"], "audit") as stream:
        stream.until_known()
        for n in range(5):
            until(partial(_killed, elsewhere, kill), "a listener to end")
            publish(elsewhere, "audit", n=n)
            assert numbers(stream.events(1)) == [n]


def _killed(store: Store, kill: Any) -> bool:
    return bool(store.read(lambda tx: tx.execute(kill).all()))
