"""What `dramatiq tests.integration.workers.scripted_worker` loads: the real worker, with eyes that do as they are told.

A "picture" is a `Script`: how long measuring it takes, and what comes of it. The judge passes a challenge as soon as
one of its frames says so, and those of the evidence have at once seen a living person. Everything else is as in
workers/main.py: the queue, Redis, rows, the session's rules.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import dramatiq
import msgspec
import numpy as np

import shared.liveness.session
from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import Finding
from shared.liveness.frame import Frame
from shared.liveness.gestures.judgement import Judgement
from shared.liveness.observation import Face, Observation
from shared.queue.broker import make_broker, worker_middleware
from shared.settings import Settings, load_settings_or_exit
from shared.telemetry.logs import configure_logging
from tests.unit.liveness.weights import WEIGHTS, alive
from workers import frames, identity, passive
from workers.resources import Resources
from workers.vision.descriptor import CHIP_SIDE, Descriptor, encode_chip
from workers.vision.errors import BadImage
from workers.vision.landmarks import Picture
from workers.vision.pipeline import Seen

#: Grey levels by which a chip without its mirror image is taken for brighter: how far off less exact descriptors are.
BRIGHTER = 2
#: A brightness that tells the scripted judge to pass the challenge.
PASSES = 255.0


class Script(msgspec.Struct, frozen=True):
    """A picture, for the tests' purposes."""

    #: Seconds that measuring it takes.
    takes: float = 0.0
    #: Whether the challenge that it is judged against passes with it.
    passes: bool = False
    #: A BadImage of this code is raised; "fault": something unforeseen.
    fails: str | None = None
    #: A `Gate`'s directory: measuring it says there that it has begun, and does not end before the gate is open.
    gate: str | None = None
    #: Whose face it is: a grey level. How far two faces are apart is the difference of theirs, in hundredths.
    who: int = 50
    #: Degrees by which the face is turned.
    yaw: float = 0.0

    def encode(self) -> bytes:
        """As it is sent."""
        return msgspec.msgpack.encode(self)


class Gate:
    """Holds frames in their workers' hands until it is opened, so that a test knows what is under way."""

    def __init__(self, directory: Path) -> None:
        """directory: an empty one of its own."""
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def script(self, *, passes: bool = False) -> Script:
        """A picture that is held."""
        return Script(gate=str(self._directory), passes=passes)

    @property
    def begun(self) -> int:
        """How many frames workers have had in hand, or have."""
        return len(list(self._directory.glob("begun-*")))

    def open(self) -> None:
        """Let all go on."""
        (self._directory / "open").touch()

    def wait(self) -> None:
        """In the worker: say that one is here, and wait."""
        (self._directory / f"begun-{uuid.uuid4().hex}").touch()
        while not (self._directory / "open").exists():
            time.sleep(0.01)


class ScriptedVision:
    """Sees what the script says."""

    def look(self, data: bytes, prior: object, at: float) -> Seen:
        """Take the time that is asked for, then tell what is asked for."""
        if data.startswith(b"\xff\xd8"):  # a portrait, as `Seen.jpeg` has made it
            picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
            return ScriptedSeen(Observation(1), None, np.asarray(picture, np.uint8))
        script = msgspec.msgpack.decode(data, type=Script)
        if script.gate is not None:
            Gate(Path(script.gate)).wait()
        # In small steps, so that the time limit can interrupt it.
        until = time.monotonic() + script.takes
        while time.monotonic() < until:
            time.sleep(0.01)
        if script.fails == "fault":
            raise RuntimeError("a fault in vision, as this test wants it")
        if script.fails is not None:
            raise BadImage(script.fails, "Told to be bad.")
        face = Face((0.3, 0.3, 0.3, 0.3), script.yaw, 15.0, 0.0, 0.1, 0.3, 0.3, 0.0, 0.8, 0.4, 1.0)
        observation = Observation(1, face=face, width=64, height=64, brightness=PASSES if script.passes else 100.0)
        return ScriptedSeen(observation, None, np.full((CHIP_SIDE, CHIP_SIDE, 3), script.who, np.uint8))


class ScriptedSeen(Seen):
    """A picture that is all face."""

    def chip(self) -> bytes:
        """See `Seen.chip`."""
        return encode_chip(np.asarray(self.picture, np.uint8))


class ScriptedDescriber:
    """Tells grey levels apart; SCRIPTED_DESCRIBING seconds for each. Takes a chip alone for brighter than it is."""

    def describe(self, chip: Picture, enough: Callable[[Descriptor], bool] | None = None) -> Descriptor:
        """See `Describer.describe`."""
        time.sleep(float(os.environ.get("SCRIPTED_DESCRIBING", "0")))
        level = float(chip.mean())
        alone = descriptor_of(level + BRIGHTER)
        return alone if enough is not None and enough(alone) else descriptor_of(level)


def descriptor_of(level: float) -> Descriptor:
    """Of a grey level; its bytes are easily found, should they be anywhere."""
    descriptor = np.full(128, 0.4321, np.float32)
    descriptor[0] = round(level) / 100
    return descriptor


def judge(kind: object, frames: list[Frame], *, since: float, **_: object) -> Judgement:
    """Pass as soon as a frame after the one that the challenge began with says so."""
    passed = any(frame.observation.brightness == PASSES and frame.at > since for frame in frames)
    return Judgement(passed, 0.9 if passed else 0.1)


def examine(_: object, asked: Sequence[ChallengeType], **__: object) -> list[Finding]:
    """What speaks for a living person as plainly as it can by the weights that this service has: `service.Service`."""
    return alive(WEIGHTS, asked)


def load(settings: Settings) -> dramatiq.Broker:
    """The worker."""
    shared.liveness.session.judge = judge
    shared.liveness.session.REACTION = 0.0  # a script needs no time to see what it is asked
    shared.liveness.session.examine = examine
    frames.BEHIND = float(os.environ.get("SCRIPTED_BEHIND", frames.BEHIND))
    resources = Resources(settings, lambda _: ScriptedVision(), lambda _: ScriptedDescriber())
    broker = make_broker(settings, worker_middleware(settings, resources))
    dramatiq.set_broker(broker)
    frames.declare(broker, resources, max_age=int(settings.frame_deadline * 1000), model=settings.model)
    identity.declare(broker, resources)
    passive.declare(broker, resources)
    return broker


def main() -> None:
    """What the dramatiq command calls, by `…scripted_worker:main`."""
    settings = load_settings_or_exit()
    configure_logging(settings)
    load(settings)
