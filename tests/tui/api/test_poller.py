"""When to ask next, and what the identity strip says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.contract.base import Problem
from tui.api.clock import FrozenClock
from tui.api.errors import ApiError, BadAnswer, Refused, ServerTrouble, Unauthenticated, Unreachable
from tui.api.poller import Connection, Poller, State, wordings

NOON = "2026-02-23T12:00:00Z"


def poller(interval: float = 5.0, chance: float = 0.5) -> tuple[Poller, FrozenClock]:
    clock = FrozenClock(NOON)
    return Poller(clock, interval, lambda: chance), clock


def refused(code: str, retry_after: float | None = None) -> Refused:
    return Refused("no", Problem(title="", status=403, code=code), retry_after)


def said(poll: Poller) -> str:
    return wordings(poll.connection, zone=UTC)[0]


def test_it_asks_at_once_and_then_every_five_seconds() -> None:
    poll, clock = poller()
    assert poll.ask_in() == 0
    assert said(poll) == "◌ connecting"
    assert poll.answered()
    assert said(poll) == "● live"
    assert poll.ask_in() == 5
    clock.advance(3)
    assert poll.ask_in() == 2
    clock.advance(9)
    assert poll.ask_in() == 0
    assert not poll.answered(), "nothing changed, so nothing is drawn"
    poll.ask_now()
    assert poll.ask_in() == 0


def test_a_longer_interval_is_said() -> None:
    poll, _ = poller(30)
    poll.answered()
    assert said(poll) == "◌ polling 30s"
    assert poll.ask_in() == 30
    poll, _ = poller(600)
    poll.answered()
    assert said(poll) == "◌ polling 10m"


@given(st.floats(0, 1))
def test_clients_do_not_ask_in_step(chance: float) -> None:
    poll, _ = poller(5, chance)
    poll.answered()
    wait = poll.ask_in()
    assert wait is not None
    assert 4.5 <= wait <= 5.5


def test_it_waits_longer_after_every_failure_and_remembers_since_when() -> None:
    poll, clock = poller(chance=1.0)
    poll.answered()
    clock.advance(5)
    waits = []
    for _ in range(40):
        poll.failed(Unreachable("gone"))
        wait = poll.ask_in()
        assert wait is not None
        waits.append(wait)
        clock.advance(wait)
    assert waits[:7] == [1, 2, 4, 8, 16, 30, 30]
    assert set(waits[5:]) == {30}
    assert poll.connection.state is State.OFFLINE
    assert poll.connection.stale
    assert poll.connection.since == datetime(2026, 2, 23, 12, 0, 5, tzinfo=UTC)
    assert poll.connection.sentence == "gone"
    assert said(poll) == "✖ offline since 12:00, retry in 30s"
    assert poll.answered()
    assert said(poll) == "● live"
    poll.failed(Unreachable("gone"))
    assert poll.ask_in() == 1


def test_words_change_only_when_something_happens() -> None:
    poll, clock = poller()
    poll.answered()
    assert poll.failed(Unreachable("gone"))
    before = said(poll)
    clock.advance(0.7)
    assert said(poll) == before
    for _ in range(10):
        poll.failed(Unreachable("gone"))
    assert not poll.failed(Unreachable("gone")), "the longest wait stays the same in words"


@pytest.mark.parametrize(("asked", "waited"), [(None, 0.75), (0.0, 0.75), (20.0, 20.0), (10_000.0, 300.0)])
def test_the_server_may_ask_for_more_time(asked: float | None, waited: float) -> None:
    poll, _ = poller()
    poll.failed(ServerTrouble("busy", 503, "unavailable", asked))
    assert poll.ask_in() == waited


def test_asked_too_often_is_not_offline() -> None:
    poll, _ = poller()
    poll.answered()
    assert poll.failed(refused("rate_limited", 20))
    assert not poll.connection.stale
    assert said(poll) == "◌ polling 20s"
    assert poll.ask_in() == 20
    poll.answered()
    assert said(poll) == "● live"


@pytest.mark.parametrize(
    "error", [Unauthenticated("no", "expired"), refused("forbidden"), refused("insufficient_permissions")]
)
def test_a_token_that_is_not_taken_is_not_tried_again_and_again(error: ApiError) -> None:
    poll, clock = poller()
    poll.answered()
    assert poll.failed(error)
    assert poll.connection.state is State.REFUSED
    assert poll.connection.sentence == "no"
    assert said(poll) == "✖ refused"
    clock.advance(1e6)
    assert poll.ask_in() is None
    poll.ask_now()
    assert poll.ask_in() == 0
    assert poll.answered()


@pytest.mark.parametrize("error", [BadAnswer("what?"), refused("not_found"), ServerTrouble("no", 500)])
def test_every_other_failure_is_offline(error: ApiError) -> None:
    poll, _ = poller()
    poll.failed(error)
    assert poll.connection.state is State.OFFLINE


def test_a_clock_that_jumps_does_not_stop_it() -> None:
    poll, clock = poller()
    poll.answered()
    clock.set(datetime(2020, 1, 1, tzinfo=UTC))
    assert poll.ask_in() == 5


def test_the_time_is_the_readers_and_another_day_is_named() -> None:
    since = datetime(2026, 2, 23, 22, 30, tzinfo=UTC)
    offline = Connection(State.OFFLINE, since, retry_in=8.2)
    east = timezone(timedelta(hours=2))
    assert wordings(offline, zone=east) == (
        "✖ offline since 00:30, retry in 8s",
        "✖ offline since 00:30",
        "✖ offline",
        "✖",
    )
    later = since + timedelta(days=2)
    assert wordings(offline, now=later, zone=UTC)[1] == "✖ offline since 23 Feb 22:30"
    assert wordings(offline, now=since + timedelta(hours=1), zone=UTC)[1] == "✖ offline since 22:30"


@pytest.mark.parametrize("state", list(State))
def test_every_state_has_words_signs_and_a_style(state: State) -> None:
    connection = Connection(state, datetime(2026, 2, 23, tzinfo=UTC), retry_in=1)
    plain = wordings(connection, ascii_only=True)
    assert all(wording.isascii() for wording in plain)
    assert len(plain) == len(wordings(connection))
    assert list(plain) == sorted(plain, key=len, reverse=True)
    assert connection.health in {"success", "info", "warning", "error", "muted"}


def test_a_hint_is_asked_after_at_once() -> None:
    poll, _ = poller()
    assert not poll.hinted()  # nothing was answered yet
    poll.answered()
    assert poll.ask_in() == 5
    assert poll.hinted()
    assert poll.ask_in() == 0


@pytest.mark.parametrize(
    "error", [Unreachable("away"), Unauthenticated("who"), refused("rate_limited", 60.0), BadAnswer("what")]
)
def test_hints_do_not_hurry_what_fails_or_was_asked_to_wait(error: ApiError) -> None:
    poll, _ = poller()
    poll.answered()
    poll.failed(error)
    before = poll.ask_in()
    assert not poll.hinted()
    assert poll.ask_in() == before


def test_a_stream_of_hints_makes_rare_polls_live() -> None:
    poll, _ = poller(60)
    poll.answered()
    assert said(poll) == "◌ polling 60s"
    poll.streaming = True
    assert poll.answered()
    assert said(poll) == "● live"
    assert poll.ask_in() == 60
    poll.streaming = False
    assert poll.answered()
    assert said(poll) == "◌ polling 60s"
