"""What becomes of a mail when the mail server is difficult: tried again, told, sent once or not at all."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from typing import Any

import pytest
from sqlalchemy import select

from server.activity.models import activity, activity_text
from server.contract.mail import MailRow
from server.jobs import claiming
from server.jobs import service as jobs
from server.jobs.models import job, job_attempt
from server.jobs.runner import Runner
from server.kit.clock import HOUR, MINUTE, SECOND
from server.kit.config import ServerConfig
from server.kit.db import Store
from server.kit.problems import ProblemError
from server.kit.tx import Tx
from server.mail import service as mail
from server.mail import trying
from server.mail.kinds import KINDS, Compose, Mail, MailKind
from server.mail.service import Composed, Queued, Withheld
from server.orders import service as orders
from server.people import service as people
from server.practice.mail_server import HOST, MailServer
from server.settings.source import attach
from tests.server.mail.desk import Desk
from tests.server.orders.shop import caller

PASSWORD = "hunter-2-of-the-tests"


def queue(desk: Desk, kind: str = "test", **given: Any) -> Queued:
    """Ask for a mail to somebody."""

    def unit(tx: Any) -> Queued:
        person_id = people.find_or_create_customer(tx, email="mary@example.com", name="Mary Example")
        return mail.queue(tx, kind, person_id=person_id, **given)

    return desk.store.write(unit)


def saying(what: Composed | Withheld) -> Compose:
    """A kind's way of saying always the same."""

    def compose(tx: Tx, which: Mail) -> Composed | Withheld:
        return what

    return compose


def unnoted(tx: Tx, which: Mail) -> None:
    """Note nothing."""


def only(desk: Desk) -> MailRow:
    """The one mail there is."""
    (row,) = desk.mails()
    return row


def failures(desk: Desk) -> list[str]:
    """The reasons of all ``email.failed`` entries."""
    told = (
        select(activity_text.c.value)
        .join(activity, activity.c.id == activity_text.c.activity_id)
        .where(activity.c.type == "email.failed")
        .order_by(activity.c.seq)
    )
    return desk.store.read(lambda tx: list(tx.execute(told).scalars()))


def tries(desk: Desk, queued: Queued) -> list[tuple[str | None, str | None]]:
    """How the tries of a mail ended, and what was noted of each."""
    ended = select(job_attempt.c.outcome, job_attempt.c.error).where(job_attempt.c.job_id == queued.job.id)
    return desk.store.read(
        lambda tx: [tuple(row) for row in tx.execute(ended.order_by(job_attempt.c.attempt))]
    )


# -- sent at least once


def test_a_mail_that_is_refused_for_good(desk: Desk) -> None:
    desk.post.refuse("mary@example.com")
    order = desk.paid()
    assert desk.work() == 1
    assert desk.work(24 * HOUR) == 0, "it is not tried again"
    assert only(desk).state == "failed"
    assert "550 5.1.1 Nobody of that name here" in (only(desk).reason or "")
    assert desk.entries(order) == ["email.failed"], "no entry says sent"
    assert "550 5.1.1 Nobody" in failures(desk)[0]
    assert desk.shop.get(order.id).attention >= 1


def test_greylisted_it_comes_again_by_itself(desk: Desk) -> None:
    desk.post.greylist("mary@example.com")
    order = desk.paid()
    desk.work()
    assert (only(desk).state, desk.entries(order)) == ("queued", [])
    assert desk.work(MINUTE - 1) == 0
    assert desk.work(1) == 1
    assert only(desk).state == "sent"
    assert desk.entries(order) == ["order.email.confirmation_sent"]
    assert len(desk.post.taken) == 1


def test_dropped_after_the_mail_it_is_sent_again_as_the_same_mail(desk: Desk) -> None:
    desk.post.next("drop_after", "drop_before")
    order = desk.paid()
    desk.work()
    assert (only(desk).state, desk.entries(order)) == ("queued", [])
    desk.work(MINUTE)
    desk.work(5 * MINUTE)
    assert only(desk).state == "sent"
    assert desk.entries(order) == ["order.email.confirmation_sent"]
    assert len(desk.post.taken) == 2
    assert len({taken.message["Message-ID"] for taken in desk.post.taken}) == 1
    assert len({taken.text for taken in desk.post.taken}) == 1


def test_nobody_there_for_hours(desk: Desk) -> None:
    with contextlib.closing(socket.create_server((HOST, 0))) as free:
        port = free.getsockname()[1]
    desk.set({"mail.smtp.port": str(port)})
    order = desk.paid()
    for wait in (0, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR):
        assert desk.work(wait) == 1
        assert (only(desk).state, failures(desk)) == ("queued", []), "an earlier failure tells nobody"
    assert desk.work(6 * HOUR) == 1
    assert only(desk).state == "failed"
    assert len(failures(desk)) == 1
    assert "cannot be reached" in failures(desk)[0]
    assert desk.entries(order) == ["email.failed"]


