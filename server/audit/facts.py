"""What an entry's facts may be: ids, roles, states, amounts, numbers of orders. Never anything of a person.

Each fact has one kind wherever it stands, and each kind takes so little that no e-mail, name, phone, card or sentence
passes for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

_LARGEST: Final = 10**15
_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_WORD: Final = re.compile(r"[a-z][a-z0-9_.:-]{0,39}", re.ASCII)
_NUMBER: Final = re.compile(r"[A-Z]{1,4}-[0-9A-Z]{1,12}(?:-[0-9A-Z]{1,12})?", re.ASCII)
_CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_REFERENCE: Final = re.compile(r"[A-Za-z0-9_.:-]{1,80}", re.ASCII)

Kind = Callable[[Any], bool]
"""Whether a value may stand for a fact."""


def _text(pattern: re.Pattern[str]) -> Kind:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -_LARGEST < value < _LARGEST


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _fields(value: Any) -> bool:
    """Names of fields, sorted out of a model: no more than a handful."""
    return (
        isinstance(value, list)
        and len(value) <= 40
        and all(isinstance(name, str) and _NAME.fullmatch(name) for name in value)
    )


def _value(value: Any) -> bool:
    """One side of a change: a program's word, a number or a flag, written as text."""
    return isinstance(value, str) and (word(value) or re.fullmatch(r"-?[0-9]{1,6}", value) is not None)


word: Final = _text(_WORD)
reference: Final = _text(_REFERENCE)
"""What a thing is referred to by: an id, or the program's name of a setting, a queue, a provider."""

FACTS: Final[dict[str, Kind]] = {
    "actor_role": word,
    "amount": _whole,
    "backup_sha256": _text(_DIGEST),
    "billing_profile_id": _text(_ID),
    "by": word,
    "cart_id": _text(_ID),
    "category_id": _text(_ID),
    "changed": _whole,
    "comment_id": _text(_ID),
    "count": _whole,
    "currency": _text(_CURRENCY),
    "days": _whole,
    "deletion_id": _text(_ID),
    "dropped": _whole,
    "email": _flag,
    "failed_count": _whole,
    "fields": _fields,
    "file_id": _text(_ID),
    "grace_days": _whole,
    "immediately": _flag,
    "imported_count": _whole,
    "internal": _flag,
    "invitations_revoked": _whole,
    "invoice_id": _text(_ID),
    "invoice_number": _text(_NUMBER),
    "kind": word,
    "method": word,
    "name": _flag,
    "number": lambda value: _whole(value) or _text(_NUMBER)(value),
    "order_id": _text(_ID),
    "order_number": _text(_NUMBER),
    "person_id": _text(_ID),
    "phone": _flag,
    "post_id": _text(_ID),
    "priority_from": word,
    "priority_to": word,
    "product_id": _text(_ID),
    "provider": word,
    "quantity": _whole,
    "receipt_id": _text(_ID),
    "role": word,
    "role_from": word,
    "role_to": word,
    "rows": _whole,
    "secrets": _whole,
    "status": word,
    "status_from": word,
    "status_to": word,
    "subscription_id": _text(_ID),
    "tables": _whole,
    "ticket_id": _text(_ID),
    "tokens_revoked": _whole,
    "transaction_id": _text(_ID),
}
"""The kind of every fact, by its name. None is allowed for each: what was not known."""

CHANGED: Final = re.compile(r"([a-z][a-z0-9_]{0,39})_(?:from|to)", re.ASCII)
"""The names under which ``log_user_change`` keeps the two sides of a change."""


def fits(name: str, value: Any) -> bool:
    """Whether a value may stand for the fact of this name."""
    if value is None:
        return True
    kind = FACTS.get(name)
    if kind is not None:
        return kind(value)
    return CHANGED.fullmatch(name) is not None and _value(value)
