"""The terms of a session: what its creator asked for, as far as no other field of the session says it."""

from __future__ import annotations

from dataclasses import dataclass

from shared.liveness.challenge import ChallengeType


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms on which a session was created; they never change.

    Every field has a default, so that rows of an earlier version can be read.
    """

    #: The challenges that were drawn from; None in rows of a version that did not store them.
    challenge_types: tuple[ChallengeType, ...] | None = None
    #: The policy that the creation had to meet (`shared.policy`); None as above.
    policy: str | None = None
    #: The name of the party that asks for the check, as the person sees it; None: the service's own setting.
    relying_party: str | None = None
    #: Whether the subject had no attempt left. Such a session goes on as any other and is not live.
    attempts_spent: bool = False


#: The terms of a session of a version that stored none.
NO_TERMS = Terms()
