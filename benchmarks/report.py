"""What a run prints: one line per figure, with its goal."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Report:
    """Collects the rows of a run and prints each as it comes."""

    wrong: int = 0
    rows: list[tuple[str, str, str]] = field(default_factory=list)

    def row(self, name: str, value: str, goal: str, *, bad: int = 0) -> None:
        """One figure. ``bad`` counts answers that were refusals or errors; a figure with any of them is void."""
        if bad:
            self.wrong += 1
            value = f"{value}  VOID: {bad} wrong answers"
        self.rows.append((name, value, goal))
        print(f"{name:60} {value:48} goal {goal}", flush=True)
