"""A real shop behind a real server, with a provider, and somebody who types commands."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.app import create_app
from server.jobs.runner import Runner
from server.kit.access import Role
from server.kit.clock import FrozenClock
from server.kit.config import ServerConfig
from server.kit.crypto import Key, KeyRing, SecretBox
from server.kit.db import open_store
from tests.flows.world import NOW, Line, World, furnish
from tests.server.conftest import STRIPE_SECRET, let_staff_in, migrated
from tests.server.fulfilment.houses import open_server
from tests.server.fulfilment.works import Works, put_settings, settings_of, stocked
from tests.support.serving import Served, serving
from tui import cli


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document that it printed."""
        [line] = self.out.splitlines()
        return json.loads(line)


@dataclass
class Shop:
    """The shop, its world, its provider, and the commands."""

    world: World
    works: Works
    served: Served
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    def run(self, *arguments: str, role: Role = "owner", typed: str | None = None) -> Ran:
        """Run ``shopbell ARGUMENTS…`` with the token of a role and with this on standard input."""
        self.monkeypatch.setenv("SHOPBELL_TOKEN", self.world.staff.tokens[role])
        self.monkeypatch.setattr(sys, "stdin", io.StringIO(typed or ""))
        self.capsys.readouterr()
        code = cli.main([*arguments, "--url", self.served.url])
        told = self.capsys.readouterr()
        return Ran(code, told.out, told.err)

    def json(self, *arguments: str, **how: Any) -> Any:
        """The document that a command prints; it must succeed."""
        ran = self.run(*arguments, "--json", **how)
        assert ran.code == 0, ran.err
        return ran.json

    def ordered(self, **changed: Any) -> str:
        """A paid order of what the provider makes, not submitted by itself: its number."""
        self.works.set(fulfilment__automatic="off")
        return self.works.order(**changed).number


@pytest.fixture(scope="session")
def prepare_database() -> Callable[[str], None]:
    """Every shop's database begins with its tables."""
    return migrated


@pytest.fixture
def shop(
    sqlite_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shop]:
    """A shop on an ordinary morning, served on the loopback."""
    clock = FrozenClock(NOW)
    store = open_store(sqlite_url, Path(), clock)
    store.setting_source.box = SecretBox(KeyRing([Key.of(b"the key of the tests' secrets...")]))
    staff = let_staff_in(store)
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    config = ServerConfig(data_dir=data, variables={"SHOPBELL_STRIPE_WEBHOOK_SECRETS": STRIPE_SECRET})
    app = create_app(store, config)
    provider = open_server("printify", clock)
    with serving(app, config) as served, served.client() as http, httpx.Client() as stranger:
        stranger.headers.update(staff.bearer("owner"))
        world = World(store, clock, staff, Line(app), http)
        furnish(world)
        put_settings(
            store, {"shop.name": "Sunday Socks", "fulfilment.provider": "printify", **settings_of(provider)}
        )
        works = Works(store, clock, provider, http, staff, Runner(store, vary=lambda: 0.5), stocked(provider))
        works.sync()
        http.headers.update(staff.bearer("owner"))
        yield Shop(world, works, served, capsys, monkeypatch)
    provider.close()
    store.close()
