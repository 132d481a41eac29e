"""The setup of a run, and its jobs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ops.lab.evaluate.clients import STEADY
from ops.lab.evaluate.filming import AS_RECORDED
from shared.liveness.evidence import FITTED, Weighing

#: The name that stands for segments of nobody.
STILL_HEAD = "still_head"


@dataclass(frozen=True, slots=True)
class Setup:
    """The setup of a run."""

    manifest: Path
    root: Path | None
    people: tuple[str, ...]
    models: Path
    presets: tuple[str, ...]
    seed: int
    timeout: float
    rounds: int
    #: Whether faces are compared in whole sessions.
    identity: bool
    #: The filming: one of `ops.lab.evaluate.filming.FILMINGS`.
    filming: str = AS_RECORDED
    #: The client: one of `ops.lab.evaluate.clients.CLIENTS`.
    client: str = STEADY
    #: The weights of the verdicts.
    weighing: Weighing = FITTED
    #: The operator's own model, an ONNX file with its description; None if there is none.
    model: Path | None = None


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
