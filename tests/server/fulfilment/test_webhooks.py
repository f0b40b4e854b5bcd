"""What providers tell: checked, kept first, worked on once, however late, twice, out of order or wrong."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from server.contract.orders import Order
from server.fulfilment import following, sync, webhooks
from server.inbox import senders
from server.inbox import service as inbox_service
from server.inbox.models import inbox
from server.kit.clock import HOUR, MINUTE
from server.practice.providers.printful import PrintfulServer
from server.practice.providers.printify import PrintifyServer
from server.practice.providers.server import Hook
from tests.server.fulfilment.houses import PRINTFUL_SECRET
from tests.server.fulfilment.works import BOTH, Works

PRINTFUL = pytest.mark.parametrize("works", ["printful"], indirect=True)


def post(works: Works, hook: Hook, connection: str = "main", **headers: str) -> httpx.Response:
    """Deliver a webhook as the provider does: without a token of ours."""
    path = f"/webhooks/{works.name}/{connection}" + (f"?{hook.query}" if hook.query else "")
    works.http.headers.pop("authorization", None)
    try:
        return works.http.post(path, content=hook.body, headers={**hook.headers, **headers})
    finally:
        works.http.headers.update(works.staff.bearer("owner"))


def told(works: Works, hook: Hook) -> None:
    """Deliver a webhook that must be taken."""
    answer = post(works, hook)
    assert answer.status_code == 200, answer.text


def submitted(works: Works) -> tuple[Order, str]:
    """An order that the provider has, and the provider's id."""
    order = works.order()
    works.run()
    return order, str(works.held(order)[0]["id"])


def rows(works: Works) -> list[Any]:
    """The inbox, oldest first."""
    return works.store.read(lambda tx: list(tx.execute(select(inbox).order_by(inbox.c.id))))


@BOTH
def test_an_order_is_followed_to_the_door(works: Works) -> None:
    order, name = submitted(works)
    works.clock.advance(HOUR)
    told(works, works.server.to_production(name))
    assert works.get(order.id).fulfilment_status == "processing"
    works.clock.advance(HOUR)
    shipped_at = works.clock.now()
    hook = works.server.ship(name, "DHL", "JD0001")
    works.clock.advance(MINUTE)
    told(works, hook)
    now = works.get(order.id)
    assert (now.fulfilment_status, now.carrier, now.tracking_number) == ("shipped", "DHL", "JD0001")
    assert now.tracking_url is not None
    assert now.times.shipped_at is not None
    assert int(now.times.shipped_at.timestamp() * 1000) == shipped_at, "when it happened, not when we heard"
    works.clock.advance(HOUR)
    told(works, works.server.deliver(name))
    assert works.get(order.id).fulfilment_status == "delivered"
    assert works.types(order) == [
        "order.created",
        "order.submitted",
        "order.production",
        "order.shipped",
        "order.delivered",
    ]
    entry = works.entries(order, "order.shipped")[0]
    assert entry["actor"] == {"kind": "provider", "name": works.label}
    assert [row.state for row in rows(works)] == ["done"] * 3


@BOTH
def test_told_again_in_the_same_or_other_words(works: Works) -> None:
    order, name = submitted(works)
    first = works.server.to_production(name)
    told(works, first)
    assert post(works, first).json()["duplicate"] is True
    works.clock.advance(MINUTE)
    told(works, works.server.to_production(name))
    assert works.types(order).count("order.production") == 1
    assert len(rows(works)) == 2


@BOTH
def test_told_in_the_wrong_order(works: Works) -> None:
    order, name = submitted(works)
    works.clock.advance(HOUR)
    production = works.server.to_production(name)
    works.clock.advance(HOUR)
    shipping = works.server.ship(name)
    works.clock.advance(HOUR)
    delivery = works.server.deliver(name)
    for hook in (delivery, shipping, production):
        told(works, hook)
    now = works.get(order.id)
    assert now.fulfilment_status == "delivered", "an old event lowers nothing"
    assert now.times.processing_at is not None
    assert now.times.shipped_at is not None
    assert now.times.delivered_at is not None
    assert now.times.processing_at < now.times.shipped_at < now.times.delivered_at
    assert works.types(order) == [
        "order.created",
        "order.submitted",
        "order.production",
        "order.shipped",
        "order.delivered",
    ]


@BOTH
def test_what_is_not_signed_by_them_is_refused(works: Works) -> None:
    order, name = submitted(works)
    good = works.server.to_production(name)
    header = next(key for key in good.headers if key.endswith("Signature"))
    forged = works.server.signed(good.body, "b2" * 32)
    for hook in (
        forged,
        Hook(good.body + b" ", good.headers),
        Hook(good.body, {**good.headers, header: ""}),
        Hook(good.body, {**good.headers, header: good.headers[header][:-1] + "é"}),
        Hook(good.body, {**good.headers, header: "sha256=" + "0" * 64}),
        Hook(good.body, {key: value for key, value in good.headers.items() if key != header}),
    ):
        headers = {key: value.encode() for key, value in hook.headers.items()}
        answer = works.http.post(f"/webhooks/{works.name}/main", content=hook.body, headers=headers)  # type: ignore[arg-type]
        assert (answer.status_code, answer.json()["code"]) == (401, "signature_verification_failed")
    assert rows(works) == []
    assert works.get(order.id).fulfilment_status == "submitted"


