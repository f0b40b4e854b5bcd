"""What an invoice's states allow: the same rules list the actions and refuse what is tried. No database."""

from __future__ import annotations

from typing import Any, Final, cast

from server.contract.base import ActionState, Money
from server.contract.billing import InvoiceState
from server.kit.access import Principal
from server.kit.problems import ProblemError

PAYABLE: Final = ("sent", "overdue")
VOIDABLE: Final = ("draft", "sent", "overdue")


def state(row: Any, today: str) -> InvoiceState:
    """An invoice's state on a day (``YYYY-MM-DD``): one that was sent is overdue once its due day is past."""
    late = row.state == "sent" and row.due_on is not None and row.due_on < today
    return cast("InvoiceState", "overdue" if late else row.state)


def actions(row: Any, today: str, caller: Principal) -> list[ActionState]:
    """What a caller may do to an invoice now, with the reason when not."""
    now = state(row, today)
    allowed = caller.may("billing.manage_invoices")
    obstacles = {
        "send": None if now == "draft" else "invalid_transition",
        "record_payment": None if now in PAYABLE else "not_payable",
        "refund": None if row.paid > row.refunded else "not_refundable",
        "void": None if now in VOIDABLE else "invoice_not_voidable",
    }
    return [
        ActionState(
            name=name,
            allowed=allowed and obstacle is None,
            reason=obstacle if allowed else "insufficient_permissions",
        )
        for name, obstacle in obstacles.items()
    ]


def check_send(row: Any, today: str) -> None:
    """Refuse to send what is no draft.

    Raises:
        ProblemError: 409 ``invalid_transition``.
    """
    now = state(row, today)
    if now != "draft":
        raise ProblemError(409, "invalid_transition", f"An invoice that is {now} cannot be sent.", reason=now)


def check_void(row: Any, today: str) -> None:
    """Refuse to void what is paid or void.

    Raises:
        ProblemError: 409 ``invoice_not_voidable``.
    """
    now = state(row, today)
    if now not in VOIDABLE:
        raise ProblemError(
            409, "invoice_not_voidable", f"An invoice that is {now} cannot be voided.", reason=now
        )


def check_payment(row: Any, today: str, amount: Money) -> None:
    """Refuse a payment that the invoice does not take.

    Raises:
        ProblemError: 422 ``invalid_amount``; 409 ``not_payable``, ``exceeds_remaining``.
    """
    _check_amount(row, amount)
    now = state(row, today)
    if now not in PAYABLE:
        raise ProblemError(409, "not_payable", f"An invoice that is {now} takes no payment.", reason=now)
    if amount.amount > row.total - row.paid:
        raise ProblemError(409, "exceeds_remaining", "That is more than remains to be paid.")


def check_refund(row: Any, amount: Money) -> None:
    """Refuse to give back what was not paid.

    Raises:
        ProblemError: 422 ``invalid_amount``; 409 ``not_refundable``, ``exceeds_paid_amount``.
    """
    _check_amount(row, amount)
    left = row.paid - row.refunded
    if left <= 0:
        raise ProblemError(409, "not_refundable", "Nothing is left that could be given back.")
    if amount.amount > left:
        raise ProblemError(409, "exceeds_paid_amount", "That is more than was paid.")


def check_total(total: Money) -> None:
    """Refuse an invoice over nothing.

    Raises:
        ProblemError: 422 ``invalid_amount``.
    """
    if total.amount <= 0:
        raise _invalid("total", "must be more than nothing")


def _check_amount(row: Any, amount: Money) -> None:
    if amount.amount <= 0:
        raise _invalid("amount", "must be more than nothing")
    if amount.currency != row.currency:
        raise _invalid("amount", f"must be in the invoice's currency, {row.currency}")


def _invalid(field: str, message: str) -> ProblemError:
    return ProblemError(422, "invalid_amount", f"{field} {message}.", fields=[(field, message)])
