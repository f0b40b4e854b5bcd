"""Jobs, queues and schedules over HTTP, and who may do what."""

from __future__ import annotations

import threading

import httpx
import pytest

from server.audit.models import audit
from server.contract.jobs import Job, JobCounts, JobRow, Queues
from server.jobs import claiming
from server.jobs import service as jobs
from server.jobs.errors import JobError
from server.jobs.registry import Every, Schedule, register_schedule
from server.jobs.runner import Runner
from server.jobs.work import Work
from server.kit.access import Role
from server.kit.clock import HOUR, SECOND, FrozenClock
from server.kit.db import Store
from server.settings import service as settings
from tests.server.conftest import Staff
from tests.server.jobs.conftest import Add, row
from tests.server.orders.shop import Shop

ALL: tuple[Role, ...] = ("owner", "admin", "support", "readonly", "storefront")


def ask(store: Store, kind: str = "test.thing", **given: object) -> str:
    return store.write(lambda tx: jobs.enqueue(tx, kind, **given)).id  # type: ignore[arg-type]


@pytest.fixture
def well() -> threading.Event:
    """Unset: jobs of these tests fail."""
    return threading.Event()


@pytest.fixture
def shop(
    store: Store, runner: Runner, clock: FrozenClock, add: Add, well: threading.Event, staff: Staff
) -> dict[str, str]:
    """One job under each tab, by the tab's name; and a cancelled one."""

    def run(work: Work) -> None:
        if not well.is_set():
            raise JobError("no luck", permanent=work.job.args.get("permanent") is True)

    add(run=run, outside=True)
    add("test.quick", queue="mail")
    found = {
        "failed": ask(store, args={"n": 1}, asked_by=staff.users["support"]),
        "exhausted": ask(store, args={"permanent": True}),
        "done": ask(store, "test.quick"),
    }
    runner.drain()
    found["running"] = ask(store, "test.quick")
    store.write(lambda tx: claiming.claim(tx, "w", {"mail": 1}, tx.now))
    clock.advance(SECOND)
    found["waiting"] = ask(store, delay=HOUR)
    found["cancelled"] = ask(store)
    store.write(lambda tx: jobs.cancel(tx, found["cancelled"]))
    return found


def listed(http: httpx.Client, staff: Staff, **query: str) -> list[str]:
    """Ids of a list, walked through two at a time."""
    ids: list[str] = []
    params = {**query, "limit": "2"}
    while True:
        answer = http.get("/v1/jobs", headers=staff.bearer("readonly"), params=params)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        ids += [JobRow.model_validate(item).id for item in page["items"]]
        if page["next"] is None:
            return ids
        params["cursor"] = page["next"]


def test_the_list_newest_first_and_its_tabs(
    http: httpx.Client, staff: Staff, store: Store, shop: dict[str, str]
) -> None:
    order = ["cancelled", "waiting", "running", "done", "exhausted", "failed"]
    assert listed(http, staff) == [shop[name] for name in order]
    for tab in ("running", "waiting", "failed", "exhausted", "done"):
        assert listed(http, staff, tab=tab) == [shop[tab]], tab
    assert listed(http, staff, queue="mail") == [shop["running"], shop["done"]]
    assert listed(http, staff, kind="test.quick", tab="done") == [shop["done"]]
    assert listed(http, staff, order="nobody") == []
    counts = JobCounts.model_validate(http.get("/v1/jobs/counts", headers=staff.bearer("readonly")).json())
    assert counts == JobCounts(all=6, running=1, waiting=1, failed=1, exhausted=1, done=1)


def test_a_cursor_belongs_to_its_list(http: httpx.Client, staff: Staff, shop: dict[str, str]) -> None:
    headers = staff.bearer("owner")
    page = http.get("/v1/jobs", headers=headers, params={"limit": "1"}).json()
    other = http.get("/v1/jobs", headers=headers, params={"tab": "done", "cursor": page["next"]})
    assert (other.status_code, other.json()["code"]) == (400, "invalid_cursor")


