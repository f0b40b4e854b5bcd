"""The shop's own acts in the audit log: after they are done, once, and never in their way."""

from __future__ import annotations

import ast
import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any, cast

import httpx
import pytest
from fastapi import Request, Response

import server
from server.app import App
from server.app.assembly import create_app
from server.audit import acting, service, wrapper
from server.audit.acting import Act
from server.audit.wrapper import Failed, Ok, Unavailable, actor_id, actor_role, log, lost
from server.contract.base import Answer
from server.kit.access import Principal, Role
from server.kit.config import ServerConfig
from server.kit.db import Store
from server.kit.problems import ProblemError
from server.kit.sqlite import SqliteStore, driver
from server.kit.tx import Tx
from server.kit.web import permit, router
from server.settings import service as settings
from tests.server.audit.entries import entries
from tests.server.conftest import Staff
from tests.support.serving import in_process

INVOICE = "00000000-0000-7000-8000-00000000000a"


def a_principal(role: object, user_id: str | None = None) -> Principal:
    return Principal("tok12345", "laptop", cast("Role", role), user_id)


def newest(store: Store) -> Any:
    return entries(store)[0]


def test_a_bare_entry_has_the_defaults(store: Store, staff: Staff) -> None:
    done = log(store, "billing.invoice_voided", caller=staff.principal("admin"))
    assert isinstance(done, Ok)
    row = newest(store)
    assert (row.id, row.module, row.mode) == (done.entry_id, "billing", "manual")
    assert (row.actor_user_id, row.actor_role) == (staff.users["admin"], "admin")
    assert row.metadata == {"actor_role": "admin"}


def test_what_is_given_goes_before_the_defaults(store: Store, staff: Staff) -> None:
    facts = {"actor_role": "support", "invoice_number": "INV-2026-0007", "amount": 4300, "currency": "GBP"}
    log(
        store,
        "shop.order_placed",
        caller=staff.principal("owner"),
        module="shop",
        mode="auto",
        metadata={"actor_role": "support", "amount": 4300, "currency": "GBP"},
    )
    row = newest(store)
    assert (row.module, row.mode) == ("shop", "auto")
    assert row.metadata == {"actor_role": "support", "amount": 4300, "currency": "GBP"}
    log(store, "billing.invoice_sent", caller=staff.principal("owner"), metadata=facts)
    assert newest(store).metadata == facts


@pytest.mark.parametrize("role", [None, 7, [], {"name": "owner"}, [None, "owner"], object()])
def test_a_role_that_is_no_text_is_left_out(store: Store, role: object) -> None:
    assert actor_role(role) is None
    caller = a_principal(role)
    outcome = log(store, "billing.invoice_sent", caller=caller, metadata={"amount": 1})
    if role is None:
        assert isinstance(outcome, Ok)
        assert newest(store).metadata == {"amount": 1}
    assert log(store, "billing.invoice_sent", caller=None) == Ok(newest(store).id)
    assert newest(store).metadata == {}


@pytest.mark.parametrize(
    ("roles", "first"),
    [
        ("owner", "owner"),
        (["admin", "support"], "admin"),
        (("support",), "support"),
        ([], None),
        (None, None),
        (5, None),
    ],
)
def test_the_role_is_the_first_of_several(roles: object, first: str | None) -> None:
    assert actor_role(roles) == first


def test_somebody_anonymous_and_a_program_have_no_user(staff: Staff) -> None:
    assert actor_id(None) is None
    assert actor_id(staff.principal("storefront")) is None
    assert actor_id(staff.principal("support")) == staff.users["support"]


def test_without_a_log_the_answer_says_so(store: Store, staff: Staff) -> None:
    assert log(None, "billing.invoice_sent", caller=staff.principal("owner")) == Unavailable()
    store.write(lambda tx: tx.driver_sql("DROP TABLE audit").close())
    assert log(store, "billing.invoice_sent", caller=staff.principal("owner")) == Unavailable()
    assert lost(store) == 0


# -- what goes wrong stays here


def break_audit(tx: Tx) -> None:
    """No entry can be written from now on, by the database's own word."""
    if tx.dialect == "sqlite":
        tx.driver_sql(
            "CREATE TRIGGER never BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'secret words'); END"
        )
    else:
        tx.driver_sql("ALTER TABLE audit ADD CONSTRAINT never CHECK (false) NOT VALID")


