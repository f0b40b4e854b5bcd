"""Who did what to an order or a ticket, read where one stands."""

from __future__ import annotations

from typing import Any

from tests.flows.conftest import Play
from tests.flows.world import Desk, World


def ticket(world: World) -> dict[str, Any]:
    """A ticket from which a note was taken away again."""
    words = {"title": "Where is my tee?", "description": "It has been a week.", "email": "tom@example.com"}
    made = world.post("/v1/tickets", words, "support")
    said = world.post(
        f"/v1/tickets/{made['id']}/comments", {"body": "Wrong ticket.", "is_internal": True}, "admin"
    )
    path = f"/v1/tickets/{made['id']}/comments/{said['id']}"
    answer = world.http.delete(path, headers=world.staff.bearer("admin"))
    assert answer.status_code == 200, answer.text
    return made


def test_the_history_of_a_ticket(world: World, play: Play) -> None:
    made = ticket(world)
    acts = world.get("/v1/audit", resource_id=made["id"])["items"]
    assert acts

    async def script(desk: Desk) -> None:
        await desk.press("4", "H")
        assert f"History · #{made['number']}" in desk.text
        for act in acts:
            assert act["summary"] in desk.text
        await desk.press("escape")
        assert "History" not in desk.text
        assert "Where is my tee?" in desk.text

    play(script, picture=False, size=(120, 40))


def test_the_history_of_an_order_of_which_nothing_was_recorded(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("enter", "H")
        assert "History · SS-260223-" in desk.text
        assert "Nothing was recorded about it that you may see." in desk.text
        await desk.press("enter")
        assert "It is not sent" in desk.bar("status")
        await desk.press("escape")
        assert "History" not in desk.text

    play(script, picture=False)
