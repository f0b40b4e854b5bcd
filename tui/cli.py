"""``shopbell``: the client, from the command line.

Nothing but argparse is imported before the command line is understood, so that help and version come at once; the
screens come before httpx and the contract's models.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from tui.commands import grammar

if TYPE_CHECKING:
    from tui.api.client import Client
    from tui.api.config import Config, Environment
    from tui.api.credentials import TokenStore
    from tui.api.embedded import PrivateServer
    from tui.api.endpoint import Endpoint
    from tui.api.secret import Secret

DONE, FAILED, WRONG_USE, INTERRUPTED = 0, 1, 2, 130

EPILOG = """\
Without --url, --profile or --uds, shopbell opens your own shop on this computer. orders, activity, jobs, settings and
products do without screens what the screens do, for scripts; `shopbell orders --help` and so on tell their exit codes.

environment:
  SHOPBELL_URL         the server, as --url
  SHOPBELL_TOKEN       the token for it, or SHOPBELL_TOKEN_FILE, a file that only you can read
  SHOPBELL_CONFIG      another config file
  SHOPBELL_DATA        where your own shop's data stands
  NO_COLOR             no colours
"""


def parser() -> grammar.Parser:
    """The command line."""
    looks = grammar.Parser(add_help=False, argument_default=argparse.SUPPRESS)
    looks.add_argument("--theme", metavar="NAME", help="colours, for example shopbell-light or ansi-dark")
    looks.add_argument("--ascii", action="store_true", help="plain signs, for fonts that lack the others")
    looks.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal")

    where = grammar.Parser(add_help=False, argument_default=argparse.SUPPRESS)
    one = where.add_mutually_exclusive_group()
    one.add_argument("--url", metavar="URL", help="the server, for example https://shop.example")
    one.add_argument("--profile", metavar="NAME", help="a server named in the config file")
    one.add_argument("--uds", metavar="PATH", type=Path, help="the server's Unix socket")
    where.add_argument("--config", metavar="FILE", type=Path, help="another config file")
    where.add_argument(
        "--ca-file", metavar="FILE", type=Path, help="certificates to trust instead of the usual"
    )

    top = grammar.Parser(
        prog="shopbell",
        description="See what happened to every order of your shop, what needs you, and act on it.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[where, looks],
    )
    top.add_argument("--version", action=_Version, nargs=0, help="show the version and leave")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")

    demo = commands.add_parser("demo", parents=[looks], help="open the practice shop", description=_DEMO)
    demo.add_argument("--seed", type=int, metavar="N", help="another number, another shop")
    demo.add_argument(
        "--speed", type=float, metavar="X", help="how fast its time runs (60: a minute a second)"
    )
    demo.add_argument("--fresh", action="store_true", help="begin it anew")

    login = commands.add_parser("login", parents=[where], help="keep a server's token", description=_LOGIN)
    login.add_argument("--token-stdin", action="store_true", help="read the token from standard input")

    join = commands.add_parser("join", parents=[where], help="come in with an invitation", description=_JOIN)
    join.add_argument("--code-stdin", action="store_true", help="read the code from standard input")

    logout = commands.add_parser("logout", parents=[where], help="forget the token", description=_LOGOUT)
    logout.add_argument("--here-only", action="store_true", help="do not revoke it on the server")
    grammar.add(commands, where)
    return top


_DEMO = "Opens a practice shop: ninety days of history, and life that goes on while you watch. Nothing of it is real."
_LOGIN = "Asks for a token of the server and keeps it in your keyring or, where there is none, in a file only you read."
_JOIN = "Asks for an invitation's code, fetches your token with it, and keeps that as login does. A code works once."
_LOGOUT = "Revokes the kept token on the server and forgets it here."


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from tui import __version__  # noqa: PLC0415

        sys.stdout.write(f"shopbell {__version__}\n")
        parser.exit(DONE)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command. Every error is one sentence on stderr and an exit code."""
    try:
        given = parser().parse_args(argv)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else WRONG_USE
    from tui.api.errors import ClientError, ConfigError  # noqa: PLC0415 - after --help

    try:
        verbs = {"login": _login, "join": _join, "logout": _logout} | dict.fromkeys(grammar.TWINS, _work)
        return verbs.get(given.command, _open)(given)
    except (ConfigError, _UsageError) as error:
        _say(str(error))
        return WRONG_USE
    except ClientError as error:
        _say(error.sentence)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


class _UsageError(Exception):
    """The command line asks for something that cannot be."""


# Opening the screens


