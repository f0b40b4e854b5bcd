"""What a hostile or broken client sends is refused as problem+json, and never as a mistake of the server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.app import App, create_app
from server.app.assembly import route_table
from server.app.front import MAX_BODY
from server.kit.config import ServerConfig
from server.kit.db import Store
from server.kit.pages import is_page
from server.kit.web import Open
from server.settings import service as shop_settings
from tests.server.conftest import Staff
from tests.support.serving import in_process

JSON = {"Content-Type": "application/json"}


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal, which has the one shape and the headers of every answer."""
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["title"]
    assert body["detail"]
    return answer.status_code, body["code"]


# -- addresses --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST", "127.0.0.1", "127.0.0.1:7373", "localhost:9", "[::1]", "[::1]:7373"],
)
def test_the_loopbacks_names_are_ours(http: httpx.Client, host: str) -> None:
    assert http.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "localhost:80:80",
        "localhost:",
        "localhost:x",
        "127.0.0.2",
        "shop.example.com",
        "",
        " ",
        "localhost, evil.example",
        "localhost@evil.example",
    ],
)
def test_any_other_host_is_refused(http: httpx.Client, staff: Staff, host: str) -> None:
    for path in ("/healthz", "/v1/me", "/v1/pulse", "/webhooks/stripe"):
        answer = http.get(path, headers={"Host": host, **staff.bearer("owner")})
        assert problem(answer) == (421, "misdirected_request")


def test_two_hosts_are_refused(http: httpx.Client) -> None:
    answer = http.get("/healthz", headers=[("Host", "localhost"), ("Host", "localhost")])
    assert problem(answer)[0] == 421


def test_a_host_of_the_setting_is_ours(store: Store, config: ServerConfig, staff: Staff) -> None:
    given_config = ServerConfig(
        data_dir=config.data_dir, allowed_hosts=("shop.example.com", "other.example.com:8443")
    )
    with in_process(create_app(store, given_config)) as client:
        for host, status in [
            ("shop.example.com", 200),
            ("shop.example.com:7373", 200),
            ("other.example.com:8443", 200),
            ("other.example.com", 421),
            ("other.example.com:80", 421),
            ("localhost", 200),
        ]:
            assert client.get("/healthz", headers={"Host": host}).status_code == status, host


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://localhost:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_pages_of_other_sites_may_not_ask(http: httpx.Client, staff: Staff, headers: dict[str, str]) -> None:
    for path in ("/v1/me", "/v1/pulse"):
        for _ in range(2):  # also when the poll could be answered out of its cache
            answer = http.get(path, headers={**headers, **staff.bearer("owner")})
            assert problem(answer) == (403, "forbidden")
            assert answer.json()["reason"] == "foreign_site"
            assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://localhost"}, {"Sec-Fetch-Site": "none"}, {"Sec-Fetch-Site": "same-origin"}]
)
def test_ones_own_page_may(http: httpx.Client, staff: Staff, headers: dict[str, str]) -> None:
    assert http.get("/v1/me", headers={**headers, **staff.bearer("owner")}).status_code == 200


def test_there_is_no_cors(http: httpx.Client) -> None:
    answer = http.options(
        "/v1/me", headers={"Origin": "http://localhost", "Access-Control-Request-Method": "GET"}
    )
    assert problem(answer) == (405, "method_not_allowed")
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_unknown_paths_and_methods_are_told(http: httpx.Client, staff: Staff) -> None:
    assert problem(http.get("/v1/nothing", headers=staff.bearer("owner"))) == (404, "not_found")
    assert problem(http.get("/")) == (404, "not_found")
    answer = http.delete("/v1/me", headers=staff.bearer("owner"))
    assert problem(answer) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET"
    assert problem(http.get("/v1/me/", headers=staff.bearer("owner"))) == (404, "not_found")


@pytest.mark.parametrize("path", ["/v1/users/%00", "/v1/users?cursor=%00", "/%00", "/v1/tokens?limit=%00"])
def test_a_nul_in_the_address_is_refused(http: httpx.Client, staff: Staff, path: str) -> None:
    assert problem(http.get(path, headers=staff.bearer("owner"))) == (400, "invalid_request")