@BOTH
def test_no_secret_no_entrance(works: Works) -> None:
    _order, name = submitted(works)
    hook = works.server.to_production(name)
    works.put({f"{works.name}.webhook_secret": None})
    answer = post(works, hook)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert post(works, hook, "elsewhere").status_code == 404
    assert rows(works) == []


@BOTH
def test_an_unknown_type_is_kept_and_does_nothing(works: Works) -> None:
    _order, name = submitted(works)
    if isinstance(works.server, PrintifyServer):
        hook = works.server.hook("shop:rewritten", name, {})
    else:
        hook = works.server.hook("catalog_price_changed", {})
    told(works, hook)
    assert [row.state for row in rows(works)] == ["ignored"]


@BOTH
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b'{"id": 1}', b'{"type": "\\u0000"}', b"\xff"])
def test_signed_nonsense_is_refused_in_words(works: Works, body: bytes) -> None:
    answer = post(works, works.server.signed(body))
    assert answer.status_code in (400, 422)
    assert rows(works) == []


@BOTH
def test_an_order_that_is_not_known_yet_is_waited_for(works: Works) -> None:
    works.set(fulfilment__automatic="off")
    order = works.order()
    works.server.orders["900"] = {
        "id": 900,
        "status": "x",
        "external_id": None,
        "line_items": [],
        "shipments": [],
    }
    told(works, works.server.to_production("900"))
    assert [row.state for row in rows(works)] == ["parked"]
    del works.server.orders["900"]
    works.submit(order, hold_seconds=0)
    works.run()
    name = str(works.held(order)[0]["id"])
    assert name != "900"
    for _ in range(26):
        works.clock.advance(HOUR)
        inbox_service.run_due(works.store)
    assert [row.state for row in rows(works)] == ["dead"]
    assert len(works.told("webhook.unmatched")) == 1


def test_a_webhook_that_comes_before_we_know_its_order_by_name(works: Works) -> None:
    """The answer to the submission is lost, and the provider already tells that it is made."""
    from server.practice.providers.answers import DROP_AFTER

    works.server.script("submit", DROP_AFTER)
    order = works.order()
    works.run()
    name = str(works.held(order)[0]["id"])
    told(works, works.server.to_production(name))
    assert [row.state for row in rows(works)] == ["parked"]
    works.run(after=2 * MINUTE)
    assert works.get(order.id).fulfilment_status == "processing"
    assert [row.state for row in rows(works)] == ["done"]
    assert works.types(order).count("order.production") == 1


@PRINTFUL
def test_printful_names_our_number(works: Works) -> None:
    from server.practice.providers.answers import DROP_AFTER

    works.server.script("submit", DROP_AFTER)
    order = works.order()
    works.run()
    name = str(works.held(order)[0]["id"])
    told(works, works.server.to_production(name))
    now = works.get(order.id)
    assert (now.fulfilment_status, now.provider_order_id) == ("processing", name)
    assert works.submission(order)["at_provider"] is True
    works.run_all()
    assert works.server.count("submit") == 1
    assert works.types(order).count("order.submission_failed") == 1


