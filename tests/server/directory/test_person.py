"""One person whole: what is known, what is never shown, and what may be done."""

from __future__ import annotations

import hashlib

import pytest
from sqlalchemy import insert, select

from server.accounts.models import oauth_link, token, user
from server.contract.access import StaffRole
from server.kit.clock import MINUTE, FrozenClock
from server.kit.db import Store
from tests.server.directory.conftest import As
from tests.server.directory.town import Town


def test_all_that_is_known_stands_on_one_page(owner: Town, store: Store, clock: FrozenClock) -> None:
    made = owner.shop.order(
        customer={
            "email": "mary@example.com",
            "name": "Mary",
            "phone": "+44 1",
            "address": {"line1": "1 High Street", "city": "Bath", "country": "GB"},
        }
    )
    assert made.customer is not None
    mary = str(made.customer.id)
    clock.advance(MINUTE)
    later = owner.shop.order(customer={"email": "mary@example.com"})
    account = owner.account(mary)
    store.write(
        lambda tx: tx.execute(
            insert(oauth_link).values(
                id=tx.new_id(), user_id=account, provider="github", subject="mary-hides", created_at=tx.now
            )
        )
    )
    note = owner.ask("POST", f"/{mary}/notes", {"body": "Rings twice."})
    assert note.status_code == 201
    profile = owner.ask("POST", f"/{mary}/billing-profiles", {"label": "Home"})
    assert profile.status_code == 201
    found = owner.person(mary)
    assert (found["name"], found["email"], found["phone"], found["kind"]) == (
        "Mary", "mary@example.com", "+44 1", "customer",
    )  # fmt: skip
    assert [place["line1"] for place in found["addresses"]] == ["1 High Street"]
    assert [(one["body"], one["author"]) for one in found["notes"]] == [("Rings twice.", "owner@example.com")]
    assert found["billing_profiles"] == [profile.json()]
    assert [link["provider"] for link in found["oauth_links"]] == ["github"]
    assert [order["number"] for order in found["recent_orders"]] == [later.number, made.number]
    assert found["account"]["id"] == account
    assert "mary-hides" not in owner.ask("GET", f"/{mary}").text


def test_an_unknown_person_is_not_found(owner: Town) -> None:
    assert owner.ask("GET", "/nobody").status_code == 404
    assert owner.ask("PATCH", "/nobody", {"name": "x"}).status_code == 404
    assert owner.ask("POST", "/nobody/notes", {"body": "x"}).status_code == 404


def test_tokens_are_shown_without_secrets_and_as_their_own_list_shows_them(by: As, store: Store) -> None:
    owner = by("owner")
    support = owner.staff_person("support")
    assert [one["name"] for one in owner.person(support)["tokens"]] == ["support"]
    assert [one["name"] for one in by("support").person(support)["tokens"]] == ["support"]
    assert by("readonly").person(support)["tokens"] == []
    text = owner.ask("GET", f"/{support}").text
    hashes = store.read(lambda tx: list(tx.execute(select(token.c.secret_hash)).scalars()))
    assert hashes
    assert not [one for one in hashes if one in text]
    assert hashlib.sha256(b"").hexdigest() not in text
    assert owner.staff.tokens["support"].rpartition("_")[2] not in text


def test_a_note_outlives_the_name_of_its_writer(by: As, store: Store) -> None:
    owner = by("owner")
    mary = owner.customer("mary@example.com")
    by("support").ask("POST", f"/{mary}/notes", {"body": "Rings twice."})
    writer = owner.staff.users["support"]
    assert owner.person(mary)["notes"][0]["author_user_id"] == writer
    store.write(lambda tx: tx.execute(token.delete().where(token.c.user_id == writer)))
    store.write(lambda tx: tx.execute(user.delete().where(user.c.id == writer)))
    found = owner.person(mary)["notes"][0]
    assert (found["author"], found["author_user_id"], found["body"]) == (None, None, "Rings twice.")


MAY: dict[str, set[StaffRole]] = {
    "edit": {"owner", "admin", "support"},
    "note": {"owner", "admin", "support"},
    "profile": {"owner", "admin", "support"},
    "export": {"owner", "admin"},
}


@pytest.mark.parametrize("role", ["owner", "admin", "support", "readonly"])
def test_actions_of_a_customer_say_what_each_role_may_do(by: As, role: StaffRole) -> None:
    mary = by("owner").customer("mary@example.com")
    for action, roles in MAY.items():
        allowed = role in roles
        wanted = (allowed, None if allowed else "insufficient_permissions")
        assert by(role).action(mary, action) == wanted, action


@pytest.mark.parametrize("role", ["owner", "admin", "support", "readonly"])
@pytest.mark.parametrize("target", ["owner", "admin", "support", "readonly"])
def test_what_is_offered_about_staff_is_what_happens(by: As, role: StaffRole, target: StaffRole) -> None:
    """An e-mail is where an invitation goes: only those who may touch a member of staff may change it."""
    person = by("owner").staff_person(target)
    allowed, _ = by(role).action(person, "edit")
    answer = by(role).ask("PATCH", f"/{person}", {"name": "New Name"})
    assert (answer.status_code == 200) == allowed, answer.text
    own = role == target and role != "readonly"
    assert allowed == (own or role == "owner" or (role == "admin" and target in ("support", "readonly")))
    assert (by("owner").person(person)["name"] == "New Name") == allowed


def test_hidden_people_refuse_writing_and_erased_ones_have_nothing(owner: Town, clock: FrozenClock) -> None:
    mary = owner.customer("mary@example.com")
    profile = owner.ask("POST", f"/{mary}/billing-profiles", {"label": "Home"}).json()["id"]
    note = owner.ask("POST", f"/{mary}/notes", {"body": "x"}).json()["id"]
    writes = (
        ("PATCH", f"/{mary}", {"name": "x"}),
        ("POST", f"/{mary}/notes", {"body": "x"}),
        ("DELETE", f"/{mary}/notes/{note}", None),
        ("POST", f"/{mary}/billing-profiles", {"label": "x"}),
        ("PUT", f"/{mary}/billing-profiles/{profile}", {"label": "x"}),
        ("DELETE", f"/{mary}/billing-profiles/{profile}", None),
    )
    for column, code in (("hidden_at", "deletion_scheduled"), ("erased_at", "already_erased")):
        owner.write(mary, **{column: clock.now()})
        for method, path, body in writes:
            answer = owner.ask(method, path, body)
            assert (answer.status_code, answer.json()["code"]) == (409, code), (method, path)
        for name in ("edit", "note", "profile"):
            assert owner.action(mary, name) == (False, code)
    assert owner.action(mary, "export") == (False, "already_erased")
    assert len(owner.person(mary)["notes"]) == len(owner.person(mary)["billing_profiles"]) == 1
