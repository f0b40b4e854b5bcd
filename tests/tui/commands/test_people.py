"""``shopbell people``."""

from __future__ import annotations

import pytest

from tests.tui.commands.conftest import Shop

TOM = "tom@example.com"


def test_the_list(shop: Shop) -> None:
    ran = shop.run("people", "list", "--tab", "customers")
    assert ran.out.splitlines()[0].split()[:3] == ["NAME", "E-MAIL", "ROLE"]
    [line] = [line for line in ran.out.splitlines() if TOM in line]
    assert line.startswith("Tom Avery")
    assert "guest" in line
    assert "owner@example.com" not in ran.out
    assert shop.json("people", "list", "--tab", "staff") == shop.world.get("/v1/people", tab="staff")
    assert shop.json("people", "list", "-q", "mei") == shop.world.get("/v1/people", q="mei")


def test_somebody_whole(shop: Shop) -> None:
    who = shop.world.get("/v1/people", q=TOM)["items"][0]["id"]
    ran = shop.run("people", "show", TOM.upper())
    assert "Tom Avery" in ran.out
    assert shop.world.get("/v1/orders", q=TOM)["items"][0]["number"] in ran.out
    assert shop.json("people", "show", who) == shop.world.get(f"/v1/people/{who}")
    assert shop.run("people", "show", "nobody@example.com").code == 4


def test_a_plan_does_nothing(shop: Shop) -> None:
    ran = shop.run("people", "plan", TOM)
    assert ran.code == 0
    planned = shop.json("people", "plan", TOM)
    for table in planned["tables"]:
        [line] = [line for line in ran.out.splitlines() if table["noun"] in line and table["why"] in line]
        assert str(table["count"]) in line
    assert planned["hash"] in ran.out
    assert "Nothing was done." in ran.err
    assert shop.world.get("/v1/people", q=TOM)["items"][0]["erased_at"] is None


def test_a_plan_that_would_be_refused_says_why(shop: Shop) -> None:
    ran = shop.run("people", "plan", "owner@example.com")
    assert ran.code == 1
    assert "You cannot delete yourself." in ran.err


@pytest.mark.parametrize(
    "options", [(), ("--confirm", TOM), ("--plan", "0" * 64), ("--confirm", TOM, "--plan", "short")]
)
def test_nothing_is_deleted_without_the_address_and_the_plan(shop: Shop, options: tuple[str, ...]) -> None:
    assert shop.run("people", "delete", TOM, *options).code == 2
    assert shop.world.get("/v1/people", q=TOM)["items"][0]["erased_at"] is None


def test_a_deletion_takes_the_address_and_the_very_plan(shop: Shop) -> None:
    planned = shop.json("people", "plan", TOM)
    ran = shop.run(
        "people", "delete", TOM, "--plan", planned["hash"], "--confirm", "tim@example.com", "--json"
    )
    assert (ran.code, ran.json["code"]) == (1, "confirmation_mismatch")
    shop.world.order("Tom Avery", 1900)
    ran = shop.run("people", "delete", TOM, "--plan", planned["hash"], "--confirm", TOM, "--json")
    assert (ran.code, ran.json["code"]) == (1, "plan_changed")
    assert {"orders"} <= {moved["noun"] for moved in ran.json["drift"]}
    planned = shop.json("people", "plan", TOM)
    ran = shop.run("people", "delete", TOM, "--plan", planned["hash"], "--confirm", TOM)
    assert ran.code == 0, ran.err
    [done] = shop.world.get("/v1/deletions")["items"]
    assert done["id"] in ran.out
    assert TOM not in ran.out
    assert shop.run("people", "show", TOM).code == 4
    assert f"⟨erased {done['mark']}⟩" in shop.run("people", "list", "--erased").out


def test_support_may_look_and_not_plan(shop: Shop) -> None:
    assert shop.run("people", "show", TOM, role="support").code == 0
    assert shop.run("people", "plan", TOM, role="support").code == 5
