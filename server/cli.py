"""``shopbelld``: the server of a shop, from the command line."""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from server.kit.config import ServerConfig

EPILOG = """\
exit codes:
  0  done
  1  refused: there was nothing to do, or it must not be done (a second init, a damaged backup)
  2  the command line is wrong
  3  the set-up is wrong: data directory, address, environment
  4  the store cannot be used, or (doctor) is not well
  5  the data was written by a newer shopbell
  6  another shopbelld runs on the same data
  70 a mistake of the program

environment:
  SHOPBELL_DATA                   the data directory, where --data is not given
  SHOPBELL_DATABASE_URL           PostgreSQL (postgresql://...) instead of a file in the data directory
  SHOPBELL_ALLOWED_HOSTS          names that clients may use in the Host header besides the loopback's
  SHOPBELL_SECRET_KEY_FILE        a file with the key of the secrets at rest, where it is not in the data directory
  SHOPBELL_SECRET_KEY             that key itself
  SHOPBELL_<SETTING>              any setting, such as SHOPBELL_MAIL_SMTP_HOST for mail.smtp.host; it goes before what
                                  is stored. SHOPBELL_<SECRET>_FILE names a file that holds a secret
"""
MISTAKE = 70


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="shopbelld",
        description="Holds a shop's orders and what happened to them, and serves them to shopbell.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    init = _command(commands, "init", "make the store and its Owner; prints the Owner's token, once")
    init.add_argument("--owner-email", metavar="E", help="the Owner's e-mail (default: owner@localhost)")
    init.add_argument("--shop-name", metavar="N")

    serve = _command(commands, "serve", "serve, and run the shop's jobs, until SIGTERM or Ctrl-C")
    serve.add_argument("--host", default="127.0.0.1", help="where to listen (default: %(default)s)")
    serve.add_argument("--port", type=int, default=7373, help="0 for any free one (default: %(default)s)")
    serve.add_argument("--uds", type=Path, metavar="PATH", help="listen on a Unix socket instead")

    serve.add_argument("--no-work", action="store_true", help="run no jobs: processes of `shopbelld work` do")

    _command(
        commands, "work", "run the shop's jobs beside its servers, on PostgreSQL, until SIGTERM or Ctrl-C"
    )

    token = commands.add_parser("token", help="tokens").add_subparsers(
        dest="action", required=True, metavar="ACTION"
    )
    create = _command(token, "create", "make a token; prints it, once")
    create.add_argument(
        "--role", required=True, choices=("owner", "admin", "support", "readonly", "storefront")
    )
    create.add_argument("--name", required=True, metavar="N", help="what to call it")
    create.add_argument(
        "--days", type=int, default=90, help="good for so long, 366 at most (default: %(default)s)"
    )
    create.add_argument("--user", metavar="E", help="e-mail of the user it is for (default: the Owner)")

    owner = commands.add_parser("owner", help="when no Owner can be reached").add_subparsers(
        dest="action", required=True, metavar="ACTION"
    )
    add = _command(owner, "add", "make one more Owner; prints a token, once")
    add.add_argument("--owner-email", required=True, metavar="E")

    key = commands.add_parser("key", help="the key of the secrets at rest").add_subparsers(
        dest="action", required=True, metavar="ACTION"
    )
    _command(key, "rotate", "make a new key and seal every secret with it, also while the server runs")

    _erasure_commands(commands)
    _command(commands, "prune", "let go of activity and audit entries older than the shop keeps them")
    for name, what in (
        ("backup", "copy the data file, also while the server runs, and verify the copy"),
        ("restore", "put a verified backup in the place of the data file"),
    ):
        _command(commands, name, what).add_argument("file", type=Path, metavar="FILE")
    _command(commands, "doctor", "versions, checks, counts, log gaps, age of the backup")
    return top


