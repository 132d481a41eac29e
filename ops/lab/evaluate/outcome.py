"""What came of one case, in plain values: it goes from process to process, and into results.json."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Outcome:
    """One session."""

    kind: str
    species: str
    person: str
    detail: str
    engine: str
    fps: float
    preset: str
    asked: list[str]
    #: (challenge, seconds since the first frame, confidence).
    passed: list[tuple[str, float, float]]
    state: str
    is_live: bool | None
    reason: str | None
    seconds: float
    frames: int
    #: Frames that could not be judged, by why.
    problems: dict[str, int] = field(default_factory=dict)
    #: What the judges of the evidence found: the highest score of each.
    evidence: dict[str, float] = field(default_factory=dict)
    #: All that they found, in order: (code, score, position of the challenge; none where it is about the whole session).
    findings: list[tuple[str, float, int | None]] = field(default_factory=list)
    #: The verdict's score; None where the session was not completed.
    score: float | None = None
    #: Which draw of challenges it is, how it was sent, and how it was filmed.
    draw: int = 0
    client: str = ""
    filming: str = ""
    #: The clip shown: recording, start, end.
    clip: tuple[str, float, float] | None = None
    #: The second of the recording that was shown when it passed, and how often the clip had begun anew before.
    passed_at_second: float | None = None
    lap: int = 0
    #: Seconds from the gesture's beginning and from its labelled peak, in the clip's first showing, to the pass.
    since_onset: float | None = None
    since_peak: float | None = None
    #: A false accept that passed within a clip that is labelled with the gesture asked for: neighbouring clips overlap.
    labelled: bool = False

    @property
    def accepted(self) -> bool:
        """The verdict was: live."""
        return self.is_live is True

    @property
    def completed(self) -> bool:
        """All challenges were passed, whatever the verdict."""
        return self.state == "completed"
