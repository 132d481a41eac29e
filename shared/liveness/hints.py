"""What to tell the person now: a stable code and a sentence."""
from __future__ import annotations

from dataclasses import dataclass

from shared.liveness.observation import Problem


@dataclass(frozen=True, slots=True)
class Hint:
    """A word of help; `code` is for programs and is stable, `text` is English for people."""

    code: str
    text: str


ENDED = Hint("ended", "This session has ended. Start a new one to try again.")
TIMED_OUT = Hint("timed_out", "That took too long. Start again when you are ready.")
PASSED = Hint("passed", "Well done.")
LOOK_STRAIGHT = Hint("look_straight", "Look straight into the camera.")

_PROBLEMS = {
    Problem.NO_FACE: Hint("no_face", "No face in the picture. Hold the camera so that your whole face is seen."),
    Problem.SEVERAL_FACES: Hint("several_faces", "More than one face in the picture. Be alone in front of the camera."),
    Problem.TOO_FAR: Hint("too_far", "Move closer."),
    Problem.TOO_CLOSE: Hint("too_close", "Move a little further away."),
    Problem.TOO_DARK: Hint("too_dark", "Too dark. Turn on a light or face a window."),
    Problem.TOO_BRIGHT: Hint("too_bright", "Too bright. Move out of the direct light."),
    Problem.TOO_BLURRED: Hint("too_blurred", "The picture is blurred. Hold still and wipe the lens."),
}


def for_problem(problem: Problem | None) -> Hint | None:
    """What to do about a frame that cannot be judged."""
    return None if problem is None else _PROBLEMS[problem]
