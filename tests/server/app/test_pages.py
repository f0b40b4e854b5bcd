"""What stands before every page: where a form comes from, how large it is, and that a refusal is a page too."""

from __future__ import annotations

import logging
import re

import httpx
import pytest

from server.app import App
from server.app.assembly import route_table
from server.kit import pages
from server.kit.db import Store
from server.kit.web import Open
from server.settings import service as settings

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
OURS = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}


@pytest.fixture(autouse=True)
def offered(store: Store) -> None:
    store.write(lambda tx: settings.set_value(tx, "public.url", "http://localhost"))


def find(http: httpx.Client, headers: dict[str, str], body: str = "email=a%40example.com") -> httpx.Response:
    return http.post("/orders/find", content=body, headers=FORM | headers)


def is_page(answer: httpx.Response) -> bool:
    return answer.headers["content-type"] == "text/html; charset=utf-8" and "<h1>" in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        OURS,
        {"Origin": "http://localhost"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {},
    ],
)
def test_forms_of_our_own_pages_pass(http: httpx.Client, headers: dict[str, str]) -> None:
    assert find(http, headers).status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "null", "Sec-Fetch-Site": "none"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"},
        {"Origin": "http://localhost:81"},
        {"Origin": "http://localhost.evil.example"},
    ],
)
@pytest.mark.parametrize("path", ["/orders/find", "/orders/leave", "/orders/open/x"])
def test_forms_of_other_sites_do_not(http: httpx.Client, headers: dict[str, str], path: str) -> None:
    answer = http.post(path, content="email=a%40example.com", headers=FORM | headers)
    assert answer.status_code == 403
    assert is_page(answer)
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data; boundary=x", ""])
def test_only_forms_are_taken(http: httpx.Client, kind: str) -> None:
    answer = http.post("/orders/find", content="email=a%40example.com", headers=OURS | {"Content-Type": kind})
    assert answer.status_code == 415
    assert is_page(answer)


@pytest.mark.parametrize(
    "body", ["email=%ff", "email=a&" * 30, "é".encode().decode("latin-1"), "email=%ED%A0%80"]
)
def test_a_form_that_cannot_be_read_is_refused(http: httpx.Client, body: str) -> None:
    answer = http.post("/orders/find", content=body.encode("latin-1"), headers=FORM | OURS)
    assert answer.status_code == 400
    assert is_page(answer)


def test_a_form_is_small(http: httpx.Client) -> None:
    for path in ("/orders/find", "/unsubscribe/x", "/cart", "/orders"):
        assert find(http, OURS, "email=" + "a" * 8186).status_code == 422
        answer = http.post(path, content="a" * 8193, headers=FORM | OURS)
        assert answer.status_code == 413
        assert is_page(answer)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/orders/open/nothing", 404),
        ("GET", "/orders/a/b/c", 404),
        ("GET", "/unsubscribe", 404),
        ("GET", "/unsubscribe/", 404),
        ("GET", "/cart/x/y", 404),
        ("PUT", "/orders", 405),
        ("DELETE", "/orders/find", 405),
        ("GET", "/orders/%00", 400),
    ],
)
def test_refusals_under_pages_are_pages(http: httpx.Client, method: str, path: str, status: int) -> None:
    answer = http.request(method, path)
    assert answer.status_code == status
    assert is_page(answer)


def test_refusals_of_the_api_stay_problems(http: httpx.Client) -> None:
    for path in ("/v1/orders", "/ordersomething", "/nothing", "/webhooks/nothing"):
        assert http.get(path).headers["content-type"] == "application/problem+json"


def test_another_host_is_refused_with_a_page(http: httpx.Client) -> None:
    answer = http.get("/orders/find", headers={"Host": "evil.example"})
    assert answer.status_code == 421
    assert is_page(answer)


