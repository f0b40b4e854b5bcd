"""Printful's API: orders and products by version 1, what became of a shipment by version 2 (only it knows)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
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
from server.kit.clock import SECOND
from server.kit.money import exponent

LABEL: Final = "Printful"
_PAGE: Final = 100
_MOST_PAGES: Final = 1000
_GONE: Final = ("discontinued", "out_of_stock")

STATUS: Final[Mapping[str, Step]] = {
    "draft": "submitted",
    "pending": "submitted",
    "onhold": "submitted",
    "inreview": "submitted",
    "inprocess": "processing",
    "partial": "shipped",
    "fulfilled": "shipped",
    "canceled": "cancelled",
    "cancelled": "cancelled",
    "archived": "cancelled",
    "failed": "failed",
}
"""Its statuses as the shop's steps. One that is not here changes nothing."""
_WAITS: Final = ("draft", "failed")
"""In these it does nothing until somebody confirms."""


class Printful:
    """The shop's connection to Printful."""

    label: str = LABEL

    def __init__(self, connection: Connection, timeouts: Timeouts | None = None) -> None:
        self._account = connection.account
        self._api = Api(
            LABEL,
            connection.url,
            connection.token,
            explain=_explain,
            headers={"X-PF-Store-Id": connection.account},
            timeouts=timeouts,
        )

    def test(self) -> str:
        """Whether the token is good and knows the store; gives the store's name."""
        stores = {
            text(store.get("id")): store for store in self._list(self._api.get("/stores"), "its stores")
        }
        store = our_account(LABEL, "store", self._account, stores)
        return text(store.get("name")) or self._account

    def products(self) -> Iterator[Seen]:
        """Every product of the store; the variants of each are asked for one by one, as its API has it."""
        offset = 0
        for _ in range(_MOST_PAGES):
            found = self._api.get("/store/products", offset=offset, limit=_PAGE)
            rows = self._list(found, "its products")
            total = whole(mapping(mapping(found).get("paging")).get("total"))
            for row in rows:
                if (product := self._product(row)) is not None:
                    yield Seen(product, total)
            offset += len(rows)
            if not rows or (total is not None and offset >= total) or (total is None and len(rows) < _PAGE):
                return
        raise ProviderError("Printful's catalogue has no end.", certain=True)

    def submit(self, parcel: Parcel) -> ProviderOrder:
        """Hand an order over and confirm it in one request."""
        made = self._api.post("/orders", _body(parcel), confirm=1)
        return order(mapping(mapping(made).get("result")))

    def find(self, external_id: str, since: int) -> ProviderOrder | None:  # noqa: ARG002 - it is asked for by name
        """The order under this number."""
        return self._order(f"/orders/@{quote(external_id, safe='')}")

    def confirm(self, provider_order_id: str) -> ProviderOrder:
        """Confirm a draft, or one that failed and can be tried again."""
        made = self._api.post(f"/orders/{quote(provider_order_id, safe='')}/confirm")
        return order(mapping(mapping(made).get("result")))

    def status(self, provider_order_id: str) -> ProviderOrder | None:
        """How far an order is; once it was shipped, also whether it arrived."""
        name = quote(provider_order_id, safe="")
        found = self._api.get(f"/orders/{name}")
        if found is None:
            return None
        given = mapping(mapping(found).get("result"))
        shown = order(given)
        if shown.status != "shipped":
            return shown
        shipments = mapping(self._api.get(f"/v2/orders/{name}/shipments")).get("data")
        return order(given, listing(shipments))

    def close(self) -> None:
        """Let go of the connections."""
        self._api.close()

    def _order(self, path: str) -> ProviderOrder | None:
        found = self._api.get(path)
        return None if found is None else order(mapping(mapping(found).get("result")))

    def _product(self, row: dict[str, Any]) -> ProviderProduct | None:
        name = ident(row.get("id"), LABEL, "a product's id")
        found = self._api.get(f"/store/products/{quote(name, safe='')}")
        if found is None:
            return None  # deleted while we were reading
        result = mapping(mapping(found).get("result"))
        if "sync_product" not in result:
            raise odd(LABEL, "a product")
        head = mapping(result["sync_product"])
        return ProviderProduct(
            id=name,
            name=text(head.get("name")) or "—",
            description=None,
            image_url=web_address(head.get("thumbnail_url")),
            available=head.get("is_ignored") is not True,
            variants=tuple(_variant(variant) for variant in listing(result.get("sync_variants"))),
        )

    @staticmethod
    def _list(found: Any, what: str) -> list[dict[str, Any]]:
        rows = mapping(found).get("result")
        if not isinstance(rows, list):
            raise odd(LABEL, what)
        return listing(rows)


