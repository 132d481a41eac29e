"""Reads the description of the operator's own model: EVIDENCE_MODEL names an ONNX file, and a TOML file lies beside it.

docs/models.md explains the fields.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from shared.liveness.evidence import Code, Weighing
from shared.liveness.evidence.weighing import Curve, Group

_Side = Annotated[int, msgspec.Meta(ge=16, le=512)]


class ModelError(ValueError):
    """Raised for a description that cannot be used; the message is a clause that says why."""


class Network(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One network of the model."""

    #: SHA-256 of its file, in hexadecimal.
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    #: Side of the crop as a multiple of the face's box.
    crop: Annotated[float, msgspec.Meta(ge=1, le=8)]
    #: Its file, in the folder of the description; by default the file that EVIDENCE_MODEL names.
    file: Annotated[str, msgspec.Meta(pattern=r"^[^/\\]*$")] = ""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    network: Annotated[list[Network], msgspec.Meta(min_length=1, max_length=8)]
    width: _Side
    height: _Side
    #: How much each output says that the picture is an attack.
    attack: Annotated[list[float], msgspec.Meta(min_length=1, max_length=64)]
    outputs: Literal["softmax", "sigmoid", "as_is"] = "softmax"
    channels: Literal["BGR", "RGB"] = "RGB"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: float = 1.0
    curve: Curve | None = None


@dataclass(frozen=True, slots=True)
class EvidenceModel:
    """The model as described."""

    #: The networks, each with the path of its file; their scores are averaged.
    networks: tuple[tuple[Path, Network], ...]
    #: Width and height of a network's input in pixels.
    size: tuple[int, int]
    #: The order of the input's channels.
    channels: Literal["BGR", "RGB"]
    #: The input is (pixel - mean) * scale, with pixels from 0 to 255 and the mean in the order of the channels.
    mean: tuple[float, float, float]
    scale: float
    #: What is done with a network's outputs before they are weighed.
    outputs: Literal["softmax", "sigmoid", "as_is"]
    #: The weights by which the outputs add up to a score: 0 for a living face, 1 for an attack.
    attack: tuple[float, ...]
    #: The bits of each score, where no weights were fitted with this model; None if it is not weighed then.
    curve: Curve | None

    @property
    def crops(self) -> tuple[float, ...]:
        """The side of each network's crop as a multiple of the face's box."""
        return tuple(network.crop for _, network in self.networks)


def read_model(path: Path) -> EvidenceModel:
    """Read the description beside an ONNX file; the networks' own files are read by the worker that runs them.

    Raises ModelError if it is unreadable or not usable.
    """
    beside = path.with_suffix(".toml")
    if path.suffix != ".onnx":
        raise ModelError("must name an .onnx file")
    try:
        said = msgspec.toml.decode(beside.read_bytes(), type=_File)
    except OSError as error:
        raise ModelError(f"needs {beside.name} beside it, which cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"has no usable {beside.name}: {error}") from error
    if said.curve is not None:
        _check(said.curve)
    return EvidenceModel(
        tuple((path.with_name(network.file or path.name), network) for network in said.network),
        (said.width, said.height),
        said.channels,
        said.mean,
        said.scale,
        said.outputs,
        tuple(said.attack),
        said.curve,
    )


def with_curve(weighing: Weighing, model: EvidenceModel | None) -> Weighing:
    """The weighing with the curve that came with the model, unless it was fitted with one itself."""
    if model is None or model.curve is None or Code.PASSIVE in weighing.curves:
        return weighing
    return replace(weighing, curves={**weighing.curves, Code.PASSIVE: dict.fromkeys(Group, model.curve)})


def _check(curve: Curve) -> None:
    if len(curve.scores) != len(curve.bits) or not curve.scores:
        raise ModelError("has a curve that needs as many bits as scores, and at least one")
    if any(right <= left for left, right in pairwise(curve.scores)):
        raise ModelError("has a curve whose scores do not rise")
    if any(right > left for left, right in pairwise(curve.bits)):
        raise ModelError("has a curve whose bits rise: a higher score never speaks more for a person")
