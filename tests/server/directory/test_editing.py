"""Editing, notes and billing profiles: what is written, refused, recorded and told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select

from server.audit import service as audit
from server.kit import topics
from server.kit.clock import MINUTE, FrozenClock
from server.kit.db import Store
from server.kit.schema import idempotency
from server.people import service as people
from tests.server.directory.conftest import As
from tests.server.directory.town import Town


def test_what_is_left_out_stays_and_null_takes_away(owner: Town) -> None:
    mary = owner.customer("mary@example.com", name="Mary", phone="+44 1")
    answer = owner.ask("PATCH", f"/{mary}", {"name": "  Mary Ann ", "phone": None})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["name"], found["email"], found["phone"]) == ("Mary Ann", "mary@example.com", None)
    assert found == owner.person(mary)
    assert [row["id"] for row in owner.people(q="mary ann")] == [mary]


def test_a_new_email_finds_the_person_again_and_the_old_one_does_not(owner: Town, store: Store) -> None:
    mary = owner.customer("mary@example.com", name="Mary")
    assert owner.ask("PATCH", f"/{mary}", {"email": "New@Example.com"}).status_code == 200
    assert owner.customer("NEW@example.com") == mary
    assert owner.customer("mary@example.com") != mary


@pytest.mark.parametrize("email", ["tom@example.com", "Tom@EXAMPLE.com"])
def test_an_email_is_taken_once_of_each_kind(owner: Town, email: str) -> None:
    owner.customer("tom@example.com")
    mary = owner.customer("mary@example.com")
    answer = owner.ask("PATCH", f"/{mary}", {"email": email, "name": "Changed"})
    assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")
    assert (owner.person(mary)["email"], owner.person(mary)["name"]) == ("mary@example.com", None)
    assert owner.audited("person.updated") == []
    assert owner.ask("PATCH", f"/{mary}", {"email": "support@example.com"}).status_code == 200, (
        "of another kind"
    )


@pytest.mark.parametrize(
    "body",
    [
        {"name": "   "},
        {"name": ""},
        {"phone": " "},
        {"email": "nobody"},
        {"email": "a b@example.com"},
        {"email": "x" * 250 + "@example.com"},
        {"name": "x" * 256},
        {"kind": "staff"},
        {"erased_at": None},
    ],
)
def test_what_cannot_be_meant_is_refused(owner: Town, body: dict[str, Any]) -> None:
    mary = owner.customer("mary@example.com", name="Mary", phone="1")
    before = owner.person(mary)
    assert owner.ask("PATCH", f"/{mary}", body).status_code == 422
    assert owner.person(mary) == before


def test_an_account_keeps_an_email(owner: Town) -> None:
    guest, member = owner.customer("guest@example.com"), owner.customer("member@example.com")
    owner.account(member)
    assert owner.ask("PATCH", f"/{guest}", {"email": None}).json()["email"] is None
    assert owner.ask("PATCH", f"/{member}", {"email": None}).status_code == 422


def test_an_edit_is_recorded_and_told_by_the_names_of_its_fields(by: As, store: Store) -> None:
    owner = by("owner")
    mary = owner.customer("mary@example.com", name="Mary")
    before, known = store.read(topics.counters), len(owner.told("admin:users"))
    same = {"name": "Mary", "email": "mary@example.com"}
    assert by("support").ask("PATCH", f"/{mary}", same).status_code == 200
    assert owner.audited("person.updated") == [], "nothing changed"
    assert len(owner.told("admin:users")) == known
    by("support").ask("PATCH", f"/{mary}", {"name": "Secret Name", "email": "secret@example.com"})
    (entry,) = owner.audited("person.updated")
    assert (entry.actor_user_id, entry.resource_id) == (owner.staff.users["support"], mary)
    assert set(entry.metadata) >= {"name", "email"}
    assert owner.told("admin:users")[known:] == [
        ("user_updated", {"person_id": mary, "user_id": None, "fields": ["email", "name"]})
    ]
    written = json.dumps([entry.metadata, owner.told("admin:users")]).casefold()
    assert "secret" not in written
    assert "mary@" not in written
    assert store.read(topics.counters)["people"] == before["people"] + 1


def test_an_edit_of_somebody_with_an_account_is_a_change_of_the_user(owner: Town) -> None:
    mary = owner.customer("mary@example.com", name="Mary")
    account = owner.account(mary)
    owner.ask("PATCH", f"/{mary}", {"name": "Secret Name"})
    (entry,) = owner.audited("user.updated")
    assert (entry.target_user_id, entry.metadata["fields"]) == (account, ["name"])
    assert "Secret" not in json.dumps(entry.metadata)


def test_a_repeat_changes_nothing_and_keeps_nobody_outside_of_the_vault(owner: Town, store: Store) -> None:
    mary = owner.customer("mary@example.com", name="Mary")
    posts: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("PATCH", f"/{mary}", {"name": "Secretia", "email": "secretia@example.com"}),
        ("POST", f"/{mary}/notes", {"body": "secretia rings twice"}),
        (
            "POST",
            f"/{mary}/billing-profiles",
            {"label": "Secretia", "email": "secretia@example.org", "address": {"line1": "Secretia Street"}},
        ),
    )
    for n, (method, path, body) in enumerate(posts):
        first = owner.ask(method, path, body, Idempotency_Key=f"k{n}")
        again = owner.ask(method, path, body, Idempotency_Key=f"k{n}")
        assert (first.status_code, again.status_code) in ((200, 200), (201, 201)), first.text
        assert first.json()["id"] == again.json()["id"]
    kept = store.read(lambda tx: list(tx.execute(select(idempotency.c.body)).scalars()))
    assert len(kept) == 3
    assert not [body for body in kept if "secretia" in body.casefold()]
    found = owner.person(mary)
    assert (len(found["notes"]), len(found["billing_profiles"])) == (1, 1)


def test_notes_are_newest_first_and_go_with_their_actor_recorded(by: As, clock: FrozenClock) -> None:
    owner = by("owner")
    mary, tom = owner.customer("mary@example.com"), owner.customer("tom@example.com")
    ids = []
    for text in ("first", "second\nwith a line", "  third  "):
        clock.advance(MINUTE)
        answer = owner.ask("POST", f"/{mary}/notes", {"body": text})
        assert answer.status_code == 201
        ids.append(answer.json()["id"])
    assert [one["body"] for one in owner.person(mary)["notes"]] == ["third", "second\nwith a line", "first"]
    assert owner.ask("POST", f"/{mary}/notes", {"body": " \n"}).status_code == 422
    assert owner.ask("POST", f"/{mary}/notes", {"body": "x" * 4097}).status_code == 422
    assert owner.ask("DELETE", f"/{tom}/notes/{ids[0]}").status_code == 404, "a note about somebody else"
    assert by("readonly").ask("DELETE", f"/{mary}/notes/{ids[0]}").status_code == 403
    assert by("support").ask("DELETE", f"/{mary}/notes/{ids[0]}").json() == {"removed": True}
    assert by("support").ask("DELETE", f"/{mary}/notes/{ids[0]}").status_code == 404
    assert [one["id"] for one in owner.person(mary)["notes"]] == [ids[2], ids[1]]
    (gone,) = owner.audited("user.note_deleted")
    assert (gone.actor_user_id, gone.actor_role, gone.resource_id) == (
        owner.staff.users["support"], "support", ids[0],
    )  # fmt: skip
    assert [entry.resource_id for entry in owner.audited("user.note_created")] == ids


def test_who_has_billing_profiles_has_one_default(owner: Town, clock: FrozenClock) -> None:
    mary = owner.customer("mary@example.com")

    def made(**body: Any) -> str:
        clock.advance(MINUTE)
        answer = owner.ask("POST", f"/{mary}/billing-profiles", body)
        assert answer.status_code == 201, answer.text
        found: str = answer.json()["id"]
        return found

    def defaults() -> list[str]:
        return [one["label"] for one in owner.person(mary)["billing_profiles"] if one["is_default"]]

    home = made(label="Home")
    assert defaults() == ["Home"]
    work = made(label="Work", company="Socks Ltd", tax_id="GB1", email="Bills@example.com", phone=" +44 2 ")
    assert defaults() == ["Home"]
    club = made(label="Club", is_default=True, address={"line1": "2 Lane", "country": "GB"})
    assert defaults() == ["Club"]
    found = {one["label"]: one for one in owner.person(mary)["billing_profiles"]}
    assert list(found) == ["Club", "Work", "Home"]
    assert (found["Work"]["company"], found["Work"]["phone"]) == ("Socks Ltd", "+44 2")
    assert found["Club"]["address"]["line1"] == "2 Lane"
    changed = owner.ask("PUT", f"/{mary}/billing-profiles/{work}", {"label": "Office"}).json()
    assert (changed["label"], changed["company"], changed["is_default"]) == ("Office", None, False)
    assert owner.ask("DELETE", f"/{mary}/billing-profiles/{club}").status_code == 200
    assert defaults() == ["Office"]
    assert owner.ask("DELETE", f"/{mary}/billing-profiles/{home}").status_code == 200
    assert owner.ask("DELETE", f"/{mary}/billing-profiles/{work}").status_code == 200
    assert owner.person(mary)["billing_profiles"] == []


@pytest.mark.parametrize(
    "body",
    [{"label": " "}, {}, {"label": "x", "email": "no"}, {"label": "x", "phone": " "}, {"label": "x" * 256}],
)
def test_a_profile_that_cannot_be_meant_is_refused(owner: Town, body: dict[str, Any]) -> None:
    mary = owner.customer("mary@example.com")
    assert owner.ask("POST", f"/{mary}/billing-profiles", body).status_code == 422
    assert owner.person(mary)["billing_profiles"] == []


def test_somebody_elses_profile_is_not_found(owner: Town) -> None:
    mary, tom = owner.customer("mary@example.com"), owner.customer("tom@example.com")
    profile = owner.ask("POST", f"/{mary}/billing-profiles", {"label": "Home"}).json()["id"]
    assert owner.ask("PUT", f"/{tom}/billing-profiles/{profile}", {"label": "Mine"}).status_code == 404
    assert owner.ask("DELETE", f"/{tom}/billing-profiles/{profile}").status_code == 404
    assert [one["label"] for one in owner.person(mary)["billing_profiles"]] == ["Home"]


def test_profiles_are_told_on_their_topic_and_on_the_accounts_own(owner: Town, clock: FrozenClock) -> None:
    """D17: a person without an account has no topic of their own, and never one that ends in nothing."""
    guest, member = owner.customer("guest@example.com"), owner.customer("member@example.com")
    account = owner.account(member)
    one = owner.ask("POST", f"/{guest}/billing-profiles", {"label": "Home"}).json()["id"]
    two = owner.ask("POST", f"/{member}/billing-profiles", {"label": "Home"}).json()["id"]
    clock.advance(MINUTE)
    three = owner.ask("POST", f"/{member}/billing-profiles", {"label": "Work", "is_default": True}).json()[
        "id"
    ]
    owner.ask("DELETE", f"/{member}/billing-profiles/{three}")
    own = [
        ("profile_created", {"profile_id": two, "person_id": member}),
        ("profile_created", {"profile_id": three, "person_id": member}),
        ("profile_updated", {"profile_id": two, "person_id": member}),
        ("profile_deleted", {"profile_id": three, "person_id": member}),
        ("profile_updated", {"profile_id": two, "person_id": member}),
    ]
    assert owner.told(f"billing:profiles:user:{account}") == own
    assert owner.told("billing:profiles") == [
        ("profile_created", {"profile_id": one, "person_id": guest}),
        *own,
    ]
    made = owner.audited("billing.billing_profile_created")
    assert [(entry.resource_id, entry.target_user_id, entry.module) for entry in made] == [
        (one, None, "billing"),
        (two, account, "billing"),
        (three, account, "billing"),
    ]
    assert [entry.resource_id for entry in owner.audited("billing.billing_profile_deleted")] == [three]
    assert owner.told("billing:profiles:user:") == owner.told("billing:profiles:user:None") == []


def test_a_storefront_may_keep_profiles_and_reads_nobody(by: As) -> None:
    mary = by("owner").customer("mary@example.com")
    assert by("storefront").ask("POST", f"/{mary}/billing-profiles", {"label": "Home"}).status_code == 201
    assert by("storefront").ask("GET", f"/{mary}").status_code == 403
    assert by("storefront").ask("GET", "").status_code == 403


def test_an_edit_that_cannot_be_recorded_does_not_happen(
    owner: Town, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    mary = owner.customer("mary@example.com", name="Mary")

    def broken(*given: Any, **more: Any) -> str:
        raise RuntimeError("the audit log cannot be written")

    monkeypatch.setattr(audit, "record", broken)
    assert owner.ask("PATCH", f"/{mary}", {"name": "Tom"}).status_code == 500
    assert store.read(lambda tx: people.people(tx, [mary]))[mary].name == "Mary"
