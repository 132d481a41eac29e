"""Reading what a client says of its camera."""

from __future__ import annotations

import json
from typing import Any

import pytest

from api.camera import LONGEST, read_report
from api.problems import ProblemError
from api.uploads import read_frame
from shared.liveness.camera import CameraReport
from tests.unit.api.test_uploads import SETTINGS, form, picture, raw

SAID: dict[str, Any] = {
    "label": "0" * 64,
    "virtual": False,
    "settings": {"width": 1280, "height": 960, "frameRate": 30.000030517578125, "facingMode": "user"},
    "capabilities": {"width": {"max": 1920, "min": 1}, "frameRate": {"max": 60}, "deviceId": "x"},
    "captures": [[1012.3, 5], [1045.7, 6]],
}
REPORT = CameraReport("0" * 64, False, 1280, 960, 30.000030517578125, 1920, 0, 60.0, ((1012.3, 5), (1045.7, 6)))


def test_a_report_as_a_browser_makes_it() -> None:
    assert read_report(json.dumps(SAID)) == REPORT
    assert read_report("{}") == CameraReport()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"label": "OBS"}',
        '{"captures": [[1, 2, 3]]}',
        '{"captures": [[NaN, 2]]}',
        '{"captures": [[-1, 2]]}',
        '{"settings": {"width": 1e300}}',
        json.dumps({"captures": [[i, i] for i in range(201)]}),
        '{"settings": ' + "[" * 10_000,
        '{"more": ' + "[" * 8_000 + "]" * 8_000 + "}",
        "{" + " " * LONGEST + "}",
        '{"label": "\ud800"}',
    ],
)
def test_what_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(ProblemError) as caught:
        read_report(text)
    assert caught.value.kind.code == "camera_report"


def parts(said: str) -> bytes:
    field = f'--x\r\nContent-Disposition: form-data; name="camera"\r\n\r\n{said}\r\n'.encode()
    head = b'--x\r\nContent-Disposition: form-data; name="image"; filename="f.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    return field + head + picture() + b"\r\n--x--\r\n"


def test_a_report_comes_with_a_frame() -> None:
    request = raw(parts(json.dumps(SAID)), "multipart/form-data; boundary=x")
    assert read_frame(request, SETTINGS) == (picture(), REPORT)
    assert read_frame(form(picture()), SETTINGS) == (picture(), None)
