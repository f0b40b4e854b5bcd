"""What a setting is, and the names of all of them by the kind of value they have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeVar

from server.contract.settings import SettingKind

T = TypeVar("T")
TextSetting = Literal[
    "shop.name",
    "shop.environment",
    "shop.currency",
    "shop.time_zone",
    "shop.url",
    "public.url",
    "mail.adapter",
    "mail.from_name",
    "mail.from_address",
    "mail.smtp.host",
    "mail.smtp.security",
    "mail.smtp.username",
    "fulfilment.provider",
    "printify.shop_id",
    "printify.connection",
    "printify.url",
    "printful.store_id",
    "printful.connection",
    "printful.url",
    "recovery.notice",
    "jobs.nightly_at",
]
NumberSetting = Literal[
    "activity.retention_days",
    "audit.retention_days",
    "actions.undo_seconds",
    "mail.smtp.port",
    "recovery.delay_minutes",
    "recovery.recent_days",
    "recovery.keep_days",
    "deadlines.submitted_minutes",
    "deadlines.processing_hours",
    "deadlines.shipped_hours",
    "deadlines.delivered_days",
    "jobs.keep_days",
    "deletion.grace_days",
]
SwitchSetting = Literal[
    "mail.confirmation",
    "mail.shipping",
    "fulfilment.automatic",
    "recovery.enabled",
    "lookup.enabled",
    "tickets.enabled",
    "tickets.comments",
    "tickets.internal_notes",
    "tickets.attachments",
    "tickets.allow_reopen",
    "tickets.reply_mail",
]
SecretSetting = Literal[
    "mail.smtp.password",
    "mail.bounce_token",
    "printify.token",
    "printify.webhook_secret",
    "printful.token",
    "printful.webhook_secret",
    "stripe.webhook_secrets",
]
PREFIX: Final = "SHOPBELL_"


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """One setting.

    Args:
        name: ``mail.smtp.port``; its first part is not always its group.
        group: the group it stands in.
        kind: how it is entered.
        label: two or three words.
        help: one sentence for the owner.
        read: turns a text into the value, or raises ValueError with what would be right (``server.settings.kinds``).
        default: what holds when nobody set it; an empty text means nothing at all. Of a secret None.
        unit: of a number.
        choices: of a choice.
        like: the setting whose value holds while this one is unset.
    """

    name: str
    group: str
    kind: SettingKind
    label: str
    help: str
    read: Callable[[str], T]
    default: T | None = None
    unit: str | None = None
    choices: tuple[str, ...] | None = None
    like: str | None = None

    @property
    def secret(self) -> bool:
        """Whether it is stored sealed and never shown."""
        return self.kind == "secret"

    @property
    def variable(self) -> str:
        """The variable of the environment that overrides it; a secret's may end in ``_FILE`` and name a file."""
        return PREFIX + self.name.upper().replace(".", "_")

    def text(self, value: T | None) -> str | None:
        """A value as a client writes it; None for nothing at all."""
        if isinstance(value, bool):
            return "on" if value else "off"
        return None if value in (None, "") else str(value)
