"""Secrets that cannot be decrypted ask for somebody, once each, until they can or until they are entered again."""

from __future__ import annotations

from typing import Final

from server.activity import standing
from server.kit.db import Store
from server.kit.tx import Tx
from server.settings import service as settings
from server.settings.registry import REGISTRY

_TYPE: Final = "setting.unreadable"


class UnreadableSecrets:
    """Looks again and again; writes only when what it found changed, and nothing where there are no secrets."""

    def __init__(self) -> None:
        self._found: frozenset[settings.Sealed] = frozenset()

    def __call__(self, store: Store) -> int:
        """Look once.

        Returns:
            How many secrets are unreadable.
        """
        found = frozenset(store.read(settings.sealed))
        lost = {each.name for each in found if not each.opens}
        if found != self._found:
            store.write(lambda tx: _tell(tx, lost))
            self._found = found
        return len(lost)


def _tell(tx: Tx, lost: set[str]) -> None:
    for known in REGISTRY.values():
        if known.secret:
            tell = standing.ask if known.name in lost else standing.over
            tell(tx, _TYPE, {"setting": known.name})
