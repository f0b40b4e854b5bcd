"""Printify's API, version 1: shops, products, orders. Prices are US cents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from server.fulfilment.api import Api, Timeouts, our_account
from server.fulfilment.provider import (
    Connection,
    Parcel,
    ProviderError,
    ProviderOrder,
    ProviderProduct,
    ProviderVariant,
    Recipient,
    Seen,
    Step,
    provider_time,
)
from server.fulfilment.shapes import ident, listing, mapping, odd, text, web_address, whole
from server.kit.clock import DAY

LABEL: Final = "Printify"
_CURRENCY: Final = "USD"
_PRODUCTS: Final = 50
_ORDERS: Final = 10
_MOST_PAGES: Final = 1000
_STANDARD: Final = 1

STATUS: Final[Mapping[str, Step]] = {
    "pending": "submitted",
    "on-hold": "submitted",
    "callback-received": "submitted",
    "cost-calculation": "submitted",
    "sending-to-production": "processing",
    "in-production": "processing",
    "checking-quality": "processing",
    "quality-approved": "processing",
    "quality-declined": "processing",
    "ready-to-ship": "processing",
    "picked-up": "processing",
    "partially-shipped": "shipped",
    "partially-fulfilled": "shipped",
    "shipped": "shipped",
    "fulfilled": "shipped",
    "delivered": "delivered",
    "canceled": "cancelled",
    "cancelled": "cancelled",
    "payment-not-received": "failed",
    "has-issues": "failed",
}
"""Its statuses as the shop's steps. One that is not here changes nothing."""
_REASONS: Final = {
    "payment-not-received": "Printify was not paid for it: check the payment method there.",
    "has-issues": "Printify has a problem with it: open the order there.",
}


class Printify:
    """The shop's connection to Printify."""

    label: str = LABEL

    def __init__(self, connection: Connection, timeouts: Timeouts | None = None) -> None:
        self._api = Api(LABEL, connection.url, connection.token, explain=_explain, timeouts=timeouts)
        self._account = connection.account
        self._shop = f"/shops/{quote(connection.account, safe='')}"

    def test(self) -> str:
        """Whether the token is good and knows the shop; gives the shop's name."""
        found = self._api.get("/shops.json")
        if not isinstance(found, list):
            raise odd(LABEL, "its shops")
        shops = {text(shop.get("id")): shop for shop in listing(found)}
        shop = our_account(LABEL, "shop", self._account, shops)
        return text(shop.get("title")) or self._account

    def products(self) -> Iterator[Seen]:
        """Every product of the shop, a page of fifty at a time."""
        for page in range(1, _MOST_PAGES + 1):
            found = mapping(self._api.get(f"{self._shop}/products.json", page=page, limit=_PRODUCTS))
            if not isinstance(found.get("data"), list):
                raise odd(LABEL, "its products")
            total = whole(found.get("total"))
            for product in listing(found["data"]):
                yield Seen(_product(product), total)
            if not _more(found, page):
                return
        raise ProviderError("Printify's catalogue has no end.", certain=True)

    def submit(self, parcel: Parcel) -> ProviderOrder:
        """Hand an order over. Whether it waits for approval first is set at Printify."""
        made = self._api.post(f"{self._shop}/orders.json", _body(parcel))
        return ProviderOrder(ident(mapping(made).get("id"), LABEL, "the order's id"), "submitted", "on-hold")

    def find(self, external_id: str, since: int) -> ProviderOrder | None:
        """Go through the orders, newest first, back to a day before ``since``: there is no other way to ask."""
        for page in range(1, _MOST_PAGES + 1):
            found = mapping(self._api.get(f"{self._shop}/orders.json", page=page, limit=_ORDERS))
            if not isinstance(found.get("data"), list):
                raise odd(LABEL, "its orders")
            oldest = since
            for given in listing(found["data"]):
                if external_id in _names(given):
                    return order(given)
                oldest = min(oldest, provider_time(given.get("created_at")) or oldest)
            if oldest < since - DAY or not _more(found, page):
                return None
        return None

    def confirm(self, provider_order_id: str) -> ProviderOrder:
        """Nothing waits for a word of ours at Printify: what it has, it goes on with, or says why not."""
        found = self.status(provider_order_id)
        if found is None:
            raise odd(LABEL, "the order")
        return found

    def status(self, provider_order_id: str) -> ProviderOrder | None:
        """How far an order is."""
        path = f"{self._shop}/orders/{quote(provider_order_id, safe='')}.json"
        found = self._api.get(path)
        return None if found is None else order(mapping(found))

    def close(self) -> None:
        """Let go of the connections."""
        self._api.close()


