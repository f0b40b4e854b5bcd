"""Every setting: its name, what its text means, and what holds when nobody set it.

Storage, checks, the environment's variables, the screen and ``docs/configuration.md`` come from here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from server.contract.settings import TestResult
from server.kit.db import Store
from server.settings import kinds
from server.settings.making import choice, number, secret, switch, text
from server.settings.setting import Setting

GROUPS: Final[dict[str, str]] = {
    "shop": "Shop",
    "stripe": "Payments (Stripe)",
    "fulfilment": "Fulfilment",
    "printify": "Printify",
    "printful": "Printful",
    "mail": "Mail",
    "recovery": "Cart recovery",
    "lookup": "Order look-up",
    "tickets": "Tickets",
    "deadlines": "Deadlines",
    "upkeep": "Upkeep",
    "privacy": "Privacy",
}
"""The groups in the order in which screens show them, with their labels."""


_DEADLINE: Final = "Longer than this asks for you; 0 never does."

_ALL: Final[tuple[Setting[Any], ...]] = (
    text("shop.name", "Name", "What staff and customers call the shop.", kinds.line, "My shop"),
    choice(
        "shop.environment",
        "Environment",
        "Whether its orders are real; it stands in the frame so that nobody mistakes one shop for another.",
        ("live", "test"),
        "live",
        also=("practice",),
    ),
    text("shop.currency", "Currency", "The currency the shop sells in.", kinds.currency, "GBP"),
    text(
        "shop.time_zone",
        "Time zone",
        "Whose hours the nightly work, the order numbers and the mails follow.",
        kinds.time_zone,
        "UTC",
    ),
    text(
        "shop.url",
        "Shop's address",
        "Where customers find the shop itself; mails and pages link to it.",
        kinds.address,
        kind="address",
    ),
    text(
        "public.url",
        "Address of our pages",
        "Where customers and providers reach this server from outside: unsubscribing, order look-up, webhooks.",
        kinds.address,
        kind="address",
        group="shop",
    ),
    secret(
        "stripe.webhook_secrets",
        "Webhook signing secrets",
        "What Stripe signs its events with (whsec_…); two, separated by a comma, while one replaces the other.",
        kinds.signing_secrets,
    ),
    choice(
        "fulfilment.provider",
        "Provider",
        "Who makes and sends what was ordered.",
        ("none", "printify", "printful"),
        "none",
    ),
    switch(
        "fulfilment.automatic",
        "Submit by itself",
        "Whether an order paid in full goes to the provider without anybody asking for it.",
        default=True,
    ),
    secret(
        "printify.token",
        "Access token",
        "Made at Printify under My Profile, Connections; it expires after a year.",
    ),
    text("printify.shop_id", "Shop number", "The number of your shop at Printify.", kinds.digits),
    secret(
        "printify.webhook_secret",
        "Webhook secret",
        "What Printify signs its events with; the same text goes into the webhook there.",
    ),
    text(
        "printify.connection",
        "Webhook path",
        "The last part of the address that Printify's webhooks are sent to.",
        kinds.word,
        "main",
    ),
    text(
        "printify.url",
        "Address of the API",
        "Where Printify's own server answers; changed only to try things out.",
        kinds.address,
        "https://api.printify.com/v1",
        kind="address",
    ),
    secret("printful.token", "Access token", "A private token, made at Printful's developer portal."),
    text(
        "printful.store_id",
        "Store number",
        "The number of your store at Printful; needed when the token is good for several.",
        kinds.digits,
    ),
    secret(
        "printful.webhook_secret",
        "Webhook secret",
        "What Printful signs its events with, as it showed it when the webhook was made.",
    ),
    text(
        "printful.connection",
        "Webhook path",
        "The last part of the address that Printful's webhooks are sent to.",
        kinds.word,
        "main",
    ),
    text(
        "printful.url",
        "Address of the API",
        "Where Printful's own server answers; changed only to try things out.",
        kinds.address,
        "https://api.printful.com",
        kind="address",
    ),
    choice(
        "mail.adapter",
        "How mail leaves",
        "Through your SMTP server, or kept in the outbox here, where you can read what would have been sent.",
        ("outbox", "smtp"),
        "outbox",
    ),
    text(
        "mail.from_name",
        "From name",
        "Who the customers' mails are from; without it the shop's name.",
        kinds.line,
        like="shop.name",
    ),
    text(
        "mail.from_address",
        "From address",
        "The address that the customers' mails are from and answered to.",
        kinds.email,
    ),
    switch("mail.confirmation", "Order confirmation", "Sent when an order is paid.", default=True),
    switch("mail.shipping", "Shipping notification", "Sent when an order is on its way.", default=True),
    text(
        "mail.smtp.host", "SMTP server", "The name of your provider's server for outgoing mail.", kinds.host
    ),
    number(
        "mail.smtp.port", "SMTP port", "587 with STARTTLS, 465 with TLS from the start.", (1, 587, 65_535), ""
    ),
    choice(
        "mail.smtp.security",
        "SMTP security",
        "How the connection is protected; none only to a server on this machine.",
        ("starttls", "tls", "none"),
        "starttls",
    ),
    text(
        "mail.smtp.username",
        "SMTP user",
        "Who you are to that server; without it nobody logs in.",
        kinds.line,
    ),
    secret("mail.smtp.password", "SMTP password", "The password of that user.", kinds.password),
    secret(
        "mail.bounce_token",
        "Bounce token",
        "What your mail provider's program brings along when it tells us that a mail came back.",
        kinds.bearer,
    ),
    switch(
        "recovery.enabled",
        "Cart recovery",
        "One mail to whoever left the checkout without paying; needs the notice in your checkout.",
        default=False,
    ),
    number(
        "recovery.delay_minutes",
        "Wait before the mail",
        "How long after the checkout ended.",
        (1, 60, 10_080),
        "minutes",
    ),
    number(
        "recovery.recent_days",
        "Not again within",
        "Whoever got such a mail, or bought something, in these days gets none.",
        (1, 30, 365),
        "days",
    ),
    number("recovery.keep_days", "Keep carts for", "Then they are deleted.", (1, 30, 365), "days"),
    text(
        "recovery.notice",
        "Notice in the checkout",
        "What your checkout tells customers about this mail; the law asks for it.",
        kinds.long_text,
        "If you do not finish your order, we may send you one e-mail about it. You can refuse further ones there.",
        kind="long_text",
    ),
    switch(
        "lookup.enabled",
        "Order look-up",
        "A page where customers get a link to their orders by e-mail.",
        default=True,
    ),
    switch(
        "tickets.enabled",
        "Tickets of customers",
        "Whether customers open, read and answer tickets; staff can work with them in any case.",
        default=False,
    ),
    switch("tickets.comments", "Replies", "Whether tickets can be answered.", default=True),
    switch(
        "tickets.internal_notes",
        "Internal notes",
        "Whether staff can note what is for staff alone.",
        default=True,
    ),
    switch("tickets.attachments", "Attachments", "Whether files can be put beside a ticket.", default=True),
    switch(
        "tickets.allow_reopen",
        "Open again",
        "Whether a ticket goes back to open from any other state.",
        default=True,
    ),
    switch(
        "tickets.reply_mail",
        "Mail replies",
        "Whether the customer gets what staff answer as a mail; never their notes.",
        default=True,
    ),
    number(
        "deadlines.submitted_minutes",
        "Accepted",
        f"From paid to submitted. {_DEADLINE}",
        (0, 30, 10_080),
        "minutes",
    ),
    number(
        "deadlines.processing_hours",
        "In production",
        f"From submitted to in production. {_DEADLINE}",
        (0, 24, 2_000),
        "hours",
    ),
    number(
        "deadlines.shipped_hours",
        "Shipped",
        f"From in production to shipped. {_DEADLINE}",
        (0, 120, 2_000),
        "hours",
    ),
    number(
        "deadlines.delivered_days",
        "Delivered",
        f"From shipped to delivered. {_DEADLINE}",
        (0, 21, 365),
        "days",
    ),
    number(
        "actions.undo_seconds",
        "Time to undo",
        "How long a retry, a mail and their like wait for z before anything leaves.",
        (0, 5, 60),
        "seconds",
        "upkeep",
    ),
    text(
        "jobs.nightly_at",
        "Nightly work at",
        "When the shop tidies up, in its time zone.",
        kinds.time_of_day,
        "03:30",
        kind="time",
        group="upkeep",
    ),
    number(
        "jobs.keep_days",
        "Keep jobs for",
        "Finished ones, with their attempts.",
        (1, 14, 3_650),
        "days",
        "upkeep",
    ),
    number(
        "activity.retention_days",
        "Keep activity for",
        "What still needs attention stays until somebody resolves it.",
        (1, 90, 99_999),
        "days",
        "upkeep",
    ),
    number(
        "audit.retention_days",
        "Keep the audit log for",
        "Who did what in this program.",
        (1, 90, 99_999),
        "days",
        "upkeep",
    ),
    number(
        "deletion.grace_days",
        "Wait before an erasure",
        "So long a deleted person is locked and hidden and can be restored; 0 erases at once.",
        (0, 0, 30),
        "days",
        "privacy",
    ),
)
REGISTRY: Final[dict[str, Setting[Any]]] = {setting.name: setting for setting in _ALL}


@dataclass(frozen=True, slots=True)
class Test:
    """Something that can be tried out with the settings.

    Args:
        name: ``printify``.
        group: the group it is offered in.
        call: tries it, in a thread of its own and in no transaction; it reads the settings from the store. What goes
            wrong is a sentence in the result.
    """

    __test__ = False  # pytest: no test case

    name: str
    group: str
    call: Callable[[Store], TestResult]


TESTS: Final[dict[str, Test]] = {}


def register_test(name: str, group: str, call: Callable[[Store], TestResult]) -> None:
    """Offer a test.

    Raises:
        ValueError: the group is unknown, or another test has the name.
    """
    if group not in GROUPS or name in TESTS:
        raise ValueError(f"test {name}: an unknown group, or the name is taken")
    TESTS[name] = Test(name, group, call)