@BOTH
def test_a_handler_that_fails_is_our_business(works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    _order, name = submitted(works)

    def breaks(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(following, "take", breaks)
    told(works, works.server.to_production(name))
    assert [(row.state, row.error) for row in rows(works)] == [("failed", "ZeroDivisionError")]
    for _ in range(30):
        works.clock.advance(HOUR)
        inbox_service.run_due(works.store)
    assert [row.state for row in rows(works)] == ["dead"]
    failed = works.told("webhook.failed")
    assert [entry.params["provider"] for entry in failed] == [works.label]
    assert failed[0].level == "error"


@BOTH
def test_a_handler_that_fails_once_is_tried_again(works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    order, name = submitted(works)
    with monkeypatch.context() as patch:
        patch.setattr(following, "take", lambda *_, **__: 1 / 0)
        told(works, works.server.to_production(name))
    works.clock.advance(MINUTE)
    inbox_service.run_due(works.store)
    assert works.get(order.id).fulfilment_status == "processing"
    assert works.told("webhook.failed") == []


@BOTH
def test_cancelled_over_there_is_a_warning_here(works: Works) -> None:
    order, name = submitted(works)
    if isinstance(works.server, PrintifyServer):
        told(works, works.server.set_status(name, "canceled"))
    else:
        told(works, works.server.cancel(name, "Out of wool"))
    assert works.get(order.id).fulfilment_status == "cancelled"
    entry = works.entries(order, "order.cancelled")[0]
    assert entry["level"] == "warning"
    if works.name == "printful":
        assert entry["message"] == "Order cancelled: Out of wool"


@PRINTFUL
def test_failed_over_there_is_tried_again_by_confirming(works: Works) -> None:
    assert isinstance(works.server, PrintfulServer)
    order, name = submitted(works)
    told(works, works.server.fail(name, "Card declined"))
    now = works.get(order.id)
    assert (now.fulfilment_status, now.problem) == ("failed", "Card declined")
    assert works.entries(order, "order.submission_failed")[0]["level"] == "error"
    assert works.actions(order)["retry"] is None
    assert works.submit(order, hold_seconds=0).status_code == 202
    works.run()
    assert works.server.count("confirm") == 1
    assert works.server.count("submit") == 1
    assert works.get(order.id).fulfilment_status == "submitted"


@PRINTFUL
def test_a_parcel_that_comes_back(works: Works) -> None:
    assert isinstance(works.server, PrintfulServer)
    order, name = submitted(works)
    told(works, works.server.ship(name))
    hook = works.server.come_back(name, "Nobody at home")
    told(works, hook)
    entries = works.entries(order, "order.returned")
    assert [entry["message"] for entry in entries] == ["Package came back: Nobody at home"]
    assert entries[0]["level"] == "warning"
    assert works.get(order.id).fulfilment_status == "shipped"
    told(works, works.server.order_hint("package_returned", name))
    works.run()
    assert len(works.entries(order, "order.returned")) == 1, "told once, by whichever version"


@PRINTFUL
def test_an_unsigned_hint_is_only_a_reason_to_look(works: Works) -> None:
    assert isinstance(works.server, PrintfulServer)
    order, name = submitted(works)
    told(works, works.server.order_hint("package_shipped", name))
    assert works.get(order.id).fulfilment_status == "submitted", "nothing that it says is believed"
    works.run()
    assert works.get(order.id).fulfilment_status == "submitted", "and it was not so"
    works.server.ship(name, "DPD", "D1")
    works.clock.advance(MINUTE)
    told(works, works.server.order_hint("package_shipped", name))
    works.run()
    now = works.get(order.id)
    assert (now.fulfilment_status, now.carrier, now.tracking_number) == ("shipped", "DPD", "D1")
    assert [row.type for row in rows(works)] == ["hint:package_shipped"] * 2
    bare = works.server.order_hint("package_shipped", name)
    for query in ("", "token=wrong", f"token={PRINTFUL_SECRET[:-1]}"):
        assert post(works, Hook(bare.body, bare.headers, query)).status_code == 401
    by_header = Hook(bare.body, {**bare.headers, "X-Webhook-Token": PRINTFUL_SECRET})
    assert post(works, by_header).status_code == 200


@BOTH
def test_a_changed_product_asks_for_a_sync(works: Works) -> None:
    before = len(works.jobs(sync.KIND))
    works.server.vanish(works.thing.product_id)
    if isinstance(works.server, PrintifyServer):
        told(works, works.server.hook("product:deleted", works.thing.product_id, {}))
    else:
        told(works, works.server.product_hook("product_deleted", works.thing.product_id))
    assert len(works.jobs(sync.KIND)) == before + 1
    works.run()
    assert len(works.told("product.vanished")) == 1


def test_part_of_an_order_is_not_all_of_it(works: Works) -> None:
    assert isinstance(works.server, PrintifyServer)
    ours = works.variants()
    order = works.order(
        items=[
            {"name": f"Socks {n}", "quantity": 1, "unit_price": 1, "variant_id": one}
            for n, one in enumerate(ours)
        ]
    )
    works.run()
    name = str(works.held(order)[0]["id"])
    works.server.ship(name)
    part = works.server.hook(
        "order:shipment:delivered", name, {"delivered_at": "2026-02-23 10:00:00+00:00", "skus": ["PFY-1000"]}
    )
    told(works, part)
    assert works.get(order.id).fulfilment_status == "submitted"
    works.run()
    assert works.get(order.id).fulfilment_status == "shipped", "the provider was asked"


def test_a_time_in_the_future_is_that_of_receipt(works: Works) -> None:
    assert isinstance(works.server, PrintifyServer)
    order, name = submitted(works)
    works.clock.advance(400 * 24 * HOUR)
    hook = works.server.to_production(name)
    works.clock.advance(-400 * 24 * HOUR)
    told(works, hook)
    now = works.get(order.id)
    assert now.times.processing_at is not None
    assert int(now.times.processing_at.timestamp() * 1000) == works.clock.now()


def test_every_sender_is_known_to_the_inbox() -> None:
    for sender in webhooks.SENDERS:
        assert senders.find(sender.provider) is sender
