"""Printify on this machine."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from typing import Any, Final

from server.kit.clock import instant
from server.practice.providers.answers import Answer
from server.practice.providers.server import Call, Hook, ProviderServer

_ROUTES: Final = (
    ("GET", re.compile(r"/shops\.json"), "test"),
    ("GET", re.compile(r"/shops/([^/]+)/products\.json"), "products"),
    ("POST", re.compile(r"/shops/([^/]+)/orders\.json"), "submit"),
    ("GET", re.compile(r"/shops/([^/]+)/orders\.json"), "find"),
    ("GET", re.compile(r"/shops/([^/]+)/orders/([^/]+)\.json"), "status"),
)


class PrintifyServer(ProviderServer):
    """Shops, products, orders and signed webhooks, as version 1 of the API has them."""

    provider = "printify"
    prefix = "/v1"

    def add_product(
        self,
        title: str,
        variants: dict[str, int],
        *,
        product_id: str | None = None,
        description: str | None = None,
    ) -> str:
        """Put a product into the catalogue: its variants' names with prices in US cents. Gives its id."""
        with self.lock:
            made = product_id or self.new_id("product")
            base = 1000 + len(self.catalogue) * 100
            self.catalogue[made] = {
                "id": made,
                "title": title,
                "description": description or f"{title}, made to order.",
                "tags": [],
                "options": [],
                "variants": [
                    {
                        "id": base + nth,
                        "sku": f"PFY-{base + nth}",
                        "cost": price // 2,
                        "price": price,
                        "title": name,
                        "grams": 120,
                        "is_enabled": True,
                        "is_default": nth == 0,
                        "is_available": True,
                        "options": [],
                    }
                    for nth, (name, price) in enumerate(variants.items())
                ],
                "images": [
                    {
                        "src": f"https://images.printify.example/{made}.jpg",
                        "variant_ids": [base],
                        "position": "front",
                        "is_default": True,
                    }
                ],
                "created_at": self._now(),
                "updated_at": self._now(),
                "visible": True,
                "is_locked": False,
                "blueprint_id": 5,
                "print_provider_id": 9,
                "shop_id": self.account,
            }
            return made

    def to_production(self, order_id: str) -> Hook:
        """Production begins."""
        self._move(order_id, "in-production", sent_to_production_at=self._now())
        return self.hook("order:sent-to-production", order_id, {"shop_id": self.account})

    def ship(self, order_id: str, carrier: str = "DHL", number: str | None = None) -> Hook:
        """Everything leaves in one parcel."""
        number = number or f"{carrier}{order_id[:10].upper()}"
        url = f"https://track.printify.example/{number}"
        shipment = {"carrier": carrier, "number": number, "url": url, "delivered_at": None}
        with self.lock:
            self.orders[order_id]["shipments"].append(shipment)
        self._move(order_id, "fulfilled", fulfilled_at=self._now())
        return self.hook(
            "order:shipment:created",
            order_id,
            {
                "shop_id": self.account,
                "shipped_at": self._now(),
                "carrier": {"code": carrier, "tracking_number": number, "tracking_url": url},
                "skus": self._skus(order_id),
            },
        )

    def deliver(self, order_id: str) -> Hook:
        """Everything arrives."""
        with self.lock:
            order = self.orders[order_id]
            for shipment in order["shipments"]:
                shipment["delivered_at"] = self._now()
            last = order["shipments"][-1] if order["shipments"] else {"carrier": "DHL", "number": "0"}
        return self.hook(
            "order:shipment:delivered",
            order_id,
            {
                "shop_id": self.account,
                "delivered_at": self._now(),
                "carrier": {"code": last["carrier"], "tracking_number": last["number"]},
                "skus": self._skus(order_id),
            },
        )

    def set_status(self, order_id: str, status: str) -> Hook:
        """Any other change of status (``canceled``, ``has-issues``)."""
        self._move(order_id, status)
        return self.hook("order:updated", order_id, {"shop_id": self.account, "status": status})

    def hook(
        self, event_type: str, resource: str, data: dict[str, Any], *, event_id: str | None = None
    ) -> Hook:
        """A signed webhook of any kind."""
        kind = "product" if event_type.startswith("product") else "order"
        event = {
            "id": event_id or self.new_id("event"),
            "type": event_type,
            "created_at": self._now(),
            "resource": {"id": resource, "type": kind, "data": data},
        }
        return self.signed(json.dumps(event, ensure_ascii=False).encode())

    def signed(self, body: bytes, secret: str | None = None) -> Hook:
        """Bytes with their signature; with another ``secret`` a forgery."""
        digest = hmac.new((secret or self.secret).encode(), body, hashlib.sha256).hexdigest()
        return Hook(body, {"Content-Type": "application/json", "X-Pfy-Signature": f"sha256={digest}"})

    def external_id(self, order: dict[str, Any]) -> str | None:
        """The number that an order was handed over under."""
        found: str | None = order["metadata"]["shop_order_id"]
        return found

    def find_verb(self, method: str, path: str) -> tuple[str, tuple[str, ...]] | None:
        """What a request asks for."""
        for wanted, pattern, verb in _ROUTES:
            match = pattern.fullmatch(path)
            if match and wanted == method:
                return verb, match.groups()
        return None

    def error(self, status: int, reason: str) -> Answer:
        """A refusal as Printify writes it."""
        body = {
            "status": "error",
            "code": 8150 if status == 400 else status,
            "message": "Validation failed." if status == 400 else reason,
            "errors": {"reason": reason, "code": 8150},
        }
        return Answer(status, body)

    def act(self, call: Call) -> Answer:
        """Do what is asked for."""
        if call.verb == "test":
            shop = {"id": int(self.account), "title": self.title, "sales_channel": "custom_integration"}
            return Answer(200, [shop])
        if call.args[0] != self.account:
            return self.error(404, "Shop not found")
        if call.verb == "products":
            return self._page(list(self.catalogue.values()), call, 50)
        if call.verb == "find":
            return self._page(list(reversed(self.orders.values())), call, 10)
        if call.verb == "submit":
            return self._submit(call.body)
        order = self.orders.get(call.args[1])
        return self.error(404, "Order not found") if order is None else Answer(200, order)

    def _submit(self, body: Any) -> Answer:
        known = {
            (product_id, variant["id"]): (product, variant)
            for product_id, product in self.catalogue.items()
            for variant in product["variants"]
        }
        lines = []
        for line in body["line_items"]:
            found = known.get((line["product_id"], line["variant_id"]))
            if found is None:
                return self.error(400, f"Product {line['product_id']} has no variant {line['variant_id']}.")
            if not found[1]["is_available"]:
                return self.error(400, f"Variant {line['variant_id']} is out of stock.")
            lines.append(
                {
                    **line,
                    "status": "on-hold",
                    "metadata": {"title": found[0]["title"], "sku": found[1]["sku"]},
                }
            )
        if not body["address_to"].get("address1") or not body["address_to"].get("country"):
            return self.error(400, "The address is incomplete.")
        before = sum(
            order["metadata"]["shop_order_id"] == body["external_id"] for order in self.orders.values()
        )
        made = self.id_of("order", f"{body['external_id']} {before}")  # whatever else came before it
        self.orders[made] = {
            "id": made,
            "address_to": body["address_to"],
            "line_items": lines,
            "metadata": {
                "order_type": "api",
                "shop_order_id": body["external_id"],
                "shop_order_label": body.get("label"),
            },
            "total_price": 0,
            "total_shipping": 0,
            "total_tax": 0,
            "status": "on-hold",
            "shipping_method": body["shipping_method"],
            "shipments": [],
            "created_at": self._now(),
        }
        return Answer(200, {"id": made})

    def _page(self, rows: list[dict[str, Any]], call: Call, most: int) -> Answer:
        limit = min(int(call.query.get("limit", "10")), most)
        page = int(call.query.get("page", "1"))
        part = rows[(page - 1) * limit : page * limit]
        last = max(1, -(-len(rows) // limit))
        body = {"current_page": page, "data": part, "last_page": last, "per_page": limit, "total": len(rows)}
        return Answer(200, body)

    def _move(self, order_id: str, status: str, **more: str) -> None:
        with self.lock:
            self.orders[order_id].update(status=status, **more)

    def _skus(self, order_id: str) -> list[str]:
        with self.lock:
            return [line["metadata"]["sku"] for line in self.orders[order_id]["line_items"]]

    def _now(self) -> str:
        return instant(self.clock.now()).strftime("%Y-%m-%d %H:%M:%S+00:00")
