"""Every number that the judges go by: its unit, its reason, and where it was measured.

"Measured" is on recordings of 16 people (66 gestures, 8 frames a second, the mesh engine) that the judges were developed on;
`ops/evaluate` measures the same on anyone's own recordings.
"""
from __future__ import annotations

from typing import Final

# The head -------------------------------------------------------------------------------------------------------------

#: Degrees of yaw away from the person's own neutral that are a turn. Measured: turns asked for reach 18 to 60; heads that
#: were not asked to turn stay within 9 of their neutral.
TURN: Final = 15.0
#: Degrees of pitch above the neutral that are a look upward. Measured: 16 to 45 where it was asked for.
LOOK_UP: Final = 12.0
#: Degrees of pitch below the neutral that are a look downward: smaller, since lids and hair end it earlier. Measured: from 12.
LOOK_DOWN: Final = 10.0
#: Within how many degrees of the neutral (or beyond it, on the other side) the head must have been since the challenge
#: began: who is turned already has not turned.
AT_REST: Final = 8.0
#: A head movement goes mainly along the axis asked for: the other one may change by this many times as much. Turning
#: far shows as a look upward of up to 0.5 of the turn in the mean face's fit.
CROSS_AXIS: Final = 1.4
#: Degrees a second up to which a head is at rest, so that its pose may be the neutral one.
STEADY: Final = 25.0
#: Where a person who looks at the camera stands, in degrees, and how far from there a neutral can plausibly be: beyond it,
#: the head is in the middle of a gesture. Measured: neutral yaw -6 to 36 (a camera at the side), pitch 8 to 31 (held low).
PLAUSIBLE_YAW: Final = (0.0, 38.0)
PLAUSIBLE_PITCH: Final = (15.0, 22.0)
#: Degrees from the first neutral within which later frames at rest refine it.
REFINE: Final = 8.0

# The eyes -------------------------------------------------------------------------------------------------------------

#: Share of the person's own open-eye level under which an eye is closing, and above which it is open again. Absolute
#: levels do not work: open eyes had medians from 0.22 to 0.44 over people.
CLOSED: Final = 0.62
#: Either eye by itself must go under this share: a wink is not a blink.
BOTH_CLOSED: Final = 0.8
REOPENED: Final = 0.8
#: Seconds that a blink may keep the eyes closed; a voluntary one is under a second, sleepy eyes are closed for longer.
LONGEST_BLINK: Final = 1.2

# The mouth ------------------------------------------------------------------------------------------------------------

#: Inter-ocular distances by which the mouth's width and its corners' height together grow in a smile.
SMILE: Final = 0.14
#: Of it the width alone: raising the upper lip is not a smile.
SMILE_WIDTH: Final = 0.04
#: Inter-ocular distances by which the lips part. Measured: speech stays under 0.12 mostly, asked-for opening is from 0.15.
OPEN_MOUTH: Final = 0.13
#: A grin parts the lips as well: the opening counts less this share of the smile that comes with it.
GRIN_SHARE: Final = 0.45
#: Seconds that a smile and an open mouth must be held: syllables are shorter.
HELD: Final = 0.24
