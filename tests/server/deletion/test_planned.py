"""What a plan counts is what is done: on databases of any shape, on both databases."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.deletion import erasing, planning
from server.kit.db import Store
from server.kit.tx import Tx
from tests.server.deletion.world import World


class _UndoError(Exception):
    """Raised at the end of an example, so that the next begins with the same store."""


@given(seed=st.integers(0, 2**32), most=st.integers(1, 8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_planned_is_done(store: Store, seed: int, most: int) -> None:
    def unit(tx: Tx) -> None:
        made = World(random.Random(seed))  # noqa: S311 - so that an example comes again
        made.fill(tx, most=most, least=1)
        person_id = made.rng.choice(made.people)
        about = planning.subject(tx, person_id)
        planned = erasing.counts(tx, about)
        done = erasing.erase(tx, about)
        assert done == planned
        again = erasing.counts(tx, planning.subject(tx, person_id))
        kept = {key for key in again if key.startswith("keep ")}
        assert set(again) - kept == {"anonymise contact record"}, again
        raise _UndoError

    with pytest.raises(_UndoError):
        store.write(unit)