class _Connecting:
    """What the screens call, in a thread, to come to a server. Errors come as `ApiError`."""

    def __init__(self, find: Callable[[], Endpoint], server: PrivateServer | None) -> None:
        self.find = find
        self._server = server

    def lasting(self) -> bool:
        """Whether the server goes on without this client."""
        return self._server is None or not self._server.keeps

    def __call__(self) -> Client:
        from tui.api.client import Client  # noqa: PLC0415
        from tui.api.errors import ApiError, ClientError, StartError  # noqa: PLC0415

        try:
            return Client(self.find())
        except ApiError:
            raise
        except ClientError as error:
            raise StartError(error.sentence) from None

    def close(self) -> None:
        """Give up waiting, and end the server if it is this client's own."""
        if self._server is not None:
            self._server.close()


def _work(given: argparse.Namespace) -> int:
    environment, config = _settings(given)
    config, _, connecting = _chosen(given, environment, config)
    from tui.api.clock import SystemClock  # noqa: PLC0415
    from tui.commands.run import run  # noqa: PLC0415

    try:
        return run(
            given, connecting.find, config, SystemClock(), connecting.lasting, colour=not environment.no_color
        )
    finally:
        connecting.close()


def _open(given: argparse.Namespace) -> int:
    environment, config = _settings(given)
    config, title, connecting = _chosen(given, environment, config)
    if not _on_a_terminal():
        raise _UsageError("it draws on a terminal, and this is none. Over ssh, ask for one: ssh -t")
    gc.disable()  # until the first rows are there (tui.app lets it go): what is made at the start stays
    from tui.api.clock import SystemClock  # noqa: PLC0415
    from tui.api.paths import state_dir  # noqa: PLC0415
    from tui.app import run  # noqa: PLC0415
    from tui.widgets.crash import CrashReports, report_failures  # noqa: PLC0415

    clock = SystemClock()
    reports = CrashReports(state_dir() / "reports", clock)
    report_failures(reports, _say)
    try:
        return run(connecting, config, title, clock, reports=reports)
    finally:
        connecting.close()


