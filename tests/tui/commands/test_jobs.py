"""``shopbell jobs`` and ``shopbell products``."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tui.commands.conftest import Shop


@pytest.fixture
def waiting(shop: Shop) -> Any:
    """A submission that can still be taken back."""
    return shop.json("orders", "submit", shop.ordered(), "--yes", "--hold", "60")["job"]


def test_the_list(shop: Shop, waiting: Any) -> None:
    ran = shop.run("jobs", "list", "--tab", "waiting", "--queue", "fulfilment")
    assert ran.out.splitlines()[0].split()[:2] == ["STATE", "JOB"]
    [line] = [line for line in ran.out.splitlines() if waiting["id"] in line]
    assert waiting["order"]["number"] in line
    assert "waiting" in line
    query = {"tab": "waiting", "kind": "order.submit", "order": waiting["order"]["number"]}
    options = ["--tab", "waiting", "--kind", "order.submit", "--order", waiting["order"]["number"]]
    assert shop.json("jobs", "list", *options) == shop.world.get("/v1/jobs", **query)


def test_a_job_whole(shop: Shop, waiting: Any) -> None:
    ran = shop.run("jobs", "show", waiting["id"])
    assert waiting["label"] in ran.out
    assert "can be taken back until" in ran.out
    assert shop.json("jobs", "show", waiting["id"]) == shop.world.get(f"/v1/jobs/{waiting['id']}")
    assert shop.run("jobs", "show", "nothing").code == 4


def test_taking_back_and_asking_again(shop: Shop, waiting: Any) -> None:
    assert shop.run("jobs", "withdraw", waiting["id"]).out == f"{waiting['label']}: taken back.\n"
    ran = shop.run("jobs", "withdraw", waiting["id"], "--json")
    assert (ran.code, ran.json["status"]) == (1, 409)
    assert shop.json("jobs", "retry", waiting["id"], "--hold", "0")["state"] == "waiting"
    shop.works.run()
    assert "done" in shop.run("jobs", "show", waiting["id"]).out
    assert shop.run("jobs", "retry", waiting["id"]).code == 1


def test_attempts_are_told_with_their_reasons(shop: Shop) -> None:
    shop.works.set(printify__token="another-token")
    job = shop.json("orders", "submit", shop.ordered(), "--yes", "--hold", "0")["job"]
    shop.works.run_all()
    whole = shop.world.get(f"/v1/jobs/{job['id']}")
    assert whole["attempts"]
    ran = shop.run("jobs", "show", job["id"])
    assert "failed" in ran.out
    assert whole["attempts"][0]["error"] in " ".join(ran.out.split())


def test_queues(shop: Shop) -> None:
    ran = shop.run("jobs", "queues")
    assert {"fulfilment", "mail", "sync", "upkeep"} <= {
        line.split()[0] for line in ran.out.splitlines() if line
    }
    assert shop.json("jobs", "queues") == shop.world.get("/v1/queues")
    assert "PAUSED since 2026-02-23" in shop.run("jobs", "pause", "mail").out
    ran = shop.run("jobs", "pause", "mail", "--json")
    assert (ran.code, ran.json["code"]) == (1, "already_paused")
    assert "PAUSED" not in shop.run("jobs", "resume", "mail").out
    assert shop.run("jobs", "pause", "none").code == 4
    assert shop.run("jobs", "pause", "mail", role="support").code == 5


def test_products(shop: Shop) -> None:
    ran = shop.run("products", "list")
    assert "Wool socks" in ran.out
    assert shop.json("products", "list", "-q", "wool", "--available", "yes") == shop.world.get(
        "/v1/products", q="wool", available="true"
    )
    assert shop.run("products", "list", "--provider", "printful").out == ""


def test_reading_a_catalogue(shop: Shop) -> None:
    asked = shop.json("products", "sync")
    assert asked["job"]["kind"] == "catalog.sync"
    assert "was asked for already" in shop.run("products", "sync", "printify").out
    ran = shop.run("products", "sync", "printful", "--json")
    assert (ran.code, ran.json["code"]) == (1, "not_connected")
    assert shop.run("products", "sync", "nobody").code == 1
