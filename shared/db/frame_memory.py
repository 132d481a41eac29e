"""The frames of the sessions that a process judged last: each is judged beside those before it, which it has read before.

Never believed by itself: a session's frames only become more while it lives, and only under the lock of its row, so as
many rows as are remembered are the very same rows. `SessionRepository.load_frames` asks how many there are, under that lock.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from math import inf
from operator import attrgetter

from shared.liveness.frame import Frame

#: Frames of a session, about a kilobyte each, beyond which it is not remembered.
MOST_FRAMES = 400
#: Frames of all sessions that are remembered, a session counting for one as well; those that were not judged for longest are
#: forgotten first. Not so many sessions: each comes in its turn, and of one more than are remembered none would be.
MOST_IN_ALL = 64 * MOST_FRAMES
#: Seconds without a frame after which a session is not remembered any more: another process may have ended it.
SILENCE = 60.0

#: Frames of the opening that are recalled at most, the newest: 3 seconds at 30 frames a second.
OPENING_FRAMES = 100
#: Frames after the opening that are recalled at most, the newest: 20 seconds at 15 frames a second.
RECENT_FRAMES = 300

_at = attrgetter("at")


class FrameMemory:
    """All frames of some sessions, oldest first. For one thread or several: lists are exchanged, never changed."""

    def __init__(self) -> None:
        self._frames: OrderedDict[str, list[Frame]] = OrderedDict()
        self._in_all = 0

    def of(self, session_id: str) -> list[Frame] | None:
        """All frames that were there when it was judged last; None where they are not remembered."""
        return self._frames.get(session_id)

    def keep(self, session_id: str, frames: list[Frame]) -> None:
        """These are all of them."""
        before = self._frames.pop(session_id, None)  # to stand at the end
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
        """When the latest frame arrived of the session that was not judged for longest; infinity where none is known."""
        frames = next(iter(self._frames.values()), None)
        return inf if not frames else frames[-1].at


def window(frames: list[Frame], until: float, since: float) -> list[Frame]:
    """Those of a session's frames, oldest first, that are needed: see `Session.frames_needed`.

    Two limits, not one: however fast a client sends, its newest frames must not push the opening out.
    """
    opened = bisect_right(frames, until, key=_at)
    recent = max(bisect_left(frames, since, lo=opened, key=_at), len(frames) - RECENT_FRAMES)
    return frames[max(0, opened - OPENING_FRAMES) : opened] + frames[recent:]
