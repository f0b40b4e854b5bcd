"""The mail of a reply: it carries what staff answered, as it is when it leaves, and nothing else ever leaves."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from server.kit.clock import FrozenClock
from server.kit.db import Store
from server.people.models import person
from server.practice.mail_server import MailServer
from server.tickets.models import comment
from tests.server.mail.desk import Desk
from tests.server.tickets.counter import Counter

UNDO = 5_000


@pytest.fixture
def desk(store: Store, clock: FrozenClock, post: MailServer) -> Desk:
    """The shop's mail leaves through it."""
    return Desk(store, clock, post)


def test_a_reply_is_mailed_after_the_time_to_undo(counter: Counter, desk: Desk, post: MailServer) -> None:
    order = counter.order()
    which = counter.open("Where is\u202e my parcel?", name="Mary Example", order=order).id
    counter.say(which, "It is on its way.\n\nYou have it on Monday: https://example.com/track?n=1")
    assert desk.work() == 0
    assert desk.work(UNDO) == 1
    letter = post.taken[0]
    assert letter.recipient == "mary@example.com"
    text = letter.message.get_content()
    assert letter.message["Subject"] == "Re: Where is my parcel? (#1) – Wool & Co"  # noqa: RUF001
    assert text.replace("\r\n", "\n") == (
        "Hello Mary Example,\n\nwe answered your ticket #1:\n\nIt is on its way.\n\n"
        "You have it on Monday: https://example.com/track?n=1\n\n-- \nWool & Co\n"
    )
    row = desk.mails()[0]
    assert (row.kind, row.state, row.to) == ("ticket_reply", "sent", "mary@example.com")
    assert desk.work(60_000) == 0


def test_what_leaves_is_the_text_as_it_is_then(counter: Counter, desk: Desk, post: MailServer) -> None:
    which = counter.open().id
    said = counter.say(which, "Old words")
    changed = update(comment).where(comment.c.id == said.id).values(body="New words")
    counter.store.write(lambda tx: tx.execute(changed))
    desk.work(UNDO)
    assert "New words" in post.taken[0].message.get_content()


def test_notes_and_customers_words_are_mailed_to_nobody(
    counter: Counter, desk: Desk, post: MailServer
) -> None:
    mary = counter.customer()
    which = counter.open().id
    counter.note(which)
    counter.answer(which, mary)
    desk.work(UNDO)
    assert (desk.mails(), post.taken) == ([], [])


def test_a_deleted_reply_does_not_leave(counter: Counter, desk: Desk, post: MailServer) -> None:
    which = counter.open().id
    counter.unsay(which, counter.say(which).id)
    gone = counter.open().id
    counter.say(gone)
    counter.delete(gone)
    desk.work(UNDO)
    assert [(row.state, row.reason) for row in desk.mails()] == [("withheld", "comment_gone")] * 2
    assert post.taken == []


def test_the_shop_can_have_none_mailed(counter: Counter, desk: Desk, post: MailServer) -> None:
    which = counter.open().id
    counter.say(which)
    counter.set(reply_mail="off")
    counter.say(which)
    desk.work(UNDO)
    assert [(row.state, row.reason) for row in desk.mails()] == [("withheld", "switched_off")]
    assert post.taken == []


def test_who_has_no_address_any_more_gets_none(counter: Counter, desk: Desk, post: MailServer) -> None:
    made = counter.open()
    counter.say(made.id)
    assert made.customer is not None
    mine = update(person).where(person.c.id == made.customer.id)
    gone = dict.fromkeys(("name", "email", "email_key", "name_key", "phone"))
    counter.store.write(lambda tx: tx.execute(mine.values(**gone, erased_at=tx.now)))
    counter.say(made.id)
    desk.work(UNDO)
    assert [row.state for row in desk.mails()] == ["withheld"]
    assert post.taken == []
