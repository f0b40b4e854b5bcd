"""One reminder of what was left at the payment page, and everything that keeps it from being a second."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from server.activity.models import activity
from server.jobs.models import job
from server.kit.clock import DAY, HOUR, MINUTE, FrozenClock
from server.mail import service as mails
from server.mail.models import mail
from server.orders.models import order
from server.people.models import person
from server.recovery import service as recovery
from server.recovery import suppression
from server.recovery.models import abandoned_cart
from server.recovery.models import suppression as suppressions
from tests.support.customers import MARY, Counter, link_to, links_in


def cart_of(counter: Counter) -> Any:
    (found,) = counter.rows(abandoned_cart)
    return found


def events(counter: Counter) -> list[str]:
    return [row.type for row in counter.rows(activity) if row.type.startswith("abandoned_cart.")]


def reminded(counter: Counter, clock: FrozenClock, *, order: dict[str, Any] | None = None) -> str:
    """A cart whose reminder left; gives the path by which its reader unsubscribes."""
    counter.leave(order)
    clock.advance(HOUR)
    counter.drain()
    return link_to(counter.letters[-1], "/unsubscribe/")


# -- which carts are kept


def test_switched_off_keeps_nothing(counter: Counter) -> None:
    counter.set(recovery__enabled="off")
    counter.leave(counter.order())
    assert counter.rows(abandoned_cart) == []
    assert counter.rows(mail) == []
    assert counter.rows(job) == []


def test_off_is_what_holds_when_nobody_said_anything(counter: Counter) -> None:
    counter.unset("recovery.enabled")
    counter.leave()
    assert counter.rows(abandoned_cart) == []
    assert counter.rows(job) == []


def test_without_an_email_nothing_is_kept(counter: Counter) -> None:
    counter.leave(email=None)
    assert counter.rows(abandoned_cart) == []
    assert counter.rows(job) == []


def test_a_session_leaves_one_cart_however_often_it_is_told(counter: Counter) -> None:
    made = counter.order()
    for _ in range(3):
        counter.leave(made)  # a new event each time, of the same session
    cart = cart_of(counter)
    assert (cart.amount, cart.currency, cart.order_id) == (4300, "GBP", made["id"])
    assert cart.items == [{"name": "Wool socks", "quantity": 1, "product_id": None}]
    assert len(counter.rows(mail)) == 1
    assert len(counter.rows(job)) == 1
    assert events(counter) == ["abandoned_cart.created"]


def test_a_session_without_an_order_of_ours_is_kept_with_its_lines(counter: Counter) -> None:
    told = counter.purchase()
    whole = told.session(
        payment_status="unpaid",
        line_items={
            "data": [
                {
                    "description": "Mug",
                    "quantity": 2,
                    "amount_subtotal": 1800,
                    "price": {"unit_amount": 900, "product": "prod_1"},
                }
            ]
        },
    )
    event = told.expired()
    event["data"]["object"] = whole
    counter.tell(event)
    assert cart_of(counter).items == [{"name": "Mug", "quantity": 2, "product_id": "prod_1"}]


def test_an_order_that_was_paid_elsewhere_leaves_no_cart(counter: Counter) -> None:
    made = counter.paid()
    counter.tell(
        {
            **counter.purchase(made).expired(created=counter.clock.now() // 1000),
            "data": {"object": counter.purchase(made).session(id="cs_live_other", payment_status="unpaid")},
        }
    )
    assert counter.rows(abandoned_cart) == []


# -- when the mail leaves


def test_the_mail_leaves_after_an_hour_and_once(counter: Counter, clock: FrozenClock) -> None:
    counter.leave()
    clock.advance(HOUR - 1)
    counter.drain()
    assert counter.letters == []
    assert cart_of(counter).emailed_at is None
    clock.advance(1)
    counter.drain()
    (letter,) = counter.letters
    assert letter.recipient == MARY
    assert cart_of(counter).emailed_at == clock.now()
    assert events(counter) == ["abandoned_cart.created", "abandoned_cart.email_sent"]
    for _ in range(3):
        counter.leave()
        clock.advance(DAY)
        counter.drain()
    assert len(counter.letters) == 1


def test_the_delay_is_a_setting(counter: Counter, clock: FrozenClock) -> None:
    counter.set(recovery__delay_minutes="5")
    counter.leave()
    clock.advance(5 * MINUTE)
    counter.drain()
    assert len(counter.letters) == 1


def test_a_job_that_runs_twice_sends_one_mail(counter: Counter, clock: FrozenClock) -> None:
    counter.leave()
    cart = cart_of(counter)
    counter.store.write(
        lambda tx: mails.queue(tx, "recovery", person_id=cart.person_id, cart_id=cart.id, delay=2 * HOUR)
    )
    clock.advance(HOUR)
    counter.drain()
    clock.advance(DAY)
    counter.drain()
    assert len(counter.letters) == 1
    assert sorted((row.state, row.reason) for row in counter.rows(mail)) == [
        ("sent", None),
        ("withheld", "already_mailed"),
    ]
    assert events(counter).count("abandoned_cart.email_sent") == 1


def test_a_mail_that_may_have_left_is_not_sent_again(counter: Counter, clock: FrozenClock) -> None:
    counter.leave()
    counter.post.next("drop_after")
    clock.advance(HOUR)
    counter.drain()
    clock.advance(DAY)
    counter.drain()
    assert len(counter.letters) == 1
    assert "abandoned_cart.email_sent" not in events(counter)


def test_of_several_carts_one_is_mailed(counter: Counter, clock: FrozenClock) -> None:
    for name in ("A", "B", "C"):
        counter.leave(name=name)
        clock.advance(MINUTE)
    clock.advance(HOUR)
    counter.drain()
    assert len(counter.letters) == 1
    assert sorted(row.withheld or "" for row in counter.rows(abandoned_cart)) == ["", *["already_mailed"] * 2]
    clock.advance(31 * DAY)
    counter.leave(name="D")
    clock.advance(HOUR)
    counter.drain()
    assert len(counter.letters) == 2


# -- the gates


def suppress(counter: Counter) -> None:
    counter.store.write(
        lambda tx: suppression.suppress(tx, suppression.hash_of(tx, "MARY@EXAMPLE.com"), "by_hand")
    )


def erase(counter: Counter) -> None:
    gone = {"email": None, "email_key": None, "name": None, "name_key": None}
    counter.store.write(
        lambda tx: tx.execute(
            update(person).where(person.c.kind == "customer").values(**gone, erased_at=tx.now)
        )
    )


GATES = {
    "suppressed": suppress,
    "paid_since": lambda counter: counter.paid(MARY.upper()),
    "switched_off": lambda counter: counter.set(recovery__enabled="off"),
    "no_public_url": lambda counter: counter.unset("public.url"),
    "no_address": erase,
}


@pytest.mark.parametrize("reason", GATES)
def test_what_happened_meanwhile_keeps_the_mail_back(
    counter: Counter, clock: FrozenClock, reason: str
) -> None:
    counter.leave()
    clock.advance(30 * MINUTE)
    GATES[reason](counter)
    clock.advance(30 * MINUTE)
    counter.drain()
    assert counter.letters == []
    assert cart_of(counter).emailed_at is None
    assert "abandoned_cart.email_sent" not in events(counter)
    assert [(row.state, row.reason) for row in counter.rows(mail)] == [("withheld", reason)]
    if reason != "no_address":  # the mail's own gate, before ours
        assert cart_of(counter).withheld == reason


@pytest.mark.parametrize(
    ("kind", "reason"), [("hard", "bounced"), ("complaint", "complaint"), ("soft", None)]
)
def test_an_address_that_takes_no_mail_gets_no_reminder(
    counter: Counter, clock: FrozenClock, kind: str, reason: str | None
) -> None:
    counter.set(mail__bounce_token="a-token-of-the-tests-alone")
    counter.paid()
    counter.form("/orders/find", email=MARY)
    counter.drain()
    told = counter.http.post(
        "/webhooks/mail/bounces",
        json={"message_id": counter.letters[0].message["Message-ID"], "kind": kind},
        headers={"Authorization": "Bearer a-token-of-the-tests-alone"},
    )
    assert told.status_code == 200, told.text
    clock.advance(40 * DAY)
    counter.leave(name="later")
    clock.advance(HOUR)
    counter.drain()
    assert len(counter.letters) == (1 if reason else 2)
    assert [row.reason for row in counter.rows(suppressions)] == ([reason] if reason else [])


@pytest.mark.parametrize(("days", "mailed"), [(30, 0), (31, 1)])
def test_recent_means_thirty_days(counter: Counter, clock: FrozenClock, days: int, mailed: int) -> None:
    counter.paid()
    clock.advance(days * DAY - HOUR)
    counter.leave(name="later")
    clock.advance(HOUR)
    counter.drain()
    assert len(counter.letters) == mailed


def test_somebody_elses_order_keeps_nothing_back(counter: Counter, clock: FrozenClock) -> None:
    counter.leave()
    counter.paid("bert@example.com")
    counter.order()
    clock.advance(HOUR)
    counter.drain()
    assert len(counter.letters) == 1


# -- what it says


def test_the_mail_is_plain_and_leads_to_each_product_that_is_there(
    counter: Counter, clock: FrozenClock
) -> None:
    socks, mug = counter.product("wool-socks"), counter.product("old-mug", available=False)
    made = counter.order(
        MARY,
        {
            "name": "Wool socks\u202e\r\nBcc: x@example.com",
            "quantity": 2,
            "unit_price": 1200,
            "product_id": socks,
        },
        {"name": "Old mug", "quantity": 1, "unit_price": 900, "product_id": mug},
        {"name": "Loose", "quantity": 1, "unit_price": 100},
    )
    leave = reminded(counter, clock, order=made)
    (letter,) = counter.letters
    message, text = letter.message, letter.text
    assert message.get_content_type() == "text/plain"
    assert not message.is_multipart()
    assert message["Subject"] == "You left something at Sock & Mug"
    assert "Hello Mary Example," in text
    assert "2 \u00d7 Wool socks Bcc: x@example.com" in text
    assert "\u202e" not in text
    assert message["Bcc"] is None
    found = links_in(letter)
    assert [link for link in found if "/products/" in link] == [
        "https://shop.example.com/products/wool-socks"
    ]
    assert {link.split("/", 3)[3].split("/")[0] for link in found} == {"products", "cart", "unsubscribe"}
    assert all("?" not in link and "@" not in link and "mary" not in link for link in found)
    assert "1 \u00d7 Old mug" in text
    assert "1 \u00d7 Loose" in text
    assert "<" not in text
    assert message["List-Unsubscribe"] == f"<http://localhost{leave}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_session_without_items_says_the_amount(counter: Counter, clock: FrozenClock) -> None:
    reminded(counter, clock)
    text = counter.letters[-1].text
    assert "£43.00" in text
    assert "/cart/" not in text


def test_from_settings_are_read_when_it_leaves(counter: Counter, clock: FrozenClock) -> None:
    counter.leave()
    counter.set(mail__from_name="Changed", mail__from_address="changed@example.com", shop__name="New name")
    clock.advance(HOUR)
    counter.drain()
    message = counter.letters[-1].message
    assert message["From"] == "Changed <changed@example.com>"
    assert message["Subject"].endswith("New name")


# -- what becomes of it


def test_an_order_paid_after_the_mail_recovers_the_cart(counter: Counter, clock: FrozenClock) -> None:
    reminded(counter, clock)
    clock.advance(HOUR)
    made = counter.paid(MARY.title())
    cart = cart_of(counter)
    assert (cart.recovered_at, cart.recovered_order_id) == (clock.now(), made["id"])
    (entry,) = [row for row in counter.rows(activity) if row.type == "abandoned_cart.recovered"]
    assert entry.order_id == made["id"]
    shown = counter.http.get("/v1/activity?q=recovered", headers=counter.staff.bearer("owner")).json()
    assert any(made["number"] in item["message"] for item in shown["items"]), shown
    clock.advance(HOUR)
    counter.paid()
    assert events(counter).count("abandoned_cart.recovered") == 1
    assert cart_of(counter).recovered_order_id == made["id"]


def test_an_order_paid_before_the_mail_recovers_nothing(counter: Counter, clock: FrozenClock) -> None:
    before = counter.order()
    paid = counter.purchase(before).completed(created=clock.now() // 1000)
    clock.advance(MINUTE)
    reminded(counter, clock)
    counter.tell(paid)  # the webhook comes late, the payment was earlier
    assert cart_of(counter).recovered_at is None
    assert "abandoned_cart.recovered" not in events(counter)


def test_others_and_unmailed_carts_are_not_recovered(counter: Counter, clock: FrozenClock) -> None:
    counter.leave()
    counter.paid()
    assert cart_of(counter).recovered_at is None
    clock.advance(40 * DAY)
    counter.leave(name="B")
    clock.advance(HOUR)
    counter.drain()
    counter.paid("bert@example.com")
    assert "abandoned_cart.recovered" not in events(counter)


def test_a_pending_order_recovers_nothing(counter: Counter, clock: FrozenClock) -> None:
    reminded(counter, clock)
    counter.order()
    assert cart_of(counter).recovered_at is None


# -- nights


def test_carts_are_let_go_of_after_thirty_days_and_suppressions_stay(
    counter: Counter, clock: FrozenClock
) -> None:
    counter.leave()
    suppress(counter)
    clock.advance(30 * DAY)
    assert counter.store.write(lambda tx: recovery.prune(tx, 30)) == 0
    clock.advance(1)
    assert counter.store.write(lambda tx: recovery.prune(tx, 30)) == 1
    assert counter.rows(abandoned_cart) == []
    assert len(counter.rows(suppressions)) == 1


def test_the_night_does_it_by_itself(counter: Counter, clock: FrozenClock) -> None:
    counter.leave()
    clock.advance(HOUR)
    counter.drain()
    clock.advance(29 * DAY)
    counter.drain()
    assert len(counter.rows(abandoned_cart)) == 1
    clock.advance(2 * DAY)
    counter.drain()
    assert counter.rows(abandoned_cart) == []


def test_a_mail_whose_cart_is_gone_does_not_leave(counter: Counter, clock: FrozenClock) -> None:
    counter.leave()
    clock.advance(HOUR)
    counter.store.write(lambda tx: recovery.prune(tx, 0))
    counter.drain()
    assert counter.letters == []
    assert [(row.state, row.reason) for row in counter.rows(mail)] == [("withheld", "no_cart")]


# -- for the shop's programs and its staff


def test_the_notice_is_there_only_while_there_are_reminders(counter: Counter) -> None:
    def notice() -> Any:
        answer = counter.http.get("/v1/checkout/notice", headers=counter.staff.bearer("storefront"))
        assert answer.status_code == 200
        return answer.json()["notice"]

    assert "one e-mail" in notice()
    counter.set(recovery__notice="We may remind you once.")
    assert notice() == "We may remind you once."
    counter.set(recovery__enabled="off")
    assert notice() is None


def test_carts_are_listed_newest_first_by_pages(counter: Counter, clock: FrozenClock) -> None:
    made = counter.order()
    counter.leave(made)
    for name in ("B", "C"):
        clock.advance(MINUTE)
        counter.leave(email=f"{name}@example.com", name=name)
    clock.advance(HOUR)
    counter.drain()
    owner = counter.staff.bearer("readonly")
    first = counter.http.get("/v1/carts?limit=2", headers=owner).json()
    rest = counter.http.get(f"/v1/carts?limit=2&cursor={first['next']}", headers=owner).json()
    assert [cart["customer"]["email"] for cart in first["items"] + rest["items"]] == [
        "C@example.com",
        "B@example.com",
        MARY,
    ]
    assert rest["next"] is None
    last = rest["items"][0]
    assert last["order"] == {"id": made["id"], "number": made["number"]}
    assert last["items"] == [{"name": "Wool socks", "quantity": 1, "product_id": None}]
    assert last["amount"] == {"amount": 4300, "currency": "GBP"}
    assert last["emailed_at"] is not None
    assert last["withheld"] is None
    assert counter.http.get("/v1/carts", headers=counter.staff.bearer("storefront")).status_code == 403


def test_no_row_of_a_cart_names_its_customer(counter: Counter, clock: FrozenClock) -> None:
    leave = reminded(counter, clock)
    counter.form(leave)
    for table in (abandoned_cart, suppressions, activity, job, mail, order):
        assert "mary" not in str(counter.rows(table)).lower(), table.name
