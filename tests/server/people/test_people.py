"""The vault: one person per e-mail, found again whatever its case, shown as they are now."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select, update

from server.contract.orders import Address
from server.kit import topics
from server.kit.clock import FrozenClock
from server.kit.db import Store
from server.kit.tx import Tx
from server.people import service as people
from server.people.models import address, person


def customer(store: Store, email: str, name: str | None = None, phone: str | None = None) -> str:
    return store.write(lambda tx: people.find_or_create_customer(tx, email=email, name=name, phone=phone))


def known(store: Store, person_id: str) -> people.Person:
    return store.read(lambda tx: people.people(tx, [person_id]))[person_id]


@pytest.mark.parametrize("again", ["tom@example.com", "TOM@Example.COM", "  Tom@example.com "])
def test_an_email_finds_its_person_again_whatever_its_case(store: Store, again: str) -> None:
    first = customer(store, "Tom@example.com", "Tom Avery")
    assert customer(store, again) == first
    assert known(store, first).email == "Tom@example.com"


def test_emails_that_differ_in_an_accent_are_two_people(store: Store) -> None:
    assert customer(store, "jose@example.com") != customer(store, "josé@example.com")
    assert customer(store, "jos\u00e9@example.com") == customer(store, "jose\u0301@example.com")


def test_an_empty_name_and_phone_are_filled_and_a_known_one_stays(store: Store) -> None:
    person_id = customer(store, "tom@example.com")
    customer(store, "tom@example.com", "Tom Avery", "+44 20 7946 0000")
    customer(store, "tom@example.com", "Somebody Else", "+1 555 0100")
    assert (known(store, person_id).name, known(store, person_id).phone) == ("Tom Avery", "+44 20 7946 0000")


def test_a_customer_and_a_member_of_staff_with_one_email_are_two_people(store: Store) -> None:
    staff = store.write(lambda tx: people.create_staff(tx, email="tom@example.com", name="Tom"))
    assert customer(store, "tom@example.com") != staff
    assert store.write(lambda tx: people.create_staff(tx, email="TOM@example.com")) == staff


def test_many_at_once_make_one_person(store: Store) -> None:
    found: list[str] = []
    begin = threading.Barrier(8)

    def come() -> None:
        begin.wait()
        found.append(customer(store, "tom@example.com"))

    threads = [threading.Thread(target=come) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_the_counter_of_people_moves_only_when_something_changed(store: Store) -> None:
    customer(store, "tom@example.com", "Tom")
    customer(store, "tom@example.com", "Tom")
    assert store.read(topics.counters)["people"] == 1
    customer(store, "tom@example.com", phone="1")
    assert store.read(topics.counters)["people"] == 2


def test_a_person_is_shown_by_email_then_name_then_mark(store: Store, clock: FrozenClock) -> None:
    person_id = customer(store, "tom@example.com", "Tom Avery")
    assert known(store, person_id).shown == "tom@example.com"
    mark = known(store, person_id).mark
    assert len(mark) == 4
    assert set(mark) <= set("0123456789ABCDEF")

    def erase(tx: Tx) -> None:
        nothing = dict.fromkeys(("email", "email_key", "name", "name_key", "phone"))
        tx.execute(update(person).where(person.c.id == person_id).values(**nothing, erased_at=tx.now))

    store.write(erase)
    assert known(store, person_id).shown == f"⟨erased {mark}⟩"
    assert known(store, person_id).erased_at == clock.now()
    assert customer(store, "tom@example.com") != person_id, "who comes back after erasure is somebody new"


def test_what_cannot_be_stored_is_replaced_and_what_is_too_long_is_cut(store: Store) -> None:
    person_id = customer(store, "tom@example.com", "T\x00m \ud800" + "x" * 400, "1" * 100)
    found = known(store, person_id)
    assert found.name is not None
    assert found.name.startswith("T\ufffdm \ufffdxx")
    assert (len(found.name), len(found.phone or "")) == (255, 40)


def test_nobody_without_an_email(store: Store) -> None:
    with pytest.raises(ValueError, match="e-mail"):
        customer(store, "   ")


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("tom", {"tom@example.com", "TOMATO@example.org"}),
        ("avery", {"tom@example.com"}),
        ("example.org", {"TOMATO@example.org", "a_b@example.org"}),
        ("EXAMPLE.COM", {"tom@example.com", "zoe@example.com"}),
        ("zoe brul", {"zoe@example.com"}),
        ("Brûlé", {"zoe@example.com"}),
        ("%", {"100%@example.net"}),
        ("_", {"a_b@example.org"}),
        ("\\", set()),
        ("a_b@", {"a_b@example.org"}),
        ("axb", set()),
        ("  ", set()),
    ],
)
def test_search_takes_every_sign_for_itself(store: Store, q: str, found: set[str]) -> None:
    customer(store, "tom@example.com", "Tom Avery")
    customer(store, "TOMATO@example.org")
    customer(store, "zoe@example.com", "Zoë Brûlé")
    customer(store, "a_b@example.org")
    customer(store, "100%@example.net")
    ids = store.read(lambda tx: people.search(tx, q))
    assert {person.email for person in store.read(lambda tx: people.people(tx, ids)).values()} == found


def test_search_stops_at_its_limit_with_the_newest(store: Store) -> None:
    ids = [customer(store, f"{n}@example.com") for n in range(5)]
    assert store.read(lambda tx: people.search(tx, "example", limit=2)) == [ids[4], ids[3]]


def test_an_address_is_kept_once(store: Store) -> None:
    place = Address(line1="1 High Street", city="Ely", postal_code="CB7 4LF", country="GB")
    person_id, other = customer(store, "tom@example.com"), customer(store, "zoe@example.com")
    first = store.write(lambda tx: people.add_address(tx, person_id, place))
    assert store.write(lambda tx: people.add_address(tx, person_id, place)) == first
    assert store.write(lambda tx: people.add_address(tx, other, place)) != first
    moved = place.model_copy(update={"line2": "Flat 2"})
    assert store.write(lambda tx: people.add_address(tx, person_id, moved)) != first
    assert store.read(lambda tx: people.addresses(tx, [first, "nothing"])) == {first: place}
    assert store.read(lambda tx: tx.execute(select(func.count()).select_from(address)).scalar()) == 3


def test_many_people_at_once(store: Store) -> None:
    ids = store.write(
        lambda tx: [people.find_or_create_customer(tx, email=f"{n}@example.com") for n in range(1200)]
    )
    assert store.read(lambda tx: people.people(tx, [*ids, "nobody"])).keys() == set(ids)
