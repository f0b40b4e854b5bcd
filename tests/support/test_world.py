"""Every test sees the same world: pinned environment, a home of its own, fresh databases of both kinds."""

from __future__ import annotations

import importlib
import os
import sys
import time
from pathlib import Path

import keyring
import keyring.errors
import pytest
from sqlalchemy import create_engine, inspect, text

from tests import conftest
from tests.support.pins import pin_environment
from tests.support.sqlite import SqliteTemplates


def _prepare(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE bell (name text)"))
        connection.execute(text("INSERT INTO bell VALUES ('counter')"))
    engine.dispose()


class TestPrepared:
    @pytest.fixture(scope="session")
    @staticmethod
    def prepare_database() -> object:
        return _prepare

    @pytest.mark.parametrize("turn", [1, 2])
    def test_every_test_starts_from_what_was_prepared(self, database_url: str, turn: int) -> None:
        engine = create_engine(database_url)
        with engine.begin() as connection:
            assert connection.execute(text("SELECT name FROM bell")).all() == [("counter",)]
            connection.execute(text("DELETE FROM bell"))
        engine.dispose()


def test_without_preparation_the_database_is_empty(database_url: str) -> None:
    engine = create_engine(database_url)
    assert inspect(engine).get_table_names() == []
    engine.dispose()


def test_a_sqlite_template_left_open_is_an_error(tmp_path: Path) -> None:
    kept: list[object] = []

    def prepare(url: str) -> None:
        connection = create_engine(url).connect()
        connection.execute(text("PRAGMA journal_mode = wal"))
        connection.execute(text("CREATE TABLE bell (name text)"))
        connection.commit()
        kept.append(connection)

    with pytest.raises(AssertionError, match="left its database open"):
        SqliteTemplates(tmp_path).copy("open", prepare, tmp_path / "copy.db")


def test_the_environment_is_pinned() -> None:
    loose = {
        "NO_COLOR": "1", "COLORTERM": "truecolor", "TMUX": "x", "SHOPBELL_URL": "x", "TEXTUAL_FPS": "1",
        "XDG_DATA_HOME": "x", "https_proxy": "x", "HTTPS_PROXY": "x", "PGHOST": "x", "TZ": "Asia/Tokyo",
        "LC_TIME": "de_DE", "LANG": "de_DE", "PATH": "/bin",
    }  # fmt: skip
    environ = dict(loose)
    pin_environment(environ)
    assert set(environ) - {"PATH"} == {
        "TZ", "LANG", "LC_ALL", "TERM", "TEXTUAL_ANIMATIONS", "PYTHON_KEYRING_BACKEND",
    }  # fmt: skip
    assert environ["TZ"] == "UTC"
    assert time.tzname == ("UTC", "UTC")
    given = {"SHOPBELL_TEST_DATABASE_URL": "postgresql://db/x", "PGPASSWORD": "x", "SHOPBELL_TOKEN": "x"}
    pin_environment(given)
    assert {"SHOPBELL_TEST_DATABASE_URL", "PGPASSWORD"} < set(given)
    assert "SHOPBELL_TOKEN" not in given


def test_textual_does_not_animate_although_a_plugin_imports_it_early() -> None:
    assert importlib.import_module("textual.constants").TEXTUAL_ANIMATIONS == "none"


def test_there_is_no_keyring() -> None:
    with pytest.raises(keyring.errors.NoKeyringError):
        keyring.get_password("shopbell", "somebody")


def test_home_is_fresh_private_and_short(home: Path) -> None:
    assert Path.home() == home
    assert os.environ["XDG_RUNTIME_DIR"] == str(home / "run")
    assert [path.name for path in home.iterdir()] == ["run"]
    assert home.stat().st_mode & 0o777 == 0o700
    assert len(os.fsencode(home / "run" / "shopbell" / "private.sock")) < 104


def test_snapshots_are_updated_on_one_python_only(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr(conftest, "SNAPSHOT_PYTHON", sys.version_info[:2])
    monkeypatch.setattr(request.config.option, "update_snapshots", True)
    conftest.pytest_configure(request.config)
    monkeypatch.setattr(conftest, "SNAPSHOT_PYTHON", (3, 99))
    with pytest.raises(pytest.UsageError, match=r"drawn on Python 3\.99 only"):
        conftest.pytest_configure(request.config)
    monkeypatch.setattr(request.config.option, "update_snapshots", False)
    conftest.pytest_configure(request.config)
