"""A provider's catalogue in the shop's: known again, skipped when equal, told when gone; whole or not at all."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert, select

from server.activity import service as activity
from server.catalog.models import product
from server.fulfilment import registry, sync
from server.fulfilment.models import sync_run
from server.kit.clock import HOUR, MINUTE
from server.practice.providers.answers import DROP, HALF, HTML, UNAUTHORISED, Trouble, refused
from server.practice.providers.printify import PrintifyServer
from tests.server.fulfilment.houses import TOKEN, stock
from tests.server.fulfilment.works import BOTH, Works
from tests.support.told import Topics


def products(works: Works) -> dict[str, Any]:
    """The catalogue by slug."""
    rows = works.store.read(lambda tx: tx.execute(select(product)).all())
    return {row.slug: row for row in rows}


def runs(works: Works) -> list[dict[str, Any]]:
    """The syncs, oldest first."""
    found: list[dict[str, Any]] = works.http.get("/v1/syncs").json()["items"]
    return found[::-1]


def failed_sync(works: Works) -> dict[str, Any]:
    """The entry of a failed sync, among what needs attention."""
    listed = works.http.get("/v1/activity", params={"tab": "attention"}).json()["items"]
    return next(entry for entry in listed if entry["type"] == "sync.failed")


@BOTH
def test_a_catalogue_comes_in(works: Works) -> None:
    found = works.http.get("/v1/products/wool-socks").json()
    assert (found["provider"], found["provider_product_id"]) == (works.name, works.thing.product_id)
    assert [one["provider_variant_id"] for one in found["items"]] == list(works.thing.variants)
    assert [one["price"]["amount"] for one in found["items"]] == [1250, 1350]
    done = runs(works)[-1]
    assert (done["state"], done["products"], done["created"], done["updated"]) == ("done", 1, 1, 0)
    assert done["progress"] == {"done": 1, "total": 1, "note": None}
    feed = works.http.get("/v1/activity", params={"category": "syncs"}).json()["items"]
    assert [entry["type"] for entry in feed] == ["sync.completed"], "what began is internal"
    assert len(works.told("sync.started")) == 1
    assert feed[0]["message"] == "Product sync complete — 1 products, 0 updated"
    assert feed[0]["facts"] == {
        "provider": works.label,
        "products": 1,
        "created": 1,
        "updated": 0,
        "removed": 0,
    }


@BOTH
def test_what_is_equal_is_not_written(works: Works) -> None:
    before = products(works)["wool-socks"]
    works.clock.advance(HOUR)
    works.sync()
    after = products(works)["wool-socks"]
    assert after.updated_at == before.updated_at
    assert after.synced_at > before.synced_at
    assert (runs(works)[-1]["updated"], runs(works)[-1]["created"]) == (0, 0)


def test_what_changed_is_written_and_what_the_shop_counts_stays(works: Works) -> None:
    assert isinstance(works.server, PrintifyServer)
    ours = works.variants()
    works.http.post(f"/v1/variants/{ours[0]}/stock", json={"stock": 7})
    theirs = works.server.catalogue[works.thing.product_id]
    theirs["title"] = "Woollen socks"
    theirs["variants"][0]["price"] = 1400
    works.sync()
    found = works.http.get("/v1/products/wool-socks").json()
    assert found["name"] == "Woollen socks"
    assert [one["id"] for one in found["items"]] == ours
    assert (found["items"][0]["price"]["amount"], found["items"][0]["stock"]) == (1400, 7)
    assert runs(works)[-1]["updated"] == 1


@BOTH
def test_made_anew_over_there_it_is_the_same_product_here(works: Works) -> None:
    before = products(works)["wool-socks"]
    works.server.vanish(works.thing.product_id)
    anew = stock(works.server)
    works.sync()
    after = products(works)["wool-socks"]
    assert after.id == before.id
    assert after.provider_product_id == anew.product_id
    assert len(products(works)) == 1
    assert works.told("product.vanished") == []


def test_two_of_one_name_are_two(works: Works) -> None:
    second = stock(works.server)
    works.server.catalogue = dict(reversed(works.server.catalogue.items()))  # the new one is told first
    works.sync()
    found = products(works)
    assert found["wool-socks"].provider_product_id == works.thing.product_id
    assert found["wool-socks-2"].provider_product_id == second.product_id
    works.sync()
    assert set(products(works)) == {"wool-socks", "wool-socks-2"}


def test_a_product_of_the_shops_own_is_not_taken_over(works: Works) -> None:
    works.http.post("/v1/products", json={"slug": "linen-socks", "name": "Our own"})
    stock(works.server, "Linen socks")
    works.sync()
    found = products(works)
    assert (found["linen-socks"].provider, found["linen-socks"].name) == (None, "Our own")
    assert found["linen-socks-2"].provider == works.name


@BOTH
def test_what_vanished_is_kept_and_told_once(works: Works) -> None:
    order = works.order(paid=False)
    works.server.vanish(works.thing.product_id)
    works.sync()
    works.sync()
    gone = products(works)["wool-socks"]
    assert gone.available == 0
    told = works.told("product.vanished")
    assert [entry.level for entry in told] == ["warning"]
    assert [run["removed"] for run in runs(works)] == [0, 1, 0]
    works.pay(order)
    works.run_all()
    assert (
        "is no longer to be had from its provider"
        in works.entries(order, "order.submission_failed")[0]["message"]
    )
    assert works.server.count("submit") == 0


def test_what_comes_back_is_to_be_had_again(works: Works) -> None:
    kept = works.server.catalogue[works.thing.product_id]
    works.server.vanish(works.thing.product_id)
    works.sync()
    works.server.catalogue[works.thing.product_id] = kept
    works.sync()
    assert products(works)["wool-socks"].available == 1
    assert len(works.told("product.vanished")) == 1


def test_what_a_sync_changes_is_told_on_the_topics(works: Works) -> None:
    assert isinstance(works.server, PrintifyServer)
    topics = Topics(works.store)
    topics.new()
    works.sync()
    assert topics.new("shop:") == [], "nothing changed"
    key = products(works)["wool-socks"].id
    mine = frozenset({"shop:products", f"shop:products:{key}"})
    works.http.post(f"/v1/variants/{works.variants()[0]}/stock", json={"stock": 7})
    topics.new()
    theirs = works.server.catalogue[works.thing.product_id]
    theirs["title"] = "Woollen socks"
    lost = theirs["variants"].pop(0)
    works.sync()
    updated, moved = topics.new("shop:")
    assert (updated.event, updated.data, updated.topics) == ("product_updated", {"product_id": key}, mine)
    assert (moved.event, moved.data["change"]) == ("inventory_updated", -7), f"{lost['id']} is gone"
    works.server.vanish(works.thing.product_id)
    works.sync()
    both = topics.new("shop:")
    assert {(one.event, one.data["status"]) for one in both} == {
        ("products_bulk_status_changed", "unavailable")
    }
    assert frozenset().union(*(one.topics for one in both)) == mine
    works.sync()
    assert topics.new("shop:") == [], "it was told"
    anew = stock(works.server, "Hat")
    works.sync()
    (made,) = topics.new("shop:products")
    assert (made.event, anew.product_id) == ("product_created", products(works)["hat"].provider_product_id)


@BOTH
@pytest.mark.parametrize("trouble", [HTML, HALF, DROP, refused("down", 503)], ids=lambda it: it.how)
def test_half_a_catalogue_is_none(works: Works, trouble: Trouble) -> None:
    for n in range(60):
        stock(works.server, f"Hat {n}")
    works.server.script("products", None, trouble) if works.name == "printify" else works.server.script(
        "product", None, None, trouble
    )
    works.sync()
    assert len(products(works)) == 1
    assert works.told("product.vanished") == []
    assert works.told("sync.failed") == [], "there are two more attempts"
    assert runs(works)[-1]["state"] == "failed"
    works.run(after=2 * MINUTE)
    assert len(products(works)) == 61
    assert runs(works)[-1]["products"] == 61


@BOTH
def test_a_failure_says_why_and_nothing_secret(works: Works) -> None:
    works.server.always("*", UNAUTHORISED)
    works.sync()
    entry = failed_sync(works)
    assert entry["level"] == "error"
    assert entry["message"] == (
        f"Product sync failed: The token of {works.label} is refused: set it anew in Settings."
    )
    everything = works.http.get("/v1/activity").text + works.http.get("/v1/syncs").text
    assert TOKEN not in everything
    retry = next(state for state in entry["actions"] if state["name"] == "retry_sync")
    assert retry == {"name": "retry_sync", "allowed": True, "reason": None}
    works.http.post("/v1/syncs", json={"provider": works.name})
    entry = failed_sync(works)
    assert {"name": "retry_sync", "allowed": False, "reason": "already_waiting"} in entry["actions"]


@BOTH
def test_a_good_sync_answers_what_failed_before(works: Works) -> None:
    """Whatever was wrong with this provider; what is wrong with another still needs somebody."""
    for provider in ("Elsewhere", works.label):
        told = {"params": {"provider": provider}, "texts": {"reason": "a long time ago"}}
        works.store.write(lambda tx, told=told: activity.log(tx, "sync.failed", **told))  # type: ignore[misc]
    works.server.always("*", UNAUTHORISED)
    works.sync()
    assert [entry.resolved_at is None for entry in works.told("sync.failed")] == [True] * 3
    works.server.always("*", None)
    works.sync()
    elsewhere, *mine = works.told("sync.failed")
    assert elsewhere.resolved_at is None
    assert [(entry.resolved_at is None, entry.resolved_by) for entry in mine] == [(False, None)] * 2


def test_asked_for_twice_it_is_one(works: Works) -> None:
    first = works.http.post("/v1/syncs", json={"provider": works.name})
    second = works.http.post("/v1/syncs", json={"provider": works.name})
    assert (first.status_code, first.json()["new"], second.json()["new"]) == (202, True, False)
    assert first.json()["job"]["id"] == second.json()["job"]["id"]
    assert works.http.post("/v1/syncs", json={"provider": "nobody"}).json()["code"] == "unknown_provider"
    assert works.http.post("/v1/syncs", json={"provider": "printful"}).json()["code"] == "not_connected"
    reader = works.staff.bearer("readonly")
    assert works.http.post("/v1/syncs", json={"provider": works.name}, headers=reader).status_code == 403


def test_providers_say_how_they_stand(works: Works) -> None:
    found = {one["name"]: one for one in works.http.get("/v1/providers").json()["items"]}
    mine, other = found["printify"], found["printful"]
    assert (mine["connected"], mine["default"], mine["sync"]["state"]) == (True, True, "done")
    assert mine["webhook_path"] == "/webhooks/printify/main"
    assert mine["actions"] == [{"name": "sync", "allowed": True, "reason": None}]
    assert (other["connected"], other["default"], other["sync"]) == (False, False, None)
    assert other["actions"][0]["reason"] == "not_connected"


def _left_running(works: Works) -> str:
    run_id = works.store.ids.new()
    row = {"id": run_id, "provider": works.name, "state": "running", "started_at": works.clock.now()}
    works.store.write(lambda tx: tx.execute(insert(sync_run).values(**row, heard_at=works.clock.now())))
    return run_id


def test_a_run_that_was_cut_off_ends_when_the_next_begins(works: Works) -> None:
    run_id = _left_running(works)
    works.sync()
    states = {run["id"]: (run["state"], run["reason"]) for run in runs(works)}
    assert states[run_id] == ("failed", "It was cut off: the server stopped, or the worker died.")
    assert runs(works)[-1]["state"] == "done"


def test_a_run_that_nobody_goes_on_with_ends_by_time(works: Works) -> None:
    run_id = _left_running(works)
    works.clock.advance(sync.STALE)
    assert works.store.write(sync.recover) == 0
    works.clock.advance(1)
    assert works.store.write(sync.recover) == 1
    assert works.store.write(sync.recover) == 0
    assert next(run for run in runs(works) if run["id"] == run_id)["state"] == "failed"
    assert len(works.told("sync.failed")) == 1


def test_it_comes_by_itself_every_six_hours(works: Works) -> None:
    asked = works.server.count("products")
    works.run()
    for _ in range(13):
        works.run(after=HOUR)
    assert works.server.count("products") - asked == 2
    assert {one.args["provider"] for one in works.jobs(sync.KIND)} == {works.name}


def test_a_connection_is_tried_from_the_settings(works: Works) -> None:
    answer = works.http.post(f"/v1/settings/tests/{works.name}").json()
    assert (answer["ok"], answer["message"]) == (True, "Connected to Practice shop at Printify.")
    works.server.always("*", UNAUTHORISED)
    bad = works.http.post(f"/v1/settings/tests/{works.name}").json()
    assert (bad["ok"], "set it anew" in bad["message"]) == (False, True)
    unset = works.http.post("/v1/settings/tests/printful").json()
    assert (unset["ok"], "is not connected" in unset["message"]) == (False, True)


def test_a_strange_catalogue_does_no_harm(works: Works) -> None:
    assert isinstance(works.server, PrintifyServer)
    theirs = works.server.catalogue[works.thing.product_id]
    theirs["title"] = "\x1b[31m\u202eSocks\n" + "x" * 500
    theirs["images"] = [{"src": "javascript:alert(1)"}, "no image"]
    theirs["variants"][0] |= {"price": -5, "title": None, "sku": 12}
    theirs["variants"].append("no variant")
    works.sync()
    found = works.http.get("/v1/products/wool-socks").json()
    assert len(found["name"]) <= 255
    assert found["image_url"] is None
    assert found["items"][0]["price"] is None
    assert len(found["items"]) == 2


def test_numbers_of_the_registry() -> None:
    assert list(registry.PROVIDERS) == ["printify", "printful"]
    for known in registry.PROVIDERS.values():
        assert set(known.capabilities) == {"submit", "status", "sync", "webhooks"}
        assert registry.find(known.label.upper()) is known
