"""Lists narrowed by a choice: what the tabs' line says of it, alone and with words; Escape takes both away."""

from __future__ import annotations

import pytest

from tests.flows.conftest import Play
from tests.flows.world import Desk, World

CHOICES = [
    ("2", ("f", *"orders", "enter"), "orders  / filter", "orders  /zz  esc clears"),
    ("2", ("L",), "error  / filter", "error  /zz  esc clears"),
    ("3", ("colon", *"people.erased", "enter"), "with erased esc clears", "with erased  /zz  esc clears"),
    ("4", ("f", *"urgent", "enter"), "urgent  esc clears", "urgent /zz  esc clears"),
    ("6", ("f", *"mail", "enter"), "Mail esc clears", "Mail  /zz  esc clears"),
    ("8", ("f", *"manual", "enter"), "manual  esc clears", "manual /zz  esc clears"),
]
IDS = ["category", "level", "erased", "priority", "queue", "way"]


@pytest.mark.parametrize(("section", "keys", "alone", "with_words"), CHOICES, ids=IDS)
def test_a_choice_is_told_and_taken_away(
    world: World, play: Play, section: str, keys: tuple[str, ...], alone: str, with_words: str
) -> None:
    async def script(desk: Desk) -> None:
        await desk.press(section)
        tabs = desk.shell.section.tab_bar.region.y
        before = desk.screen[tabs]
        await desk.press(*keys)
        assert desk.screen[tabs].rstrip().endswith(alone)
        await desk.press("slash", "z", "z", "enter")
        assert desk.screen[tabs].rstrip().endswith(with_words)
        await desk.press("escape")
        assert desk.screen[tabs].split() == before.split()
        assert "✖" not in desk.text

    play(script, size=(160, 40), picture=False)


def test_what_is_chosen_already_stays(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("2", "f", *"orders", "enter", "j", "j")
        here = desk.cursor
        await desk.press("f", "enter")  # the menu begins at what is chosen
        assert desk.cursor == here
        await desk.press("f", *"all", "enter")
        assert "orders  / filter" not in desk.text

    play(script, size=(160, 40), picture=False)
