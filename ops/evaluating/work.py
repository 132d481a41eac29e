"""The work of one process: jobs that can be done in any order, in any process, with the same outcome."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2

from ops.evaluating.attacks import SCREEN_REPLAY, SPECIES
from ops.evaluating.attacks.points import FacePoints
from ops.evaluating.attacks.recordings import screen_replay
from ops.evaluating.attacks.studio import Studio
from ops.evaluating.cases import Case, Types, bona_fide_cases, gesture_cases, still_head_cases
from ops.evaluating.filming import AS_RECORDED, MIRRORED, filmed
from ops.evaluating.identity import DELAY, Identity, NoIdentity
from ops.evaluating.manifest import Person, load_manifest
from ops.evaluating.measuring import Measuring
from ops.evaluating.outcome import Outcome
from ops.evaluating.player import BEGIN, Played, Source, play
from ops.evaluating.presets import USUAL
from ops.evaluating.signals import Signals, watch
from ops.evaluating.tape import Tape
from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import Preset
from shared.liveness.session import Session
from workers.offline import OfflineIdentity
from workers.vision.descriptor import Describer
from workers.vision.landmarks import Picture, Points
from workers.vision.pipeline import Vision

#: Seconds a session lives: longer than any is played.
TTL = 600.0


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
    #: How everything is filmed: one of `ops.evaluating.filming.FILMINGS`.
    filming: str = AS_RECORDED


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


#: What stands for the segments that are nobody's.
STILL_HEAD = "still_head"


class Worker:
    """Does jobs, one after the other. Models are loaded when they are first needed."""

    def __init__(self, setup: Setup) -> None:
        # OpenCV would start a thread for each core, in each process.
        cv2.setNumThreads(1)
        self._setup = setup
        self._manifest = load_manifest(setup.manifest, setup.root, setup.people)
        self._visions: dict[str, Vision] = {}
        self._measuring: dict[str, Measuring] = {}
        self._identities: dict[str, Identity] = {}
        self._points: FacePoints | None = None

    def watch(self, job: Job) -> Signals:
        """Do a job of the part "signals"."""
        assert job.recording is not None
        return watch(job.recording, self._manifest.people, self._measures(job.engine))

    def play(self, job: Job) -> list[Outcome]:
        """Do a job of any other part."""
        outcomes = []
        whole = job.part != "gestures"
        for case in self._cases(job):
            for lap in range(self._setup.rounds if whole else 1):
                types = case.challenges(self._setup.seed, lap)
                if types is None:
                    continue
                tape = Tape(partial(case.make, types))
                for preset in self._setup.presets if whole else (USUAL,):
                    played = self._play(case, job, types, tape.play(), preset)
                    outcome = _outcome(case, job, preset, played)
                    outcome.labelled = self._labelled(case, outcome)
                    outcomes.append(outcome)
        return outcomes

    def _cases(self, job: Job) -> Iterator[Case]:
        if job.part == "gestures":
            if job.person == STILL_HEAD:
                return still_head_cases(self._manifest, job.fps)
            return gesture_cases(self._manifest.person(job.person), job.fps)
        person = self._manifest.person(job.person)
        if job.part == "bona_fide":
            return bona_fide_cases(person, job.fps)
        studio = Studio(person, self._others(person), job.fps, self._setup.seed, self._face_points)
        return screen_replay(person, studio) if job.species == SCREEN_REPLAY else SPECIES[job.species](studio)

    def _play(self, case: Case, job: Job, types: Types, source: Source, preset: str) -> Played:
        # A clip asks how well a gesture is judged: nobody is to wait for a comparison there.
        identify = self._setup.identity and case.clip is None
        session = Session.open(
            "evaluated",
            types,
            timeout_seconds=self._setup.timeout,
            at=BEGIN,
            ttl=TTL,
            mirrored=self._setup.filming == MIRRORED,
            preset=Preset(preset),
            identify=identify,
        )
        return play(
            session,
            filmed(source, self._setup.filming),
            self._measures(job.engine),
            self._identity(job.engine) if identify else NoIdentity(),
            fps=job.fps,
            seconds=case.seconds(self._setup.timeout),
        )

    def _vision(self, engine: str) -> Vision:
        if engine not in self._visions:
            self._visions[engine] = Vision.load(self._setup.models, engine)
        return self._visions[engine]

    def _measures(self, engine: str) -> Measuring:
        if engine not in self._measuring:
            self._measuring[engine] = Measuring(self._vision(engine))
        return self._measuring[engine]

    def _identity(self, engine: str) -> Identity:
        if engine not in self._identities:
            self._identities[engine] = OfflineIdentity(self._vision(engine), Describer(self._setup.models), delay=DELAY)
        return self._identities[engine]

    def _face_points(self, picture: Picture) -> Points | None:
        if self._points is None:
            self._points = FacePoints(self._setup.models)
        return self._points(picture)

    def _labelled(self, case: Case, outcome: Outcome) -> bool:
        if case.kind != "false_accept" or case.clip is None or outcome.passed_at_second is None:
            return False
        asked, path, second = ChallengeType(outcome.asked[0]), case.clip.path, outcome.passed_at_second
        return any(s.holds(path, second) for p in self._manifest.people for s in p.gestures.get(asked, ()))

    def _others(self, person: Person) -> list[Person]:
        return [p for p in self._manifest.people if p.name != person.name]


def _outcome(case: Case, job: Job, preset: str, played: Played) -> Outcome:
    session = played.session
    evidence: dict[str, float] = {}
    for finding in session.findings:
        evidence[str(finding.code)] = max(finding.score, evidence.get(str(finding.code), finding.score))
    outcome = Outcome(
        kind=case.kind,
        species=case.species,
        person=case.person,
        detail=case.detail,
        engine=job.engine,
        fps=job.fps,
        preset=preset,
        asked=[str(c.type) for c in session.challenges],
        passed=[(p.challenge, round(p.at, 3), p.confidence) for p in played.passes],
        state=str(session.state),
        is_live=session.is_live,
        reason=session.reason,
        seconds=round(played.seconds, 3),
        frames=played.frames,
        problems=dict(played.problems),
        evidence=evidence,
    )
    if case.clip is not None:
        outcome.clip = (case.clip.path.name, case.clip.start, case.clip.end)
        if played.passes:
            first = played.passes[0]
            outcome.passed_at_second, outcome.lap = first.shot.second, first.shot.lap
            if case.kind == "hit":
                outcome.since_peak = round(first.at - (case.clip.peak - case.clip.start), 3)
    return outcome
