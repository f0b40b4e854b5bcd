"""What customers do on the pages, from mail to end, in a real browser: with the keyboard alone, and without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from server.kit.clock import DAY, HOUR
from server.recovery.models import suppression
from tests.pages.auditing import complaints, focused
from tests.pages.conftest import Elsewhere, Town, Visiting
from tests.support.customers import MARY, link_to


def ready(town: Town, elsewhere: Elsewhere) -> str:
    """A shop with two paid orders of Mary's and one of Bert's; gives the number of the one looked at."""
    counter = town.counter
    socks = counter.product("wool-socks", image=f"{elsewhere.url}/socks.svg")
    made = counter.paid(
        MARY,
        {"name": "Wool socks, blue", "quantity": 2, "unit_price": 1200, "product_id": socks},
        {"name": "Mug <script>alert(1)</script>", "quantity": 1, "unit_price": 900},
    )
    counter.paid()
    counter.paid("bert@example.com")
    return str(made["number"])


def mail_comes(town: Town, part: str) -> str:
    """The address of the link in the newest mail."""
    town.counter.drain()
    return town.url + link_to(town.counter.letters[-1], part)


def press(page: Page, label: str, *, most: int = 12) -> None:
    """Go with Tab to the control of that name, and press Enter. Whatever has the focus must show it."""
    for _ in range(most):
        page.keyboard.press("Tab")
        at = focused(page)
        if at["tag"] in ("A", "BUTTON", "INPUT"):
            assert at["ring"], f"the focus does not show on {at}"
        if at["text"].startswith(label) and at["tag"] in ("A", "BUTTON"):
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"the keyboard does not reach {label}")


@pytest.mark.parametrize("scripts", [True, False])
def test_find_open_list_detail_leave(
    town: Town, elsewhere: Elsewhere, visiting: Visiting, scripts: bool
) -> None:
    number = ready(town, elsewhere)
    visit = visiting(java_script_enabled=scripts)
    page = visit.page
    page.goto(f"{town.url}/orders")
    expect(page).to_have_url(f"{town.url}/orders/find")
    page.get_by_label("E-mail").fill("MARY@example.com")
    page.get_by_role("button", name="Send me the link").click()
    expect(page).to_have_url(f"{town.url}/orders/sent")
    expect(page.get_by_role("heading")).to_have_text("Look into your mailbox")
    link = mail_comes(town, "/orders/open/")
    page.goto(link)
    page.get_by_role("button", name="Show my orders").click()
    expect(page).to_have_url(f"{town.url}/orders")
    expect(page.locator(".orders li")).to_have_count(2)
    page.get_by_role("link", name=number).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Order {number}")
    expect(page.get_by_role("link", name="Wool socks, blue")).to_have_attribute(
        "href", "https://shop.example.com/products/wool-socks"
    )
    expect(page.get_by_text("Mug <script>alert(1)</script>")).to_be_visible()
    expect(page.locator("img.thumb")).to_have_count(1)
    page.get_by_role("button", name="Leave").click()
    expect(page).to_have_url(f"{town.url}/orders/find")
    page.go_back()
    page.goto(f"{town.url}/orders/{number}")
    expect(page).to_have_url(f"{town.url}/orders/find")
    page.goto(link)
    expect(page.get_by_role("heading")).to_have_text("This link was used already")


def test_the_same_with_the_keyboard_alone(town: Town, elsewhere: Elsewhere, visiting: Visiting) -> None:
    number = ready(town, elsewhere)
    page = visiting().page
    page.goto(f"{town.url}/orders/find")
    page.keyboard.press("Tab")
    assert focused(page)["text"] == "Skip to content"
    assert page.locator(".skip").bounding_box()["x"] >= 0  # type: ignore[index]
    page.keyboard.press("Enter")
    assert focused(page)["id"] == "main"
    page.keyboard.press("Tab")
    assert focused(page)["id"] == "email"
    page.keyboard.type(MARY)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{town.url}/orders/sent")
    page.goto(mail_comes(town, "/orders/open/"))
    press(page, "Show my orders")
    expect(page).to_have_url(f"{town.url}/orders")
    press(page, number)
    expect(page).to_have_url(f"{town.url}/orders/{number}")
    press(page, "All your orders")
    expect(page).to_have_url(f"{town.url}/orders")
    press(page, "Leave")
    expect(page).to_have_url(f"{town.url}/orders/find")


def test_a_link_in_a_mail_program_of_another_site_leads_in(
    town: Town, elsewhere: Elsewhere, visiting: Visiting
) -> None:
    """The session's cookie is strict: the link itself brings none along, the button sets it."""
    ready(town, elsewhere)
    town.counter.form("/orders/find", email=MARY)
    link = mail_comes(town, "/orders/open/")
    elsewhere.pages["/inbox"] = f"<!doctype html><title>Inbox</title><a href='{link}'>open</a>"
    visit = visiting()
    visit.page.goto(f"{elsewhere.site}/inbox")
    visit.page.get_by_role("link", name="open").click()
    visit.page.get_by_role("button", name="Show my orders").click()
    expect(visit.page.locator(".orders li")).to_have_count(2)
    (cookie,) = visit.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("shopbell_orders", True, "Strict")


