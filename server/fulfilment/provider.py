"""What every provider can do, in the shop's own words: the face that submission, following and sync are written to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from server.contract.orders import Address
from server.kit.clock import parse_instant

Step = Literal["submitted", "processing", "shipped", "delivered", "failed", "cancelled"]
Capability = Literal["submit", "status", "sync", "webhooks"]

LONGEST_REASON: Final = 500


class ProviderError(Exception):
    """A provider did not do what it was asked.

    Args:
        reason: a sentence for people, saying what to do next where something can be done. It may quote the provider,
            never a secret.
        permanent: the same again would fail again.
        certain: the provider said no, so what was asked for was not done. Otherwise it may have been.
        after: milliseconds to wait before the next try, when the provider says so.
    """

    def __init__(
        self, reason: str, *, permanent: bool = False, certain: bool = False, after: int | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent
        self.certain = certain
        self.after = after


@dataclass(frozen=True, slots=True)
class Connection:
    """How a provider is reached: its address, the token, and which of its shops is ours."""

    url: str
    token: str = field(repr=False)
    account: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """To whom a parcel goes. Printed on it, so all of it leaves the shop."""

    name: str
    address: Address
    email: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class ParcelLine:
    """What is made and sent: the provider's own ids."""

    product_id: str
    variant_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Parcel:
    """An order as a provider gets it. ``external_id`` is the shop's order number."""

    external_id: str
    to: Recipient
    lines: tuple[ParcelLine, ...]


@dataclass(frozen=True, slots=True)
class ProviderOrder:
    """An order as its provider sees it now.

    Args:
        id: the provider's id.
        status: in the shop's steps.
        provider_status: in the provider's own words.
        reason: why it failed or was cancelled, in the provider's words.
        times: when each step happened (ms UTC), as far as the provider says.
        unconfirmed: it is there, but the provider does nothing until it is confirmed.
        returned: the names of its shipments that came back.
    """

    id: str
    status: Step
    provider_status: str
    reason: str | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None
    times: Mapping[Step, int] = field(default_factory=dict)
    unconfirmed: bool = False
    returned: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProviderVariant:
    """A variant of a product. ``price`` in minor units of ``currency``."""

    id: str
    name: str
    sku: str | None
    price: int | None
    currency: str | None
    available: bool


@dataclass(frozen=True, slots=True)
class ProviderProduct:
    """A product as its provider describes it."""

    id: str
    name: str
    description: str | None
    image_url: str | None
    available: bool
    variants: tuple[ProviderVariant, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """One product of a catalogue being read, and how many there are in all (None: not said)."""

    product: ProviderProduct
    total: int | None


class Provider(Protocol):
    """A provider that the shop is connected to. Every verb raises `ProviderError`; none is called in a transaction."""

    label: str

    def test(self) -> str:
        """Try the connection; gives the shop's name at the provider."""
        ...

    def products(self) -> Iterator[Seen]:
        """The whole catalogue, one product after the other. Complete only when it ends without an error."""
        ...

    def submit(self, parcel: Parcel) -> ProviderOrder:
        """Hand an order over. Not called again for the same parcel before `find` said that it is not there."""
        ...

    def find(self, external_id: str, since: int) -> ProviderOrder | None:
        """The order that was handed over under this number, at ``since`` (ms UTC) or later. None: it is not there."""
        ...

    def confirm(self, provider_order_id: str) -> ProviderOrder:
        """Let the provider go on with an order that is there but waits."""
        ...

    def status(self, provider_order_id: str) -> ProviderOrder | None:
        """How far an order is. None: the provider does not know it."""
        ...

    def close(self) -> None:
        """Let go of the connections."""
        ...


def provider_time(text: object) -> int | None:
    """A time as providers write it (RFC 3339, or with a space in the middle), in ms UTC; None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        at = parse_instant(text.strip().replace(" ", "T", 1))
    except ValueError:
        return None
    return at if at > 0 else None  # "1970-01-01" is how some say "never"
