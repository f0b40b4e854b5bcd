"""Every setting: what it takes, what it refuses, and that the refusal says what would be right without quoting it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from server.contract.settings import TestResult as Result
from server.kit.config import ConfigError
from server.settings import kinds, registry, setting
from server.settings.registry import GROUPS, REGISTRY, register_test
from server.settings.source import overrides

LINES = (["Petals & Paper", " x ", "Ткани", "x" * 80], ["", " ", "x" * 81, "bell\x07", "a\nb", "a\u202eb"])
ADDRESSES = (
    ["https://shop.example.com", "https://shop.example.com/a/b/", "http://127.0.0.1:8080", "http://[::1]:80", "http://localhost"],
    [
        "", "shop.example.com", "http://shop.example.com", "ftp://shop.example.com", "https://", "https://a b",
        "https://user:secret@shop.example.com", "https://shop.example.com/?q=1", "https://shop.example.com/#x",
        "https://shop.example.com:0", "https://shop.example.com:99999", "https://sh\u00f6p.example", "https:///x",
        "https://-x-", "http://127.0.0.1.example.com", "https://a\\b", "javascript:alert(1)", "https://" + "a" * 300,
    ],
)  # fmt: skip
TOKENS = (
    ["eyJ0eXAi.abc-_=", "12345678", " padded12 ", "x" * 4096],
    ["", "1234567", "two words", "x" * 4097, "schlüssel", "a\nbcdefgh"],
)
SWITCHES = (["on", "off"], ["", "true", "1", "ON", "yes"])
WORDS = (["main", "a-b_C9", "x" * 64], ["", "a b", "a/b", "..", "x" * 65, "é"])
DIGITS = (["1", "12345678", " 7 "], ["", "-1", "1.5", "x", "１２", "1" * 21])  # noqa: RUF001


def numbers(low: int, high: int) -> tuple[list[str], list[str]]:
    return (
        [str(low), str(high)],
        ["", str(low - 1), str(high + 1), "1.5", "1e3", " 5", "5 days", "٣", "9" * 30],
    )


TABLE: dict[str, tuple[list[str], list[str]]] = {
    "shop.name": LINES,
    "shop.environment": (["live", "test", "practice"], ["", "staging", "Live"]),
    "shop.currency": (["GBP", "JPY"], ["", "gbp", "£", "EURO"]),
    "shop.time_zone": (["UTC", "Europe/London"], ["", "Moon/Base", "../../etc/passwd"]),
    "shop.url": ADDRESSES,
    "public.url": ADDRESSES,
    "stripe.webhook_secrets": (
        ["whsec_a", "whsec_new, whsec_old,"],
        ["", ",", "sk_live_abc", "whsec_", "whsec_a;whsec_b", "whsec_a whsec_b", ",".join(["whsec_a"] * 11)],
    ),
    "fulfilment.provider": (["none", "printify", "printful"], ["", "Printify", "gooten"]),
    "fulfilment.automatic": SWITCHES,
    "printify.token": TOKENS,
    "printify.shop_id": DIGITS,
    "printify.webhook_secret": TOKENS,
    "printify.connection": WORDS,
    "printify.url": ADDRESSES,
    "printful.token": TOKENS,
    "printful.store_id": DIGITS,
    "printful.webhook_secret": TOKENS,
    "printful.connection": WORDS,
    "printful.url": ADDRESSES,
    "mail.adapter": (["outbox", "smtp"], ["", "sendmail"]),
    "mail.from_name": LINES,
    "mail.from_address": (
        ["shop@example.com", " a.b+c@example.co.uk ", "ткань@пример.рф"],
        ["", "shop", "a@b@c.example", "Shop <shop@example.com>", "a@example.com\r\nBcc: b@example.com",
         "a b@example.com", "a@example.com,b@example.com", f"{'a' * 65}@example.com"],
    ),
    "mail.confirmation": SWITCHES,
    "mail.shipping": SWITCHES,
    "mail.smtp.host": (["smtp.example.com", "127.0.0.1", "[::1]", "mailpit"],
        ["", "smtp.example.com:25", "a b", "a/b", "-"]),
    "mail.smtp.port": numbers(1, 65_535),
    "mail.smtp.security": (["starttls", "tls", "none"], ["", "ssl"]),
    "mail.smtp.username": LINES,
    "mail.smtp.password": (["x", " with spaces ", "pässwort\n"], ["", "\n", "a\nb", "x" * 1001]),
    "mail.bounce_token": (["x" * 16, "x" * 200], ["", "x" * 15, "x" * 201, "sixteen letters with spaces"]),
    "recovery.enabled": SWITCHES,
    "recovery.delay_minutes": numbers(1, 10_080),
    "recovery.recent_days": numbers(1, 365),
    "recovery.keep_days": numbers(1, 365),
    "recovery.notice": (["One line.", "Two\r\nlines", "x" * 1200], ["", " \n ", "x" * 1201, "bell\x07"]),
    "lookup.enabled": SWITCHES,
    "tickets.enabled": SWITCHES,
    "tickets.comments": SWITCHES,
    "tickets.internal_notes": SWITCHES,
    "tickets.attachments": SWITCHES,
    "tickets.allow_reopen": SWITCHES,
    "tickets.reply_mail": SWITCHES,
    "deadlines.submitted_minutes": numbers(0, 10_080),
    "deadlines.processing_hours": numbers(0, 2_000),
    "deadlines.shipped_hours": numbers(0, 2_000),
    "deadlines.delivered_days": numbers(0, 365),
    "actions.undo_seconds": numbers(0, 60),
    "jobs.nightly_at": (["00:00", "03:30", "23:59"], ["", "24:00", "3:30", "03:60", "03:30:00", "noon"]),
    "jobs.keep_days": numbers(1, 3_650),
    "activity.retention_days": numbers(1, 99_999),
    "audit.retention_days": numbers(1, 99_999),
    "deletion.grace_days": numbers(0, 30),
}  # fmt: skip


def test_the_table_holds_every_setting() -> None:
    assert TABLE.keys() == REGISTRY.keys()


@pytest.mark.parametrize("name", TABLE)
def test_what_fits_is_taken_and_reads_the_same_again(name: str) -> None:
    known = REGISTRY[name]
    for text in TABLE[name][0]:
        value = known.read(text)
        assert known.read(known.text(value) or "") == value


@pytest.mark.parametrize("name", TABLE)
def test_what_does_not_fit_is_refused_with_what_would_be_right(name: str) -> None:
    for text in TABLE[name][1]:
        with pytest.raises(ValueError, match=r"^must be [a-z0-9]") as caught:
            REGISTRY[name].read(text)
        assert len(text) < 9 or text not in str(caught.value)


@pytest.mark.parametrize("name", REGISTRY)
def test_an_entry_is_whole(name: str) -> None:
    known = REGISTRY[name]
    assert known.group in GROUPS
    assert 2 <= len(known.label) <= 26
    assert re.fullmatch(r"[^\n]{12,110}[.]", known.help), known.help
    text = known.text(known.default)
    assert text is None or known.read(text) == known.default
    assert (known.kind == "choice") == (known.choices is not None)
    assert known.unit is None or known.kind == "number"
    assert known.default is None if known.secret else known.default is not None


def test_the_names_that_get_and_secret_take_are_those_of_the_registry() -> None:
    by_kind = {
        setting.TextSetting: {"text", "long_text", "choice", "address", "time"},
        setting.NumberSetting: {"number"},
        setting.SwitchSetting: {"switch"},
        setting.SecretSetting: {"secret"},
    }
    for names, how in by_kind.items():
        assert set(get_args(names)) == {known.name for known in REGISTRY.values() if known.kind in how}


def test_every_group_has_settings_and_every_variable_is_its_own() -> None:
    assert {known.group for known in REGISTRY.values()} == GROUPS.keys()
    variables = {known.variable for known in REGISTRY.values()}
    assert len(variables) == len(REGISTRY)
    own = {
        "SHOPBELL_DATA",
        "SHOPBELL_DATABASE_URL",
        "SHOPBELL_ALLOWED_HOSTS",
        "SHOPBELL_SECRET_KEY",
        "SHOPBELL_SECRET_KEY_FILE",
    }
    client = {"SHOPBELL_URL", "SHOPBELL_TOKEN", "SHOPBELL_TOKEN_FILE", "SHOPBELL_CONFIG"}
    assert not variables & (own | client)
    assert not {f"{variable}_FILE" for variable in variables} & (variables | own | client)


def test_a_test_needs_a_group_and_a_name_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "TESTS", {})
    register_test("one", "mail", lambda _: Result(ok=True, message="", took_ms=0))
    for name, group in (("one", "mail"), ("two", "nothing")):
        with pytest.raises(ValueError, match="test"):
            register_test(name, group, lambda _: Result(ok=True, message="", took_ms=0))


def test_a_slash_at_the_end_of_an_address_goes() -> None:
    assert kinds.address(" https://shop.example.com/ ") == "https://shop.example.com"


class TestEnvironment:
    def test_each_setting_has_its_variable(self) -> None:
        for name, (good, _) in TABLE.items():
            known = REGISTRY[name]
            found = overrides({known.variable: good[0]})
            assert found[name].variable == known.variable
            assert known.read(found[name].text) == known.read(good[0])

    def test_a_secret_may_stand_in_a_file_and_nothing_else_may(self, tmp_path: Path) -> None:
        file = tmp_path / "token"
        file.write_text("from-the-file-12\n")
        found = overrides({"SHOPBELL_PRINTIFY_TOKEN_FILE": str(file), "SHOPBELL_SHOP_NAME_FILE": str(file)})
        assert found.keys() == {"printify.token"}
        assert found["printify.token"].variable == "SHOPBELL_PRINTIFY_TOKEN_FILE"
        assert REGISTRY["printify.token"].read(found["printify.token"].text) == "from-the-file-12"
        both = {"SHOPBELL_PRINTIFY_TOKEN_FILE": str(file), "SHOPBELL_PRINTIFY_TOKEN": "from-the-variable"}
        assert overrides(both)["printify.token"].variable == "SHOPBELL_PRINTIFY_TOKEN"

    def test_what_does_not_fit_stops_the_server_and_is_not_repeated(self) -> None:
        for name, (_, bad) in TABLE.items():
            known = REGISTRY[name]
            for text in bad:
                with pytest.raises(ConfigError, match=f"^{known.variable} must be ") as caught:
                    overrides({known.variable: text})
                assert len(text) < 9 or text not in str(caught.value)

    def test_a_file_that_is_not_there_stops_the_server(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"SHOPBELL_PRINTIFY_TOKEN_FILE names .*cannot be read"):
            overrides({"SHOPBELL_PRINTIFY_TOKEN_FILE": str(tmp_path / "none")})

    def test_an_override_is_in_no_repr(self) -> None:
        found = overrides({"SHOPBELL_PRINTIFY_TOKEN": "canary-canary"})
        assert "canary" not in repr(found)
