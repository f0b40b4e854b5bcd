"""The two mails of an order: when they leave, what they say, and what is written of them."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import delete, func, select

from server.activity.models import activity
from server.jobs import service as jobs
from server.jobs.models import job
from server.kit.clock import MINUTE, SECOND
from server.kit.problems import ProblemError
from server.mail.models import mail
from server.orders.models import order as orders_table
from server.recovery import suppression
from tests.server.mail.desk import Desk
from tests.support.hostile import SHORT, Hostile

ADDRESS = {
    "name": "Mary Example",
    "line1": "1 Example Street",
    "city": "London",
    "postal_code": "AB1 2CD",
    "country": "GB",
}
CUSTOMER = {"email": "mary@example.com", "name": "Mary Example", "address": ADDRESS}

CONFIRMATION = """\
Thank you for your order, Mary Example.

We have received your payment for order SS-260223-0001 of 23 February
2026.

────────────────────────────────────────────────────────────────────────
2 × Wool socks                                                    £24.00
1 × Sock bag                                                      £15.05
────────────────────────────────────────────────────────────────────────
Shipping                                                           £3.95
Total                                                             £43.00

It goes to:

  Mary Example
  1 Example Street
  London AB1 2CD
  GB

We will write to you again when it is on its way.

See your order at any time:
https://orders.wool.example/orders/find

-- 
Wool & Co
https://wool.example
"""  # noqa: RUF001, W291

SHIPPING = """\
Good news, Mary Example: your order is on its way.

Order SS-260223-0001 was handed to DHL on 23 February 2026.

Tracking number: JD014600003
Follow it here:
https://dhl.example/track?id=JD014600003

In the parcel:

  2 × Wool socks
  1 × Sock bag

It goes to:

  Mary Example
  1 Example Street
  London AB1 2CD
  GB

