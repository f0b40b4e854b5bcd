"""How a provider's API is spoken to: bounded in time and size, every failure turned into a sentence.

What was asked for may have happened unless the provider clearly said no: a timeout, a page of HTML or half an answer
leave that open (``certain`` is False), and whoever asked has to look before asking again.

httpx is imported when a provider is asked for the first time: it takes a tenth of the server's start.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from server.fulfilment.provider import LONGEST_REASON, ProviderError
from server.kit import strict_json
from server.kit.clock import HOUR, SECOND, milliseconds
from server.kit.folding import clean_text
from server.kit.problems import ProblemError

if TYPE_CHECKING:
    import httpx

LARGEST: Final = 8 * 1024 * 1024
"""The longest answer that is read, in bytes."""
LONGEST_WAIT: Final = HOUR
"""How long a provider may tell us to wait, in milliseconds."""
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_REFUSED: Final = (401, 403)
_LATER: Final = (402, 408, 423, 425, 429)
"""Refusals that pass: not paid yet, too slow, locked, too early, too many."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: until a connection stands, between two pieces of an answer, and for a request in all."""

    connect: float = 5.0
    read: float = 20.0
    total: float = 45.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came: the status, the decoded body and the headers."""

    status: int
    body: Any
    headers: Mapping[str, str]


@cache
def _trusted() -> ssl.SSLContext:
    """Whose certificates are believed: read once, it takes longer than a request."""
    import httpx  # noqa: PLC0415 - see above

    return httpx.create_ssl_context(trust_env=False)


def our_account(
    label: str, kind: str, ours: str, known: Mapping[str | None, Mapping[str, Any]]
) -> Mapping[str, Any]:
    """The shop that orders are sent to, among those that the token knows.

    Args:
        label: the provider's name in sentences.
        kind: what it calls a shop (``store``).
        ours: the id that stands in Settings.
        known: the shops, by their ids.

    Raises:
        ProviderError: permanent, when ours is not among them.
    """
    found = known.get(ours)
    if found is None:
        listed = ", ".join(sorted(name for name in known if name)) or "none"
        raise ProviderError(
            f"This token knows no {kind} {ours} at {label} (it knows {listed}): "
            f"correct the {kind}'s id in Settings.",
            permanent=True,
            certain=True,
        )
    return found


Explain = Callable[[Any], str | None]
"""Finds the provider's own words in the body of a refusal."""


