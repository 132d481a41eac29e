"""The outcome of a case in plain values, for other processes and for results.json."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Outcome:
    """The outcome of one session."""

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
    #: The number of frames that could not be judged, by reason.
    problems: dict[str, int] = field(default_factory=dict)
    #: The highest score of each finding.
    evidence: dict[str, float] = field(default_factory=dict)
    #: All findings in order: (code, score, position of the challenge, or None for the whole session).
    findings: list[tuple[str, float, int | None]] = field(default_factory=list)
    #: The verdict's score; None if the session was not completed.
    score: float | None = None
    #: The number of the draw of challenges, the client, and the filming.
    draw: int = 0
    client: str = ""
    filming: str = ""
    #: The clip that was shown: recording, start, end.
    clip: tuple[str, float, float] | None = None
    #: The second of the recording at which the challenge passed, and how often the clip had started over before.
    passed_at_second: float | None = None
    lap: int = 0
    #: Seconds from the gesture's beginning and from its labelled peak, in the clip's first showing, to the pass.
    since_onset: float | None = None
    since_peak: float | None = None
    #: A false accept that passed within a clip that is labelled with the gesture asked for: neighbouring clips overlap.
    labelled: bool = False

    @property
    def accepted(self) -> bool:
        """Whether the verdict was live."""
        return self.is_live is True

    @property
    def completed(self) -> bool:
        """Whether all challenges were passed, whatever the verdict."""
        return self.state == "completed"