def test_a_store_that_refuses_is_told_in_the_log_and_counted(
    store: Store, staff: Staff, caplog: pytest.LogCaptureFixture
) -> None:
    store.write(break_audit)
    with caplog.at_level(logging.ERROR, "shopbell.audit"):
        done = log(store, "billing.invoice_sent", caller=staff.principal("owner"))
    assert done == Failed("IntegrityError")
    (record,) = caplog.records
    assert record.getMessage() == "audit entry not written"
    assert getattr(record, "fields", None) == {"action": "billing.invoice_sent", "because": "IntegrityError"}
    assert "secret words" not in caplog.text
    assert lost(store) == 1


@pytest.mark.parametrize(
    "error", [RuntimeError("x"), SystemExit(3), GeneratorExit(), MemoryError(), RecursionError()]
)
def test_whatever_is_raised_is_swallowed(
    store: Store, staff: Staff, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fail(*_: object, **__: object) -> str:
        raise error

    monkeypatch.setattr(service, "record", fail)
    done = log(store, "billing.invoice_sent", caller=staff.principal("owner"))
    assert done == Failed(type(error).__name__)
    monkeypatch.undo()
    assert isinstance(log(store, "billing.invoice_sent", caller=None), Ok), "the store goes on"


def test_a_locked_file_is_a_failure_with_its_name(store: Store, staff: Staff) -> None:
    if not isinstance(store, SqliteStore):
        pytest.skip("a file that another program holds")
    store.write(lambda tx: tx.driver_sql("PRAGMA busy_timeout=0").close())
    other = driver.connect(str(store.path), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        assert log(store, "billing.invoice_sent", caller=staff.principal("owner")) == Failed("locked")
    finally:
        other.execute("ROLLBACK")
        other.close()
    assert isinstance(log(store, "billing.invoice_sent", caller=None), Ok)


def test_a_closed_store_is_a_failure(store: Store, staff: Staff) -> None:
    if not isinstance(store, SqliteStore):
        pytest.skip("a pool that is closed opens anew")
    store.close()
    assert isinstance(log(store, "billing.invoice_sent", caller=staff.principal("owner")), Failed)


@pytest.mark.parametrize(
    ("action", "given"),
    [
        ("billing.invoice_vanished", {}),
        ("billing.invoice_sent", {"metadata": {"reason": "the customer was rude"}}),
        ("billing.invoice_sent", {"metadata": {"invoice_number": "mary@example.com"}}),
        ("billing.invoice_sent", {"metadata": {"amount": "12,50"}}),
        ("billing.invoice_sent", {"metadata": 7}),
        ("billing.invoice_sent", {"resource_id": "mary@example.com"}),
        ("billing.invoice_sent", {"mode": "by hand"}),
        ("billing.invoice_sent", {"module": "Olive Owner"}),
        (None, {}),
    ],
)
def test_what_an_entry_must_not_hold_is_a_failure(store: Store, action: Any, given: dict[str, Any]) -> None:
    before = len(entries(store))
    assert isinstance(log(store, action, caller=None, **given), Failed)
    assert len(entries(store)) == before
    assert lost(store) == 1


def test_the_target_is_a_user_or_nobody(store: Store, staff: Staff) -> None:
    """The id of an invoice or an order is a fact, never a target."""
    for wrong in (INVOICE, "nobody"):
        done = log(store, "billing.invoice_sent", caller=None, resource_type="invoice", target_user_id=wrong)
        assert done == Failed("ValueError")
    assert isinstance(
        log(
            store,
            "billing.invoice_sent",
            caller=None,
            resource_type="invoice",
            resource_id=INVOICE,
            target_user_id=staff.users["support"],
        ),
        Ok,
    )
    with pytest.raises(ValueError, match="target is a user"):
        store.write(
            lambda tx: service.record(
                tx,
                "billing.invoice_sent",
                caller=None,
                resource_type="invoice",
                resource_id=INVOICE,
                target_user_id=INVOICE,
            )
        )


# -- where it is written


class Done(Answer):
    """The answer of the routes below."""

    value: str


@pytest.fixture
def acted(app: App) -> Iterator[httpx.Client]:
    """The application with a route that does something, and that refuses when it is asked to."""
    room = router("/v1/acting", "acting")

    @room.post("/{what}", response_model=Done)
    async def act(
        request: Request, what: str, caller: Annotated[Principal, permit("orders.fulfil")]
    ) -> Response:
        def unit(tx: Tx) -> Done:
            settings.set_value(tx, "shop.name", what)
            if what == "refused":
                raise ProblemError(409, "invoice_not_voidable", "It is paid.")
            return Done(value=what)

        def told(_: Tx, made: Done) -> Act | None:
            return None if made.value == "nothing" else Act("billing.invoice_voided", "invoice", INVOICE)

        return await acting.mutate(request, caller, unit, told)

    app.include_router(room)
    with in_process(app) as client:
        yield client


def voided(store: Store) -> int:
    return sum(row.action == "billing.invoice_voided" for row in entries(store))


def name_of(store: Store) -> str:
    return store.read(lambda tx: settings.get(tx, "shop.name"))


def test_one_entry_for_what_was_done_and_none_for_what_was_refused(
    acted: httpx.Client, staff: Staff, store: Store
) -> None:
    assert acted.post("/v1/acting/refused", headers=staff.bearer("owner")).status_code == 409
    assert acted.post("/v1/acting/x", headers=staff.bearer("readonly")).status_code == 403
    assert acted.post("/v1/acting/nothing", headers=staff.bearer("owner")).status_code == 200
    assert voided(store) == 0
    assert acted.post("/v1/acting/done", headers=staff.bearer("support")).status_code == 200
    assert voided(store) == 1
    row = newest(store)
    assert (row.actor_user_id, row.resource_type, row.resource_id) == (
        staff.users["support"],
        "invoice",
        INVOICE,
    )


def test_a_repeat_writes_no_second_entry(acted: httpx.Client, staff: Staff, store: Store) -> None:
    headers = staff.bearer("owner") | {"Idempotency-Key": "once"}
    answers = [acted.post("/v1/acting/done", headers=headers) for _ in range(3)]
    assert {answer.content for answer in answers} == {b'{"value":"done"}'}
    assert voided(store) == 1


def test_a_mutation_stands_though_its_entry_is_lost(acted: httpx.Client, staff: Staff, store: Store) -> None:
    """What is recorded with the act itself (the setting) is not what fails here: the wrapper is."""
    acted.post("/v1/acting/before", headers=staff.bearer("owner"))

    def only_wrapper(tx: Tx) -> None:
        if tx.dialect == "sqlite":
            tx.driver_sql(
                "CREATE TRIGGER never BEFORE INSERT ON audit WHEN NEW.module = 'billing' "
                "BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
        else:
            tx.driver_sql("ALTER TABLE audit ADD CONSTRAINT never CHECK (module <> 'billing') NOT VALID")

    store.write(only_wrapper)
    answer = acted.post("/v1/acting/after", headers=staff.bearer("owner"))
    assert (answer.status_code, answer.json()) == (200, {"value": "after"})
    assert name_of(store) == "after"
    assert voided(store) == 1
    assert acted.get("/healthz").json()["audit_lost"] == 1


def test_an_act_of_privilege_that_cannot_be_recorded_does_not_happen(
    http: httpx.Client, staff: Staff, store: Store
) -> None:
    store.write(break_audit)
    answer = http.patch(
        f"/v1/users/{staff.users['support']}", headers=staff.bearer("owner"), json={"role": "readonly"}
    )
    assert answer.status_code >= 500
    listed = http.get("/v1/users?role=support", headers=staff.bearer("owner")).json()["items"]
    assert [row["id"] for row in listed] == [staff.users["support"]]


def test_only_routes_write_these() -> None:
    """No service knows the wrapper, so calling one directly writes nothing."""
    root = Path(server.__file__).parent
    knowing = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if path.parent != root / "audit" and _knows(path, {"acting", "wrapper"})
    }
    routes = {name for name in knowing if name.endswith("routes.py")}
    assert routes >= {"billing/routes.py", "catalog/routes.py"}
    assert knowing - routes == {"app/health.py"}, "it counts what was lost"


def _knows(path: Path, names: set[str]) -> bool:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            room, _, module = node.module.rpartition(".")
            inner = {each.name for each in node.names} if node.module == "server.audit" else {module}
            if (room == "server.audit" or node.module == "server.audit") and inner & names:
                return True
    return False


def test_the_wrapper_writes_after_and_apart(store: Store, staff: Staff, config: ServerConfig) -> None:
    """In its own transaction: what the act did is there for everybody when the entry is written."""
    create_app(store, config)
    seen: list[str] = []
    original = store.write

    def watched(unit: Any) -> Any:
        seen.append(name_of(store))
        return original(unit)

    store.write(partial(settings.set_value, name="shop.name", text="done"))
    store.write = watched  # type: ignore[method-assign]
    wrapper.log(store, "billing.invoice_voided", caller=staff.principal("owner"))
    assert seen == ["done"]
