"""Does jobs in one process; the outcome is the same in any order and in any process."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial

import cv2

from ops.lab.evaluate.attacks import RECORDED, SPECIES
from ops.lab.evaluate.attacks.points import FacePoints
from ops.lab.evaluate.attacks.recordings import recorded
from ops.lab.evaluate.attacks.studio import Studio
from ops.lab.evaluate.cases import Case, Types, bona_fide_cases, gesture_cases, still_head_cases
from ops.lab.evaluate.clients import sent_by
from ops.lab.evaluate.filming import MIRRORED, filmed
from ops.lab.evaluate.identity import DELAY, Both, Identity, NoIdentity
from ops.lab.evaluate.job import STILL_HEAD, Job, Setup
from ops.lab.evaluate.manifest import Person, load_manifest
from ops.lab.evaluate.measuring import Measuring
from ops.lab.evaluate.outcome import Outcome
from ops.lab.evaluate.player import BEGIN, Played, Source, play
from ops.lab.evaluate.presets import USUAL
from ops.lab.evaluate.record import outcome_of
from ops.lab.evaluate.signals import Signals, watch
from ops.lab.evaluate.tape import Tape
from shared.evidence_model import read_model
from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import Preset
from shared.liveness.session import Session
from workers.offline import OfflineIdentity, OfflinePassive
from workers.vision.descriptor import Describer
from workers.vision.landmarks import Picture, Points
from workers.vision.pipeline import Vision

#: Seconds that a session lives, longer than any case is played.
TTL = 600.0


class Worker:
    """Does jobs, one after the other. Models are loaded when they are first needed."""

    def __init__(self, setup: Setup) -> None:
        # Else OpenCV starts a thread for each core, in each process.
        cv2.setNumThreads(1)
        self._setup = setup
        self._manifest = load_manifest(setup.manifest, setup.root, setup.people)
        self._visions: dict[str, Vision] = {}
        self._measuring: dict[str, Measuring] = {}
        self._identities: dict[str, Identity] = {}
        self._passives: dict[str, Identity] = {}
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
                    source = self._sent(case, job, lap, tape.play())
                    outcome = outcome_of(case, job, preset, self._play(case, job, types, source, preset))
                    outcome.draw, outcome.client, outcome.filming = lap, self._setup.client, self._setup.filming
                    outcome.labelled = self._labelled(case, outcome)
                    outcomes.append(outcome)
        return outcomes

    def _cases(self, job: Job) -> Iterator[Case]:
        if job.part == "gestures":
            if job.person == STILL_HEAD:
                return still_head_cases(self._manifest, job.fps)
            return gesture_cases(self._manifest.person(job.person), job.fps)
        if job.species in RECORDED:
            recording = next(p for p in self._manifest.attacks(job.species) if p.name == job.person)
            return recorded(job.species, recording, self._studio(recording, job))
        person = self._manifest.person(job.person)
        if job.part == "bona_fide":
            return bona_fide_cases(person, job.fps)
        return SPECIES[job.species](self._studio(person, job))

    def _studio(self, person: Person, job: Job) -> Studio:
        return Studio(person, self._others(person), job.fps, self._setup.seed, self._face_points, self._face_solid)

    def _sent(self, case: Case, job: Job, lap: int, source: Source) -> Source:
        """The source as it is filmed and sent; random choices are the same for each preset and in every run."""
        setup = self._setup
        chance = random.Random(f"{setup.seed}:{setup.client}:{lap}:{case.name}")  # noqa: S311 - repeatable, not secret
        return sent_by(setup.client, filmed(source, setup.filming), job.fps, chance)

    def _play(self, case: Case, job: Job, types: Types, source: Source, preset: str) -> Played:
        # No comparison of faces for single gestures: their results must not wait for it.
        identify = self._setup.identity and case.clip is None
        scored = self._setup.model is not None and case.clip is None
        session = Session.open(
            "evaluated",
            types,
            timeout_seconds=self._setup.timeout,
            at=BEGIN,
            ttl=TTL,
            mirrored=self._setup.filming == MIRRORED,
            preset=Preset(preset),
            identify=identify,
            passive=scored,
        )
        return play(
            session,
            source,
            self._measures(job.engine),
            self._watching(job.engine, identify=identify, scored=scored),
            fps=job.fps,
            seconds=case.seconds(self._setup.timeout),
            weighing=self._setup.weighing,
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
            describer = Describer(self._setup.models)
            self._identities[engine] = OfflineIdentity(self._vision(engine), describer, delay=DELAY)
        return self._identities[engine]

    def _watching(self, engine: str, *, identify: bool, scored: bool) -> Identity:
        """What looks at the faces of a session beside the judges."""
        identity = self._identity(engine) if identify else NoIdentity()
        return Both(identity, self._passive(engine)) if scored else identity

    def _passive(self, engine: str) -> Identity:
        if engine not in self._passives:
            assert self._setup.model is not None
            self._passives[engine] = OfflinePassive(self._vision(engine), read_model(self._setup.model), delay=DELAY)
        return self._passives[engine]

    def _face_points(self, picture: Picture) -> Points | None:
        return self._scissors()(picture)

    def _face_solid(self, picture: Picture) -> Points | None:
        return self._scissors().solid(picture)

    def _scissors(self) -> FacePoints:
        if self._points is None:
            self._points = FacePoints(self._setup.models)
        return self._points

    def _labelled(self, case: Case, outcome: Outcome) -> bool:
        if case.kind != "false_accept" or case.clip is None or outcome.passed_at_second is None:
            return False
        asked, path, second = ChallengeType(outcome.asked[0]), case.clip.path, outcome.passed_at_second
        return any(s.holds(path, second) for p in self._manifest.people for s in p.gestures.get(asked, ()))

    def _others(self, person: Person) -> list[Person]:
        return [p for p in self._manifest.people if p.name != person.name]
