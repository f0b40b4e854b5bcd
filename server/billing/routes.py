"""Invoices and transactions over HTTP. Whoever changes one is written down, and nothing of why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final

from fastapi import Depends, Query, Request, Response

from server.accounts import users
from server.audit import acting
from server.audit.acting import Act
from server.billing import service as billing
from server.contract.base import Page
from server.contract.billing import (
    Invoice,
    InvoiceRow,
    InvoiceState,
    NewInvoice,
    NewPayment,
    NewRefund,
    Transaction,
)
from server.kit.access import Principal
from server.kit.tx import Tx
from server.kit.web import PageQuery, answer, page_query, permit, refuses, router, services

routes: Final = router("/v1", "billing")
_Reader = Annotated[Principal, permit("billing.read")]
_Manager = Annotated[Principal, permit("billing.manage_invoices")]
_Paging = Annotated[PageQuery, Depends(page_query)]
_Person = Annotated[str | None, Query(max_length=64, description="a person's id")]


@routes.get("/invoices", response_model=Page[InvoiceRow], summary="Invoices, newest first")
def list_invoices(
    request: Request,
    caller: _Reader,  # noqa: ARG001 - declares the permission
    paging: _Paging,
    state: Annotated[InvoiceState | None, Query(description="a state")] = None,
    person: _Person = None,
    order: Annotated[str | None, Query(max_length=64, description="an order's id or number")] = None,
) -> Response:
    """One page. Errors: 400 ``invalid_cursor``; 422 ``invalid_request``."""
    found, query = services(request), billing.InvoiceQuery(state, person, order)
    page = found.store.read(lambda tx: billing.invoices(tx, query, paging.request(found.cursors, query.name)))
    older, newer = found.cursors.around(page, query.name, billing.invoice_place)
    return answer(Page[InvoiceRow](items=list(page.rows), next=older, prev=newer))


@routes.post(
    "/invoices",
    response_model=Invoice,
    status_code=201,
    summary="Draft an invoice",
    responses=refuses(invalid_amount=422, billing_profile_not_owned=409),
)
async def make_invoice(request: Request, new: NewInvoice, caller: _Manager) -> Response:
    """For a person, or an order of theirs. Errors: 409; 422 ``invalid_amount``, ``invalid_request``."""
    return await _act(request, caller, "invoice_created", lambda tx: billing.create(tx, new), 201)


@routes.get("/invoices/{invoice}", response_model=Invoice, summary="One invoice")
def read_invoice(request: Request, invoice: str, caller: _Reader) -> Response:
    """By its id or number, with its transactions and what the caller may do now. Errors: 404 ``not_found``."""
    return answer(services(request).store.read(lambda tx: billing.get(tx, invoice, caller)))


@routes.post(
    "/invoices/{invoice}/send",
    response_model=Invoice,
    summary="Let a draft be paid",
    responses=refuses(invalid_transition=409),
)
async def send_invoice(request: Request, invoice: str, caller: _Manager) -> Response:
    """Says that it was handed over; nothing is mailed. Errors: 404 ``not_found``; 409 ``invalid_transition``."""
    return await _act(request, caller, "invoice_sent", lambda tx: str(billing.send(tx, invoice).id))


@routes.post(
    "/invoices/{invoice}/void",
    response_model=Invoice,
    summary="Let an invoice not stand any more",
    responses=refuses(invoice_not_voidable=409),
)
async def void_invoice(request: Request, invoice: str, caller: _Manager) -> Response:
    """Errors: 404 ``not_found``; 409 ``invoice_not_voidable``."""
    return await _act(request, caller, "invoice_voided", lambda tx: str(billing.void(tx, invoice).id))


@routes.post(
    "/invoices/{invoice}/payments",
    response_model=Invoice,
    status_code=201,
    summary="Record a payment",
    responses=refuses(invalid_amount=422, not_payable=409, exceeds_remaining=409),
)
async def record_payment(request: Request, invoice: str, new: NewPayment, caller: _Manager) -> Response:
    """With the last part of its total the invoice is paid. Errors: 404 ``not_found``; 409; 422."""

    def unit(tx: Tx) -> str:
        billing.pay(tx, invoice, new)
        return invoice

    return await _act(request, caller, "payment_recorded", unit, 201)


@routes.post(
    "/invoices/{invoice}/refunds",
    response_model=Invoice,
    status_code=201,
    summary="Record money given back",
    responses=refuses(invalid_amount=422, not_refundable=409, exceeds_paid_amount=409),
)
async def record_refund(request: Request, invoice: str, new: NewRefund, caller: _Manager) -> Response:
    """The reason must be given and is kept nowhere. Errors: 404 ``not_found``; 409; 422."""

    def unit(tx: Tx) -> str:
        billing.refund(tx, invoice, new)
        return invoice

    return await _act(request, caller, "refund_recorded", unit, 201)


@routes.get("/transactions", response_model=Page[Transaction], summary="Transactions, newest first")
def list_transactions(
    request: Request,
    caller: _Reader,  # noqa: ARG001 - declares the permission
    paging: _Paging,
    invoice: Annotated[str | None, Query(max_length=64, description="an invoice's id or number")] = None,
    person: _Person = None,
) -> Response:
    """One page. Errors: 400 ``invalid_cursor``; 422 ``invalid_request``."""
    found, query = services(request), billing.TransactionQuery(invoice, person)
    page = found.store.read(
        lambda tx: billing.transactions(tx, query, paging.request(found.cursors, query.name))
    )
    older, newer = found.cursors.around(page, query.name, billing.transaction_place)
    return answer(Page[Transaction](items=list(page.rows), next=older, prev=newer))


async def _act(
    request: Request, caller: Principal, what: str, unit: Callable[[Tx], str], status: int = 200
) -> Response:
    """Change an invoice, answer with how it stands, and have it written down who did."""
    return await acting.mutate(
        request,
        caller,
        lambda tx: billing.get(tx, unit(tx), caller),
        lambda tx, made: _entry(tx, what, made),
        status,
        remembered=_without_person,
    )


def _entry(tx: Tx, what: str, made: Invoice) -> Act:
    person_id = made.customer.id if made.customer else None
    facts = {"invoice_number": made.number, "status": made.state}
    money = made.total
    if what in ("payment_recorded", "refund_recorded"):
        moved = made.transactions[0]
        facts |= {"transaction_id": moved.id, "method": moved.method}
        money = moved.amount
    if made.order is not None:
        facts |= {"order_id": made.order.id, "order_number": made.order.number}
    return Act(
        f"billing.{what}",
        "invoice",
        made.id,
        users.user_of(tx, [person_id]).get(person_id) if person_id else None,
        {**facts, "amount": money.amount, "currency": money.currency},
    )


def _without_person(made: Invoice) -> Invoice:
    """What is kept for a repeat: who people are stands in the vault alone."""
    bare = [one.model_copy(update={"customer": None}) for one in made.transactions]
    return made.model_copy(update={"customer": None, "transactions": bare})
