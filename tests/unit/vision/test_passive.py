"""The operator's own model: its description, its crops, its networks; with a small model that is made here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from shared.evidence_model import ModelError, read_model
from shared.liveness.evidence import Code
from shared.liveness.evidence.weighing import Curve, Group
from shared.settings import Settings
from tests.unit.liveness.people import observe
from tests.unit.vision.made_model import CURVE, SIDE, make_model
from workers.vision.passive import PassiveModel, cut_crops

FACE = observe(box=(0.4, 0.3, 0.2, 0.25)).face
assert FACE is not None


def picture(level: int, around: int = 0) -> np.ndarray:
    """A face of a grey level, at FACE's place in a picture of 640×480."""
    full = np.full((480, 640, 3), around, np.uint8)
    full[192:352, 256:384] = level
    return full


def crops_of(data: bytes) -> list[np.ndarray]:
    from workers.vision.passive import _decoder

    return [cv2.imdecode(np.frombuffer(part, np.uint8), cv2.IMREAD_COLOR) for part in _decoder.decode(data)]


def test_a_model_tells_what_it_was_made_to_tell(tmp_path: Path) -> None:
    model = read_model(make_model(tmp_path))
    networks = PassiveModel(model)
    bright, dark = (cut_crops(picture(level, level), FACE, model) for level in (230, 20))
    assert bright is not None
    assert dark is not None
    assert networks.score(bright) < 0.01
    assert networks.score(dark) > 0.99
    assert networks.score(bright) == networks.score(bright)


def test_crops_are_cut_around_the_face_and_stay_inside(tmp_path: Path) -> None:
    model = read_model(make_model(tmp_path))
    small, large = crops_of(cut_crops(picture(255), FACE, model) or b"")
    assert small.shape == large.shape == (SIDE, SIDE, 3)
    assert small.mean() / 255 == pytest.approx(1 / 2.7**2, rel=0.1)
    # Four times the face does not fit: the crop is as high as the picture.
    assert large.mean() / 255 == pytest.approx(128 * 160 / (480 * 384), rel=0.1)
    corner = replace(FACE, box=(0.0, 0.0, 0.2, 0.25))
    assert [c.shape for c in crops_of(cut_crops(picture(255), corner, model) or b"")] == [(SIDE, SIDE, 3)] * 2
    outside = replace(FACE, box=(0.9, 0.7, 0.2, 0.25))
    assert cut_crops(picture(255), outside, model) is not None


def test_a_face_that_is_too_small_is_not_cut(tmp_path: Path) -> None:
    model = read_model(make_model(tmp_path))
    assert cut_crops(picture(255), replace(FACE, box=(0.4, 0.3, 0.02, 0.03)), model) is None


def test_a_file_that_is_not_the_described_one_is_refused(tmp_path: Path) -> None:
    path = make_model(tmp_path)
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(ModelError, match="SHA-256"):
        PassiveModel(read_model(path))
    path.unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        PassiveModel(read_model(path))


def test_other_outputs_than_described_are_told_before_the_first_face(tmp_path: Path) -> None:
    path = make_model(tmp_path)
    beside = path.with_suffix(".toml")
    beside.write_text(beside.read_text().replace("[1.0, 0.0, 1.0]", "[1.0, 0.0]"))
    with pytest.raises(ModelError, match="3 outputs"):
        PassiveModel(read_model(path))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("width = 80", "width = 4"), "width"),
        (('outputs = "softmax"', 'outputs = "argmax"'), "outputs"),
        (("crop = 2.7", "crop = 0.1"), "crop"),
        (('file = "other.onnx"', 'file = "../other.onnx"'), "file"),
        (("width = 80", "width = 80\nunknown = 1"), "unknown"),
        (("width = 80", "width ="), "usable"),
        (("width = 80", "width = 80\ncurve = { scores = [0.0, 1.0], bits = [0.0, 1.0] }"), "rise"),
        (("width = 80", "width = 80\ncurve = { scores = [1.0, 0.0], bits = [0.0, -1.0] }"), "rise"),
        (("width = 80", "width = 80\ncurve = { scores = [1.0], bits = [] }"), "as many bits"),
    ],
)
def test_a_description_that_cannot_be_used_says_why(tmp_path: Path, change: tuple[str, str], says: str) -> None:
    path = make_model(tmp_path)
    beside = path.with_suffix(".toml")
    beside.write_text(beside.read_text().replace(*change, 1))
    with pytest.raises(ModelError, match=says):
        read_model(path)
    with pytest.raises(ValueError, match=says):
        Settings(_env_file=None, evidence_model=path)


def test_without_its_description_a_model_is_refused(tmp_path: Path) -> None:
    path = make_model(tmp_path)
    path.with_suffix(".toml").unlink()
    with pytest.raises(ModelError, match=r"needs made\.toml beside it"):
        read_model(path)
    with pytest.raises(ModelError, match=r"must name an \.onnx file"):
        read_model(path.with_suffix(".pt"))


def test_its_curve_is_weighed_where_none_was_fitted(tmp_path: Path) -> None:
    path = make_model(tmp_path, CURVE)
    own = Settings(_env_file=None, evidence_model=path)
    assert own.weighing.curves[Code.PASSIVE] == dict.fromkeys(Group, Curve((0.2, 0.8), (1.0, -4.0)))
    assert own.needs_identity_worker
    assert Settings(_env_file=None, evidence_model=path, identity=False).needs_identity_worker
    usual = Settings(_env_file=None)
    assert Code.PASSIVE not in usual.weighing.curves
    assert usual.model is None
    assert not Settings(_env_file=None, identity=False).needs_identity_worker
