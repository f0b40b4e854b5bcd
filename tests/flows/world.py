"""A shop for flows: the real application on a real store, seen through the client, with a frozen clock.

What happens to the shop comes in by its own doors: orders by a storefront's token, payments as signed webhooks,
fulfilment and events through the API. A ``Line`` carries the client's requests and can be cut.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from textual.pilot import Pilot
from textual.worker import WorkerCancelled

from server.app import create_app
from server.contract.access import StaffRole
from server.kit.clock import FrozenClock as ServerClock
from server.kit.config import ServerConfig
from server.kit.db import Store, open_store
from server.settings import service as settings
from tests.server.conftest import STRIPE_SECRET, Staff, let_staff_in
from tests.support.serving import in_process
from tests.support.stripe_events import Purchase, encode, event, sign
from tui.api.client import Client
from tui.api.clock import FrozenClock
from tui.api.config import Config, Ui
from tui.api.endpoint import Endpoint
from tui.api.secret import Secret
from tui.app import ShopbellApp
from tui.screens.shell import Shell
from tui.widgets.bar import Bar

NOW = "2026-02-23T10:14:00Z"
Script = Callable[["Desk"], Awaitable[None]]


class Line(httpx.AsyncBaseTransport):
    """Carries requests into the application; cut, it fails as a network does."""

    def __init__(self, app: Any) -> None:
        self._inner = httpx.ASGITransport(app, client=("127.0.0.1", 50_000))
        self.cut = False
        self.seen: list[str] = []
        self.spoiled: Callable[[httpx.Request], httpx.Response | None] = lambda _request: None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, or fail."""
        self.seen.append(f"{request.method} {request.url.path}")
        if self.cut:
            raise httpx.ConnectError("the line is cut")
        return self.spoiled(request) or await self._inner.handle_async_request(request)


@dataclass
class World:
    """The shop, its people, and what can be done to it."""

    store: Store
    clock: ServerClock
    staff: Staff
    line: Line
    http: httpx.Client
    numbers: list[str] = field(default_factory=list)

    # What happens to the shop.

    def at(self, moment: str) -> None:
        """It is this time today, e.g. ``10:05``."""
        self.clock.set(f"2026-02-23T{moment}:00Z")

    def post(self, path: str, body: dict[str, Any], role: StaffRole | str = "storefront") -> dict[str, Any]:
        """A request of somebody with a token."""
        token = self.staff.tokens[role]  # type: ignore[index]
        answer = self.http.post(path, json=body, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code < 300, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        """What the server holds, as the Owner sees it."""
        answer = self.http.get(path, params=params, headers=self.staff.bearer("owner"))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def order(self, name: str, amount: int, *, paid: bool = True, thing: str = "Wool socks") -> str:
        """Somebody orders something; the number of the order."""
        email = f"{name.split(maxsplit=1)[0].lower()}@example.com"
        made = self.post(
            "/v1/orders",
            {
                "customer": {"email": email, "name": name},
                "items": [{"name": thing, "quantity": 1, "unit_price": amount - 395}],
                "currency": "GBP",
                "shipping": 395,
            },
        )
        number: str = made["number"]
        self.numbers.append(number)
        if paid:
            self.pay(number, name, email, amount)
        return number

    def pay(self, number: str, name: str, email: str, amount: int) -> None:
        """Stripe tells that the order was paid."""
        bought = Purchase(
            name=number.replace("-", ""), amount=amount, reference=number, email=email, customer=name
        )
        now = self.clock.now() // 1000
        body = encode(event("checkout.session.completed", bought.session(), created=now))
        answer = self.http.post(
            "/webhooks/stripe",
            content=body,
            headers={"content-type": "application/json", "stripe-signature": sign(body, STRIPE_SECRET, now)},
        )
        assert answer.status_code == 200, answer.text

    def step(self, number: str, status: str, **details: Any) -> None:
        """The order takes a step."""
        self.post(f"/v1/orders/{number}/fulfilment", {"status": status, **details})

    def fail(self, number: str, reason: str = "variant out of stock") -> None:
        """The provider refuses the order."""
        self.step(number, "failed", provider="Printify", reason=reason, attempt=1, max_attempts=3)

    def tell(self, name: str, message: str, level: str = "warning", **more: Any) -> dict[str, Any]:
        """The shop's own program writes an event."""
        return self.post(
            "/v1/activity", {"type": f"custom.{name}", "level": level, "message": message, **more}
        )

    # What the server holds.

    @property
    def attention(self) -> int:
        """How many groups need attention."""
        found: int = self.get("/v1/pulse")["attention"]
        return found

    def open_entries(self) -> list[str]:
        """The sentences of all that is open, newest first, unfolded."""
        page = self.get("/v1/activity", tab="attention", folded="false", limit=200)
        return [entry["message"] for entry in page["items"]]

    # The client.

    def client(self, role: StaffRole = "owner") -> Callable[[], Client]:
        """What makes a client with the token of that role."""
        token = Secret(self.staff.tokens[role])
        return lambda: Client(Endpoint(url="http://127.0.0.1:7373", token=token), transport=self.line)

    def app(
        self,
        role: StaffRole = "owner",
        *,
        theme: str = "shopbell-dark",
        connect: Callable[[], Client] | None = None,
        ascii_only: bool = False,
        clock: FrozenClock | None = None,
        **keys: str,
    ) -> ShopbellApp:
        """The client's app on this shop; ``keys`` are the user's."""
        config = Config(Path("config.toml"), Ui(theme=theme, ascii=ascii_only), keys)
        app = ShopbellApp(connect or self.client(role), config, "shopbell", clock or FrozenClock(NOW))
        app.desk.rest = 0  # the story follows the cursor at once
        return app


class Desk:
    """Somebody at the keys: presses them, waits for what follows, and reads the screen."""

    def __init__(self, pilot: Pilot[int], world: World) -> None:
        self.pilot = pilot
        self.world = world

    @property
    def shell(self) -> Shell:
        """The screen behind all dialogues."""
        shell = self.pilot.app.screen_stack[0]
        assert isinstance(shell, Shell)
        return shell

    async def settle(self) -> None:
        """Wait until all that is under way is done and shown, and twice found nothing more to wait for."""
        workers, quiet = self.pilot.app.workers, 0
        while quiet < 2:
            with contextlib.suppress(WorkerCancelled):  # given up for a newer one of its kind
                await workers.wait_for_complete()
            await self.pilot.pause()
            quiet = quiet + 1 if all(worker.is_finished for worker in workers) else 0

    async def press(self, *names: str) -> None:
        """Press keys, one after the other."""
        for name in names:
            await self.pilot.press(name)
            await self.settle()

    async def poll(self) -> None:
        """Ask for the pulse now, as the timer would."""
        self.shell.polling.ask_now()
        await self.settle()

    async def click(self, name: str, words: str) -> None:
        """Click on these words of a line of the frame, or of the tabs."""
        bar = self.shell.query_one(f"#{name}", Bar) if name != "tabs" else self.shell.section.tab_bar
        line = self.screen[bar.region.y]
        await self.pilot.click(bar, offset=(line.index(words), 0))
        await self.settle()

    @property
    def screen(self) -> list[str]:
        """The lines of the screen."""
        strips = self.pilot.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip).rstrip() for strip in strips]

    @property
    def text(self) -> str:
        """The screen as one text."""
        return "\n".join(self.screen)

    def bar(self, name: str) -> str:
        """What a line of the frame says: identity, status or footer."""
        return self.shell.query_one(f"#{name}", Bar).words

    @property
    def cursor(self) -> str:
        """The line that the cursor stands on."""
        return next((line for line in self.screen if line.startswith("▌") or "▌" in line[:80]), "")


