"""Settings hold what was set, and what is stored wrongly never stops the shop."""

from __future__ import annotations

import logging

import pytest
from sqlalchemy import insert

from server.kit import topics
from server.kit.db import Store
from server.kit.problems import ProblemError
from server.settings import service
from server.settings.models import setting
from server.settings.registry import REGISTRY


def store_raw(store: Store, name: str, value: str) -> None:
    store.write(
        lambda tx: tx.execute(insert(setting).values(name=name, value=value, updated_at=tx.now)).rowcount
    )


def test_what_nobody_set_has_its_default(store: Store) -> None:
    shop = store.read(service.shop)
    assert (shop.name, shop.environment, shop.currency, shop.time_zone) == ("My shop", "live", "GBP", "UTC")
    assert store.read(lambda tx: service.get(tx, "activity.retention_days")) == 90


def test_what_was_set_is_read_and_clients_hear_of_it(store: Store) -> None:
    store.write(lambda tx: service.set_value(tx, "shop.name", "  Petals & Paper "))
    store.write(lambda tx: service.set_value(tx, "shop.time_zone", "Europe/London"))
    store.write(lambda tx: service.set_value(tx, "activity.retention_days", "30"))
    store.write(lambda tx: service.set_value(tx, "activity.retention_days", "31"))
    assert store.read(lambda tx: service.get(tx, "shop.name")) == "Petals & Paper"
    assert store.read(service.shop).time_zone == "Europe/London"
    assert store.read(lambda tx: service.get(tx, "activity.retention_days")) == 31
    assert store.read(topics.counters)["settings"] == 4


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("shop.name", " "),
        ("shop.name", "x" * 81),
        ("shop.name", "bell\x07"),
        ("shop.environment", "staging"),
        ("shop.currency", "gbp"),
        ("shop.currency", "£"),
        ("shop.time_zone", "Moon/Base"),
        ("shop.time_zone", "../../etc/passwd"),
        ("shop.time_zone", ""),
        ("activity.retention_days", "0"),
        ("activity.retention_days", "-1"),
        ("activity.retention_days", "30abc"),
        ("activity.retention_days", "１２"),  # noqa: RUF001 - digits of another script are no digits here
        ("nothing.like.it", "1"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_changes(store: Store, name: str, text: str) -> None:
    with pytest.raises(ProblemError) as caught:
        store.write(lambda tx: service.set_value(tx, name, text))
    assert (caught.value.status, caught.value.code) == (422, "invalid_request")
    assert store.read(topics.counters) == {}


@pytest.mark.parametrize("stored", ["0", "-1", "abc", "30abc", "", "9" * 30])
def test_an_invalid_retention_falls_back_to_ninety_and_says_so(
    store: Store, stored: str, caplog: pytest.LogCaptureFixture
) -> None:
    store_raw(store, "activity.retention_days", stored)
    with caplog.at_level(logging.WARNING, "shopbell"):
        assert store.read(lambda tx: service.get(tx, "activity.retention_days")) == 90
    assert any("setting invalid" in record.message for record in caplog.records)
    (sentence,) = store.read(service.complaints)
    assert sentence == (
        "The setting activity.retention_days must be a number of days, 1 to 99,999; 90 holds instead."
    )


def test_good_settings_are_no_complaint(store: Store) -> None:
    for known in REGISTRY.values():
        if (text := known.text(known.default)) is not None:
            store_raw(store, known.name, text)
    store_raw(store, "of.a.newer.version", "whatever")
    assert store.read(service.complaints) == []