def _erasure_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    receipt = commands.add_parser("receipt", help="receipts of erasures").add_subparsers(
        dest="action", required=True, metavar="ACTION"
    )
    show = _command(receipt, "show", "print the receipt of an erasure, to be kept")
    show.add_argument("id", metavar="ID", help="the deletion's")
    verify = _command(receipt, "verify", "whether a receipt's signature holds and a key of this shop made it")
    verify.add_argument("file", metavar="FILE", help="- for standard input")
    verify.add_argument(
        "--key", metavar="HEX", help="the shop's public key, where its data directory is not at hand"
    )
    _command(receipt, "key", "print the public keys of this shop's receipts, the one that signs now first")
    erasures = commands.add_parser("erasures", help="the list of erasures").add_subparsers(
        dest="action", required=True, metavar="ACTION"
    )
    _command(erasures, "list", "print the list, to be kept beside a dump of the database")
    replay = _command(erasures, "replay", "erase again whom a database that was put back still holds")
    replay.add_argument("file", type=Path, metavar="FILE")


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, what: str
) -> argparse.ArgumentParser:
    made = commands.add_parser(name, help=what, description=what[0].upper() + what[1:] + ".")
    made.add_argument("--data", type=Path, metavar="DIR", help="the data directory")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command. Every error is one sentence on stderr and an exit code."""
    given = parser().parse_args(argv)
    try:
        return _run(given)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return MISTAKE
    except Exception as error:  # noqa: BLE001 - no traceback reaches the terminal: it could show somebody's data
        code, sentence = _explained(error)
        sys.stderr.write(f"shopbelld: {sentence}\n")
        return code


def _run(given: argparse.Namespace) -> int:
    from server.kit.config import load_config  # noqa: PLC0415 - --help loads nothing

    config = load_config(given.data)
    if given.command == "serve":
        gc.disable()  # all that is imported stays: looking for garbage in it would take a tenth of the start
        from server.app.running import serve  # noqa: PLC0415

        gc.enable()
        serve(config, host=given.host, port=given.port, uds=given.uds, working=not given.no_work)
        return 0
    if given.command == "work":
        from server.app.working import work  # noqa: PLC0415

        work(config)
        return 0
    if given.command in ("receipt", "erasures"):
        return _of_erasures(config, given)
    from server.app import commands  # noqa: PLC0415

    run: dict[str, Callable[[], int]] = {
        "init": lambda: commands.init(config, owner_email=given.owner_email, shop_name=given.shop_name),
        "token": lambda: commands.token_create(
            config, role=given.role, name=given.name, days=given.days, user=given.user
        ),
        "owner": lambda: commands.owner_add(config, owner_email=given.owner_email),
        "key": lambda: commands.key_rotate(config),
        "prune": lambda: commands.prune(config),
        "backup": lambda: commands.backup(config, given.file),
        "restore": lambda: commands.restore(config, given.file),
        "doctor": lambda: commands.doctor(config),
    }
    return run[given.command]()


def _of_erasures(config: ServerConfig, given: argparse.Namespace) -> int:
    from server.app import erasure_commands as commands  # noqa: PLC0415

    run: dict[tuple[str, str], Callable[[], int]] = {
        ("receipt", "show"): lambda: commands.receipt_show(config, given.id),
        ("receipt", "verify"): lambda: commands.receipt_verify(config, given.file, given.key),
        ("receipt", "key"): lambda: commands.receipt_key(config),
        ("erasures", "list"): lambda: commands.erasures_list(config),
        ("erasures", "replay"): lambda: commands.erasures_replay(config, given.file),
    }
    return run[given.command, given.action]()


def _explained(error: Exception) -> tuple[int, str]:
    """The exit code and the sentence for an exception."""
    from server.app.backup import BackupError  # noqa: PLC0415 - only when something went wrong
    from server.kit.checks import StoreError  # noqa: PLC0415
    from server.kit.config import ConfigError  # noqa: PLC0415
    from server.kit.crypto import KeyTroubleError  # noqa: PLC0415
    from server.kit.failures import explain  # noqa: PLC0415
    from server.kit.lock import AlreadyRunningError  # noqa: PLC0415
    from server.kit.log import places  # noqa: PLC0415
    from server.kit.migrate import SchemaTooNewError  # noqa: PLC0415
    from server.kit.problems import ProblemError  # noqa: PLC0415

    known: tuple[tuple[type[Exception], int], ...] = (
        (AlreadyRunningError, 6),
        (ConfigError, 3),
        (StoreError, 4),
        (SchemaTooNewError, 5),
        (BackupError, 1),
        (KeyTroubleError, 3),
    )
    for kind, code in known:
        if isinstance(error, kind):
            return code, str(error)
    if isinstance(error, ProblemError):
        return 1, error.detail or error.code
    failure = explain(error)
    if failure is not None:
        return 4, failure.sentence
    where = places(error.__traceback__)
    return (
        MISTAKE,
        f"a mistake of the program ({type(error).__name__} in {where[-1] if where else 'a library'}).",
    )


if __name__ == "__main__":
    sys.exit(main())