def order(given: dict[str, Any], shipments: list[dict[str, Any]] | None = None) -> ProviderOrder:
    """An order as its API describes it.

    Args:
        given: by version 1.
        shipments: by version 2, where they are known: they tell whether everything arrived.

    Raises:
        ProviderError: it has no id or no status.
    """
    said = ident(given.get("status"), LABEL, "the order's status").lower()
    status = STATUS.get(said, "submitted")
    sent = [one for one in listing(given.get("shipments")) if one.get("reshipment") is not True]
    first = sent[0] if sent else {}
    times: dict[Step, int] = {}
    if status == "shipped" and (at := _shipped_at(first)) is not None:
        times["shipped"] = at
    arrived = [provider_time(one.get("delivered_at")) for one in shipments or []]
    if said == "fulfilled" and arrived and None not in arrived:
        status = "delivered"
        times["delivered"] = max(at for at in arrived if at is not None)
    return ProviderOrder(
        id=ident(given.get("id"), LABEL, "the order's id"),
        status=status,
        provider_status=said,
        reason=text(given.get("error")) if said == "failed" else None,
        carrier=text(first.get("carrier")),
        tracking_number=text(first.get("tracking_number")),
        tracking_url=web_address(first.get("tracking_url")),
        times=times,
        unconfirmed=said in _WAITS,
        returned=tuple(
            name
            for one in shipments or []
            if one.get("shipment_status") == "returned" and (name := text(one.get("id"))) is not None
        ),
    )


def _shipped_at(shipment: dict[str, Any]) -> int | None:
    seconds = whole(shipment.get("shipped_at")) or whole(shipment.get("created"))
    return seconds * SECOND if seconds and seconds < 10**11 else None


def _variant(given: dict[str, Any]) -> ProviderVariant:
    currency = text(given.get("currency"), 3)
    price = _minor(given.get("retail_price"), currency)
    return ProviderVariant(
        id=ident(given.get("id"), LABEL, "a variant's id"),
        name=text(given.get("name")) or "—",
        sku=text(given.get("sku")),
        price=price,
        currency=None if price is None else currency,
        available=given.get("is_ignored") is not True and given.get("availability_status") not in _GONE,
    )


def _minor(price: object, currency: str | None) -> int | None:
    """A decimal text in minor units; None when it is no such thing."""
    if not isinstance(price, str) or currency is None or len(price) > 20:
        return None
    try:
        amount = Decimal(price).scaleb(exponent(currency))
    except InvalidOperation:
        return None
    return (
        int(amount) if amount.is_finite() and amount >= 0 and amount == amount.to_integral_value() else None
    )


def _body(parcel: Parcel) -> dict[str, Any]:
    return {
        "external_id": parcel.external_id,
        "shipping": "STANDARD",
        "recipient": _recipient(parcel.to),
        "items": [
            {
                "sync_variant_id": int(line.variant_id) if line.variant_id.isdecimal() else line.variant_id,
                "quantity": line.quantity,
            }
            for line in parcel.lines
        ],
    }


def _recipient(to: Recipient) -> dict[str, str]:
    where = to.address
    parts = {
        "name": to.name,
        "address1": where.line1,
        "address2": where.line2,
        "city": where.city,
        "state_code": where.state,
        "country_code": where.country,
        "zip": where.postal_code,
        "phone": to.phone,
        "email": to.email,
    }
    return {name: part for name, part in parts.items() if part}


def _explain(body: Any) -> str | None:
    error = body.get("error")
    found = error.get("message") if isinstance(error, dict) else None
    found = found or body.get("result") or body.get("detail") or body.get("title")
    return found if isinstance(found, str) else None
