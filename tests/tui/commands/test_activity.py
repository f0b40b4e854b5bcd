"""``shopbell activity``: what happened, and what is done about it."""

from __future__ import annotations

import pytest

from tests.tui.commands.conftest import Shop


def test_the_list(shop: Shop) -> None:
    lines: list[str] = []
    for command in (("activity",), ("activity", "list")):
        lines = shop.run(*command, "--limit", "20").out.splitlines()
        assert lines[0].split() == ["WHEN", "LEVEL", "ORDER", "WHAT", "STATE", "ID"]
        assert len(lines) == len(shop.world.get("/v1/activity", limit=20)["items"]) + 1
    assert any("error" in line and "open" in line and "out of stock" in line for line in lines)


@pytest.mark.parametrize(
    ("options", "query"),
    [
        ([], {}),
        (["--tab", "attention"], {"tab": "attention"}),
        (["--tab", "attention", "--folded"], {"tab": "attention", "folded": "true"}),
        (["--category", "custom"], {"category": "custom"}),
        (["--level", "error", "--limit", "1"], {"level": "error", "limit": 1}),
        (["-q", "pairs"], {"q": "pairs"}),
        (["--type", "custom.stock", "--internal"], {"type": "custom.stock", "internal": "true"}),
    ],
)
def test_the_list_as_the_server_answered_it(shop: Shop, options: list[str], query: dict[str, str]) -> None:
    assert shop.json("activity", *options) == shop.world.get("/v1/activity", **{"folded": "false"} | query)
    assert shop.run("activity", "list", *options).code == 0


def test_resolving_and_reopening(shop: Shop) -> None:
    [entry] = shop.world.get("/v1/activity", type="custom.stock")["items"]
    ran = shop.run("activity", "resolve", entry["id"])
    assert ran.out == "Resolved: 1. Only 3 pairs of the blue ones are left\n"
    assert shop.json("activity", "reopen", entry["id"])["ids"] == [entry["id"]]
    ran = shop.run("activity", "resolve", entry["id"], role="readonly")
    assert ran.code == 5
    assert shop.run("activity", "resolve", "no-such-entry").code == 4
    info = shop.world.get("/v1/activity", level="info")["items"][0]
    ran = shop.run("activity", "resolve", info["id"], "--json")
    assert (ran.code, ran.json["code"]) == (1, "not_resolvable")


def test_a_group_as_far_as_it_was_seen(shop: Shop) -> None:
    failed = shop.world.get("/v1/activity", level="error")["items"]
    group = [entry for entry in failed if entry["group"]["count"] == 2]
    seen = group[0]["group"]["seen"]
    shop.world.fail(shop.world.order("Late Comer", 2800))
    told = shop.json("activity", "resolve", group[0]["id"], "--group", "--seen", seen)
    assert told["count"] == 2
    assert len(shop.json("activity", "reopen", group[0]["id"], "--group")["ids"]) == 2
    assert shop.json("activity", "resolve", group[0]["id"], "--group")["count"] == 3


@pytest.mark.parametrize(
    "arguments",
    [
        ["activity", "--follow", "-q", "x"],
        ["activity", "--follow", "--all"],
        ["activity", "--follow", "--folded"],
        ["activity", "--every", "3"],
        ["activity", "resolve", "x", "--seen", "y"],
        ["activity", "--limit", "0"],
        ["activity", "--limit", "201"],
        ["activity", "resolve"],
    ],
)
def test_wrong_use(shop: Shop, arguments: list[str]) -> None:
    ran = shop.run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err
