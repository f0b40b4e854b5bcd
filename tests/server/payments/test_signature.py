"""What is let in: exactly what Stripe signed with a secret of ours, at about this time. The rest leaves no trace."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.app import create_app
from server.kit.clock import SECOND, FrozenClock
from server.kit.config import ServerConfig
from server.kit.db import Store
from server.kit.problems import ProblemError
from server.payments import signature
from tests.server.conftest import Staff
from tests.server.payments.desk import Desk
from tests.support.serving import in_process
from tests.support.stripe_events import AT, SECRET, Purchase, digest, encode, sign

BODY = encode(Purchase().completed(event_id="evt_1"))


def refused(answer: httpx.Response, desk: Desk) -> None:
    assert (answer.status_code, answer.json()["code"]) == (400, "signature_verification_failed")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "mary" not in answer.text
    assert SECRET not in answer.text
    assert desk.inbox() == []
    assert desk.counts()["all"] == 0


def test_a_signed_event_is_let_in(desk: Desk) -> None:
    answer = desk.post(BODY)
    assert answer.status_code == 200
    assert answer.json() == {"received": True, "duplicate": False}
    assert desk.post(BODY).json() == {"received": True, "duplicate": True}
    assert desk.counts()["all"] == 1


@pytest.mark.parametrize(
    "header",
    [
        "",
        "x",
        "t=,v1=",
        f"t={AT}",
        f"v1={digest(BODY)}",
        f"t={AT},v0={digest(BODY)}",
        f"t={AT},v1={'0' * 64}",
        f"t={AT},v1={digest(BODY)[:-1]}",
        f"t={AT},v1={digest(BODY).upper()}",
        f"t={AT + 1},v1={digest(BODY)}",
        f"t={AT},t={AT},v1={digest(BODY)}",
        f"t=0{AT // 10},v1={digest(BODY)}",
        f"t=+{AT},v1={digest(BODY)}",
        f"t={str(AT)[:5]}_{str(AT)[5:]},v1={digest(BODY)}",
        f" t={AT},v1={digest(BODY)}",
        f"t={AT};v1={digest(BODY)}",
        sign(BODY, "whsec_somebody_elses"),
        sign(BODY + b" "),
        sign(BODY[:-1]),
        sign(BODY) + "".join(f",v1={n:064x}" for n in range(200)),
    ],
    ids=lambda header: header[:24],
)
def test_a_header_that_is_not_stripes_is_refused(desk: Desk, header: str) -> None:
    refused(desk.post(BODY, header), desk)


def test_without_a_header_it_is_refused(desk: Desk) -> None:
    answer = desk.http.post("/webhooks/stripe", content=BODY, headers={"content-type": "application/json"})
    refused(answer, desk)


def test_two_headers_are_refused(desk: Desk) -> None:
    headers = [("stripe-signature", sign(BODY)), ("stripe-signature", sign(BODY))]
    refused(desk.http.post("/webhooks/stripe", content=BODY, headers=headers), desk)


def test_a_header_beyond_ascii_is_refused(desk: Desk) -> None:
    raw: list[tuple[bytes, bytes]] = [(b"stripe-signature", sign(BODY).encode() + b",v1=\xe9\xff")]
    refused(desk.http.post("/webhooks/stripe", content=BODY, headers=raw), desk)


@pytest.mark.parametrize("body", [b"\xff\xfe", b'{"id":"\xc3\x28"}', BODY + b"\x80"])
def test_a_body_that_is_not_utf_8_is_refused_however_it_is_signed(desk: Desk, body: bytes) -> None:
    refused(desk.post(body), desk)


@pytest.mark.parametrize("seconds", [0, -300, 300])
def test_five_minutes_either_way_are_believed(desk: Desk, seconds: int) -> None:
    assert desk.post(BODY, sign(BODY, at=AT + seconds)).status_code == 200


@pytest.mark.parametrize("seconds", [-301, 301, -86_400, 86_400, 10**11 - AT])
def test_another_time_is_refused_and_the_reason_told(desk: Desk, seconds: int) -> None:
    answer = desk.post(BODY, sign(BODY, at=AT + seconds))
    refused(answer, desk)
    assert answer.json()["reason"] == "outside_tolerance"


def test_the_shops_own_clock_decides(desk: Desk, clock: FrozenClock) -> None:
    clock.advance(-3 * 365 * 86_400 * SECOND)
    assert desk.post(BODY).status_code == 200
    clock.advance(400 * SECOND)
    assert desk.post(BODY, sign(BODY, at=clock.now() // 1000 - 301)).status_code == 400


def test_a_wrong_signature_is_not_told_that_its_time_is_wrong(desk: Desk) -> None:
    answer = desk.post(BODY, sign(BODY, "whsec_wrong", at=AT - 999))
    refused(answer, desk)
    assert "reason" not in answer.json()


class TestRotation:
    @pytest.fixture
    def config(self, tmp_path: Path) -> ServerConfig:
        data = tmp_path / "data"
        data.mkdir(mode=0o700)
        return ServerConfig(
            data_dir=data, variables={"SHOPBELL_STRIPE_WEBHOOK_SECRETS": f"whsec_new, {SECRET},"}
        )

    @pytest.mark.parametrize("secret", ["whsec_new", SECRET])
    def test_while_secrets_overlap_each_is_good(self, desk: Desk, secret: str) -> None:
        assert desk.post(BODY, sign(BODY, secret)).status_code == 200

    def test_stripe_may_sign_with_both_at_once(self, desk: Desk) -> None:
        both = f"t={AT},v1={digest(BODY, 'whsec_retired')},v1={digest(BODY, SECRET)},v0={'a' * 64}"
        assert desk.post(BODY, both).status_code == 200

    def test_a_retired_one_is_not(self, desk: Desk) -> None:
        refused(desk.post(BODY, sign(BODY, "whsec_retired")), desk)


@pytest.fixture
def without_secret(store: Store, config: ServerConfig, staff: Staff) -> Iterator[httpx.Client]:
    bare = dataclasses.replace(config, variables={})
    with in_process(create_app(store, bare)) as client:
        yield client


def test_a_server_without_a_secret_takes_nothing(desk: Desk, without_secret: httpx.Client) -> None:
    for secret in ("", SECRET):
        answer = without_secret.post(
            "/webhooks/stripe", content=BODY, headers={"stripe-signature": sign(BODY, secret)}
        )
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert desk.inbox() == []


def test_a_body_that_is_too_large_is_refused_unread(desk: Desk) -> None:
    body = encode(Purchase(metadata={"note": "x" * 300_000}).completed())
    answer = desk.post(body)
    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")
    assert desk.inbox() == []


@pytest.mark.parametrize("cut", [1, 10, len(BODY) // 2])
def test_a_truncated_body_is_refused(desk: Desk, cut: int) -> None:
    refused(desk.post(BODY[:-cut], sign(BODY)), desk)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (BODY[:-10], 400, "invalid_json"),
        (b"", 400, "invalid_json"),
        (b"[" * 5000, 400, "invalid_json"),
        (b'{"id": NaN}', 400, "invalid_json"),
        (b'{"id": "a", "id": "b", "type": "x"}', 400, "invalid_json"),
        (b"[]", 422, "invalid_request"),
        (b"{}", 422, "invalid_request"),
        (b'{"id": 5, "type": "x"}', 422, "invalid_request"),
        (b'{"id": "evt_1"}', 422, "invalid_request"),
    ],
)
def test_what_is_signed_but_no_event_is_refused(desk: Desk, body: bytes, status: int, code: str) -> None:
    answer = desk.post(body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert desk.inbox() == []


def test_nothing_refused_is_logged_with_its_body_or_secret(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    desk.post(BODY, sign(BODY, "whsec_wrong"))
    desk.post(BODY[:-10])
    told = " ".join(json.dumps(record.__dict__, default=str) for record in caplog.records)
    assert "mary@" not in told
    assert SECRET not in told
    assert digest(BODY, "whsec_wrong") not in told


def test_telemetry_is_off() -> None:
    assert signature.library().enable_telemetry is False


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=200),
    header=st.none() | st.text(max_size=100) | st.from_regex(r"t=[0-9]{1,12}(,v[01]=[0-9a-f]{0,64}){0,3}"),
    secrets=st.lists(st.text(max_size=20), max_size=3),
)
def test_nothing_that_anyone_sends_gets_past_or_raises_anything_else(
    body: bytes, header: str | None, secrets: list[str]
) -> None:
    with pytest.raises(ProblemError, match="signature_verification_failed"):
        signature.verify(body, header, secrets, AT * SECOND)


@settings(max_examples=50)
@given(body=st.text(max_size=300), secret=st.text(min_size=1, max_size=40), off=st.integers(-300, 300))
def test_what_stripe_signs_always_passes(body: str, secret: str, off: int) -> None:
    if not secret.strip(" \t\r\n\f\v"):
        return  # the library takes a blank secret for none
    raw = body.encode()
    signature.verify(raw, sign(raw, secret, AT + off), [secret], AT * SECOND)
