"""What a run is made with, and the parts that it falls into."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ops.lab.evaluate.clients import STEADY
from ops.lab.evaluate.filming import AS_RECORDED
from shared.liveness.evidence import FITTED, Weighing

#: What stands for the segments that are nobody's.
STILL_HEAD = "still_head"


@dataclass(frozen=True, slots=True)
class Setup:
    """What a run is made with."""

    manifest: Path
    root: Path | None
    people: tuple[str, ...]
    models: Path
    presets: tuple[str, ...]
    seed: int
    timeout: float
    rounds: int
    #: Whether whole sessions are to be of one person, by comparing faces.
    identity: bool
    #: How everything is filmed: one of `ops.lab.evaluate.filming.FILMINGS`.
    filming: str = AS_RECORDED
    #: How everything is sent: one of `ops.lab.evaluate.clients.CLIENTS`.
    client: str = STEADY
    #: What verdicts go by.
    weighing: Weighing = FITTED


@dataclass(frozen=True, slots=True)
class Job:
    """A part of a run: one person's gestures, sessions or attacks of one species, or one recording's signals."""

    part: str
    engine: str
    fps: float = 0.0
    person: str = ""
    species: str = ""
    recording: Path | None = None

    def __str__(self) -> str:
        what = self.recording.name if self.recording else self.person
        return " ".join(filter(None, [self.species or self.part.replace("_", " "), what, self.engine]))
