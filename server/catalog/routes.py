"""The catalogue over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import Depends, Query, Request, Response

from server.audit import acting
from server.audit.acting import Act
from server.catalog import categories
from server.catalog import service as catalog
from server.contract.base import Answer, Page
from server.contract.catalog import (
    CategoryRef,
    ChangedProducts,
    ChangeProduct,
    ChangeProducts,
    NewCategory,
    NewProduct,
    Product,
    ProductOptions,
    ProductRow,
    StockChange,
    Variant,
)
from server.kit.access import Principal
from server.kit.tx import Tx
from server.kit.web import PageQuery, answer, mutate, page_query, permit, refuses, router, services

routes: Final = router("/v1", "catalogue")


class Categories(Answer):
    """All categories."""

    items: list[CategoryRef]


class Removed(Answer):
    """What was taken away."""

    removed: bool = True


@routes.get("/products", response_model=Page[ProductRow], summary="Products, newest first")
def list_products(
    request: Request,
    caller: Annotated[Principal, permit("catalog.read")],  # noqa: ARG001 - declares the permission
    paging: Annotated[PageQuery, Depends(page_query)],
    q: Annotated[str, Query(max_length=catalog.MAX_SEARCH, description="literal text in name or slug")] = "",
    category: Annotated[str | None, Query(max_length=120, description="a category's slug")] = None,
    provider: Annotated[str | None, Query(max_length=40, description="who makes it")] = None,
    available: Annotated[bool | None, Query(description="whether it can be had")] = None,
) -> Response:
    """One page. Errors: 400 ``invalid_cursor``; 422 ``invalid_request``."""
    found = services(request)
    query = catalog.ListQuery(q.strip(), category, provider, available)
    page = found.store.read(lambda tx: catalog.listing(tx, query, paging.request(found.cursors, query.name)))
    older, newer = found.cursors.around(page, query.name, catalog.place)
    return answer(Page[ProductRow](items=list(page.rows), next=older, prev=newer))


@routes.post(
    "/products",
    response_model=Product,
    status_code=201,
    summary="Make a product",
    responses=refuses(slug_taken=409, provider_product_taken=409),
)
async def make_product(
    request: Request, new: NewProduct, caller: Annotated[Principal, permit("catalog.manage")]
) -> Response:
    """Put a product into the catalogue. Errors: 409 ``slug_taken``; 422 ``invalid_request``."""

    def unit(tx: Tx) -> Product:
        return catalog.get(tx, catalog.create(tx, new))

    return await acting.mutate(
        request, caller, unit, lambda _, made: _entry(caller, "product_created", made.id), 201
    )


@routes.post("/products/changes", response_model=ChangedProducts, summary="Let many products be had, or not")
async def change_products(
    request: Request, new: ChangeProducts, caller: Annotated[Principal, permit("catalog.manage")]
) -> Response:
    """All of them, or none. Errors: 404 ``not_found`` for an id that is no product's; 422 ``invalid_request``."""

    def act(_tx: Tx, made: ChangedProducts) -> Act | None:
        facts = {"count": len(made.changed), "status": "available" if new.available else "unavailable"}
        return _entry(caller, "products_status_changed", None, facts) if made.changed else None

    return await acting.mutate(request, caller, lambda tx: catalog.change_many(tx, new), act)


@routes.get("/products/{product}", response_model=Product, summary="One product")
def read_product(
    request: Request,
    product: str,
    caller: Annotated[Principal, permit("catalog.read")],  # noqa: ARG001 - declares the permission
) -> Response:
    """A product by its id or slug. Errors: 404 ``not_found``."""
    return answer(services(request).store.read(lambda tx: catalog.get(tx, product)))


@routes.patch(
    "/products/{product}",
    response_model=Product,
    summary="Change a product",
    responses=refuses(slug_taken=409, provider_product_taken=409),
)
async def change_product(
    request: Request,
    product: str,
    new: ChangeProduct,
    caller: Annotated[Principal, permit("catalog.manage")],
) -> Response:
    """What is left out stays. Errors: 404 ``not_found``; 409 ``slug_taken``; 422 ``invalid_request``."""

    def unit(tx: Tx) -> Product:
        return catalog.get(tx, catalog.change(tx, product, new))

    return await acting.mutate(
        request, caller, unit, lambda _, made: _entry(caller, "product_updated", made.id)
    )


