"""What a cart may hold: whether a product can be bought, as what, and for how much."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from server.catalog import service as catalog
from server.catalog.models import variant as variants
from server.kit.problems import ProblemError, invalid_request
from server.kit.tx import Tx


@dataclass(frozen=True, slots=True)
class Offer:
    """A product as it can be bought now; the price in minor units of the cart's currency."""

    product_id: str
    variant_id: str
    name: str
    price: int


def offer(
    tx: Tx, product_id: str, variant_id: str | None, specs: Mapping[str, Any], currency: str, quantity: int
) -> Offer:
    """How a product can be bought.

    Args:
        tx: the transaction.
        product_id: its id or slug.
        variant_id: which of its variants; may be left out where there is one alone.
        specs: what was chosen about it.
        currency: the cart's.
        quantity: how many are wanted in all.

    Raises:
        ProblemError: 409 ``product_not_available`` (``reason``: ``unavailable``, ``no_price``, ``other_currency``,
            ``out_of_stock``); 422 ``unknown_option_key``, ``invalid_option_value``, ``missing_required_option``; 422
            ``invalid_request`` where a variant must be named.
    """
    product = catalog.find(tx, product_id)
    if product is None or not product.available:
        raise _unavailable("unavailable")
    variant = _variant(tx, product.id, variant_id)
    if variant.price is None:
        raise _unavailable("no_price")
    if variant.currency != currency:
        raise _unavailable("other_currency")
    if variant.stock is not None and variant.stock < quantity:
        raise _unavailable("out_of_stock")
    catalog.check_options(catalog.options_of(tx, product.id), specs)
    return Offer(product.id, variant.id, _name(product, variant), variant.price)


def _variant(tx: Tx, product_id: str, variant_id: str | None) -> Row[Any]:
    mine = select(variants).where(variants.c.product_id == product_id, variants.c.available == 1)
    if variant_id is not None:
        found = tx.execute(mine.where(variants.c.id == variant_id)).first()
        if found is None:
            raise _unavailable("unavailable")
        return found
    rows = tx.execute(mine.order_by(variants.c.position).limit(2)).all()
    if not rows:
        raise _unavailable("unavailable")
    if len(rows) > 1:
        raise invalid_request(("variant_id", "is missing: this product has several"))
    return rows[0]


def _name(product: Row[Any], variant: Row[Any]) -> str:
    name = product.name if variant.name == product.name else f"{product.name} — {variant.name}"
    return name if len(name) <= 255 else name[:254] + "…"


def _unavailable(reason: str) -> ProblemError:
    return ProblemError(
        409, "product_not_available", "This product cannot be bought like this now.", reason=reason
    )
