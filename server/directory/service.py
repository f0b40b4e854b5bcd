"""What is done to a person's record: edited, noted, given a billing profile. Each is recorded and told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Row

from server.accounts import users
from server.accounts.topics import USERS
from server.audit import service as audit
from server.audit.changes import log_user_change
from server.billing.topics import PROFILES, of_user
from server.contract.people import BillingProfile, ChangePerson, NewBillingProfile, NewNote, Note
from server.directory import policy, reading
from server.kit import topics
from server.kit.access import Principal
from server.kit.problems import invalid_request, not_found
from server.kit.tx import Tx
from server.people import editing, notes, profiles
from server.people.reading import row_of


def edit(tx: Tx, person_id: str, new: ChangePerson, caller: Principal) -> None:
    """Change a person's name, e-mail or phone. What stays as it is leaves no trace.

    Raises:
        ProblemError: 404 ``not_found``; 409 ``already_erased``, ``deletion_scheduled`` or ``email_taken``; 403
            ``insufficient_permissions``; 422 ``invalid_request``, also for an account left without an e-mail.
    """
    row, account = _held(tx, person_id)
    policy.may_edit(row, account, replace(caller, role=users.acting_role(tx, caller)))
    changes = {field: getattr(new, field) for field in new.model_fields_set}
    if account is not None and "email" in changes and changes["email"] is None:
        raise invalid_request(("email", "somebody with an account needs one"))
    changed = editing.change(tx, row, changes)
    if not changed:
        return
    user_id = None if account is None else account.id
    if user_id is not None:
        before, after = ({field: both[side] for field, both in changed.items()} for side in (0, 1))
        log_user_change(tx, before, after, caller=caller, user_id=user_id)
    else:
        audit.record(
            tx,
            "person.updated",
            caller=caller,
            resource_type="person",
            resource_id=person_id,
            metadata=dict.fromkeys(sorted(changed), True),
        )
    topics.publish(tx, "user_updated", USERS, person_id=person_id, user_id=user_id, fields=sorted(changed))
    if account is not None:
        tx.touch("access")


def add_note(tx: Tx, person_id: str, new: NewNote, caller: Principal) -> Note:
    """Write something down about a person.

    Raises:
        ProblemError: 404 ``not_found``; 409 ``already_erased`` or ``deletion_scheduled``; 422 ``invalid_request``.
    """
    row, account = _held(tx, person_id)
    policy.may_write(row)
    made = notes.add(tx, person_id, new.body, author=caller.user_id)
    _tell_note(tx, "user.note_created", made.id, row, account, caller)
    return reading.shown_note(tx, made)


def remove_note(tx: Tx, person_id: str, note_id: str, caller: Principal) -> None:
    """Take a note away.

    Raises:
        ProblemError: 404 ``not_found``; 409 ``already_erased`` or ``deletion_scheduled``.
    """
    row, account = _held(tx, person_id)
    policy.may_write(row)
    notes.remove(tx, person_id, note_id)
    _tell_note(tx, "user.note_deleted", note_id, row, account, caller)


def add_profile(tx: Tx, person_id: str, new: NewBillingProfile) -> BillingProfile:
    """Give a person a billing profile.

    Raises:
        ProblemError: 404 ``not_found``; 409 ``already_erased`` or ``deletion_scheduled``; 422 ``invalid_request``.
    """
    row, account = _held(tx, person_id)
    policy.may_write(row)
    before = _default(tx, person_id)
    made = profiles.get(tx, profiles.add(tx, person_id, new))
    _tell_profile(tx, "profile_created", made.id, person_id, account)
    if before is not None and made.is_default:
        _tell_profile(tx, "profile_updated", before, person_id, account)
    return made


def replace_profile(tx: Tx, person_id: str, profile_id: str, new: NewBillingProfile) -> BillingProfile:
    """Write a billing profile anew.

    Raises:
        ProblemError: 404 ``not_found``; 409 ``already_erased`` or ``deletion_scheduled``; 422 ``invalid_request``.
    """
    row, account = _held(tx, person_id)
    policy.may_write(row)
    before = _default(tx, person_id)
    profiles.replace(tx, person_id, profile_id, new)
    made = profiles.get(tx, profile_id)
    _tell_profile(tx, "profile_updated", profile_id, person_id, account)
    if before is not None and before != profile_id and made.is_default:
        _tell_profile(tx, "profile_updated", before, person_id, account)
    return made


def remove_profile(tx: Tx, person_id: str, profile_id: str) -> None:
    """Take a billing profile away. Invoices made out to it stay, without it.

    Raises:
        ProblemError: 404 ``not_found``; 409 ``already_erased`` or ``deletion_scheduled``.
    """
    row, account = _held(tx, person_id)
    policy.may_write(row)
    heir = profiles.remove(tx, person_id, profile_id)
    _tell_profile(tx, "profile_deleted", profile_id, person_id, account)
    if heir is not None:
        _tell_profile(tx, "profile_updated", heir, person_id, account)


def _held(tx: Tx, person_id: str) -> tuple[Row[Any], Row[Any] | None]:
    """A person, held until the transaction ends, and the account."""
    row = row_of(tx, person_id, lock=True)
    if row is None:
        raise not_found("person")
    return row, reading.account_of(tx, person_id)


def _default(tx: Tx, person_id: str) -> str | None:
    return next((one.id for one in profiles.of(tx, person_id, 1) if one.is_default), None)


def _tell_note(
    tx: Tx, action: str, note_id: str, row: Row[Any], account: Row[Any] | None, caller: Principal
) -> None:
    user_id = None if account is None else account.id
    audit.record(
        tx,
        action,
        caller=caller,
        resource_type="note",
        resource_id=note_id,
        target_user_id=user_id,
        metadata={"person_id": row.id},
    )
    topics.publish(tx, "user_updated", USERS, person_id=row.id, user_id=user_id, fields=["notes"])


def _tell_profile(tx: Tx, event: str, profile_id: str, person_id: str, account: Row[Any] | None) -> None:
    names = of_user(PROFILES, None if account is None else account.id)
    topics.publish(tx, event, *names, profile_id=profile_id, person_id=person_id)
    tx.touch("billing")
