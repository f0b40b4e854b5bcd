"""What ``shopbelld`` does besides serving. Each command prints its result on stdout and everything else on stderr."""

from __future__ import annotations

import platform
import shlex
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from sqlalchemy import func, inspect, select, table, text
from sqlalchemy.engine import make_url

from server.accounts import service as accounts
from server.accounts import setup, users
from server.accounts.service import DEFAULT_DAYS
from server.activity import service as activity_log
from server.activity.models import activity
from server.app import backup as backups
from server.app import boot, registered  # noqa: F401 - every room's rules and jobs
from server.audit import retention as audit_retention
from server.audit import service as audit
from server.deletion import erasures, replay, traces
from server.kit import checks
from server.kit.access import RANK, Role
from server.kit.clock import DAY, Clock, rfc3339
from server.kit.config import ConfigError, ServerConfig
from server.kit.crypto import KEY_FILE, Key, KeyTroubleError
from server.kit.db import Store
from server.kit.lock import sole_server
from server.kit.migrate import HEAD, current
from server.kit.schema import store_fact
from server.kit.sqlite import sqlite_version
from server.kit.tx import Tx
from server.settings import service as settings

DEFAULT_EMAIL: Final = "owner@localhost"
DONE, REFUSED, NOT_WELL = 0, 1, 4


def _out(line: str) -> None:
    sys.stdout.write(line + "\n")


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


def init(
    config: ServerConfig, *, owner_email: str | None, shop_name: str | None, clock: Clock | None = None
) -> int:
    """Make the store and its Owner; the Owner's token alone goes to stdout, once."""

    def unit(tx: Tx) -> str | None:
        setup.alone(tx)
        if accounts.has_owner(tx):
            return None
        if shop_name is not None:
            settings.set_value(tx, "shop.name", shop_name)
        owner = accounts.create_owner(tx, email=owner_email or DEFAULT_EMAIL)
        return accounts.make_token(tx, user_id=owner, role="owner", name="first token")[1]

    with boot.checked_store(config, clock) as store:
        made = store.write(unit)
    if made is None:
        _say(
            "This shop has its Owner already; nothing was changed. For another token: shopbelld token create"
        )
        return REFUSED
    _out(made)
    return DONE


def token_create(
    config: ServerConfig,
    *,
    role: Role,
    name: str,
    days: int = DEFAULT_DAYS,
    user: str | None = None,
    clock: Clock | None = None,
) -> int:
    """Make a token for the Owner, or for the user with this e-mail; it alone goes to stdout."""

    def unit(tx: Tx) -> str:
        if role == "storefront":
            return accounts.make_token(tx, user_id=None, role=role, name=name, days=days)[1]
        holder = users.find_by_email(tx, user) if user else accounts.first_owner(tx)
        if holder is None:
            raise ConfigError(
                f"There is no member of staff with the e-mail {user}."
                if user
                else "This shop has no Owner yet: shopbelld init"
            )
        if RANK[users.get(tx, holder).role] < RANK[role]:
            raise ConfigError(f"{user} is no {role}, so neither can a token be.")
        return accounts.make_token(tx, user_id=holder, role=role, name=name, days=days)[1]

    with boot.checked_store(config, clock) as store:
        _out(store.write(unit))
    return DONE


def owner_add(config: ServerConfig, *, owner_email: str, clock: Clock | None = None) -> int:
    """Make one more Owner and a token: for whoever has the machine when no Owner can be reached."""

    def unit(tx: Tx) -> str:
        owner = accounts.create_owner(tx, email=owner_email, by="command")
        return accounts.make_token(tx, user_id=owner, role="owner", name="first token")[1]

    with boot.checked_store(config, clock) as store:
        _out(store.write(unit))
    return DONE