@routes.delete("/products/{product}", response_model=Removed, summary="Take a product away")
async def remove_product(
    request: Request, product: str, caller: Annotated[Principal, permit("catalog.manage")]
) -> Response:
    """Orders keep what they say of it. Errors: 404 ``not_found``."""

    gone: list[str] = []

    def unit(tx: Tx) -> Removed:
        gone[:] = [catalog.remove(tx, product)]
        return Removed()

    return await acting.mutate(
        request, caller, unit, lambda _tx, _made: _entry(caller, "product_deleted", gone[0])
    )


@routes.put("/products/{product}/options", response_model=Product, summary="Say what can be chosen about it")
async def put_options(
    request: Request,
    product: str,
    new: ProductOptions,
    caller: Annotated[Principal, permit("catalog.manage")],
) -> Response:
    """These options take the place of all. Errors: 404 ``not_found``; 422 ``invalid_request``."""

    def unit(tx: Tx) -> Product:
        return catalog.get(tx, catalog.put_options(tx, product, new))

    return await acting.mutate(
        request, caller, unit, lambda _, made: _entry(caller, "product_updated", made.id)
    )


@routes.post(
    "/variants/{variant}/stock",
    response_model=Variant,
    summary="Set or move a variant's stock",
    responses=refuses(stock_not_counted=409, stock_too_low=409),
)
async def change_stock(
    request: Request,
    variant: str,
    new: StockChange,
    caller: Annotated[Principal, permit("catalog.manage")],
) -> Response:
    """``stock`` sets it, ``change`` moves it by so many. Errors: 404 ``not_found``; 409; 422 ``invalid_request``."""
    return await mutate(request, caller, lambda tx: catalog.set_stock(tx, variant, new))


@routes.get("/categories", response_model=Categories, summary="All categories")
def list_categories(
    request: Request,
    caller: Annotated[Principal, permit("catalog.read")],  # noqa: ARG001 - declares the permission
) -> Response:
    """By name."""
    return answer(Categories(items=services(request).store.read(categories.listing)))


@routes.post(
    "/categories",
    response_model=CategoryRef,
    status_code=201,
    summary="Make a category",
    responses=refuses(slug_taken=409),
)
async def make_category(
    request: Request, new: NewCategory, caller: Annotated[Principal, permit("catalog.manage")]
) -> Response:
    """Errors: 409 ``slug_taken``; 422 ``invalid_request``."""
    return await acting.mutate(
        request,
        caller,
        lambda tx: categories.create(tx, new),
        lambda _, made: _entry(caller, "category_created", made.id),
        201,
    )


@routes.patch(
    "/categories/{category}",
    response_model=CategoryRef,
    summary="Rename a category",
    responses=refuses(slug_taken=409),
)
async def rename_category(
    request: Request,
    category: str,
    new: NewCategory,
    caller: Annotated[Principal, permit("catalog.manage")],
) -> Response:
    """Errors: 404 ``not_found``; 409 ``slug_taken``; 422 ``invalid_request``."""
    return await acting.mutate(
        request,
        caller,
        lambda tx: categories.rename(tx, category, new),
        lambda _, made: _entry(caller, "category_updated", made.id),
    )


@routes.delete("/categories/{category}", response_model=Removed, summary="Take a category away")
async def remove_category(
    request: Request, category: str, caller: Annotated[Principal, permit("catalog.manage")]
) -> Response:
    """Its products stay, without one. Errors: 404 ``not_found``."""

    gone: list[str] = []

    def unit(tx: Tx) -> Removed:
        gone[:] = [categories.remove(tx, category)]
        return Removed()

    return await acting.mutate(
        request, caller, unit, lambda _tx, _made: _entry(caller, "category_deleted", gone[0])
    )


def _entry(
    caller: Principal, what: str, resource_id: str | None, facts: Mapping[str, str | int] | None = None
) -> Act | None:
    """What the audit log says of what staff did; a shop's own programs that keep the catalogue are not listed there."""
    if caller.user_id is None:
        return None
    return Act(f"shop.{what}", what.partition("_")[0], resource_id, metadata=facts or {})
