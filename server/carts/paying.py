"""How a cart may be paid for."""

from __future__ import annotations

from typing import Final

from server.kit.problems import ProblemError
from server.kit.tx import Tx
from server.settings import service as settings

OPTIONS: Final = ("card", "transfer", "cash", "other")


def check_option(tx: Tx, option: str) -> None:
    """Refuse what the shop cannot be paid with: cards only while it would hear of the payment.

    Raises:
        ProblemError: 409 ``payment_option_unavailable``.
    """
    deaf = option == "card" and settings.secret(tx, "stripe.webhook_secrets") is None
    if option not in OPTIONS or deaf:
        raise ProblemError(
            409,
            "payment_option_unavailable",
            "This shop cannot be paid like that now.",
            reason="not_connected" if deaf else "unknown_option",
        )
