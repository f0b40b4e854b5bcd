"""One request and its answer over HTTP. Importing this costs httpx: the client does it late.

Nothing of the environment is trusted (no proxies, no netrc), redirects are not followed, every wait has an end,
and an answer larger than the cap is not read to its end.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import httpx

from tui.api.clean import clean_line
from tui.api.endpoint import Endpoint
from tui.api.errors import ApiError, BadAnswer, StartError, Unreachable
from tui.api.secret import Secret
from tui.api.streams import Streams

ANSWER_CAP: Final = 8 * 1024 * 1024
"""Bytes of one answer that are read."""

_DROPPED: Final = (httpx.ReadError, httpx.WriteError, httpx.CloseError, httpx.RemoteProtocolError)
"""The connection broke. A kept-alive one may have been closed by the server at the moment of asking."""

SLOW: Final = "/v1/settings/tests/"
"""Calls for which the server itself waits for somebody else, longer than it is silent otherwise."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a request may take, in seconds: to connect, between two bytes, and as a whole."""

    connect: float = 5.0
    silence: float = 10.0
    whole: float = 30.0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came: status, headers (their names in lower case), body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Bearer(httpx.Auth):
    """Puts the token into a request at the last moment, so that it stands in no frame and no default header."""

    def __init__(self, token: Secret) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        request.headers["Authorization"] = "Bearer " + self._token.reveal()
        yield request


class Wire:
    """Connections to one server.

    Args:
        endpoint: the server.
        transport: what carries requests instead of the network (tests, an application in this process).
        patience: how long to wait.

    Raises:
        StartError: the endpoint's certificates cannot be read, or its URL cannot be used.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        transport: httpx.AsyncBaseTransport | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._label = endpoint.label
        self._socket = endpoint.uds is not None
        self._patience = patience or Patience()
        try:
            self._http = httpx.AsyncClient(
                base_url=endpoint.base,
                transport=transport or _transport(endpoint),
                auth=_Bearer(endpoint.token) if endpoint.token else None,
                headers={"User-Agent": "shopbell", "Accept-Encoding": "identity"},
                timeout=httpx.Timeout(self._patience.silence, connect=self._patience.connect),
                trust_env=False,
                follow_redirects=False,
            )
        except httpx.InvalidURL:
            raise StartError(f"{self._label} is not the name of a machine.") from None

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send a request and read its answer whole; once more when the connection dropped before it was.

        The second try carries the same headers, so an ``Idempotency-Key`` makes it safe for changes.

        Raises:
            Unreachable: no answer, or not all of it.
            BadAnswer: an answer larger than the cap, or compressed although that was not asked for.
        """
        told = dict(headers or {})
        if body is not None:
            told["Content-Type"] = "application/json"
        silence = self._patience.whole if path.startswith(SLOW) else self._patience.silence
        limits = httpx.Timeout(silence, connect=self._patience.connect)
        request = self._http.build_request(
            method, path, params=params, content=body, headers=told, timeout=limits
        )
        try:
            async with asyncio.timeout(self._patience.whole):
                try:
                    return await self._once(request)
                except _DROPPED:
                    return await self._once(request)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise self._unreachable(error) from None

    async def stream(
        self, path: str, kind: str | None, silence: float | None = None
    ) -> AsyncGenerator[bytes | Reply, None]:
        """The parts of an answer as they come, however many; what is no answer of this kind as one reply.

        Args:
            path: of the stream.
            kind: its media type; None: whatever it is.
            silence: seconds without a byte after which it is given up; None: as long as for any answer.

        Raises:
            Unreachable: the connection broke, or was silent for too long.
            BadAnswer: it is compressed although that was not asked for.
        """
        limits = httpx.Timeout(silence or self._patience.silence, connect=self._patience.connect)
        request = self._http.build_request("GET", path, headers={"Accept": kind or "*/*"}, timeout=limits)
        try:
            async with asyncio.timeout(self._patience.whole):
                response = await self._http.send(request, stream=True)
            try:
                if response.status_code != 200 or kind not in (None, media_type(response.headers)):
                    async with asyncio.timeout(self._patience.whole):
                        body = await self._body(response)
                    yield Reply(response.status_code, response.headers, body)
                    return
                self._uncompressed(response)
                async for part in response.aiter_raw():
                    yield part
            finally:
                await response.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise self._unreachable(error) from None

    async def _once(self, request: httpx.Request) -> Reply:
        response = await self._http.send(request, stream=True)
        try:
            return Reply(response.status_code, response.headers, await self._body(response))
        finally:
            await response.aclose()

    async def _body(self, response: httpx.Response) -> bytes:
        self._uncompressed(response)
        body = bytearray()
        async for part in response.aiter_bytes():
            body += part
            if len(body) > ANSWER_CAP:
                raise BadAnswer(f"{self._label} sends more than 8 MiB for one answer. Is the URL right?")
        return bytes(body)

    def _uncompressed(self, response: httpx.Response) -> None:
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise BadAnswer(f"{self._label} answers in a form that was not asked for. Is the URL right?")

    def _unreachable(self, error: Exception) -> ApiError:
        for cause in _causes(error):
            if isinstance(cause, ssl.SSLCertVerificationError):
                why = clean_line(cause.verify_message, 200)
                return Unreachable(
                    f"The certificate of {self._label} is not trusted: {why}. Name its authority's file with "
                    "ca_file in the profile."
                )
            if self._socket and isinstance(cause, FileNotFoundError):
                return Unreachable(f"There is no server at {self._label}: the socket does not exist.")
            if self._socket and isinstance(cause, PermissionError):
                return Unreachable(f"You may not use {self._label}: it belongs to another user.")
        if isinstance(error, httpx.ConnectError):
            return Unreachable(
                f"Nothing answers at {self._label}. Is the server running, and is the URL right?"
            )
        if isinstance(error, httpx.TimeoutException | TimeoutError):
            return Unreachable(f"{self._label} takes too long to answer.")
        return Unreachable(f"The connection to {self._label} broke before the answer was complete.")


def media_type(headers: Mapping[str, str]) -> str:
    """The media type that headers tell, without its parameters; empty where they tell none."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _transport(endpoint: Endpoint) -> Streams:
    if not endpoint.secure:
        return Streams(uds=endpoint.uds)  # no TLS: the certificates are not even loaded
    if endpoint.ca_file is None:
        return Streams(httpx.create_ssl_context(trust_env=False))
    try:
        context = ssl.create_default_context(cafile=str(endpoint.ca_file))
    except (OSError, ssl.SSLError):
        name = clean_line(str(endpoint.ca_file))
        raise StartError(f"ca_file {name} is not a readable file of certificates (PEM).") from None
    return Streams(context)
