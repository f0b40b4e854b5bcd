"""The fates of what belongs to no room above the people: the kit's tables, the audit, the settings, the erasures."""

from __future__ import annotations

from sqlalchemy import or_

import server.accounts.erasure
import server.activity.erasure
import server.content.erasure
import server.fulfilment.erasure
import server.inbox.erasure
import server.jobs.erasure
import server.lookup.erasure
import server.mail.erasure
import server.orders.erasure
import server.recovery.erasure  # noqa: F401 - they register themselves
from server.audit.models import audit
from server.deletion.models import deletion, plan
from server.people.erasure import Rule, exempt, is_user, register
from server.settings.models import setting

register(
    Rule(
        audit,
        "audit entries",
        "keep",
        "Who did what in this program: ids, roles and numbers, which name nobody once the account is gone.",
        lambda subject: or_(
            is_user(audit.c.actor_user_id, subject),
            is_user(audit.c.target_user_id, subject),
            audit.c.resource_id == subject.person_id,
        ),
        ("actor_user_id", "target_user_id"),
    )
)
exempt(setting, "updated_by", "an id that names nobody once the account is gone")
exempt(plan, "person_id", "the id of the tombstone: what was planned, kept for a day")
exempt(
    deletion,
    "person_id",
    "the id of the tombstone: the list of erasures is what a restored backup is cleaned by",
)
exempt(deletion, "asked_by", "an id that names nobody once the account is gone")
