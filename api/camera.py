"""Reading what a client says of its camera: the text field `camera` of a frame, JSON."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from api.problems import ProblemError
from shared.liveness.camera import CameraReport

#: Characters of a report at most.
LONGEST: Final = 16 * 1024

_Pixels = Annotated[float, msgspec.Meta(ge=0, le=100_000)]
_Rate = Annotated[float, msgspec.Meta(ge=0, le=10_000)]
_Time = Annotated[float, msgspec.Meta(ge=0, le=1e15)]
_Number = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]


class _Settings(msgspec.Struct):
    """Of MediaTrackSettings what is used; a browser leaves out what it does not know."""

    width: _Pixels = 0.0
    height: _Pixels = 0.0
    frameRate: _Rate = 0.0  # noqa: N815 - the platform's name


class _Most(msgspec.Struct):
    max: _Pixels = 0.0


class _Capabilities(msgspec.Struct):
    """Of MediaTrackCapabilities what is used."""

    width: _Most = msgspec.field(default_factory=_Most)
    height: _Most = msgspec.field(default_factory=_Most)
    frameRate: _Most = msgspec.field(default_factory=_Most)  # noqa: N815 - the platform's name


class _Report(msgspec.Struct):
    label: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{64})?$")] = ""
    virtual: bool = False
    settings: _Settings = msgspec.field(default_factory=_Settings)
    capabilities: _Capabilities = msgspec.field(default_factory=_Capabilities)
    captures: Annotated[tuple[tuple[_Time, _Number], ...], msgspec.Meta(max_length=200)] = ()


_decoder = msgspec.json.Decoder(_Report)


def read_report(text: str) -> CameraReport:
    """The report in a text field; fields that are not known are ignored. Raises `camera_report`."""
    try:
        if len(text) > LONGEST:
            raise ValueError(f"it has more than {LONGEST} characters")
        said = _decoder.decode(text)
    except (ValueError, RecursionError) as error:  # msgspec's errors, and UnicodeEncodeError, are ValueErrors
        raise ProblemError("camera_report", f"The field `camera` cannot be read: {_reason(error)}.") from None
    return CameraReport(
        label=said.label,
        virtual=said.virtual,
        width=round(said.settings.width),
        height=round(said.settings.height),
        rate=said.settings.frameRate,
        most_width=round(said.capabilities.width.max),
        most_height=round(said.capabilities.height.max),
        most_rate=said.capabilities.frameRate.max,
        captures=said.captures,
    )


def _reason(error: Exception) -> str:
    return "it is no text" if isinstance(error, UnicodeError) else str(error) or "it is nested too deeply"
