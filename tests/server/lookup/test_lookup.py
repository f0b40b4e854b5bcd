"""From the field for an e-mail to the orders of its owner, and to nobody else's."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import func, select, update

from server.jobs.models import job
from server.kit import links
from server.kit.clock import DAY, HOUR, FrozenClock
from server.kit.db import Store
from server.kit.tx import Tx
from server.lookup import service as lookup
from server.lookup.models import lookup_link
from server.lookup.service import LinkRefusedError
from server.mail.models import mail
from server.orders.models import order, order_item
from server.people.models import person
from tests.support.customers import MARY, Counter, link_to


def ask(counter: Counter, email: str = MARY, peer: str = "203.0.113.7") -> httpx.Response:
    return counter.form("/orders/find", email=email, headers={"X-Forwarded-For": peer})


def mailed(counter: Counter, email: str = MARY) -> str:
    """The path of a fresh link, by way of a real mail."""
    before = len(counter.letters)
    assert ask(counter, email).status_code == 303
    counter.drain()
    assert len(counter.letters) == before + 1
    return link_to(counter.letters[-1], "/orders/open/")


def come_in(counter: Counter, email: str = MARY) -> None:
    answer = counter.form(mailed(counter, email))
    assert (answer.status_code, answer.headers["location"]) == (303, "/orders")


# -- asking


def test_a_known_address_gets_one_mail_with_a_link(counter: Counter) -> None:
    counter.paid()
    answer = ask(counter, " MARY@Example.COM ")
    assert (answer.status_code, answer.headers["location"]) == (303, "/orders/sent")
    counter.drain()
    (letter,) = counter.letters
    assert letter.recipient == MARY
    assert letter.message["Subject"] == "Your orders at Sock & Mug"
    path = link_to(letter, "/orders/open/")
    assert MARY not in path
    assert "@" not in path
    row = counter.rows(lookup_link)[0]
    assert path.rpartition("/")[2] not in str(row)
    assert row.expires_at - row.created_at == HOUR


def test_an_unknown_address_gets_the_same_answer_and_no_mail(counter: Counter) -> None:
    counter.paid()
    known, unknown = ask(counter), ask(counter, "stranger@example.com", "203.0.113.8")
    drop = {"date"}
    assert known.status_code == unknown.status_code
    assert known.content == unknown.content
    assert {k: v for k, v in known.headers.items() if k not in drop} == {
        k: v for k, v in unknown.headers.items() if k not in drop
    }
    counter.drain()
    assert [letter.recipient for letter in counter.letters] == [MARY]
    assert [row.person_id for row in counter.rows(mail)] == [counter.rows(order)[0].person_id]


@pytest.mark.parametrize("payment", ["pending", "failed"])
def test_an_address_without_a_paid_order_gets_no_mail(counter: Counter, payment: str) -> None:
    counter.order()
    counter.store.write(lambda tx: tx.execute(update(order).values(payment_status=payment)))
    assert ask(counter).status_code == 303
    counter.drain()
    assert counter.letters == []
    assert counter.rows(mail) == []
    assert counter.rows(job) == []


def test_known_and_unknown_addresses_make_the_same_statements(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter.paid()
    said: list[str] = []
    whole, driver = Tx.execute, Tx.driver_sql

    def execute(self: Tx, statement: object, parameters: object = None) -> object:
        said.append(re.sub(r"\s+", " ", str(statement)))
        return whole(self, statement, parameters)  # type: ignore[arg-type]

    def sql(self: Tx, text: str, parameters: object = None) -> object:
        said.append(text)
        return driver(self, text, parameters)  # type: ignore[arg-type]

    monkeypatch.setattr(Tx, "execute", execute)
    monkeypatch.setattr(Tx, "driver_sql", sql)

    def statements(email: str) -> list[str]:
        said.clear()
        counter.store.write(lambda tx: lookup.ask(tx, email))
        return [text for text in said if not text.startswith(("RELEASE", "ROLLBACK"))]

    statements("nobody@example.com")  # the first in a process prepares things
    known, unknown = statements(MARY), statements("stranger@example.com")
    assert known == unknown
    assert any("INSERT INTO mail" in text for text in unknown)


@pytest.mark.parametrize(
    "email", ["", "mary", "mary@", "@example.com", "a b@example.com", "a@b@c", "x" * 300 + "@example.com"]
)
def test_what_is_no_address_is_said_beside_the_field(counter: Counter, email: str) -> None:
    answer = ask(counter, email)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert counter.rows(mail) == []


def test_an_address_that_is_typed_wrong_comes_back_escaped(counter: Counter) -> None:
    answer = ask(counter, '"><script>alert(1)</script>\u202e')
    assert "<script" not in answer.text
    assert "\u202e" not in answer.text
    assert "&lt;script&gt;" in answer.text


def test_one_address_is_not_written_to_over_and_over(counter: Counter) -> None:
    counter.paid()
    codes = [ask(counter, MARY.upper() if n % 2 else MARY, f"203.0.113.{n}").status_code for n in range(5)]
    assert codes == [303, 303, 303, 429, 429]
    strangers = [ask(counter, "stranger@example.com", f"203.0.113.{n}").status_code for n in range(20, 25)]
    assert strangers == codes
    counter.drain()
    assert len(counter.letters) == 3


def test_one_peer_does_not_ask_for_everybody(counter: Counter) -> None:
    codes = [ask(counter, f"a{n}@example.com").status_code for n in range(7)]
    assert codes == [303] * 5 + [429] * 2
    refused = ask(counter, "a9@example.com")
    assert refused.headers["content-type"].startswith("text/html")
    assert int(refused.headers["retry-after"]) > 0
    assert ask(counter, "a9@example.com", "203.0.113.99").status_code == 303


@pytest.mark.parametrize("missing", ["lookup.enabled", "public.url"])
def test_a_shop_that_does_not_offer_it_says_so(counter: Counter, missing: str) -> None:
    counter.paid()
    if missing == "public.url":
        counter.unset(missing)
    else:
        counter.set(lookup__enabled="off")
    assert counter.http.get("/orders/find").status_code == 404
    assert ask(counter).status_code == 404
    assert counter.rows(mail) == []


def test_switched_off_before_the_mail_leaves(counter: Counter) -> None:
    counter.paid()
    ask(counter)
    counter.set(lookup__enabled="off")
    counter.drain()
    assert counter.letters == []
    assert [(row.state, row.reason) for row in counter.rows(mail)] == [("withheld", "switched_off")]
    assert counter.rows(lookup_link) == []


# -- opening


def test_looking_at_a_link_uses_nothing_up(counter: Counter) -> None:
    counter.paid()
    path = mailed(counter)
    for _ in range(3):
        answer = counter.http.get(path)
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
    assert counter.form(path).status_code == 303


def test_a_link_works_once(counter: Counter) -> None:
    counter.paid()
    path = mailed(counter)
    assert counter.form(path).status_code == 303
    counter.http.cookies.clear()
    for answer in (counter.form(path), counter.http.get(path)):
        assert answer.status_code == 410
        assert "used already" in answer.text
        assert "set-cookie" not in answer.headers
        assert 'href="/orders/find"' in answer.text


def test_two_browsers_at_once_open_it_once(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    counter.paid()
    token = mailed(counter).rpartition("/")[2]
    start, outcomes = threading.Barrier(4), []
    if counter.store.dialect == "postgresql":  # all have seen that it is unused before one of them uses it
        seen, look = threading.Barrier(4), lookup.look

        def together(tx: Tx, given: str) -> None:
            look(tx, given)
            seen.wait(10)

        monkeypatch.setattr(lookup, "look", together)

    def open_it() -> None:
        start.wait(10)
        try:
            outcomes.append(bool(counter.store.write(lambda tx: lookup.open_link(tx, token))))
        except LinkRefusedError as refused:
            outcomes.append(refused.why == "unknown")

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcomes) == [False, False, False, True]


def test_pressing_the_button_twice_leads_in_as_well(counter: Counter) -> None:
    counter.paid()
    path = mailed(counter)
    counter.form(path)
    assert counter.form(path).headers["location"] == "/orders"


def test_a_link_is_good_for_an_hour_from_when_the_mail_left(counter: Counter, clock: FrozenClock) -> None:
    counter.paid()
    ask(counter)
    clock.advance(3 * HOUR)  # the mail waited
    counter.drain()
    path = link_to(counter.letters[-1], "/orders/open/")
    clock.advance(HOUR)
    assert counter.http.get(path).status_code == 200
    clock.advance(1)
    for answer in (counter.http.get(path), counter.form(path)):
        assert answer.status_code == 410
        assert "too old" in answer.text
        assert "ask for a new one" in answer.text.lower()


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-1],
        lambda token: ("b" if token[0] == "a" else "a") + token[1:],
        lambda token: token[:-2] + ("AA" if token[-2:] != "AA" else "BB"),
        lambda _: "nothing",
        lambda _: "%00",
        lambda _: "%F0%9F%A7%A6",
    ],
)
def test_a_link_that_was_changed_opens_nothing(counter: Counter, change: Callable[[str], str]) -> None:
    counter.paid()
    path = mailed(counter)
    head, _, token = path.rpartition("/")
    changed = f"{head}/{change(token)}"
    for answer in (counter.http.get(changed), counter.form(changed)):
        assert answer.status_code in (400, 404)
        assert answer.headers["content-type"].startswith("text/html")
        assert "set-cookie" not in answer.headers
    assert counter.rows(lookup_link)[0].used_at is None


def test_a_token_for_something_else_is_no_link(counter: Counter) -> None:
    counter.paid()
    other = counter.store.write(lambda tx: links.sign(tx, "orders", counter.rows(order)[0].person_id))
    assert counter.http.get(f"/orders/open/{other}").status_code == 404


def test_the_session_is_a_cookie_of_thirty_days_that_no_script_and_no_other_site_gets(
    counter: Counter,
) -> None:
    counter.paid()
    answer = counter.form(mailed(counter))
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("shopbell_orders=")
    assert {part.strip().lower() for part in cookie.split(";")[1:]} == {
        "httponly",
        f"max-age={30 * 24 * 3600}",
        "path=/orders",
        "samesite=strict",
    }
    counter.set(public__url="https://orders.example.com")
    assert "; secure" in counter.form(mailed(counter)).headers["set-cookie"].lower()


# -- looking


def test_the_list_shows_paid_orders_of_that_address_only(counter: Counter, clock: FrozenClock) -> None:
    first = counter.paid()
    clock.advance(HOUR)
    second = counter.paid()
    pending = counter.order()
    other = counter.paid("bert@example.com")
    come_in(counter)
    shown = re.findall(r"SS-\d{6}-\d{4,}", counter.http.get("/orders").text)
    assert list(dict.fromkeys(shown)) == [second["number"], first["number"]]
    for number in (pending["number"], other["number"], "SS-260223-9999", "nothing", "%00"):
        answer = counter.http.get(f"/orders/{number}")
        assert answer.status_code in (404, 400)
        assert answer.headers["content-type"].startswith("text/html")
        assert "bert" not in answer.text


def test_others_and_missing_orders_look_the_same(counter: Counter) -> None:
    counter.paid()
    other = counter.paid("bert@example.com")
    come_in(counter)
    theirs, nobodys = (
        counter.http.get(f"/orders/{number}") for number in (other["number"], "SS-990101-0001")
    )
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.content == nobodys.content


def test_an_order_that_was_paid_back_is_shown(counter: Counter) -> None:
    made = counter.paid()
    counter.tell(counter.purchase(made).refund(4300))
    come_in(counter)
    assert "Refunded" in counter.http.get("/orders").text
    page = counter.http.get(f"/orders/{made['number']}").text
    assert "Paid back" in page


def test_the_detail_shows_items_pictures_and_pages_that_are_there(counter: Counter) -> None:
    socks = counter.product("wool-socks", image="https://images.example.com/socks.jpg")
    old = counter.product("old-mug", available=False, image="javascript:alert(1)")
    items = [
        {"name": "Wool socks <b>", "quantity": 2, "unit_price": 1200, "product_id": socks},
        {"name": "Old mug", "quantity": 1, "unit_price": 900, "product_id": old},
        {"name": "Gone", "quantity": 1, "unit_price": 100, "product_id": "no-such-product"},
        {"name": "Without", "quantity": 1, "unit_price": 100},
    ]
    made = counter.paid(MARY, *items)
    come_in(counter)
    answer = counter.http.get(f"/orders/{made['number'].lower()}")
    page = answer.text
    assert answer.status_code == 200
    assert "Wool socks &lt;b&gt;" in page
    assert page.count("https://shop.example.com/products/") == 1
    assert 'href="https://shop.example.com/products/wool-socks"' in page
    assert page.count("<img ") == 1
    assert 'src="https://images.example.com/socks.jpg"' in page
    assert "javascript:" not in page
    assert "img-src data: https://images.example.com;" in answer.headers["content-security-policy"]
    for text in ("£24.00", "2 \u00d7 £12.00", "£3.95", "Old mug", "Gone", "Without"):
        assert text in page


def test_items_without_a_product_are_shown(counter: Counter) -> None:
    made = counter.paid()
    counter.store.write(lambda tx: tx.execute(update(order_item).values(product_id=None)))
    come_in(counter)
    answer = counter.http.get(f"/orders/{made['number']}")
    assert answer.status_code == 200
    assert "Wool socks" in answer.text


def test_the_way_of_the_parcel(counter: Counter, clock: FrozenClock) -> None:
    made = counter.paid()
    clock.advance(DAY)
    step = {
        "status": "shipped",
        "carrier": "Royal Mail",
        "tracking_number": "RM 1",
        "tracking_url": "https://track.example.com/RM1",
    }
    path = f"/v1/orders/{made['number']}/fulfilment"
    for body in ({"status": "submitted", "provider": "Printify"}, {"status": "processing"}, step):
        told = counter.http.post(path, json=body, headers=counter.staff.bearer("storefront"))
        assert told.status_code == 200, told.text
    come_in(counter)
    page = counter.http.get(f"/orders/{made['number']}").text
    assert 'href="https://track.example.com/RM1"' in page
    assert "Royal Mail" in page
    assert "On its way" in page
    assert "24 February 2026" in page
    counter.store.write(lambda tx: tx.execute(update(order).values(tracking_url="javascript:alert(1)")))
    assert "javascript:" not in counter.http.get(f"/orders/{made['number']}").text


def test_a_failed_submission_is_nothing_for_customers(counter: Counter) -> None:
    made = counter.paid()
    told = counter.http.post(
        f"/v1/orders/{made['number']}/fulfilment",
        json={"status": "failed", "reason": "card of the shop refused"},
        headers=counter.staff.bearer("storefront"),
    )
    assert told.status_code == 200
    come_in(counter)
    page = counter.http.get(f"/orders/{made['number']}").text
    assert "Being prepared" in page
    assert "refused" not in page
    assert "ailed" not in page


# -- leaving


def test_without_a_session_the_pages_ask_again(counter: Counter) -> None:
    made = counter.paid()
    for path in ("/orders", f"/orders/{made['number']}", "/orders/nothing"):
        answer = counter.http.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/orders/find")


def test_leaving_forgets_the_browser(counter: Counter) -> None:
    counter.paid()
    come_in(counter)
    assert counter.http.get("/orders").status_code == 200
    answer = counter.form("/orders/leave")
    assert answer.headers["location"] == "/orders/find"
    assert counter.http.get("/orders").headers["location"] == "/orders/find"


def test_a_session_ends_after_thirty_days(counter: Counter, clock: FrozenClock) -> None:
    counter.paid()
    come_in(counter)
    clock.advance(30 * DAY)
    assert counter.http.get("/orders").status_code == 200
    clock.advance(1)
    assert counter.http.get("/orders").status_code == 303


def test_a_session_somebody_wrote_is_none(counter: Counter) -> None:
    counter.paid()
    person_id = counter.rows(order)[0].person_id
    other = counter.store.write(lambda tx: links.sign(tx, "cart", person_id))
    for value in (person_id, "x", "", "é".encode().decode("latin-1"), other):
        answer = counter.http.get(
            "/orders", headers={b"Cookie": f"shopbell_orders={value}".encode("latin-1")}
        )
        assert answer.status_code == 303, value


def test_a_session_ends_when_its_person_is_erased(counter: Counter) -> None:
    counter.paid()
    path = mailed(counter)
    come_in(counter)
    gone = {"email": None, "email_key": None, "name": None, "name_key": None}
    counter.store.write(
        lambda tx: tx.execute(
            update(person).where(person.c.kind == "customer").values(**gone, erased_at=tx.now)
        )
    )
    assert counter.http.get("/orders").headers["location"] == "/orders/find"
    assert counter.http.get(path).status_code == 404
    assert counter.form(path).status_code == 404


# -- the nights


def test_links_are_let_go_of_a_day_after_their_end(
    counter: Counter, store: Store, clock: FrozenClock
) -> None:
    counter.paid()
    mailed(counter)
    clock.advance(DAY + HOUR)
    assert store.write(lookup.prune) == 0
    clock.advance(1)
    assert store.write(lookup.prune) == 1
    assert store.read(lambda tx: tx.execute(select(func.count()).select_from(lookup_link)).scalar()) == 0
