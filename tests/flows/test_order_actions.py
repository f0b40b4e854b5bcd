"""What leaves the shop from an order: explained first, sent once, taken back in time, and told of afterwards."""

from __future__ import annotations

import httpx
import pytest

from server.practice.providers.answers import DROP_AFTER, refused
from tests.flows.conftest import Play
from tests.flows.outside import Outside
from tests.flows.world import Desk
from tui.api.client import Client
from tui.api.jobs import JobQuery, jobs
from tui.api.outside import submit
from tui.widgets.blocks import Happening

SIZES = [(60, 20), (80, 24), (120, 30)]
sized = pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)


def plain(desk: Desk) -> str:
    """What the screen says, as one line without bars."""
    return " ".join(desk.text.replace("┃", " ").replace("│", " ").split())


def story(desk: Desk) -> list[str]:
    """What the open story says happened, seen or not."""
    return [block.message for block in desk.shell.section.story.blocks if isinstance(block, Happening)]


# -- retry ----------------------------------------------------------------------------------------------


@sized
def test_a_failed_submission_is_explained(shop: Outside, act: Play, size: tuple[int, int]) -> None:
    """What was tried and why it failed, what would be sent to whom, and that nothing happens by itself."""
    number = shop.fail()

    async def script(desk: Desk) -> None:
        await desk.press("R")
        assert f"Submit again · {number}" in desk.text
        assert "By itself  no further attempt comes" in desk.text
        assert "variant out" in desk.text
        assert "2 × Heavy Cotton Tee, M Black" in desk.text  # noqa: RUF001
        assert "⏎ ↗ submit again" in desk.text
        assert shop.jobs("order.submit")[0]["state"] == "exhausted"  # nothing was asked for yet

    act(script, size=size, picture=True)


@sized
def test_while_it_waits_the_seconds_are_told(shop: Outside, act: Play, size: tuple[int, int]) -> None:
    number = shop.fail()

    async def script(desk: Desk) -> None:
        await desk.press("enter", "R", "enter")
        assert f"Submits {number} to Printify in 5 s · z takes it back" in desk.bar("status")
        assert "┃ Submits in 5 s · z takes it back" in desk.text
        await shop.second(desk, 2)
        assert f"Submits {number} to Printify in 3 s" in desk.bar("status")
        assert "┃ Submits in 3 s · z takes it back" in desk.text
        assert "R ↗ retry submission" not in desk.text  # it is under way

    act(script, size=size, picture=True)


def test_taken_back_nothing_reaches_the_provider(shop: Outside, act: Play) -> None:
    number = shop.fail()
    asked = shop.printify.count("submit")

    async def script(desk: Desk) -> None:
        await desk.press("R", "enter", "z")
        assert f"Taken back before it left: {number} is not submitted" in desk.bar("status")
        shop.later(3600)
        await shop.through(desk)
        assert shop.printify.count("submit") == asked
        assert shop.held(number) == []
        assert shop.jobs("order.submit")[0]["state"] == "cancelled"
        await desk.press("z")
        assert desk.bar("status").startswith("Nothing to undo.")
        await desk.press("Z")
        assert desk.bar("status").startswith("Nothing to do again.")  # what leaves is explained first

    act(script)


def test_after_the_window_it_is_submitted_once(shop: Outside, act: Play) -> None:
    number = shop.fail()

    async def script(desk: Desk) -> None:
        before = shop.world.attention
        await desk.press("enter", "R", "enter")
        await shop.second(desk, 5)
        assert "takes it back" not in desk.text
        await shop.through(desk)
        assert len(shop.held(number)) == 1
        assert f"✓ Submitted {number} to Printify" in desk.bar("status")
        assert "Submission retried — attempt 1 of 3" in story(desk)
        assert any(line.startswith("Submitted to Printify") for line in story(desk))
        assert (before, shop.world.attention) == (2, 0)  # the failure, and that the job gave up
        assert "⚑" not in desk.bar("identity")
        shop.later(3600)
        await shop.through(desk)
        assert len(shop.held(number)) == 1
        await desk.press("z")
        assert "Sent to Printify at 10:54: cannot be taken back. Cancel it there." in desk.bar("status")
        await desk.press("z")
        assert "Nothing to undo." in desk.bar("status")

    act(script)


