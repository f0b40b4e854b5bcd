"""Every provider, decided in one place: its name, what is set for it, what it can do, and how its client is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, get_args

from server.contract.settings import TestResult
from server.fulfilment.api import Timeouts
from server.fulfilment.printful import Printful
from server.fulfilment.printify import Printify
from server.fulfilment.provider import Capability, Connection, Provider, ProviderError
from server.kit.db import Store
from server.kit.problems import ProblemError
from server.kit.tx import Tx
from server.settings import registry as settings_registry
from server.settings import service as settings
from server.settings.setting import SecretSetting, TextSetting

NONE: Final = "none"
"""The setting ``fulfilment.provider`` of a shop that has no provider."""
ALL: Final[tuple[Capability, ...]] = get_args(Capability)


@dataclass(frozen=True, slots=True)
class Known:
    """A provider.

    Args:
        name: as settings, tables and addresses have it.
        label: as sentences have it.
        token, account, url, secret, connection: the settings' names.
        capabilities: what it can do.
        build: makes its client.
    """

    name: str
    label: str
    token: SecretSetting
    account: TextSetting
    url: TextSetting
    secret: SecretSetting
    connection: TextSetting
    build: Callable[[Connection, Timeouts], Provider]
    capabilities: tuple[Capability, ...] = ALL


PROVIDERS: Final[dict[str, Known]] = {
    known.name: known
    for known in (
        Known(
            "printify",
            "Printify",
            token="printify.token",  # noqa: S106 - a setting's name
            account="printify.shop_id",
            url="printify.url",
            secret="printify.webhook_secret",  # noqa: S106 - a setting's name
            connection="printify.connection",
            build=Printify,
        ),
        Known(
            "printful",
            "Printful",
            token="printful.token",  # noqa: S106 - a setting's name
            account="printful.store_id",
            url="printful.url",
            secret="printful.webhook_secret",  # noqa: S106 - a setting's name
            connection="printful.connection",
            build=Printful,
        ),
    )
}
"""By name, in the order in which screens show them."""

_timeouts = Timeouts()


def set_timeouts(timeouts: Timeouts) -> Timeouts:
    """How long clients made from now on wait (tests have less patience); gives what held before."""
    global _timeouts
    before, _timeouts = _timeouts, timeouts
    return before


def find(name: str | None) -> Known | None:
    """The provider of that name, or of that label whatever its letters' case; None when there is none."""
    return PROVIDERS.get((name or "").lower())


def default(tx: Tx) -> str | None:
    """The provider that the shop has chosen; None when it has none."""
    chosen = settings.get(tx, "fulfilment.provider")
    return None if chosen == NONE else chosen


def connection(tx: Tx, known: Known) -> Connection | None:
    """How a provider is reached; None while its token or its shop's id is not set."""
    token, account = settings.secret(tx, known.token), settings.get(tx, known.account)
    if not token or not account:
        return None
    return Connection(settings.get(tx, known.url), token, account)


def client(known: Known, reached: Connection) -> Provider:
    """A client of a provider; whoever gets it closes it.

    Raises:
        ProviderError: its address is no use.
    """
    return known.build(reached, _timeouts)


def not_connected(known: Known) -> str:
    """What to say when something is missing."""
    return f"{known.label} is not connected: enter its token and the shop's id in Settings."


def check(name: str) -> Known:
    """The provider that a request names.

    Raises:
        ProblemError: 422 ``unknown_provider``.
    """
    known = PROVIDERS.get(name)
    if known is None:
        raise ProblemError(
            422, "unknown_provider", f"There is no such provider; there are {', '.join(PROVIDERS)}."
        )
    return known


def _tested(known: Known) -> Callable[[Store], TestResult]:
    def test(store: Store) -> TestResult:
        reached = store.read(lambda tx: connection(tx, known))
        began = store.clock.now()
        if reached is None:
            return TestResult(ok=False, message=not_connected(known), took_ms=0)
        try:
            made = client(known, reached)
            try:
                message, ok = f"Connected to {made.test()} at {known.label}.", True
            finally:
                made.close()
        except ProviderError as error:
            message, ok = error.reason, False
        return TestResult(ok=ok, message=message, took_ms=max(0, store.clock.now() - began))

    return test


for _known in PROVIDERS.values():
    settings_registry.register_test(_known.name, _known.name, _tested(_known))