def prune(config: ServerConfig, clock: Clock | None = None) -> int:
    """Let go of activity and of the audit log's entries that are older than the shop keeps them."""
    with boot.checked_store(config, clock) as store:
        for sentence in store.read(settings.complaints):
            _say(sentence)
        days = store.read(lambda tx: settings.get(tx, "activity.retention_days"))
        gone = activity_log.prune(store, days)
        audited = store.read(lambda tx: settings.get(tx, "audit.retention_days"))
        forgotten = audit_retention.prune(store, audited)
    _out(f"{gone} entries older than {days} days went.")
    _out(f"{forgotten} entries of the audit log older than {audited} days went.")
    return DONE


def key_rotate(config: ServerConfig, clock: Clock | None = None) -> int:
    """Make a new key for the secrets at rest, where it is ours to make, and seal every secret with it."""
    with boot.checked_store(config, clock) as store:
        ring = store.setting_source.box.ring
        if ring.given:
            _say(
                f"The key comes from {ring.where}: its first line seals. To change it, put a new line before it."
            )
        else:
            ring.add(Key.new())
        done, left = store.write(settings.seal_anew)
        key = ring.current()
    _out(f"{_counted(done)} sealed with the key {key.id} ({ring.where}).")
    if not ring.given and len(ring.known()) > 1:
        _say("The keys before it stay in the file: older backups need them.")
    if left:
        _say(f"{_counted(left)} not sealed anew: no key that is known here opens them. Enter them again.")
    return NOT_WELL if left else DONE


def _counted(secrets: int) -> str:
    return "1 secret is" if secrets == 1 else f"{secrets} secrets are"


def backup(config: ServerConfig, file: Path, clock: Clock | None = None) -> int:
    """Copy the data file while the server runs, and verify the copy."""
    if not config.is_file:
        _say("The shop's data is in PostgreSQL, which has its own backup. Run:")
        _say(f"  pg_dump --format=custom --file={shlex.quote(str(file))} {_libpq(config)}")
        _say("and keep the list of erasures with it: shopbelld erasures list")
        return REFUSED
    boot.check_place(config)
    manifest = backups.make_backup(config.data_dir / "shop.db", file.expanduser().absolute(), clock)
    with boot.checked_store(config, clock) as store:
        store.write(backups.note_backup)
        erasures.complete(config.data_dir / erasures.FILE, store.read(erasures.in_table))
    rows = sum(manifest.counts.values())
    _out(f"{file}: {manifest.bytes} bytes, {rows} rows, {_known_erasures(manifest)}, verified.")
    return DONE


def restore(config: ServerConfig, file: Path, clock: Clock | None = None) -> int:
    """Put a backup in the place of the data file, which is kept beside it."""
    if not config.is_file:
        _say("The shop's data is in PostgreSQL. Stop every shopbelld, then run:")
        _say(f"  pg_restore --clean --if-exists --dbname={_libpq(config)} {shlex.quote(str(file))}")
        _say("and, before any shopbelld is started again: shopbelld erasures replay LIST")
        return REFUSED
    boot.check_place(config)
    with sole_server(config.data_dir):
        trouble = keep_list(config, clock)
        manifest, aside = backups.put_back(file.expanduser().absolute(), config.data_dir / "shop.db", clock)
        with boot.checked_store(config, clock) as store:
            store.write(
                lambda tx: audit.record(
                    tx, "store.restored", caller=None, metadata={"backup_sha256": manifest.sha256}
                )
            )
            again = replay.catch_up(store)
            if again.erased:
                traces.clean(store, frozenset(), lambda _seconds: False, lambda _what: None)
            lost = sum(not each.opens for each in store.read(settings.sealed))
    _out(f"The shop is as it was at {manifest.made_at} ({sum(manifest.counts.values())} rows).")
    for sentence in again.sentences() or ["Nobody was to be erased again."]:
        _out(sentence)
    if trouble is not None:
        _say(trouble)
    if aside is not None:
        _say(f"What stood there before is kept in {aside}.")
    if lost:
        _say(
            f"{_counted(lost)} unreadable with the key of this machine and count as unset: put back "
            f"{KEY_FILE}, which is no part of a backup, or enter them again."
        )
    _say("Tokens revoked since that backup are good again: look through them.")
    return DONE


