"""The practice shop's store: made, furnished, and refused when it is somebody's real shop.

Also the small in-process shop of tests and pictures: ``rehearse``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from server.accounts import service as accounts
from server.accounts import users
from server.app import boot
from server.app.assembly import App, create_app
from server.kit import checks
from server.kit.access import Principal
from server.kit.clock import DAY, FrozenClock
from server.kit.config import ConfigError, ServerConfig
from server.kit.db import Store
from server.kit.ids import random_text
from server.kit.migrate import migrate
from server.kit.problems import ProblemError
from server.kit.tx import Tx
from server.practice.actions import Action
from server.practice.caller import in_process
from server.practice.cast import OWNER_EMAIL, OWNER_NAME, SHOP_CURRENCY, SHOP_NAME, SHOP_TIME_ZONE, STAFF
from server.practice.clock import PracticeClock, PracticeStore
from server.practice.player import Player
from server.settings import service as settings

ENVIRONMENT: Final = "practice"
PROGRAM: Final = "shop front"
"""What the shop's own program is called: its events name it."""
TOKEN_DAYS: Final = 366
_RENEW_BEFORE: Final = 30 * DAY
_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz23456789"


class NotPracticeError(ConfigError):
    """The data directory holds a shop that is not for practice."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What opens the shop: the Owner's token, that of the shop's own program, and that of the Owner's colleague."""

    owner: str = field(repr=False)
    program: str = field(repr=False)
    colleague: str = field(default="", repr=False)


@contextlib.contextmanager
def practice_store(data: Path, clock: PracticeClock) -> Iterator[PracticeStore]:
    """The store in a data directory, checked and brought up to date, for the length of a ``with`` block.

    Always a file in that directory: whatever database the environment names, practising never touches it.

    Raises:
        ConfigError, StoreError, SchemaTooNewError: one sentence.
    """
    boot.check_place(ServerConfig(data_dir=data))
    checks.check_file(data / "shop.db")
    with checks.explained():
        store = PracticeStore(data / "shop.db", clock)
        try:
            migrate(store)
        except BaseException:
            store.close()
            raise
    try:
        yield store
    finally:
        store.close()


def furnish(tx: Tx, keys: Keys | None = None) -> Keys:
    """Make the practice shop of an empty store; of one that is, renew only the keys that no longer open it.

    Args:
        tx: the transaction.
        keys: the keys so far.

    Raises:
        NotPracticeError: the store holds another shop; nothing is touched.
    """
    owner = accounts.first_owner(tx)
    if owner is None:
        settings.set_value(tx, "shop.environment", ENVIRONMENT)
        settings.set_value(tx, "shop.name", SHOP_NAME)
        settings.set_value(tx, "shop.currency", SHOP_CURRENCY)
        settings.set_value(tx, "shop.time_zone", SHOP_TIME_ZONE)
        settings.set_value(tx, "tickets.enabled", "on")
        # Months of answers are told while one watches; mailed, they would look as if they left now.
        settings.set_value(tx, "tickets.reply_mail", "off")
        owner = accounts.create_owner(tx, email=OWNER_EMAIL, name=OWNER_NAME)
    elif settings.get(tx, "shop.environment") != ENVIRONMENT:
        raise NotPracticeError(
            "This data directory holds a real shop, and practising would fill it with invented orders. "
            "Choose another directory."
        )
    if keys is not None and all(_opens(tx, key) for key in (keys.owner, keys.program, keys.colleague)):
        return keys
    colleague = _staff(tx, owner)
    _, owner_token = accounts.make_token(tx, user_id=owner, role="owner", name="practice", days=TOKEN_DAYS)
    _, program_token = accounts.make_token(tx, user_id=None, role="storefront", name=PROGRAM, days=TOKEN_DAYS)
    _, colleague_token = accounts.make_token(
        tx, user_id=colleague, role="support", name="the other desk", days=TOKEN_DAYS
    )
    return Keys(owner_token, program_token, colleague_token)


def _staff(tx: Tx, owner: str) -> str:
    """Let the Owner's people in, unless they are; gives the one who answers tickets."""
    caller = Principal(token_id="", token_name="practice", role="owner", user_id=owner)  # noqa: S106 - no secret
    found = ""
    for role, name, email in STAFF:
        known = users.find_by_email(tx, email) or users.create_user(
            tx, email=email, name=name, role=role, caller=caller
        )
        found = known if role == "support" else found
    return found


def _opens(tx: Tx, token: str) -> bool:
    """Whether a token is good, and for a while yet."""
    try:
        expires_at = accounts.authenticate(tx, token).expires_at
    except ProblemError:
        return False
    return expires_at is None or expires_at > tx.now + _RENEW_BEFORE


def new_secret() -> str:
    """A webhook secret of our own: shared by Stripe's part and the server's, and never written down."""
    return f"whsec_{random_text(32, _LETTERS)}"


@contextlib.contextmanager
def standing_at(clock: FrozenClock, moment: int) -> Iterator[None]:
    """A frozen clock stands at a moment from here on."""
    clock.set(moment)
    yield


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A practice shop on a frozen clock.

    Args:
        app: the application, to serve or to call in this process.
        keys: its tokens.
        player: plays further actions; each moves the clock to its moment.
        secret: what its webhooks are signed with.
    """

    app: App
    keys: Keys
    player: Player
    secret: str = field(repr=False)


def _connect(tx: Tx) -> None:
    """A story tells by itself what was submitted and mailed; what stands open could be tried again at Printify."""
    for name, text in (
        ("fulfilment.provider", "printify"),
        ("fulfilment.automatic", "off"),
        ("printify.token", new_secret()),
        ("printify.shop_id", "1"),
        ("mail.confirmation", "off"),
        ("mail.shipping", "off"),
        ("tickets.reply_mail", "off"),
    ):
        settings.set_value(tx, name, text)


async def rehearse(store: Store, clock: FrozenClock, actions: Iterable[Action], data: Path) -> Rehearsal:
    """Furnish a migrated store and play a story into it, strictly: for tests and for pictures.

    The application belongs to the running event loop. The clock comes back to where it stood.

    Args:
        store: open, migrated and empty, on ``clock``; either database.
        clock: stands where the story is looked at.
        actions: what happens, in time order (``scenes.picture(clock.now())``).
        data: the data directory that the application is told.

    Raises:
        RefusedError: the server did not take one of the actions.
        NotPracticeError: the store holds another shop.
    """
    now = clock.now()
    keys = store.write(furnish)
    secret = new_secret()
    app = create_app(
        store, ServerConfig(data_dir=data, variables={"SHOPBELL_STRIPE_WEBHOOK_SECRETS": secret})
    )
    player = Player(
        in_process(app),
        at=lambda moment: standing_at(clock, moment),
        staff=keys.owner,
        program=keys.program,
        secret=secret,
        colleague=keys.colleague,
    )
    store.write(_connect)
    try:
        await player.play_all(actions)
    finally:
        clock.set(now)
    return Rehearsal(app, keys, player, secret)
