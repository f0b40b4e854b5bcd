from __future__ import annotations

import random
import string

import pytest
from sqlalchemy import delete, select

from server.kit import links
from server.kit.clock import DAY, HOUR, FrozenClock
from server.kit.db import Store
from server.kit.links import LinkError, Purpose
from server.kit.schema import store_fact

ALPHABET = string.ascii_letters + string.digits + "-_"
SUBJECT = "0195302f-1111-7000-8000-0123456789ab"


def make(store: Store, purpose: Purpose = "lookup", subject: str = SUBJECT) -> str:
    return store.write(lambda tx: links.sign(tx, purpose, subject))


def opened(store: Store, token: str, purpose: Purpose = "lookup", good_for: int = HOUR) -> str:
    return store.read(lambda tx: links.read(tx, purpose, token, good_for))


def refused(store: Store, token: str, purpose: Purpose = "lookup", good_for: int = HOUR) -> LinkError:
    with pytest.raises(LinkError) as caught:
        opened(store, token, purpose, good_for)
    return caught.value


def test_a_token_gives_back_its_subject(store: Store) -> None:
    assert opened(store, make(store)) == SUBJECT


def test_a_token_is_good_to_the_second_by_the_clock_of_the_store(store: Store, clock: FrozenClock) -> None:
    token = make(store)
    clock.advance(HOUR)
    assert opened(store, token) == SUBJECT
    clock.advance(1)
    assert refused(store, token).expired
    assert opened(store, token, good_for=DAY) == SUBJECT


def test_a_clock_that_was_set_back_closes_no_link(store: Store, clock: FrozenClock) -> None:
    token = make(store)
    clock.advance(-DAY)
    assert opened(store, token) == SUBJECT


def test_a_token_opens_nothing_else(store: Store) -> None:
    assert not refused(store, make(store, "lookup"), "orders").expired
    assert not refused(store, make(store, "unsubscribe"), "cart").expired


def test_every_changed_letter_is_noticed(store: Store, clock: FrozenClock) -> None:
    token = make(store)
    clock.advance(2 * HOUR)
    for place, letter in enumerate(token):
        last = place == len(token) - 1  # holds two bits more than the signature has
        for other in ALPHABET if last else "AZaz09-_.":
            if other != letter:
                changed = token[:place] + other + token[place + 1 :]
                assert not refused(store, changed).expired, (place, other)


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "a.b", "a.b.c", "\0", "é.b.c", "x" * 10_000, "\ud800", "a.//////////.c", "=.=.=", "%00"],
)
def test_nonsense_is_refused(store: Store, token: str) -> None:
    make(store)
    assert not refused(store, token).expired


def test_random_nonsense_is_refused(store: Store) -> None:
    make(store)
    dice = random.Random(7)  # noqa: S311 - nonsense, no secret
    for _ in range(300):
        text = "".join(chr(dice.randrange(0x20, 0x250)) for _ in range(dice.randrange(120)))
        assert not refused(store, text).expired


def test_a_store_without_a_secret_knows_no_token(store: Store) -> None:
    token = make(store)
    store.write(lambda tx: tx.execute(delete(store_fact).where(store_fact.c.name == "link_key")))
    assert not refused(store, token).expired


def test_another_secret_knows_none_of_the_tokens_before(store: Store) -> None:
    token = make(store)
    store.write(lambda tx: tx.execute(delete(store_fact).where(store_fact.c.name == "link_key")))
    assert make(store) != token
    assert not refused(store, token).expired


def test_the_secret_is_made_once(store: Store) -> None:
    make(store)
    wanted = select(store_fact.c.value).where(store_fact.c.name == "link_key")
    first = store.read(lambda tx: tx.execute(wanted).scalar_one())
    make(store)
    assert store.read(lambda tx: tx.execute(wanted).scalar_one()) == first
    assert len(bytes.fromhex(first)) == 32


@pytest.mark.parametrize("subject", ["mary@example.com", "", "a b", "a.b", "x" * 101])
def test_a_token_holds_an_id_and_nothing_else(store: Store, subject: str) -> None:
    with pytest.raises(ValueError, match="id"):
        make(store, subject=subject)


def test_a_keyed_hash_is_the_same_each_time_and_another_for_another_purpose(store: Store) -> None:
    def hashed(purpose: str, text: str) -> str:
        return store.write(lambda tx: links.keyed_hash(tx, purpose, text))

    first = hashed("suppression", "mary@example.com")
    assert first == hashed("suppression", "mary@example.com")
    assert len({first, hashed("suppression", "mary@example.org"), hashed("other", "mary@example.com")}) == 3
    assert len(first) == 43
    assert make(store, "unsubscribe", first)
