"""What the shop sells, as clients see it and as its programs send it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from server.contract.base import Answer, Instant, Money, Request
from server.contract.orders import Line, Text

Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=120)]
WebAddress = Annotated[str, Field(min_length=8, max_length=2048, pattern=r"^https?://")]


class CategoryRef(Answer):
    """A category."""

    id: str
    slug: str
    name: str


class Variant(Answer):
    """A variant of a product. ``stock`` is None where it is not counted."""

    id: str
    name: str
    sku: str | None = None
    provider_variant_id: str | None = None
    price: Money | None = None
    stock: int | None = None
    available: bool


OptionKey = Annotated[str, Field(min_length=1, max_length=80)]
OptionValue = str | int | bool


class ProductOption(Request):
    """What a customer may choose about a product beside its variant. No ``choices``: any value may be given."""

    key: OptionKey
    required: bool = False
    choices: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=255)] | int | bool], Field(max_length=200)
    ] = Field(default_factory=list)


class ProductOptions(Request):
    """All options of a product, in place of those it had."""

    options: Annotated[list[ProductOption], Field(max_length=40)]


class ProductRow(Answer):
    """A product in a list. ``url`` is its page in the shop, where the shop's address is set and it can be bought."""

    id: str
    slug: str
    name: str
    category: CategoryRef | None = None
    provider: str | None = None
    available: bool
    image_url: str | None = None
    url: str | None = None
    variants: int = 0
    created_at: Instant
    updated_at: Instant


class Product(ProductRow):
    """A product whole."""

    description: str | None = None
    provider_product_id: str | None = None
    items: list[Variant]
    options: list[ProductOption] = Field(default_factory=list)
    synced_at: Instant | None = None


class NewVariant(Request):
    """A variant to make, or to put in the place of the one with this ``id``."""

    id: Line | None = None
    name: Line
    sku: Line | None = None
    provider_variant_id: Line | None = None
    price: Money | None = None
    stock: Annotated[int, Field(ge=0, le=10**9)] | None = None
    available: bool = True


class NewProduct(Request):
    """A product of the shop's own, or one made by a provider."""

    slug: Slug
    name: Line
    description: Text | None = None
    category: Slug | None = None
    provider: Line | None = None
    provider_product_id: Line | None = None
    available: bool = True
    image_url: WebAddress | None = None
    variants: Annotated[list[NewVariant], Field(max_length=500)] = Field(default_factory=list)


class ChangeProduct(Request):
    """What to change of a product; what is left out stays."""

    slug: Slug | None = None
    name: Line | None = None
    description: Text | None = None
    category: Slug | None = None
    available: bool | None = None
    image_url: WebAddress | None = None
    variants: Annotated[list[NewVariant], Field(max_length=500)] | None = None


class NewCategory(Request):
    """A category to make or rename."""

    slug: Slug
    name: Line


class StockChange(Request):
    """Set a variant's stock, or move it by ``change``."""

    stock: Annotated[int, Field(ge=0, le=10**9)] | None = None
    change: Annotated[int, Field(ge=-(10**9), le=10**9)] | None = None


class ChangeProducts(Request):
    """Let many products be had, or not."""

    ids: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=64)]], Field(min_length=1, max_length=500)
    ]
    available: bool


class ChangedProducts(Answer):
    """The ids that were changed; those that stood so already are not among them."""

    changed: list[str]