def open_world(url: str, data: Path) -> World:
    """A shop without orders, on a migrated store; the caller closes it."""
    clock = ServerClock(NOW)
    store = open_store(url, Path(), clock)
    staff = let_staff_in(store)
    store.write(lambda tx: settings.set_value(tx, "shop.name", "Sunday Socks"))
    config = ServerConfig(data_dir=data, variables={"SHOPBELL_STRIPE_WEBHOOK_SECRETS": STRIPE_SECRET})
    app = create_app(store, config)
    return World(store, clock, staff, Line(app), in_process(app))


def close_world(world: World) -> None:
    """Close what was opened."""
    world.http.close()
    world.store.close()


def furnish(world: World) -> None:
    """The shop as most flows find it: a dozen orders, three things that need attention, one of them twice."""
    world.at("05:10")
    first = world.order("Ola Berg", 6400)
    world.step(first, "cancelled", reason="the customer changed their mind")
    world.at("07:02")
    shipped = world.order("Mei Lin", 11250, thing="Sunday Socks, three pairs, merino wool")
    world.step(shipped, "submitted", provider="Printify", provider_order_id="PFY-78290")
    world.at("08:30")
    world.step(
        shipped,
        "shipped",
        carrier="DHL",
        tracking_number="JD014600",
        tracking_url="https://track.example/JD014600",
    )
    world.at("09:14")
    world.order("Nadia Okafor", 1900, paid=False)
    for minute, (name, amount) in enumerate(
        [("Ines Duarte", 4300), ("Søren Kjær", 2800), ("Priya Nair", 1900), ("Jean-Luc O'Brien [/b]", 6400)]
    ):
        world.at(f"09:{20 + minute * 3}")
        world.order(name, amount)
    world.at("09:40")
    world.tell("stock", "Only 3 pairs of the blue ones are left", "warning")
    world.at("09:58")
    other = world.order("Ana María Restrepo de la Cruz", 11250, thing="Wool blanket")
    world.at("10:00")
    failed = world.order("Tom Avery", 2800, thing="Heavy Cotton Tee, M Black")
    world.at("10:02")
    world.fail(other)
    world.at("10:05")
    world.fail(failed)
    world.at("10:10")
    making = world.order("Ines Duarte", 4300)
    world.step(making, "submitted", provider="Printify", provider_order_id="PFY-78299")
    world.step(making, "processing", provider="Printify")
    world.at("10:14")
