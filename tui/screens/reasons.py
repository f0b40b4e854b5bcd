"""Why something cannot be done, in sentences, by the stable code that the server gives. All of them stand here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from tui.widgets.format import words

if TYPE_CHECKING:
    from server.contract.base import ActionState

REASONS: Final = {
    "insufficient_permissions": "Your role may look at this, not do it.",
    "not_found": "It is not there any more.",
    # people and accounts
    "target_is_owner": "Only an Owner may do this to an Owner.",
    "target_is_staff": "Only an Owner may do this to an Admin.",
    "already_erased": "This person has been erased already.",
    "deletion_scheduled": "The erasure of this person is scheduled: restore them first, or let it happen.",
    "email_taken": "Somebody else here has this e-mail already.",
    "account_inactive": "This account is barred: let it in again first.",
    "already_active": "This account is active.",
    "already_inactive": "This account is barred already.",
    "customer_account": "This is a customer's account: customers have no role among the staff.",
    "owner_role_protected": "The Owner's role cannot be given to anybody.",
    "role_not_found": "There is no such role.",
    "cannot_deactivate_self": "You cannot bar yourself.",
    "cannot_deactivate_last_owner": "The last active Owner cannot be barred: the shop needs one.",
    "cannot_demote_last_owner": "The last active Owner stays Owner: the shop needs one.",
    # the deletion of people
    "invalid_current_user": "Only a member of staff with an account of their own may delete people.",
    "cannot_delete_self": "You cannot delete yourself. Another Owner can.",
    "cannot_delete_last_owner": "This is the last active Owner, who cannot be deleted: the shop needs one.",
    "confirmation_mismatch": "What was typed is not what must be typed. Nothing was deleted.",
    "plan_changed": "Something changed since this plan was made. Nothing was deleted; this is the new plan.",
    "plan_unknown": "This plan is too old to be carried out. Nothing was deleted; this is a new one.",
    "not_scheduled": "This erasure does not wait: there is nothing to call off.",
    # entries
    "already_resolved": "It is resolved already.",
    "not_resolved": "It is open already.",
    "not_resolvable": "Only an open warning or error can be resolved.",
    "nothing_open": "Nothing is open there.",
    # orders at their provider
    "invalid_transition": "The order is past that step, or not there yet.",
    "not_paid": "The order is not paid.",
    "already_submitted": "The provider has this order.",
    "not_failed": "Its submission did not fail.",
    "submission_failed": "Its submission failed: it can be retried.",
    "no_provider": "No provider is set up for this order: choose one in Settings, or sync its products.",
    "order_cancelled": "The order is cancelled.",
    "handled_by_program": "The shop's own program submits this order.",
    "permanent_and_unchanged": "It would fail again in the same way: change what stands in its way first.",
    "not_at_provider": "No provider has this order yet.",
    "not_connected": "The provider is not connected: enter its token and the shop's id in Settings.",
    "already_waiting": "It is on its way already.",
    # mails
    "no_address": "The customer has no e-mail address any more.",
    "not_shipped": "The order is not on its way yet.",
    "switched_off": "Mails of this kind are switched off in Settings.",
    "order_gone": "The order is not there any more.",
    # tickets
    "reopen_not_allowed": "This shop does not open tickets again (a setting says so).",
    "ticket_closed": "The ticket is closed. Open it again first.",
    "comments_disabled": "This shop has replies to tickets switched off in Settings.",
    "internal_notes_disabled": "This shop has notes on tickets switched off in Settings.",
    "support_disabled": "This shop takes no tickets from customers (a setting says so).",
    "unchanged": "It stands so already.",
    "not_assigned": "Nobody has it.",
    # jobs and queues
    "already_started": "It runs already. What has begun cannot be taken back.",
    "already_finished": "It came to its end already.",
    "never_tried": "It was not tried yet; it comes by itself.",
    "outcome_unknown": "It may have left already, and must not leave twice.",
    "unknown_kind": "This version of the server does not know this kind of job.",
    "already_paused": "This queue is paused already.",
    "not_paused": "This queue is not paused.",
}
"""The server's codes that a person may meet."""


def reason(code: str | None, otherwise: str = "") -> str:
    """The sentence of a code; of one that this client does not know ``otherwise``, or else its own words."""
    if not code:
        return otherwise or "This cannot be done now."
    return REASONS.get(code) or otherwise or f"{words(code).capitalize()}."


def state_of(actions: Iterable[ActionState], name: str) -> ActionState | None:
    """What the server says of an action; None where it does not speak of it."""
    return next((action for action in actions if action.name == name), None)


def allowed(actions: Iterable[ActionState], *names: str) -> bool:
    """Whether one of these actions is allowed."""
    return any(action.allowed and action.name in names for action in actions)