# -- bodies -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"name": NaN}',
        b'{"name": "a", "name": "b"}',
        b'{"days": 1e999}',
        b'{"days": ' + b"9" * 5_000 + b"}",
        b'{"name": "\\ud800"}',
        b'{"name": "\\u0000"}',
        b'{"name": "\x00"}',
        b"\xff\xfe",
        b"[" * 5_000,
        b'{"a":' * 100 + b"1" + b"}" * 100,
        b"null",
        b"[]",
        b'"text"',
        b"12",
    ],
)
def test_a_body_that_is_no_request_is_refused(http: httpx.Client, staff: Staff, body: bytes) -> None:
    for method, path in (("POST", "/v1/tokens"), ("POST", "/v1/users"), ("PATCH", "/v1/users/x")):
        answer = http.request(method, path, headers={**JSON, **staff.bearer("owner")}, content=body)
        assert problem(answer) in [(400, "invalid_json"), (422, "invalid_request")]


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "x"]
)
def test_a_body_must_say_that_it_is_json(http: httpx.Client, staff: Staff, kind: str | None) -> None:
    headers = {**staff.bearer("owner"), **({"Content-Type": kind} if kind else {})}
    answer = http.post("/v1/tokens", headers=headers, content=b'{"name": "n", "role": "support"}')
    assert problem(answer) == (415, "unsupported_media_type")


def test_the_type_may_say_its_charset(http: httpx.Client, staff: Staff) -> None:
    headers = {**staff.bearer("owner"), "Content-Type": "Application/JSON; charset=utf-8"}
    answer = http.post("/v1/tokens", headers=headers, content=b'{"name": "n", "role": "support"}')
    assert answer.status_code == 201


@pytest.mark.parametrize("path", ["/v1/tokens", "/v1/setup", "/webhooks/stripe", "/nothing"])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_refused(
    http: httpx.Client, staff: Staff, path: str, chunked: bool
) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(MAX_BODY // 1024 + 1):
            yield b" " * 1024

    content = pieces() if chunked else b" " * (MAX_BODY + 1)
    answer = http.post(path, headers={**JSON, **staff.bearer("owner")}, content=content)
    assert problem(answer) == (413, "payload_too_large")
    assert answer.headers["connection"] == "close"


def test_a_body_of_exactly_the_limit_is_read(http: httpx.Client, staff: Staff) -> None:
    small = b'{"name": "n", "role": "support"}'
    answer = http.post("/v1/tokens", headers={**JSON, **staff.bearer("owner")}, content=small.ljust(MAX_BODY))
    assert answer.status_code == 201


@pytest.mark.parametrize("length", ["-1", "1.5", "٣", "0x10", "1, 1", "9" * 40])
def test_a_length_that_is_no_number_is_refused(http: httpx.Client, staff: Staff, length: str) -> None:
    headers = [("Content-Length", length.encode()), *staff.bearer("owner").items()]
    answer = http.post("/v1/tokens", headers=headers, content=b"")  # type: ignore[arg-type]
    assert problem(answer) == (400, "invalid_request")


def test_the_fields_at_fault_are_named_without_their_values(http: httpx.Client, staff: Staff) -> None:
    answer = http.post(
        "/v1/users",
        headers=staff.bearer("owner"),
        json={"email": "very secret", "role": {"boss": 1}, "unknown": 1},
    )
    assert problem(answer) == (422, "invalid_request")
    assert {field["field"] for field in answer.json()["fields"]} == {"email", "role", "unknown"}
    assert "very secret" not in answer.text
    assert "boss" not in answer.text


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 201, "\t"])
def test_an_idempotency_key_that_cannot_be_is_refused(http: httpx.Client, staff: Staff, key: str) -> None:
    headers = [("Idempotency-Key", key.encode()), *staff.bearer("owner").items()]
    answer = http.post("/v1/tokens", headers=headers, json={"name": "n", "role": "support"})  # type: ignore[arg-type]
    assert problem(answer) == (422, "invalid_request")


