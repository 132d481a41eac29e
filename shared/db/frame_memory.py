"""The frame memory: the frames of the sessions that a process judged last, so that they are not read again for each frame.

The memory is checked before each use. Frames are only ever added to a live session, under the lock of its row; so if the
session has as many rows as are remembered, they are the same. `SessionRepository.load_frames` counts them under that lock.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from math import inf
from operator import attrgetter

from shared.liveness.frame import Frame

#: Most frames of a session that are remembered, about a kilobyte each; a session with more is read from the database.
MOST_FRAMES = 400
#: Most frames that are remembered, a session itself counting as one; the sessions judged longest ago are dropped first. A
#: limit on frames, not sessions: with one session more than remembered, each in its turn, none would ever be found.
MOST_IN_ALL = 64 * MOST_FRAMES
#: Seconds without a frame after which a session is dropped: another process may have ended it.
SILENCE = 60.0

#: Most frames of the opening that are loaded, the newest: 3 seconds at 30 frames a second.
OPENING_FRAMES = 100
#: Most frames after the opening that are loaded, the newest: 20 seconds at 15 frames a second.
RECENT_FRAMES = 300

_at = attrgetter("at")


class FrameMemory:
    """All frames of some sessions, oldest first. Threads may share it: lists are replaced, never changed."""

    def __init__(self) -> None:
        self._frames: OrderedDict[str, list[Frame]] = OrderedDict()
        self._in_all = 0

    def of(self, session_id: str) -> list[Frame] | None:
        """All frames of a session when it was judged last; None if they are not remembered. Not to be changed."""
        return self._frames.get(session_id)

    def keep(self, session_id: str, frames: list[Frame]) -> None:
        """Remember all frames of a session, oldest first."""
        before = self._frames.pop(session_id, None)  # and put it at the end
        if before is not None:
            self._in_all -= len(before) + 1
        if len(frames) <= MOST_FRAMES:
            self._frames[session_id] = frames
            self._in_all += len(frames) + 1
        silent_since = frames[-1].at - SILENCE if frames else 0.0
        while self._in_all > MOST_IN_ALL or self._oldest_at < silent_since:
            self.forget(next(iter(self._frames)))

    def forget(self, session_id: str) -> None:
        """Drop the frames of a session that has ended."""
        frames = self._frames.pop(session_id, None)
        if frames is not None:
            self._in_all -= len(frames) + 1

    @property
    def _oldest_at(self) -> float:
        """Arrival of the latest frame of the session judged longest ago; infinity if there is none."""
        frames = next(iter(self._frames.values()), None)
        return inf if not frames else frames[-1].at


def window(frames: list[Frame], until: float, since: float) -> list[Frame]:
    """The part of a session's frames, oldest first, that is needed to judge the next: see `Session.frames_needed`.

    The opening has a limit of its own: however fast a client sends, its newest frames must not push the opening out.
    """
    opened = bisect_right(frames, until, key=_at)
    recent = max(bisect_left(frames, since, lo=opened, key=_at), len(frames) - RECENT_FRAMES)
    return frames[max(0, opened - OPENING_FRAMES) : opened] + frames[recent:]
