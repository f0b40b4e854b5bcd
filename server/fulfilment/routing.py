"""What would be sent of an order, and to whom: by the products' provider, else by the shop's own choice.

Works on many orders at once, so that a page of entries asks as much as one order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, or_, select

from server.catalog.models import product, variant
from server.contract.orders import Address
from server.fulfilment import registry
from server.fulfilment.provider import Connection, Parcel, ParcelLine, Recipient
from server.kit.tx import Tx
from server.orders.models import order_item
from server.people import service as people

_NOT_IN_CATALOGUE: Final = "is not in the catalogue: sync the products, or give the order's line its variant"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an order as it would be sent. ``trouble`` is the rest of a sentence that begins with its name."""

    name: str
    quantity: int
    provider: str | None = None
    product_id: str | None = None
    variant_id: str | None = None
    trouble: str | None = None
    checksum: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be sent.

    Args:
        provider: who would get it; None when nobody is set up for it.
        lines: every line of the order.
        to: to whom, as far as it is known.
        troubles: sentences that say why it cannot be sent like that; trying again changes nothing about them.
        fingerprint: equal as long as nothing of what would be sent, or of how, has changed.
    """

    provider: str | None
    lines: tuple[Line, ...]
    to: Recipient
    troubles: tuple[str, ...]
    fingerprint: str

    def parcel(self, external_id: str) -> Parcel:
        """What is handed over, when there is no trouble."""
        lines = tuple(
            ParcelLine(line.product_id or "", line.variant_id or "", line.quantity) for line in self.lines
        )
        return Parcel(external_id, self.to, lines)


def plan(tx: Tx, row: Row[Any]) -> Plan:
    """What would be sent of one order."""
    return plans(tx, [row])[row.id]


def plans(tx: Tx, rows: Collection[Row[Any]]) -> dict[str, Plan]:
    """What would be sent of each order, by its id."""
    items: dict[str, list[Row[Any]]] = {row.id: [] for row in rows}
    found = select(order_item).where(order_item.c.order_id.in_(list(items)))
    for item in tx.execute(found.order_by(order_item.c.order_id, order_item.c.position)):
        items[item.order_id].append(item)
    shelf = _Shelf(tx, [item for own in items.values() for item in own])
    default = registry.default(tx)
    customers = people.people(tx, {row.person_id for row in rows if row.person_id})
    addresses = people.addresses(tx, {row.address_id for row in rows if row.address_id})
    reached = {name: registry.connection(tx, known) for name, known in registry.PROVIDERS.items()}
    return {
        row.id: _plan(
            tuple(shelf.line(item, default) for item in items[row.id]),
            _recipient(customers.get(row.person_id), addresses.get(row.address_id)),
            reached,
        )
        for row in rows
    }


def _plan(lines: tuple[Line, ...], to: Recipient, reached: Mapping[str, Connection | None]) -> Plan:
    makers = {line.provider for line in lines}
    named = sorted(maker for maker in makers if maker is not None)
    provider = named[0] if named else None
    troubles: list[str] = []
    if len(makers) > 1:
        who = " and ".join(_label(maker) for maker in [*named, *([None] if None in makers else [])])
        troubles.append(f"Its products are made by {who}, and one order goes to one provider: split it.")
    if provider is not None and provider not in registry.PROVIDERS:
        troubles.append(f"This server does not know the provider {provider}.")
    troubles += [f"{line.name} {line.trouble}." for line in lines if line.trouble]
    troubles += _missing(to)
    connection = reached.get(provider or "")
    return Plan(provider, lines, to, tuple(troubles), _fingerprint(provider, lines, to, connection))


def _label(maker: str | None) -> str:
    known = registry.find(maker)
    return "the shop itself" if maker is None else known.label if known else maker


def _missing(to: Recipient) -> list[str]:
    lacks = [
        word
        for word, value in (
            ("a name", to.name),
            ("a street", to.address.line1),
            ("a town", to.address.city),
            ("a country", to.address.country),
        )
        if not value
    ]
    if not lacks:
        return []
    words = lacks[0] if len(lacks) == 1 else f"{', '.join(lacks[:-1])} and {lacks[-1]}"
    return [f"The address lacks {words}."]


def _recipient(customer: people.Person | None, address: Address | None) -> Recipient:
    where = address or Address.model_construct(
        **dict.fromkeys(("name", "line1", "line2", "city", "postal_code", "state", "country"))
    )
    if customer is None:
        return Recipient(where.name or "", where)
    return Recipient(where.name or customer.name or "", where, customer.email, customer.phone)


def _fingerprint(
    provider: str | None, lines: Sequence[Line], to: Recipient, connection: Connection | None
) -> str:
    """A hash of all that a refusal may have been about: what is sent, where to, by which token."""
    told = [
        provider,
        [(line.product_id, line.variant_id, line.quantity, line.trouble, line.checksum) for line in lines],
        (to.name, to.email, to.phone, sorted(to.address.model_dump().items())),
        None if connection is None else (connection.url, connection.account, connection.token),
    ]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


class _Shelf:
    """What of the catalogue the lines of some orders may mean."""

    def __init__(self, tx: Tx, items: Collection[Row[Any]]) -> None:
        products = {item.product_id for item in items if item.product_id}
        variants = {item.variant_id for item in items if item.variant_id}
        self.products: list[Row[Any]] = []
        self.variants: list[Row[Any]] = []
        if not products and not variants:
            return
        named = or_(
            variant.c.id.in_(variants),
            variant.c.provider_variant_id.in_(variants),
            variant.c.sku.in_(variants),
        )
        meant = tx.execute(select(variant).where(named)).all()
        known = or_(
            product.c.id.in_(products | {one.product_id for one in meant}),
            product.c.provider_product_id.in_(products),
            product.c.slug.in_(products),
        )
        self.products = list(tx.execute(select(product).where(known)).all())
        self.variants = list(
            tx.execute(
                select(variant)
                .where(variant.c.product_id.in_([one.id for one in self.products]))
                .order_by(variant.c.product_id, variant.c.position)
            ).all()
        )

    def line(self, item: Row[Any], default: str | None) -> Line:
        """A line as it would be sent; one that means nothing in the catalogue is taken as the provider's own ids."""
        found = self._variant(item)
        if found is None:
            product_row = self._product(item.product_id)
            if product_row is not None:
                return self._of(item, product_row, None)
            if item.product_id and item.variant_id:
                return Line(item.name, item.quantity, default, item.product_id, item.variant_id)
            return Line(item.name, item.quantity, default, trouble=_NOT_IN_CATALOGUE)
        return self._of(item, next(one for one in self.products if one.id == found.product_id), found)

    def _of(self, item: Row[Any], made: Row[Any], chosen: Row[Any] | None) -> Line:
        own = [one for one in self.variants if one.product_id == made.id]
        if chosen is None and item.variant_id is None and len(own) == 1:
            chosen = own[0]
        trouble = None
        if made.provider is None:
            trouble = "is made by the shop itself"
        elif chosen is None or chosen.provider_variant_id is None or made.provider_product_id is None:
            trouble = "does not say which variant of the product it is"
        elif not made.available:
            trouble = "is no longer to be had from its provider"
        return Line(
            item.name,
            item.quantity,
            made.provider,
            made.provider_product_id,
            None if chosen is None else chosen.provider_variant_id,
            trouble,
            made.checksum,
        )

    def _product(self, name: str | None) -> Row[Any] | None:
        for row in self.products:
            if name and name in (row.id, row.provider_product_id, row.slug):
                return row
        return None

    def _variant(self, item: Row[Any]) -> Row[Any] | None:
        """The variant that a line names; a provider's id or a SKU counts when only one product can be meant."""
        if not item.variant_id:
            return None
        for row in self.variants:
            if row.id == item.variant_id:
                return row
        within = self._product(item.product_id)
        found = [
            row
            for row in self.variants
            if item.variant_id in (row.provider_variant_id, row.sku)
            and (within is None or row.product_id == within.id)
        ]
        return found[0] if len({row.product_id for row in found}) == 1 else None