def test_the_public_name_leads_to_what_is_public_and_to_nothing_else(
    http: httpx.Client, store: Store
) -> None:
    store.write(lambda tx: settings.set_value(tx, "public.url", "https://orders.example.com/"))
    name = {"Host": "Orders.example.com"}
    assert http.get("/orders/find", headers=name).status_code == 200
    assert find(http, name | {"Origin": "https://orders.example.com"}).status_code == 303
    assert http.post("/webhooks/stripe", headers=name).status_code != 421
    for path in ("/v1/orders", "/v1/pulse", "/v1/docs", "/healthz", "/"):
        assert http.get(path, headers=name).status_code == 421, path
    for other in ("orders.example.com:81", "evil.example", "orders.example.com.evil.example"):
        assert http.get("/orders/find", headers={"Host": other}).status_code == 421, other


def test_pages_say_what_may_be_loaded_and_are_kept_nowhere(http: httpx.Client) -> None:
    for path in ("/orders/find", "/orders/sent", "/orders/open/x", "/unsubscribe/x", "/cart", "/orders/a/b"):
        headers = http.get(path).headers
        policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["form-action"] == "'self'"
        assert policy["frame-ancestors"] == "'none'"
        assert policy["base-uri"] == "'none'"
        assert policy["img-src"] == "data:"
        assert re.fullmatch(r"'sha256-[A-Za-z0-9+/=]{44}'", policy["style-src"])
        assert "script-src" not in policy
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"
        assert "etag" not in headers


def test_no_page_holds_a_script_or_a_style_of_its_own(http: httpx.Client) -> None:
    for path in ("/orders/find", "/orders/sent", "/unsubscribe/x", "/orders/a/b"):
        page = http.get(path).text
        assert "<script" not in page
        assert not re.search(r"\s(on[a-z]+|style)=", page)
        assert page.count("<style>") == 1


def test_a_mistake_of_ours_is_a_page_and_its_log_holds_no_link(
    http: httpx.Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from server.lookup import service as lookup

    def broken(*_: object) -> None:
        raise RuntimeError("of the test")

    monkeypatch.setattr(lookup, "look", broken)
    with caplog.at_level(logging.WARNING):
        try:
            answer = http.get("/orders/open/a-token-that-opens")
        except RuntimeError:  # the client without a network between sees what a server only logs
            answer = None
    assert answer is None or (answer.status_code == 500 and is_page(answer))
    said = [str(record.__dict__.get("fields")) + record.getMessage() for record in caplog.records]
    assert any("/orders/…" in line for line in said)
    assert not any("a-token-that-opens" in line for line in said)


def test_pages_are_open_for_a_reason_and_not_in_the_reference(app: App, http: httpx.Client) -> None:
    described = http.get("/v1/openapi.json").json()["paths"]
    found = [(path, what) for _, path, what in route_table(app) if pages.is_page(path)]
    assert len(found) >= 10
    for path, what in found:
        assert isinstance(what, Open)
        assert path not in described


# -- the parts


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("https://shop.example.com/products/a", True),
        ("http://127.0.0.1:8080/a?b=c#d", True),
        ("javascript:alert(1)", False),
        ("//shop.example.com", False),
        ("https://user:pw@shop.example.com/", False),
        ("https://shop.example.com;script-src *", False),
        ("https://sh\u202eop.example.com", False),
        ("https://shop.example.com/a b", False),
        ("data:text/html,x", False),
        ("https:///x", False),
        ("https://[::1", False),
        ("", False),
        (None, False),
    ],
)
def test_what_may_stand_behind_a_link(address: str | None, good: bool) -> None:
    assert (pages.web_address(address) == address) == (good and address is not None) or address is None
    assert bool(pages.web_address(address)) == good


def test_letters_that_nobody_sees_are_taken_out() -> None:
    assert pages.clean("a\x00\x1b[31m\u202eb\u200b\u2066c\ufeff\x85d\U000e0041") == "a[31mbcd"
    assert pages.clean("Zoë 👩‍🚀 नमस्ते می‌خواهم\n") == "Zoë 👩‍🚀 नमस्ते می‌خواهم\n"