def keep_list(config: ServerConfig, clock: Clock | None = None) -> str | None:
    """Put what the data file knows of erasures into the list beside it, before the file goes.

    Returns:
        A sentence where the file cannot be asked (it is gone, or damaged): then the list alone holds.
    """
    if not (config.data_dir / "shop.db").exists():
        return None
    try:
        with boot.checked_store(config, clock) as store:
            erasures.complete(config.data_dir / erasures.FILE, store.read(erasures.in_table))
    except Exception:  # noqa: BLE001 - whatever is wrong with the old file, the backup takes its place
        return f"The old data file cannot be read: whom to erase again is known from {erasures.FILE} beside it alone."
    return None


def _known_erasures(manifest: backups.Manifest) -> str:
    return "1 erasure" if manifest.erasures == 1 else f"{manifest.erasures} erasures"


def doctor(config: ServerConfig, clock: Clock | None = None) -> int:
    """Say how the shop's store is, and what is not well."""
    _out(f"shopbell {_own_version()}, Python {platform.python_version()}, schema {HEAD}")
    with boot.checked_store(config, clock) as store:
        _out(f"store: {boot.data_file(config)}, {_engine(store)}, checks passed")
        for line in store.read(_figures):
            _out(line)
        _out(_secrets(store))
        troubles = [*boot.warnings(config, store), *store.read(settings.complaints)]
        if config.is_file:
            troubles += store.read(_backup_trouble)
            with checks.explained():
                backups.inspect(config.data_dir / "shop.db")
            _out("full integrity check passed")
    for trouble in troubles:
        _out(f"! {trouble}")
    return NOT_WELL if troubles else DONE


def _secrets(store: Store) -> str:
    """The key and how many secrets it opens."""
    found, ring = store.read(settings.sealed), store.setting_source.box.ring
    opened = f"{len(found)} stored, {sum(each.opens for each in found)} open"
    try:
        known = ring.known()
    except KeyTroubleError as trouble:
        return f"secrets: no key ({trouble}), {opened}"
    return (
        f"secrets: key {known[0].id} ({ring.where}), {opened}" if known else f"secrets: no key yet, {opened}"
    )


def _own_version() -> str:
    try:
        return version("shopbell")
    except PackageNotFoundError:
        return "(not installed)"


def _engine(store: Store) -> str:
    if store.dialect == "sqlite":
        return "SQLite " + ".".join(map(str, sqlite_version()))
    return store.read(lambda tx: str(tx.execute(text("SELECT version()")).scalar())).split(" on ")[0]


def _figures(tx: Tx) -> list[str]:
    names = sorted(name for name in inspect(tx.conn).get_table_names() if "_words" not in name)
    counts = {name: tx.execute(select(func.count()).select_from(table(name))).scalar_one() for name in names}
    gaps = tx.execute(
        select(func.count()).select_from(activity).where(activity.c.type == "activity.gap")
    ).scalar_one()
    return [
        f"schema of the store: {current(tx.conn)}",
        "rows: " + ", ".join(f"{name} {count}" for name, count in counts.items()),
        f"log gaps: {gaps}",
    ]


def _backup_trouble(tx: Tx) -> list[str]:
    made = tx.execute(select(store_fact.c.value).where(store_fact.c.name == backups.LAST_BACKUP)).scalar()
    if made is None:
        return ["There is no backup yet: shopbelld backup FILE"]
    age = (tx.now - int(made)) // DAY
    return [f"The last backup is {age} days old ({rfc3339(int(made))})."] if age >= 2 else []


def _libpq(config: ServerConfig) -> str:
    """The database's address for the command line of PostgreSQL's tools, without its password."""
    url = make_url(config.database_url or "")._replace(drivername="postgresql", password=None)
    return shlex.quote(url.render_as_string())
