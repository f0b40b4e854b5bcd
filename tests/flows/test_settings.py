"""The Settings section: what holds and who says so, changed in its place; secrets never seen; connections tried."""

from __future__ import annotations

from typing import Any

import pytest

from server.kit.crypto import Key, KeyRing, SecretBox
from server.practice.mail_server import HOST, MailServer
from server.settings import service as settings
from tests.flows.conftest import Play
from tests.flows.world import Desk, World
from tui.screens.shell import LEAST

SIZES = [LEAST, (60, 20), (80, 24), (120, 30)]
CANARY = "canary-correct-horse-3f9c"


def save(world: World, **values: str) -> None:
    """Change settings, as another client would; of a name the dots are written ``__``."""
    for name, value in values.items():
        path = f"/v1/settings/{name.replace('__', '.')}"
        answer = world.http.put(path, json={"value": value}, headers=world.staff.bearer("admin"))
        assert answer.status_code == 200, answer.text


def held(world: World, name: str) -> dict[str, Any]:
    """A setting as the server tells it."""
    groups = world.get("/v1/settings")["groups"]
    return next(row for group in groups for row in group["settings"] if row["name"] == name)


def stand_on(desk: Desk, name: str) -> None:
    """Go to a setting."""
    assert desk.shell.section.list.go_to(name)


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
def test_settings(world: World, play: Play, size: tuple[int, int]) -> None:
    save(world, mail__from_address="hello@socks.example", shop__time_zone="Europe/London")

    async def script(desk: Desk) -> None:
        await desk.press("7")

    play(script, size=size)


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
def test_a_number_that_is_refused(world: World, play: Play, size: tuple[int, int]) -> None:
    """The sentence stands beside what was entered, which stays; then it is right, and holds."""

    async def script(desk: Desk) -> None:
        await desk.press("7")
        stand_on(desk, "mail.smtp.port")
        await desk.press("enter", *["backspace"] * 3, *"99999", "enter")
        assert "SMTP port must be a port" in desk.text
        assert "99999" in desk.text
        assert held(world, "mail.smtp.port")["value"] == "587"

    play(script, size=size)


