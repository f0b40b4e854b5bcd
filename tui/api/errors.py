"""What can go wrong between the client and a server, each with a sentence ready for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.api.clean import clean_line

if TYPE_CHECKING:
    from pathlib import Path

    from server.contract.base import Problem


class ClientError(Exception):
    """Anything that the client tells a person instead of a traceback.

    Args:
        sentence: what happened and what to do next, cleaned, without secrets. It is also ``str()``.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class ConfigError(ClientError):
    """The config file, or a setting of the environment, cannot be used.

    Args:
        where: the file (or the name of the variable).
        key: what in it, dotted; empty for the whole.
        wrong: what is wrong and what is allowed.
    """

    def __init__(self, where: Path | str, key: str, wrong: str) -> None:
        super().__init__(clean_line(f"{where}: {key}: {wrong}" if key else f"{where}: {wrong}"))
        self.where = where
        self.key = key


class CredentialError(ClientError):
    """There is no token, or it cannot be read or kept."""


class UnsafePath(ClientError):  # noqa: N818 - a state of the world, named as people say it
    """A file or directory of this user's own cannot be used, or others could read or write it."""


class ApiError(ClientError):
    """A request that brought no usable answer."""

    retry_after: float | None = None
    """Seconds after which the server wants to be asked again, where it said so."""


class StartError(ApiError):
    """A server of this machine's own did not start; the sentence names its log."""


class Unreachable(ApiError):  # noqa: N818
    """No answer came: nothing listens there, the connection dropped, or it took too long."""


class Unauthenticated(ApiError):  # noqa: N818
    """The server does not take the token. ``code``: ``missing``, ``wrong``, ``expired`` or ``revoked``."""

    def __init__(self, sentence: str, code: str = "wrong") -> None:
        super().__init__(sentence)
        self.code = code


class Refused(ApiError):  # noqa: N818
    """The server understood and said no. ``problem`` is what it said, ``code`` its stable name."""

    def __init__(self, sentence: str, problem: Problem, retry_after: float | None = None) -> None:
        super().__init__(sentence)
        self.problem = problem
        self.code = problem.code
        self.reason = problem.reason
        self.status = problem.status
        self.retry_after = retry_after


class ServerTrouble(ApiError):  # noqa: N818
    """The server cannot answer now (5xx). ``code`` is the stable name that it gave, if it gave one."""

    def __init__(
        self, sentence: str, status: int, code: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code
        self.retry_after = retry_after


class BadAnswer(ApiError):  # noqa: N818
    """Something answered that is not a shopbell server, or not one that this client understands."""
