"""Wall clocks that jump, of some programs and not of others. Their steady clocks go on."""

from __future__ import annotations

from pathlib import Path

#: Holds what Python loads at its start.
LOADED = Path(__file__).parent / "wrong"


class WrongClock:
    """One clock for each name of a program; all are right at first."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def environment(self, name: str, path: str) -> dict[str, str]:
        """What a program of this name is to be started with. path: its PYTHONPATH."""
        self.set(name, 0.0)
        return {"PYTHONPATH": f"{LOADED}:{path}", "CHAOS_CLOCK": str(self._directory / name)}

    def set(self, name: str, seconds: float) -> None:
        """From now on the clock of these programs is so many seconds ahead (or behind)."""
        fresh = self._directory / f"{name}.new"
        fresh.write_text(f"{seconds:.3f}\n")
        fresh.replace(self._directory / name)
