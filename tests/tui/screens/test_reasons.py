"""Every reason that the server may give has its sentence, and each ends as sentences do."""

from __future__ import annotations

import pytest

from server.activity import policy as entries
from server.fulfilment import policy as fulfilment
from server.jobs import policy as jobs
from server.orders import mails
from server.tickets import policy as tickets
from tui.screens.reasons import REASONS, reason

CODES = {
    *fulfilment.SENTENCES,
    *jobs.SENTENCES,
    *mails._REFUSALS,
    *tickets._REFUSALS,
    *("unchanged", "not_assigned"),
    *(fulfilment.NOT_FAILED, fulfilment.FAILED, fulfilment.NO_PERMISSION),
    *(entries.NOT_RESOLVABLE, entries.ALREADY_RESOLVED, entries.NOT_RESOLVED, entries.NOT_ALLOWED),
    *(
        "invalid_current_user",
        "cannot_delete_self",
        "cannot_delete_last_owner",
        "target_is_owner",
        "target_is_staff",
    ),
    *(
        "already_erased",
        "deletion_scheduled",
        "confirmation_mismatch",
        "plan_changed",
        "plan_unknown",
        "not_scheduled",
    ),
    *(
        "cannot_deactivate_self",
        "cannot_deactivate_last_owner",
        "cannot_demote_last_owner",
        "owner_role_protected",
    ),
    *(
        "role_not_found",
        "customer_account",
        "account_inactive",
        "already_active",
        "already_inactive",
        "email_taken",
    ),
    *("nothing_open", "invalid_transition", "switched_off", "order_gone"),
}


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_of_the_server_has_a_sentence(code: str) -> None:
    assert code in REASONS


@pytest.mark.parametrize("sentence", sorted(REASONS.values()))
def test_sentences_end(sentence: str) -> None:
    assert sentence.endswith(".")
    assert sentence[0].isupper()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (None, "This cannot be done now."),
        ("", "This cannot be done now."),
        ("of_a_later_server", "Of a later server."),
    ],
)
def test_what_is_not_known_is_said_all_the_same(code: str | None, said: str) -> None:
    assert reason(code) == said


def test_the_servers_own_words_stand_where_a_code_is_not_known() -> None:
    assert reason("of_a_later_server", "It is Sunday.") == "It is Sunday."
    assert reason("cannot_delete_self", "It is Sunday.") != "It is Sunday."
    assert reason(None, "It is Sunday.") == "It is Sunday."