def test_a_retry_that_fails_again_says_so_and_when_it_goes_on(shop: Outside, act: Play) -> None:
    number = shop.fail()

    async def script(desk: Desk) -> None:
        shop.printify.script("submit", refused("the press is down", 503))
        await desk.press("R", "enter")
        await shop.second(desk, 5)
        await shop.through(desk)
        assert f"Submission of {number} to Printify failed" in desk.bar("status")
        assert "Tried again at" in desk.bar("status")
        assert "attempt 2 of 3" in desk.bar("status")
        await desk.press("R")
        assert "It is on its way already. Submits at" in desk.text
        assert "⏎" not in desk.text.split("By itself")[0]
        await desk.press("enter")
        assert len(shop.jobs("order.submit")) == 2  # the first, and this one
        await desk.press("escape", "z")
        assert f"Taken back: {number} is not tried again" in desk.bar("status")

    act(script)


@sized
def test_a_permanent_cause_that_is_unchanged_is_refused_with_the_reason(
    shop: Outside, act: Play, size: tuple[int, int]
) -> None:
    number = shop.order(known=False)
    shop.work()

    async def script(desk: Desk) -> None:
        await desk.press("R")
        assert "It would fail again in the same way" in plain(desk)
        assert "submit again" not in desk.text
        assert "esc back" in desk.text
        await desk.press("enter")
        assert desk.bar("status").startswith("✖")
        assert len(shop.jobs("order.submit")) == 1
        assert shop.held(number) == []

    act(script, size=size, picture=True)


def test_an_order_that_the_provider_has_says_so(shop: Outside, act: Play) -> None:
    number = shop.order()
    shop.work()

    async def script(desk: Desk) -> None:
        await desk.press("R")
        assert "The provider has this order." in desk.text
        assert f"Printify   has it as {shop.held(number)[0]['id']}" in desk.text
        await desk.press("enter")
        assert len(shop.jobs("order.submit")) == 1

    act(script, picture=True)


def test_an_order_that_may_have_arrived_is_asked_for_first(shop: Outside, act: Play) -> None:
    """Its answer was lost; a retry finds it there and makes no second one."""
    shop.printify.script("submit", DROP_AFTER)
    shop.printify.script("find", *[refused("later", 503)] * 2)
    number = shop.order()
    for _ in range(3):
        shop.work()
        shop.later(600)

    async def script(desk: Desk) -> None:
        await desk.press("R")
        assert "Printify may have it: it is asked first" in desk.text
        await desk.press("enter")
        await shop.second(desk, 5)
        await shop.through(desk)
        assert f"Submitted {number} to Printify" in desk.bar("status")
        assert len(shop.held(number)) == 1
        assert shop.printify.count("submit") == 1

    act(script)


def test_an_order_is_submitted_for_the_first_time(shop: Outside, act: Play) -> None:
    shop.set(fulfilment__automatic="off")
    number = shop.order()

    async def script(desk: Desk) -> None:
        await desk.press("R")
        assert f"Submit · {number}" in desk.text
        assert "Printify   does not have it" in desk.text
        await desk.press("enter")
        await shop.second(desk, 5)
        await shop.through(desk)
        assert len(shop.held(number)) == 1

    act(script)


# -- two at once, and who may not -----------------------------------------------------------------------


def test_two_clients_at_the_same_moment_are_one_job(shop: Outside, act: Play) -> None:
    number = shop.fail()

    async def script(desk: Desk) -> None:
        await desk.press("R")
        other: Client = shop.world.client("support")()
        asked = await submit(other, number)
        assert asked.new
        await desk.press("enter")
        assert f"{number} is on its way already: submits in 5 s, asked by" in desk.bar("status")
        found = await jobs(other, JobQuery(tab="waiting", kind="order.submit"))
        assert len(found.items) == 1
        await desk.press("z")
        assert "Nothing to undo." in desk.bar("status")  # it is the other's to take back
        await desk.press("enter")
        assert "┃ Submits in 5 s · asked by" in desk.text
        shop.later(5)
        await shop.through(desk)
        assert len(shop.held(number)) == 1
        await other.close()

    act(script)


def test_pressed_twice_it_is_asked_for_once(shop: Outside, act: Play) -> None:
    shop.fail()

    async def script(desk: Desk) -> None:
        await desk.press("R")
        await desk.pilot.press("enter", "enter")
        await desk.settle()
        assert len(shop.jobs("order.submit")) == 2  # the one that gave up, and one more

    act(script)


@pytest.mark.parametrize("key", ["R", "M"])
def test_a_reader_sees_why_not(shop: Outside, act: Play, key: str) -> None:
    shop.fail()

    async def script(desk: Desk) -> None:
        assert "retry" not in desk.bar("footer")
        await desk.press(key)
        assert "Your role may look at this, not" in desk.text
        await desk.press("enter")
        assert "send" not in desk.bar("footer")
        assert desk.bar("status").startswith("✖ It is not sent")
        assert len(shop.jobs("order.submit")) == 1

    app = shop.world.app("readonly", clock=shop.seen)
    act(script, app=app, picture=key == "R")


