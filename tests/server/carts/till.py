"""Carts of a store, with few words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Update, update

from server.carts import service as carts
from server.catalog import service as catalog
from server.catalog.models import variant
from server.contract.catalog import NewProduct, ProductOptions
from server.contract.shop_carts import AddLine, ChangeCart, ConvertCart, NewCart, ShopCart
from server.kit.access import Principal
from server.kit.db import Store

T = TypeVar("T")
OWNER = Principal("t1", "a token", "owner", "u1")
SESSION = "a-session-of-the-shops-front"


class Till:
    """A shop with socks (12.50 and 13.50, engraving and colour may be chosen) and its carts."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.socks = self.product("wool-socks")
        self.put_options(
            {"key": "colour", "choices": ["red", "blue", 1, "1", True]}, {"key": "engraving"}, {"key": "size"}
        )
        self.small, self.medium = (one.id for one in store.read(lambda tx: catalog.get(tx, self.socks)).items)

    def run(self, verb: Callable[..., T], *given: object, **named: object) -> T:
        """Do something in a transaction of its own."""
        return self.store.write(lambda tx: verb(tx, *given, **named))

    def set(self, change: Update) -> None:
        """Change rows by hand."""
        self.store.write(lambda tx: tx.execute(change).rowcount)

    def product(self, slug: str, *prices: int, **changed: Any) -> str:
        """A product with a variant of each price (pence), and its id."""
        variants = [
            {"name": f"No. {n}", "price": {"amount": price, "currency": "GBP"}}
            for n, price in enumerate(prices or (1250, 1350))
        ]
        new = NewProduct.model_validate({"slug": slug, "name": slug.title(), "variants": variants} | changed)
        return self.store.write(lambda tx: catalog.create(tx, new))

    def put_options(self, *options: dict[str, Any]) -> None:
        new = ProductOptions.model_validate({"options": list(options)})
        self.store.write(lambda tx: catalog.put_options(tx, self.socks, new))

    def price(self, variant_id: str, amount: int) -> None:
        """Let a variant cost something else from now on."""
        self.set(update(variant).where(variant.c.id == variant_id).values(price=amount))

    def open(self, **who: Any) -> str:
        new = NewCart.model_validate(who or {"session": SESSION})
        return self.store.write(lambda tx: carts.open_cart(tx, new))[0]

    def add(self, cart_id: str, **what: Any) -> ShopCart:
        fields = {"product_id": self.socks, "variant_id": self.small} | what
        new = AddLine.model_validate(fields)
        self.store.write(lambda tx: carts.add(tx, cart_id, new))
        return self.get(cart_id)

    def choose(self, cart_id: str, **what: Any) -> ShopCart:
        new = ChangeCart.model_validate(what)
        self.store.write(lambda tx: carts.choose(tx, cart_id, new))
        return self.get(cart_id)

    def ready(self, **who: Any) -> str:
        """A cart that can become an order: two pairs, 3.95 for shipping."""
        cart_id = self.open(**who)
        self.add(cart_id, quantity=2)
        shipping = {"amount": 395, "currency": "GBP"}
        self.choose(cart_id, shipping_method="post", shipping=shipping)
        return cart_id

    def convert(self, cart_id: str, *, stood: bool = False, **who: Any) -> str:
        new = ConvertCart.model_validate(who)
        return self.store.write(lambda tx: carts.convert(tx, cart_id, new, stood=stood))

    def get(self, cart_id: str) -> ShopCart:
        return self.store.read(lambda tx: carts.get(tx, cart_id, OWNER))

    def lines(self, cart_id: str) -> list[tuple[dict[str, Any], int, int]]:
        """Choices, quantity and price of each line."""
        return [(one.specs, one.quantity, one.unit_price.amount) for one in self.get(cart_id).lines]
