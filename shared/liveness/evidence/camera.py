"""The judge of what a client says of its camera: whether that is plausible, and fits the pictures.

A program can make all of it up: this is a hurdle for whoever does not care to. A client that says nothing is not judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import pstdev
from typing import Final

from shared.liveness.camera import CameraReport
from shared.liveness.evidence.repeated import repeated
from shared.liveness.frame import Frame

#: Share by which the sides' ratio of a picture may differ from the camera's: clients scale pictures to whole pixels.
RATIO_OFF: Final = 0.03
#: Factor by which a camera may be faster than it says; in the dark it may be as slow as it likes.
TOO_FAST: Final = 1.5
#: Intervals from which on their jitter is judged, and milliseconds of a standard deviation that no clock goes below.
LEAST_INTERVALS: Final = 10
NO_JITTER: Final = 0.002
#: Seconds, and share of the time, by which the client's clock may differ from the arrivals: frames wait on their way.
CLOCK_OFF, CLOCK_OFF_SHARE = 1.5, 0.2
#: The score of pictures that come as evenly as no camera's: weaker, because a platform may round its times.
EVEN: Final = 0.7


def camera(frames: Sequence[Frame]) -> float | None:
    """How little the reports about the camera fit a camera, 0 to 1; None without a report.

    The score is that of the check that fits worst: a known program in place of a camera, sizes, rates, times, repeated
    pictures.
    """
    told = [(f, f.observation.camera) for f in frames if f.observation.camera is not None]
    if not told:
        return None
    reports = [report for _, report in told]
    captures = [capture for report in reports for capture in report.captures]
    return max(
        1.0 if any(report.is_virtual for report in reports) else 0.0,
        sum(not _size_fits(frame, report) for frame, report in told) / len(told),
        0.0 if _rises(captures) and _rate_fits(captures, reports[-1]) and _clock_fits(told) else 1.0,
        EVEN if _too_even(captures) else 0.0,
        repeated(frames) or 0.0,
    )


def _size_fits(frame: Frame, report: CameraReport) -> bool:
    """Whether a picture can be the camera's, upright or not, perhaps made smaller."""
    shorter, longer = sorted((frame.observation.width, frame.observation.height))
    of_camera = sorted((report.width, report.height))
    if not shorter or not of_camera[0]:
        return True
    possible = not report.most_width or max(of_camera) <= max(report.most_width, report.most_height)
    ratio = (longer / shorter) / (of_camera[1] / of_camera[0])
    return possible and longer <= of_camera[1] and abs(ratio - 1) <= RATIO_OFF


def _rises(captures: Sequence[tuple[float, int]]) -> bool:
    """Whether times and numbers rise: no picture is told of twice."""
    return all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(captures))


def _rate_fits(captures: Sequence[tuple[float, int]], report: CameraReport) -> bool:
    """Whether no more pictures came than the camera gives in that time."""
    fastest = max(report.rate, report.most_rate)
    if len(captures) <= LEAST_INTERVALS or not fastest:
        return True
    (first, start), (last, end) = captures[0], captures[-1]
    return (end - start) / max(last - first, 1e-3) * 1000 <= TOO_FAST * fastest


def _clock_fits(told: Sequence[tuple[Frame, CameraReport]]) -> bool:
    """Whether the pictures' times go on as fast as the frames arrive."""
    ends = [(frame.at, report.captures[-1][0] / 1000) for frame, report in told if report.captures]
    if not ends:
        return True
    arrived, captured = ends[-1][0] - ends[0][0], ends[-1][1] - ends[0][1]
    return abs(arrived - captured) <= CLOCK_OFF + CLOCK_OFF_SHARE * arrived


def _too_even(captures: Sequence[tuple[float, int]]) -> bool:
    """Whether the pictures came without any jitter."""
    intervals = [(b[0] - a[0]) / (b[1] - a[1]) for a, b in pairwise(captures) if b[1] > a[1]]
    return len(intervals) >= LEAST_INTERVALS and pstdev(intervals) < NO_JITTER
