"""Every page in light and dark, narrow, enlarged: readable, labelled, and without scrolling sideways."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from server.kit.clock import HOUR
from tests.pages.auditing import complaints, enlarge_text, sideways
from tests.pages.conftest import Elsewhere, Town, Visiting
from tests.support.chromium import PICTURES
from tests.support.customers import MARY, link_to

LONG: Final = "Extraordinarilylongnamewithoutasinglespaceinittoseewhathappens" * 2


def furnish(town: Town, elsewhere: Elsewhere) -> dict[str, str]:
    """Addresses of every page by name, with much on them."""
    counter = town.counter
    socks = counter.product("wool-socks", image=f"{elsewhere.url}/socks.svg")
    items = [
        {"name": "Wool socks, blue", "quantity": 2, "unit_price": 1200, "product_id": socks},
        {"name": LONG, "quantity": 100, "unit_price": 999},
        {"name": "Enamel mug", "quantity": 1, "unit_price": 900},
    ]
    counter.leave(counter.order(MARY, *items))
    counter.clock.advance(HOUR)
    counter.drain()
    reminder = counter.letters[-1]
    made = counter.paid(MARY, *items, customer={"email": MARY, "name": "Mary Example", "address": ADDRESS})
    path = f"/v1/orders/{made['number']}/fulfilment"
    shipped = {
        "status": "shipped",
        "carrier": "Royal Mail",
        "tracking_number": "RM123456785GB" * 5,
        "tracking_url": "https://track.example.com/RM123456785GB",
    }
    for step in ({"status": "submitted", "provider": "Printify"}, {"status": "processing"}, shipped):
        counter.http.post(path, json=step, headers=counter.staff.bearer("storefront")).raise_for_status()
    counter.paid()
    cancelled = counter.paid()
    counter.http.post(
        f"/v1/orders/{cancelled['number']}/fulfilment",
        json={"status": "cancelled"},
        headers=counter.staff.bearer("storefront"),
    ).raise_for_status()
    counter.form("/orders/find", email=MARY)
    counter.drain()
    return {
        "find": "/orders/find",
        "sent": "/orders/sent",
        "open": link_to(counter.letters[-1], "/orders/open/"),
        "changed": "/orders/open/nothing",
        "list": "/orders",
        "order": f"/orders/{made['number']}",
        "cancelled": f"/orders/{cancelled['number']}",
        "missing": "/orders/SS-990101-0001",
        "unsubscribe": link_to(reminder, "/unsubscribe/"),
        "unsubscribe-changed": "/unsubscribe/nothing",
        "cart": link_to(reminder, "/cart/"),
        "cart-gone": "/cart/nothing",
        "nothing": "/orders/a/b/c",
    }


ADDRESS: Final = {"name": "Mary Example", "line1": "1 Sock Lane", "city": "London", "postal_code": "E1 6AN"}


def keep(page: Page, name: str, kind: str) -> None:
    folder = os.environ.get(PICTURES)
    if folder:
        page.screenshot(path=Path(folder) / f"{name}-{kind}.png", full_page=True)


def go(town: Town, page: Page, name: str, addresses: dict[str, str]) -> None:
    """Open a page; the first one behind the link by way of its button."""
    if name == "list":
        page.goto(f"{town.url}{addresses['open']}")
        page.get_by_role("button").click()
        expect(page).to_have_url(f"{town.url}/orders")
        return
    page.goto(f"{town.url}{addresses[name]}")
    for picture in page.locator("img").all():
        picture.scroll_into_view_if_needed()
        expect(picture).to_have_js_property("complete", True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_can_be_read_and_used(
    town: Town, elsewhere: Elsewhere, visiting: Visiting, scheme: str
) -> None:
    addresses = furnish(town, elsewhere)
    page = visiting(color_scheme=scheme).page
    wrong = {}
    for name in addresses:
        go(town, page, name, addresses)
        wrong[name] = complaints(page) + sideways(page)
        keep(page, name, scheme)
    assert {name: found for name, found in wrong.items() if found} == {}


def test_light_and_dark_differ(town: Town, visiting: Visiting) -> None:
    seen = set()
    for scheme in ("light", "dark"):
        page = visiting(color_scheme=scheme).page
        page.goto(f"{town.url}/orders/find")
        seen.add(page.evaluate("() => getComputedStyle(document.body).backgroundColor"))
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("width", "text"),
    [(320, 100), (550, 200), (320, 200)],
    ids=["320 px, as at 400 % zoom", "1100 px at 200 % zoom", "320 px and text twice as large"],
)
def test_nothing_has_to_be_scrolled_sideways(
    town: Town, elsewhere: Elsewhere, visiting: Visiting, width: int, text: int
) -> None:
    addresses = furnish(town, elsewhere)
    page = visiting(width, 640, device_scale_factor=2).page
    wrong = {}
    for name in addresses:
        go(town, page, name, addresses)
        enlarge_text(page, text)
        wrong[name] = complaints(page) + sideways(page)
        keep(page, name, f"{width}-{text}")
    assert {name: found for name, found in wrong.items() if found} == {}


def test_the_audit_sees_what_is_wrong(town: Town, visiting: Visiting) -> None:
    page = visiting().page
    page.goto(f"{town.url}/orders/find")
    assert complaints(page) == []
    page.evaluate(
        """() => { document.querySelector('label').remove(); document.querySelector('h1').outerHTML = '<h3>x</h3>';
        document.querySelector('.hint').style.color = '#ccc'; document.documentElement.lang = '';
        document.querySelector('.lead').style.width = '3000px'; }"""
    )
    found = " | ".join(complaints(page))
    for part in ("no label", "not one h1", "leaves out a level", "contrast", "no language"):
        assert part in found
    assert sideways(page) != []
