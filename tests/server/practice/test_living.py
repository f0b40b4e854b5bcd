"""The practice shop works: jobs, local providers and mails, at moments that the tests choose, with nobody sleeping."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import select

from server.carts.models import cart
from server.content.models import file, file_body
from server.fulfilment.models import submission
from server.jobs.models import job
from server.kit.clock import HOUR, MINUTE, SECOND, parse_instant
from server.mail.models import mail
from server.orders.models import order
from server.practice import photo
from server.practice.agenda import Post
from server.practice.driver import Driver
from server.practice.questions import QUESTIONS, answer, ask, close, thank
from server.practice.state import State
from server.practice.stories import abandoned, plain
from server.practice.tale import Tale
from server.recovery.models import abandoned_cart, suppression
from server.settings import service as settings
from server.tickets.models import comment, ticket
from tests.server.practice.test_driver import OPENED, Shop, shop

T = TypeVar("T")


def opened(
    data: Path, then: Callable[[Shop, Driver], Awaitable[T]], state: State | None = None, now: int = OPENED
) -> T:
    """Open a shop of two days, and do something in it."""

    async def run() -> T:
        async with shop(data, state, now=now) as one:
            driver = one.driver(2)
            await driver.open()
            assert (driver.refused, one.house.errands.surprises) == (0, 0)
            return await then(one, driver)

    return asyncio.run(run())


def rows(one: Shop, table: Any, *conditions: Any) -> list[Any]:
    return one.store.read(lambda tx: list(tx.execute(select(table).where(*conditions)).all()))


async def placed(one: Shop, driver: Driver, tell: Callable[[Tale], object], *, manner: str = "plain") -> Tale:
    """A customer of the present, whose order the provider takes in such a manner; they write to an open mailbox."""
    dice = driver._life.dice("a test")
    tale = driver._life.customer(dice, "a-test", OPENED + SECOND, ours=True)
    tale.manner = manner
    one.state.manners[tale.order.customer.email] = "open"
    tell(tale)
    for action in tale.told():
        if action.at < OPENED + 30 * 24 * HOUR:
            await driver._pass_until(action.at)
            await driver._play(action)
    return tale


def mine(one: Shop, tale: Tale) -> Any:
    """The order of a tale, by its newest customer."""
    email = tale.order.customer.email
    taken = [row for row in rows(one, order, order.c.created_at > OPENED) if _email(one, row) == email]
    return max(taken, key=lambda row: row.created_at)


def _email(one: Shop, row: Any) -> str | None:
    from server.people import service as people

    return one.store.read(lambda tx: people.people(tx, [row.person_id])[row.person_id].email)


def test_it_is_connected_to_local_servers_and_says_so(tmp_path: Path) -> None:
    async def look(one: Shop, driver: Driver) -> None:
        del driver
        told = await one.reader.get("/v1/settings")
        shown = {row["name"]: row for group in told["groups"] for row in group["settings"]}
        assert shown["shop.environment"]["value"] == "practice"
        for name in ("printify.url", "printful.url"):
            assert shown[name]["value"].startswith("http://127.0.0.1:")
        assert shown["mail.smtp.host"]["value"] == "127.0.0.1"
        assert shown["recovery.enabled"]["value"] == "on"
        for provider in ("printify", "printful"):
            result = await one.reader.post(f"/v1/settings/tests/{provider}", {})
            assert result["ok"], result
            assert "for practice" in result["message"]
        assert (await one.reader.post("/v1/settings/tests/mail", {}))["ok"]
        products = await one.reader.every("/v1/products")
        assert len(products) == 12
        assert all(secret not in json.dumps(told) for secret in one.state.keys.values())

    opened(tmp_path, look)


def test_an_order_of_the_present_goes_the_whole_way(tmp_path: Path) -> None:
    async def live(one: Shop, driver: Driver) -> None:
        tale = await placed(one, driver, plain, manner="ships_soon")
        row = mine(one, tale)
        await driver._pass_until(row.paid_at + MINUTE)
        row = mine(one, tale)
        course = one.house.suppliers.temper.course(row.number, row.submitted_at)
        await driver._pass_until(course[-1].at + MINUTE)
        row = mine(one, tale)
        assert (row.handled_by, row.fulfilment_status) == ("shopbell", "delivered")
        assert row.submitted_at < row.processing_at < row.shipped_at < row.delivered_at
        kinds = [one.kind for one in rows(one, mail, mail.c.order_id == row.id) if one.state == "sent"]
        assert sorted(kinds) == ["confirmation", "shipping"]
        texts = [taken.text for taken in one.house.suppliers.mail.taken if row.number in taken.text]
        assert len(texts) == 2
        assert len(_at_providers(one, row.number)) <= 1

    opened(tmp_path, live)


def _at_providers(one: Shop, number: str) -> list[Any]:
    return [held for server in one.house.suppliers.servers.values() for held in server.held_as(number)]


@pytest.mark.parametrize("manner", ["dropped", "half"])
def test_a_dropped_answer_is_reconciled_to_one_order(tmp_path: Path, manner: str) -> None:
    async def live(one: Shop, driver: Driver) -> None:
        tale = await placed(one, driver, plain, manner=manner)
        row = mine(one, tale)
        await driver._pass_until(row.paid_at + 10 * MINUTE)
        row = mine(one, tale)
        (tried,) = rows(one, submission, submission.c.order_id == row.id)
        assert (tried.state, tried.attempts) == ("accepted", 2)
        assert len(_at_providers(one, row.number)) == 1

    opened(tmp_path, live)


def test_a_failed_one_waits_and_r_lets_it_through_once(tmp_path: Path) -> None:
    async def press(one: Shop, driver: Driver) -> None:
        failed = [row for row in rows(one, order) if row.fulfilment_status == "failed"]
        found = {row.number: (await one.reader.get(f"/v1/orders/{row.number}/submission")) for row in failed}
        assert len(failed) == 2, "believable for a day of fifteen orders"
        may = {number: _action(await one.reader.get(f"/v1/orders/{number}"), "retry") for number in found}
        open_now = sorted(number for number, action in may.items() if action["allowed"])
        assert len(open_now) == 1
        hindered = [number for number in may if number not in open_now]
        assert {may[number]["reason"] for number in hindered} == {"permanent_and_unchanged"}
        first = await one.reader.post(f"/v1/orders/{open_now[0]}/submit", {})
        second = await one.reader.post(f"/v1/orders/{open_now[0]}/submit", {})
        assert (first["new"], second["new"]) == (True, False)
        assert not _at_providers(one, open_now[0])
        await driver._pass_until(OPENED + 4 * SECOND)
        assert not _at_providers(one, open_now[0]), "it can still be taken back"
        await driver._pass_until(OPENED + 5 * SECOND)
        assert len(_at_providers(one, open_now[0])) == 1
        await driver._pass_until(OPENED + 17 * MINUTE)
        again = _action(await one.reader.get(f"/v1/orders/{hindered[0]}"), "retry")
        assert again["allowed"], "the variant is back, and the shop has heard of it"
        await driver._pass_until(OPENED + 90 * MINUTE)
        assert all(len(_at_providers(one, number)) == 1 for number in found), "the staff saw to the others"

    opened(tmp_path, press)


def _action(told: Any, name: str) -> Any:
    return next(action for action in told["actions"] if action["name"] == name)


def test_forged_webhooks_are_refused(tmp_path: Path) -> None:
    async def forge(one: Shop, driver: Driver) -> None:
        suppliers = one.house.suppliers
        (held,) = [
            held
            for held in suppliers.printify.orders
            if suppliers.printify.orders[held]["status"] == "on-hold"
        ][:1]
        with one.clock.at(OPENED + SECOND):
            hook = suppliers.printify.hook("order:shipment:delivered", held, {})
        forged = suppliers.printify.signed(hook.body, "guessed")
        before = await one.reader.entries()
        for claimed, surprises in ((True, 0), (False, 1)):
            due = Post(OPENED + SECOND, "printify", forged.headers, forged.body, forged=claimed)
            await one.house.errands.do(due)
            assert one.house.errands.surprises == surprises, "the sender was refused, as a forger expects"
        assert await one.reader.entries() == before

    opened(tmp_path, forge)


def test_a_left_cart_is_reminded_of_after_an_hour_and_unsubscribing_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def leave(one: Shop, driver: Driver) -> None:
        suppliers = one.house.suppliers
        monkeypatch.setattr(suppliers.temper, "leaves_after", lambda _: 3 * MINUTE)
        (cart,) = rows(one, abandoned_cart)
        assert cart.emailed_at is None
        due = cart.created_at + HOUR
        assert OPENED < due < OPENED + 30 * MINUTE
        await driver._pass_until(due - SECOND)
        assert not [sent for sent in suppliers.mail.taken if "List-Unsubscribe" in sent.message]
        await driver._pass_until(due + 10 * MINUTE)
        (sent,) = [sent for sent in suppliers.mail.taken if "List-Unsubscribe" in sent.message]
        assert "orders.sundaysocks.example" in sent.text
        (cart,) = rows(one, abandoned_cart)
        assert cart.emailed_at is not None
        assert [row.reason for row in rows(one, suppression)] == ["unsubscribed"]
        await placed(one, driver, abandoned)
        assert len(rows(one, abandoned_cart)) == 2

    opened(tmp_path, leave)


def test_the_past_makes_no_jobs(tmp_path: Path) -> None:
    async def fill() -> None:
        async with shop(tmp_path) as one:
            driver = one.driver(5)
            await driver.open()
            before = rows(one, job)
            numbers = {row.id: row.handled_by for row in rows(one, order)}
            await driver.fill()
            assert len(rows(one, order)) > len(numbers) + 20
            assert rows(one, job) == before
            whole = {row.id: row.handled_by for row in rows(one, order)}
            assert {whole[row.order_id] for row in rows(one, job) if row.order_id} == {"shopbell"}

    asyncio.run(fill())


def test_the_same_seed_makes_the_same_present(tmp_path: Path) -> None:
    async def afternoon(one: Shop, driver: Driver) -> tuple[list[Any], Counter[str]]:
        await driver.catch_up(OPENED + 50 * MINUTE)
        assert (driver.refused, one.house.errands.surprises) == (0, 0)
        kinds = Counter(entry["type"] for entry in await one.reader.entries())
        return await one.reader.told(), kinds

    first, kinds = opened(tmp_path / "one", afternoon)
    second, _ = opened(tmp_path / "two", afternoon)
    assert first == second
    wanted = {
        "order.submission_failed",
        "order.submission_retried",
        "order.shipped",
        "order.came_late",
        "email.bounced",
    }
    wanted |= {"order.email.confirmation_sent", "order.email.shipping_sent", "sync.completed"}
    assert wanted <= set(kinds)


def test_tomorrow_it_goes_on(tmp_path: Path) -> None:
    """Closed after half an hour and opened again a day later: what was under way has gone on, each at its moment."""

    async def first(one: Shop, driver: Driver) -> State:
        await driver.catch_up(OPENED + 20 * MINUTE)
        return one.state

    async def tomorrow(one: Shop, driver: Driver) -> tuple[int, list[Any]]:
        ports = (one.state.ports, one.store.read(lambda tx: settings.get(tx, "printify.url")))
        assert str(ports[0]["printify"]) in ports[1]
        await driver.catch_up()
        assert (driver.refused, one.house.errands.surprises) == (0, 0)
        stuck = [
            row
            for row in rows(one, order)
            if row.handled_by == "shopbell" and row.fulfilment_status == "submitted"
        ]
        assert all(row.submitted_at > OPENED + 18 * HOUR for row in stuck), (
            "the providers remember their orders"
        )
        moments = [row.processing_at for row in rows(one, order) if row.processing_at]
        return len([at for at in moments if at > OPENED + 30 * MINUTE]), await one.reader.entries()

    state = opened(tmp_path, first)
    made, entries = opened(tmp_path, tomorrow, state, OPENED + 26 * HOUR)
    assert made > 10
    late = [
        e
        for e in entries
        if e["type"] == "order.submitted" and parse_instant(e["inserted_at"]) > OPENED + 30 * MINUTE
    ]
    assert len({entry["inserted_at"][:13] for entry in late}) > 4, "through the night, not all at once"


def test_customers_ask_and_the_colleague_answers(tmp_path: Path) -> None:
    """At the opening some wait for an answer; what was asked before it came to an end, in the customers' own words."""

    async def look(one: Shop, driver: Driver) -> None:
        del driver
        asked = rows(one, ticket)
        waiting = [row for row in asked if row.status == "open"]
        assert {row.priority for row in waiting} >= {"high", "urgent"} or len(waiting) >= 3
        assert all(row.order_id is not None for row in asked)
        assert len(rows(one, cart)) == 2

    opened(tmp_path, look)


