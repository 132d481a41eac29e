"""dlib's face descriptor network, run by OpenCV: the same numbers (to a millionth) in an eighth of dlib's time.

The weights are read out of dlib's own file and the network is written down as ONNX, once a process. Its layers are those of
dlib's example `dnn_face_recognition_ex.cpp` (public domain): a residual network of 29 convolutions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.vision.onnx import Graph

#: Side of the picture that goes in, and how many numbers come out.
SIDE, NUMBERS = 150, 128
#: (channels, blocks, whether the first block halves the picture), in the order in which a picture passes them.
_LEVELS = ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True))
#: Side of the picture after the first convolution and the pooling.
_POOLED = 35
#: How dlib writes the names of layers that have weights: the length of the name's length, the length, the name.
_CONVOLUTION, _AFFINE, _FULL = b"\x01\x05con_4", b"\x01\x07affine_", b"\x01\x04fc_2"
#: Numbers between a full layer's name and its weights: how many come out and go in.
_FULL_HEAD = 2
#: Version of the layout of a tensor that this module reads.
_TENSOR_VERSION = 2

_Weights = NDArray[np.float32]


class WrongWeights(ValueError):
    """The file is not the one that this network is for."""


@dataclass(frozen=True, slots=True)
class _Layer:
    """A convolution's numbers, and those of the scaling after it, as they lie in the file."""

    convolution: _Weights
    affine: _Weights


def as_onnx(file: Path) -> bytes:
    """The network with the weights in dlib's file. Raises WrongWeights."""
    data = file.read_bytes()
    try:
        convolutions, affines = list(_tensors(data, _CONVOLUTION)), list(_tensors(data, _AFFINE))
        (full,) = _tensors(data, _FULL, _FULL_HEAD)
        layers = [_Layer(*pair) for pair in zip(convolutions, affines, strict=True)]
        if len(layers) != 1 + 2 * sum(blocks for _, blocks, _ in _LEVELS):
            raise WrongWeights(f"it has {len(layers)} convolutions")
        return _build(iter(layers), full)
    except (ValueError, IndexError) as error:  # too short, or of other sizes
        raise WrongWeights(f"{file.name} is not dlib's face descriptor: {error}") from None


def _build(layers: Iterator[_Layer], full: _Weights) -> bytes:
    graph = Graph("descriptor", (1, 3, SIDE, SIDE))
    seen = graph.add("Relu", _convolve(graph, "input", next(layers), (3, 32, 7, 2)))
    seen = graph.add("MaxPool", seen, kernel_shape=(3, 3), strides=(2, 2), pads=(0, 0, 0, 0))
    channels, side = 32, _POOLED
    for wide, blocks, halving in _LEVELS:
        for block in range(blocks):
            stride = 2 if halving and block == 0 else 1
            new = graph.add("Relu", _convolve(graph, seen, next(layers), (channels, wide, 3, stride)))
            new = _convolve(graph, new, next(layers), (wide, wide, 3, 1))
            if stride == 2:
                seen = _halve(graph, seen, channels, wide)
                # dlib adds pictures of different sizes as if the smaller one went on with zeros.
                convolved, side = (side - 3) // 2 + 1, side // 2
                new = graph.add("Pad", new, pads=(0, 0, 0, 0, 0, 0, side - convolved, side - convolved))
            seen = graph.add("Relu", graph.add("Add", new, seen))
            channels = wide
    seen = graph.add("GlobalAveragePool", seen)
    last = graph.weights(full.reshape(channels, NUMBERS).T[:, :, None, None])
    seen = graph.add("Conv", seen, last, kernel_shape=(1, 1), strides=(1, 1), pads=(0, 0, 0, 0))
    return graph.encode(seen, (1, NUMBERS, 1, 1))


def _convolve(graph: Graph, seen: str, layer: _Layer, shape: tuple[int, int, int, int]) -> str:
    """A convolution and the scaling after it as one; shape: channels in and out, size, stride."""
    before, after, size, stride = shape
    numbers, affine = layer.convolution.ravel(), layer.affine.ravel()
    kernels = numbers[:-after].reshape(after, before, size, size)
    gain, offset = affine[:after], affine[after:].reshape(after)
    rim = size // 2 if stride == 1 else 0
    return graph.add(
        "Conv",
        seen,
        graph.weights(kernels * gain[:, None, None, None]),
        graph.weights(numbers[-after:] * gain + offset),
        kernel_shape=(size, size),
        strides=(stride, stride),
        pads=(rim, rim, rim, rim),
    )


def _halve(graph: Graph, seen: str, before: int, after: int) -> str:
    """The mean of each two by two pixels, and channels of zeros beyond those that there are: one convolution."""
    kernels = np.zeros((after, before, 2, 2))
    kernels[np.arange(before), np.arange(before)] = 0.25
    return graph.add("Conv", seen, graph.weights(kernels), kernel_shape=(2, 2), strides=(2, 2), pads=(0, 0, 0, 0))


def _tensors(data: bytes, layer: bytes, head: int = 0) -> Iterator[_Weights]:
    """The weights of each layer of a kind, in the file's order, which is that of a picture's way."""
    at = data.find(layer)
    while at >= 0:
        at += len(layer)
        for _ in range(head):
            _, at = _number(data, at)
        version, at = _number(data, at)
        if version != _TENSOR_VERSION:
            raise WrongWeights(f"the weights' layout is of version {version}, not {_TENSOR_VERSION}")
        shape: list[Any] = []
        for _ in range(4):
            size, at = _number(data, at)
            shape.append(size)
        count = int(np.prod(shape))
        yield np.frombuffer(data, "<f4", count, at).reshape(shape)
        at = data.find(layer, at + 4 * count)


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number as dlib writes it (a byte that says how many follow, then these), and where the next one begins."""
    length = data[at] & 0x0F
    return int.from_bytes(data[at + 1 : at + 1 + length], "little"), at + 1 + length
