"""A paid order goes to its provider once, whatever happens on the way."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

import pytest

from server.activity.service import Actor
from server.contract.orders import FulfilmentStep
from server.fulfilment import submission
from server.jobs import service as jobs
from server.jobs.work import Job, Work
from server.kit.clock import MINUTE, SECOND
from server.orders import service as orders
from server.practice.providers.answers import (
    DROP,
    DROP_AFTER,
    HALF,
    HTML,
    SLOW,
    UNAUTHORISED,
    Trouble,
    refused,
    too_many,
)
from tests.server.fulfilment.works import BOTH, Works


@BOTH
def test_a_paid_order_travels_by_itself(works: Works) -> None:
    order = works.order()
    waiting = works.submission(order)
    assert (waiting["state"], waiting["at_provider"], waiting["job"]["state"]) == ("none", False, "waiting")
    works.run()
    assert len(works.held(order)) == 1
    now = works.get(order.id)
    assert (now.fulfilment_status, now.provider) == ("submitted", works.label)
    assert now.provider_order_id == str(works.held(order)[0]["id"])
    assert works.types(order) == ["order.created", "order.submitted"]
    assert works.entries(order, "order.submitted")[0]["message"] == (
        f"Submitted to {works.label} ({now.provider_order_id})"
    )
    known = works.submission(order)
    assert (known["state"], known["at_provider"], known["job"]) == ("accepted", True, None)
    assert [one["outcome"] for one in known["attempts"]] == ["done"]
    assert works.server.count("submit") == 1


@pytest.mark.parametrize(
    ("paid", "sent"), [({"less": 1}, 0), ({"currency": "JPY"}, 0), ({"less": -500}, 1)], ids=str
)
def test_an_order_that_was_not_paid_in_full_waits_for_somebody(
    works: Works, paid: dict[str, Any], sent: int
) -> None:
    order = works.order(paid=False)
    works.pay(order, **paid)
    works.run()
    assert len(works.held(order)) == sent
    assert "order.amount_mismatch" in works.types(order)
    if not sent:
        assert works.actions(order)["submit_to_provider"] is None
        assert works.submit(order, hold_seconds=0).status_code == 202
        works.run()
        assert len(works.held(order)) == 1


def test_nothing_is_sent_that_was_not_paid(works: Works) -> None:
    order = works.order(paid=False)
    works.run()
    answer = works.submit(order)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_paid")
    assert works.submission(order)["reason"] == "not_paid"
    assert works.actions(order)["submit_to_provider"] == "not_paid"
    assert works.server.count("submit") == 0


def test_a_shop_that_submits_by_hand(works: Works) -> None:
    works.set(fulfilment__automatic="off")
    order = works.order()
    works.run()
    assert works.server.count("submit") == 0
    assert works.actions(order)["submit_to_provider"] is None
    asked = works.submit(order)
    assert (asked.status_code, asked.json()["new"]) == (202, True)
    assert works.actions(order)["submit_to_provider"] == "already_waiting"
    works.run(after=4 * SECOND)
    assert works.server.count("submit") == 0, "it is held for the undo window"
    works.run(after=SECOND)
    assert len(works.held(order)) == 1
    assert works.entries(order, "order.submitted")[0]["actor"]["kind"] == "staff"


def test_taken_back_in_time_nothing_leaves(works: Works) -> None:
    works.set(fulfilment__automatic="off")
    order = works.order()
    asked = works.submit(order, hold_seconds=30).json()["job"]
    works.store.write(lambda tx: jobs.cancel(tx, asked["id"]))
    works.run_all()
    assert works.server.count("submit") == 0
    assert works.get(order.id).fulfilment_status == "unfulfilled"
    assert works.actions(order)["submit_to_provider"] is None


def test_an_order_of_the_shops_own_program_is_left_alone(works: Works) -> None:
    order = works.order(handled_by="program")
    assert works.get(order.id).handled_by == "program"
    works.run_all()
    assert works.server.count("submit") == 0
    assert works.submit(order).json()["code"] == "handled_by_program"


def test_a_shop_without_a_provider(works: Works) -> None:
    works.set(fulfilment__provider="none")
    order = works.order(items=[{"name": "Home-made", "quantity": 1, "unit_price": 100}])
    works.run_all()
    assert works.types(order) == ["order.created"]
    assert works.submit(order).json()["code"] == "no_provider"
    assert works.submission(order)["provider"] is None


def test_who_has_it_is_not_sent_it_again(works: Works) -> None:
    order = works.order()
    works.run()
    answer = works.submit(order)
    assert (answer.status_code, answer.json()["code"]) == (409, "already_submitted")
    assert works.actions(order)["retry"] == "not_failed"
    assert works.actions(order)["submit_to_provider"] == "already_submitted"
    assert works.server.count("submit") == 1


@BOTH
@pytest.mark.parametrize("trouble", [DROP_AFTER, HALF, SLOW], ids=lambda it: it.how)
def test_an_answer_that_is_lost_leads_to_no_second_order(works: Works, trouble: Trouble) -> None:
    works.server.script("submit", trouble)
    order = works.order()
    works.run()
    lost = works.submission(order)
    assert (lost["state"], lost["at_provider"]) == ("sent", None)
    assert works.get(order.id).fulfilment_status == "failed"
    works.server.release()
    works.run(after=2 * MINUTE)
    assert len(works.held(order)) == 1
    assert works.server.count("submit") == 1, "the second attempt found it"
    assert works.types(order) == [
        "order.created",
        "order.submission_failed",
        "order.submission_retried",
        "order.submitted",
    ]
    assert works.entries(order, "order.submission_retried")[0]["message"] == (
        "Submission retried — attempt 2 of 3"
    )


@BOTH
@pytest.mark.parametrize("trouble", [DROP, HTML, too_many(90), refused("down", 503)], ids=lambda it: it.how)
def test_what_never_arrived_is_sent_again(works: Works, trouble: Trouble) -> None:
    works.server.script("submit", trouble)
    order = works.order()
    works.run()
    assert works.held(order) == []
    assert works.get(order.id).fulfilment_status == "failed"
    works.run(after=2 * MINUTE)
    assert len(works.held(order)) == 1
    assert works.server.count("submit") == 2


def test_the_rate_limit_says_when(works: Works) -> None:
    works.server.script("submit", too_many(90))
    order = works.order()
    works.run()
    assert works.submission(order)["state"] == "refused"
    works.run(after=89 * SECOND)
    assert works.server.count("submit") == 1
    works.run(after=SECOND)
    assert works.get(order.id).fulfilment_status == "submitted"


def test_three_attempts_and_then_a_person(works: Works) -> None:
    works.server.always("submit", refused("upstream is down", 503))
    order = works.order()
    works.run()
    assert works.submission(order)["job"]["state"] == "waiting"
    assert works.actions(order)["retry"] == "already_waiting"
    works.run(after=MINUTE - 1)
    assert works.server.count("submit") == 1
    works.run(after=1)
    assert works.server.count("submit") == 2
    assert works.told("job.exhausted") == []
    works.run(after=5 * MINUTE)
    failed = works.entries(order, "order.submission_failed")
    assert [entry["facts"]["attempt"] for entry in failed] == [1, 2, 3]
    assert "upstream is down" in failed[0]["message"]
    assert len(works.told("job.exhausted")) == 1
    known = works.submission(order)
    assert [one["outcome"] for one in known["attempts"]] == ["failed"] * 3
    assert (known["job"], known["allowed"], known["permanent"]) == (None, True, False)
    works.server.always("submit", None)
    assert works.submit(order, hold_seconds=0).json()["new"] is True
    assert works.get(order.id).attention > 0
    works.run()
    assert works.get(order.id).fulfilment_status == "submitted"
    assert len(works.held(order)) == 1
    assert works.get(order.id).attention == 0, "what went through in the end needs nobody"


def test_a_retry_that_fails_in_the_same_way_is_told_again(works: Works) -> None:
    works.server.always("submit", refused("upstream is down", 503))
    order = works.order()
    works.run_all()
    works.submit(order, hold_seconds=0)
    works.run_all()
    told = works.entries(order, "order.submission_failed")
    assert [entry["facts"]["attempt"] for entry in told] == [1, 2, 3, 1, 2, 3]


@BOTH
def test_a_refusal_for_good_stops_at_once_and_is_not_repeated(works: Works) -> None:
    works.server.always("submit", refused("Variant is out of stock."))
    order = works.order()
    works.run_all()
    assert works.server.count("submit") == 1
    assert len(works.entries(order, "order.submission_failed")) == 1
    again = works.submit(order)
    assert (again.status_code, again.json()["code"]) == (409, "permanent_and_unchanged")
    assert "Variant is out of stock" in again.json()["detail"]
    known = works.submission(order)
    assert (known["permanent"], known["allowed"], known["reason"]) == (True, False, "permanent_and_unchanged")
    assert "Variant is out of stock" in known["advice"]
    assert works.actions(order)["retry"] == "permanent_and_unchanged"
    last = works.entries(order, "order.submission_failed")[-1]
    assert {"name": "retry", "allowed": False, "reason": "permanent_and_unchanged"} in last["actions"]
    works.server.always("submit", None)
    exhausted = works.jobs(submission.KIND)[0]
    same = works.http.post(f"/v1/jobs/{exhausted.id}/retry", json={})
    assert (same.status_code, same.json()["code"]) == (409, "permanent_and_unchanged")


def test_what_stood_in_the_way_is_changed(works: Works) -> None:
    works.server.always("submit", UNAUTHORISED)
    order = works.order()
    works.run_all()
    assert works.server.count("submit") == 1
    told = works.entries(order, "order.submission_failed")[0]["message"]
    assert told == (
        f"Submission to {works.label} failed: The token of {works.label} is refused: set it anew in Settings."
    )
    assert works.submit(order).json()["code"] == "permanent_and_unchanged"
    works.server.always("submit", None)
    works.server.token = "another-token-of-the-tests"
    works.put({f"{works.name}.token": "another-token-of-the-tests"})
    assert works.actions(order)["retry"] is None
    assert works.submit(order, hold_seconds=0).status_code == 202
    works.run()
    assert works.get(order.id).fulfilment_status == "submitted"


def test_it_is_offered_only_while_it_makes_sense(works: Works) -> None:
    works.server.script("submit", refused("not now", 503))
    order = works.order()
    works.run()

    def offered() -> dict[str, Any]:
        entry = works.entries(order, "order.submission_failed")[0]
        found: dict[str, Any] = next(state for state in entry["actions"] if state["name"] == "retry")
        return found

    feed = works.http.get("/v1/activity", params={"tab": "attention"}).json()["items"]
    assert [state["name"] for state in feed[0]["actions"]] == ["resolve", "reopen", "retry"]
    assert offered() == {"name": "retry", "allowed": False, "reason": "already_waiting"}
    works.store.write(lambda tx: jobs.cancel(tx, works.jobs(submission.KIND)[0].id))
    assert offered()["allowed"] is True
    works.submit(order)
    assert offered()["reason"] == "already_waiting"
    works.run_all()
    assert offered()["reason"] == "not_failed"
    reader = works.http.get(f"/v1/orders/{order.id}/timeline", headers=works.staff.bearer("readonly")).json()
    entries = reader["items"] if isinstance(reader, dict) else reader
    failed = next(entry for entry in entries if entry["type"] == "order.submission_failed")
    assert {"name": "retry", "allowed": False, "reason": "insufficient_permissions"} in failed["actions"]


def test_two_press_the_same_key_in_the_same_moment(works: Works) -> None:
    works.set(fulfilment__automatic="off")
    order = works.order()
    gate = threading.Barrier(4)
    answers: list[Any] = []

    def press() -> None:
        gate.wait()
        answers.append(works.submit(order, hold_seconds=0).json())

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one["new"] for one in answers) == [False, False, False, True]
    assert len({one["job"]["id"] for one in answers}) == 1
    works.run_all()
    assert len(works.jobs(submission.KIND)) == 1
    assert len(works.held(order)) == 1


@BOTH
def test_a_worker_that_dies_between_sent_and_accepted(works: Works) -> None:
    works.set(fulfilment__automatic="off")
    order = works.order()
    works.submit(order, hold_seconds=0)
    row = works.jobs(submission.KIND)[0]
    mine = Job(row.id, row.kind, row.args, 1, 3, row.order_id, row.person_id, None, row.created_at)
    work = Work(mine, works.store, lambda *_, **__: None, threading.Event())
    submission.run(work)  # the provider has it; what follows is never written: the process was killed
    assert works.rows(order)[0].state == "sent"
    assert works.get(order.id).fulfilment_status == "unfulfilled"
    assert works.submission(order)["at_provider"] is None
    works.run()
    assert len(works.held(order)) == 1
    assert works.server.count("submit") == 1
    assert works.get(order.id).fulfilment_status == "submitted"
    assert works.rows(order)[0].state == "accepted"


def test_killed_before_the_request_left(works: Works) -> None:
    works.set(fulfilment__automatic="off")
    order = works.order()
    works.submit(order, hold_seconds=0)
    row = works.jobs(submission.KIND)[0]
    mine = Job(row.id, row.kind, row.args, 1, 3, row.order_id, row.person_id, None, row.created_at)
    works.store.write(lambda tx: submission.begin(tx, mine))
    assert works.rows(order)[0].state == "sent"
    works.run()
    assert (works.server.count("find"), works.server.count("submit")) == (1, 1)
    assert len(works.held(order)) == 1


def test_the_provider_is_asked_before_it_is_sent_to_and_must_answer(works: Works) -> None:
    works.server.script("submit", DROP_AFTER)
    works.server.script("find", Trouble("html", 404), refused("gone", 401))
    order = works.order()
    works.run_all()
    assert works.server.count("submit") == 1
    assert works.rows(order)[0].state == "sent", "a refused question says nothing about the order"


def test_cancelled_while_it_waited(works: Works) -> None:
    works.set(fulfilment__automatic="off")
    order = works.order()
    works.submit(order)
    step = FulfilmentStep(status="cancelled")
    works.store.write(lambda tx: orders.fulfil(tx, order.id, step, actor=Actor("system")))
    works.run_all()
    assert works.server.count("submit") == 0
    assert works.submit(order).json()["code"] == "order_cancelled"


def test_a_role_that_may_not(works: Works) -> None:
    order = works.order(paid=False)
    for role in ("readonly", "storefront"):
        headers = works.staff.bearer(role)
        assert works.http.post(f"/v1/orders/{order.id}/submit", json={}, headers=headers).status_code == 403
    seen = works.submission(order, "readonly")
    assert (seen["allowed"], seen["reason"]) == (False, "insufficient_permissions")
    assert works.http.get("/v1/orders/none/submission").status_code == 404
    assert works.http.post("/v1/orders/none/submit", json={}).status_code == 404


def test_a_retried_request_asks_once(works: Works) -> None:
    works.set(fulfilment__automatic="off")
    order = works.order()
    send = partial(
        works.http.post, f"/v1/orders/{order.id}/submit", json={}, headers={"Idempotency-Key": "k1"}
    )
    assert send().json() == send().json()
    assert len(works.jobs(submission.KIND)) == 1


def test_the_same_refusal_after_a_change_is_told_again(works: Works) -> None:
    works.server.always("submit", UNAUTHORISED)
    order = works.order()
    works.run_all()
    works.put({f"{works.name}.token": "wrong-as-well-in-the-tests"})
    works.submit(order, hold_seconds=0)
    works.run_all()
    told = works.entries(order, "order.submission_failed")
    assert [entry["facts"]["attempt"] for entry in told] == [1, 1]
