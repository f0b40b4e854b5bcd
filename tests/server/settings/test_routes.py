"""Settings over HTTP: what is shown, who may change it, and that a try of a connection never holds anything up."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import httpx
import pytest

from server.contract.settings import TestResult as Result
from server.kit import topics
from server.kit.db import Store
from server.kit.setting_source import Override
from server.settings import registry, service, trying
from server.settings.registry import GROUPS, REGISTRY, register_test
from tests.server.conftest import STRIPE_SECRET, Staff

TOKEN = "eyJ0eXAiOiJKV1QiLCJhbGciOi"


@pytest.fixture
def owner(staff: Staff) -> dict[str, str]:
    return staff.bearer("owner")


def shown(http: httpx.Client, owner: dict[str, str]) -> dict[str, dict[str, Any]]:
    groups = http.get("/v1/settings", headers=owner).json()["groups"]
    return {row["name"]: row for group in groups for row in group["settings"]}


def put(http: httpx.Client, headers: dict[str, str], name: str, value: str) -> httpx.Response:
    return http.put(f"/v1/settings/{name}", json={"value": value}, headers=headers)


def test_all_settings_stand_in_their_groups(http: httpx.Client, owner: dict[str, str]) -> None:
    groups = http.get("/v1/settings", headers=owner).json()["groups"]
    assert [(group["name"], group["label"]) for group in groups] == list(GROUPS.items())
    rows = [row for group in groups for row in group["settings"]]
    assert [row["name"] for row in rows] == [
        known.name for name in GROUPS for known in REGISTRY.values() if known.group == name
    ]
    by_name = {row["name"]: row for row in rows}
    port = by_name["mail.smtp.port"]
    assert (port["value"], port["default"], port["source"], port["kind"]) == (
        "587",
        "587",
        "default",
        "number",
    )
    assert by_name["mail.confirmation"]["value"] == "on"
    assert by_name["mail.from_name"]["default"] == by_name["mail.from_name"]["value"] == "My shop"
    assert by_name["mail.smtp.host"]["value"] is None
    assert by_name["fulfilment.provider"]["choices"] == ["none", "printify", "printful"]
    assert by_name["deadlines.shipped_hours"]["unit"] == "hours"
    assert {(a["name"], a["allowed"], a["reason"]) for a in port["actions"]} == {
        ("set", True, None),
        ("unset", False, "not_set"),
    }


def test_a_change_holds_at_once_and_names_who_made_it(
    http: httpx.Client, owner: dict[str, str], store: Store
) -> None:
    moved = store.read(topics.counters).get("settings", 0)
    answer = put(http, owner, "mail.smtp.port", "465")
    assert answer.status_code == 200
    row = answer.json()
    assert (row["value"], row["source"], row["updated_by"]) == ("465", "stored", "owner@example.com")
    assert row["updated_at"] == "2026-02-23T10:00:00.000Z"
    assert shown(http, owner)["mail.smtp.port"] == row
    assert store.read(lambda tx: service.get(tx, "mail.smtp.port")) == 465
    assert store.read(topics.counters)["settings"] == moved + 1
    back = http.delete("/v1/settings/mail.smtp.port", headers=owner)
    assert (back.status_code, back.json()["value"], back.json()["source"]) == (200, "587", "default")
    assert http.delete("/v1/settings/mail.smtp.port", headers=owner).status_code == 200


def test_a_secret_is_a_hint(http: httpx.Client, owner: dict[str, str]) -> None:
    row = put(http, owner, "printify.token", TOKEN).json()
    assert (row["value"], row["hint"], row["source"]) == (None, f"····{TOKEN[-4:]}", "stored")
    assert put(http, owner, "mail.smtp.password", "short").json()["hint"] == "····"
    assert TOKEN not in http.get("/v1/settings", headers=owner).text
    gone = http.delete("/v1/settings/printify.token", headers=owner).json()
    assert (gone["hint"], gone["source"]) == (None, "default")


def test_what_does_not_fit_changes_nothing(http: httpx.Client, owner: dict[str, str], store: Store) -> None:
    answer = put(http, owner, "mail.smtp.port", "70000")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert answer.json()["fields"] == [{"field": "mail.smtp.port", "message": "must be a port, 1 to 65,535"}]
    assert shown(http, owner)["mail.smtp.port"]["source"] == "default"
    assert put(http, owner, "no.such.setting", "x").status_code == 404
    assert http.delete("/v1/settings/no.such.setting", headers=owner).status_code == 404


@pytest.mark.parametrize("role", ["support", "readonly", "storefront"])
def test_settings_are_for_owner_and_admin(http: httpx.Client, staff: Staff, role: Any) -> None:
    headers = staff.bearer(role)
    assert http.get("/v1/settings", headers=headers).status_code == 403
    assert put(http, headers, "shop.name", "Mine").status_code == 403
    assert http.delete("/v1/settings/shop.name", headers=headers).status_code == 403
    assert http.post("/v1/settings/tests/mail", headers=headers).status_code == 403
    assert put(http, staff.bearer("admin"), "shop.name", "Ours").status_code == 200


def test_the_environment_is_shown_as_what_it_is(
    http: httpx.Client, owner: dict[str, str], store: Store
) -> None:
    store.setting_source.overrides = {
        **store.setting_source.overrides,
        "mail.smtp.port": Override("SHOPBELL_MAIL_SMTP_PORT", "2525"),
    }
    rows = shown(http, owner)
    port, secret = rows["mail.smtp.port"], rows["stripe.webhook_secrets"]
    assert (port["value"], port["source"], port["variable"]) == (
        "2525",
        "environment",
        "SHOPBELL_MAIL_SMTP_PORT",
    )
    assert (secret["value"], secret["hint"]) == (None, f"····{STRIPE_SECRET[-4:]}")
    assert secret["variable"] == "SHOPBELL_STRIPE_WEBHOOK_SECRETS"
    assert {(a["allowed"], a["reason"]) for a in port["actions"]} == {(False, "overridden_by_environment")}
    for answer in (
        put(http, owner, "mail.smtp.port", "25"),
        http.delete("/v1/settings/mail.smtp.port", headers=owner),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "overridden_by_environment")
        assert "SHOPBELL_MAIL_SMTP_PORT" in answer.json()["detail"]


def test_trouble_is_a_sentence_beside_the_setting(
    http: httpx.Client, owner: dict[str, str], store: Store
) -> None:
    from server.kit.crypto import Key, KeyRing, SecretBox
    from tests.server.settings.test_settings import store_raw

    put(http, owner, "printify.token", TOKEN)
    store_raw(store, "jobs.nightly_at", "25:00")
    store.setting_source.box = SecretBox(KeyRing([Key.of(b"k" * 32)]))
    store.setting_source.forget()
    rows = shown(http, owner)
    assert rows["printify.token"]["trouble"].startswith("What is stored cannot be decrypted")
    assert rows["printify.token"]["hint"] == f"····{TOKEN[-4:]}"
    assert rows["jobs.nightly_at"]["value"] == "03:30"
    assert rows["jobs.nightly_at"]["trouble"].endswith("(03:30); 03:30 holds instead.")
    put(http, owner, "printify.token", TOKEN)
    assert shown(http, owner)["printify.token"]["trouble"] is None


class TestTrying:
    @pytest.fixture(autouse=True)
    def _own_tests(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(registry, "TESTS", {})
        monkeypatch.setattr(trying, "TESTS", registry.TESTS)
        monkeypatch.setattr("server.settings.listing.TESTS", registry.TESTS)

    def test_it_reads_the_settings_and_answers(self, http: httpx.Client, owner: dict[str, str]) -> None:
        def call(store: Store) -> Result:
            host = store.read(lambda tx: service.get(tx, "mail.smtp.host"))
            return Result(ok=bool(host), message=f"Connected to {host}.", took_ms=0)

        register_test("mail", "mail", call)
        put(http, owner, "mail.smtp.host", "smtp.example.com")
        answer = http.post("/v1/settings/tests/mail", headers=owner)
        assert answer.status_code == 200
        assert (answer.json()["ok"], answer.json()["message"]) == (True, "Connected to smtp.example.com.")
        groups = {group["name"]: group for group in http.get("/v1/settings", headers=owner).json()["groups"]}
        assert groups["mail"]["tests"] == [{"name": "mail", "allowed": True, "reason": None}]
        assert groups["shop"]["tests"] == []
        assert http.post("/v1/settings/tests/other", headers=owner).status_code == 404

    def test_what_the_other_side_quotes_is_taken_out(self, http: httpx.Client, owner: dict[str, str]) -> None:
        put(http, owner, "printify.token", TOKEN)
        register_test(
            "printify", "printify", lambda _: Result(ok=False, message=f"bad token {TOKEN}!", took_ms=0)
        )
        answer = http.post("/v1/settings/tests/printify", headers=owner)
        assert answer.json()["message"] == "bad token ····!"

    def test_one_that_breaks_says_so_and_tells_nothing(
        self, http: httpx.Client, owner: dict[str, str]
    ) -> None:
        def call(_store: Store) -> Result:
            raise ValueError(TOKEN)

        register_test("mail", "mail", call)
        for _ in range(2):
            answer = http.post("/v1/settings/tests/mail", headers=owner)
            assert (answer.status_code, answer.json()["ok"]) == (200, False)
            assert "ValueError" in answer.json()["message"]
            assert TOKEN not in answer.text

    async def _hanging(self, store: Store) -> tuple[Result, str]:
        go = threading.Event()

        def call(inner: Store) -> Result:
            go.wait(30)
            return Result(ok=True, message="", took_ms=0)

        register_test("mail", "mail", call)
        try:
            late = await trying.try_out(store, "mail", seconds=0.05)
            await store.write_async(lambda tx: service.set_value(tx, "shop.name", "Not held up"))
            try:
                await trying.try_out(store, "mail", seconds=0.05)
            except Exception as error:  # noqa: BLE001
                return late, getattr(error, "code", "")
        finally:
            go.set()
        return late, ""

    def test_one_that_hangs_is_given_up_holds_nothing_and_is_not_begun_again(self, store: Store) -> None:
        late, second = asyncio.run(self._hanging(store))
        assert not late.ok
        assert "no answer within" in late.message
        assert second == "already_running"
        assert store.read(lambda tx: service.get(tx, "shop.name")) == "Not held up"


def test_stripe_is_believed_with_the_secret_that_is_stored_now(
    http: httpx.Client, owner: dict[str, str], store: Store
) -> None:
    from tests.support.stripe_events import SECRET, Purchase, encode, sign

    store.setting_source.overrides = {}
    body = encode(Purchase().completed(event_id="evt_1"))

    def post(secret: str) -> int:
        headers = {"content-type": "application/json", "stripe-signature": sign(body, secret)}
        return http.post("/webhooks/stripe", content=body, headers=headers).status_code

    assert post(SECRET) == 503
    put(http, owner, "stripe.webhook_secrets", SECRET)
    assert post(SECRET) == 200
    put(http, owner, "stripe.webhook_secrets", "whsec_the_next_one")
    assert (post(SECRET), post("whsec_the_next_one")) == (400, 200)
    http.delete("/v1/settings/stripe.webhook_secrets", headers=owner)
    assert post("whsec_the_next_one") == 503