def _on_a_terminal() -> bool:
    """Whether there are keys to read and a screen to draw on; that is stderr."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _settings(given: argparse.Namespace) -> tuple[Environment, Config]:
    """What the environment and the config file say. The only place that touches the environment."""
    import os  # noqa: PLC0415 - kept out of reach of everything else here

    from tui.api.config import load, read_environment  # noqa: PLC0415

    # pydantic would read the metadata of every distribution that is installed, to look for plug-ins: 40 ms.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    environment = read_environment(os.environ)
    named: Path | None = getattr(given, "config", None)
    if named is not None and not named.expanduser().is_file():
        raise _UsageError(f"--config names {named}, and it is not there.")
    return environment, load(named.expanduser() if named is not None else environment.config)


def _chosen(
    given: argparse.Namespace, environment: Environment, config: Config
) -> tuple[Config, str, _Connecting]:
    """Which server, how it looks, and what to call it until it says its name."""
    if given.command == "demo":
        server, title = _practice_shop(given), "Practice shop"
        return _looks(given, config), title, _Connecting(server.start, server)
    address = _address(given, environment, config)
    if address is None:
        server = _own_shop(environment)
        return _looks(given, config), "shopbell", _Connecting(server.start, server)
    where, theme = address
    look = _looks(given, config.with_ui(theme=theme) if theme else config)
    return look, where.label, _Connecting(lambda: _with_token(where, environment), None)


def _looks(given: argparse.Namespace, config: Config) -> Config:
    changes: dict[str, object] = {"ascii": True} if "ascii" in given else {}
    if "no_mouse" in given:
        changes["mouse"] = False
    if "theme" in given:
        changes["theme"] = given.theme
    return config.with_ui(**changes) if changes else config


def _own_shop(environment: Environment) -> PrivateServer:
    from tui.api.clock import SystemClock  # noqa: PLC0415
    from tui.api.embedded import PRIVATE, PrivateServer  # noqa: PLC0415
    from tui.api.paths import data_dir  # noqa: PLC0415

    return PrivateServer(environment.data or data_dir() / "shop", PRIVATE, SystemClock())


def _practice_shop(given: argparse.Namespace) -> PrivateServer:
    from tui.api.clock import SystemClock  # noqa: PLC0415
    from tui.api.embedded import PrivateServer, practice  # noqa: PLC0415
    from tui.api.paths import data_dir  # noqa: PLC0415

    if given.speed is not None and not 0.01 <= given.speed <= 10_000:
        raise _UsageError("--speed must be 0.01 to 10000")
    name = "practice" if given.seed is None else f"practice-{given.seed}"
    kind = practice(given.seed, given.speed)
    return PrivateServer(data_dir() / name, kind, SystemClock(), fresh=given.fresh)


def _address(
    given: argparse.Namespace, environment: Environment, config: Config
) -> tuple[Endpoint, str] | None:
    """The server that is meant, still without its token, and its profile's theme; None for one's own shop."""
    from tui.api.endpoint import Endpoint  # noqa: PLC0415
    from tui.api.errors import StartError  # noqa: PLC0415

    ca_file, name = getattr(given, "ca_file", None), getattr(given, "profile", None)
    uds, url = getattr(given, "uds", None), getattr(given, "url", None)
    if uds is not None:
        return Endpoint(uds=uds.expanduser().absolute()), ""
    if name is None and (url or environment.url):
        try:
            return Endpoint(url=url or environment.url, ca_file=ca_file), ""
        except StartError as error:
            raise _UsageError(error.sentence) from None
    if name is None and config.default_profile is None:
        return None
    profile = config.profile(name or config.default_profile or "")
    return Endpoint(url=profile.url, ca_file=ca_file or profile.ca_file), profile.theme


def _with_token(where: Endpoint, environment: Environment) -> Endpoint:
    from tui.api.credentials import find_token  # noqa: PLC0415

    return _joined(where, find_token(where.key, environment, _store()).token)


def _joined(where: Endpoint, token: Secret) -> Endpoint:
    from tui.api.endpoint import Endpoint  # noqa: PLC0415

    return Endpoint(url=where.url, uds=where.uds, token=token, ca_file=where.ca_file)


def _store() -> TokenStore:
    from tui.api.credentials import Keyring, TokenStore  # noqa: PLC0415
    from tui.api.paths import state_dir  # noqa: PLC0415

    return TokenStore(state_dir() / "tokens", Keyring())


# Tokens


def _login(given: argparse.Namespace) -> int:
    from tui.api.credentials import read_token  # noqa: PLC0415
    from tui.api.errors import ServerTrouble, Unreachable  # noqa: PLC0415
    from tui.api.token_deeds import greeting  # noqa: PLC0415

    where = _remote(given)
    token = read_token(sys.stdin) if given.token_stdin else _ask_for_token(where)
    endpoint = _joined(where, token)
    try:
        _tell(greeting(endpoint))
    except (Unreachable, ServerTrouble) as error:
        _say(f"{error.sentence} So the token could not be tried; it is kept all the same.")
    _tell(_store().keep(where.key, token))
    return DONE


def _join(given: argparse.Namespace) -> int:
    from tui.api.errors import ServerTrouble, Unreachable  # noqa: PLC0415
    from tui.api.token_deeds import fetch_token, greeting, read_code  # noqa: PLC0415

    where = _remote(given)
    code = read_code(
        sys.stdin.read(4096) if given.code_stdin else _ask(f"Invitation for {where.label}: ", "code")
    )
    token = fetch_token(where, code)
    kept = _store().keep(where.key, token)  # first of all: the code is used up
    try:
        _tell(greeting(_joined(where, token)))
    except (Unreachable, ServerTrouble) as error:
        _say(error.sentence)
    _tell(kept)
    return DONE


def _logout(given: argparse.Namespace) -> int:
    from tui.api.errors import ApiError  # noqa: PLC0415
    from tui.api.token_deeds import revoke  # noqa: PLC0415

    where, store = _remote(given), _store()
    found = store.find(where.key)
    if found is None:
        _say(f"No token is kept for {where.label}.")
        return FAILED
    if not given.here_only:
        try:
            revoke(_joined(where, found.token))
            _tell("The token is revoked on the server.")
        except ApiError as error:
            _say(f"{error.sentence} So the token was not revoked; it ends when it expires.")
    places = store.forget(where.key)
    _tell(f"The token is removed from {' and '.join(places)}.")
    return DONE


def _remote(given: argparse.Namespace) -> Endpoint:
    address = _address(given, *_settings(given))
    if address is None:
        raise _UsageError("Which server? Name it with --url or --profile. Your own shop here needs no login.")
    return address[0]


def _ask_for_token(where: Endpoint) -> Secret:
    from tui.api.errors import CredentialError  # noqa: PLC0415
    from tui.api.secret import Secret  # noqa: PLC0415

    try:
        return Secret(_ask(f"Token for {where.label}: ", "token").strip())
    except ValueError as error:
        raise CredentialError(f"What was typed: {error}.") from None


def _ask(prompt: str, what: str) -> str:
    """What somebody types unseen."""
    from getpass import getpass  # noqa: PLC0415

    if not sys.stdin.isatty():
        raise _UsageError(
            f"There is no terminal to ask on. Give the {what} on standard input with --{what}-stdin."
        )
    try:
        return getpass(prompt)
    except EOFError:
        raise KeyboardInterrupt from None


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")


def _say(line: str) -> None:
    from tui.api.clean import clean_line  # noqa: PLC0415

    sys.stderr.write(f"shopbell: {clean_line(line)}\n")


if __name__ == "__main__":
    sys.exit(main())
