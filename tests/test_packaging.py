"""What is installed is whole: everything that is no Python but needed when the server runs is in the wheel."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_the_wheel_holds_every_template_and_style(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        path.relative_to(ROOT).as_posix()
        for package in ("server", "tui")
        for pattern in ("templates/*", "*.tcss")
        for path in (ROOT / package).rglob(pattern)
    }
    assert {"server/kit/templates/base.html", "server/kit/templates/style.css"} <= wanted
    assert wanted - packed == set()
