"""Settings as clients see them: what holds, who says so, what is wrong with it, what the caller may do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from server.contract.base import ActionState
from server.contract.settings import SettingGroup, SettingRow, Settings
from server.kit.access import Principal
from server.kit.clock import instant
from server.kit.problems import not_found
from server.kit.tx import Tx
from server.people.staff import staff_names
from server.settings import service, snapshot
from server.settings.registry import GROUPS, REGISTRY, TESTS
from server.settings.setting import Setting


def listing(tx: Tx, caller: Principal) -> Settings:
    """Every setting in its group, and what can be tried out."""
    rows = snapshot.stored(tx).rows.values()
    names = staff_names(tx, {row.updated_by for row in rows if row.updated_by})
    return Settings(
        groups=[
            SettingGroup(
                name=group,
                label=label,
                settings=[
                    _shown(tx, known, caller, names) for known in REGISTRY.values() if known.group == group
                ],
                tests=[_test(test.name, caller) for test in TESTS.values() if test.group == group],
            )
            for group, label in GROUPS.items()
        ]
    )


def one(tx: Tx, name: str, caller: Principal) -> SettingRow:
    """One setting.

    Raises:
        ProblemError: 404 ``not_found``.
    """
    known = find(name)
    row = snapshot.stored(tx).rows.get(name)
    return _shown(tx, known, caller, staff_names(tx, [row.updated_by] if row and row.updated_by else []))


def find(name: str) -> Setting[Any]:
    """The setting with this name.

    Raises:
        ProblemError: 404 ``not_found``.
    """
    known = REGISTRY.get(name)
    if known is None:
        raise not_found("setting")
    return known


def _shown(tx: Tx, known: Setting[Any], caller: Principal, names: Mapping[str, str]) -> SettingRow:
    source, kept = tx.setting_source, snapshot.stored(tx)
    override, row = source.overrides.get(known.name), kept.rows.get(known.name)
    value = hint = None
    if not known.secret:
        value = known.text(service.get(tx, known.name))  # type: ignore[call-overload]
    elif override is not None:
        hint = service.hint_of(known.read(override.text))
    elif row is not None:
        hint = row.hint
    default = REGISTRY[known.like] if known.like else known
    return SettingRow(
        name=known.name,
        label=known.label,
        help=known.help,
        kind=known.kind,
        choices=list(known.choices) if known.choices else None,
        value=value,
        hint=hint,
        default=known.text(service.get(tx, default.name) if known.like else known.default),  # type: ignore[call-overload]
        unit=known.unit,
        source="environment" if override else "stored" if row is not None else "default",
        variable=override.variable if override else None,
        trouble=service.complaint(source, kept, known, "What is stored"),
        updated_at=instant(row.updated_at) if row is not None else None,
        updated_by=names.get(row.updated_by) if row is not None else None,
        actions=_actions(caller, overridden=override is not None, stored=row is not None),
    )


def _actions(caller: Principal, *, overridden: bool, stored: bool) -> list[ActionState]:
    return [
        _action("set", caller, "overridden_by_environment" if overridden else None),
        _action(
            "unset", caller, "overridden_by_environment" if overridden else None if stored else "not_set"
        ),
    ]


def _test(name: str, caller: Principal) -> ActionState:
    return _action(name, caller, None)


def _action(name: str, caller: Principal, reason: str | None) -> ActionState:
    if not caller.may("settings.manage"):
        reason = "insufficient_permissions"
    return ActionState(name=name, allowed=reason is None, reason=reason)
