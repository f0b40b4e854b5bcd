"""The pages that a reminder leads to."""

from __future__ import annotations

import httpx
import pytest
from sqlalchemy import update

from server.kit import links
from server.kit.clock import DAY, HOUR, FrozenClock
from server.people.models import person
from server.recovery.models import abandoned_cart, suppression
from tests.support.customers import MARY, Counter, link_to

TWO_YEARS = 2 * 365 * DAY


def reminded(counter: Counter, clock: FrozenClock, part: str = "/unsubscribe/") -> str:
    counter.leave(counter.order())
    clock.advance(HOUR)
    counter.drain()
    return link_to(counter.letters[-1], part)


def one_click(counter: Counter, path: str, *, multipart: bool = False) -> httpx.Response:
    """What a mail provider's server sends (RFC 8058): no cookie, no origin, no referrer."""
    if multipart:
        return counter.http.post(path, files={"List-Unsubscribe": (None, "One-Click")})
    return counter.http.post(path, data={"List-Unsubscribe": "One-Click"})


def test_looking_changes_nothing(counter: Counter, clock: FrozenClock) -> None:
    path = reminded(counter, clock)
    for _ in range(2):
        page = counter.http.get(path)
        assert page.status_code == 200
        assert page.text.count("<button") == 1
        assert "set-cookie" not in page.headers
    assert counter.rows(suppression) == []


def test_the_button_takes_off_the_list_and_again_is_fine(counter: Counter, clock: FrozenClock) -> None:
    path = reminded(counter, clock)
    for _ in range(2):
        done = counter.form(path)
        assert done.status_code == 200
        assert "off the list" in done.text
    (row,) = counter.rows(suppression)
    assert row.reason == "unsubscribed"
    assert "mary" not in row.email_hash
    assert "off the list" in counter.http.get(path).text


@pytest.mark.parametrize("multipart", [False, True])
def test_one_click_of_a_mail_program_works(counter: Counter, clock: FrozenClock, multipart: bool) -> None:
    counter.http.cookies.clear()
    done = one_click(counter, reminded(counter, clock), multipart=multipart)
    assert done.status_code == 200
    assert "location" not in done.headers
    assert len(counter.rows(suppression)) == 1


def test_one_click_from_another_site_works_too(counter: Counter, clock: FrozenClock) -> None:
    path = reminded(counter, clock)
    done = counter.form(path, headers={"Origin": "https://mail.example.net", "Sec-Fetch-Site": "cross-site"})
    assert done.status_code == 200
    assert len(counter.rows(suppression)) == 1


def test_a_link_works_for_two_years(counter: Counter, clock: FrozenClock) -> None:
    path = reminded(counter, clock)
    clock.advance(TWO_YEARS)
    assert counter.http.get(path).status_code == 200
    clock.advance(1)
    for answer in (counter.http.get(path), counter.form(path), one_click(counter, path)):
        assert answer.status_code == 410
        assert "too old" in answer.text
        assert "Answer the mail" in answer.text
    assert counter.rows(suppression) == []


def test_a_link_that_was_changed_adds_nothing_and_says_so(counter: Counter, clock: FrozenClock) -> None:
    path = reminded(counter, clock)
    head, _, token = path.rpartition("/")
    other = counter.store.write(lambda tx: links.sign(tx, "cart", "x" * 43))
    for changed in (token[:-1], "A" + token, token[::-1], other, "nothing", "%00", "%F0%9F%A7%A6"):
        for answer in (counter.http.get(f"{head}/{changed}"), counter.form(f"{head}/{changed}")):
            assert answer.status_code in (400, 404)
            assert answer.headers["content-type"].startswith("text/html")
    assert "not whole" in counter.http.get(f"{head}/nothing").text
    assert counter.rows(suppression) == []


def test_who_unsubscribed_gets_no_reminder_but_everything_else(counter: Counter, clock: FrozenClock) -> None:
    counter.form(reminded(counter, clock))
    clock.advance(40 * DAY)
    counter.leave(name="again", email="Mary@Example.COM")
    clock.advance(HOUR)
    counter.drain()
    assert len(counter.letters) == 1
    counter.paid()
    counter.form("/orders/find", email=MARY)
    counter.drain()
    assert [letter.message["Subject"] for letter in counter.letters[1:]] == ["Your orders at Sock & Mug"]


def test_it_still_counts_after_the_person_was_erased_and_came_again(
    counter: Counter, clock: FrozenClock
) -> None:
    path = reminded(counter, clock)
    gone = {"email": None, "email_key": None, "name": None, "name_key": None}
    counter.store.write(
        lambda tx: tx.execute(
            update(person).where(person.c.kind == "customer").values(**gone, erased_at=tx.now)
        )
    )
    assert counter.form(path).status_code == 200  # the link needs nobody to be there
    clock.advance(40 * DAY)
    counter.leave(name="again")
    clock.advance(HOUR)
    counter.drain()
    assert len(counter.letters) == 1


# -- what was left


def test_the_cart_is_shown_and_remembered_for_seven_days(counter: Counter, clock: FrozenClock) -> None:
    path = reminded(counter, clock, "/cart/")
    page = counter.http.get(path)
    assert page.status_code == 200
    assert "Wool socks" in page.text
    assert "mary" not in page.text.lower()
    cookie = page.headers["set-cookie"]
    assert {part.strip().lower() for part in cookie.split(";")[1:]} == {
        "httponly",
        f"max-age={7 * 24 * 3600}",
        "path=/cart",
        "samesite=strict",
    }
    clock.advance(7 * DAY)
    again = counter.http.get("/cart")
    assert again.status_code == 200
    assert "Wool socks" in again.text
    assert "set-cookie" not in again.headers
    clock.advance(1)
    assert counter.http.get("/cart").status_code == 404


def test_a_cart_that_is_gone_or_made_up_is_not_shown(counter: Counter, clock: FrozenClock) -> None:
    path = reminded(counter, clock, "/cart/")
    assert counter.http.get("/cart").status_code == 404
    assert counter.http.get(path[:-1]).status_code == 404
    clock.advance(30 * DAY)
    assert counter.http.get(path).status_code == 200
    clock.advance(1)
    assert counter.http.get(path).status_code == 404
    clock.advance(-DAY)
    counter.store.write(lambda tx: tx.execute(abandoned_cart.delete()))
    gone = counter.http.get(path)
    assert gone.status_code == 404
    assert "not kept any more" in gone.text


def test_a_cart_that_was_bought_since_says_so(counter: Counter, clock: FrozenClock) -> None:
    path = reminded(counter, clock, "/cart/")
    counter.paid()
    assert "placed an order since" in counter.http.get(path).text
