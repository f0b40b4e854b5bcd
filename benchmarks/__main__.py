"""Run the benchmarks: ``python -m benchmarks [--entries N] [--only server|client|jobs] [--idle SECONDS]``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks import client, jobs, server
from benchmarks.report import Report


def main() -> int:
    """Measure, print, and fail when an answer was wrong (never because a machine is slow)."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument(
        "--entries", type=int, default=1_000_000, help="activity entries in the measured shop"
    )
    parser.add_argument("--only", choices=["server", "client", "jobs"])
    parser.add_argument("--idle", type=float, default=60.0, help="seconds of idleness to watch")
    parser.add_argument("--folder", type=Path, help="where the measured shop is made and kept")
    options = parser.parse_args()
    folder: Path = options.folder or Path(tempfile.gettempdir()) / "shopbell-bench"
    folder.mkdir(parents=True, exist_ok=True)
    report = Report()
    if options.only in (None, "server"):
        server.measure(folder, options.entries, report)
    if options.only in (None, "jobs"):
        jobs.measure(report, options.idle)
    if options.only in (None, "client"):
        client.measure(folder, options.entries, report, options.idle)
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
