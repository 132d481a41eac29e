"""What the work on frames and on faces needs of its process; `workers.resources.Resources` provides all of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from redis import Redis
from sqlalchemy import Engine

from shared.liveness.evidence import Weighing
from workers.vision.descriptor import Descriptor
from workers.vision.landmarks import Picture
from workers.vision.pipeline import Seen
from workers.vision.prior import Prior


class Looks(Protocol):
    """The vision pipeline that measures frames (`workers.vision.pipeline.Vision`)."""

    def look(self, data: bytes, prior: Prior | None, at: float) -> Seen:
        """Measure an encoded picture that arrived at `at`, going on from `prior`; raises BadImage."""


class Describes(Protocol):
    """The network that describes faces (`workers.vision.descriptor.Describer`)."""

    def describe(self, chip: Picture, enough: Callable[[Descriptor], bool] | None = None) -> Descriptor:
        """The descriptor of the face in a chip; enough: whether a less exact one, which it is given, will do."""


class Tools(Protocol):
    """What both kinds of work need; there from the moment the process has booted."""

    @property
    def redis(self) -> Redis:
        """Where pictures wait and answers go."""

    @property
    def engine(self) -> Engine:
        """The database."""


class FrameTools(Tools, Protocol):
    """What the work on frames needs."""

    @property
    def vision(self) -> Looks:
        """The vision pipeline of frames."""

    @property
    def weighing(self) -> Weighing:
        """The weights and thresholds of verdicts."""


class FaceTools(Tools, Protocol):
    """What the work on faces needs."""

    @property
    def face_vision(self) -> Looks:
        """The vision pipeline of reference pictures; loaded when it is first needed."""

    @property
    def describer(self) -> Describes:
        """The network that describes faces."""