def test_a_page_of_another_site_cannot_send_our_forms(
    town: Town, elsewhere: Elsewhere, visiting: Visiting
) -> None:
    ready(town, elsewhere)
    elsewhere.pages["/evil"] = (
        f"<!doctype html><title>x</title><form method=post action='{town.url}/orders/find'>"
        f"<input name=email value='{MARY}'><button>go</button></form>"
    )
    page = visiting().page
    page.goto(f"{elsewhere.site}/evil")
    page.get_by_role("button").click()
    expect(page.get_by_role("heading")).to_have_text("Sent from somewhere else")
    town.counter.drain()
    assert town.counter.letters == []


def test_a_picture_is_asked_for_without_saying_who_looks(
    town: Town, elsewhere: Elsewhere, visiting: Visiting
) -> None:
    number = ready(town, elsewhere)
    town.counter.form("/orders/find", email=MARY)
    page = visiting().page
    page.goto(mail_comes(town, "/orders/open/"))
    page.get_by_role("button").click()
    page.get_by_role("link", name=number).click()
    page.locator("img.thumb").scroll_into_view_if_needed()
    expect(page.locator("img.thumb")).to_have_js_property("complete", True)
    assert complaints(page) == []
    asked = [headers for path, headers in elsewhere.asked if path == "/socks.svg"]
    assert asked
    for headers in asked:
        assert not {"referer", "cookie"} & {name.lower() for name in headers}


def test_an_unknown_address_is_told_the_same(town: Town, visiting: Visiting) -> None:
    page = visiting().page
    page.goto(f"{town.url}/orders/find")
    page.get_by_label("E-mail").fill("stranger@example.com")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading")).to_have_text("Look into your mailbox")
    town.counter.drain()
    assert town.counter.letters == []


def test_what_is_no_address_is_said_and_can_be_mended(town: Town, visiting: Visiting) -> None:
    page = visiting().page
    page.goto(f"{town.url}/orders/find")
    page.get_by_label("E-mail").fill("mary")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("no e-mail address")
    expect(page.get_by_label("E-mail")).to_have_value("mary")
    assert complaints(page) == []
    page.get_by_label("E-mail").fill(MARY)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{town.url}/orders/sent")


def test_links_that_are_old_or_changed_say_what_to_do(
    town: Town, elsewhere: Elsewhere, visiting: Visiting
) -> None:
    ready(town, elsewhere)
    town.counter.form("/orders/find", email=MARY)
    link = mail_comes(town, "/orders/open/")
    page = visiting().page
    page.goto(link[:-3])
    expect(page.get_by_role("heading")).to_have_text("This link is not whole")
    page.goto(link)
    town.counter.clock.advance(HOUR + 1)
    page.get_by_role("button").click()
    expect(page.get_by_role("heading")).to_have_text("This link is too old")
    press(page, "Get a new link")
    expect(page).to_have_url(f"{town.url}/orders/find")


@pytest.mark.parametrize("scripts", [True, False])
def test_unsubscribing_by_the_page(town: Town, visiting: Visiting, scripts: bool) -> None:
    town.counter.leave()
    town.counter.clock.advance(HOUR)
    link = mail_comes(town, "/unsubscribe/")
    page = visiting(java_script_enabled=scripts).page
    page.goto(link)
    assert town.counter.rows(suppression) == []
    page.get_by_role("button", name="No more reminders").click()
    expect(page.get_by_role("heading")).to_have_text("You are off the list")
    assert len(town.counter.rows(suppression)) == 1
    page.goto(link)
    expect(page.get_by_role("heading")).to_have_text("You are off the list")


def test_unsubscribing_by_one_click_of_a_mail_program(town: Town, visiting: Visiting) -> None:
    town.counter.leave()
    town.counter.clock.advance(HOUR)
    town.counter.drain()
    headers = town.counter.letters[-1].message
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = headers["List-Unsubscribe"].strip("<>")
    answer = town.counter.http.post(link, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    page = visiting().page
    page.goto(link)
    expect(page.get_by_role("heading")).to_have_text("You are off the list")


def test_an_unsubscribe_link_that_was_changed_or_is_old_adds_nothing(town: Town, visiting: Visiting) -> None:
    town.counter.leave()
    town.counter.clock.advance(HOUR)
    link = mail_comes(town, "/unsubscribe/")
    page = visiting().page
    page.goto(link[:-2])
    expect(page.get_by_role("heading")).to_have_text("This link is not whole")
    town.counter.clock.advance(2 * 365 * DAY + 1)
    page.goto(link)
    expect(page.get_by_role("heading")).to_have_text("This link is too old")
    assert town.counter.rows(suppression) == []


def test_what_was_left_is_there_after_the_browser_was_closed(
    town: Town, elsewhere: Elsewhere, visiting: Visiting
) -> None:
    counter = town.counter
    socks = counter.product("wool-socks", image=f"{elsewhere.url}/socks.svg")
    counter.leave(
        counter.order(MARY, {"name": "Wool socks", "quantity": 1, "unit_price": 1200, "product_id": socks})
    )
    counter.clock.advance(HOUR)
    visit = visiting()
    visit.page.goto(mail_comes(town, "/cart/"))
    expect(visit.page.get_by_role("link", name="Wool socks")).to_be_visible()
    kept = visit.context.storage_state()
    assert all(cookie["expires"] > 0 for cookie in kept["cookies"])  # no cookie of a session that ends
    later = visiting(storage_state=kept)
    later.page.goto(f"{town.url}/cart")
    expect(later.page.get_by_role("link", name="Wool socks")).to_be_visible()