def test_a_reader_may_not_ask_the_provider(shop: Outside, act: Play) -> None:
    shop.order()
    shop.work()

    async def script(desk: Desk) -> None:
        await desk.press("U")
        assert "Your role may look at this, not do it." in desk.bar("status")
        assert shop.jobs("order.refresh") == []

    act(script, app=shop.world.app("readonly", clock=shop.seen))


# -- the panel ------------------------------------------------------------------------------------------


def test_the_panel_keeps_the_list_and_goes_with_its_record(shop: Outside, act: Play) -> None:
    first = shop.fail()
    second = shop.fail()

    async def script(desk: Desk) -> None:
        await desk.press("R")
        assert f"Submit again · {second}" in desk.text
        assert "CUSTOMER" in desk.text
        await desk.press("J")
        assert "Submit again" not in desk.text
        assert f"{first} · Tom Avery" in desk.text
        await desk.press("R", "q")
        assert "Submit again" not in desk.text
        assert desk.pilot.app.is_running

    act(script, size=(120, 30))


def test_offline_while_pressing(shop: Outside, act: Play) -> None:
    """Nothing is lost and nothing sent twice: the panel stays, and Enter tries again."""
    number = shop.fail()

    async def script(desk: Desk) -> None:
        await desk.press("R")
        shop.world.line.cut = True
        await desk.press("enter")
        assert f"Submit again · {number}" in desk.text
        assert "Is the server running" in plain(desk)
        assert "⏎ ↗ submit again" in desk.text
        shop.world.line.cut = False
        await desk.press("enter")
        assert "takes it back" in desk.bar("status")
        assert len(shop.jobs("order.submit")) == 2
        shop.world.line.cut = True
        await desk.press("z")
        assert desk.bar("status").startswith("✖")
        shop.world.line.cut = False
        await desk.press("z")
        assert "Taken back before it left" in desk.bar("status")

    act(script, picture=False)


def test_offline_before_it_is_explained(shop: Outside, act: Play) -> None:
    shop.fail()

    async def script(desk: Desk) -> None:
        shop.world.line.cut = True
        await desk.press("R")
        assert "tries again" in desk.text
        await desk.press("enter")
        assert len(shop.jobs("order.submit")) == 1
        shop.world.line.cut = False
        await desk.press("ctrl+r")
        assert "⏎ ↗ submit again" in desk.text

    act(script)


def test_what_changed_under_the_panel_is_refused_with_the_servers_words(shop: Outside, act: Play) -> None:
    """Another reader cancelled the order after it was explained."""
    number = shop.fail()

    async def script(desk: Desk) -> None:
        await desk.press("R")
        shop.world.step(number, "cancelled", reason="the customer changed their mind")
        await desk.press("enter")
        assert "This order is cancelled." in desk.text
        assert "↗ submit" not in desk.text

    act(script)


def test_a_story_without_routes_of_later_servers_is_told(shop: Outside, act: Play) -> None:
    """A server that knows no mails and no jobs still tells what happened."""
    number = shop.order()

    def older(request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.endswith("/mails") and request.url.path != "/v1/jobs":
            return None
        body = {"title": "Not found", "status": 404, "code": "not_found"}
        return httpx.Response(404, json=body, headers={"content-type": "application/problem+json"})

    shop.world.line.spoiled = older

    async def script(desk: Desk) -> None:
        await desk.press("enter")
        assert f"{number} · Tom Avery" in desk.text
        assert "Order placed" in desk.text

    act(script)


@sized
def test_the_story_of_an_order_that_was_tried(shop: Outside, act: Play, size: tuple[int, int]) -> None:
    """What happened, the attempts on one line, the mails."""
    shop.fail()

    async def script(desk: Desk) -> None:
        await desk.press("enter", "G")
        await desk.press("pagedown")

    act(script, size=size, picture=True)


@pytest.mark.parametrize("theme", ["shopbell-light", "ansi-dark"])
def test_the_panel_in_other_dress(shop: Outside, act: Play, theme: str) -> None:
    shop.fail()

    async def script(desk: Desk) -> None:
        await desk.press("R")

    act(script, size=(120, 30), app=shop.world.app(theme=theme, clock=shop.seen), picture=True)


def test_the_panel_in_ascii(shop: Outside, act: Play) -> None:
    shop.fail()

    async def script(desk: Desk) -> None:
        await desk.press("R")
        assert "┃" not in desk.text

    act(script, app=shop.world.app(ascii_only=True, clock=shop.seen), picture=True)
