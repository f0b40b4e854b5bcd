"""Who may follow which topic. Each room declares the rules of its own; a topic without a rule is nobody's.

A topic is words between colons: ``tickets:all``, ``tickets:user:019c…``. A rule stands either for one topic
(``billing:orders``) or, with a colon at its end, for all that go on with one more word (``billing:orders:user:``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from server.kit.access import Permission, Principal

Rule = Callable[[Principal, str], bool]
"""Whether a caller may follow the topic; the text is its last word, empty for a rule of one topic."""

LONGEST: Final = 200
"""Letters of a topic's name at the most."""

_RULES: Final[dict[str, Rule]] = {}
_PREFIX: Final = re.compile(r"[a-z_]+(?::[a-z_]+)*:?", re.ASCII)
_TOPIC: Final = re.compile(r"((?:[a-z_]+:)*)([A-Za-z0-9_-]+)", re.ASCII)


def allow(prefix: str, rule: Rule) -> None:
    """Declare who may follow a topic, or every topic that begins like this and ends with one more word.

    Args:
        prefix: ``billing:orders``, or ``billing:orders:user:`` with a colon at its end.
        rule: asked again and again while somebody follows, so it looks at nothing but its arguments.

    Raises:
        ValueError: this is no beginning of a topic, or it has a rule already.
    """
    if not _PREFIX.fullmatch(prefix):
        raise ValueError(f"no topic begins like this: {prefix!r}")
    if prefix in _RULES:
        raise ValueError(f"there is a rule for {prefix} already")
    _RULES[prefix] = rule


def staff(permission: Permission) -> Rule:
    """The rule of a topic for all whose role has a permission (``staff("tickets.read")``)."""
    return lambda caller, _: caller.may(permission)


def own_or_staff(permission: Permission) -> Rule:
    """The rule of ``…:user:``: that very user, and all whose role has the permission."""
    return lambda caller, user_id: (
        caller.may(permission) or (caller.user_id is not None and caller.user_id == user_id)
    )


def is_topic(text: str) -> bool:
    """Whether this has the shape of a topic."""
    return len(text) <= LONGEST and _TOPIC.fullmatch(text) is not None


def rule_of(topic: str) -> tuple[Rule, str] | None:
    """The rule of a topic and what it is asked about; None for a topic that nobody declared."""
    named = _TOPIC.fullmatch(topic) if len(topic) <= LONGEST else None
    if named is None:
        return None
    if topic in _RULES:
        return _RULES[topic], ""
    rule = _RULES.get(named[1])
    return None if rule is None else (rule, named[2])


def may_follow(caller: Principal, topic: str) -> bool:
    """Whether a caller may follow a topic; nobody may follow an unknown one."""
    found = rule_of(topic)
    return found is not None and caller.may("events.follow") and found[0](caller, found[1])


def declared_topics() -> list[str]:
    """All that has a rule, sorted: a topic, or with a colon at its end the beginning of many."""
    return sorted(_RULES)
