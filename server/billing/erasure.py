"""What happens to the money's records when somebody is erased: they are kept, without the person."""

from __future__ import annotations

from typing import Any

from server.billing.models import invoice, transaction
from server.people import erasure
from server.people.erasure import Rule, Subject

_WHY = "Money records are kept: numbers and amounts stay as they are; whose they were is taken off."


def _nobodys(subject: Subject) -> dict[str, Any]:
    return {"person_id": None, "person_mark": subject.mark, "anonymized_at": subject.now}


erasure.register(
    Rule(
        table=invoice,
        noun="invoices",
        fate="anonymise",
        why=_WHY,
        whose=lambda subject: invoice.c.person_id == subject.person_id,
        covers=("person_id", "billing_profile_id"),
        values=lambda subject: _nobodys(subject) | {"billing_profile_id": None},
    ),
    Rule(
        table=transaction,
        noun="transactions",
        fate="anonymise",
        why=_WHY,
        whose=lambda subject: transaction.c.person_id == subject.person_id,
        covers=("person_id",),
        values=_nobodys,
    ),
)
