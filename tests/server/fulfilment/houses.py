"""The providers' servers on loopback, and the clients of them, for both providers alike."""

from __future__ import annotations

from dataclasses import dataclass

from server.contract.orders import Address
from server.fulfilment.api import Timeouts
from server.fulfilment.printful import Printful
from server.fulfilment.printify import Printify
from server.fulfilment.provider import Connection, Parcel, ParcelLine, Provider, Recipient
from server.kit.clock import Clock
from server.practice.providers.printful import PrintfulServer
from server.practice.providers.printify import PrintifyServer

TOKEN = "provider-token-of-the-tests"
ACCOUNT = "4711"
PRINTIFY_SECRET = "printify-secret-of-the-tests"
PRINTFUL_SECRET = "a1" * 32
QUICK = Timeouts(connect=5.0, read=0.5, total=1.2)
PATIENT = Timeouts(connect=5.0, read=2.0, total=6.0)
HOME = Address(
    name="Bea Buyer", line1="1 Sock Lane", city="London", postal_code="E1 6AN", state=None, country="GB"
)

Server = PrintifyServer | PrintfulServer


def open_server(name: str, clock: Clock) -> Server:
    """The provider's server, listening."""
    if name == "printify":
        return PrintifyServer(clock, token=TOKEN, account=ACCOUNT, secret=PRINTIFY_SECRET).open()
    return PrintfulServer(clock, token=TOKEN, account=ACCOUNT, secret=PRINTFUL_SECRET).open()


@dataclass(frozen=True)
class Stocked:
    """A product there: its id and its variants' ids, as parcels name them."""

    product_id: str
    variants: tuple[str, ...]


def stock(server: Server, name: str = "Wool socks") -> Stocked:
    """Put a product with two variants into a provider's catalogue."""
    if isinstance(server, PrintifyServer):
        made = server.add_product(name, {"S": 1250, "M": 1350})
        return Stocked(made, tuple(str(one["id"]) for one in server.catalogue[made]["variants"]))
    made = server.add_product(name, {"S": "12.50", "M": "13.50"})
    return Stocked(made, tuple(str(one["id"]) for one in server.catalogue[made]["sync_variants"]))


def client_of(server: Server, *, token: str = TOKEN, timeouts: Timeouts = QUICK) -> Provider:
    """A client of it."""
    connection = Connection(server.url, token, ACCOUNT)
    if isinstance(server, PrintifyServer):
        return Printify(connection, timeouts)
    return Printful(connection, timeouts)


def parcel(thing: Stocked, number: str = "SS-260223-0001") -> Parcel:
    """An order of two of its first variant."""
    to = Recipient("Bea Buyer", HOME, "bea@example.com", "+44 20 7946 0000")
    return Parcel(number, to, (ParcelLine(thing.product_id, thing.variants[0], 2),))
