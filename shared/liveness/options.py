"""What a session was asked for beyond its challenges; all of it is optional, and stored as it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """Later ones are added with a default, so that rows and workers of an earlier version go on."""

    #: Seconds from each pass to the reveal of the next challenge, drawn by the caller: one fewer than there are
    #: challenges. Empty: the person knows all challenges from the beginning.
    pauses: tuple[float, ...] = ()
    #: Whether its best frontal frame can be fetched when the person was live.
    portrait: bool = False
    #: A word of the relying party's, to find its session's verdict by.
    nonce: str | None = None
    #: The least score of a live session; None for the preset's.
    threshold: float | None = None


#: Nothing beyond its challenges.
NO_OPTIONS = Options()
