"""The hints that tell a person what to do next: each a stable code and an English sentence."""

from __future__ import annotations

from dataclasses import dataclass

from shared.liveness.challenge import ChallengeType
from shared.liveness.observation import Problem


@dataclass(frozen=True, slots=True)
class Hint:
    """A hint in an answer to a frame: `code` is stable and for programs, `text` is English for people."""

    code: str
    text: str


ENDED = Hint("ended", "This session has ended. Start a new one to try again.")
TIMED_OUT = Hint("timed_out", "That took too long. Start again when you are ready.")
PASSED = Hint("passed", "Well done.")
WAIT = Hint("wait", "Well done. Wait for the next one.")
HOLD_STILL = Hint("hold_still", "Keep your head still for a moment.")
SLOW = Hint("slow", "Too few pictures arrive. Turn on more light or move closer to the router, and hold still.")
SUPERSEDED = Hint("superseded", "Keep going: a newer picture is being judged.")
UNCOVER = Hint("face_covered", "Uncover your face: take off a mask, dark glasses or whatever hides it.")
LOOK_STRAIGHT = Hint("look_straight", "Look straight into the camera.")
HOLD_IT = Hint("hold_it", "Once more, and hold it for a moment.")

_PROBLEMS = {
    Problem.NO_FACE: Hint("no_face", "No face in the picture. Hold the camera so that your whole face is seen."),
    Problem.SEVERAL_FACES: Hint("several_faces", "More than one face in the picture. Be alone in front of the camera."),
    Problem.TOO_FAR: Hint("too_far", "Move closer."),
    Problem.TOO_CLOSE: Hint("too_close", "Move a little further away."),
    Problem.CUT_OFF: Hint("cut_off", "Your face is not all in the picture. Move it into the middle."),
    Problem.TOO_DARK: Hint("too_dark", "Too dark. Turn on a light or face a window."),
    Problem.TOO_BRIGHT: Hint("too_bright", "Too bright. Move out of the direct light."),
    Problem.TOO_BLURRED: Hint("too_blurred", "The picture is blurred. Hold still and wipe the lens."),
}


def for_problem(problem: Problem | None) -> Hint | None:
    """The hint about a frame that cannot be judged; None if it can be."""
    return None if problem is None else _PROBLEMS[problem]


OPEN_EYES = Hint("open_eyes", "Now open your eyes again.")
BLINK_SHORTER = Hint("blink_shorter", "Close both eyes only for a moment, then open them.")

_DO = {
    ChallengeType.TURN_LEFT: Hint("turn_left", "Turn your head to your left."),
    ChallengeType.TURN_RIGHT: Hint("turn_right", "Turn your head to your right."),
    ChallengeType.LOOK_UP: Hint("look_up", "Lift your chin and look up."),
    ChallengeType.LOOK_DOWN: Hint("look_down", "Lower your chin and look down."),
    ChallengeType.BLINK: Hint("blink", "Close both eyes, then open them."),
    ChallengeType.SMILE: Hint("smile", "Smile."),
    ChallengeType.OPEN_MOUTH: Hint("open_mouth", "Open your mouth."),
}
_FURTHER = {
    ChallengeType.TURN_LEFT: Hint("further", "A little further to your left."),
    ChallengeType.TURN_RIGHT: Hint("further", "A little further to your right."),
    ChallengeType.LOOK_UP: Hint("further", "A little further up."),
    ChallengeType.LOOK_DOWN: Hint("further", "A little further down."),
    ChallengeType.BLINK: Hint("further", "Close both eyes all the way, then open them."),
    ChallengeType.SMILE: Hint("further", "A bigger smile, and hold it."),
    ChallengeType.OPEN_MOUTH: Hint("further", "Open your mouth wider, and hold it."),
}
_OTHER_WAY = {
    ChallengeType.TURN_LEFT: Hint("other_way", "Other way: turn to your left."),
    ChallengeType.TURN_RIGHT: Hint("other_way", "Other way: turn to your right."),
    ChallengeType.LOOK_UP: Hint("other_way", "Other way: look up."),
    ChallengeType.LOOK_DOWN: Hint("other_way", "Other way: look down."),
}
_ASTRAY = {
    ChallengeType.TURN_LEFT: Hint("astray", "Keep your chin level while you turn."),
    ChallengeType.TURN_RIGHT: Hint("astray", "Keep your chin level while you turn."),
    ChallengeType.LOOK_UP: Hint("astray", "Only up, not to the side."),
    ChallengeType.LOOK_DOWN: Hint("astray", "Only down, not to the side."),
}
_RELAX = {
    ChallengeType.SMILE: Hint("relax", "Relax your face first, then smile."),
    ChallengeType.OPEN_MOUTH: Hint("relax", "Close your mouth first, then open it."),
}


def do(kind: ChallengeType) -> Hint:
    """The hint that names the gesture asked for."""
    return _DO[kind]


def further(kind: ChallengeType) -> Hint:
    """The hint for the right gesture, not made far enough."""
    return _FURTHER[kind]


def other_way(kind: ChallengeType) -> Hint:
    """The hint for a head movement in the opposite direction."""
    return _OTHER_WAY[kind]


def astray(kind: ChallengeType) -> Hint:
    """The hint for a head movement that also goes too far along the other axis."""
    return _ASTRAY[kind]


def relax(kind: ChallengeType) -> Hint:
    """The hint for a smile or an open mouth that was there before it was asked for."""
    return _RELAX[kind]
