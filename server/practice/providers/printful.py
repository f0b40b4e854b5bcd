"""Printful on this machine."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

from server.kit.clock import instant, rfc3339
from server.practice.providers.answers import Answer
from server.practice.providers.server import Call, Hook, ProviderServer

_ROUTES: Final = (
    ("GET", re.compile(r"/stores"), "test"),
    ("GET", re.compile(r"/store/products"), "products"),
    ("GET", re.compile(r"/store/products/([^/]+)"), "product"),
    ("POST", re.compile(r"/orders"), "submit"),
    ("GET", re.compile(r"/orders/@([^/]+)"), "find"),
    ("GET", re.compile(r"/orders/([^/@]+)"), "status"),
    ("POST", re.compile(r"/orders/([^/]+)/confirm"), "confirm"),
    ("GET", re.compile(r"/v2/orders/([^/]+)/shipments"), "shipments"),
)


class PrintfulServer(ProviderServer):
    """Stores, products, orders (version 1), shipments (version 2), and webhooks of both."""

    provider = "printful"

    def add_product(self, name: str, variants: dict[str, str], *, currency: str = "GBP") -> str:
        """Put a product into the catalogue: its variants' names with prices as texts. Gives its id."""
        with self.lock:
            made = str(300_000_000 + len(self.catalogue) * 1000 + self._serial())
            self.catalogue[made] = {
                "sync_product": {
                    "id": int(made),
                    "external_id": f"ext{made}",
                    "name": name,
                    "variants": len(variants),
                    "synced": len(variants),
                    "thumbnail_url": f"https://files.printful.example/{made}.png",
                    "is_ignored": False,
                },
                "sync_variants": [
                    {
                        "id": int(made) * 10 + nth,
                        "external_id": f"ext{made}-{nth}",
                        "sync_product_id": int(made),
                        "name": f"{name} / {title}",
                        "synced": True,
                        "variant_id": 4000 + nth,
                        "retail_price": price,
                        "currency": currency,
                        "sku": f"PF-{made}-{nth}",
                        "availability_status": "active",
                        "is_ignored": False,
                    }
                    for nth, (title, price) in enumerate(variants.items())
                ],
            }
            return made

    def to_production(self, order_id: str) -> Hook:
        """Production begins; version 2 tells it as a changed order."""
        self._move(order_id, "inprocess")
        return self.hook("order_updated", {"order": self._told(order_id)})

    def ship(self, order_id: str, carrier: str = "DPD", number: str | None = None) -> Hook:
        """Everything leaves in one parcel."""
        number = number or f"{carrier}{order_id}"
        seconds = self.clock.now() // 1000
        shipment = {
            "id": self._serial(),
            "carrier": carrier,
            "service": f"{carrier} Standard",
            "tracking_number": number,
            "tracking_url": f"https://track.printful.example/{number}",
            "created": seconds,
            "ship_date": instant(self.clock.now()).strftime("%Y-%m-%d"),
            "shipped_at": seconds,
            "reshipment": False,
        }
        with self.lock:
            self.orders[order_id]["shipments"].append(shipment)
        self._move(order_id, "fulfilled")
        return self.hook(
            "shipment_sent",
            {
                "shipment": {
                    "id": shipment["id"],
                    "status": "shipped",
                    "store_id": int(self.account),
                    "tracking_number": number,
                    "tracking_url": shipment["tracking_url"],
                    "carrier": carrier,
                    "shipped_at": rfc3339(self.clock.now()),
                    "reshipment": False,
                },
                "order": self._told(order_id),
            },
        )

    def deliver(self, order_id: str) -> Hook:
        """Everything arrives."""
        with self.lock:
            for shipment in self.orders[order_id]["shipments"]:
                shipment["delivered_at"] = rfc3339(self.clock.now())
        shipment = {"id": 1, "status": "delivered", "delivered_at": rfc3339(self.clock.now())}
        return self.hook("shipment_delivered", {"shipment": shipment, "order": self._told(order_id)})

    def cancel(self, order_id: str, reason: str) -> Hook:
        """The order is given up."""
        self._move(order_id, "canceled")
        return self.hook("order_canceled", {"reason": reason, "order": self._told(order_id)})

    def fail(self, order_id: str, reason: str) -> Hook:
        """The order cannot be made as it is."""
        self._move(order_id, "failed", error=reason)
        return self.hook("order_failed", {"reason": reason, "order": self._told(order_id)})

    def come_back(self, order_id: str, reason: str) -> Hook:
        """The parcel comes back."""
        with self.lock:
            back = self.orders[order_id]["shipments"][0]
            back["shipment_status"] = "returned"
        shipment = {"id": back["id"], "status": "returned"}
        data = {"reason": reason, "shipment": shipment, "order": self._told(order_id)}
        return self.hook("shipment_returned", data)

    def product_hook(self, event_type: str, product_id: str) -> Hook:
        """Version 1 tells of a product: ``product_updated``, ``product_deleted``, ``product_synced``."""
        return self.hint(event_type, {"sync_product": {"id": int(product_id)}})

    def hook(self, event_type: str, data: dict[str, Any]) -> Hook:
        """A signed webhook of version 2."""
        event = {
            "type": event_type,
            "occurred_at": rfc3339(self.clock.now()),
            "retries": 0,
            "store_id": int(self.account),
            "data": data,
        }
        return self.signed(json.dumps(event, ensure_ascii=False).encode())

    def signed(self, body: bytes, secret: str | None = None) -> Hook:
        """Bytes with their signature; with another ``secret`` a forgery."""
        key = bytes.fromhex(secret or self.secret)
        headers = {
            "Content-Type": "application/json",
            "X-PF-Webhook-Signature": hmac.new(key, body, hashlib.sha256).hexdigest(),
            "X-PF-Webhook-Public-Key": hashlib.sha256(key).hexdigest()[:32],
        }
        return Hook(body, headers)

    def hint(self, event_type: str, data: dict[str, Any]) -> Hook:
        """A webhook of version 1: unsigned, with the token that its address was registered with."""
        event = {
            "type": event_type,
            "created": self.clock.now() // 1000,
            "retries": 0,
            "store": int(self.account),
            "data": data,
        }
        body = json.dumps(event, ensure_ascii=False).encode()
        return Hook(body, {"Content-Type": "application/json"}, f"token={quote(self.secret, safe='')}")

    def order_hint(self, event_type: str, order_id: str) -> Hook:
        """Version 1 tells of an order (``package_shipped``, ``order_updated``)."""
        return self.hint(event_type, {"order": self._told(order_id)})

    def external_id(self, order: dict[str, Any]) -> str | None:
        """The number that an order was handed over under."""
        found: str | None = order["external_id"]
        return found

    def find_verb(self, method: str, path: str) -> tuple[str, tuple[str, ...]] | None:
        """What a request asks for."""
        for wanted, pattern, verb in _ROUTES:
            match = pattern.fullmatch(path)
            if match and wanted == method:
                return verb, match.groups()
        return None

    def error(self, status: int, reason: str) -> Answer:
        """A refusal as Printful writes it."""
        body = {"code": status, "result": reason, "error": {"reason": "BadRequest", "message": reason}}
        return Answer(status, body)

    def act(self, call: Call) -> Answer:
        """Do what is asked for."""
        acts: dict[str, Callable[[Call], Answer]] = {
            "test": self._stores,
            "products": self._products,
            "product": lambda call: self._found(self.catalogue.get(call.args[0])),
            "submit": self._submit,
            "find": lambda call: self._found(next(iter(self.held_as(call.args[0])), None)),
            "status": lambda call: self._found(self.orders.get(call.args[0])),
            "confirm": self._confirm,
            "shipments": self._shipments,
        }
        return acts[call.verb](call)

    def _stores(self, _: Call) -> Answer:
        return self._said([{"id": int(self.account), "type": "native", "name": self.title}])

    def _confirm(self, call: Call) -> Answer:
        order = self.orders.get(call.args[0])
        if order is not None:
            order.update(status="pending", error=None)
        return self._found(order)

    def _shipments(self, call: Call) -> Answer:
        order = self.orders.get(call.args[0])
        if order is None:
            return self.error(404, "Not found")
        shipments = [{"delivered_at": None, **shipment} for shipment in order["shipments"]]
        return Answer(200, {"data": shipments, "paging": {"total": len(shipments), "offset": 0, "limit": 20}})

    def _products(self, call: Call) -> Answer:
        limit, offset = int(call.query.get("limit", "20")), int(call.query.get("offset", "0"))
        heads = [product["sync_product"] for product in self.catalogue.values()]
        paging = {"total": len(heads), "offset": offset, "limit": limit}
        return Answer(200, {"code": 200, "result": heads[offset : offset + limit], "paging": paging})

    def _submit(self, call: Call) -> Answer:
        body, confirmed = call.body, call.query.get("confirm") in ("1", "true")
        external_id = body["external_id"]
        if self.held_as(external_id):
            return self.error(400, f"Order with External ID {external_id} already exists")
        known = {
            variant["id"]: variant
            for product in self.catalogue.values()
            for variant in product["sync_variants"]
        }
        for item in body["items"]:
            variant = known.get(item["sync_variant_id"])
            if variant is None:
                return self.error(400, f"Sync variant {item['sync_variant_id']} does not exist")
            if variant["availability_status"] != "active":
                why = "out of stock" if variant["availability_status"] == "out_of_stock" else "discontinued"
                return self.error(400, f"Item {variant['name']} is {why}")
        if not body["recipient"].get("address1") or not body["recipient"].get("country_code"):
            return self.error(400, "Recipient: the address is incomplete")
        before = sum(order["external_id"] == external_id for order in self.orders.values())
        number = int(self.id_of("order", f"{external_id} {before}")[:7], 16)  # whatever else came before it
        while (made := str(100_000_000 + number)) in self.orders:
            number += 1
        self.orders[made] = {
            "id": int(made),
            "external_id": external_id,
            "store": int(self.account),
            "status": "pending" if confirmed else "draft",
            "error": None,
            "shipping": body["shipping"],
            "created": self.clock.now() // 1000,
            "updated": self.clock.now() // 1000,
            "recipient": body["recipient"],
            "items": body["items"],
            "shipments": [],
        }
        return self._said(self.orders[made])

    def _found(self, thing: Any) -> Answer:
        return self.error(404, "Not found") if thing is None else self._said(thing)

    @staticmethod
    def _said(result: Any) -> Answer:
        return Answer(200, {"code": 200, "result": result})

    def _told(self, order_id: str) -> dict[str, Any]:
        with self.lock:
            order = self.orders[order_id]
            return {
                "id": order["id"],
                "external_id": order["external_id"],
                "status": order["status"],
                "store_id": int(self.account),
            }

    def _move(self, order_id: str, status: str, **more: str) -> None:
        with self.lock:
            self.orders[order_id].update(status=status, **more)

    def _serial(self) -> int:
        with self.lock:
            self._count += 1
            return self._count
