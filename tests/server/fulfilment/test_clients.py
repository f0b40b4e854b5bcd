"""Both clients against both providers' servers: what they say, and what becomes of everything that goes wrong."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from server.fulfilment.printful import Printful
from server.fulfilment.printify import Printify
from server.fulfilment.provider import Connection, Provider, ProviderError
from server.kit.clock import MINUTE, FrozenClock, parse_instant
from server.practice.providers.answers import (
    DROP,
    DROP_AFTER,
    HALF,
    HTML,
    SLOW,
    UNAUTHORISED,
    Trouble,
    refused,
    too_many,
)
from server.practice.providers.printful import PrintfulServer
from server.practice.providers.printify import PrintifyServer
from tests.server.fulfilment.houses import (
    ACCOUNT,
    QUICK,
    TOKEN,
    Server,
    client_of,
    open_server,
    parcel,
    stock,
)

NOW = parse_instant("2026-02-23T10:00:00Z")


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(NOW)


@pytest.fixture(params=["printify", "printful"])
def server(request: pytest.FixtureRequest, clock: FrozenClock) -> Iterator[Server]:
    opened = open_server(request.param, clock)
    yield opened
    opened.close()


@pytest.fixture
def client(server: Server) -> Iterator[Provider]:
    made = client_of(server)
    yield made
    made.close()


def failure(call: Callable[[], object]) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        call()
    assert TOKEN not in repr(caught.value)
    assert TOKEN not in caught.value.reason
    assert caught.value.__cause__ is None
    return caught.value


def test_a_connection_is_tried(client: Provider) -> None:
    assert client.test().startswith("Practice")


def test_another_shop_is_named(server: Server) -> None:
    make = Printify if isinstance(server, PrintifyServer) else Printful
    found = failure(make(Connection(server.url, TOKEN, "9")).test)
    assert found.permanent
    assert "no sho" in found.reason or "no store" in found.reason
    assert ACCOUNT in found.reason


def test_an_order_is_handed_over_and_found_again(
    server: Server, client: Provider, clock: FrozenClock
) -> None:
    thing = stock(server)
    assert client.find("SS-260223-0001", NOW) is None
    made = client.submit(parcel(thing))
    assert made.status == "submitted"
    found = client.find("SS-260223-0001", NOW)
    assert found is not None
    assert found.id == made.id
    assert (found.status, found.unconfirmed) == ("submitted", False)
    held = server.orders[made.id]
    to = held["address_to"] if isinstance(server, PrintifyServer) else held["recipient"]
    assert to["address1"] == "1 Sock Lane"
    assert to["email"] == "bea@example.com"
    lines = held["line_items"] if isinstance(server, PrintifyServer) else held["items"]
    assert [line["quantity"] for line in lines] == [2]


def test_an_order_is_found_among_many(clock: FrozenClock) -> None:
    server = open_server("printify", clock)
    client = client_of(server)
    thing = stock(server)
    numbers = [f"SS-260223-{n:04d}" for n in range(1, 34)]
    for number in numbers:
        client.submit(parcel(thing, number))
        clock.advance(MINUTE)
    first = client.find(numbers[0], NOW)
    assert first is not None
    assert server.external_id(server.orders[first.id]) == numbers[0]
    asked = server.count("find")
    assert asked == 4
    clock.advance(3 * 24 * 60 * MINUTE)
    client.submit(parcel(thing, "SS-260226-0001"))
    assert client.find("SS-260299-0001", clock.now()) is None
    assert server.count("find") == asked + 1, "what is older than the search is not gone through"
    client.close()
    server.close()


def test_an_order_is_followed(server: Server, client: Provider, clock: FrozenClock) -> None:
    made = client.submit(parcel(stock(server)))
    clock.advance(MINUTE)
    server.to_production(made.id)
    found = client.status(made.id)
    assert found is not None
    assert found.status == "processing"
    clock.advance(MINUTE)
    server.ship(made.id, "DHL", "JD0001")
    shipped = client.status(made.id)
    assert shipped is not None
    assert (shipped.status, shipped.carrier, shipped.tracking_number) == ("shipped", "DHL", "JD0001")
    assert shipped.tracking_url is not None
    assert shipped.tracking_url.endswith("/JD0001")
    assert shipped.times["shipped"] == clock.now()
    clock.advance(MINUTE)
    server.deliver(made.id)
    arrived = client.status(made.id)
    assert arrived is not None
    assert (arrived.status, arrived.times["delivered"]) == ("delivered", clock.now())
    server.forget(made.id)
    assert client.status(made.id) is None


def test_a_catalogue_is_read_whole(server: Server, client: Provider) -> None:
    for n in range(60 if isinstance(server, PrintifyServer) else 7):
        stock(server, f"Socks {n}")
    seen = list(client.products())
    assert [one.product.name for one in seen] == [f"Socks {n}" for n in range(len(seen))]
    assert {one.total for one in seen} == {len(server.catalogue)}
    first = seen[0].product
    assert [variant.price for variant in first.variants] == [1250, 1350]
    assert {variant.currency for variant in first.variants} == (
        {"USD"} if isinstance(server, PrintifyServer) else {"GBP"}
    )
    assert first.image_url is not None
    assert first.available


def test_a_draft_is_confirmed(clock: FrozenClock) -> None:
    server = PrintfulServer(clock, token=TOKEN, account=ACCOUNT, secret="a1" * 32).open()
    client = client_of(server)
    made = client.submit(parcel(stock(server)))
    server.fail(made.id, "Card declined")
    failed = client.find("SS-260223-0001", NOW)
    assert failed is not None
    assert (failed.status, failed.reason, failed.unconfirmed) == ("failed", "Card declined", True)
    assert client.confirm(made.id).status == "submitted"
    client.close()
    server.close()


@pytest.mark.parametrize(
    ("trouble", "permanent", "certain", "words"),
    [
        (UNAUTHORISED, True, True, "token of"),
        (refused("no such scope", 403), True, True, "token of"),
        (refused("Variant 17 is out of stock."), True, True, "Variant 17 is out of stock"),
        (refused("not now", 402), False, True, "not now"),
        (refused("down", 503), False, False, "trouble of its own (503)"),
        (too_many(7), False, True, "too many"),
        (HTML, False, False, "no answer of its API"),
        (Trouble("html", 200), False, False, "no answer of its API"),
        (Trouble("html", 404), False, False, "no answer of its API"),
        (HALF, False, False, "broke off"),
        (DROP, False, False, "broke off"),
        (DROP_AFTER, False, False, "broke off"),
        (SLOW, False, False, "too long"),
        (Trouble("dribble"), False, False, ""),
        (Trouble("large"), False, False, "more than can be read"),
        (Trouble("redirect"), True, True, "another address"),
    ],
    ids=lambda value: value.how if isinstance(value, Trouble) else None,
)
def test_what_goes_wrong_is_told_apart(
    server: Server, client: Provider, trouble: Trouble, permanent: bool, certain: bool, words: str
) -> None:
    server.always("*", trouble)
    found = failure(lambda: client.submit(parcel(stock(server))))
    assert (found.permanent, found.certain) == (permanent, certain)
    assert words in found.reason
    server.release()


@pytest.mark.parametrize("trouble", [Trouble("html", 404), HTML, HALF, SLOW, DROP], ids=lambda it: it.how)
def test_nothing_odd_passes_for_not_there(server: Server, client: Provider, trouble: Trouble) -> None:
    client.submit(parcel(stock(server)))
    server.script("find", trouble)
    failure(lambda: client.find("SS-260223-0001", NOW))
    server.release()
    assert client.find("SS-260223-0001", NOW) is not None


def test_how_long_to_wait_is_believed_within_reason(server: Server, client: Provider) -> None:
    for said, wanted in (("7", 7_000), ("0", 1_000), ("999999", 3_600_000), ("soon", 60_000)):
        server.script("test", refused("slow down", 429, retry_after=said))
        assert failure(client.test).after == wanted
    server.script("test", refused("slow down", 503, retry_after="Wed, 21 Oct 2099 07:28:00 GMT"))
    assert failure(client.test).after == 3_600_000


def test_nobody_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        for make in (Printify, Printful):
            found = failure(make(Connection(url, TOKEN, ACCOUNT), QUICK).test)
            assert (found.permanent, found.certain) == (False, True)
            assert "cannot be reached" in found.reason


@pytest.mark.parametrize("url", ["http://api.example.com", "ftp://127.0.0.1", "", "api.example.com"])
def test_a_token_travels_encrypted_or_stays_on_this_machine(url: str) -> None:
    found = failure(lambda: Printify(Connection(url, TOKEN, ACCOUNT)))
    assert found.permanent
    assert "https://" in found.reason


def test_a_refusal_that_quotes_the_token_does_not(server: Server, client: Provider) -> None:
    server.script("test", refused(f"Bad token {TOKEN}"))
    assert "····" in failure(client.test).reason
