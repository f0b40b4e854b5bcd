"""What a caller may do about an entry now, decided for the route and for the screen alike."""

from __future__ import annotations

import json
from typing import Final

from server.kit.access import Principal
from server.kit.problems import ProblemError

NOT_RESOLVABLE: Final = "not_resolvable"
ALREADY_RESOLVED: Final = "already_resolved"
NOT_RESOLVED: Final = "not_resolved"
NOT_ALLOWED: Final = "insufficient_permissions"


def _actions(resolve: str | None, reopen: str | None) -> str:
    states = [
        {"name": name, "allowed": reason is None, "reason": reason}
        for name, reason in (("resolve", resolve), ("reopen", reopen))
    ]
    return json.dumps(states, separators=(",", ":"))


_INFO: Final = _actions(NOT_RESOLVABLE, NOT_RESOLVABLE)
_BY_RIGHT: Final = {
    True: (_actions(None, NOT_RESOLVED), _actions(ALREADY_RESOLVED, None)),
    False: (_actions(NOT_ALLOWED, NOT_ALLOWED), _actions(ALREADY_RESOLVED, NOT_ALLOWED)),
}


def actions(caller: Principal, raised: bool, resolved: bool) -> str:
    """What this caller may do about an entry, with the reason for what not: JSON of ``ActionState``s.

    Args:
        caller: who asks.
        raised: whether it is a warning or an error.
        resolved: whether somebody resolved it.
    """
    if not raised:
        return _INFO
    return _BY_RIGHT[caller.may("activity.resolve")][resolved]


def check_resolvable(level: str) -> None:
    """Refuse what is no problem and so cannot be resolved or opened again.

    Raises:
        ProblemError: 409 ``not_resolvable``.
    """
    if level == "info":
        raise ProblemError(409, NOT_RESOLVABLE, "Only warnings and errors can be resolved.")
