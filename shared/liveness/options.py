"""The optional settings of one session, chosen at its creation and stored with it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """Optional settings of a session.

    Every field has a default, so that rows and workers of an earlier version can be read and go on working.
    """

    #: Seconds from each pass to the reveal of the next challenge, drawn by the caller: one fewer than the challenges.
    #: Empty: all challenges are known from the beginning.
    pauses: tuple[float, ...] = ()
    #: Whether the best frontal frame of a live session can be fetched afterwards.
    portrait: bool = False
    #: An opaque string of the relying party, repeated in the signed verdict.
    nonce: str | None = None
    #: The least score of a live session; None to use the preset's threshold.
    threshold: float | None = None
    #: Whether each frame must carry the nonces of the latest answers: see `shared.liveness.sequence`.
    sequence: bool = False


#: The options of a session created without any.
NO_OPTIONS = Options()
