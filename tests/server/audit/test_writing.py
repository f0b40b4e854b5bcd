"""Writing to the audit log: nothing of a person goes in, changes tell both sides, old entries go, readers are told."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from server.app import commands
from server.audit import facts, retention, service
from server.audit.actions import ACTIONS
from server.audit.changes import log_user_change
from server.audit.facts import FACTS
from server.jobs.registry import KINDS
from server.kit import topics
from server.kit.clock import DAY, FrozenClock
from server.kit.config import ServerConfig
from server.kit.db import Store
from server.kit.sqlite import SqliteStore
from server.kit.tx import Tx
from server.settings import service as shop_settings
from tests.server.audit.entries import OWNER, entries, write
from tests.server.conftest import Staff
from tests.support.told import Topics

BILLING = {
    "order": "created updated confirmed marked_paid cancelled",
    "invoice": "created sent voided",
    "receipt": "generated sent",
    "credit_note": "sent",
    "payment_confirmation": "sent",
    "payment": "recorded",
    "refund": "recorded",
    "currency": "created updated deleted imported set_default",
    "subscription": "created updated type_changed cancelled paused resumed extended",
    "subscription_type": "created updated deleted",
    "billing_profile": "created updated",
}
SHOP = (
    *(f"{thing}_{verb}" for thing in ("product", "category", "shipping_method", "import")
      for verb in ("created", "updated", "deleted")),
    "products_status_changed", "products_bulk_deleted", "order_placed", "order_confirmed", "order_converted",
    "cart_item_added", "cart_first_item_added", "checkout_started", "policy_updated", "policy_update_failed",
)  # fmt: skip
PERSONAL = [
    "mary@example.com",
    "Mary Smith",
    "mary smith",
    "Mary",
    "+44 20 7946 0000",
    "020 7946 0000",
    "4242424242424242",
    "4242 4242 4242 4242",
    4242424242424242,
    "sbl_pat_12345678_abcdefghijklmnopqrstuvwxyzabcdef",
    "the customer changed their mind",
    "12 Some Street",
    "mary\n",
    "",
    1.5,
    ["Mary"],
    {"email": "mary@example.com"},
    b"mary",
]


def test_every_action_of_the_list_is_known() -> None:
    named = {f"billing.{thing}_{verb}" for thing, verbs in BILLING.items() for verb in verbs.split()}
    assert {name for name in ACTIONS if name.startswith("billing.")} == {
        *named,
        "billing.billing_profile_deleted",
    }
    assert {f"shop.{name}" for name in SHOP} == {name for name in ACTIONS if name.startswith("shop.")}
    for name, action in ACTIONS.items():
        assert len(name) <= 100
        assert len(action.module) <= 50
        assert action.facts <= set(FACTS), name
        if name.startswith(("billing.", "shop.")):
            assert action.module == name.partition(".")[0]
            assert "actor_role" in action.facts


@pytest.mark.parametrize("name", sorted(FACTS))
def test_no_fact_can_be_somebodys(name: str) -> None:
    for value in PERSONAL:
        assert not facts.fits(name, value), value
    assert facts.fits(name, None)


@settings(max_examples=300)
@given(st.text(max_size=60))
@example("٣٠")
@example("owner\x00")
def test_what_passes_for_a_fact_is_a_programs_own(value: str) -> None:
    for name in FACTS:
        if facts.fits(name, value):
            assert value.isascii()
            assert not set(value) & set("@ \n\t,;/\\'\"<>")


@pytest.mark.parametrize("value", PERSONAL)
@pytest.mark.parametrize("where", ["resource_type", "resource_id", "target_user_id", "module", "mode"])
def test_no_reference_can_be_somebodys(store: Store, where: str, value: Any) -> None:
    if where != "mode" and facts.reference(value) and (where != "module" or facts.word(value)):
        return  # an id of a program's own: digits, or one word
    with pytest.raises((ValueError, TypeError)):
        store.write(lambda tx: service.record(tx, "user.invited", caller=OWNER, **{where: value}))
    assert entries(store) == []


def test_the_rooms_own_module_and_how_it_came_about(store: Store) -> None:
    store.write(lambda tx: service.record(tx, "queue.paused", caller=OWNER, resource_id="mail"))
    store.write(lambda tx: service.record(tx, "sync.asked", caller=None, module="catalog", mode="cron"))
    assert [(row.module, row.mode) for row in entries(store)] == [("catalog", "cron"), ("jobs", "manual")]


# -- changes of a user


def change(store: Store, before: dict[str, Any], after: dict[str, Any], **more: Any) -> str | None:
    return store.write(
        lambda tx: log_user_change(
            tx, before, after, caller=OWNER, user_id="00000000-0000-7000-8000-00000000000b", **more
        )
    )


def test_both_sides_of_what_changed_and_nothing_else(store: Store) -> None:
    before = {"role": "support", "active": True, "status": "open", "updated_at": 1}
    after = {"role": "admin", "active": False, "status": "open", "updated_at": 2}
    entry = change(store, before, after, skip_fields=["updated_at"], mode="auto")
    (row,) = entries(store)
    assert (row.id, row.action, row.mode) == (entry, "user.updated", "auto")
    assert (row.resource_type, row.resource_id) == ("user", row.target_user_id)
    assert row.metadata == {
        "active_from": "true",
        "active_to": "false",
        "role_from": "support",
        "role_to": "admin",
        "actor_role": "owner",
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [({}, {}), ({"role": "admin"}, {"role": "admin"}), ({"x": None}, {}), ({"at": 1}, {"at": 2})],
)
def test_nothing_changed_is_nothing_written(
    store: Store, before: dict[str, Any], after: dict[str, Any]
) -> None:
    assert change(store, before, after, skip_fields=("at",)) is None
    assert entries(store) == []


def test_of_a_personal_field_there_is_its_name_alone(store: Store) -> None:
    before = {"email": "old.secret@example.com", "name": "Old Secret", "phone": None, "role": "support"}
    after = {"email": "new.secret@example.com", "name": "secret", "phone": "12345", "role": "Mary Secret"}
    change(store, before, after)
    (row,) = entries(store)
    assert row.metadata == {"fields": ["email", "name", "phone", "role"], "actor_role": "owner"}
    assert "secret" not in json.dumps(tuple(row), default=str).lower()


def test_a_field_that_came_or_went_has_one_side(store: Store) -> None:
    change(store, {"status": "open"}, {"locale": "en-gb"})
    assert entries(store)[0].metadata == {
        "status_from": "open", "status_to": None, "locale_from": None, "locale_to": "en-gb", "actor_role": "owner",
    }  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.dictionaries(
        st.sampled_from(["role", "active", "email", "name", "note"]), st.text(max_size=20)
    ),
    after=st.dictionaries(st.sampled_from(["role", "active", "email", "name", "note"]), st.text(max_size=20)),
)
def test_no_change_of_whatever_values_breaks_or_tells_them(
    store: Store, before: dict[str, str], after: dict[str, str]
) -> None:
    entry = change(store, before, after)
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    assert (entry is None) == (not changed)
    if entry is not None:
        metadata = next(row for row in entries(store) if row.id == entry).metadata
        told = {name.removesuffix("_to") for name in metadata if name.endswith("_to")}
        assert told | set(metadata.get("fields", [])) == changed
        assert told <= {"role", "active"}


@pytest.mark.parametrize("wrong", [{"action": "user.created"}, {"action": "none"}])
def test_only_some_actions_hold_changes(store: Store, wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=wrong["action"]):
        change(store, {"status": "a"}, {"status": "b"}, **wrong)
    assert entries(store) == []


# -- retention


def aged(store: Store, clock: FrozenClock) -> dict[str, str]:
    now = clock.now()
    return {
        name: write(store, action=f"post.{name}", inserted_at=now - age)
        for name, age in {"older": 90 * DAY + 1, "exact": 90 * DAY, "younger": 90 * DAY - 1, "new": 0}.items()
    }


def left(store: Store) -> list[str]:
    return [row.action.partition(".")[2] for row in entries(store) if row.action.startswith("post.")]


def test_what_is_older_goes_and_the_boundary_stays(store: Store, clock: FrozenClock) -> None:
    aged(store, clock)
    before = store.read(topics.counters).get("audit", 0)
    assert retention.prune(store, 90) == 1
    assert left(store) == ["new", "younger", "exact"]
    assert store.read(topics.counters)["audit"] == before + 1
    assert retention.prune(store, 90) == 0
    assert store.read(topics.counters)["audit"] == before + 1, "nothing went, nobody is told"


def test_many_go_in_parts(store: Store, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    for _ in range(10):
        write(store, inserted_at=0)
    assert retention.prune(store, 1) == 10
    assert left(store) == []


@pytest.mark.parametrize("days", [0, -1])
def test_nobody_prunes_everything(store: Store, clock: FrozenClock, days: int) -> None:
    aged(store, clock)
    with pytest.raises(ValueError, match="at least one day"):
        retention.prune(store, days)
    assert len(left(store)) == 4


@pytest.mark.parametrize("stored", ["0", "-1", "abc", "30abc", "", "１２", "1e3"])  # noqa: RUF001
def test_a_stored_value_that_is_none_means_ninety_days_and_says_so(store: Store, stored: str) -> None:
    def unit(tx: Tx) -> None:
        shop_settings.set_value(tx, "audit.retention_days", "7")
        tx.driver_sql(
            "UPDATE setting SET value = ? WHERE name = 'audit.retention_days'"
            if tx.dialect == "sqlite"
            else "UPDATE setting SET value = %s WHERE name = 'audit.retention_days'",
            (stored,),
        )

    store.write(unit)
    assert store.read(lambda tx: shop_settings.get(tx, "audit.retention_days")) == 90
    told = store.read(shop_settings.complaints)
    assert [line for line in told if "audit.retention_days" in line and "90 holds instead" in line]


def test_each_night_and_by_the_command_old_entries_go(
    store: Store, clock: FrozenClock, config: ServerConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "audit.prune" in KINDS
    if not isinstance(store, SqliteStore):
        return
    aged(store, clock)
    config = ServerConfig(
        data_dir=config.data_dir,
        database_url=f"sqlite:///{store.path}",
        variables=config.variables,
    )
    assert commands.prune(config, clock) == 0
    assert "1 entries of the audit log older than 90 days went." in capsys.readouterr().out
    assert left(store) == ["new", "younger", "exact"]


# -- who follows is told


def test_an_entry_is_told_by_its_id_and_action(store: Store) -> None:
    told = Topics(store)
    before = store.read(topics.counters).get("audit", 0)
    entry = store.write(
        lambda tx: service.record(
            tx, "user.invited", caller=OWNER, target_user_id=OWNER.user_id, metadata={"days": 7}
        )
    )
    (event,) = told.new("audit")
    assert (event.event, event.data) == ("activity_logged", {"id": entry, "action": "user.invited"})
    assert store.read(topics.counters)["audit"] == before + 1


def test_an_entry_that_is_undone_is_told_to_nobody(store: Store) -> None:
    told = Topics(store)

    def unit(tx: Tx) -> None:
        service.record(tx, "queue.paused", caller=OWNER)
        raise LookupError

    with pytest.raises(LookupError):
        store.write(unit)
    assert told.new() == []


@pytest.mark.parametrize(
    ("role", "may"),
    [("owner", True), ("admin", True), ("support", False), ("readonly", False), ("storefront", False)],
)
def test_the_whole_log_is_followed_by_who_sees_all_of_it(staff: Staff, role: Any, may: bool) -> None:
    assert topics.may_follow(staff.principal(role), "audit") is may


def test_an_open_view_with_a_filter_finds_the_new_entry_only_where_it_fits(
    http: httpx.Client, staff: Staff, store: Store
) -> None:
    """What is told is the entry's id and action: the view asks again, with its filter."""
    told = Topics(store)
    told.new()
    views = {query: http.get(f"/v1/audit?{query}", headers=staff.bearer("owner")).json() for query in (
        "action=user.*", "action=token.*", "module=access&mode=manual", "mode=cron"
    )}  # fmt: skip
    http.patch(
        f"/v1/users/{staff.users['support']}", headers=staff.bearer("owner"), json={"role": "readonly"}
    )
    (event,) = [each for each in told.new("audit") if each.event == "activity_logged"]
    for query, before in views.items():
        now = http.get(f"/v1/audit?{query}", headers=staff.bearer("owner")).json()
        came = [item["id"] for item in now["items"] if item not in before["items"]]
        fits = query not in ("action=token.*", "mode=cron")
        assert came == ([event.data["id"]] if fits else [])
        assert now["total"] == before["total"] + fits
