"""What the routes of all rooms have in common, whether they answer with JSON or with pages."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from fastapi.routing import APIRoute

_OLD_MODELS: Final = "pydantic.v1"


class Route(APIRoute):
    """A route of FastAPI that is made without what no route of ours needs."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        with _without_old_models():
            super().__init__(*args, **kwargs)


@contextmanager
def _without_old_models() -> Iterator[None]:
    """Keep FastAPI from loading ``pydantic.v1``, 1.5 MiB, only to see that nothing is a model of that kind.

    A module that is None in ``sys.modules`` cannot be imported, and FastAPI does without this one.
    """
    if _OLD_MODELS in sys.modules:
        yield
        return
    sys.modules[_OLD_MODELS] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[_OLD_MODELS]
