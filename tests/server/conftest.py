"""What the server's tests stand on: a frozen clock, a migrated store on each database, the real application."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from server.accounts import service as accounts
from server.accounts import users
from server.app import App, create_app
from server.contract.access import StaffRole
from server.kit.access import Principal, Role
from server.kit.clock import FrozenClock
from server.kit.config import ServerConfig
from server.kit.crypto import Key, KeyRing, SecretBox
from server.kit.db import Store, open_store
from server.kit.migrate import migrate
from server.kit.tx import Tx
from server.practice.mail_server import MailServer
from tests.support import stripe_events
from tests.support.serving import Served, in_process, serving

START = "2026-02-23T10:00:00Z"
STRIPE_SECRET = stripe_events.SECRET
STAFF: tuple[StaffRole, ...] = ("owner", "admin", "support", "readonly")


def migrated(url: str) -> None:
    """Make the tables, and leave no connection open."""
    store = open_store(url, Path(), FrozenClock(START))
    try:
        migrate(store)
    finally:
        store.close()


@pytest.fixture(scope="session")
def prepare_database() -> Callable[[str], None]:
    """Every database of the server's tests begins with its tables."""
    return migrated


@pytest.fixture
def clock() -> FrozenClock:
    """Stands at 2026-02-23T10:00:00Z until a test moves it."""
    return FrozenClock(START)


@pytest.fixture
def store(database_url: str, clock: FrozenClock) -> Iterator[Store]:
    """An empty, migrated store: the test runs once on SQLite and once on PostgreSQL."""
    opened = open_store(database_url, Path(), clock)
    opened.setting_source.box = SecretBox(KeyRing([Key.of(b"the key of the tests' secrets...")]))
    yield opened
    opened.close()


@dataclass(frozen=True)
class Staff:
    """One user of each role, and a token of each role (the storefront's belongs to no user)."""

    users: dict[StaffRole, str]
    tokens: dict[Role, str]

    def bearer(self, role: Role) -> dict[str, str]:
        """The header of a request with that role's token."""
        return {"Authorization": f"Bearer {self.tokens[role]}"}

    def principal(self, role: Role) -> Principal:
        """The caller that the token of that role stands for, as services take one."""
        parsed = self.tokens[role].split("_")[2]
        user = next((user for name, user in self.users.items() if name == role), None)
        return Principal(parsed, role, role, user)


def let_staff_in(store: Store) -> Staff:
    """Make the Owner, and through the Owner everybody else."""

    def unit(tx: Tx) -> Staff:
        owner = accounts.create_owner(tx, email="owner@example.com", name="Olive Owner")
        caller = Principal("tests", "tests", "owner", owner)
        ids: dict[StaffRole, str] = {"owner": owner}
        for role in STAFF[1:]:
            ids[role] = users.create_user(
                tx, email=f"{role}@example.com", name=role.title(), role=role, caller=caller
            )
        tokens: dict[Role, str] = {
            role: accounts.make_token(tx, user_id=ids[role], role=role, name=role)[1] for role in STAFF
        }
        _, tokens["storefront"] = accounts.make_token(tx, user_id=None, role="storefront", name="storefront")
        return Staff(ids, tokens)

    return store.write(unit)


@pytest.fixture
def staff(store: Store) -> Staff:
    """The shop has an Owner, an Admin, a supporter, a reader and a storefront, each with a token."""
    return let_staff_in(store)


@pytest.fixture
def config(tmp_path: Path) -> ServerConfig:
    """The set-up of the application: a private data directory, one webhook secret."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    return ServerConfig(data_dir=data, variables={"SHOPBELL_STRIPE_WEBHOOK_SECRETS": STRIPE_SECRET})


@pytest.fixture
def post() -> Iterator[MailServer]:
    """A mail server on the loopback that takes everything until told otherwise."""
    with MailServer() as running:
        yield running


@pytest.fixture
def app(store: Store, config: ServerConfig, staff: Staff) -> App:
    """The real application on the store."""
    return create_app(store, config)


@pytest.fixture
def http(app: App) -> Iterator[httpx.Client]:
    """A client of the application, without a network between."""
    with in_process(app) as client:
        yield client


@pytest.fixture
def served(app: App, config: ServerConfig) -> Iterator[Served]:
    """The application served by uvicorn on a free loopback port."""
    with serving(app, config) as running:
        yield running


@pytest.fixture
def wire(served: Served) -> Iterator[httpx.Client]:
    """A client of the running server."""
    with contextlib.closing(served.client()) as client:
        yield client
