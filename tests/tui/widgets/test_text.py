"""Text widgets show a stranger's text as it stands: no markup, no links, no control characters, no crash."""

from __future__ import annotations

import asyncio

import pytest
from rich.panel import Panel
from textual.app import ComposeResult
from textual.content import Content

from tests.support.hostile import HOSTILE, Hostile
from tui.widgets.safety import SafeApp
from tui.widgets.text import (
    MAX_TEXT,
    MAX_TEXT_LINES,
    Heading,
    Hint,
    Line,
    SafeButton,
    SafeInput,
    SafeStatic,
    literal,
    titled,
)

CONTROLS = {chr(code) for code in [*range(10), *range(11, 32), *range(127, 160), *range(0x202A, 0x202F)]}


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda each: each.name)
def test_literal_text_is_capped_and_holds_no_controls(hostile: Hostile) -> None:
    content = literal(hostile.text)
    assert not CONTROLS & set(content.plain)
    assert len(content.plain) <= MAX_TEXT + len(" … (cut)")
    assert content.plain.count("\n") <= MAX_TEXT_LINES
    assert list(content.spans) == []


def test_own_styles_stay_and_strangers_text_in_them_is_cleaned() -> None:
    content = literal(Content.assemble(("ok ", "bold"), "a\x1b[31mb"))
    assert content.plain == "ok a\ufffd[31mb"
    assert [span.style for span in content.spans] == ["bold"]


def test_renderables_are_refused() -> None:
    with pytest.raises(TypeError):
        literal(Panel("[b]x[/b]"))
    with pytest.raises(TypeError):
        SafeStatic("x").update(Panel("x"))


class TextApp(SafeApp[None]):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def compose(self) -> ComposeResult:
        yield Heading(self.text)
        yield Line(self.text)
        yield Hint(self.text)
        yield SafeButton(self.text, id="button")
        yield SafeInput(self.text, placeholder=self.text)


MEAN = {
    "markup-close", "markup-action", "markup-nested", "osc52-bel", "c1-all", "surrogate-high", "zalgo",
    "newlines", "bidi-override", "long-newlines", "emoji-family",
}  # fmt: skip


@pytest.mark.parametrize(
    "hostile", [each for each in HOSTILE if each.name in MEAN], ids=lambda each: each.name
)
def test_no_text_crashes_a_screen_or_becomes_a_link(hostile: Hostile) -> None:
    async def run() -> None:
        app = TextApp(hostile.text)
        async with app.run_test(size=(60, 20)) as pilot:
            button = app.query_one(SafeButton)
            button.label = hostile.text
            titled(app.query_one(Hint), hostile.text)
            app.query_one(Line).update(hostile.text)
            app.query_one(Line).content = hostile.text
            app.query_one(SafeInput).value = hostile.text
            await pilot.pause()
            for y in range(app.size.height):
                for x in range(0, app.size.width, 7):
                    style = app.screen.get_style_at(x, y)
                    assert style.link is None
                    assert "@click" not in style.meta

    asyncio.run(run())


def test_brackets_stay_brackets() -> None:
    assert literal("[b]x[/b] [/]").plain == "[b]x[/b] [/]"
    assert literal("a\tb").plain == "a    b"


def test_no_cursor_blinks() -> None:
    async def run() -> None:
        app = TextApp("x")
        async with app.run_test() as pilot:
            line = app.query_one(SafeInput)
            line.focus()
            await pilot.pause()
            assert not line.cursor_blink

    asyncio.run(run())
