"""Asking providers how far orders are: by the clock, by a person, after an answer was lost."""

from __future__ import annotations

from server.fulfilment import following, submission
from server.jobs import service as jobs
from server.kit.clock import MINUTE
from server.practice.providers.answers import DROP_AFTER
from tests.server.fulfilment.test_webhooks import submitted
from tests.server.fulfilment.works import BOTH, Works


@BOTH
def test_the_poll_finds_what_no_webhook_told(works: Works) -> None:
    order, name = submitted(works)
    works.run()
    works.server.to_production(name)
    works.clock.advance(10 * MINUTE)
    works.server.ship(name, "DHL", "JD1")
    works.run(after=31 * MINUTE)
    assert works.get(order.id).fulfilment_status == "shipped"
    works.server.deliver(name)
    works.run(after=31 * MINUTE)
    works.run(after=31 * MINUTE)
    assert works.get(order.id).fulfilment_status == "delivered"
    types = works.types(order)
    assert types.count("order.shipped") == types.count("order.delivered") == 1
    asked = works.server.count("status")
    works.run(after=31 * MINUTE)
    assert works.server.count("status") == asked, "what has arrived is not asked about"


@BOTH
def test_a_person_asks_how_far_it_is(works: Works) -> None:
    order, name = submitted(works)
    works.server.to_production(name)
    first = works.http.post(f"/v1/orders/{order.id}/refresh")
    second = works.http.post(f"/v1/orders/{order.id}/refresh")
    assert (first.status_code, first.json()["new"], second.json()["new"]) == (202, True, False)
    assert works.actions(order)["refresh"] == "already_waiting"
    works.run()
    now = works.get(order.id)
    assert now.fulfilment_status == "processing"
    assert now.provider_status in ("in-production", "inprocess")
    assert works.actions(order)["refresh"] is None
    unsent = works.order(paid=False)
    refused = works.http.post(f"/v1/orders/{unsent.id}/refresh")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_at_provider")
    works.server.forget(name)
    works.http.post(f"/v1/orders/{order.id}/refresh")
    works.run()
    job = works.jobs(following.REFRESH)[-1]
    assert (job.state, "does not know this order" in job.error) == ("exhausted", True)


def test_a_look_finds_the_order_whose_answer_was_lost(works: Works) -> None:
    works.server.script("submit", DROP_AFTER)
    order = works.order()
    works.run()
    works.store.write(lambda tx: jobs.cancel(tx, works.jobs(submission.KIND)[0].id))
    hook = works.server.to_production(str(works.held(order)[0]["id"]))
    path = f"/webhooks/{works.name}/main"
    assert works.http.post(path, content=hook.body, headers=hook.headers).status_code == 200
    works.server.set_status(str(works.held(order)[0]["id"]), "on-hold")  # type: ignore[union-attr]
    works.http.post(f"/v1/orders/{order.id}/refresh")
    works.run()
    now = works.get(order.id)
    assert now.provider_order_id == str(works.held(order)[0]["id"])
    assert now.fulfilment_status == "processing", "what was told before is worked on with it"