class Api:
    """One provider's API.

    Args:
        label: the provider's name in sentences.
        base: its address.
        token: sent as a bearer token; never repeated in an error.
        explain: finds the words of a refusal.
        headers: further ones of each request.
        timeouts: how long anything may take.
        monotonic: the clock that ``timeouts`` run by.

    Raises:
        ProviderError: permanent, for an address that is not https (a server on this machine may be http).
    """

    def __init__(
        self,
        label: str,
        base: str,
        token: str,
        *,
        explain: Explain,
        headers: Mapping[str, str] | None = None,
        timeouts: Timeouts | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.label = label
        self._base = base.rstrip("/")
        self._token = token
        self._explain = explain
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "shopbell",
            **(headers or {}),
        }
        self._timeouts = timeouts or Timeouts()
        self._monotonic = monotonic
        parts = urlsplit(self._base)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise ProviderError(
                f"The address of {label} must begin with https://: correct it in Settings.",
                permanent=True,
                certain=True,
            )
        self._client: httpx.Client | None = None

    def get(self, path: str, **params: str | int) -> Any:
        """Read something; None when the provider says that it is not there."""
        return self.call("GET", path, params=params, missing=True)

    def post(self, path: str, body: Any = None, **params: str | int) -> Any:
        """Ask for something to be done."""
        return self.call("POST", path, body=body, params=params)

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: Any = None,
        missing: bool = False,
    ) -> Any:
        """Send one request and give the decoded body of its answer.

        Args:
            method: GET or POST.
            path: below the address.
            params: the query.
            body: sent as JSON.
            missing: answer None for 404 instead of raising.

        Raises:
            ProviderError: for everything but an answer of the API's own that says yes.
        """
        answer = self._send(method, path, params or {}, body)
        if 200 <= answer.status < 300:
            return answer.body
        if missing and answer.status == 404:
            return None
        raise self._refusal(answer)

    def close(self) -> None:
        """Let go of the connections."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _send(self, method: str, path: str, params: Mapping[str, str | int], body: Any) -> Answer:
        import httpx  # noqa: PLC0415 - see above

        client = self._client or self._connect()
        self._client = client
        # Cuts off who answers a letter at a time: the next read then finds its connection closed.
        watch = threading.Timer(self._timeouts.total, client.close)
        watch.daemon = True
        watch.start()
        try:
            with client.stream(method, self._base + path, params=dict(params), json=body) as response:
                raw = self._read(response)
                return self._understood(response, raw)
        except ProviderError:
            self.close()
            raise
        except httpx.ConnectError:
            self.close()
            raise ProviderError(f"{self.label} cannot be reached.", certain=True) from None
        except httpx.ConnectTimeout:
            self.close()
            raise ProviderError(f"{self.label} cannot be reached: no answer in time.", certain=True) from None
        except httpx.TimeoutException:
            self.close()
            raise ProviderError(f"{self.label} took too long to answer.") from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, RuntimeError):
            self.close()
            raise ProviderError(f"The connection to {self.label} broke off.") from None
        finally:
            watch.cancel()

    def _connect(self) -> httpx.Client:
        import httpx  # noqa: PLC0415 - see above

        limits = self._timeouts
        return httpx.Client(
            headers=self._headers,
            timeout=httpx.Timeout(limits.read, connect=limits.connect),
            follow_redirects=False,
            trust_env=False,
            verify=_trusted(),
        )

    def _read(self, response: httpx.Response) -> bytes:
        ends = self._monotonic() + self._timeouts.total
        parts: list[bytes] = []
        size = 0
        for part in response.iter_raw():
            size += len(part)
            if size > LARGEST:
                raise ProviderError(f"{self.label} answered with more than can be read.")
            if self._monotonic() > ends:
                raise ProviderError(f"{self.label} took too long to answer.")
            parts.append(part)
        return b"".join(parts)

    def _understood(self, response: httpx.Response, raw: bytes) -> Answer:
        status, headers = response.status_code, response.headers
        try:
            body = strict_json.decode(b"" if "content-encoding" in headers else raw)
        except ProblemError:
            if status == 401:  # whatever page comes with it
                raise self._token_refused() from None
            if 300 <= status < 400:
                raise self._moved() from None
            raise ProviderError(
                f"{self.label} answered something that is no answer of its API ({status}).",
                certain=status == 429,
                after=self._wait(headers),
            ) from None
        return Answer(status, body, headers)

    def _refusal(self, answer: Answer) -> ProviderError:
        status = answer.status
        if status in _REFUSED:
            return self._token_refused()
        if 300 <= status < 400:
            return self._moved()
        after = self._wait(answer.headers)
        if status == 429:
            return ProviderError(
                f"{self.label} gets too many requests just now.", certain=True, after=after or 60 * SECOND
            )
        said = self._said(answer.body)
        if status >= 500:
            return ProviderError(f"{self.label} has trouble of its own ({status}){said}.", after=after)
        return ProviderError(
            f"{self.label} refused it ({status}){said}.",
            permanent=status not in _LATER,
            certain=status != 408,
            after=after,
        )

    def _said(self, body: Any) -> str:
        try:
            words = self._explain(body)
        except (AttributeError, KeyError, TypeError, IndexError, ValueError):
            words = None
        if not words:
            return ""
        if self._token:
            words = words.replace(self._token, "····")
        return f": {clean_text(words, LONGEST_REASON).rstrip('. ')}"

    def _token_refused(self) -> ProviderError:
        return ProviderError(
            f"The token of {self.label} is refused: set it anew in Settings.", permanent=True, certain=True
        )

    def _moved(self) -> ProviderError:
        return ProviderError(
            f"{self.label} sent us to another address, which is not followed: check its address in Settings.",
            permanent=True,
            certain=True,
        )

    def _wait(self, headers: Mapping[str, str]) -> int | None:
        """What ``Retry-After`` asks for, in milliseconds: a number of seconds, or a date beside that of the answer."""
        said = headers.get("retry-after", "").strip()
        if said.isascii() and said.isdecimal() and len(said) < 10:
            return min(max(int(said), 1) * SECOND, LONGEST_WAIT)
        try:
            until, now = parsedate_to_datetime(said), parsedate_to_datetime(headers.get("date", ""))
            return min(max(milliseconds(until) - milliseconds(now), SECOND), LONGEST_WAIT)
        except (ValueError, TypeError):
            return None
