"""What entries offer: by the rules that refuse it, for a page at once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event

from server.activity.offers import Told
from server.fulfilment import policy
from server.kit.clock import HOUR
from server.kit.tx import Tx
from server.orders import resending
from server.orders import service as orders
from server.practice.providers.answers import refused
from tests.server.fulfilment.works import CALLER, Works


def statements(works: Works, many: int) -> int:
    """How many statements it takes to say what may be done about so many failed submissions."""
    ids = [row["order"]["id"] for row in _failed(works)][:many]
    assert len(ids) == many

    def unit(tx: Tx) -> int:
        rows = [orders.find(tx, order_id) for order_id in ids]
        ran: list[str] = []
        listener: Any = lambda *told: ran.append(told[2])  # noqa: E731
        event.listen(tx.conn, "before_cursor_execute", listener)
        try:
            found = policy.retry_states(tx, [row for row in rows if row is not None], CALLER)
        finally:
            event.remove(tx.conn, "before_cursor_execute", listener)
        assert len(found) == many
        return len(ran)

    return works.store.read(unit)


def _failed(works: Works) -> list[dict[str, Any]]:
    found = works.http.get("/v1/activity", params={"limit": "200"}).json()["items"]
    return [entry for entry in found if entry["type"] == "order.submission_failed"]


def test_a_page_asks_as_much_as_one(works: Works) -> None:
    works.server.always("submit", refused("Out of stock."))
    for n in range(6):
        items = [
            {"name": f"Socks {n}", "quantity": n + 1, "unit_price": 1, "variant_id": works.variants()[0]}
        ]
        works.order(
            items=items,
            customer={
                "email": f"b{n}@example.com",
                "name": "Bea",
                "address": {"line1": "1", "city": "x", "country": "GB"},
            },
        )
    works.run()
    assert statements(works, 6) == statements(works, 1)


def test_a_mail_is_offered_again_by_the_rule_that_sends_it(works: Works) -> None:
    order = works.order()
    works.run(after=HOUR)
    mails = [entry for entry in works.entries(order) if entry["category"] == "emails"]
    assert [entry["type"] for entry in mails] == ["email.kept"]
    assert {"name": "resend", "allowed": True, "reason": None} in mails[0]["actions"]
    seen = works.http.get(f"/v1/orders/{order.id}/timeline", headers=works.staff.bearer("readonly")).json()
    kept = next(entry for entry in seen["items"] if entry["type"] == "email.kept")
    assert {"name": "resend", "allowed": False, "reason": "insufficient_permissions"} in kept["actions"]
    shipping = Told("e1", "order.email.shipping_sent", order.id, {})
    found = works.store.read(lambda tx: resending.resends(tx, [shipping], CALLER))
    assert found["e1"][0].reason == "not_shipped"
    other = Told("e2", "email.failed", order.id, {"mail": "Recovery email"})
    assert works.store.read(lambda tx: resending.resends(tx, [other], CALLER)) == {}
