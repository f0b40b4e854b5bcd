"""The people of the shop over HTTP."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends, Query, Request, Response

from server.audit import acting
from server.audit.acting import Act
from server.contract.base import Answer, Page
from server.contract.people import (
    BillingProfile,
    ChangePerson,
    NewBillingProfile,
    NewNote,
    Note,
    PeopleCounts,
    PeopleTab,
    Person,
    PersonRow,
)
from server.directory import reading, service
from server.kit.access import Principal
from server.kit.clock import milliseconds
from server.kit.tx import Tx
from server.kit.web import PageQuery, answer, mutate, page_query, permit, refuses, router, services
from server.people.erasure import GONE
from server.people.reading import MAX_SEARCH, PeopleQuery
from server.people.reading import counts as count_all

routes: Final = router("/v1/people", "people")
_Search = Annotated[str, Query(max_length=MAX_SEARCH, description="literal text in e-mail, name or phone")]
_WRITES: Final = refuses(already_erased=409, deletion_scheduled=409)


class Removed(Answer):
    """What was taken away."""

    removed: bool = True


@routes.get("", response_model=Page[PersonRow], summary="People, newest first")
def list_people(
    request: Request,
    caller: Annotated[Principal, permit("people.read")],
    paging: Annotated[PageQuery, Depends(page_query)],
    tab: Annotated[PeopleTab, Query(description="whom: customers, staff or all")] = "all",
    q: _Search = "",
    erased: Annotated[
        bool,
        Query(
            description="with those who were erased, or are hidden until they are; `q` finds their marks too"
        ),
    ] = False,
) -> Response:
    """One page of a tab. Errors: 400 ``invalid_cursor``; 422 ``invalid_request``."""
    found = services(request)
    query = PeopleQuery(tab, q.strip(), erased)
    asked = paging.request(found.cursors, query.name)
    page = found.store.read(lambda tx: reading.listing(tx, query, asked, caller))
    older, newer = found.cursors.around(page, query.name, lambda row: (milliseconds(row.created_at), row.id))
    return answer(Page[PersonRow](items=list(page.rows), next=older, prev=newer))


@routes.get("/counts", response_model=PeopleCounts, summary="How many people stand under each tab")
def count_people(
    request: Request,
    caller: Annotated[Principal, permit("people.read")],  # noqa: ARG001 - declares the permission
    q: _Search = "",
) -> Response:
    """The numbers beside the tabs, of those found by ``q``."""
    return answer(services(request).store.read(lambda tx: count_all(tx, q.strip())))


@routes.get("/{person}", response_model=Person, summary="One person")
def read_person(
    request: Request, person: str, caller: Annotated[Principal, permit("people.read")]
) -> Response:
    """A person with all that is known, and what the caller may do now. Errors: 404 ``not_found``.

    Of addresses, notes, profiles, links and tokens the newest hundred each. Tokens never with their secrets, and only
    one's own or, with ``tokens.manage``, everybody's.
    """
    return answer(services(request).store.read(lambda tx: reading.get(tx, person, caller)))


@routes.patch(
    "/{person}",
    response_model=Person,
    summary="Change name, e-mail or phone",
    responses=refuses(
        already_erased=409, deletion_scheduled=409, email_taken=409, insufficient_permissions=403
    ),
)
async def change_person(
    request: Request,
    person: str,
    new: ChangePerson,
    caller: Annotated[Principal, permit("people.edit")],
) -> Response:
    """What is left out stays, ``null`` takes it away. A member of staff is changed by those who may touch them.

    A repeat with the same ``Idempotency-Key`` is answered without what is known of the person: that is kept in the
    vault alone. Errors: 404 ``not_found``; 409 ``email_taken``, ``already_erased``, ``deletion_scheduled``; 403; 422.
    """

    def unit(tx: Tx) -> Person:
        service.edit(tx, person, new, caller)
        return reading.get(tx, person, caller)

    return await mutate(request, caller, unit, remembered=_without_person)


@routes.post(
    "/{person}/notes",
    response_model=Note,
    status_code=201,
    summary="Write a note about a person",
    responses=_WRITES,
)
async def make_note(
    request: Request, person: str, new: NewNote, caller: Annotated[Principal, permit("people.edit")]
) -> Response:
    """For staff alone. A repeat with the same ``Idempotency-Key`` is answered without the text.

    Errors: 404 ``not_found``; 409 ``already_erased``, ``deletion_scheduled``; 422 ``invalid_request``.
    """
    return await mutate(
        request,
        caller,
        lambda tx: service.add_note(tx, person, new, caller),
        201,
        remembered=lambda made: made.model_copy(update={"body": GONE, "author": None}),
    )


@routes.delete(
    "/{person}/notes/{note}", response_model=Removed, summary="Take a note away", responses=_WRITES
)
async def remove_note(
    request: Request, person: str, note: str, caller: Annotated[Principal, permit("people.edit")]
) -> Response:
    """Errors: 404 ``not_found``; 409 ``already_erased``, ``deletion_scheduled``."""

    def unit(tx: Tx) -> Removed:
        service.remove_note(tx, person, note, caller)
        return Removed()

    return await mutate(request, caller, unit)


@routes.post(
    "/{person}/billing-profiles",
    response_model=BillingProfile,
    status_code=201,
    summary="Make a billing profile",
    responses=_WRITES,
)
async def make_profile(
    request: Request,
    person: str,
    new: NewBillingProfile,
    caller: Annotated[Principal, permit("billing.manage_profiles")],
) -> Response:
    """A person's first one is the default. A repeat with the same ``Idempotency-Key`` gives nothing but its id.

    Errors: 404 ``not_found``; 409 ``already_erased``, ``deletion_scheduled``; 422 ``invalid_request``.
    """

    def act(tx: Tx, made: BillingProfile) -> Act:
        return _profile_act(tx, "billing.billing_profile_created", person, made.id)

    return await acting.mutate(
        request,
        caller,
        lambda tx: service.add_profile(tx, person, new),
        act,
        201,
        remembered=_without_billing,
    )


@routes.put(
    "/{person}/billing-profiles/{profile}",
    response_model=BillingProfile,
    summary="Write a billing profile anew",
    responses=_WRITES,
)
async def replace_profile(
    request: Request,
    person: str,
    profile: str,
    new: NewBillingProfile,
    caller: Annotated[Principal, permit("billing.manage_profiles")],
) -> Response:
    """All of it: what is left out is empty afterwards. The default one stays that until another is made it.

    Errors: 404 ``not_found``; 409 ``already_erased``, ``deletion_scheduled``; 422 ``invalid_request``.
    """

    def act(tx: Tx, made: BillingProfile) -> Act:
        return _profile_act(tx, "billing.billing_profile_updated", person, made.id)

    return await acting.mutate(
        request,
        caller,
        lambda tx: service.replace_profile(tx, person, profile, new),
        act,
        remembered=_without_billing,
    )


@routes.delete(
    "/{person}/billing-profiles/{profile}",
    response_model=Removed,
    summary="Take a billing profile away",
    responses=_WRITES,
)
async def remove_profile(
    request: Request,
    person: str,
    profile: str,
    caller: Annotated[Principal, permit("billing.manage_profiles")],
) -> Response:
    """The newest of the others becomes the default. Errors: 404 ``not_found``; 409."""

    def unit(tx: Tx) -> Removed:
        service.remove_profile(tx, person, profile)
        return Removed()

    def act(tx: Tx, _made: Removed) -> Act:
        return _profile_act(tx, "billing.billing_profile_deleted", person, profile)

    return await acting.mutate(request, caller, unit, act)


def _profile_act(tx: Tx, action: str, person_id: str, profile_id: str) -> Act:
    account = reading.account_of(tx, person_id)
    user_id = None if account is None else account.id
    return Act(action, "billing_profile", profile_id, user_id, {"person_id": person_id})


def _without_person(made: Person) -> Person:
    """What is kept for a repeat: names, addresses and texts stand in no other table than their own."""
    empty = {"shown": GONE, "name": None, "email": None, "phone": None, "account": None}
    lists = ("addresses", "notes", "billing_profiles", "oauth_links", "tokens", "recent_orders")
    return made.model_copy(update=empty | {name: [] for name in lists})


def _without_billing(made: BillingProfile) -> BillingProfile:
    fields = ("name", "company", "tax_id", "email", "phone", "address")
    return made.model_copy(update={"label": GONE} | dict.fromkeys(fields))
