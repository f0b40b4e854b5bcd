"""``shopbell orders``: plain and as JSON, what is refused, and that nothing leaves without a yes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.terminal import Terminal
from tests.tui.commands.conftest import Shop

ROOT = Path(__file__).parents[3]


def test_the_list(shop: Shop) -> None:
    lines = shop.run("orders", "list").out.splitlines()
    assert lines[0].split() == ["ORDER", "CUSTOMER", "TOTAL", "PAYMENT", "FULFILMENT", "OPEN", "CREATED"]
    assert len(lines) == len(shop.world.numbers) + 1
    [tom] = [line for line in lines if "Tom Avery" in line]
    assert "£28.00" in tom
    assert "submission failed" in tom
    assert "2026-02-23 10:00:00" in tom  # whole where no terminal is: somebody else reads it
    assert "\x1b" not in "".join(lines)
    assert len({line.index("£") for line in lines if "£11" in line}) == 1  # amounts stand in a column


def test_the_list_as_the_server_answered_it(shop: Shop) -> None:
    assert shop.json("orders", "list") == shop.world.get("/v1/orders")
    assert shop.json("orders", "list", "--tab", "problems") == shop.world.get("/v1/orders", status="problems")
    assert shop.json("orders", "list", "-q", "tom", "--sort", "total") == shop.world.get(
        "/v1/orders", q="tom", sort="total"
    )


def test_pages(shop: Shop) -> None:
    numbers = [row["number"] for row in shop.world.get("/v1/orders")["items"]]
    ran = shop.run("orders", "list", "--limit", "3")
    assert [line.split()[0] for line in ran.out.splitlines()[1:]] == numbers[:3]
    assert "--all" in ran.err
    page = shop.json("orders", "list", "--limit", "3")
    after = shop.json("orders", "list", "--limit", "3", "--cursor", page["next"])
    assert [row["number"] for row in after["items"]] == numbers[3:6]
    whole = shop.json("orders", "list", "--limit", "2", "--all")
    assert [row["number"] for row in whole["items"]] == numbers
    assert whole["next"] is None


def test_nothing_found_is_no_error(shop: Shop) -> None:
    ran = shop.run("orders", "list", "-q", "nobody of this name")
    assert (ran.code, ran.out, ran.err) == (0, "", "shopbell: There is nothing like that.\n")


def test_an_order_whole(shop: Shop) -> None:
    number = shop.world.numbers[1]
    ran = shop.run("orders", "show", number)
    for text in (
        "Mei Lin",
        "JD014600",
        "https://track.example/JD014600",
        "Sunday Socks, three pairs",
        "£112.50",
        "shipped",
    ):
        assert text in ran.out
    assert shop.json("orders", "show", number) == shop.world.get(f"/v1/orders/{number}")


def test_what_is_not_there(shop: Shop) -> None:
    for verb in ("show", "refresh", "resolve"):
        ran = shop.run("orders", verb, "SS-000000-0000", "--json")
        assert ran.code == 4
        assert ran.json["code"] == "not_found"
        assert "There is no such order" in ran.err
    assert shop.run("orders", "show", "../../etc").code == 4


def test_what_a_reader_may_not(shop: Shop) -> None:
    number = shop.ordered()
    ran = shop.run("orders", "submit", number, "--yes", "--json", role="readonly")
    assert ran.code == 5
    assert (ran.json["code"], ran.json["status"]) == ("forbidden", 403)
    assert "Ask the shop's Owner" in ran.err


def test_without_a_terminal_and_without_a_yes_nothing_leaves(shop: Shop) -> None:
    number = shop.ordered()
    ran = shop.run("orders", "submit", number, typed="y\n")
    assert ran.code == 2
    assert "Say --yes" in ran.err
    assert "2 × Wool socks S" in ran.err  # noqa: RUF001
    assert "1 Sock Lane" in ran.err
    assert ran.out == ""
    assert shop.works.jobs("order.submit") == []


def test_submitting(shop: Shop) -> None:
    number = shop.ordered()
    asked = shop.json("orders", "submit", number, "--yes", "--hold", "0")
    assert asked["new"] is True
    assert asked["job"]["held_until"] is None
    shop.works.run()
    assert len(shop.works.server.held_as(number)) == 1
    ran = shop.run("orders", "submit", number, "--yes", "--json")
    assert ran.code == 1
    assert ran.json["code"] == "already_submitted"
    assert "The provider has this order." in ran.err
    ran = shop.run("orders", "submit", number)
    assert ran.code == 1
    assert "Printify has it" in ran.err
    ran = shop.run("orders", "refresh", number)
    assert ran.code == 0
    assert "Job " in ran.out


def test_submitting_twice_is_once(shop: Shop) -> None:
    number = shop.ordered()
    first = shop.json("orders", "submit", number, "--yes", "--hold", "60")
    ran = shop.run("orders", "submit", number, "--yes")
    assert (ran.code, "was asked for already" in ran.out) == (0, True)
    assert first["job"]["id"] in ran.out
    assert len(shop.works.jobs("order.submit")) == 1


@pytest.mark.parametrize(("answer", "code", "asked"), [(b"y\r", 0, 1), (b"\r", 1, 0), (b"n\r", 1, 0)])
def test_the_question(shop: Shop, answer: bytes, code: int, asked: int) -> None:
    number = shop.ordered()
    shop.monkeypatch.setenv("SHOPBELL_TOKEN", shop.world.staff.tokens["owner"])
    command = [sys.executable, "-m", "tui.cli", "orders", "submit", number, "--url", shop.served.url]
    with Terminal(command, size=(80, 30), directory=ROOT) as terminal:
        terminal.wait_for("[y/N]", seconds=30)
        assert "Wool socks S" in terminal.text
        terminal.send(answer)
        assert terminal.wait_exit() == code
        assert ("Nothing was done." in terminal.text) == (code == 1)
    assert len(shop.works.jobs("order.submit")) == asked


def test_an_orders_mail(shop: Shop) -> None:
    number = shop.ordered()
    asked = shop.json("orders", "mail", number, "confirmation", "--hold", "30")
    assert asked["job"]["order"]["number"] == number
    ran = shop.run("orders", "mail", number, "shipping", "--json")
    assert ran.code == 1
    assert ran.json["code"] == "not_shipped"
    assert "not on its way yet" in ran.err


def test_resolving_all_of_an_order(shop: Shop) -> None:
    number = next(row["number"] for row in shop.world.get("/v1/orders")["items"] if row["attention"])
    assert shop.run("orders", "resolve", number).out == "Resolved: 1.\n"
    assert shop.run("activity", "resolve-order", number).out == "Nothing was open.\n"
    assert shop.json("orders", "resolve", number)["count"] == 0