def test_a_conversation_takes_its_course(tmp_path: Path) -> None:
    async def talk(one: Shop, driver: Driver) -> None:
        question = next(each for each in QUESTIONS if each.thanks and each.note and each.photo)

        def tell(tale: Tale) -> None:
            plain(tale)
            ask(tale, question, OPENED + 20 * MINUTE)
            answer(tale, question, OPENED + 40 * MINUTE)
            thank(tale, question, OPENED + 50 * MINUTE)
            close(tale, OPENED + 60 * MINUTE)

        tale = await placed(one, driver, tell)
        [made] = rows(one, ticket, ticket.c.order_id == mine(one, tale).id)
        assert (made.status, made.priority, made.comment_count) == ("resolved", question.priority, 2)
        assert made.assigned_to is not None
        said = rows(one, comment, comment.c.ticket_id == made.id)
        assert [(row.author_kind, bool(row.is_internal)) for row in sorted(said, key=lambda row: row.id)] == [
            ("staff", True),
            ("staff", False),
            ("customer", False),
        ]
        [picture] = rows(one, file, file.c.ticket_id == made.id)
        assert (picture.name, picture.person_id) == (photo.NAME, made.person_id)
        [held] = rows(one, file_body, file_body.c.file_id == picture.id)
        assert bytes(held.content) == photo.photo()
        assert driver.refused == 0

    opened(tmp_path, talk)
