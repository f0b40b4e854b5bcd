"""Every action that is recorded: which room's, its sentence, and the facts that an entry of it may hold.

In a sentence ``{actor}`` and ``{target}`` are people as they are named now, ``{resource}`` is what it was done to, any
other name a fact of the entry; what is not there is left out together with the piece in brackets around it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Action:
    """One action.

    Attributes:
        module: the room whose act it is.
        sentence: what is shown of an entry.
        facts: the names of what an entry may hold (``facts.FACTS`` says what each may be).
        changes: whether it also holds ``<field>_from`` and ``<field>_to`` of whatever plain field changed.
    """

    module: str
    sentence: str
    facts: frozenset[str] = frozenset()
    changes: bool = False


def _of(module: str, sentence: str, *facts: str, changes: bool = False) -> Action:
    return Action(module, sentence, frozenset(facts), changes)


_ORDER: Final = ("order_id", "order_number", "amount", "currency", "status", "status_from", "status_to")
_INVOICE: Final = (*_ORDER, "invoice_id", "invoice_number", "transaction_id", "method")
_SUBSCRIPTION: Final = ("subscription_id", "status", "status_from", "status_to", "amount", "currency")


def _billing(sentence: str, *facts: str) -> Action:
    return _of("billing", sentence, "actor_role", *facts)


def _shop(sentence: str, *facts: str) -> Action:
    return _of("shop", sentence, "actor_role", *facts)


_ACCESS: Final[dict[str, Action]] = {
    "owner.created": _of("access", "Made {target} an Owner[ ({by})]", "by"),
    "user.created": _of("access", "Let {target} in[ as {role}]", "role"),
    "user.registered": _of("access", "{target} signed up"),
    "user.updated": _of("access", "Changed {target}[: {fields}]", "fields", "actor_role", changes=True),
    "user.role_changed": _of(
        "access", "Changed the role of {target}[ from {role_from}][ to {role_to}]", "role_from", "role_to"
    ),
    "user.roles_synced": _of(
        "access", "Set the roles of {changed} accounts[, {dropped} left as they were]", "changed", "dropped"
    ),
    "user.deactivated": _of("access", "Deactivated {target}", "tokens_revoked", "invitations_revoked"),
    "user.reactivated": _of("access", "Reactivated {target}"),
    "user.invited": _of("access", "Invited {target}", "days"),
    "invitation.revoked": _of("access", "Took back the invitation of {target}"),
    "invitation.accepted": _of("access", "{target} accepted the invitation"),
    "session.impersonated": _of("access", "Signed in as {target}", "days"),
    "session.ended": _of("access", "Ended the sessions of {target}", "tokens_revoked"),
    "oauth.linked": _of("access", "Linked {target} with {provider}", "provider"),
    "oauth.unlinked": _of("access", "Unlinked {target} from {provider}", "provider"),
    "token.created": _of("access", "Made a token[ of the role {role}][ for {days} days]", "role", "days"),
    "token.revoked": _of("access", "Revoked a token[ of the role {role}]", "role"),
}
_PEOPLE: Final[dict[str, Action]] = {
    "user.note_created": _of("people", "Wrote a note about a person", "person_id"),
    "user.note_deleted": _of("people", "Deleted a note about a person", "person_id"),
    "user.deleted": _of("people", "Deleted a person[ ({kind})]", "kind", "role", "deletion_id"),
    "person.updated": _of("people", "Changed a person's record", "name", "email", "phone"),
    "person.deletion_scheduled": _of(
        "people", "Scheduled the erasure of a person[ in {days} days]", "kind", "days", "deletion_id"
    ),
    "person.restored": _of("people", "Called off the erasure of a person", "kind", "deletion_id"),
    "person.erased_again": _of(
        "people", "Erased a person again whom an older backup brought back", "kind", "deletion_id"
    ),
    "person.exported": _of("people", "Exported a person's data[ ({rows} rows)]", "rows"),
}
_TICKETS: Final[dict[str, Action]] = {
    "ticket.deleted": _of("tickets", "Deleted ticket[ {number}]", "number"),
    "ticket.comment_deleted": _of("tickets", "Deleted a comment on a ticket", "internal"),
}
_UPKEEP: Final[dict[str, Action]] = {
    "store.restored": _of("upkeep", "Restored the store from a backup", "backup_sha256"),
    "setting.changed": _of("settings", "Changed the setting {resource}"),
    "key.rotated": _of("settings", "Sealed [{secrets} ]secrets with a new key", "secrets"),
    "sync.asked": _of("fulfilment", "Asked for the catalogue of {resource}"),
    "order.submit_asked": _of("fulfilment", "Asked for an order to be submitted"),
    "order.refresh_asked": _of("fulfilment", "Asked the provider about an order"),
    "job.retried": _of("jobs", "Had a job tried again[ ({kind})]", "kind"),
    "job.cancelled": _of("jobs", "Took back a job[ ({kind})]", "kind"),
    "queue.paused": _of("jobs", "Paused the queue {resource}"),
    "queue.resumed": _of("jobs", "Let the queue {resource} go on"),
}
_BILLING: Final[dict[str, Action]] = {
    "billing.order_created": _billing("Created order[ {order_number}]", *_ORDER),
    "billing.order_updated": _billing("Changed order[ {order_number}]", "fields", *_ORDER),
    "billing.order_confirmed": _billing("Confirmed order[ {order_number}]", *_ORDER),
    "billing.order_marked_paid": _billing("Marked order[ {order_number}] paid", "method", *_ORDER),
    "billing.order_cancelled": _billing("Cancelled order[ {order_number}]", *_ORDER),
    "billing.invoice_created": _billing("Created invoice[ {invoice_number}]", *_INVOICE),
    "billing.invoice_sent": _billing("Sent invoice[ {invoice_number}]", *_INVOICE),
    "billing.invoice_voided": _billing("Voided invoice[ {invoice_number}]", *_INVOICE),
    "billing.receipt_generated": _billing(
        "Made a receipt[ of invoice {invoice_number}]", "receipt_id", *_INVOICE
    ),
    "billing.receipt_sent": _billing("Sent a receipt[ of invoice {invoice_number}]", "receipt_id", *_INVOICE),
    "billing.credit_note_sent": _billing("Sent a credit note[ of invoice {invoice_number}]", *_INVOICE),
    "billing.payment_confirmation_sent": _billing(
        "Sent the confirmation of a payment[ of invoice {invoice_number}]", *_INVOICE
    ),
    "billing.payment_recorded": _billing("Recorded a payment[ of invoice {invoice_number}]", *_INVOICE),
    "billing.refund_recorded": _billing("Recorded a refund[ of invoice {invoice_number}]", *_INVOICE),
    "billing.currency_created": _billing("Created the currency[ {currency}]", "currency"),
    "billing.currency_updated": _billing("Changed the currency[ {currency}]", "currency", "fields"),
    "billing.currency_deleted": _billing("Deleted the currency[ {currency}]", "currency"),
    "billing.currency_imported": _billing(
        "Imported {imported_count} currencies[, {failed_count} failed]", "imported_count", "failed_count"
    ),
    "billing.currency_set_default": _billing("Made [{currency} ]the default currency", "currency"),
    "billing.subscription_created": _billing("Created a subscription", *_SUBSCRIPTION),
    "billing.subscription_updated": _billing("Changed a subscription", "fields", *_SUBSCRIPTION),
    "billing.subscription_type_changed": _billing("Changed the type of a subscription", *_SUBSCRIPTION),
    "billing.subscription_cancelled": _billing("Cancelled a subscription", "immediately", *_SUBSCRIPTION),
    "billing.subscription_paused": _billing("Paused a subscription", *_SUBSCRIPTION),
    "billing.subscription_resumed": _billing("Resumed a subscription", *_SUBSCRIPTION),
    "billing.subscription_extended": _billing(
        "Extended a subscription[ by {days} days]", "days", *_SUBSCRIPTION
    ),
    "billing.subscription_type_created": _billing("Created a type of subscription", "status"),
    "billing.subscription_type_updated": _billing("Changed a type of subscription", "status", "fields"),
    "billing.subscription_type_deleted": _billing("Deleted a type of subscription", "status"),
    "billing.billing_profile_created": _billing("Created a billing profile", "person_id"),
    "billing.billing_profile_updated": _billing("Changed a billing profile", "person_id", "fields"),
    "billing.billing_profile_deleted": _billing("Deleted a billing profile", "person_id"),
}
_SHOP: Final[dict[str, Action]] = {
    f"shop.{thing}_{verb}": _shop(
        f"{verb.capitalize()} {words}", "product_id", "category_id", "fields", "status"
    )
    for thing, words in (
        ("product", "a product"),
        ("category", "a category"),
        ("shipping_method", "a shipping method"),
        ("import", "an import"),
    )
    for verb in ("created", "updated", "deleted")
} | {
    "shop.products_status_changed": _shop(
        "Set the status of {count} products[ to {status}]", "count", "status"
    ),
    "shop.products_bulk_deleted": _shop("Deleted {count} products", "count"),
    "shop.order_placed": _shop("Placed order[ {order_number}]", "cart_id", *_ORDER),
    "shop.order_confirmed": _shop("Confirmed order[ {order_number}]", "cart_id", *_ORDER),
    "shop.order_converted": _shop("Turned a cart into order[ {order_number}]", "cart_id", *_ORDER),
    "shop.cart_item_added": _shop("Put a product into a cart", "cart_id", "product_id", "quantity"),
    "shop.cart_first_item_added": _shop(
        "Put a first product into a cart", "cart_id", "product_id", "quantity"
    ),
    "shop.checkout_started": _shop("Started a checkout", "cart_id", "amount", "currency"),
    "shop.policy_updated": _shop("Changed the shop's policies", "fields"),
    "shop.policy_update_failed": _shop("Could not change the shop's policies", "fields"),
}

ACTIONS: Final[dict[str, Action]] = _ACCESS | _PEOPLE | _TICKETS | _UPKEEP | _BILLING | _SHOP
"""Every action by its name. One that is not here cannot be recorded."""
