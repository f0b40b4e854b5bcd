"""What the app needs before its first paint, and what it refuses in the user's settings."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tui.api.client import Client
from tui.api.clock import FrozenClock
from tui.api.config import Config, Ui
from tui.api.errors import ConfigError
from tui.app import ShopbellApp
from tui.screens.desk import HomeZone
from tui.widgets.format import TimeFormat

LATE = (
    "h11",
    "httpx",
    "keyring",
    "pydantic",
    "server",
    "sqlalchemy",
    "tui.screens.jobs",
    "tui.screens.leaving",
    "tui.screens.order_story",
    "tui.screens.search",
    "tui.screens.settings",
    "tui.widgets.blocks",
)


def test_nothing_heavy_is_imported_before_the_first_paint() -> None:
    code = f"import sys, tui.app; print([name for name in {LATE!r} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ran.stdout.strip() == "[]"


def never() -> Client:
    raise AssertionError("nothing is asked here")


def made(config: Config) -> ShopbellApp:
    return ShopbellApp(never, config, "Sunday Socks", FrozenClock("2026-02-23T10:14:00+00:00"))


def test_a_key_that_clashes_is_refused_with_the_file_and_both_commands() -> None:
    with pytest.raises(ConfigError) as refused:
        made(Config(Path("config.toml"), keys={"resolve": "z"}))
    assert refused.value.sentence == (
        "config.toml: keys: 'z' would mean both 'undo' and 'resolve'. Give one of them another key."
    )


def test_an_unknown_theme_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(
        ConfigError, match=r"ui\.theme: there is no theme 'sepia'; there are: .*shopbell-dark"
    ):
        made(Config(Path("config.toml"), Ui(theme="sepia")))


def test_settings_reach_the_desk() -> None:
    app = made(Config(Path("config.toml"), Ui(theme="shopbell-light", time="utc", ascii=True)))
    assert app.theme == "shopbell-light"
    assert app.desk.format is TimeFormat.UTC
    assert app.desk.glyphs.info == "o"


def test_no_color_chooses_the_terminals_own_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert made(Config(Path("config.toml"), Ui(theme="shopbell-dark"))).theme == "ansi-dark"


def test_the_readers_zone_has_summer_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    try:
        zone = HomeZone()
        winter = datetime(2026, 2, 23, 10, tzinfo=UTC).astimezone(zone)
        summer = datetime(2026, 7, 23, 10, tzinfo=UTC).astimezone(zone)
        assert (winter.hour, winter.tzname()) == (11, "CET")
        assert (summer.hour, summer.tzname()) == (12, "CEST")
        assert winter.astimezone(UTC).hour == summer.astimezone(UTC).hour == 10
    finally:
        monkeypatch.undo()
        time.tzset()
