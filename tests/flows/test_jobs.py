"""The Jobs section: what fails is read and retried, what waits is withdrawn, queues are paused and go on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.flows.conftest import Play
from tests.flows.workshop import Workshop, keep_busy, workshop
from tests.flows.world import Desk, World
from tui.screens.shell import LEAST

SIZES = [LEAST, (60, 20), (80, 24), (120, 30)]


@pytest.fixture
def shop(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workshop]:
    with workshop(world, monkeypatch) as found:
        yield found


@pytest.fixture
def busy(shop: Workshop) -> dict[str, str]:
    return keep_busy(shop)


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
def test_jobs(busy: dict[str, str], play: Play, size: tuple[int, int]) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("6")

    play(script, size=size)


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
def test_a_failed_job_open(busy: dict[str, str], play: Play, size: tuple[int, int]) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("6")
        desk.shell.section.list.go_to(busy["exhausted"])
        await desk.press("enter")

    play(script, size=size)


@pytest.mark.parametrize("theme", ["shopbell-light", "ansi-dark"])
def test_jobs_in_other_themes(world: World, busy: dict[str, str], play: Play, theme: str) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("6", "j")

    play(script, size=(120, 30), app=world.app(theme=theme))


def test_jobs_in_ascii(world: World, busy: dict[str, str], play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("6")
        stand_on(desk, busy["running"])
        await desk.press("enter")
        assert desk.text.isascii()

    play(script, app=world.app(ascii_only=True))


def stand_on(desk: Desk, job_id: str) -> None:
    """Go to a job."""
    assert desk.shell.section.list.go_to(job_id)


def test_a_job_that_gave_up_is_read_retried_and_done(
    world: World, shop: Workshop, busy: dict[str, str], play: Play
) -> None:
    """In the list R shows the attempts first; in the story it tries again, and what came of it is told."""

    async def script(desk: Desk) -> None:
        await desk.press("6", *["right_square_bracket"] * 4)
        assert "[Exhausted] 1" in desk.text
        await desk.press("R")
        assert "This is what became of it so far." in desk.bar("status")
        assert desk.text.count("failed · Printify says: variant 4012") == 3
        assert "Gave up after 3 attempts" in desk.text
        await desk.press("R")
        assert "tried again in 5 s · z takes it back" in desk.bar("status")
        assert "held until 10:14:05" in desk.text.casefold()
        assert shop.job(busy["exhausted"])["held_until"] is not None
        shop.work()
        assert shop.job(busy["exhausted"])["state"] == "waiting"  # not before its time
        world.clock.advance(5000)
        shop.work()
        await desk.poll()
        assert shop.job(busy["exhausted"])["state"] == "done"
        assert desk.bar("status").startswith("✓ Submit order SS-260223-0009: done")
        assert "attempt 4 done" in desk.text

    play(script)


def test_z_takes_a_retry_back(shop: Workshop, busy: dict[str, str], play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("6")
        stand_on(desk, busy["exhausted"])
        await desk.press("enter", "R", "z")
        assert "✓ Taken back" in desk.bar("status")
        assert shop.job(busy["exhausted"])["state"] == "cancelled"
        await desk.press("z")
        assert "Nothing to undo." in desk.bar("status")

    play(script, picture=False)


def test_z_after_it_left_says_so(world: World, shop: Workshop, busy: dict[str, str], play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("6")
        stand_on(desk, busy["exhausted"])
        await desk.press("enter", "R")
        world.clock.advance(5000)
        shop.work()
        await desk.press("z")
        assert "was done at 10:14: cannot be taken back." in desk.bar("status")

    play(script, picture=False)


def test_a_job_that_waits_is_withdrawn(
    world: World, shop: Workshop, busy: dict[str, str], play: Play
) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("6")
        stand_on(desk, busy["held"])
        assert "held" in desk.cursor
        await desk.press("w")
        assert "✓ Withdrawn, and nothing of it has left: Submit order" in desk.bar("status")
        assert "withdrawn" in desk.cursor
        shop.done.clear()
        world.clock.advance(60_000)
        shop.work()
        assert shop.job(busy["held"])["state"] == "cancelled"
        assert shop.done == ["mail.send"]  # the failed one; what was withdrawn stays where it is

    play(script)


def test_what_runs_cannot_be_withdrawn(busy: dict[str, str], play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("6")
        stand_on(desk, busy["running"])
        await desk.press("w")
        assert "✖ It runs already. What has begun cannot be taken back." in desk.bar("status")

    play(script, picture=False)


def test_how_far_a_sync_is(shop: Workshop, world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        shop.work()
        shop.ask("catalog.sync", args={"provider": "printify"}, unique="sync:printify")
        mine = shop.begin("sync")
        await desk.press("6", "enter")
        assert "It runs." in desk.text
        shop.tell(mine, 40, None)
        await desk.poll()
        assert "40 so far" in desk.text
        shop.tell(mine, 312, 480, "Printify")
        await desk.poll()
        assert "━" in desk.text
        assert "312 of 480, Printify" in desk.text
        shop.finish(mine)
        await desk.poll()
        assert "attempt 1 done" in desk.text

    play(script)


def test_a_running_sync(busy: dict[str, str], play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("6")
        stand_on(desk, busy["running"])
        await desk.press("enter")

    play(script)


def test_a_queue_is_paused_and_another_client_sees_it(
    world: World, shop: Workshop, busy: dict[str, str], play: Play
) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("6")
        stand_on(desk, busy["failed"])
        await desk.press("P")
        assert "✓ Mail is paused: nothing more of it begins" in desk.bar("status")
        assert "Mail PAUSED by owner" in desk.text
        world.clock.advance(600_000)
        shop.done.clear()
        shop.work()
        assert "mail.send" not in shop.done
        world.post("/v1/queues/mail/resume", {}, "admin")
        await desk.poll()
        assert "PAUSED" not in desk.text
        world.post("/v1/queues/mail/pause", {}, "admin")
        await desk.poll()
        assert "Mail PAUSED by admin" in desk.text
        await desk.press("enter")
        assert "Its queue is paused by admin" in desk.text
        await desk.press("P")
        assert "✓ Mail goes on" in desk.bar("status")
        assert "Its queue is paused" not in desk.text
        shop.work()
        assert "mail.send" in shop.done
        await desk.press("P", "q")

    play(script)


def test_one_queue_alone(busy: dict[str, str], play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("6", "f", *"sync", "enter")
        assert "Sync products" in desk.text
        assert "Send mail" not in desk.text
        await desk.press("P")
        assert "Syncs PAUSED" in desk.text

    play(script)


def test_a_queue_is_chosen_with_the_mouse(busy: dict[str, str], play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("6")
        strip = desk.shell.section.query_one("QueueStrip")
        at = desk.screen[strip.region.y].index("Mail")
        await desk.pilot.click(strip, offset=(at, 0))
        await desk.settle()
        assert "Submit order" not in desk.text
        await desk.press("escape")
        assert "Submit order" in desk.text

    play(script, picture=False)


@pytest.mark.parametrize(
    ("words", "wanted", "unwanted"),
    [
        ("0009", "Submit order", "Sync products"),
        ("SS-260223-0009", "Submit order", "Sync products"),
        ("syncs", "Sync products", "Submit order"),
        ("catalog.sync", "Sync products", "Submit order"),
        ("nobody", "No job matches.", "Sync products"),
    ],
)
def test_jobs_are_found(busy: dict[str, str], play: Play, words: str, wanted: str, unwanted: str) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("6", "slash", *words.replace("-", "\N{HYPHEN-MINUS}"), "enter")
        assert wanted in desk.text
        assert unwanted not in desk.text

    play(script, picture=False)


def test_what_comes_by_itself(busy: dict[str, str], play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("6", "left_square_bracket")
        assert "[Scheduled]" in desk.text
        assert "every night at 03:30 (UTC)" in desk.text
        await desk.press("R")
        assert "There is no job here." in desk.bar("status")

    play(script, size=(120, 30))


def test_from_a_job_to_its_order_and_back(busy: dict[str, str], play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("6")
        stand_on(desk, busy["exhausted"])
        await desk.press("enter", "o")
        assert "SS-260223-0009 · Tom Avery" in desk.text
        await desk.press("q")
        assert "Gave up after 3 attempts" in desk.text

    play(script, picture=False)


def test_what_a_job_was_given(busy: dict[str, str], play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("6")
        stand_on(desk, busy["running"])
        await desk.press("d", "G")
        assert "Given to it" in desk.text
        assert "printify" in desk.text

    play(script, picture=False)


def test_marked_jobs_are_withdrawn_together(shop: Workshop, busy: dict[str, str], play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("6", *["right_square_bracket"] * 2)
        assert "[Waiting] 2" in desk.text
        await desk.press("asterisk", "w")
        assert "nothing of it has left: 2 jobs" in desk.bar("status")
        assert "Nothing waits." in desk.text

    play(script)


def test_no_jobs_yet(empty_world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("6")
        assert "No jobs yet." in desk.text

    play(script)


def test_jobs_offline_and_back(world: World, shop: Workshop, busy: dict[str, str], play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("6")
        world.line.cut = True
        await desk.poll()
        await desk.press("w")
        assert desk.bar("status").startswith("✖ ")
        assert "Sync products" in desk.text
        world.line.cut = False
        await desk.poll()
        assert "● live" in desk.bar("identity")

    play(script)


def test_jobs_that_were_never_fetched_say_why(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        world.line.cut = True
        await desk.press("6")
        assert "tries again" in desk.text

    play(script)


def test_jobs_on_their_way(world: World, busy: dict[str, str], play: Play) -> None:
    """While nothing was answered yet, the section says that it loads."""

    async def script(desk: Desk) -> None:
        desk.shell.action_section("jobs")
        await desk.pilot.pause()
        assert "Loading" in desk.text or "Sync products" in desk.text
        await desk.settle()
        assert "Sync products" in desk.text

    play(script, picture=False)


def test_a_reader_may_look_and_not_touch(world: World, busy: dict[str, str], play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("6")
        footer = desk.bar("footer")
        assert not any(word in footer for word in ("retry", "withdraw", "pause"))
        await desk.press("P")
        assert "✖ Your role may look at this, not do it." in desk.bar("status")
        stand_on(desk, busy["held"])
        await desk.press("w")
        assert "✖ Your role may look at this, not do it." in desk.bar("status")

    play(script, app=world.app("readonly"))


def test_nothing_is_written_while_nothing_happens(world: World, busy: dict[str, str], play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("6")
        before = desk.text
        world.line.seen.clear()
        await desk.poll()
        await desk.poll()
        assert set(world.line.seen) == {"GET /v1/pulse"}
        assert desk.text == before

    play(script, picture=False)
