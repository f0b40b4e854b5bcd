"""The life of the practice shop is decided by its seed and its opening, and is one that a shop could have."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import islice, pairwise

import pytest

from server.kit.clock import DAY, HOUR, MINUTE, parse_instant
from server.practice.actions import Action, Fulfil, PlaceOrder, ResolveOrder, ResolveSaid, Say, Webhook
from server.practice.cast import STRANGERS
from server.practice.life import Life, day_of, in_order
from server.practice.opening import BEGINS, opening
from server.practice.scenes import picture
from server.practice.tale import LONGEST

OPENED = parse_instant("2026-02-23T10:00:00Z")
TODAY = day_of(OPENED)


def history(seed: int, days: int = 90) -> list[Action]:
    life = Life(seed, OPENED)
    return in_order([action for day in range(TODAY - days + 1, TODAY + 1) for action in life.history(day)])


def stories(actions: list[Action]) -> dict[str, list[Action]]:
    told: dict[str, list[Action]] = defaultdict(list)
    for action in actions:
        if action.story:
            told[action.story].append(action)
    return told


@pytest.fixture(scope="module")
def past() -> list[Action]:
    return history(1)


def test_the_same_seed_tells_the_same_life_and_another_seed_another(past: list[Action]) -> None:
    assert history(1) == past
    assert history(2) != past
    assert list(islice(Life(1, OPENED).after(OPENED), 300)) == list(
        islice(Life(1, OPENED).after(OPENED), 300)
    )
    assert opening(Life(1, OPENED)) == opening(Life(1, OPENED))


def test_ninety_days_are_about_a_thousand_orders_and_every_day_has_some(past: list[Action]) -> None:
    begun = Counter(day_of(min(a.at for a in told)) for told in stories(past).values())
    assert 850 <= sum(begun.values()) <= 1150
    assert all(6 <= begun[day] <= 15 for day in range(TODAY - 89, TODAY))
    assert min(action.at for action in past) >= (TODAY - 89) * DAY
    assert max(action.at for action in past) <= OPENED


def test_evenings_are_busier_than_nights_and_sundays_than_saturdays(past: list[Action]) -> None:
    placed = [action.at for action in past if isinstance(action, PlaceOrder)]
    hours = Counter(at % DAY // HOUR for at in placed)
    assert sum(hours[hour] for hour in (18, 19, 20, 21)) > 2 * sum(hours[hour] for hour in (2, 3, 4, 5))
    weekdays = Counter((day_of(at) + 3) % 7 for at in placed)
    assert weekdays[6] > weekdays[5]


def test_everything_that_may_go_wrong_does(past: list[Action]) -> None:
    webhooks = [action for action in past if isinstance(action, Webhook)]
    assert {webhook.type for webhook in webhooks} >= {
        "checkout.session.completed",
        "checkout.session.expired",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "charge.refunded",
    }
    assert any(webhook.forged for webhook in webhooks)
    assert any(webhook.at - webhook.created > 2 * HOUR for webhook in webhooks), "late"
    assert max(Counter(w.event for w in webhooks).values()) == 2, "delivered twice"
    assert all(webhook.checkout.names_order for webhook in webhooks), (
        "a session of its own would be handled by us"
    )
    present = [
        action for action in islice(Life(1, OPENED).after(OPENED), 4000) if isinstance(action, Webhook)
    ]
    linked = [webhook for webhook in present if not webhook.checkout.names_order]
    assert linked
    assert all(webhook.checkout.lines for webhook in linked)
    assert any(0 < webhook.refunded < webhook.checkout.total for webhook in webhooks)
    assert any(_refund_overtakes(told) for told in stories(past).values())
    steps = [action.step for action in past if isinstance(action, Fulfil)]
    assert {step.status for step in steps} == {
        "submitted",
        "processing",
        "shipped",
        "delivered",
        "failed",
        "cancelled",
    }
    assert any(step.status == "submitted" and step.attempt == 2 for step in steps), "a retry that succeeded"
    assert any(step.status == "failed" and step.attempt == 3 for step in steps)
    assert {step.provider for step in steps} == {"Printify", "Printful"}
    orders = [action.order for action in past if isinstance(action, PlaceOrder)]
    assert {order.currency for order in orders} == {"GBP", "EUR", "USD"}
    said = {action.event.type for action in past if isinstance(action, Say)}
    assert said >= {
        "custom.review.received",
        "custom.stock.low",
        "custom.sync.completed",
        "custom.email.bounced",
    }


def _refund_overtakes(told: list[Action]) -> bool:
    kinds = [action.type for action in told if isinstance(action, Webhook)]
    return kinds[:2] == ["charge.refunded", "checkout.session.completed"]


def test_strangers_with_hostile_names_buy_too(past: list[Action]) -> None:
    names = {action.order.customer.name for action in past if isinstance(action, PlaceOrder)}
    hostile = {name[:255] for name, _ in STRANGERS} & {name for name in names if name}
    assert len(hostile) >= 5
    every = "".join(name for name, _ in STRANGERS)
    for sign in ("\x1b", "\x9b", "\u202e", "\u200d", "[", "\n", "<script>", "DROP TABLE"):
        assert sign in every


def test_each_story_begins_with_its_order_keeps_its_order_and_ends_once(past: list[Action]) -> None:
    life = Life(1, OPENED)
    told = stories(in_order([action for day in range(TODAY - 60, TODAY + 5) for action in life.day(day)]))
    for story, actions in told.items():
        first = actions[0]
        assert isinstance(first, PlaceOrder) or (
            isinstance(first, Webhook) and not first.checkout.names_order
        )
        assert [action.ends for action in actions].count(True) == 1, story
        assert actions[-1].ends
        assert actions[-1].at - first.at < LONGEST
        assert sum(isinstance(action, PlaceOrder) for action in actions) <= 2, (
            "again, after thinking better of it"
        )
        reached = [action.step.status for action in actions if isinstance(action, Fulfil)]
        assert reached.count("delivered") <= 1
        assert "delivered" not in reached[:-1]
    keys = [action.key for actions in told.values() for action in actions]
    assert len(keys) == len(set(keys))


def test_at_the_opening_every_problem_of_the_past_has_been_dealt_with(past: list[Action]) -> None:
    """A raised entry of an order is followed by a resolve of that order, one of the house by its own."""
    for story, actions in stories(past).items():
        raised = [action.at for action in actions if _raises(action)]
        resolved = [action.at for action in actions if isinstance(action, ResolveOrder)]
        if raised:
            assert resolved, story
            assert max(resolved) >= max(raised), story
    warnings = {
        action.key for action in past if isinstance(action, Say) and not action.story and _raises(action)
    }
    assert {action.said.key for action in past if isinstance(action, ResolveSaid)} == warnings


def _raises(action: Action) -> bool:
    if isinstance(action, Say):
        return action.event.level != "info"
    if isinstance(action, Webhook):
        return action.type == "checkout.session.async_payment_failed"
    return isinstance(action, Fulfil) and action.step.status in ("failed", "cancelled")


def test_the_past_is_the_programs_and_the_present_is_ours(past: list[Action]) -> None:
    """Nothing of the past is submitted or mailed again; nothing of the present is told by the program."""
    placed = [action for action in past if isinstance(action, PlaceOrder)]
    assert {action.order.handled_by for action in placed} == {"program"}
    expired = [a for a in past if isinstance(a, Webhook) and a.type == "checkout.session.expired"]
    assert expired
    assert not any(webhook.checkout.email_known for webhook in expired), "no cart of the past is kept"
    future = stories(
        list(islice(Life(1, OPENED).after(OPENED), 2000)) + list(islice(Life(1, OPENED).rush(OPENED), 500))
    )
    ours = [told for told in future.values() if isinstance(told[0], PlaceOrder)]
    assert len(ours) > 100
    for told in ours:
        assert isinstance(told[0], PlaceOrder)
        assert told[0].order.handled_by == "shopbell"
        assert {a.step.status for a in told if isinstance(a, Fulfil)} <= {"cancelled"}
        assert not any(isinstance(a, Say) and "email" in a.event.type for a in told)


@pytest.mark.parametrize("hour", [0, 3, 10, 17, 23])
def test_problems_of_every_kind_are_on_their_way_at_any_hour(hour: int) -> None:
    opened = OPENED // DAY * DAY + hour * HOUR + 5 * MINUTE
    actions = opening(Life(7, opened))
    assert min(action.at for action in actions) > opened - BEGINS
    placed = [action for action in actions if isinstance(action, PlaceOrder) and action.at <= opened]
    assert {action.order.handled_by for action in placed} == {"shopbell"}
    manners = Counter(action.manner for action in placed)
    assert manners["unavailable"] == 1, "R lets it through"
    assert manners["once"] == 2, "these went through by themselves"
    assert {"overdue", "ships_soon", "cancelled", "mail_returns"} <= set(manners)
    wanted = Counter(item.variant_id for action in placed for item in action.order.items)
    assert wanted["HERON-SOCKS-M"] == 1, "out of stock"


def test_life_goes_on_where_history_ends() -> None:
    life = Life(1, OPENED)
    future = list(islice(life.after(OPENED), 500))
    assert all(action.at > OPENED for action in future)
    assert all(earlier.at <= later.at for earlier, later in pairwise(future))
    under_way = stories(history(1))
    assert any(action.story in under_way for action in future), "orders of the past go on"
    middle = future[250].at
    rest = [action for action in future if action.at > middle]
    assert list(islice(life.after(middle), len(rest))) == rest


def test_a_rush_brings_something_every_few_seconds_and_can_be_told_again() -> None:
    life = Life(1, OPENED)
    first = list(islice(life.rush(OPENED), 200))
    assert first[0].at - OPENED <= 5_000
    half_hour = [action.at for action in first if action.at < OPENED + 30 * MINUTE]
    assert 40 <= len(half_hour) <= 120, "one in 15 to 45 seconds, besides what shopbell and the providers do"
    assert max(later - earlier for earlier, later in pairwise(half_hour)) < 2 * MINUTE
    end = first[100].at
    begun = {
        action.story for action in first if isinstance(action, PlaceOrder | Webhook) and action.at <= end
    }
    whole = list(life.rush(OPENED, end + 1))
    assert {action.story for action in whole} == begun, "what was begun goes on, nothing new begins"
    assert [action for action in whole if action.at <= end] == first[:101]


def test_problems_of_the_present_are_dealt_with_within_the_hour() -> None:
    life = Life(1, OPENED)
    for minute in range(0, 600, 7):
        problem = OPENED + minute * MINUTE + 1
        assert 0 < life.settle(problem) - problem <= 45 * MINUTE


def test_the_picture_holds_the_orders_of_the_documentation() -> None:
    actions = picture(OPENED, earlier=42)
    placed = [action.story for action in actions if isinstance(action, PlaceOrder)]
    assert placed == [f"{number:04d}" for number in range(1, 48)]
    assert all(day_of(action.at) == TODAY and action.at < OPENED for action in actions)
