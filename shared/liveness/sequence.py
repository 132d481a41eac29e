"""The sequence of a session created with sequence=required: each frame carries the nonces of the latest answers.

A client that reads its answers knows nearly all of them; frames that were prepared in advance carry none, and each of two
programs that send frames of one session knows only its own. Several frames may be under way, answers may overtake each other
and a few may be lost: an honest client is not refused for that.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

#: Most answers that may be newer than the newest one that a frame carries: they may still be on their way to the client. As
#: many frames as a session may have under way by default.
LAG: Final = 8
#: Nonces that a frame carries at most.
CARRIED: Final = 12
#: Most answers, of the CARRIED - 1 before the newest one carried, whose nonces the frame may lack because they got
#: lost: fewer than each of two programs lacks that send alternately.
MOST_LACKING: Final = 5
#: Latest nonces of a session that have to be known to judge a frame.
KEPT: Final = LAG + CARRIED


def follows(carried: Collection[str], issued: Sequence[str]) -> bool:
    """Whether a frame that carries these nonces may be one of the client that received the answers.

    issued: the nonces of the latest answers of the session, at most KEPT, newest first. Empty at the beginning, when any
    frame follows.
    """
    if not issued:
        return True
    newest = next((i for i, nonce in enumerate(issued) if nonce in carried), None)
    if newest is None:
        # Sent before the first answer had arrived.
        return not carried and len(issued) < LAG
    before = issued[newest + 1 : newest + CARRIED]
    return newest < LAG and sum(nonce not in carried for nonce in before) <= MOST_LACKING