def test_the_mail_server_is_back(desk: Desk) -> None:
    desk.set({"mail.smtp.port": "1"})
    order = desk.paid()
    desk.work()
    desk.set({"mail.smtp.port": str(desk.post.port)})
    desk.work(MINUTE)
    assert desk.entries(order) == ["order.email.confirmation_sent"]


def test_a_mail_that_failed_can_be_asked_for_again(desk: Desk) -> None:
    desk.post.refuse("mary@example.com")
    order = desk.paid()
    desk.work()
    failed = desk.store.read(lambda tx: tx.execute(select(job.c.id)).scalar_one())
    desk.post.refuse("mary@example.com", "")
    desk.store.write(lambda tx: jobs.retry(tx, failed, caller(), hold=5 * SECOND))
    assert desk.work() == 0
    assert desk.work(5 * SECOND) == 1
    assert only(desk).state == "sent"
    assert desk.entries(order) == ["email.failed", "order.email.confirmation_sent"]


def test_an_outcome_that_could_not_be_written_is_no_outcome(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = desk.paid()
    good = KINDS["confirmation"]

    def broken(tx: Any, which: Mail) -> None:
        raise RuntimeError("no")

    monkeypatch.setitem(
        KINDS, "confirmation", MailKind("confirmation", "Order confirmation", good.compose, broken)
    )
    desk.work()
    assert (only(desk).state, desk.entries(order)) == ("queued", [])
    monkeypatch.setitem(KINDS, "confirmation", good)
    desk.work(MINUTE)
    assert (only(desk).state, desk.entries(order)) == ("sent", ["order.email.confirmation_sent"])


def test_nothing_is_asked_for_when_the_change_does_not_stand(desk: Desk) -> None:
    order = desk.shop.order()
    payment = desk.shop.payment(order)

    def unit(tx: Any) -> None:
        orders.mark_placed(tx, order.id, payment, paid=True)
        raise RuntimeError("undone")

    with pytest.raises(RuntimeError):
        desk.store.write(unit)
    assert desk.mails() == []
    assert desk.work() == 0


# -- at most once


@pytest.mark.parametrize(("trouble", "took"), [("drop_after", 1), ("drop_before", 0)])
def test_what_must_come_at_most_once_is_left_alone_when_nobody_knows(
    desk: Desk, once: list[str], trouble: Any, took: int
) -> None:
    desk.post.next(trouble)
    queued = queue(desk)
    assert desk.work() == 1
    assert desk.work(24 * HOUR) == 0
    assert only(desk).state == "sending", "what may have left stays marked"
    assert "not known" in (only(desk).reason or "")
    assert len(failures(desk)) == 1
    assert (len(desk.post.taken), once) == (took, [])
    with pytest.raises(ProblemError) as caught:
        desk.store.write(lambda tx: jobs.retry(tx, queued.job.id, caller()))
    assert (caught.value.status, caught.value.code) == (409, "outcome_unknown")


@pytest.mark.parametrize("when", ["recipient", "mail", "greylist", "nobody"])
def test_a_clear_no_is_no_doubt(desk: Desk, once: list[str], when: str) -> None:
    if when == "recipient":
        desk.post.refuse("mary@example.com", "452 4.2.2 Full")
    elif when == "mail":
        desk.post.next("refuse_after")
    elif when == "greylist":
        desk.post.greylist("mary@example.com")
    else:
        desk.set({"mail.smtp.port": "1"})
    queued = queue(desk)
    desk.work()
    assert desk.post.taken == []
    assert only(desk).state == ("failed" if when == "mail" else "queued")
    desk.post.refuse("mary@example.com", "")
    desk.set({"mail.smtp.port": str(desk.post.port)})
    if when == "mail":
        desk.store.write(lambda tx: jobs.retry(tx, queued.job.id, caller()))
    desk.work(MINUTE)
    assert only(desk).state == "sent"
    assert once == [queued.mail_id]
    assert len(desk.post.taken) == 1


def test_the_mark_stands_before_the_mail_leaves(desk: Desk, once: list[str]) -> None:
    seen: list[str] = []
    take = desk.post._take

    def look(*given: Any) -> None:
        seen.append(only(desk).state)
        take(*given)

    desk.post._take = look  # type: ignore[method-assign,assignment]
    queue(desk)
    desk.work()
    assert seen == ["sending"]


def test_a_second_worker_finds_the_mark_and_leaves_it(desk: Desk, once: list[str]) -> None:
    """The worker is given up for dead while it hands the mail over, and comes to life again."""
    desk.post.next("hold_after")
    queue(desk)
    first = threading.Thread(target=desk.runner.drain)
    first.start()
    desk.post.wait(1)
    (held,) = desk.store.read(claiming.held)
    desk.store.write(lambda tx: claiming.rescue(tx, held))
    second = Runner(desk.store, vary=lambda: 0.5)
    assert second.drain() == 1
    desk.post.go_on()
    first.join(20)
    desk.work(24 * HOUR)
    assert len(desk.post.taken) == 1
    assert only(desk).state == "sending"


# -- kept, withheld, taken back


def test_without_a_mail_server_it_is_kept_and_never_called_sent(desk: Desk) -> None:
    desk.set({"mail.adapter": "outbox"})
    order = desk.paid()
    assert desk.work() == 1
    assert only(desk).state == "kept"
    assert only(desk).sent_at is None
    assert desk.entries(order) == ["email.kept"]
    assert desk.post.taken == []
    kept = desk.store.read(lambda tx: mail.get(tx, only(desk).id))
    assert kept.subject == "Your order SS-260223-0001 – Wool & Co"  # noqa: RUF001
    assert (kept.text or "").startswith("Thank you for your order, Mary Example.\n")
    assert kept.to == "mary@example.com"


def test_a_mail_withheld_says_why_and_leaves_no_entry(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(tx: Any, which: Mail) -> None:
        raise AssertionError

    kind = MailKind("test", "Test", saying(Withheld("suppressed")), nothing)
    monkeypatch.setitem(KINDS, "test", kind)
    queue(desk)
    desk.work()
    assert (only(desk).state, only(desk).reason) == ("withheld", "suppressed")
    assert desk.post.taken == []
    assert failures(desk) == []


def test_what_a_mail_says_is_asked_at_every_try(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def compose(tx: Any, which: Mail) -> Composed:
        asked.append(which.id)
        return Composed(f"Try {len(asked)}", "Hello\n")

    monkeypatch.setitem(KINDS, "test", MailKind("test", "Test", compose, unnoted))
    desk.post.greylist("mary@example.com")
    queue(desk)
    desk.work()
    desk.work(MINUTE)
    assert desk.post.taken[0].message["Subject"] == "Try 2"


@pytest.mark.parametrize(
    "letter",
    [
        Composed("Hello\r\nBcc: everybody@example.com", "x"),
        Composed("Hello", "x", {"Bcc": "everybody@example.com"}),
        Composed("Hello", "x", {"List-Unsubscribe": "<x>\r\nBcc: everybody@example.com"}),
    ],
    ids=["subject", "bcc", "header"],
)
def test_a_mail_that_would_hold_a_forged_header_does_not_leave(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, letter: Composed
) -> None:
    monkeypatch.setitem(KINDS, "test", MailKind("test", "Test", saying(letter), unnoted))
    queue(desk)
    desk.work()
    assert only(desk).state == "failed"
    assert "everybody" not in desk.all_words()
    assert desk.post.taken == []


def test_the_same_key_is_the_same_mail(desk: Desk, once: list[str]) -> None:
    first = queue(desk, unique="mail:test:1", delay=HOUR)
    again = queue(desk, unique="mail:test:1")
    assert (again.mail_id, again.job.id, again.job.new) == (first.mail_id, first.job.id, False)
    assert desk.work(HOUR - 1) == 0
    assert desk.work(1) == 1
    assert queue(desk, unique="mail:test:1").job.new


def test_a_kind_that_nobody_registered(desk: Desk) -> None:
    with pytest.raises(LookupError):
        queue(desk, "poem")


# -- secrets


@pytest.fixture
def guarded(store: Store, clock: Any, config: ServerConfig, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A shop whose mail server asks for another password than the shop has."""
    attach(store, config)
    with MailServer("starttls", login=("shop", "another")) as running:
        monkeypatch.setenv("SSL_CERT_FILE", str(running.certificate))
        desk = Desk(store, clock, running)
        desk.set({"mail.smtp.username": "shop", "mail.smtp.password": PASSWORD})
        yield desk


def test_no_error_holds_the_password(guarded: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    guarded.paid()
    guarded.work()
    result = trying.try_mail(guarded.store)
    assert not result.ok
    assert "refused the login" in result.message
    assert guarded.post.logins[0][2] == PASSWORD.encode(), "it was really asked for"
    words = guarded.all_words() + result.message + caplog.text
    assert "535" in words
    assert PASSWORD not in words


# -- the test mail


def test_a_test_mail_arrives_at_the_shop(desk: Desk) -> None:
    result = trying.try_mail(desk.store)
    assert result.ok, result.message
    assert desk.post.taken[0].recipient == "hello@wool.example"
    assert desk.post.taken[0].message["Subject"] == "Test mail of Wool & Co"
    assert (only(desk).kind, only(desk).state) == ("test", "sent")


def test_a_test_mail_without_a_mail_server_is_kept(desk: Desk) -> None:
    desk.set({"mail.adapter": "outbox"})
    result = trying.try_mail(desk.store)
    assert result.ok
    assert "outbox" in result.message
    assert only(desk).state == "kept"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"mail.smtp.host": ""}, "set mail.smtp.host"),
        ({"mail.from_address": ""}, "set mail.from_address"),
        ({"mail.smtp.security": "starttls"}, "offers no STARTTLS"),
        ({"mail.smtp.port": "1"}, "cannot be reached"),
    ],
)
def test_a_test_mail_says_what_to_do(desk: Desk, values: dict[str, str], said: str) -> None:
    desk.set(values)
    result = trying.try_mail(desk.store)
    assert not result.ok
    assert said in result.message
    assert desk.mails() == []
