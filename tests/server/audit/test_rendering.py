"""Whatever stands in an entry, it is shown: any shape, any size, any depth, any text; and it is not too much."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from server.audit import rendering
from server.audit.actions import ACTIONS
from server.contract.audit import AuditActor, AuditRow
from server.kit.clock import instant
from server.kit.db import Store
from server.kit.tx import Tx
from tests.server.audit.entries import write
from tests.server.conftest import Staff

NAMES: dict[str, str | None] = {"actor": "olive@example.com", "target": "tom@example.com", "resource": "r-1"}

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None), max_size=30)
    | st.binary(max_size=5)
    | st.datetimes(),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.tuples(inner, inner)
        | st.dictionaries(
            st.text(st.characters(codec=None), max_size=10) | st.integers() | st.none(), inner, max_size=5
        )
    ),
    max_leaves=30,
)


def deep(depth: int) -> Any:
    value: Any = "bottom"
    for n in range(depth):
        value = [value] if n % 2 else {"k": value}
    return value


def check(shown: str) -> None:
    """A line that can go anywhere: one line, not too long, storable and sendable."""
    assert len(shown) <= rendering.LENGTH
    assert "\n" not in shown
    assert "\0" not in shown
    shown.encode("utf-8")


@settings(max_examples=300)
@given(st.dictionaries(st.text(st.characters(codec=None), max_size=20), anything, max_size=8) | anything)
@example({"a_from": 1, "a_to": 2, "_to": 3, "_from": None, "to": {"from": 1, "to": 2}})
@example({"x": 10**5000, "y": float("nan"), "z": float("-inf"), "\ud800": "\udfff\0"})
@example({"x": deep(200)})
@example({f"k{n}": "x" * 10_000 for n in range(1_000)})
@example({"x": [[["y" * 500] * 100] * 100] * 100})
@example({"[red]": "[bold]hi[/] \x1b[31m\x07\u202e", "名前": "山田 → ñ \U0001f600"})
def test_any_metadata_gives_lines(metadata: Any) -> None:
    made = rendering.plain(metadata)
    for line in rendering.changes(made):
        check(line)
    assert len(rendering.changes(made)) <= rendering.ITEMS + 1
    for action in (*list(ACTIONS)[:5], "post.created", "", "…" * 500, "{actor}", "[x"):
        check(rendering.summary(action, made, NAMES))
    row = AuditRow(
        id="i", action="a", module="m", mode="manual", actor=AuditActor(), metadata=made, summary="s", changes=[],
        at=instant(0),
    )  # fmt: skip
    sent = row.model_dump_json()
    assert json.loads(sent)["metadata"] == made
    assert len(sent) < 300_000


@settings(max_examples=200)
@given(anything)
def test_one_value_gives_one_line(value: Any) -> None:
    check(rendering.inline(value))


@given(st.text(max_size=200))
@example("[" * 100_000)
@example("[" * 100_000 + "]" * 100_000)
@example('{"a": 1e999}')
@example('{"a": "\\ud800"}')
@example("null")
@example("")
@example('{"n": ' + "9" * 5_000 + "}")
def test_any_stored_text_is_read(stored: str) -> None:
    made = rendering.decoded(stored)
    assert isinstance(made, dict)
    json.dumps(made, allow_nan=False).encode("utf-8")


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (None, ""),
        (True, "yes"),
        (4300, "4300"),
        ({"from": 1, "to": 2}, "1 → 2"),
        ({"from": None, "to": "b"}, "→ b"),
        ({"k": "v", "n": {"a": 1}}, "k: v, n: a: 1"),
        (["a", None, 3], "a, , 3"),
        ([{"k": "v"}, ["x", "y"]], "k: v, x, y"),
        ("  two\n lines\t", "two lines"),
    ],
)
def test_values_as_they_are_written(value: Any, line: str) -> None:
    assert rendering.inline(value) == line


@pytest.mark.parametrize(
    ("metadata", "lines"),
    [
        ({}, []),
        ({"status_from": "draft", "status_to": "sent", "amount": 4300}, ["status: draft → sent", "amount: 4300"]),
        (
            {"role_to": "admin", "actor_role": "owner", "role_from": "support"},
            ["role: support → admin", "actor role: owner"],
        ),
        ({"active_to": True}, ["active to: yes"]),
        ({"fields": ["email", "name"]}, ["fields: email, name"]),
    ],
)  # fmt: skip
def test_facts_as_they_are_listed(metadata: dict[str, Any], lines: list[str]) -> None:
    assert rendering.changes(metadata) == lines


@pytest.mark.parametrize(
    ("action", "metadata", "sentence"),
    [
        ("user.role_changed", {"role_from": "support", "role_to": "admin"},
         "Changed the role of tom@example.com from support to admin"),
        ("user.role_changed", {"role_to": "admin"}, "Changed the role of tom@example.com to admin"),
        ("user.role_changed", {}, "Changed the role of tom@example.com"),
        ("billing.invoice_voided", {"invoice_number": "INV-2026-0007"}, "Voided invoice INV-2026-0007"),
        ("billing.currency_imported", {"imported_count": 3}, "Imported 3 currencies"),
        ("billing.currency_imported", {"imported_count": 3, "failed_count": 0}, "Imported 3 currencies, 0 failed"),
        ("setting.changed", {}, "Changed the setting r-1"),
        ("post.created", {}, "Post created"),
        ("post.updated", {"title_from": "a", "title_to": "b", "status_to": "c"}, "title, status updated"),
        ("user.updated", {"fields": ["email", "name"]}, "Changed tom@example.com: email, name"),
    ],
)  # fmt: skip
def test_sentences(action: str, metadata: dict[str, Any], sentence: str) -> None:
    assert rendering.summary(action, metadata, NAMES) == sentence


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_has_a_sentence_with_and_without_its_facts(action: str) -> None:
    bare = rendering.summary(action, {}, dict.fromkeys(NAMES))
    full = rendering.summary(action, dict.fromkeys(ACTIONS[action].facts, "X9"), NAMES)
    for sentence in (bare, full):
        assert sentence[:1].isupper() or sentence.startswith(("somebody", "tom@"))
        assert not set(sentence) & set("[]{}"), sentence
        assert "  " not in sentence


def test_a_name_that_looks_like_a_place_fills_none() -> None:
    names = NAMES | {"target": "{role_from} [x]"}
    told = rendering.summary("user.role_changed", {"role_from": "support", "role_to": "admin"}, names)
    assert told == "Changed the role of {role_from} [x] from support to admin"
    told = rendering.summary("user.role_changed", {"role_from": "{actor}", "role_to": "[{target}]"}, NAMES)
    assert told == "Changed the role of tom@example.com from {actor} to [{target}]"


HOSTILE: list[str] = [
    "[1, 2, 3]",
    '"text"',
    "null",
    "not json at all",
    "[" * 50_000,
    '{"a": ' * 400 + "1" + "}" * 400,
    json.dumps({f"k{n}": "x" * 1_000 for n in range(300)}),
    '{"a": NaN, "b": 1e999, "c": "\\ud800"}',
    json.dumps({"[red]x": "\u202e\x1b[2J", "名": {"from": None, "to": ["ü", {"k": None}]}}),
]


def test_no_stored_row_breaks_the_list(http: httpx.Client, staff: Staff, store: Store) -> None:
    """Rows as no version of this program would write them, among others that are well."""
    ids = [write(store, action=f"post.hostile{n}") for n in range(len(HOSTILE))]

    def spoil(tx: Tx) -> None:
        for entry_id, stored in zip(ids, HOSTILE, strict=True):
            statement = text("UPDATE audit SET metadata = :stored, action = :action WHERE id = :id")
            tx.execute(statement, {"stored": stored, "id": entry_id, "action": "{x}[" + "a" * 5_000})

    store.write(spoil)
    body = http.get("/v1/audit?limit=200", headers=staff.bearer("owner"))
    assert body.status_code == 200
    listed = body.json()["items"]
    assert [item["id"] for item in listed[: len(ids)]] == ids[::-1]
    assert len(listed) == len(ids) + 9
    for entry_id in ids:
        answer = http.get(f"/v1/audit/{entry_id}", headers=staff.bearer("owner"))
        assert answer.status_code == 200
        check(answer.json()["summary"])
        for line in answer.json()["changes"]:
            check(line)