@pytest.mark.parametrize("limit", ["0", "201", "-1", "1.0", "1e2", "٣", "", "x", "9" * 30])
def test_a_limit_that_cannot_be_is_refused(http: httpx.Client, staff: Staff, limit: str) -> None:
    answer = http.get("/v1/users", params={"limit": limit}, headers=staff.bearer("owner"))
    assert problem(answer) == (422, "invalid_request")
    assert answer.json()["fields"] == [{"field": "limit", "message": "must be 1 to 200"}]


# -- everything at once -----------------------------------------------------------------------------------

ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("x" * 5_000),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "role", "email", "days", "active", "code", "items"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)
QUERY = st.dictionaries(
    st.sampled_from(
        ["limit", "cursor", "edge", "q", "status", "tab", "category", "level", "internal", "folded"]
    ),
    st.text(max_size=12),
    max_size=4,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), body=ANY, query=QUERY, segment=st.text(min_size=1, max_size=12))
def test_no_route_can_be_made_to_stumble(
    app: App,
    http: httpx.Client,
    staff: Staff,
    data: st.DataObject,
    body: object,
    query: dict[str, str],
    segment: str,
) -> None:
    method, path, what = data.draw(st.sampled_from([row for row in route_table(app) if not is_page(row[1])]))
    names = [part for part in path.split("/") if part.startswith("{")]
    for name in names:
        path = path.replace(
            name, "".join(f"%{byte:02x}" for byte in segment.encode("utf-8", "surrogatepass"))
        )
    content = json.dumps(body).encode() if method in ("POST", "PATCH", "PUT", "DELETE") else b""
    headers = {**staff.bearer("owner"), **JSON}
    safe = {
        key: value.encode("utf-8", "surrogatepass").decode("utf-8", "replace") for key, value in query.items()
    }
    if path == "/v1/events":
        safe["topics"] = "no:such"  # a stream would have no end
    answer = http.request(method, path, params=safe, content=content, headers=headers)
    if path == "/webhooks/stripe" or isinstance(what, Open):
        assert answer.status_code in (200, 400, 403, 409, 422)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        problem(answer)


@pytest.fixture
def offered(store: Store) -> None:
    """Customers can look for their orders."""
    store.write(lambda tx: shop_settings.set_value(tx, "public.url", "http://localhost"))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.data(),
    form=st.dictionaries(st.sampled_from(["email", "token", "x"]), st.text(max_size=40), max_size=3),
    query=QUERY,
    segment=st.text(min_size=1, max_size=12),
    cookie=st.text(
        st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters=";"), max_size=20
    ),
)
def test_no_page_can_be_made_to_stumble(
    app: App,
    http: httpx.Client,
    offered: None,
    data: st.DataObject,
    form: dict[str, str],
    query: dict[str, str],
    segment: str,
    cookie: str,
) -> None:
    limits = app.state.lookup_limits
    for limit in (limits.by_peer, limits.by_address, limits.opening):
        limit.burst = 10_000
    method, path, _ = data.draw(st.sampled_from([row for row in route_table(app) if is_page(row[1])]))
    encoded = "".join(f"%{byte:02x}" for byte in segment.encode("utf-8", "surrogatepass"))
    path = re.sub(r"\{[^}]*\}", lambda _: encoded, path)
    told = {key: value.encode("utf-8", "replace").decode() for key, value in (query | form).items()}
    headers = {"Cookie": f"shopbell_orders={cookie}; shopbell_cart={cookie}", "Sec-Fetch-Site": "same-origin"}
    answer = http.request(method, path, params=told, data=told if method == "POST" else None, headers=headers)
    assert answer.status_code < 500, answer.text
    if answer.status_code != 303:
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "<script" not in answer.text


def test_every_api_route_is_under_its_version_or_known(app: App) -> None:
    paths = {context.path for context in iter_route_contexts(app.routes)}
    assert {path for path in paths if path and not path.startswith("/v1/") and not is_page(path)} == {
        "/healthz",
        "/webhooks/mail/bounces",
        "/webhooks/printful/{connection}",
        "/webhooks/printify/{connection}",
        "/webhooks/stripe",
    }
