"""What a customer may choose about a product beside its variant, and whether a choice fits."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import delete, insert

from server.catalog import events, reading
from server.catalog.categories import TOPIC
from server.catalog.models import product_option
from server.contract.catalog import OptionValue, ProductOption, ProductOptions
from server.kit.problems import ProblemError, invalid_request, not_found
from server.kit.tx import Tx

LONGEST: Final = 1_000
"""Signs of a value that the customer writes freely (an engraving)."""


def put(tx: Tx, key: str, new: ProductOptions) -> str:
    """Let a product have exactly these options.

    Returns:
        The product's id.

    Raises:
        ProblemError: 404 ``not_found``; 422 ``invalid_request`` for a key that is there twice.
    """
    row = reading.find(tx, key, lock=True)
    if row is None:
        raise not_found("product")
    keys = [option.key for option in new.options]
    for number, name in enumerate(keys):
        if keys.index(name) != number:
            raise invalid_request((f"options.{number}.key", "is there twice"))
    tx.execute(delete(product_option).where(product_option.c.product_id == row.id))
    if new.options:
        tx.execute(
            insert(product_option),
            [
                {
                    "product_id": row.id,
                    "key": option.key,
                    "required": int(option.required),
                    "choices": list(option.choices),
                }
                for option in new.options
            ],
        )
    events.product(tx, "product_updated", row.id)
    tx.touch(TOPIC)
    product_id: str = row.id
    return product_id


def check(options: Sequence[ProductOption], chosen: Mapping[str, Any]) -> None:
    """Refuse a choice that the product does not offer. Nothing chosen (null) is the same as not named.

    Raises:
        ProblemError: 422 ``unknown_option_key``, ``invalid_option_value``, ``missing_required_option``.
    """
    known = {option.key: option for option in options}
    for number, (key, value) in enumerate(chosen.items()):
        if key not in known:
            raise _refused("unknown_option_key", number, "This product has no such option.")
        if value is not None and not _fits(value, known[key].choices):
            raise _refused("invalid_option_value", number, "This option does not have that value.")
    for option in options:
        if option.required and chosen.get(option.key) is None:
            raise ProblemError(
                422,
                "missing_required_option",
                "This product needs a choice that was not made.",
                fields=[("specs", f"{option.key} must be chosen")],
            )


def _fits(value: OptionValue, choices: Sequence[OptionValue]) -> bool:
    if not choices:
        return len(value) <= LONGEST if isinstance(value, str) else True
    return json.dumps(value) in {json.dumps(choice) for choice in choices}  # 1, "1" and true are three values


def _refused(code: str, number: int, detail: str) -> ProblemError:
    """The keys themselves are a stranger's text: which one it is, is told by its place."""
    return ProblemError(422, code, detail, fields=[(f"specs.{number}", detail)])
