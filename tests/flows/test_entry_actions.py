"""Mails, questions to the provider, and what entries and syncs offer: explained, sent, told of."""

from __future__ import annotations

from server.practice.providers.answers import refused
from tests.flows.conftest import Play
from tests.flows.outside import Outside
from tests.flows.test_order_actions import plain, sized
from tests.flows.world import Desk, World
from tui.api.outside import submit

# -- mails ----------------------------------------------------------------------------------------------


@sized
def test_mails_are_chosen_and_what_cannot_be_sent_says_why(
    shop: Outside, act: Play, size: tuple[int, int]
) -> None:
    shop.order()
    shop.work()

    async def script(desk: Desk) -> None:
        await desk.press("M")
        assert "▌ Order confirmation" in desk.text
        assert "The order is not on its way yet." in plain(desk)
        assert "tom@example.com" in desk.text
        await desk.press("j")
        assert "▌ Order confirmation" in desk.text  # the other cannot be chosen

    act(script, size=size, picture=True)


def test_a_confirmation_is_sent_again(shop: Outside, act: Play) -> None:
    number = shop.order()
    shop.work()

    async def script(desk: Desk) -> None:
        await desk.press("enter", "M", "enter")
        assert f"Sends the order confirmation of {number} in 5 s · z takes it back" in desk.bar("status")
        assert "┃ Sends a mail in 5 s · z takes it back" in desk.text
        await shop.second(desk, 5)
        await shop.through(desk)
        assert [taken.recipient for taken in shop.post.taken] == ["tom@example.com"] * 2
        assert f"Order confirmation of {number} sent to tom@example.com" in desk.bar("status")
        assert desk.text.count("Order confirmation sent to tom@example.com") >= 2
        await desk.press("z")
        told = f"The order confirmation of {number} left at 10:14: a mail cannot be taken back."
        assert told in desk.bar("status")

    act(script)


def test_a_mail_is_taken_back(shop: Outside, act: Play) -> None:
    number = shop.order()
    shop.work()

    async def script(desk: Desk) -> None:
        await desk.press("M", "enter", "z")
        assert f"Taken back before it left: the order confirmation of {number}" in desk.bar("status")
        shop.later(60)
        await shop.through(desk)
        assert len(shop.post.taken) == 1
        await desk.press("enter")
        assert "Order confirmation taken back" in desk.text

    act(script)


def test_an_order_without_mails_to_send_says_why(shop: Outside, act: Play) -> None:
    shop.order(paid=False)

    async def script(desk: Desk) -> None:
        await desk.press("M")
        assert "The order is not paid." in desk.text
        await desk.press("enter")
        assert desk.bar("status").startswith("✖ It is not sent")

    act(script)


# -- the provider is asked ------------------------------------------------------------------------------


def test_the_provider_is_asked_how_far_it_is(shop: Outside, act: Play) -> None:
    number = shop.order()
    shop.work()

    async def script(desk: Desk) -> None:
        shop.printify.to_production(shop.held(number)[0]["id"])
        await desk.press("U")
        assert f"Asks Printify about {number}…" in desk.bar("status")
        await shop.through(desk)
        assert f"Printify was asked about {number}: in production" in desk.bar("status")
        assert "in production" in desk.cursor
        await desk.press("z")
        assert "Printify was asked at 10:14: that changed nothing there." in desk.bar("status")

    act(script)


def test_nobody_has_it_yet(shop: Outside, act: Play) -> None:
    shop.fail(number=shop.order(known=False))

    async def script(desk: Desk) -> None:
        await desk.press("U")
        assert "No provider has this order yet." in desk.bar("status")

    act(script)


# -- entries --------------------------------------------------------------------------------------------


def test_an_entry_is_retried(shop: Outside, act: Play) -> None:
    number = shop.fail()

    async def script(desk: Desk) -> None:
        await desk.press("2", "slash", *"submission", "enter")
        assert "┃ R ↗ retry" in desk.text
        await desk.press("R")
        assert f"Submit again · {number}" in desk.text
        await desk.press("escape")
        assert "┃ R ↗ retry" in desk.text
        await desk.press("R", "enter")
        await shop.second(desk, 5)
        await shop.through(desk)
        assert len(shop.held(number)) == 1

    act(script, size=(120, 30))


def test_an_entry_whose_order_is_submitted_meanwhile_offers_no_retry(shop: Outside, act: Play) -> None:
    number = shop.fail()

    async def script(desk: Desk) -> None:
        await desk.press("2", "slash", *"variant", "enter")
        other = shop.world.client("support")()
        await submit(other, number)
        await other.close()
        shop.later(5)
        await shop.through(desk)
        assert "┃ R ↗ retry" not in desk.text
        await desk.press("R")
        assert "The provider has this order." in desk.text
        assert "↗ submit" not in desk.text

    act(script, size=(120, 30))


def test_an_entry_that_did_not_fail_has_nothing_to_retry(shop: Outside, act: Play) -> None:
    shop.order()
    shop.work()

    async def script(desk: Desk) -> None:
        await desk.press("2", "slash", *"placed", "enter", "R")
        assert "Only what failed can be retried." in desk.bar("status")
        await desk.press("M")
        assert "Order confirmation" in desk.cursor

    act(script)


def test_a_failed_sync_is_retried(shop: Outside, act: Play) -> None:
    shop.printify.always("*", refused("no such shop", 401))
    shop.sync()
    shop.printify.always("*", None)

    async def script(desk: Desk) -> None:
        await desk.press("2", "slash", *"sync failed", "enter", "R")
        assert "Sync products · Printify" in desk.text
        assert "State      failed" in desk.text
        await desk.press("enter")
        await shop.through(desk)
        assert "Synced 1 product of Printify: 0 new, 0 changed" in desk.bar("status")

    act(script, picture=True)


def test_products_are_synced_from_the_palette(shop: Outside, act: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("ctrl+p", *"sync products", "enter")
        assert "Syncs the products of Printify…" in desk.bar("status")
        await shop.through(desk)
        assert "Synced 1 product of Printify" in desk.bar("status")

    act(script)


def test_without_a_provider_there_is_nothing_to_sync(empty_world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("colon", *"sync.products", "enter")
        assert "The provider is not connected" in desk.bar("status")

    play(script, picture=False)
