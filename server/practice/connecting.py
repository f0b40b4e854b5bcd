"""Connects the practice shop to its local servers, through the settings that any shop has."""

from __future__ import annotations

from typing import Final

from server.kit.ids import random_text
from server.kit.tx import Tx
from server.practice.cast import OWNER_EMAIL
from server.practice.state import State
from server.practice.suppliers import CONNECTION, MAILBOX, SHOP_ID, STORE_ID
from server.settings import service as settings
from server.settings.registry import REGISTRY

BOUNCES: Final = "mail.bounce_token"
_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz23456789"
_HEX: Final = "0123456789abcdef"
_CHOSEN: Final = {
    "shop.url": "https://sundaysocks.example",
    "public.url": "https://orders.sundaysocks.example",
    "fulfilment.provider": "printify",
    "printify.shop_id": SHOP_ID,
    "printify.connection": CONNECTION,
    "printful.store_id": STORE_ID,
    "printful.connection": CONNECTION,
    "mail.adapter": "smtp",
    "mail.from_address": f"hello@{OWNER_EMAIL.partition('@')[2]}",
    "mail.smtp.security": "none",
    "mail.smtp.username": MAILBOX,
    "recovery.enabled": "on",
    "deadlines.processing_hours": "4",
    "deadlines.shipped_hours": "48",
    "deadlines.delivered_days": "6",
}
"""Deadlines are short, so that now and then something is late."""


def new_keys() -> dict[str, str]:
    """Secrets for a new practice shop and its local servers, by the names of the settings."""
    lengths = {"printify.token": 48, "printify.webhook_secret": 32, "printful.token": 40, BOUNCES: 40}
    made = {name: random_text(length, _LETTERS) for name, length in lengths.items()}
    made["printful.webhook_secret"] = random_text(64, _HEX)
    made["mail.smtp.password"] = random_text(24, _LETTERS)
    return made


def connect(tx: Tx, state: State, addresses: dict[str, str]) -> None:
    """Tell the shop where its servers are: all of it the first time, later only an address that changed.

    What the owner changed stays as it is.

    Args:
        tx: the transaction; the store has its keys (``settings.source.attach``).
        state: of the practice shop; keeps what was said.
        addresses: of the local servers, by the settings' names.
    """
    if not state.addresses:
        for name, text in {**_CHOSEN, **state.keys}.items():
            settings.set_value(tx, name, text)
    for name, text in addresses.items():
        before = state.addresses.get(name)
        if before != text and (before is None or settings.get(tx, name) == REGISTRY[name].read(before)):  # type: ignore[call-overload]
            settings.set_value(tx, name, text)
    state.addresses = addresses
