"""The workers' vision with a cache, so that each picture is measured once."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from dataclasses import replace
from typing import Protocol

import msgspec

from shared.liveness.observation import Observation
from workers.vision.prior import Prior

#: The size of the cache: several minutes of frames, at most about 30 KB each.
ROOM = 6000


class Measures(Protocol):
    """The part of `workers.vision.pipeline.Vision` that is used here."""

    def measure(self, data: bytes, prior: Prior | None, at: float) -> tuple[Observation, Prior | None]:
        """Measure a picture. Raises BadImage."""


class Measuring:
    """Vision with a memory: the same picture after the same prior gives the same, whenever it comes.

    Clips are played for many challenges, and attacks for each preset: most pictures come several times.
    """

    def __init__(self, vision: Measures, room: int = ROOM) -> None:
        self._vision = vision
        self._room = room
        self._known: OrderedDict[bytes, tuple[Observation, Prior | None]] = OrderedDict()
        #: Milliseconds of each measurement that was not in the cache.
        self.milliseconds: list[float] = []

    def measure(self, data: bytes, prior: Prior | None, at: float) -> tuple[Observation, Prior | None]:
        """See Measures."""
        key = _key(data, prior, at)
        if key in self._known:
            self._known.move_to_end(key)
            observation, following = self._known[key]
        else:
            began = time.perf_counter()
            observation, following = self._vision.measure(data, prior, at)
            self.milliseconds.append(1e3 * (time.perf_counter() - began))
            following = following and _shifted(following, -at)
            self._known[key] = observation, following
            if len(self._known) > self._room:
                self._known.popitem(last=False)
        return observation, following and _shifted(following, at)


def _key(data: bytes, prior: Prior | None, at: float) -> bytes:
    # Times as ages, so that a measurement is found again at another time.
    before = b"" if prior is None else msgspec.msgpack.encode(_shifted(prior, -at))
    return hashlib.blake2b(data, digest_size=16).digest() + hashlib.blake2b(before, digest_size=16).digest()


def _shifted(prior: Prior, by: float) -> Prior:
    # Rounded: sums of sevenths and tenths of a second differ in their last digits.
    return replace(
        prior,
        at=round(prior.at + by, 4),
        seen_at=round(prior.seen_at + by, 4),
        searched_at=round(prior.searched_at + by, 4),
        full_from=round(prior.full_from + by, 4),
        likeness=prior.likeness and replace(prior.likeness, at=round(prior.likeness.at + by, 4)),
        lately=prior.lately and replace(prior.lately, at=round(prior.lately.at + by, 4)),
        skin=prior.skin and replace(prior.skin, at=round(prior.skin.at + by, 4)),
        eye_pictures=tuple(replace(eyes, at=round(eyes.at + by, 4)) for eyes in prior.eye_pictures),
    )
