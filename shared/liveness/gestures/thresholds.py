"""The thresholds of the gestures' judges, each with its unit, its meaning and its reason.

Most were set on recordings of 16 people; `ops/evaluate` measures the same on anyone's own recordings. Amounts of a gesture
are measured from the person's neutral (`neutral.Neutral`).
"""

from __future__ import annotations

from typing import Final

# The head -------------------------------------------------------------------------------------------------------------

#: Degrees of yaw from the neutral that make a turn; heads of people who sit, speak or laugh stray by less.
TURN: Final = 20.0
#: Degrees of pitch above the neutral that make a look upward; other movements stay below, but for turns (CROSS_AXIS).
LOOK_UP: Final = 13.0
#: Degrees of pitch below the neutral that make a look downward; a chin has less way to go down than up.
LOOK_DOWN: Final = 12.0
#: Degrees of yaw and pitch at which a person faces the camera, typically.
FACING_YAW: Final = 0.0
FACING_PITCH: Final = 15.0
#: Most degrees from facing the camera at which a neutral is plausible: beyond, the head is in the middle of a gesture.
PLAUSIBLE_YAW: Final = 25.0
PLAUSIBLE_PITCH: Final = 17.5
#: Degrees beyond facing the camera, in the gesture's direction, where the head must end whatever its neutral: coming back
#: from the other side is not the gesture. (A look downward may end above that level, as it goes less far.)
BEYOND_FACING: Final = {"TURN_LEFT": 8.0, "TURN_RIGHT": 8.0, "LOOK_UP": 7.0, "LOOK_DOWN": -3.0}
#: Share of the amount needed by which the head must also be beyond its first rest, if it faced the camera more there than at
#: its neutral: else going away for most of the opening and coming back would count. The same goes for a smile.
BEYOND_FIRST_REST: Final = 0.5
#: Seconds that the first rest lasts.
FIRST_REST: Final = 0.6
#: Most degrees of the movement at which the head is at rest, as it must have been since the challenge began: a head that was
#: turned before has not turned.
AT_REST: Final = 8.0
#: How many times as much as the axis asked for the other axis may change; a far turn also shows as a look upward.
CROSS_AXIS: Final = 1.4
#: Share of the movement by which the other axis may change from where the head was last at rest: a head that swings round
#: does not look down. More is allowed if the head ends straight.
MOST_DETOUR: Final = 0.75
#: Share of the movement within which the other axis must be of its neutral to end straight.
ENDS_STRAIGHT: Final = 0.55
#: Most degrees a second of a head at rest, whose pose may be the neutral one.
STEADY: Final = 25.0
#: Degrees from the neutral of the opening within which later frames at rest refine it.
REFINE_WITHIN: Final = 8.0

# The eyes -------------------------------------------------------------------------------------------------------------

#: Share of the person's own open-eye level under which an eye is closed. Absolute levels fail: people's open eyes differ.
CLOSED: Final = 0.67
#: Share of the open-eye level above which an eye is open again.
REOPENED: Final = 0.8
#: Share of the open-eye level under which the wider eye must be: a wink is not a blink.
BOTH_CLOSED: Final = 0.8
#: Share of the open-eye level: lids that stay above it must be up again within SHALLOW_WITHIN seconds, as the lids of eyes
#: that look down sink that little, and stay.
SHALLOW: Final = 0.55
SHALLOW_WITHIN: Final = 0.45
#: Least openness (`Face.left_eye`) of open eyes: a person who keeps them shut has no open level to learn.
LEAST_OPEN: Final = 0.12
#: Degrees of yaw and pitch from the neutral within which the open-eye level is learned: eyes of a turned or lifted head look
#: wider open.
STRAIGHT: Final = 12.0
#: Share of the frames at hand that must be so straight; with fewer, all frames are used.
STRAIGHT_OFTEN: Final = 0.2
#: Most and least seconds between frames at which a blink may fall between them: at such low frame rates one frame with
#: lowered lids (GLIMPSED) between two with wide open eyes (WIDE_OPEN) is a blink.
SPARSE_STEP_MOST: Final = 0.27
SPARSE_STEP_LEAST: Final = 0.15
#: Shares of the open-eye level: lids lower than this are lowered, eyes opener than this are wide open.
GLIMPSED: Final = 0.78
WIDE_OPEN: Final = 0.9
#: Seconds that a blink may keep the eyes closed; a voluntary one takes less than a second, sleepy eyes stay closed longer.
LONGEST_BLINK: Final = 1.2

# The mouth ------------------------------------------------------------------------------------------------------------

#: Inter-ocular distances by which the mouth widens and its corners rise, added, that make a smile; speech stays below.
SMILE: Final = 0.15
#: Most inter-ocular distances that a resting mouth's width less its corners' drop has plausibly: a mouth with more in most
#: frames is smiling already.
SMILING_AT_REST: Final = 0.64
#: Quantile of its frames that is then taken for the mouth's rest.
SMILING_QUANTILE: Final = 0.1
#: Most inter-ocular distances that resting lips are plausibly apart: lips further apart in most frames talk or gape.
LIPS_APART: Final = 0.08
#: Quantile of their frames that is then taken for the lips' rest.
LIPS_APART_QUANTILE: Final = 0.05
#: How many times its smile a smiling mouth may have opened: the corners move apart when a mouth gapes, too.
GAPING: Final = 1.4
#: Inter-ocular distances by which the lips part, less GRIN_SHARE of the smile, that make an open mouth; speech stays below.
OPEN_MOUTH: Final = 0.105
#: Share of a smile by which a grin parts the lips.
GRIN_SHARE: Final = 0.35
#: Degrees of yaw and pitch from where the head is now within which the mouth must have been seen at rest: what a mouth seems
#: to do while the head turns is an effect of the turn.
MOUTH_CALM: Final = 8.0
#: Share of the amount needed by which the mouth must exceed what it mostly showed there: speech has a rest of its own.
BEYOND_REST: Final = 0.6
#: Degrees of yaw and pitch from facing the camera beyond which half of the mouth is out of sight.
MOUTH_SEEN_YAW: Final = 40.0
MOUTH_SEEN_PITCH: Final = 30.0
#: Degrees of yaw and pitch from where the head mostly is beyond which a mouth cannot be measured well.
MOUTH_HIDDEN: Final = 22.0
#: Seconds for which a smile or an open mouth must last; syllables are shorter.
SUSTAINED: Final = 0.19

# Hints: no gesture is met or missed by these --------------------------------------------------------------------------

#: Share of the amount needed from which the hint is to go further; resting heads stray by less.
ON_THE_WAY: Final = 0.4
#: Share of the amount needed, in the opposite direction, from which the hint is to go the other way.
WRONG_WAY: Final = 0.6
#: Seconds for which a hint refers to a gesture that has just been there, but too briefly or not far enough.
JUST_NOW: Final = 1.5