def test_jobs_of_an_order_are_found_by_its_number(
    http: httpx.Client, staff: Staff, store: Store, add: Add
) -> None:
    add()
    order = Shop(store).order()
    job_id = ask(store, order_id=order.id)
    ask(store)
    assert listed(http, staff, order=order.number.lower()) == listed(http, staff, order=order.id) == [job_id]
    told = http.get(f"/v1/jobs/{job_id}", headers=staff.bearer("readonly")).json()
    assert told["order"] == {"id": order.id, "number": order.number}
    assert store.read(lambda tx: jobs.attempts(tx, kind="test.thing", order_id=order.id)) == []


def test_a_job_whole(http: httpx.Client, staff: Staff, store: Store, shop: dict[str, str]) -> None:
    answer = http.get(f"/v1/jobs/{shop['failed']}", headers=staff.bearer("readonly"))
    told = Job.model_validate(answer.json())
    assert (told.label, told.queue, told.state, told.error) == (
        "Test.Thing",
        "fulfilment",
        "waiting",
        "no luck",
    )
    assert [(each.attempt, each.outcome, each.error) for each in told.attempts] == [(1, "failed", "no luck")]
    assert (told.args, told.asked_by, told.outside) == ({"n": 1}, "support@example.com", True)
    assert http.get("/v1/jobs/nobody", headers=staff.bearer("owner")).status_code == 404


@pytest.mark.parametrize("role", ALL)
def test_actions_say_what_the_routes_then_do(
    http: httpx.Client, staff: Staff, store: Store, shop: dict[str, str], role: Role
) -> None:
    """For each job and each action: what is listed as allowed works, what is not is refused with that reason."""
    headers = staff.bearer(role)
    if role == "storefront":
        assert http.get("/v1/jobs", headers=headers).status_code == 403
        assert http.post(f"/v1/jobs/{shop['exhausted']}/retry", headers=headers).status_code == 403
        return
    expected = {
        "failed": (None, None),
        "exhausted": (None, "already_finished"),
        "done": ("already_finished", "already_finished"),
        "running": ("already_started", "already_started"),
        "waiting": ("never_tried", None),
        "cancelled": (None, "already_finished"),
    }
    allowed = role in ("owner", "admin", "support")
    for name, reasons in expected.items():
        path = f"/v1/jobs/{shop[name]}"
        actions = {each["name"]: each for each in http.get(path, headers=headers).json()["actions"]}
        for action, reason in zip(("retry", "cancel"), reasons, strict=True):
            wanted = reason if allowed else "insufficient_permissions"
            assert actions[action] == {"name": action, "allowed": wanted is None, "reason": wanted}, (
                name,
                action,
            )
        for action, reason in (("retry", reasons[0]), ("cancel", reasons[1])):
            if reason is None and allowed:
                continue
            answer = http.post(f"{path}/{action}", headers=headers)
            code = answer.json()["code"]
            assert (answer.status_code, code) == ((409, reason) if allowed else (403, "forbidden"))
    if allowed:
        for name, action in (("failed", "cancel"), ("exhausted", "retry"), ("waiting", "cancel")):
            answer = http.post(f"/v1/jobs/{shop[name]}/{action}", headers=headers)
            assert answer.status_code == 200, answer.text
            JobRow.model_validate(answer.json())


def test_a_retry_of_what_leaves_the_shop_can_be_taken_back_first(
    http: httpx.Client,
    staff: Staff,
    store: Store,
    runner: Runner,
    clock: FrozenClock,
    shop: dict[str, str],
    well: threading.Event,
) -> None:
    headers, path = staff.bearer("support"), f"/v1/jobs/{shop['exhausted']}"
    store.write(lambda tx: settings.set_value(tx, "actions.undo_seconds", "7"))
    well.set()
    assert http.post(f"{path}/retry", headers=headers).json()["state"] == "waiting"
    assert row(store, shop["exhausted"]).held_until == clock.now() + 7 * SECOND
    assert runner.drain() == 0
    assert http.post(f"{path}/cancel", headers=headers).json()["state"] == "cancelled"
    clock.advance(7 * SECOND)
    assert runner.drain() == 0
    assert http.post(f"{path}/retry", headers=headers, json={"hold_seconds": 0}).status_code == 200
    assert runner.drain() == 1
    told = store.read(lambda tx: tx.execute(audit.select().where(audit.c.resource_type == "job")).all())
    assert [each.action for each in told] == ["job.retried", "job.cancelled", "job.retried"]
    assert {(each.resource_id, each.actor_user_id) for each in told} == {
        (shop["exhausted"], staff.users["support"])
    }
    assert told[0].metadata == {"kind": "test.thing"}


