"""``shopbell settings``: what holds, changing it, and that a secret is in nobody's sight."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.terminal import Terminal
from tests.tui.commands.conftest import Shop

ROOT = Path(__file__).parents[3]
SECRET = "correct-horse-battery-staple"


def test_the_list(shop: Shop) -> None:
    ran = shop.run("settings", "list")
    [name] = [line for line in ran.out.splitlines() if line.split()[:1] == ["shop.name"]]
    assert "Sunday Socks" in name
    assert shop.json("settings", "list") == shop.world.get("/v1/settings")
    assert shop.run("settings", "list", role="support").code == 5


def test_one(shop: Shop) -> None:
    ran = shop.run("settings", "show", "mail.smtp.security")
    assert "starttls" in ran.out
    row = shop.json("settings", "show", "mail.smtp.security")
    assert row["name"] == "mail.smtp.security"
    ran = shop.run("settings", "show", "no.such", "--json")
    assert (ran.code, ran.json["code"]) == (4, "not_found")


def test_changing(shop: Shop) -> None:
    assert shop.run("settings", "set", "shop.name", "Monday Mittens").out == "shop.name is Monday Mittens\n"
    assert (
        shop.json("settings", "set", "shop.name", "--stdin", typed="Tuesday Tights\n")["value"]
        == "Tuesday Tights"
    )
    ran = shop.run("settings", "set", "mail.smtp.port", "99999", "--json")
    assert ran.code == 1
    assert ran.json["code"] == "invalid_request"
    assert "port" in ran.err
    assert shop.json("settings", "unset", "shop.name")["source"] == "default"
    assert shop.run("settings", "set", "shop.name").code == 2
    assert shop.run("settings", "set", "no.such", "x").code == 4
    assert shop.run("settings", "unset", "no.such").code == 4


def test_a_secret_on_the_command_line_is_refused(shop: Shop) -> None:
    ran = shop.run("settings", "set", "mail.smtp.password", SECRET)
    assert ran.code == 2
    assert SECRET not in ran.out + ran.err
    assert shop.json("settings", "show", "mail.smtp.password")["source"] == "default"


def test_a_secret_on_standard_input(shop: Shop) -> None:
    for more in ([], ["--json"]):
        ran = shop.run("settings", "set", "mail.smtp.password", "--stdin", *more, typed=SECRET + "\n")
        assert ran.code == 0
        assert SECRET not in ran.out + ran.err
    assert shop.json("settings", "show", "mail.smtp.password")["hint"].endswith(SECRET[-4:])
    assert SECRET not in shop.run("settings", "list").out
    ran = shop.run("settings", "set", "mail.smtp.password")
    assert (ran.code, "--stdin" in ran.err) == (2, True)


def test_a_secret_is_typed_unseen_and_in_no_list_of_processes(shop: Shop) -> None:
    shop.monkeypatch.setenv("SHOPBELL_TOKEN", shop.world.staff.tokens["owner"])
    command = [sys.executable, "-m", "tui.cli", "settings", "set", "printify.token", "--url", shop.served.url]
    with Terminal(command, size=(80, 24), directory=ROOT) as terminal:
        terminal.wait_for("Access token:", seconds=30)
        listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        terminal.send(SECRET.encode() + b"\r")
        assert terminal.wait_exit() == 0
        assert SECRET.encode() not in terminal.raw
        assert "printify.token is" in terminal.text
    assert SECRET not in listed
    assert "printify.token" in listed


def test_trying_a_connection_out(shop: Shop) -> None:
    ran = shop.run("settings", "test", "printify")
    assert (ran.code, "ms" in ran.out) == (0, True)
    shop.works.set(printify__token="token-of-nobody")
    ran = shop.run("settings", "test", "printify", "--json")
    assert ran.code == 1
    assert ran.json["ok"] is False
    assert ran.json["message"] in ran.err
    assert shop.run("settings", "test", "nothing").code == 4


def test_the_environment_wins_and_says_so(shop: Shop) -> None:
    ran = shop.run("settings", "set", "stripe.webhook_secrets", "--stdin", "--json", typed="whsec_x")
    assert (ran.code, ran.json["code"]) == (1, "overridden_by_environment")
    assert "SHOPBELL_STRIPE_WEBHOOK_SECRETS" in shop.run("settings", "list").out