def test_a_number_is_saved(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("7")
        stand_on(desk, "mail.smtp.port")
        await desk.press("e", *["backspace"] * 3, *"465", "enter")
        assert "✓ SMTP port: 465" in desk.bar("status")
        assert "465" in desk.cursor
        assert " set" in desk.cursor
        row = held(world, "mail.smtp.port")
        assert (row["value"], row["source"]) == ("465", "stored")
        await desk.press("colon", *"back to default", "enter")
        assert "✓ SMTP port: 587 again" in desk.bar("status")
        assert held(world, "mail.smtp.port")["source"] == "default"

    play(script)


@pytest.mark.parametrize("size", [(80, 24), (120, 30)], ids="{0[0]}x{0[1]}".format)
def test_a_text_is_changed_and_the_frame_follows(world: World, play: Play, size: tuple[int, int]) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("7", "j", "enter", *" & Co", "enter")
        assert "Sunday Socks & Co" in desk.cursor
        assert held(world, "shop.name")["value"] == "Sunday Socks & Co"
        await desk.poll()
        assert "Sunday Socks & Co" in desk.bar("identity")

    play(script, size=size)


def test_what_is_given_up_stays_as_it_was(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("7", "j", "enter", *"XYZ", "escape")
        assert "XYZ" not in desk.text
        assert held(world, "shop.name")["value"] == "Sunday Socks"
        await desk.press("j")
        assert "Environment" in desk.cursor

    play(script, picture=False)


def test_a_switch_is_turned(world: World, play: Play) -> None:
    """What one comes for is chosen already: Enter twice turns it."""

    async def script(desk: Desk) -> None:
        await desk.press("7")
        stand_on(desk, "mail.shipping")
        await desk.press("enter")
        assert "● off" in desk.text
        await desk.press("space")
        assert "● on" in desk.text
        await desk.press("space", "enter")
        assert held(world, "mail.shipping")["value"] == "off"
        await desk.press("enter")

    play(script)


def test_a_choice_is_made(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("7")
        stand_on(desk, "mail.smtp.security")
        await desk.press("enter", "right")
        assert "● tls" in desk.text
        await desk.press("enter")
        assert held(world, "mail.smtp.security")["value"] == "tls"

    play(script, picture=False)


def test_a_long_text_has_lines(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("7")
        stand_on(desk, "recovery.notice")
        await desk.press("enter", "ctrl+n", *"Thank you.")
        assert "ctrl+n new line" in desk.text
        await desk.press("enter")
        assert held(world, "recovery.notice")["value"].endswith("further ones there.\nThank you.")
        await desk.press("enter")

    play(script)


def test_a_secret_is_never_seen(world: World, play: Play) -> None:
    """Not while it is typed, not afterwards, not in the clipboard, not in what the server tells."""

    async def script(desk: Desk) -> None:
        await desk.press("7")
        stand_on(desk, "mail.smtp.password")
        await desk.press("enter", *CANARY)
        assert CANARY not in desk.text
        assert "canary" not in desk.text
        await desk.press("shift+home", "ctrl+x", "ctrl+c")
        assert "canary" not in desk.pilot.app.clipboard
        if desk.pilot.app.screen is not desk.shell:
            await desk.press("escape")  # nothing was copied, so ctrl+c asked whether to quit
        await desk.press("enter")
        assert world.store.read(lambda tx: settings.secret(tx, "mail.smtp.password")) == CANARY
        assert "····3f9c" in desk.cursor
        assert CANARY not in desk.text
        await desk.press("enter")
        assert "3f9c" not in desk.screen[desk.screen.index(desk.cursor)].partition("SMTP password")[2]
        assert CANARY not in desk.pilot.app.export_screenshot()

    play(script)


def test_what_the_environment_says_is_changed_there(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("7")
        stand_on(desk, "stripe.webhook_secrets")
        assert "ENV" in desk.cursor
        await desk.press("e")
        said = "✖ SHOPBELL_STRIPE_WEBHOOK_SECRETS of the server's environment says it: change it there."
        assert said in desk.bar("status")
        await desk.press("d")
        assert "the server's environment" in desk.text

    play(script)


def test_a_secret_that_cannot_be_opened_says_so(world: World, play: Play) -> None:
    save(world, printify__token="a-token-of-the-tests")
    world.store.setting_source.box = SecretBox(KeyRing([Key.of(b"another key than the one it was.")]))
    world.store.setting_source.forget()

    async def script(desk: Desk) -> None:
        await desk.press("7", "left_square_bracket")
        assert "[Trouble] 1" in desk.text
        assert "cannot be used" in desk.text
        await desk.press("j", "d")
        assert "What is stored" in desk.text

    play(script)


def test_mail_is_tried_out(world: World, play: Play) -> None:
    """Against a real mail server, which takes the mail, and then does not answer any more."""
    with MailServer() as post:
        save(
            world,
            mail__adapter="smtp",
            mail__smtp__host=HOST,
            mail__smtp__port=str(post.port),
            mail__smtp__security="none",
            mail__from_address="hello@socks.example",
        )

        async def works(desk: Desk) -> None:
            await desk.press("7", "slash", *"adapter", "enter", "j", "T")
            assert "✓ Mail: The mail server took a test mail to hello@socks.example." in desk.bar("status")
            assert "✓ works" in desk.text
            assert len(post.taken) == 1
            post.stop()
            await desk.press("T", "d")
            assert "It does not work" in desk.text

        play(works, picture=False)


def test_mail_kept_in_the_outbox_is_tried_out(world: World, play: Play) -> None:
    save(world, mail__from_address="hello@socks.example")

    async def script(desk: Desk) -> None:
        await desk.press("7")
        stand_on(desk, "group:mail")
        await desk.press("T", "enter")
        assert "and so is this one: nothing leaves the" in desk.text

    play(script, size=(120, 30), picture=False)  # it says how long it took


def test_a_connection_that_is_not_set_up(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("7")
        stand_on(desk, "printify.token")
        await desk.press("T", "d")
        assert "It does not work" in desk.text

    play(script)


def test_another_client_changes_a_setting(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("7", "j", "j", "j")
        stood = desk.cursor
        save(world, shop__currency="EUR")
        await desk.poll()
        assert "EUR" in desk.cursor
        assert desk.cursor.split()[1] == stood.split()[1]

    play(script, picture=False)


def test_settings_are_searched(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("7", "slash", *"smtp port", "enter")
        assert "SMTP port" in desk.text
        assert "Time zone" not in desk.text
        await desk.press("escape", "slash", *"nothing like it", "enter")
        assert "No setting has" in desk.text

    play(script)


def test_who_may_not_read_settings_does_not_see_them(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        assert "  6  " in desk.bar("identity")
        assert "  7 " not in desk.bar("identity")
        world.line.seen.clear()
        await desk.press("7")
        assert "Your role does not have Settings." in desk.bar("status")
        assert not any("settings" in request for request in world.line.seen)
        await desk.press("question_mark", *"settings")
        assert "Go to Settings." not in desk.text

    play(script, app=world.app("readonly"), picture=False)


def test_settings_offline(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("7", "j")
        world.line.cut = True
        await desk.press("enter", *"!", "enter")
        assert "Nothing answers" in desk.text
        assert "Sunday Socks!" in desk.text  # what was typed is still there
        world.line.cut = False
        await desk.press("enter")
        assert held(world, "shop.name")["value"] == "Sunday Socks!"

    play(script)


def test_the_editor_keeps_its_place_when_the_terminal_changes(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("7")
        stand_on(desk, "jobs.keep_days")
        await desk.press("enter", "0")
        assert any("Keep jobs for" in line and "140" in line for line in desk.screen), desk.text
        for size in ((120, 30), (60, 20), (80, 24)):
            await desk.pilot.resize_terminal(*size)
            await desk.settle()
            assert any("Keep jobs for" in line and "140" in line for line in desk.screen), desk.text

    play(script)


@pytest.mark.parametrize("theme", ["shopbell-light", "ansi-dark"])
def test_settings_in_other_themes(world: World, play: Play, theme: str) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("7", "j", "enter")

    play(script, size=(120, 30), app=world.app(theme=theme))


def test_settings_in_ascii(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("7")
        stand_on(desk, "mail.smtp.security")
        await desk.press("enter")
        assert "(x) starttls" in desk.text

    play(script, app=world.app(ascii_only=True))
