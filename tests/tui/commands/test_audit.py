"""``shopbell audit``."""

from __future__ import annotations

from tests.tui.commands.conftest import Shop


def test_the_list(shop: Shop) -> None:
    ran = shop.run("audit", "list", "--action", "user.*")
    assert ran.out.splitlines()[0].split()[:2] == ["WHEN", "WHO"]
    assert "Let support@example.com in as support" in " ".join(ran.out.split())
    assert "Made a token" not in ran.out
    assert shop.json("audit", "list", "--module", "access", "--limit", "3") == shop.world.get(
        "/v1/audit", module="access", limit=3
    )
    assert shop.run("audit", "list", "--action", "order.nothing").out == ""


def test_an_act_whole(shop: Shop) -> None:
    [made] = shop.world.get("/v1/audit", action="user.created", limit=1)["items"]
    ran = shop.run("audit", "show", made["id"])
    assert made["summary"] in ran.out
    assert made["resource_id"] in ran.out
    assert shop.json("audit", "show", made["id"]) == shop.world.get(f"/v1/audit/{made['id']}")
    assert shop.run("audit", "show", "nothing").code == 4


def test_others_see_what_they_did_themselves(shop: Shop) -> None:
    assert shop.run("audit", "list", role="support").out == ""
    [made] = shop.world.get("/v1/audit", action="user.created", limit=1)["items"]
    assert shop.run("audit", "show", made["id"], role="support").code == 4