def order(given: dict[str, Any]) -> ProviderOrder:
    """An order as its API describes it.

    Raises:
        ProviderError: it has no id or no status.
    """
    said = ident(given.get("status"), LABEL, "the order's status").lower()
    shipments = listing(given.get("shipments"))
    first = shipments[0] if shipments else {}
    status = STATUS.get(said, "submitted")
    arrived = [provider_time(shipment.get("delivered_at")) for shipment in shipments]
    times: dict[Step, int] = {}
    if (at := provider_time(given.get("sent_to_production_at"))) is not None:
        times["processing"] = at
    if (at := provider_time(given.get("fulfilled_at"))) is not None:
        times["shipped"] = at
    if status == "shipped" and said == "fulfilled" and arrived and None not in arrived:
        status = "delivered"
        times["delivered"] = max(at for at in arrived if at is not None)
    return ProviderOrder(
        id=ident(given.get("id"), LABEL, "the order's id"),
        status=status,
        provider_status=said,
        reason=_REASONS.get(said),
        carrier=text(first.get("carrier")),
        tracking_number=text(first.get("number")),
        tracking_url=web_address(first.get("url")),
        times=times,
    )


def _names(given: dict[str, Any]) -> set[str | None]:
    told = mapping(given.get("metadata"))
    names = {text(told.get("shop_order_id")), text(told.get("shop_order_label"))}
    return names | {text(given.get("external_id"))}


def _more(page: dict[str, Any], number: int) -> bool:
    """Whether there is another page; an empty one is the last, whatever it says."""
    last = whole(page.get("last_page"))
    if not page["data"]:
        return False
    return number < last if last is not None else page.get("next_page_url") is not None


def _product(given: dict[str, Any]) -> ProviderProduct:
    images = [image for image in listing(given.get("images")) if web_address(image.get("src"))]
    shown = next((image for image in images if image.get("is_default") is True), images[0] if images else {})
    return ProviderProduct(
        id=ident(given.get("id"), LABEL, "a product's id"),
        name=text(given.get("title")) or "—",
        description=text(given.get("description"), 4096),
        image_url=web_address(shown.get("src")),
        available=given.get("visible") is not False,
        variants=tuple(
            _variant(variant)
            for variant in listing(given.get("variants"))
            if variant.get("is_enabled") is not False
        ),
    )


def _variant(given: dict[str, Any]) -> ProviderVariant:
    price = whole(given.get("price"))
    return ProviderVariant(
        id=ident(given.get("id"), LABEL, "a variant's id"),
        name=text(given.get("title")) or "—",
        sku=text(given.get("sku")),
        price=price,
        currency=None if price is None else _CURRENCY,
        available=given.get("is_available") is not False,
    )


def _body(parcel: Parcel) -> dict[str, Any]:
    return {
        "external_id": parcel.external_id,
        "label": parcel.external_id,
        "line_items": [
            {
                "product_id": line.product_id,
                "variant_id": int(line.variant_id) if line.variant_id.isdecimal() else line.variant_id,
                "quantity": line.quantity,
            }
            for line in parcel.lines
        ],
        "shipping_method": _STANDARD,
        "send_shipping_notification": False,
        "address_to": _address(parcel.to),
    }


def _address(to: Recipient) -> dict[str, str]:
    first, _, last = to.name.strip().partition(" ")
    where = to.address
    return {
        "first_name": first,
        "last_name": last,
        "email": to.email or "",
        "phone": to.phone or "",
        "country": where.country or "",
        "region": where.state or "",
        "address1": where.line1 or "",
        "address2": where.line2 or "",
        "city": where.city or "",
        "zip": where.postal_code or "",
    }


def _explain(body: Any) -> str | None:
    errors = body.get("errors")
    if isinstance(errors, dict):
        reason = errors.get("reason")
        if isinstance(reason, str):
            return reason
        parts = [
            f"{name}: {'; '.join(map(str, why)) if isinstance(why, list) else why}"
            for name, why in errors.items()
        ]
        return ", ".join(parts)
    found = body.get("message") or body.get("error")
    return found if isinstance(found, str) else None