@pytest.mark.parametrize("role", ALL)
def test_queues_are_paused_by_those_who_may(
    http: httpx.Client, staff: Staff, store: Store, add: Add, role: Role
) -> None:
    add()
    ask(store)
    headers = staff.bearer(role)
    if role == "storefront":
        assert http.get("/v1/queues", headers=headers).status_code == 403
        assert http.post("/v1/queues/fulfilment/pause", headers=headers).status_code == 403
        return
    seen = Queues.model_validate(http.get("/v1/queues", headers=headers).json())
    queue = next(each for each in seen.queues if each.name == "fulfilment")
    assert (queue.limit, queue.running, queue.waiting, queue.paused_at) == (2, 0, 1, None)
    actions = {each.name: (each.allowed, each.reason) for each in queue.actions}
    if role not in ("owner", "admin"):
        assert set(actions.values()) == {(False, "insufficient_permissions")}
        assert http.post("/v1/queues/fulfilment/pause", headers=headers).status_code == 403
        return
    assert actions == {"pause": (True, None), "resume": (False, "not_paused")}
    answer = http.post("/v1/queues/fulfilment/resume", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_paused")
    paused = Queues.model_validate(http.post("/v1/queues/fulfilment/pause", headers=headers).json())
    queue = next(each for each in paused.queues if each.name == "fulfilment")
    assert queue.paused_by == f"{role}@example.com"
    assert {each.name: each.reason for each in queue.actions} == {"pause": "already_paused", "resume": None}
    resumed = Queues.model_validate(http.post("/v1/queues/fulfilment/resume", headers=headers).json())
    assert all(each.paused_at is None for each in resumed.queues)
    assert http.post("/v1/queues/nowhere/pause", headers=headers).status_code == 404


def test_schedules_are_shown_before_anybody_saw_to_them(
    http: httpx.Client, staff: Staff, store: Store, runner: Runner, clock: FrozenClock, add: Add
) -> None:
    add()
    register_schedule(Schedule(name="tick", kind="test.thing", when=Every(HOUR)))
    register_schedule(
        Schedule(name="never", kind="test.thing", when=Every(HOUR), unique="n", wanted=lambda _: False)
    )

    def shown() -> tuple[object, ...]:
        [each] = http.get("/v1/queues", headers=staff.bearer("readonly")).json()["schedules"]
        return each["name"], each["label"], each["when"], each["next_at"], each["last_at"]

    assert shown() == ("tick", "Test.Thing", "every hour", "2026-02-23T11:00:00.000Z", None)
    runner.drain()
    clock.advance(HOUR)
    assert shown()[3:] == ("2026-02-23T11:00:00.000Z", None), "due"
    runner.drain()
    assert shown()[3:] == ("2026-02-23T12:00:00.000Z", "2026-02-23T11:00:00.000Z")


def test_a_job_by_a_kind_that_is_gone_is_still_shown(
    http: httpx.Client, staff: Staff, store: Store, shop: dict[str, str]
) -> None:
    from server.jobs import registry

    registry.KINDS.clear()
    told = http.get(f"/v1/jobs/{shop['exhausted']}", headers=staff.bearer("owner")).json()
    assert told["label"] == "test.thing"
    assert told["actions"][0] == {"name": "retry", "allowed": False, "reason": "unknown_kind"}
