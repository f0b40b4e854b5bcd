from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.chromium import VARIABLE, NoBrowserError, find_chromium


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def program(path: Path) -> str:
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_the_browser_is_found_on_the_path(bare: Path) -> None:
    found = program(bare / "google-chrome")
    assert find_chromium({}) == found
    first = program(bare / "chromium")
    assert find_chromium({"CI": "true"}) == first


def test_a_browser_that_is_named_goes_first(bare: Path) -> None:
    program(bare / "chromium")
    other = program(bare / "other")
    assert find_chromium({VARIABLE: other}) == other
    with pytest.raises(NoBrowserError, match="no program"):
        find_chromium({VARIABLE: "nowhere"})


def test_without_one_ci_fails_and_others_are_told(bare: Path) -> None:
    assert find_chromium({}) is None
    with pytest.raises(NoBrowserError, match="no browser"):
        find_chromium({"CI": "true"})