-- 
Wool & Co
"""  # noqa: RUF001, W291


def test_a_paid_order_is_confirmed(desk: Desk) -> None:
    desk.set({"shop.url": "https://wool.example/", "public.url": "https://orders.wool.example"})
    order = desk.paid(customer=CUSTOMER)
    assert desk.states() == ["queued"]
    assert desk.entries(order) == [], "asked for is not sent"
    assert desk.work() == 1
    assert desk.states() == ["sent"]
    assert desk.entries(order) == ["order.email.confirmation_sent"]
    taken = desk.post.taken[0]
    assert (taken.sender, taken.recipient) == ("hello@wool.example", "mary@example.com")
    assert taken.message["From"] == "Wool & Co <hello@wool.example>"
    assert taken.message["To"] == "mary@example.com"
    assert taken.message["Subject"] == "Your order SS-260223-0001 – Wool & Co"  # noqa: RUF001
    assert taken.message["Date"] == "Mon, 23 Feb 2026 10:00:00 +0000"
    assert taken.message["Auto-Submitted"] == "auto-generated"
    assert taken.text == CONFIRMATION
    assert desk.work(MINUTE) == 0


def test_a_shipped_order_is_told_of(desk: Desk) -> None:
    desk.set({"mail.confirmation": "off"})
    order = desk.paid(customer=CUSTOMER)
    track = "https://dhl.example/track?id=JD014600003"
    step = {"carrier": "DHL", "tracking_number": "JD014600003", "tracking_url": track}
    desk.shop.step(order.id, "shipped", **step)
    desk.shop.step(order.id, "shipped", **step)
    desk.shop.step(order.id, "delivered")
    assert desk.work() == 1
    assert desk.entries(order) == ["order.email.shipping_sent"]
    assert desk.post.taken[0].text == SHIPPING
    assert desk.post.taken[0].message["Subject"] == "Your order SS-260223-0001 is on its way – Wool & Co"  # noqa: RUF001


def test_a_mail_is_plain_text_without_anything_that_tells_who_read_it(desk: Desk) -> None:
    order = desk.paid(customer=CUSTOMER)
    desk.shop.step(order.id, "shipped")
    desk.work()
    for taken in desk.post.taken:
        assert taken.message.get_content_type() == "text/plain"
        assert not list(taken.message.iter_attachments())
        assert not {"disposition-notification-to", "return-receipt-to"} & {
            key.lower() for key in taken.message
        }
        assert "http" not in taken.text, "no address is set, so nothing is linked to"
        assert all(len(line) <= 72 for line in taken.text.splitlines())


def test_the_sender_is_read_when_a_mail_leaves(desk: Desk) -> None:
    order = desk.paid()
    desk.set({"mail.from_name": "Wool and Co. Orders", "mail.from_address": "orders@wool.example"})
    desk.work()
    desk.set({"mail.from_name": "Größe", "mail.from_address": "new@wool.example"})
    desk.shop.step(order.id, "shipped")
    desk.set({"mail.from_name": ""})
    desk.work()
    first, second = desk.post.taken
    assert first.message["From"] == '"Wool and Co. Orders" <orders@wool.example>'
    assert first.sender == "orders@wool.example"
    assert second.message["From"] == "Wool & Co <new@wool.example>", "without a name it is the shop's"


@pytest.mark.parametrize(
    ("values", "address"),
    [
        ({"mail.smtp.username": "post@wool.example"}, "post@wool.example"),
        ({"shop.url": "https://www.wool.example/shop"}, "shop@wool.example"),
        ({"public.url": "https://orders.wool.example"}, "shop@orders.wool.example"),
    ],
)
def test_a_missing_from_address_falls_back(desk: Desk, values: dict[str, str], address: str) -> None:
    from server.mail import setup

    desk.set({"mail.from_address": "", **values})
    assert desk.store.read(setup.sender).address == address


def test_without_any_address_nothing_leaves_and_somebody_is_told(desk: Desk) -> None:
    desk.set({"mail.from_address": ""})
    order = desk.paid()
    desk.work()
    assert desk.states() == ["failed"]
    assert desk.shop.texts(order) == ["Nobody knows from whom mails are: set mail.from_address."]


def test_the_shops_time_zone_says_which_day_it_is(desk: Desk) -> None:
    desk.set({"shop.time_zone": "Pacific/Auckland"})
    desk.clock.set("2026-02-23T12:30:00Z")
    desk.paid()
    desk.work()
    assert "24 February" in desk.post.taken[0].text


@pytest.mark.parametrize("kind", ["confirmation", "shipping"])
def test_switched_off_they_stay_away(desk: Desk, kind: str) -> None:
    desk.set({f"mail.{kind}": "off"})
    order = desk.paid()
    desk.shop.step(order.id, "shipped")
    desk.work()
    other = "shipping" if kind == "confirmation" else "confirmation"
    assert desk.entries(order) == [f"order.email.{other}_sent"]


def test_who_wants_no_reminders_is_still_told_of_their_order(desk: Desk) -> None:
    desk.store.write(
        lambda tx: suppression.suppress(tx, suppression.hash_of(tx, "MARY@example.com"), "unsubscribed")
    )
    order = desk.paid()
    desk.shop.step(order.id, "shipped")
    desk.work()
    assert desk.entries(order) == ["order.email.confirmation_sent", "order.email.shipping_sent"]


def test_switched_off_while_it_waits(desk: Desk) -> None:
    order = desk.paid()
    desk.set({"mail.confirmation": "off"})
    desk.work()
    assert (desk.states(), desk.mails()[0].reason) == (["withheld"], "switched_off")
    assert desk.entries(order) == []
    desk.send(order, "confirmation")
    desk.work()
    assert desk.states() == ["withheld", "sent"], "who asks for it gets it all the same"


def test_an_order_of_another_program_gets_no_mail_by_itself(desk: Desk) -> None:
    order = desk.paid(handled_by="program")
    desk.shop.step(order.id, "shipped")
    assert desk.work() == 0
    desk.send(order, "confirmation")
    desk.send(order, "shipping")
    desk.work()
    assert desk.entries(order) == ["order.email.confirmation_sent", "order.email.shipping_sent"]


def test_refused_where_there_is_nothing_to_say(desk: Desk) -> None:
    order = desk.shop.order()
    for kind, reason in (("confirmation", "not_paid"), ("shipping", "not_shipped")):
        with pytest.raises(ProblemError) as caught:
            desk.send(order, kind)  # type: ignore[arg-type]
        assert (caught.value.status, caught.value.code) == (409, reason)
    assert desk.mails() == []


def test_a_customer_who_is_gone_gets_nothing(desk: Desk) -> None:
    order = desk.paid()
    desk.erase(order)
    desk.work()
    assert (desk.states(), desk.mails()[0].reason, desk.mails()[0].to) == (["withheld"], "no_address", None)
    with pytest.raises(ProblemError, match="no_address"):
        desk.send(order, "confirmation")
    assert desk.post.taken == []


def test_an_order_that_is_gone_is_not_confirmed(desk: Desk) -> None:
    order = desk.paid()
    desk.store.write(lambda tx: tx.execute(delete(orders_table).where(orders_table.c.id == order.id)))
    desk.work()
    assert desk.mails()[0].reason == "order_gone"


def test_pressed_twice_at_the_same_moment_it_is_one_mail(desk: Desk) -> None:
    order = desk.paid()
    desk.work()
    gate = threading.Barrier(4)
    asked: list[tuple[str, str, bool]] = []

    def press() -> None:
        gate.wait(10)
        queued = desk.send(order, "confirmation", hold_seconds=5)
        asked.append((queued.mail_id, queued.job.id, queued.job.new))

    hands = [threading.Thread(target=press) for _ in range(4)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join(20)
    assert len({(mail_id, job_id) for mail_id, job_id, _ in asked}) == 1
    assert sorted(new for _, _, new in asked) == [False, False, False, True]
    assert desk.work(5 * SECOND) == 1
    assert len(desk.post.taken) == 2
    assert desk.entries(order) == ["order.email.confirmation_sent"] * 2
    counted = desk.store.read(
        lambda tx: [tx.execute(select(func.count()).select_from(table)).scalar() for table in (mail, job)]
    )
    assert counted == [2, 2]


def test_until_the_window_closes_it_can_be_taken_back(desk: Desk) -> None:
    order = desk.paid()
    desk.work()
    desk.set({"actions.undo_seconds": "5"})
    queued = desk.send(order, "confirmation", hold_seconds=None)
    assert desk.work(5 * SECOND - 1) == 0
    desk.store.write(lambda tx: jobs.cancel(tx, queued.job.id))
    assert desk.work(MINUTE) == 0
    assert desk.states() == ["sent", "cancelled"]
    assert len(desk.post.taken) == 1
    assert desk.send(order, "confirmation").job.new, "and then be asked for anew"


def test_an_order_is_confirmed_once_whatever_comes_again(desk: Desk) -> None:
    order = desk.paid()
    desk.work()
    desk.shop.pay(order)
    desk.shop.pay(order, reference="cs_other", intent="pi_other")
    assert desk.work() == 0
    assert len(desk.post.taken) == 1


@pytest.mark.parametrize("hostile", SHORT[::3], ids=[one.name for one in SHORT[::3]])
def test_hostile_names_in_the_vault(desk: Desk, hostile: Hostile) -> None:
    if "\0" in hostile.text or any("\ud800" <= sign <= "\udfff" for sign in hostile.text):
        pytest.skip("no database stores it, and no request brings it")
    name = hostile.text[:200] or "x"
    place = {"name": name, "line1": name, "city": name}
    items = [{"name": name, "quantity": 1, "unit_price": 100}]
    order = desk.paid(
        customer={"email": "mary@example.com", "name": name, "address": place}, items=items, shipping=None
    )
    desk.shop.step(order.id, "shipped", carrier=name, tracking_number=name)
    desk.work()
    assert desk.states() == ["sent", "sent"]
    for taken in desk.post.taken:
        assert taken.message["To"] == "mary@example.com"
        assert taken.message.keys() == [
            *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"),
            *("Content-Type", "Content-Transfer-Encoding", "MIME-Version"),
        ]
        text = taken.text
        assert not [sign for sign in text if sign != "\n" and (sign < " " or "\x7f" <= sign < "\xa0")]
        assert not set(text) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028")
    assert "Total" in desk.post.taken[0].text.split("─\n")[-1].split("\n")[0]


def test_no_link_of_a_stranger_in_the_greeting(desk: Desk) -> None:
    desk.paid(customer={"email": "victim@example.com", "name": "You won! See https://evil.example"})
    desk.work()
    assert "evil" not in desk.post.taken[0].text
    assert desk.post.taken[0].text.startswith("Thank you for your order.\n")


def test_nobodys_address_stands_in_what_is_kept(desk: Desk) -> None:
    order = desk.paid()
    desk.post.refuse("mary@example.com", "550 <mary@example.com> Mary is not here")
    desk.work()
    words = desk.all_words()
    assert "mary@example.com" not in words
    params = desk.store.read(lambda tx: tx.execute(select(activity.c.params)).scalars().all())
    assert "mary" not in str(params).lower()
    assert "550 <⟨address⟩> Mary is not here" in desk.shop.texts(order)[0]
