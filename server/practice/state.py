"""What a practice shop remembers between two starts, in a file beside its data: how far its life has been played."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

FILE: Final = "practice.json"
_VERSION: Final = 1


class StateError(Exception):
    """The file cannot be understood; the message is one sentence for a person."""


@dataclass(slots=True)
class State:
    """Where the practice shop stands. Times in milliseconds, days counted since 1970.

    Args:
        seed: of its life.
        opened_at: what lies before is history.
        owner_token: the token of its Owner, printed at every start.
        program_token: the token of its own program.
        colleague_token: the token of the colleague who answers tickets.
        filled_to: the oldest day whose history has been played; None before the first.
        filled_part: how much of the day before that one, or of the opening, has been played.
        lived_to: everyday life has been played up to here.
        rushed_to: and the rush up to here.
        rushes: begin and end of every stretch that was watched; a start without its end is going on.
        orders: the numbers of orders whose stories go on, by story.
        supplied_to: the local providers and the mail server have lived up to here.
        starts: how often they were started.
        keys: the secrets between them and the shop, by the names of its settings.
        ports: where they listen, so that they do so again.
        addresses: what was set for them, by the names of the settings.
        manners: how the orders of the opening fare with them.
    """

    seed: int
    opened_at: int
    owner_token: str = field(default="", repr=False)
    program_token: str = field(default="", repr=False)
    filled_to: int | None = None
    filled_part: int = 0
    lived_to: int = 0
    rushed_to: int = 0
    rushes: list[tuple[int, int | None]] = field(default_factory=list)
    orders: dict[str, str] = field(default_factory=dict)
    supplied_to: int = 0
    starts: int = 0
    keys: dict[str, str] = field(default_factory=dict, repr=False)
    ports: dict[str, int] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    manners: dict[str, str] = field(default_factory=dict)
    colleague_token: str = field(default="", repr=False)

    @property
    def lived(self) -> int:
        """The last moment that anything happened at."""
        return max(self.opened_at, self.lived_to, self.rushed_to, self.supplied_to)


def load(data: Path) -> State | None:
    """Read the state of the practice shop in a data directory; None when there is none yet.

    Raises:
        StateError: the file is there and is not ours, or of a newer shopbell.
    """
    path = data / FILE
    try:
        found = json.loads(path.read_text())
        ours = found.pop("version") == _VERSION
        state = State(**found)
        state.rushes = [(begin, end) for begin, end in state.rushes]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        raise _unreadable(path) from None
    if not ours:
        raise _unreadable(path)
    return state


def _unreadable(path: Path) -> StateError:
    return StateError(f"{path} cannot be read. Remove {path.parent} to begin with a new practice shop.")


def save(data: Path, state: State) -> None:
    """Write the state, whole or not at all, readable by its owner alone."""
    path = data / FILE
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"version": _VERSION, **asdict(state)}, file)
    fresh.replace(path)
