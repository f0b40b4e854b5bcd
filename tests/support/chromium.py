"""The system's Chromium, driven over real pages: found on the PATH, started without asking anybody for anything."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from typing import Final

VARIABLE: Final = "SHOPBELL_TEST_CHROMIUM"
PICTURES: Final = "SHOPBELL_TEST_PICTURES"
"""A folder, for somebody who wants to look at the pages themselves."""
NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class NoBrowserError(Exception):
    """There is no Chromium, and there must be one."""


def find_chromium(environ: Mapping[str, str]) -> str | None:
    """The browser's program; None when there is none.

    Raises:
        NoBrowserError: the variable names a program that is not there, or there is none in CI.
    """
    named = environ.get(VARIABLE)
    if named:
        found = shutil.which(named)
        if found is None:
            raise NoBrowserError(f"{VARIABLE} names {named}, which is no program")
        return found
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None and environ.get("CI") == "true":
        raise NoBrowserError(f"no browser: install Debian's chromium, or name one in {VARIABLE}")
    return found


def chromium() -> str | None:
    """The browser for this run of the tests."""
    return find_chromium(os.environ)
